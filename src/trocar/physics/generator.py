"""Generators as state machines: what power they give next, from the resistance and the temperature they measure.

Pure logic in time, without tissue: the caller measures, asks for the mean power of the coming step, and applies it.
Settings of products are in the catalog; docs/theory/generators.md says what is modeled.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from trocar.errors import SolverError

Phase = Literal["ramp", "pause", "second", "heat", "dwell", "on", "done"]


class Reading(NamedTuple):
    """What a generator did in one step; `power_W` is the mean over the step that begins at `time_s`."""

    time_s: float
    phase: Phase
    power_W: float
    resistance_ohm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the output stage can give whatever is asked of it; `None` where it is not known or does not matter."""

    voltage_V: float | None = None
    current_A: float | None = None

    def __post_init__(self) -> None:
        _require(self, positive=("voltage_V", "current_A"))

    def most_W(self, resistance_ohm: float) -> float:
        """The largest power into a resistance."""
        by_voltage = np.inf if self.voltage_V is None else self.voltage_V**2 / resistance_ohm
        by_current = np.inf if self.current_A is None else self.current_A**2 * resistance_ohm
        return float(min(by_voltage, by_current))


@dataclass(frozen=True, slots=True, kw_only=True)
class RampSettings:
    """Impedance control: the power rises in steps until dry tissue stops it, then once more from a lower power.

    It has rolled off when the resistance exceeds `rise_factor` times the lowest of the phase, or when the power that
    the output stage can give falls under `collapse_frac` of the power set. `longest_s` counts from the start.
    """

    start_W: float
    step_W: float
    step_every_s: float = 60.0
    ceiling_W: float
    rise_factor: float
    collapse_frac: float
    pause_s: float
    second_frac: float  # of the power at the first roll-off
    longest_s: float
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        _require(
            self, positive=("start_W", "step_every_s", "ceiling_W", "longest_s"), frac=("collapse_frac", "second_frac")
        )
        _require(self, natural=("step_W", "pause_s"))
        if not self.rise_factor > 1:
            raise SolverError("a roll-off factor of 1 or less is met at once", hint="1.3 to 2 is usual")
        if self.ceiling_W < self.start_W:
            raise SolverError("the power would start above its ceiling")


@dataclass(slots=True, eq=False)
class RampGenerator:
    """Steps through ramp, pause and second phase. `log` keeps every step, `done` says that it has stopped."""

    settings: RampSettings
    log: list[Reading] = field(default_factory=list)
    phase: Phase = "ramp"
    _start_s: float | None = None
    _pause_end_s: float = 0.0
    _second_W: float = 0.0
    _least_ohm: float = np.inf

    @property
    def done(self) -> bool:
        return self.phase == "done"

    @property
    def roll_off_W(self) -> float | None:
        """The power set when the resistance first rose; None while it has not."""
        return self._second_W / self.settings.second_frac if self._second_W else None

    def step(self, time_s: float, step_s: float, resistance_ohm: float, temperature_degC: float | None = None) -> float:
        """The mean power of the step that begins now. Raises `SolverError` for a reading that cannot be."""
        _require_reading(step_s, resistance_ohm)
        if self._start_s is None:
            self._start_s = time_s
        left_s = self._start_s + self.settings.longest_s - time_s
        if left_s <= 0:
            self.phase = "done"
        self._change(time_s, resistance_ohm)
        power = self._power_W(time_s, step_s, resistance_ohm) * min(max(left_s, 0.0) / step_s, 1.0)
        return _logged(self.log, time_s, self.phase, power, resistance_ohm)

    def _change(self, time_s: float, resistance_ohm: float) -> None:
        if self.phase in ("ramp", "second"):
            self._least_ohm = min(self._least_ohm, resistance_ohm)
            if self._rolled_off(time_s, resistance_ohm):
                self._stop(time_s)
        if self.phase == "pause" and time_s >= self._pause_end_s:
            self.phase, self._least_ohm = "second", resistance_ohm

    def _stop(self, time_s: float) -> None:
        if self.phase == "second":
            self.phase = "done"
        else:
            self._second_W = self.settings.second_frac * self._set_W(time_s)
            self._pause_end_s = time_s + self.settings.pause_s
            self.phase = "pause"

    def _rolled_off(self, time_s: float, resistance_ohm: float) -> bool:
        wanted = self._set_W(time_s)
        collapsed = self.settings.limits.most_W(resistance_ohm) < self.settings.collapse_frac * wanted
        return collapsed or resistance_ohm > self.settings.rise_factor * self._least_ohm

    def _set_W(self, time_s: float) -> float:
        if self.phase in ("second", "pause"):
            return self._second_W
        assert self._start_s is not None
        steps = np.floor((time_s - self._start_s) / self.settings.step_every_s + 1e-9)
        return float(min(self.settings.start_W + steps * self.settings.step_W, self.settings.ceiling_W))

    def _power_W(self, time_s: float, step_s: float, resistance_ohm: float) -> float:
        if self.phase == "done":
            return 0.0
        on = 1.0
        if self.phase == "pause":  # a step may outlast the pause
            on = max(time_s + step_s - self._pause_end_s, 0.0) / step_s
        return on * min(self._set_W(time_s), self.settings.limits.most_W(resistance_ohm))


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureSettings:
    """Temperature control, as of cooled bipolar systems: heat to `target_degC`, keep it for `dwell_s`, stop.

    The dwell counts from the first reading within `within_K` of the target. `longest_s` counts from the start.
    """

    target_degC: float
    within_K: float
    power_limit_W: float
    dwell_s: float
    longest_s: float
    gain_W_per_K: float
    integral_s: float
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        positive = ("power_limit_W", "longest_s", "gain_W_per_K", "integral_s")
        _require(self, positive=positive, natural=("within_K", "dwell_s"))
        if not np.isfinite(self.target_degC):
            raise SolverError("the target temperature is not a number")


