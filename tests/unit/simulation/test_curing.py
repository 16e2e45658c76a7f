"""Cement's curing: exact at one temperature, all of its heat and no more, in the published range, slowed by cold."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from slab import cement, planned, synthetic_case

from trocar.catalog.tissues import curing, tissues
from trocar.materials import tissue_map
from trocar.model.space import Grid
from trocar.simulation.curing import Curing, curing_checks
from trocar.simulation.session import Session, in_new_tissue, untouched
from trocar.simulation.simulate import simulate


def at(temperature_degC):
    return SimpleNamespace(temperature_at=lambda cells: np.full(cells.shape, temperature_degC))


def test_at_one_temperature_a_step_is_as_exact_as_many():
    one, many = Curing.of(np.ones((3, 3, 3))), Curing.of(np.ones((3, 3, 3)))
    one.heat_W_per_m3(at(60.0), 120.0)
    for _ in range(60):
        many.heat_W_per_m3(at(60.0), 2.0)
    assert 0.02 < one.share_set < 0.9999
    assert one.share_set == pytest.approx(many.share_set, rel=1e-9)


def test_all_of_the_heat_is_given_off_and_no_more():
    cement_ = Curing.of(np.full((3, 3, 3), 0.5))
    released = sum(cement_.heat_W_per_m3(at(80.0), 10.0).astype(float) * 10.0 for _ in range(400))
    law = curing()
    whole = law.heat_J_per_kg * tissues()["cement"].density_kg_per_m3 * (1 - law.injected_frac) * 0.5
    assert released == pytest.approx(np.full((3, 3, 3), whole), rel=1e-4)


@pytest.fixture(scope="module")
def bench():
    case = synthetic_case()
    grid = Grid.aligned(origin_lps_mm=(14.0,) * 3, spacing_mm=(2.0,) * 3, shape=(36, 36, 36))
    return case, grid


def cured(bench, radius_mm, at_degC=37.0):
    case, grid = bench
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    fresh = (np.linalg.norm(points - 50.0, axis=-1) <= radius_mm).astype(np.float32)
    tissue = tissue_map(case, grid, cement_frac=fresh)
    cold = untouched(grid)
    state = cold.after(temperature_degC=np.full(grid.shape, at_degC, np.float32), cement_frac=fresh)
    session, placements = Session(case=case, tissue=tissue), cement().placements
    return curing_checks(session, in_new_tissue(state, tissue), fresh, placements, step="cement-1")


def hottest(checks):
    return float(checks[0].message.split("hottest ")[1].split()[0])


def test_a_larger_bead_gets_hotter_and_stays_within_what_was_measured(bench):
    small, large = (hottest(cured(bench, radius)) for radius in (4.0, 9.0))
    assert 37.0 < small < large - 5.0
    assert 49.0 < large < 113.0  # cadaver vertebrae: 49 to 112 degC in the middle (S38)


def test_cold_tissue_makes_cement_set_later(bench):
    warm, cool = cured(bench, 7.0)[0], cured(bench, 7.0, at_degC=22.0)[0]
    assert warm.value < cool.value - 1.0


def test_a_nerve_within_the_cement_is_too_warm_and_one_at_a_distance_is_not(bench):
    far = next(c for c in cured(bench, 4.0) if c.name == "nerve_temperature_beside_cement")
    near = next(c for c in cured(bench, 16.0) if c.name == "nerve_temperature_beside_cement")
    assert far.verdict == "PASS" and 37.0 <= far.value < 45.0
    assert near.verdict == "FAIL" and near.value > far.value + 5.0


def test_a_plan_with_cement_says_when_it_sets_and_that_it_is_a_prior():
    simulation = simulate(synthetic_case(), planned(cement()), spacing_mm=2.0)
    assert "cement_curing_prior" in simulation.caveats
    found = next(c for c in simulation.checks if c.name == "cement_setting_time")
    assert 5.0 < found.value < 30.0 and found.subject == cement().id
    with_none = simulate(synthetic_case(), replace(planned(cement()), steps=()), spacing_mm=2.0)
    assert "cement_curing_prior" not in with_none.caveats
