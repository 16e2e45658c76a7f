"""Generators against scripted resistances and a lump of tissue: when they rise and stop, and how much they give."""

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.generator import (
    ConstantGenerator,
    ConstantSettings,
    Limits,
    RampGenerator,
    RampSettings,
    TemperatureGenerator,
    TemperatureSettings,
)

RAMP = {
    "start_W": 40.0, "step_W": 10.0, "ceiling_W": 90.0, "rise_factor": 1.5, "collapse_frac": 0.1, "pause_s": 30.0,
    "second_frac": 0.7, "longest_s": 900.0,
}  # fmt: skip


def played(generator, resistance, *, until_s=1200.0, step_s=1.0):
    """The log as (n, 2) of time and power, and the phases."""
    for time_s in np.arange(0, until_s, step_s):
        generator.step(float(time_s), step_s, resistance(time_s))
    return np.array([(row.time_s, row.power_W) for row in generator.log]), [row.phase for row in generator.log]


def test_power_rises_each_minute_up_to_the_ceiling_and_stops_at_the_longest_time():
    log, _ = played(RampGenerator(RampSettings(**RAMP)), lambda t: 60.0)
    power = np.interp([0, 59, 60, 130, 299, 300, 800, 899, 900], log[:, 0], log[:, 1])
    assert power == pytest.approx([40, 40, 50, 60, 80, 90, 90, 90, 0])
    assert log[:, 1].sum() == pytest.approx(60 * (40 + 50 + 60 + 70 + 80) + 600 * 90)


def test_it_rolls_off_twice_pauses_between_and_then_stops():
    def resistance(t):  # falls as tissue warms, dries at 200 s, wet again after the pause, dries again at 400 s
        return 300.0 if 200 <= t < 215 or t >= 400 else 60.0 - 0.05 * min(t, 200)

    generator = RampGenerator(RampSettings(**RAMP))
    log, phases = played(generator, resistance)
    begins = {phase: phases.index(phase) for phase in ("ramp", "pause", "second", "done")}
    assert begins == {"ramp": 0, "pause": 200, "second": 230, "done": 400}
    assert generator.roll_off_W == pytest.approx(70.0) and generator.done
    assert set(log[200:230, 1]) == {0.0} and set(log[400:, 1]) == {0.0}
    assert log[230:400, 1] == pytest.approx(0.7 * 70.0)


@pytest.mark.parametrize(("ohm", "rolls_off"), [(74.9, False), (75.1, True)])
def test_it_rolls_off_beyond_the_factor_of_the_lowest_resistance(ohm, rolls_off):
    generator = RampGenerator(RampSettings(**RAMP))
    _, phases = played(generator, lambda t: 80.0 if t < 10 else 50.0 if t < 20 else ohm, until_s=25)
    assert ("pause" in phases) is rolls_off


def test_it_rolls_off_when_the_voltage_can_no_longer_drive_the_power():
    settings = RampSettings(**{**RAMP, "rise_factor": 100.0}, limits=Limits(voltage_V=60.0))
    generator = RampGenerator(settings)
    log, phases = played(generator, lambda t: 60.0 + 20 * t, until_s=120)
    driven = 60.0**2 / (60.0 + 20 * log[:, 0])
    stop = phases.index("pause")
    asked = np.where(log[:, 0] < 60, 40.0, 50.0)
    assert driven[stop] < 0.1 * asked[stop] and (driven[:stop] >= 0.1 * asked[:stop]).all()
    assert log[:stop, 1] == pytest.approx(np.minimum(asked, driven)[:stop])


@pytest.mark.parametrize("step_s", [0.5, 7.0, 40.0])
def test_the_energy_after_a_pause_does_not_depend_on_the_step(step_s):
    def resistance(t):
        return 300.0 if t < 1e-9 else 50.0

    generator = RampGenerator(RampSettings(**{**RAMP, "longest_s": 100.0}))
    generator.step(-1e-3, 1e-3, 50.0)
    log, _ = played(generator, resistance, step_s=step_s, until_s=160)
    assert log[1:, 1].sum() * step_s == pytest.approx(0.7 * 40 * 70, rel=1e-3)