@dataclass(slots=True, eq=False)
class TemperatureGenerator:
    """A proportional and integral controller between 0 and the power limit; the integral rests while it is at one."""

    settings: TemperatureSettings
    log: list[Reading] = field(default_factory=list)
    phase: Phase = "heat"
    _start_s: float | None = None
    _dwell_end_s: float = np.inf
    _integral_W: float = 0.0

    @property
    def done(self) -> bool:
        return self.phase == "done"

    def step(self, time_s: float, step_s: float, resistance_ohm: float, temperature_degC: float | None = None) -> float:
        """The mean power of the step that begins now. Raises `SolverError` without a temperature to control."""
        _require_reading(step_s, resistance_ohm)
        if temperature_degC is None or not np.isfinite(temperature_degC):
            raise SolverError("a temperature-controlled generator needs its sensor's temperature")
        if self._start_s is None:
            self._start_s = time_s
        below_K = self.settings.target_degC - temperature_degC
        if self.phase == "heat" and below_K <= self.settings.within_K:
            self.phase, self._dwell_end_s = "dwell", time_s + self.settings.dwell_s
        left_s = min(self._start_s + self.settings.longest_s, self._dwell_end_s) - time_s
        if left_s <= 0:
            self.phase = "done"
        power = 0.0 if self.done else self._controlled_W(below_K, step_s, resistance_ohm) * min(left_s / step_s, 1.0)
        return _logged(self.log, time_s, self.phase, power, resistance_ohm)

    def _controlled_W(self, below_K: float, step_s: float, resistance_ohm: float) -> float:
        settings = self.settings
        most = min(settings.power_limit_W, settings.limits.most_W(resistance_ohm))
        integral = self._integral_W + settings.gain_W_per_K * below_K * step_s / settings.integral_s
        wanted = settings.gain_W_per_K * below_K + integral
        if 0 <= wanted <= most or (wanted - most) * below_K < 0:
            self._integral_W = integral
        return float(np.clip(wanted, 0, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSettings:
    """A constant power, on for `duty_frac` of every `period_s`, for `duration_s`."""

    power_W: float
    duration_s: float
    duty_frac: float = 1.0
    period_s: float = 1.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        _require(self, positive=("duration_s", "period_s"), natural=("power_W",), frac=("duty_frac",))


@dataclass(slots=True, eq=False)
class ConstantGenerator:
    """Gives what is set until its time is over, whatever it measures, but for the limits of its output stage."""

    settings: ConstantSettings
    log: list[Reading] = field(default_factory=list)
    phase: Phase = "on"
    _start_s: float | None = None

    @property
    def done(self) -> bool:
        return self.phase == "done"

    def step(self, time_s: float, step_s: float, resistance_ohm: float, temperature_degC: float | None = None) -> float:
        """The mean power of the step that begins now: exact, also where pulses and steps do not match."""
        _require_reading(step_s, resistance_ohm)
        if self._start_s is None:
            self._start_s = time_s
        since = time_s - self._start_s
        if since >= self.settings.duration_s:
            self.phase = "done"
        on_s = self._on_s(since + step_s) - self._on_s(since)
        power = min(self.settings.power_W, self.settings.limits.most_W(resistance_ohm)) * on_s / step_s
        return _logged(self.log, time_s, self.phase, power, resistance_ohm)

    def _on_s(self, since_s: float) -> float:
        """How long it has been on since the start."""
        period, since = self.settings.period_s, min(since_s, self.settings.duration_s)
        pulse = self.settings.duty_frac * period
        whole = np.floor(since / period)
        return float(whole * pulse + min(since - whole * period, pulse))


Generator = RampGenerator | TemperatureGenerator | ConstantGenerator


def _logged(log: list[Reading], time_s: float, phase: Phase, power_W: float, resistance_ohm: float) -> float:
    log.append(Reading(time_s, phase, power_W, resistance_ohm))
    return power_W


def _require_reading(step_s: float, resistance_ohm: float) -> None:
    if not (np.isfinite(step_s) and step_s > 0):
        raise SolverError(f"a generator cannot take a step of {step_s:g} s")
    if not resistance_ohm > 0:  # infinite is an open circuit
        raise SolverError(f"a resistance of {resistance_ohm:g} ohm cannot be", hint="check the electrodes and the pad")


def _require(
    settings: object, *, positive: tuple[str, ...] = (), natural: tuple[str, ...] = (), frac: tuple[str, ...] = ()
) -> None:
    for name in (*positive, *natural, *frac):
        value = getattr(settings, name)
        if value is None:
            continue
        lowest_fits = value >= 0 if name in natural else value > 0
        if not (np.isfinite(value) and lowest_fits) or (name in frac and value > 1):
            raise SolverError(f"a generator's {name} of {value:g} makes no sense", hint="check the unit in its name")
