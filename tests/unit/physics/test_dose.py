"""Injury by heat and cold: published times, the models' own equations solved otherwise, and order."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from trocar.physics.dose import LIVER, SKIN, HeatDose, Recovery
from trocar.physics.kill import cold_kill_frac, heat_dead, heat_kill_frac
from trocar.physics.spans import Rows

CELLS = 16


def rows(cells=CELLS):
    return Rows.of(np.array([0], np.uint64), np.array([cells]))


def dosed(temperatures_degC, step_s, *, steps=1):
    """A dose after steps at constant temperatures, one a cell."""
    t = np.asarray(temperatures_degC, np.float32)
    dose = HeatDose.fresh(t.size, 37.0)
    for _ in range(steps):
        dose.record(t, t, step_s, rows(t.size), rows(t.size).start)
    return dose


@pytest.mark.parametrize(
    ("law", "temperature_degC", "seconds"),
    [(LIVER, 45, 277), (LIVER, 50, 61), (LIVER, 55, 14), (LIVER, 60, 3.4),
     (SKIN, 45, 4.2e4), (SKIN, 50, 1.1e3), (SKIN, 55, 30), (SKIN, 60, 0.95)],
)  # fmt: skip
def test_time_to_omega_one(law, temperature_degC, seconds):
    """The thermal reference's table (3.2), to its two digits."""
    assert 1 / law.rate_per_s(temperature_degC) == pytest.approx(seconds, rel=0.06)
    dose = dosed(np.full(CELLS, temperature_degC), 0.01 * seconds, steps=100)
    found = dose.omega if law is LIVER else dose.omega_skin
    assert found == pytest.approx(1.0, rel=0.06)


def test_equivalent_minutes():
    """240 min at 43 degC are 112 s at 50 and 3.5 s at 55 degC."""
    assert dosed([50.0], 112.0).cem43_min == pytest.approx(240, rel=0.01)
    assert dosed([55.0], 3.5).cem43_min == pytest.approx(240, rel=0.01)
    assert dosed([42.0], 60.0).cem43_min == pytest.approx(0.25, rel=1e-3)


def test_a_ramp_is_integrated_within_a_long_step():
    """From 45 to 75 degC in 15 s at once, against a thousand short steps."""
    once, fine = HeatDose.fresh(1, 37.0), HeatDose.fresh(1, 37.0)
    at = np.linspace(45, 75, 1001).astype(np.float32)
    once.record(at[:1], at[-1:], 15.0, rows(1), rows(1).start)
    for a, b in pairwise(at):
        fine.record(np.array([a]), np.array([b]), 0.015, rows(1), rows(1).start)
    for name in ("omega", "omega_skin", "cem43_min"):
        assert getattr(once, name) == pytest.approx(getattr(fine, name), rel=0.02), name
    assert once.alive == pytest.approx(fine.alive, abs=0.02)


@pytest.mark.parametrize("temperature_degC", [41.0, 46.0, 52.0, 60.0])
def test_three_states_against_an_ode_solver(temperature_degC):
    law = Recovery()

    def rate(_, y):
        k = law.forward_per_s * np.exp(temperature_degC / law.scale_degC) * (1 - y[0])
        return [-k * y[0] + law.backward_per_s * y[1], k * y[0] - law.backward_per_s * y[1] - k * y[1]]

    known = solve_ivp(rate, (0, 600), [0.99, 0.01], rtol=1e-9, atol=1e-12).y[:, -1]
    dose = dosed([temperature_degC], 10.0, steps=60)
    assert dose.alive[0] == pytest.approx(known[0], abs=0.01)
    assert dose.vulnerable[0] == pytest.approx(known[1], abs=0.01)


def test_more_heat_never_harms_less():
    t = np.linspace(37, 110, CELLS)
    dose = dosed(t, 20.0, steps=30)
    for values in (dose.omega, dose.omega_skin, dose.cem43_min, -dose.alive):
        assert np.isfinite(values).all() and (np.diff(values) >= -1e-6).all()
    assert (dose.open_frac == (dose.omega < 1)).all() and dose.maximum_degC.max() == pytest.approx(110)
    assert heat_kill_frac(dose)[-1] == 1.0 and heat_dead(dose)[-1] and not heat_dead(dose)[0]


def test_what_was_dead_stays_dead_and_the_hottest_moment_is_kept():
    dose = HeatDose.fresh(1, 37.0)
    for _ in range(40):
        dose.record(np.array([62.0], np.float32), np.array([60.0], np.float32), 15.0, rows(1), rows(1).start)
    assert dose.maximum_degC[0] == 62.0 and heat_dead(dose)[0]
    for _ in range(40):
        dose.record(np.array([37.0], np.float32), np.array([37.0], np.float32), 30.0, rows(1), rows(1).start)
    assert heat_dead(dose)[0] and dose.vulnerable[0] < 0.05
    mild = HeatDose.fresh(1, 37.0)
    mild.record(np.array([37.0], np.float32), np.array([37.9], np.float32), 5.0, rows(1), rows(1).start)
    assert mild.maximum_degC[0] == pytest.approx(37.9)


def test_cold_kill_goes_through_its_two_published_points():
    assert cold_kill_frac(np.array([-10.0, -24.7])) == pytest.approx([0.5, 0.95])
    t = np.linspace(-150, 37, 60)
    share = cold_kill_frac(t)
    assert (np.diff(share) <= 0).all() and ((share >= 0) & (share <= 1)).all()
    twice = cold_kill_frac(t, np.full(t.shape, 2.0), gain_per_cycle_K=5.0)
    assert (twice >= share).all()
    assert cold_kill_frac(np.array([-9.0]), np.array([0.0])) == 0.0
