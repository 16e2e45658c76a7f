"""Passes on the part that gives way: its forces are the whole's, the rest follows as it should, results stay."""

from dataclasses import replace

import numpy as np
import pytest
from collapse_cases import BONE, foam, pulled
from elastic_cases import GPa

from trocar.assessment.collapse import MARCH
from trocar.physics import local_balance
from trocar.physics.collapse import March
from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.local_balance import LocalBalance
from trocar.physics.softened import SoftenedBody
from trocar.physics.softening import Softening
from trocar.physics.vicinity import Vicinity


@pytest.fixture
def body():
    """A block of 32 x 16 x 16 voxels, held below and pulled above, and the forces on it."""
    random = np.random.default_rng(1)
    modulus = GPa * np.exp(random.normal(0, 0.5, (32, 16, 16)))
    modulus[random.random(modulus.shape) < 0.2] = 0.02 * GPa
    modulus[14:19, 8:11, 2:12] = 0
    held = np.zeros([*(n + 1 for n in modulus.shape), 3], bool)
    held[0] = True
    system = ElasticSystem(modulus, held, spacing_m=1e-3)
    force = np.zeros(held.shape)
    force[-1, ..., 0] = 1.0
    softening = Softening(system.rows, modulus > 0, (BONE,), spacing_m=1e-3, poisson=0.3)
    return SoftenedBody(system, softening, None, first=system.relative_modulus.copy()), system.flat(force)


def middle(whole):
    i, j, k = whole.system.rows.indices(of_nodes=False)
    return np.flatnonzero((abs(i - 16) < 3) & (abs(j - 4) < 3) & (abs(k - 4) < 3) & (whole.first > 0))


def test_the_forces_on_a_parts_free_nodes_are_those_of_the_whole(body):
    whole, _ = body
    part = Vicinity(whole, middle(whole))
    assert part.holds(middle(whole)).all() and not part.holds(np.arange(3)).any()
    u = np.random.default_rng(2).normal(size=3 * whole.system.rows.node_count)
    here, free = part.body.system.forces(part.taken(u)), (part.nodes >= 0) & ~part.body.system.held
    assert free.sum() > 500
    assert here[free] == pytest.approx(whole.system.forces(u)[part.nodes[free]], rel=1e-5, abs=1.0)


def settled(whole, force, voxels):
    """The displacement after some voxels have lost half, the path under the forces before, and what settling added.

    The rest follows in the shape of the whole displacement.
    """
    system = whole.system
    u, given = np.zeros(force.size), force / system.unit_N
    nearby = LocalBalance(whole, given)
    nearby.correction = system.improve(u, given, 1e-3, 0.0)
    before, path = whole.present.copy(), float(force @ u)
    whole.softening.kept[voxels] = whole.present[voxels] = 0.5
    energy = np.ones(voxels.size)
    added = nearby.settle(u, (voxels, energy), before, lambda _: 1e-9, haste=1.0, tolerance_J=1.0, least=0.0)
    whole.stiffen()
    return u, path, added * system.unit_N


def test_what_settling_says_it_adds_to_the_path_is_what_it_adds(body):
    whole, force = body
    u, path, added = settled(whole, force, middle(whole))
    assert float(force @ u) - path == pytest.approx(added, rel=1e-4)
    whole.system.improve(u, force / whole.system.unit_N, 1e-6, 0.0)
    assert 0.5 < added / (float(force @ u) - path) < 1.0  # most of what a balance of all adds


def test_a_rest_that_follows_is_nearer_to_balance_than_one_that_stays(body, monkeypatch):
    """Balance is where elastic energy less the work of the forces is least."""
    whole, force = body

    def excess_J(u):
        return float(u @ whole.system.forces(u)) / 2 - float(force @ u)

    follows = excess_J(settled(whole, force, middle(whole))[0])
    whole.softening.kept[:] = whole.present[:] = 1
    whole.stiffen()
    monkeypatch.setattr(local_balance._Rest, "move", lambda *_: None)
    u, _, added = settled(whole, force, middle(whole))
    assert added == pytest.approx(0.0, abs=1e-12)  # the forces are far away
    assert follows < excess_J(u)


@pytest.mark.parametrize("by_force", [False, True])
def test_a_strength_is_that_of_passes_on_the_whole_body_alone(by_force, monkeypatch):
    body = {"spacing_m": 2e-3, "poisson": 0.3, "by_force": by_force}
    march = replace(MARCH, tolerance=2e-4, passes=200)
    course, _ = pulled(foam(), march=march, **body)
    monkeypatch.setattr(LocalBalance, "settle", lambda *_, **__: 0.0)
    alone, _ = pulled(foam(), march=march, **body)
    assert course.peak_load == pytest.approx(alone.peak_load, rel=0.01)
    assert course.passes.sum() < alone.passes.sum()


def test_what_it_ends_in_is_a_balance():
    """Solved anew and to the end, with the moduli that are left, hardly anything gives way."""
    modulus = foam()
    march = March(steps=12, tolerance=5e-4, haste=2.0, forcing=0.5, finest=1.02, passes=100)
    course, softening = pulled(modulus, spacing_m=2e-3, poisson=0.3, march=march)
    held = np.zeros([*(n + 1 for n in modulus.shape), 3], bool)
    held[[0, -1], ..., 0] = held[0, 0, 0] = True
    held[0, -1, 0, 2] = held[0, 0, -1, 1] = True
    system = ElasticSystem(modulus * course.at_end, held, spacing_m=2e-3)
    pattern = np.zeros(held.shape)
    pattern[-1, ..., 0] = 1.0
    u = system.solve_one(Load(displacement_m=pattern), tolerance=1e-8).u_m
    whole = SoftenedBody(system, softening, None, first=system.rows.gathered(modulus, of_nodes=False) / modulus.max())
    whole.attempt(u, course.path[-1])
    assert whole.changes_J(whole.changing()).sum() < 4 * march.tolerance * whole.elastic_J()
