"""Super-steps: consistent, stable, accurate, and damped, so that tissue which freezes all at once does not ring."""

from itertools import pairwise

import numpy as np
import pytest

from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.physics.medium import Freezing, Medium
from trocar.physics.source import Ramp
from trocar.physics.stepping import LOOKS, damping_of, schedule, stages

EXPLICIT_S = 0.1
LENGTHS_S = (0.2, 2.0, 12.0, 60.0, 40_000.0)
SIDE, SPACING_M = 40, 1e-3
COLD = Ramp(start_degC=37.0, end_degC=-140.0)


def played(each, rates_per_s):
    """What is left of 1 under decay at these rates after a super-step."""
    before, now = np.ones_like(rates_per_s), np.ones_like(rates_per_s)
    for beyond, weight_s, _ in each.astype(float):
        before, now = now, now + beyond * (now - before) - weight_s * rates_per_s * now
    return now


@pytest.mark.parametrize("step_s", LENGTHS_S)
def test_a_constant_rate_is_kept(step_s):
    """Of a constant right-hand side every consistent scheme makes exactly rate x time."""
    before, now = 0.0, 0.0
    for beyond, weight_s, _ in stages(step_s, EXPLICIT_S).astype(float):
        before, now = now, now + beyond * (now - before) + weight_s
    assert now == pytest.approx(step_s, rel=1e-5)


@pytest.mark.parametrize("step_s", LENGTHS_S)
def test_no_decay_that_the_lattice_knows_grows(step_s):
    left = played(stages(step_s, EXPLICIT_S), np.linspace(0, 2 / EXPLICIT_S, 2001))
    assert np.abs(left).max() <= 1.0


@pytest.mark.parametrize("step_s", LENGTHS_S)
def test_what_decays_fast_is_damped(step_s):
    """No mode that the lattice knows keeps more than the damping leaves of it, once it decays fast enough."""
    rates = np.linspace(8.0 / step_s, 1.8 / EXPLICIT_S, 2000)
    left = np.abs(played(stages(step_s, EXPLICIT_S), rates[rates * step_s >= 8.0]))
    assert left.max(initial=0.0) <= 1.01 / np.cosh(damping_of(step_s)) + np.exp(-8.0)


def test_four_times_as_long_steps_err_twice_as_much_at_most():
    """First order: without the damping that grows with a step they would err four times as much."""
    after_s, rate = 240.0, np.array([1 / 120.0])
    errors = {}
    for step_s in (30.0, 120.0):
        left = played(stages(step_s, EXPLICIT_S), rate)[0] ** round(after_s / step_s)
        errors[step_s] = abs(left - np.exp(-rate[0] * after_s))
    assert 0 < errors[120.0] < 2 * errors[30.0]


def test_vessels_are_looked_at_in_equal_times():
    each = stages(60.0, EXPLICIT_S).astype(float)
    looked = np.flatnonzero(each[:, 2])
    assert len(looked) == LOOKS
    before, now, times_s = 0.0, 0.0, []
    for beyond, weight_s, _ in each:
        times_s.append(now)
        before, now = now, now + beyond * (now - before) + weight_s
    wanted_s = [60.0 * n / LOOKS for n in range(LOOKS)]
    assert np.abs(np.array(times_s)[looked] - wanted_s).max() < 0.06 * 60.0


@pytest.mark.parametrize("duration_s", [0.5, 7.0, 90.0, 180.0, 600.0])
def test_super_steps_fill_the_phase_and_grow_twofold_at_most(duration_s):
    steps_s = list(schedule(duration_s))
    assert sum(steps_s) == pytest.approx(duration_s)
    assert all(after <= 2 * before for before, after in pairwise(steps_s))
    assert steps_s[-1] <= 30.0


@pytest.mark.parametrize("apart_m", [0.009, 0.012, 0.015])
def test_what_freezes_all_at_once_between_needles_is_not_colder_than_they_are(apart_m):
    """The last tissue between four needles passes its mush within a step. It came out at -230 to -370 degC."""
    lowest, found = [], HeatSolver(tissue(), four(apart_m))
    found.advance(300.0, (COLD,) * 4, on_step=lambda solver: lowest.append(float(solver.temperature_degC.min())))
    known = HeatSolver(tissue(), four(apart_m))
    known.advance(300.0, (COLD,) * 4, longest_s=5.0)
    assert min(lowest) > -141.0
    too_cold_K = known.damage.minimum_degC - found.damage.minimum_degC
    assert np.count_nonzero(too_cold_K > 10.0) <= 5


def tissue():
    """Muscle-like, perfused."""

    def full(value):
        return np.full((SIDE,) * 3, value, np.float32)

    return Medium(
        spacing_m=SPACING_M, unfrozen_W_per_mK=full(0.52), frozen_W_per_mK=full(1.55),
        unfrozen_J_per_m3K=full(3.78e6), frozen_J_per_m3K=full(1.88e6), latent_J_per_m3=full(255e6),
        perfusion_W_per_m3K=full(2e3), held=np.zeros((SIDE,) * 3, bool), held_degC=full(37.0), rest_degC=37.0,
        freezing=Freezing(ice_slope_per_K=0.0087),
    )  # fmt: skip


def four(apart_m):
    """Needles at the corners of a square, spreading a little."""
    middle = ((SIDE - 1) / 2 + np.array((0.31, -0.22, 0.43))) * SPACING_M
    found = []
    for a in (-1, 1):
        for b in (-1, 1):
            at, along = middle + np.array((a, b, 0)) * apart_m / 2, np.array((0.05 * a, 0.025 * b, 1.0))
            along *= 0.01 / np.linalg.norm(along)
            found.append(Line(tip_m=at - along, tail_m=at + along, radius_m=0.75e-3))
    return tuple(found)
