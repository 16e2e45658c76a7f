"""Bioheat with freezing in three dimensions: enthalpy is conserved, needles draw heat, blood brings it.

Equations, assumptions and validation are in docs/theory/bioheat.md and probes.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from trocar.errors import SolverError
from trocar.physics.damage import Damage
from trocar.physics.enthalpy import Curve, Law, curve_of, enthalpy, ice_share, law_of, temperature
from trocar.physics.flux import Faces, explicit_limit_s, faces_of, serial_sum, stage
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.source import Pieces, Ramp, exchange, pieces_of, touched_cells
from trocar.physics.spans import Rows, Spans
from trocar.physics.stepping import LONGEST_S, Stage, schedule, stage_count, stages
from trocar.physics.threads import PARTS, use_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Heat in joules since the start: what needles drew, what blood brought, what the lattice lost."""

    drawn_J: tuple[float, ...]
    blood_J: float
    lost_J: float

    @property
    def residual_frac(self) -> float:
        """What does not add up, as a share of the heat that moved; 0 when nothing moved."""
        moved = sum(abs(drawn) for drawn in self.drawn_J) + abs(self.blood_J)
        return abs(self.lost_J + self.blood_J - sum(self.drawn_J)) / moved if moved else 0.0


@dataclass(slots=True, eq=False)
class HeatSolver:
    """The lattice in time. `advance` plays one phase; everything it left can be read and saved between phases.

    Arrays are flat float32 inside and [i, j, k] in the properties. A solver restarts from a saved enthalpy and damage.
    """

    medium: Medium
    lines: tuple[Line, ...] = ()
    time_s: float = 0.0
    power_W: tuple[float, ...] = ()
    _y: list[Array] = field(init=False, repr=False)
    _t: list[Array] = field(init=False, repr=False)
    _ice: list[Array] = field(init=False, repr=False)
    _curve: Curve = field(init=False, repr=False)
    _law: Law = field(init=False, repr=False)
    _faces: Faces = field(init=False, repr=False)
    _blood: Array = field(init=False, repr=False)
    _explicit_s: float = field(init=False, repr=False)
    _spans: Spans = field(init=False, repr=False)
    _damage: Damage = field(init=False, repr=False)
    _start_J: float = field(init=False, repr=False)
    _drawn_J: Array = field(init=False, repr=False)
    _blood_J: float = field(init=False, default=0.0, repr=False)

    def __post_init__(self) -> None:
        medium = _walled(self.medium)
        self._curve, self._law = curve_of(medium), law_of(medium.freezing, medium.rest_degC)
        self._faces = faces_of(medium)
        self._explicit_s = explicit_limit_s(self._faces, self._curve, medium)
        self._blood = np.where(medium.held, 0, medium.perfusion_W_per_m3K).astype(np.float32).reshape(-1)
        self._drawn_J = np.zeros(len(self.lines))
        at_start = np.where(medium.held, medium.held_degC, medium.rest_degC)
        self._restart(enthalpy(at_start, self._curve, self._law), Damage.fresh(at_start.size, medium.rest_degC))

    @classmethod
    def restarted(
        cls, medium: Medium, lines: tuple[Line, ...], *, enthalpy_J_per_m3: Array, damage: Damage, time_s: float
    ) -> Self:
        """A solver that goes on from a saved state."""
        solver = cls(medium, lines, time_s)
        solver._restart(np.array(enthalpy_J_per_m3, np.float32).reshape(-1), damage)
        return solver

    def _restart(self, h: Array, damage: Damage) -> None:
        if h.size != self.medium.held.size or not np.isfinite(h).all():
            raise SolverError("the saved enthalpy does not fit the medium, or is not finite")
        t = temperature(h, self._curve, self._law)
        ice = self.medium.freezing.integral(t).astype(np.float32)
        self._y, self._t, self._ice = [h, h.copy()], [t, t.copy()], [ice, ice.copy()]
        self._damage = damage
        self._spans = Spans(self.medium.shape)
        self._start_J = self._held_J()
        away = np.abs(t.reshape(self.medium.shape) - self.medium.rest_degC) > 0.01
        self._spans.cover(_inner(away))

    # --- what can be read

    @property
    def temperature_degC(self) -> Array:
        return self._t[0].reshape(self.medium.shape)

    @property
    def enthalpy_J_per_m3(self) -> Array:
        return self._y[0].reshape(self.medium.shape)

    @property
    def ice_frac(self) -> Array:
        """[i, j, k] share of each cell's water that is ice."""
        return ice_share(self._y[0], self._curve).reshape(self.medium.shape)

    @property
    def damage(self) -> Damage:
        return self._damage

    @property
    def active_cells(self) -> int:
        return int((self._spans.high - self._spans.low).sum())

    def balance(self) -> Balance:
        """The heat balance since the solver was made."""
        lost = self._start_J - self._held_J()
        return Balance(drawn_J=tuple(float(j) for j in self._drawn_J), blood_J=self._blood_J, lost_J=lost)

    def _held_J(self) -> float:
        inner = self._y[0].reshape(self.medium.shape)[1:-1, 1:-1, 1:-1]
        return float(inner.sum(dtype=np.float64)) * self.medium.cell_m3

    # --- what moves it

    def advance(
        self,
        duration_s: float,
        ramps: Sequence[Ramp | None] = (),
        *,
        longest_s: float = LONGEST_S,
        on_step: Callable[["HeatSolver"], None] | None = None,
    ) -> None:
        """Play one phase: each needle follows its ramp, `None` is off. Raises `SolverError` when numbers diverge."""
        if ramps and len(ramps) != len(self.lines):
            raise SolverError(f"{len(ramps)} ramps for {len(self.lines)} needles")
        working = [number for number, ramp in enumerate(ramps) if ramp is not None and ramp.duty > 0]
        pieces = pieces_of(tuple(self.lines[number] for number in working), self.medium)
        self._spans.cover(touched_cells(pieces, self.medium.shape))
        since_s = 0.0
        for step_s in schedule(duration_s, longest_s=longest_s):
            surface = [ramps[number].mean_degC(since_s, step_s) for number in working]  # type: ignore[union-attr]
            duty = [ramps[number].duty for number in working]  # type: ignore[union-attr]
            self._super_step(step_s, pieces, working, np.array(surface, np.float32), np.array(duty, np.float32))
            since_s += step_s
            self.time_s += step_s
            if on_step is not None:
                on_step(self)
        if not np.isfinite(self._t[0]).all():
            raise SolverError("the temperature is no longer finite", hint="report this case: it should not happen")

    def _super_step(self, step_s: float, pieces: Pieces, working: list[int], surface: Array, duty: Array) -> None:
        count = stage_count(step_s, self._explicit_s)
        self._spans.grow(self._t[0].reshape(self.medium.shape), self.medium.rest_degC, reach=max(2, (count + 3) // 4))
        rows = self._spans.rows(PARTS)
        use_for(int(rows.length.sum()))
        if rows.length.size == 0:
            return
        before = self._t[0].copy()
        heat = np.zeros((2, 1 + surface.size))  # joules at the two latest stages: blood, needles
        surface_ice = self.medium.freezing.integral(surface).astype(np.float32)
        for each in stages(step_s, count):
            watts = self._stage(each, rows, pieces, duty, surface, surface_ice)
            heat = np.stack([each.mu * heat[0] + each.nu * heat[1] + each.weight_s * watts, heat[0]])
        self._blood_J += float(heat[0, 0])
        self._drawn_J[working] += heat[0, 1:]
        power = np.zeros(len(self.lines))
        power[working] = heat[0, 1:] / step_s
        self.power_W = tuple(float(watts) for watts in power)
        self._damage.record(before, self._t[0], step_s, self._law, rows)

    def _stage(self, each: Stage, rows: Rows, pieces: Pieces, duty: Array, surface: Array, surface_ice: Array) -> Array:
        """One stage; the new fields become the first of their pairs. Returns the watts of blood and needles."""
        heat = np.zeros(rows.bounds.size - 1)
        strides = np.uint64(self.medium.shape[1] * self.medium.shape[2]), np.uint64(self.medium.shape[2])
        fields = (self._y[0], self._y[1], self._t[0], self._ice[0], self._t[1], self._ice[1])
        stage(
            *fields, self._faces, self._curve, self._law, self._blood, self._damage.open_frac, rows,
            each.mu, each.nu, each.weight_s, *strides, heat,
        )  # fmt: skip
        power = np.zeros(0)
        if pieces.cells.size:
            scratch = np.empty(pieces.cells.size, np.float32)
            power = exchange(
                pieces, duty, surface, surface_ice, self._t[0], self._ice[0], self._y[1], self._t[1], self._ice[1],
                self._law, self._curve, each.weight_s, np.float32(1 / self.medium.cell_m3), scratch,
            )  # fmt: skip
        for pair in (self._y, self._t, self._ice):
            pair.reverse()
        return np.concatenate([[serial_sum(heat, self.medium.cell_m3)], power])


def enthalpy_in(medium: Medium, temperature_degC: Array) -> Array:
    """[i, j, k] J/m3 of a medium at these temperatures: how a state goes on when its tissue has been replaced."""
    walled = _walled(medium)
    h = enthalpy(temperature_degC, curve_of(walled), law_of(walled.freezing, walled.rest_degC))
    return h.reshape(medium.shape)


def _inner(mask: Array) -> Array:
    """The mask without the lattice's rim, which is never updated."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    return inner


def _walled(medium: Medium) -> Medium:
    """The medium with its outermost updated layer held at rest along every axis that is not insulated."""
    held, held_degC = medium.held.copy(), np.where(medium.held, medium.held_degC, medium.rest_degC)
    for axis in range(3):
        if axis in medium.insulated:
            continue
        for index in (0, 1, -2, -1):
            held[tuple(index if a == axis else slice(None) for a in range(3))] = True
    return replace(medium, held=held, held_degC=held_degC)
