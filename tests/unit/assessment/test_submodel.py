"""A finer lattice driven by a coarse one: linear fields are kept, and so are forces."""

import numpy as np
import pytest
from strength_case import SCALE, bead, block_case, plan_of

from trocar.assessment.solving import Solved
from trocar.assessment.strength import strength
from trocar.assessment.submodel import drive
from trocar.assessment.supports import corners_of
from trocar.errors import CaseError
from trocar.model.space import Grid
from trocar.physics.elastic import ElasticSystem, Load

FIELD = np.array([[1.0, 0.4, -0.2], [0.1, -0.7, 0.5], [0.3, 0.2, 0.6]]) * 1e-3  # strain and rotation
COARSE = Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(2.0,) * 3, shape=(20, 18, 16))
FINE = Grid.aligned(origin_lps_mm=(9.3, 8.1, 7.7), spacing_mm=(0.6,) * 3, shape=(34, 30, 28))


def nodes(grid):
    return grid.to_lps(np.moveaxis(np.indices([n + 1 for n in grid.shape]), 0, -1) - 0.5)


def body(grid):
    """A slanting slab with a ball taken out: its surface lies across both lattices."""
    at = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    slab = np.abs(at @ [0.1, 0.3, 0.95] - 20.0) < 9.0
    return slab & (np.linalg.norm(at - [19.0, 17.0, 16.0], axis=-1) > 6.0)


@pytest.fixture(scope="module")
def uniform():
    """The slab under a linear displacement of all of its surface: the strain is the same everywhere."""
    modulus = np.where(body(COARSE), 1000.0, 0.0)
    u = nodes(COARSE) @ FIELD.T * 1e-3
    inner = np.ones(u.shape[:3], bool)
    inner[tuple(np.argwhere(~corners_of(modulus > 0)).T)] = False
    inside = inner & ~corners_of(modulus == 0)
    held = np.repeat(~inside[..., None], 3, axis=3)
    held[0], held[-1], held[:, 0], held[:, -1], held[:, :, 0], held[:, :, -1] = (True,) * 6
    system = ElasticSystem(modulus * 1e6, held, spacing_m=2e-3)
    found = system.solve_one(Load(displacement_m=u), tolerance=1e-9)
    return Solved(
        grid=COARSE, modulus=modulus, metal=np.zeros(COARSE.shape), held=np.zeros_like(held), force_N=np.zeros(u.shape),
        deformation=found,
    )  # fmt: skip


def test_the_submodel_of_a_uniform_strain_has_that_strain_up_to_any_surface(uniform):
    stiff = body(FINE)
    stored = corners_of(stiff)
    driven = drive(uniform, FINE, stored)
    exact = nodes(FINE) @ FIELD.T * 1e-3
    assert driven.displacement_m[stored] == pytest.approx(exact[stored], abs=1e-9)
    cut = driven.held & stored[..., None]
    assert cut.any() and not cut[4:-4, 4:-4, 4:-4].any()


def test_a_block_in_a_uniform_strain_is_solved_to_it_from_its_cuts_alone(uniform):
    block = np.ones(FINE.shape, bool)
    whole = Solved(
        grid=COARSE, modulus=np.full(COARSE.shape, 1000.0), metal=uniform.metal, held=uniform.held,
        force_N=uniform.force_N, deformation=_everywhere(),
    )  # fmt: skip
    driven = drive(whole, FINE, corners_of(block))
    system = ElasticSystem(np.full(FINE.shape, 1e9), driven.held, spacing_m=0.6e-3)
    found = system.solve_one(Load(displacement_m=np.where(driven.held, driven.displacement_m, 0.0)), tolerance=1e-9)
    exact = nodes(FINE) @ FIELD.T * 1e-3
    assert found.displacement_m() == pytest.approx(exact, abs=1e-9)
    symmetric = FIELD + FIELD.T
    expected = [FIELD[0, 0], FIELD[1, 1], FIELD[2, 2], symmetric[0, 1], symmetric[0, 2], symmetric[1, 2]]
    assert found.strain().reshape(-1, 6) == pytest.approx(np.tile(expected, (block.size, 1)), abs=1e-8)


def _everywhere():
    held = np.zeros((*(n + 1 for n in COARSE.shape), 3), bool)
    held[0], held[-1], held[:, 0], held[:, -1], held[:, :, 0], held[:, :, -1] = (True,) * 6
    system = ElasticSystem(np.full(COARSE.shape, 1e9), held, spacing_m=2e-3)
    return system.solve_one(Load(displacement_m=nodes(COARSE) @ FIELD.T * 1e-3), tolerance=1e-10)


def test_forces_on_the_coarse_nodes_arrive_whole_and_where_they_were(uniform):
    force = np.zeros(uniform.force_N.shape)
    force[8:12, 7:10, 7:9] = [1.0, -2.0, 3.0]
    stored = np.ones([n + 1 for n in FINE.shape], bool)
    loaded = Solved(
        grid=COARSE, modulus=uniform.modulus, metal=uniform.metal, held=uniform.held, force_N=force,
        deformation=uniform.deformation,
    )  # fmt: skip
    found = drive(loaded, FINE, stored).force_N
    assert found.sum(axis=(0, 1, 2)) == pytest.approx(force.sum(axis=(0, 1, 2)))
    middle = [
        (f[..., 2, None] * nodes(g)).sum(axis=(0, 1, 2)) / f[..., 2].sum() for f, g in ((force, COARSE), (found, FINE))
    ]
    assert middle[1] == pytest.approx(middle[0], abs=0.2)


@pytest.fixture(scope="module")
def looked_at_again():
    return strength(
        block_case(), plan_of(bead((6.0, 0.0, 0.0), 2.5)), scale=SCALE, spacing_mm=2.0, lesion_spacing_mm=1.0
    )


def test_a_lesion_looked_at_again_keeps_what_treatment_brings(looked_at_again):
    model = looked_at_again.lesion_model
    assert model.spacing_mm == 1.0 and model.law in looked_at_again.laws
    assert {(row.state, row.load) for row in model.rows} == {(row.state, row.load) for row in looked_at_again.rows}
    for row in model.rows:
        assert row.fine_frac == pytest.approx(row.coarse_frac, rel=0.5)
        if row.state == "before":
            assert row.against_before_frac == 1.0
        if row.state == "intact_estimate":
            assert row.against_before_frac < 1.0


def test_a_lesion_lattice_that_is_not_finer_is_refused():
    with pytest.raises(CaseError, match="no finer"):
        strength(block_case(), plan_of(), scale=SCALE, spacing_mm=3.0, lesion_spacing_mm=3.0)
