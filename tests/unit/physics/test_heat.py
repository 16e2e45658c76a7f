"""The solver's bookkeeping: inverses, restarts, determinism, monotonicity, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.damage import Damage, zone_m3
from trocar.physics.enthalpy import curve_of, law_of, reduced, temperature
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.physics.medium import Freezing, Medium
from trocar.physics.source import Ramp

SHAPE = (25, 25, 29)
SPACING_M = 2e-3
MIDDLE_M = np.array([12, 12, 14]) * SPACING_M
COLD = Ramp(start_degC=37.0, end_degC=-140.0, time_s=2.5)


def medium(*, perfusion=0.0, latent=250e6, spacing_m=SPACING_M, **changes):
    def full(value):
        return np.full(SHAPE, value, np.float32)

    given = {
        "unfrozen_W_per_mK": full(0.5), "frozen_W_per_mK": full(2.0), "unfrozen_J_per_m3K": full(3.6e6),
        "frozen_J_per_m3K": full(1.8e6), "latent_J_per_m3": full(latent),
        "perfusion_W_per_m3K": full(perfusion), "held": np.zeros(SHAPE, dtype=bool),
        "held_degC": full(37.0),
    }  # fmt: skip
    return Medium(spacing_m=spacing_m, **(given | changes))


def needle(offset=(0.0, 0.0, 0.0), length_m=0.02):
    middle = MIDDLE_M + np.asarray(offset)
    along = np.array([0, 0, length_m / 2])
    return Line(tip_m=middle - along, tail_m=middle + along, radius_m=0.75e-3)


def frozen(lines=None, *, duration_s=240.0, longest_s=20.0, **tissue):
    lines = lines or (needle(),)
    solver = HeatSolver(medium(**tissue), lines)
    solver.advance(duration_s, (COLD,) * len(lines), longest_s=longest_s)
    return solver


def test_enthalpy_and_temperature_are_inverses():
    random = np.random.default_rng(1)
    tissue = medium(latent=random.uniform(0, 330e6, SHAPE))
    for vapor in (None, random.uniform(1e8, 2e9, SHAPE)):
        boiling = replace(tissue, vapor_J_per_m3=vapor)
        curve, law = curve_of(boiling), law_of(boiling)
        wanted = random.uniform(-150, 140, SHAPE).astype(np.float32).reshape(-1)
        assert np.abs(temperature(reduced(wanted, curve, law), curve, law) - wanted).max() < 2e-3


def test_the_freezing_curve_is_the_derivative_of_its_integral():
    law = Freezing(ice_slope_per_K=0.0087)
    at = np.linspace(-140, 10, 4001)
    slope = np.gradient(law.integral(at), at)
    assert np.abs(slope - law.share(at))[2:-2].max() < 5e-3


def test_a_restart_from_the_saved_state_changes_nothing():
    whole = frozen()
    whole.advance(120.0)
    first = frozen()
    damage = first.damage
    saved = Damage(damage.minimum_degC.copy(), damage.open_frac.copy(), damage.freezes.copy(), damage.below_s.copy())
    again = HeatSolver.restarted(
        first.medium, first.lines, enthalpy_J_per_m3=first.enthalpy_J_per_m3.copy(), damage=saved, time_s=first.time_s
    )
    again.advance(120.0)
    assert np.abs(again.temperature_degC - whole.temperature_degC).max() < 0.02
    assert np.array_equal(again.damage.freezes, whole.damage.freezes)


def test_the_same_input_gives_the_same_bits():
    first, second = frozen(perfusion=2e3), frozen(perfusion=2e3)
    assert np.array_equal(first.enthalpy_J_per_m3, second.enthalpy_J_per_m3)


def test_heat_is_conserved_in_freezing_and_thawing():
    solver = frozen(perfusion=5e3)
    assert solver.balance().residual_frac < 2e-3
    solver.advance(300.0)
    assert solver.balance().residual_frac < 5e-3
    assert solver.power_W == (0.0,)


def test_temperature_stays_between_needle_and_rest():
    t = frozen(perfusion=5e3).temperature_degC
    assert t.min() >= -140.0 - 1e-3 and t.max() <= 37.0 + 1e-3


def test_perfusion_shrinks_the_ice_and_never_returns_to_what_froze():
    volumes = [zone_m3(frozen(perfusion=w).temperature_degC, 0.0, SPACING_M) for w in (0.0, 10e3, 60e3)]
    assert volumes[0] > 1.02 * volumes[1] > 1.02**2 * volumes[2]
    solver = frozen(perfusion=10e3)
    was_frozen = solver.temperature_degC < -8.0
    solver.advance(600.0)
    assert np.all(solver.damage.open_frac.reshape(SHAPE)[was_frozen] == 0.0)
    assert np.all(solver.damage.open_frac.reshape(SHAPE)[:3] == 1.0)


def test_a_second_freeze_is_counted_and_a_half_duty_freezes_less():
    solver = frozen()
    solver.advance(1800.0, longest_s=30.0)
    solver.advance(240.0, (COLD,))
    assert solver.damage.freezes.max() == 2
    half = HeatSolver(medium(), (needle(),))
    half.advance(240.0, (Ramp(start_degC=37.0, end_degC=-140.0, time_s=2.5, duty=0.5),))
    assert zone_m3(half.temperature_degC, 0.0, SPACING_M) < 0.8 * zone_m3(frozen().temperature_degC, 0.0, SPACING_M)


def test_another_needle_never_warms_anything():
    one = frozen(longest_s=5.0)  # short steps: those of two runs differ, and with them their errors in time
    two = frozen((needle(), needle((8e-3, 0, 0))), longest_s=5.0)
    assert (two.temperature_degC - one.temperature_degC).max() < 0.02


def test_a_held_cell_keeps_its_temperature_beside_ice():
    held = np.zeros(SHAPE, dtype=bool)
    held[16, 12, 8:20] = True
    solver = frozen(held=held)
    assert np.abs(solver.temperature_degC[held] - 37.0).max() < 1e-3
    assert solver.temperature_degC[9, 12, 14] < solver.temperature_degC[15, 12, 14]


def test_bad_lattices_and_needles_are_refused():
    with pytest.raises(SolverError, match="not finite"):
        medium(latent=np.nan)
    with pytest.raises(SolverError, match="not positive"):
        medium(unfrozen_W_per_mK=np.zeros(SHAPE))
    for bad in (needle(offset=(0.5, 0, 0)), needle(length_m=0.0)):
        with pytest.raises(SolverError):
            HeatSolver(medium(), (bad,)).advance(10.0, (COLD,))


@pytest.mark.parametrize(
    ("duration_s", "longest_s"),
    [(-1.0, 60.0), (np.nan, 60.0), (np.inf, 60.0), (60.0, 0.0), (60.0, -5.0), (60.0, np.nan)],
)
def test_times_that_make_no_sense_are_refused_and_nothing_is_played(duration_s, longest_s):
    """Steps of a negative length were no steps: the phase was over, and nothing had frozen."""
    solver = HeatSolver(medium(), (needle(),))
    with pytest.raises(SolverError, match="no sense"):
        solver.advance(duration_s, (None,), longest_s=longest_s)
    assert solver.time_s == 0.0
