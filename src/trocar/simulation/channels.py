"""The sources of heat of a step: one channel per electrode or antenna, each with its generator and its log.

Several instruments of a step are driven in turn, as consoles do: their heat adds up, and a silent one carries nothing.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from trocar.model.finding import HeatingTrace
from trocar.model.space import Array
from trocar.physics.antenna import (
    Antenna,
    antenna_heat_W_per_m3,
    attenuation_per_m,
    hot_conductivity_S_per_m,
    hot_permittivity,
)
from trocar.physics.coolant import Coolant
from trocar.physics.electric import Bipolar, ElectricField, Electrode, GroundedFaces, conductivity_S_per_m
from trocar.physics.generator import Generator, Reading
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import SIGMA_SPACINGS, Line, Piece
from trocar.physics.source import Ramp

STALE_FRAC = 0.08  # change of a cell's conductivity (4 K, or vapor) beyond which the field is solved anew [design]
STALE_ATTENUATION_FRAC = 0.05
MEAN_SIGMAS = 1.5  # the mean radius of a Gaussian line, in sigmas (physics/lines.py)
BOILS_DEGC = 100.0


class Axis(NamedTuple):
    """Points on an instrument: (n, 8) flat cells around each, and their weights."""

    corners: Array
    weights: Array

    def hottest_degC(self, solver: HeatSolver) -> float:
        """The warmest of the points now."""
        return float(np.einsum("nc,nc->n", solver.temperature_at(self.corners), self.weights).max())


class Channel(Protocol):
    """One instrument: its heat in W/m3 over the coming step, `None` while it is off.

    `cooled` are its lines that draw heat from tissue, `drives` what drives each of them in a phase.
    """

    name: str
    generator: Generator | None

    @property
    def cooled(self) -> tuple[Line, ...]: ...

    @property
    def drives(self) -> tuple[Ramp | None, ...]: ...

    def heat_W_per_m3(self, solver: HeatSolver, warm: "Warm", step_s: float) -> Array | None: ...

    def trace(self, step_id: str) -> HeatingTrace: ...


class Warm:
    """The tissue at one moment, for all channels: what is not asked for is not computed."""

    def __init__(self, solver: HeatSolver) -> None:
        self.temperature_degC = solver.temperature_degC
        self._solver = solver
        self._sigma: dict[int, Array] = {}

    def conductivity_S_per_m(self, base_S_per_m: Array) -> Array:
        """[i, j, k] at 460 kHz, from that at 37 degC."""
        key = id(base_S_per_m)
        if key not in self._sigma:
            self._sigma[key] = conductivity_S_per_m(
                base_S_per_m, self.temperature_degC, self._solver.vapor_frac, self._solver.ice_frac
            )
        return self._sigma[key]


@dataclass(slots=True, eq=False)
class Log:
    """What an instrument did, step by step."""

    readings: list[Reading] = field(default_factory=list)
    durations_s: list[float] = field(default_factory=list)
    hottest_degC: list[float] = field(default_factory=list)

    def keep(self, reading: Reading, step_s: float, hottest_degC: float) -> None:
        """Take in a step."""
        self.readings.append(reading)
        self.durations_s.append(step_s)
        self.hottest_degC.append(hottest_degC)

    def trace(self, step_id: str, name: str, *, measured: bool) -> HeatingTrace:
        """The log as a result; without a resistance where none is measured."""
        return HeatingTrace(
            step=step_id,
            name=name,
            time_s=tuple(round(r.time_s, 3) for r in self.readings),
            power_W=tuple(round(r.power_W, 4) for r in self.readings),
            resistance_ohm=tuple(round(r.resistance_ohm, 3) for r in self.readings) if measured else (),
            temperature_degC=tuple(round(t, 3) for t in self.hottest_degC),
            phase=tuple(r.phase for r in self.readings),
            energy_J=float(sum(r.power_W * s for r, s in zip(self.readings, self.durations_s, strict=True))),
        )


@dataclass(slots=True, eq=False)
class Surface:
    """What a sensor on an electrode's metal reads: the lattice's mean around each piece, and what it does not resolve.

    Current crowds at the metal, so that it is warmer there than any cell: by q' ln(mean radius / radius) / (4 pi k)
    once steady, q' the heat per length within the mean radius, and after the time that heat takes to cross it.
    Water boils before it gets hotter.
    """

    pieces: list[Piece]
    beyond_K: Array
    _per_W: Array
    _time_s: Array

    @classmethod
    def of(cls, pieces: list[Piece], solver: HeatSolver, spacing_m: float) -> "Surface":
        """Of a field's pieces in the solver's tissue, at its temperature so far."""
        medium = solver.medium
        conducts = _means(pieces, medium.unfrozen_W_per_mK)
        capacity = _means(pieces, medium.unfrozen_J_per_m3K)
        across_m = MEAN_SIGMAS * SIGMA_SPACINGS * spacing_m
        per_W = 1 / (2 * conducts * np.array([piece.strength_m for piece in pieces]))
        return cls(pieces, np.zeros(len(pieces)), per_W, across_m**2 * capacity / (4 * conducts))

    def hottest_degC(self, temperature_degC: Array) -> float:
        """The warmest piece of metal now."""
        around = _means(self.pieces, temperature_degC)
        return float(np.maximum(around, np.minimum(around + self.beyond_K, BOILS_DEGC)).max())

    def follow(self, unresolved_W: Array, step_s: float) -> None:
        """Take in the heat of a step."""
        self.beyond_K += (unresolved_W * self._per_W - self.beyond_K) * -np.expm1(-step_s / self._time_s)


def _means(pieces: list[Piece], values: Array) -> Array:
    flat = values.reshape(-1)
    return np.array([piece.weights @ flat[piece.cells] for piece in pieces])


@dataclass(slots=True, eq=False)
class CurrentChannel:
    """A radiofrequency electrode or bipolar pair; its field follows the conductivity as that changes."""

    name: str
    base_S_per_m: Array
    electrodes: tuple[Electrode, ...]
    return_path: GroundedFaces | Bipolar
    spacing_m: float
    coolant: Coolant | None = None
    generator: Generator | None = None
    refreshes: int = 0
    log: Log = field(default_factory=Log)
    _surface: Surface | None = None
    _field: ElectricField | None = None
    _solved_S_per_m: Array | None = None

    @property
    def cooled(self) -> tuple[Line, ...]:
        """The metal that coolant flows in."""
        return () if self.coolant is None else tuple(line for metal in self.electrodes for line in metal.lines)

    @property
    def drives(self) -> tuple[Ramp | None, ...]:
        """Coolant flows in the phases in which the electrode takes part."""
        on = None if self.coolant is None or self.generator is None else self.coolant.drive
        return (on,) * len(self.cooled)

    def heat_W_per_m3(self, solver: HeatSolver, warm: Warm, step_s: float) -> Array | None:
        """Measure, ask the generator, and deposit its power by the field."""
        if self.generator is None:
            return None
        now = self._now(warm.conductivity_S_per_m(self.base_S_per_m))
        if self._surface is None:
            self._surface = Surface.of(now.pieces, solver, self.spacing_m)
        hottest = self._hottest_degC(warm)
        power_W = self.generator.step(solver.time_s, step_s, now.resistance_ohm, hottest)
        self.log.keep(self.generator.log[-1], step_s, hottest)
        self._surface.follow(now.unresolved_W(power_W), step_s)
        if not power_W > 0:
            return None
        if self.coolant is None:
            return now.joule_W_per_m3(power_W)
        taken = self.coolant.taken_frac(now.pieces, self.cooled, solver.medium.unfrozen_W_per_mK)
        return now.joule_W_per_m3(power_W, taken_frac=taken)

    def trace(self, step_id: str) -> HeatingTrace:
        """What it did."""
        return self.log.trace(step_id, self.name, measured=True)

    def _hottest_degC(self, warm: Warm) -> float:
        """Of the metal; of the tissue where the metal is cooled, for it is hottest away from it."""
        if self.coolant is not None:
            return float(warm.temperature_degC.max())
        assert self._surface is not None
        return self._surface.hottest_degC(warm.temperature_degC)

    def _now(self, sigma: Array) -> ElectricField:
        if self._field is None or self._solved_S_per_m is None:
            self._field = ElectricField(sigma, self.spacing_m, self.electrodes, self.return_path)
        elif float(np.abs(sigma / self._solved_S_per_m - 1).max()) > STALE_FRAC:
            self._field.refresh(sigma)
        else:
            return self._field
        self._solved_S_per_m = sigma
        self.refreshes += 1
        return self._field


@dataclass(slots=True, eq=False)
class WaveChannel:
    """A microwave antenna; its pattern follows the attenuation of the tissue as that dries."""

    name: str
    antenna: Antenna
    permittivity: Array
    conductivity_S_per_m: Array
    frequency_Hz: float
    spacing_m: float
    free: Array
    axis: Axis
    generator: Generator | None = None
    log: Log = field(default_factory=Log)
    _pattern: Array | None = None  # W/m3 per watt
    _damping_per_m: Array | None = None

    @property
    def cooled(self) -> tuple[Line, ...]:
        """Cooling of an antenna's shaft is in its efficiency."""
        return ()

    @property
    def drives(self) -> tuple[Ramp | None, ...]:
        """None."""
        return ()

    def heat_W_per_m3(self, solver: HeatSolver, warm: Warm, step_s: float) -> Array | None:
        """The antenna's power over the coming step."""
        if self.generator is None:
            return None
        power_W = self.generator.step(solver.time_s, step_s, np.inf)
        self.log.keep(self.generator.log[-1], step_s, self.axis.hottest_degC(solver))
        return self._now(warm.temperature_degC) * np.float32(power_W) if power_W > 0 else None

    def trace(self, step_id: str) -> HeatingTrace:
        """What it did."""
        return self.log.trace(step_id, self.name, measured=False)

    def _now(self, degC: Array) -> Array:
        damping = attenuation_per_m(
            hot_permittivity(self.permittivity, degC),
            hot_conductivity_S_per_m(self.conductivity_S_per_m, degC),
            self.frequency_Hz,
        )
        before = self._damping_per_m
        if self._pattern is None or before is None or bool(
            (np.abs(damping - before) > STALE_ATTENUATION_FRAC * before).any()
        ):  # fmt: skip
            self._pattern = antenna_heat_W_per_m3(self.antenna, 1.0, damping, self.spacing_m, self.free)
            self._damping_per_m = damping
        return self._pattern
