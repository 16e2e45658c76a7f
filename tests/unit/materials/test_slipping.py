"""How bone follows a slipping screw: against the elastic solver, whose nodes may only move along the screw."""

import numpy as np
import pytest

from trocar.materials.slipping import REACH, SOFTENED_FRAC, Slip, _movement, _nodes_of, highest_frac
from trocar.physics.elastic import ElasticSystem, Load

SHAPE, FIRST, AFTER = (3, 14, 14), 5, 9  # a bar of 4 x 4 voxels along i, through the whole lattice


@pytest.fixture
def bar():
    touched = np.zeros(SHAPE, bool)
    touched[:, FIRST:AFTER, FIRST:AFTER] = True
    return touched


def ring_of(touched):
    ring = np.zeros_like(touched)
    ring[tuple(Slip.beside(touched).voxels.T)] = True
    return ring


def along_i(of_nodes):
    moved = np.zeros((*of_nodes.shape, 3))
    moved[..., 0] = of_nodes
    return moved


def test_the_movement_is_the_elastic_solvers(bar):
    """Without contraction nothing but shear pulls along the bar: Laplace's equation."""
    ring, metal = ring_of(bar), _nodes_of(bar)
    inner = np.zeros(metal.shape, bool)
    inner[:, FIRST - REACH + 1 : AFTER + REACH, FIRST - REACH + 1 : AFTER + REACH] = True
    held = np.ones((*metal.shape, 3), bool)
    held[..., 0] = metal | ~inner
    system = ElasticSystem(np.where(ring, SOFTENED_FRAC, 1.0) * 1e9, held, spacing_m=1.0, poisson=0.0)
    found = system.solve_one(Load(displacement_m=along_i(metal)), tolerance=1e-8)
    moved = _movement(bar, ring, metal)
    assert 0.1 < moved[inner & ~metal].mean() < 0.9
    assert system.dense(found.u_m)[..., 0] == pytest.approx(moved, abs=1e-5)


def test_voxels_beside_metal_bear_the_force_on_it(bar):
    ring, metal = ring_of(bar), _nodes_of(bar)
    moved = _movement(bar, ring, metal)
    system = ElasticSystem(np.where(bar, 0.0, 2e9), np.ones((*metal.shape, 3), bool), spacing_m=0.5, poisson=0.0)
    force_N = system.solve_one(Load(displacement_m=along_i(1e-6 * moved))).force_N()[..., 0][metal].sum()
    assert Slip.beside(bar).borne.sum() == pytest.approx(force_N / (1e9 * 0.5 * 1e-6), rel=1e-5)


def test_bone_that_follows_takes_strain_from_the_voxels_beside_metal(bar):
    slip = Slip.beside(bar)
    assert len(slip.voxels) == SHAPE[0] * (6**2 - 4**2)
    steep = np.linalg.norm(slip.slope, axis=1)
    face = (slip.voxels[:, 1] >= FIRST) & (slip.voxels[:, 1] < AFTER)  # above and below the bar
    assert steep[face].min() > 0.3 and steep.max() < 1.0  # 1 if nothing beyond them moved
    assert np.abs(slip.slope[:, 0]).max() < 1e-6  # everywhere the same along the bar


def test_nothing_slips_without_metal():
    slip = Slip.beside(np.zeros(SHAPE, bool))
    assert len(slip.voxels) == len(slip.borne) == len(slip.slope) == 0


def test_springs_bear_most_where_some_let_go_and_others_take_up():
    force, parts = np.array([1.0, 1.0]), np.array([3.0, 6.0])
    assert highest_frac(force, np.array([1.0, 2.0]), parts) == pytest.approx(0.75)  # at 1: 1 + 0.5; at 2: 0.5 + 1
    assert highest_frac(force, np.array([1.0, 1.0]), parts) == pytest.approx(1.0)