class Lump:
    """Tissue of one heat capacity that loses heat in proportion: T' = (P - loss (T - 37)) / capacity."""

    capacity_J_per_K, loss_W_per_K = 20.0, 0.2

    def __init__(self):
        self.degC = 37.0

    def heat(self, power_W, step_s):
        self.degC += step_s * (power_W - self.loss_W_per_K * (self.degC - 37)) / self.capacity_J_per_K


BIPOLAR = {
    "target_degC": 70.0, "within_K": 1.0, "power_limit_W": 20.0, "dwell_s": 240.0, "longest_s": 900.0,
    "gain_W_per_K": 1.0, "integral_s": 40.0,
}  # fmt: skip


def controlled(settings, *, until_s=900):
    generator, lump, degC = TemperatureGenerator(settings), Lump(), []
    for time_s in range(until_s):
        lump.heat(generator.step(time_s, 1.0, 100.0, lump.degC), 1.0)
        degC.append(lump.degC)
    return generator, np.array(degC)


def test_temperature_control_reaches_its_target_keeps_it_and_stops_after_the_dwell():
    generator, degC = controlled(TemperatureSettings(**BIPOLAR))
    phases = [row.phase for row in generator.log]
    reached, stopped = phases.index("dwell"), phases.index("done")
    assert stopped - reached == 240
    assert np.abs(degC[reached + 60 : stopped] - 70).max() < 1.0
    assert degC.max() < 73.0  # the integral does not wind up while the power is at its limit
    power = np.array([row.power_W for row in generator.log])
    assert power.max() == 20.0 and (power[stopped:] == 0).all()
    assert power[stopped - 20 : stopped].mean() == pytest.approx(Lump.loss_W_per_K * 33, rel=0.03)


def test_a_target_out_of_reach_stops_at_the_longest_time():
    generator, _ = controlled(TemperatureSettings(**{**BIPOLAR, "power_limit_W": 3.0, "longest_s": 300.0}))
    phases = [row.phase for row in generator.log]
    assert "dwell" not in phases and phases.index("done") == 300
    assert sum(row.power_W for row in generator.log) == pytest.approx(900.0)


def test_pulses_give_their_share_of_the_power_whatever_the_step():
    settings = ConstantSettings(power_W=50.0, duration_s=100.0, duty_frac=0.3, period_s=4.0)
    for step_s in (0.25, 1.7, 33.0):
        log, phases = played(ConstantGenerator(settings), lambda t: 50.0, until_s=140, step_s=step_s)
        assert log[:, 1].sum() * step_s == pytest.approx(0.3 * 50 * 100)
        assert phases[-1] == "done"


def test_the_output_stage_limits_what_is_given():
    limits = Limits(voltage_V=100.0, current_A=1.0)
    for ohm, watts in ((20.0, 20.0), (80.0, 60.0), (1000.0, 10.0), (np.inf, 0.0)):
        assert ConstantGenerator(ConstantSettings(power_W=60.0, duration_s=9.0, limits=limits)).step(
            0.0, 1.0, ohm
        ) == pytest.approx(watts)


@pytest.mark.parametrize(
    "wrong",
    [{"rise_factor": 1.0}, {"start_W": -1.0}, {"ceiling_W": 10.0}, {"second_frac": 1.2}, {"pause_s": np.nan}],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SolverError):
        RampSettings(**{**RAMP, **wrong})


def test_readings_that_cannot_be_are_refused():
    generator = RampGenerator(RampSettings(**RAMP))
    for step_s, ohm in ((1.0, 0.0), (1.0, np.nan), (0.0, 50.0)):
        with pytest.raises(SolverError):
            generator.step(0.0, step_s, ohm)
    with pytest.raises(SolverError, match="sensor"):
        TemperatureGenerator(TemperatureSettings(**BIPOLAR)).step(0.0, 1.0, 50.0)
