"""Bioheat with freezing and boiling in three dimensions: enthalpy is conserved, needles draw heat, blood brings it.

Equations, assumptions and validation are in docs/theory/bioheat.md and probes.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from trocar.errors import SolverError
from trocar.physics.coarsening import coarser
from trocar.physics.damage import Damage
from trocar.physics.enthalpy import (
    curve_of,
    enthalpy_of,
    ice_share,
    law_of,
    reduced,
    reduced_of,
    temperature,
    vapor_share,
)
from trocar.physics.lattice import Faces, Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.memory import apart
from trocar.physics.nesting import LEAST_CELLS, Outer
from trocar.physics.source import Drive, Needles, Pieces, Ramp, needles_of, pieces_of, touched_cells
from trocar.physics.spans import LEAST_REACH, TOUCHED_K, Rows, Spans
from trocar.physics.stage import NO_GATES, Blood, Fields, fields_of, super_step
from trocar.physics.stepping import AFTER_SWITCH_S, LONGEST_S, schedule, stage_count, stages
from trocar.physics.threads import PARTS, use_for

if TYPE_CHECKING:
    from trocar.physics.cuda import CudaLattice

Heating = Callable[["HeatSolver", float], Array | None]
COLDER_THAN_NEEDLE_K = 15.0  # the smeared temperature on a needle's axis may lie below that of its surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Heat in joules since the start: what needles drew, what the lattice lost, what sources gave.

    `blood_J` is what blood brought, and whatever keeps held cells (vessels, the outer wall) at their temperature.
    """

    drawn_J: tuple[float, ...]
    blood_J: float
    lost_J: float
    heated_J: float = 0.0

    @property
    def residual_frac(self) -> float:
        """What does not add up, as a share of the heat that moved; 0 when nothing moved."""
        moved = sum(abs(drawn) for drawn in self.drawn_J) + abs(self.blood_J) + abs(self.heated_J)
        return abs(self.lost_J + self.blood_J + self.heated_J - sum(self.drawn_J)) / moved if moved else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A medium with its lattices, to be shared by many solvers."""

    medium: Medium
    lattice: Lattice
    coarse: Lattice | None

    @classmethod
    def of(cls, medium: Medium, *, nested: bool = True) -> "Prepared":
        """Build the lattice, and the coarse one around it where there is room for one and it is wanted."""
        lattice = Lattice.of(walled(medium))
        roomy = min(medium.shape) >= LEAST_CELLS and not medium.insulated
        return cls(medium, lattice, coarser(lattice) if nested and roomy else None)


@dataclass(slots=True, eq=False)
class HeatSolver:
    """The lattice in time. `advance` plays one phase; everything it left can be read and saved between phases.

    Arrays are flat float32 inside and [i, j, k] in the properties. A solver restarts from a saved enthalpy and damage.
    `nested`: whether cells of twice the spacing carry the tissue near rest, where the lattice has room for them.
    `prepared` spares building the lattices of a medium again. `device` "cuda" needs a GPU and the extra trocar[cuda].
    """

    medium: Medium
    lines: tuple[Line, ...] = ()
    time_s: float = 0.0
    power_W: tuple[float, ...] = ()
    cell_stages: int = 0  # the work done so far
    nested: bool = True
    prepared: Prepared | None = field(default=None, repr=False)
    device: Literal["cpu", "cuda"] = "cpu"
    _gpu: "CudaLattice | None" = field(init=False, default=None, repr=False)
    _lattice: Lattice = field(init=False, repr=False)
    _outer: Outer | None = field(init=False, default=None, repr=False)
    _fields: Fields = field(init=False, repr=False)
    _blood: Blood = field(init=False, repr=False)
    _source: Array = field(init=False, repr=False)
    _before: Array = field(init=False, repr=False)
    _spans: Spans = field(init=False, repr=False)
    _rows: Rows | None = field(init=False, default=None, repr=False)
    _damage: Damage = field(init=False, repr=False)
    _lowest_degC: tuple[float, float] = field(init=False, repr=False)  # now and a step ago
    _start_J: float = field(init=False, repr=False)
    _drawn_J: Array = field(init=False, repr=False)
    _blood_J: float = field(init=False, default=0.0, repr=False)
    _heated_J: float = field(init=False, default=0.0, repr=False)
    _heating_W: float | None = field(init=False, default=None, repr=False)  # of the sources in use, if any

    def __post_init__(self) -> None:
        prepared = self.prepared or Prepared.of(self.medium, nested=self.nested and self.device == "cpu")
        self._lattice = prepared.lattice
        if prepared.coarse is not None:
            if self.prepared is not None:  # the seam closes faces: others' must stay as they are
                own = Faces(*(apart(values) for values in prepared.lattice.faces))
                self._lattice = replace(prepared.lattice, faces=own)
            self._outer = Outer.around(self._lattice, prepared.coarse)
        self._drawn_J = np.zeros(len(self.lines))
        cells = self.medium.held.size
        at_start = np.where(self._lattice.medium.held, self._lattice.medium.held_degC, self.medium.rest_degC)
        self._restart(
            reduced(at_start, self._lattice.curve, self._lattice.law), Damage.fresh(cells, self.medium.rest_degC)
        )

    @classmethod
    def restarted(
        cls, medium: Medium, lines: tuple[Line, ...], *, enthalpy_J_per_m3: Array, damage: Damage, time_s: float,
        nested: bool = True, device: Literal["cpu", "cuda"] = "cpu",
    ) -> Self:  # fmt: skip
        """A solver that goes on from a saved state."""
        solver = cls(medium, lines, time_s, nested=nested, device=device)
        if enthalpy_J_per_m3.size != medium.held.size or not np.isfinite(enthalpy_J_per_m3).all():
            raise SolverError("the saved enthalpy does not fit the medium, or is not finite")
        u = reduced_of(enthalpy_J_per_m3, medium)
        held = solver._lattice.medium.held.reshape(-1)
        u[held] = solver._fields.u[0][held]
        solver._restart(u, damage)
        return solver

    def _restart(self, u: Array, damage: Damage) -> None:
        t = temperature(u, self._lattice.curve, self._lattice.law)
        ice = self.medium.freezing.integral(t).astype(np.float32)
        self._fields = fields_of(u, t, ice)
        self._blood = Blood(self._lattice.blood, damage.open_frac, apart(self._lattice.blood), self._lattice.sink)
        self._source, self._before = apart(np.zeros_like(u)), apart(t)
        self._damage = damage
        self._lowest_degC = (float(t.min()),) * 2
        self._spans = Spans(self.medium.shape)
        self._start_J = self._held_J()
        away = np.abs(t.reshape(self.medium.shape) - self.medium.rest_degC) > 0.01
        self._spans.cover(_inner(away))

    # --- what can be read

    def _whole(self) -> Fields:
        """The fields, also where coarse cells carry them or a GPU does."""
        if self._gpu is not None:
            self._gpu.download(self._fields, self._damage)
        if self._outer is not None:
            self._outer.fill(self._fields, self._damage)
        return self._fields

    @property
    def temperature_degC(self) -> Array:
        return self._whole().t[0].reshape(self.medium.shape)

    def temperature_at(self, cells: Array) -> Array:
        """degC of some cells, by flat indices of any shape: cheaper than the whole field, for what is watched."""
        if self._gpu is not None:
            self._whole()
        if self._outer is None:
            return self._fields.t[0][cells]
        return self._outer.temperature_at(self._fields.t[0], cells)

    @property
    def enthalpy_J_per_m3(self) -> Array:
        return enthalpy_of(self._whole().u[0], self.medium).reshape(self.medium.shape)

    @property
    def ice_frac(self) -> Array:
        """[i, j, k] share of each cell's water that is ice."""
        return ice_share(self._whole().u[0], self._lattice.curve).reshape(self.medium.shape)

    @property
    def vapor_frac(self) -> Array:
        """[i, j, k] share of each cell's water that has boiled off."""
        u = self._whole().u[0]
        return vapor_share(u, self._lattice.curve, self._lattice.law).reshape(self.medium.shape)

    @property
    def damage(self) -> Damage:
        self._whole()
        return self._damage

    @property
    def active_cells(self) -> int:
        return int(self._rows.length.sum()) if self._rows is not None else 0

    def balance(self) -> Balance:
        """The heat balance since the solver was made."""
        lost = self._start_J - self._held_J()
        return Balance(
            drawn_J=tuple(float(j) for j in self._drawn_J), blood_J=self._blood_J, lost_J=lost,
            heated_J=self._heated_J,
        )  # fmt: skip

    def _held_J(self) -> float:
        free = ~self._lattice.medium.held
        inner = np.where(free, self.enthalpy_J_per_m3, 0)[1:-1, 1:-1, 1:-1]
        return float(inner.sum(dtype=np.float64)) * self.medium.cell_m3

    # --- what moves it

    def advance(
        self,
        duration_s: float,
        drives: Sequence[Drive | None] = (),
        *,
        longest_s: float = LONGEST_S,
        heating: Heating | None = None,
        on_step: Callable[["HeatSolver"], None] | None = None,
    ) -> None:
        """Play one phase: each needle follows its drive, `None` is off.

        `heating(solver, step_s)` is asked before every step for W/m3 [i, j, k] of other sources.
        Raises `SolverError` when numbers diverge.
        """
        if not duration_s >= 0:
            raise SolverError(f"a phase of {duration_s:g} s makes no sense")
        if drives and len(drives) != len(self.lines):
            raise SolverError(f"{len(drives)} drives for {len(self.lines)} needles")
        working = {n: drive for n, drive in enumerate(drives) if drive is not None and _works(drive)}
        pieces = pieces_of(tuple(self.lines[n] for n in working), self._lattice.medium)
        if self._outer is None:
            self._spans.cover(touched_cells(pieces, self.medium.shape))
        else:
            self._outer.start(self._whole(), self._damage)
            self._outer.cover(pieces)
        if self.device == "cuda":
            self._gpu = self._on_gpu()
        since_s = 0.0
        for step_s in schedule(duration_s, longest_s=longest_s):
            self._take(None if heating is None else heating(self, step_s))
            self._step(step_s, since_s, pieces, working)
            since_s += step_s
            self.time_s += step_s
            if on_step is not None:
                on_step(self)
        self._whole()
        self._gpu = None
        if not (np.isfinite(self._fields.t[0]).all() if self._outer is None else self._outer.finite):
            raise SolverError("the temperature is no longer finite", hint="report this case: it should not happen")

    def _take(self, heat_W_per_m3: Array | None) -> None:
        """Take in the other sources of a step."""
        if heat_W_per_m3 is None and self._heating_W is None:
            return
        self._heating_W = None
        if heat_W_per_m3 is None:
            self._source[:] = 0
        else:
            if heat_W_per_m3.shape != self.medium.shape or not np.isfinite(heat_W_per_m3).all():
                raise SolverError("a heat source does not fit the medium, or is not finite")
            free = _inner(~self._lattice.medium.held)
            self._source[:] = np.where(free, heat_W_per_m3, 0).reshape(-1)
            self._heating_W = float(self._source.sum(dtype=np.float64)) * self.medium.cell_m3
        if self._outer is not None:
            self._outer.heat(None if self._heating_W is None else self._source)
        elif self._heating_W is not None:
            self._spans.cover(self._source.reshape(self.medium.shape) != 0)

    def _step(self, step_s: float, since_s: float, pieces: Pieces, working: dict[int, Drive]) -> None:
        count = stage_count(step_s, self._lattice.explicit_s(self._coldest_degC(since_s, working)))
        needles = needles_of(tuple(working.values()), since_s, step_s)
        self._heated_J += step_s * (self._heating_W or 0.0)
        if self._gpu is not None:
            joules = self._gpu.super_step(self._source, stages(step_s, count), pieces, needles, step_s)
            self.cell_stages += count * self.medium.held.size
            self._moved(joules, step_s, working, self._gpu.lowest_degC)
            return
        if self._outer is None:
            self._spans.grow(self.temperature_degC, self._at_rest, reach=max(LEAST_REACH, (count + 3) // 4))
            rows = self._spans.rows(PARTS)
            use_for(int(rows.length.sum()))
            self._super_step(step_s, count, rows, pieces, needles, working)
            return
        rows = self._outer.prepare(self._fields, self._damage, step_s)
        use_for(int(rows.length.sum()))
        brought_J, work = self._outer.advance(step_s)
        self._blood_J += brought_J
        self.cell_stages += work
        self._outer.flow_in(self._source, step_s)
        self._super_step(step_s, count, rows, pieces, needles, working)
        self._outer.flow_out(self._source, step_s)
        self._outer.take_in(self._fields, self._damage)

    def _super_step(
        self, step_s: float, count: int, rows: Rows, pieces: Pieces, needles: Needles, working: dict[int, Drive]
    ) -> None:
        self._rows = rows
        if rows.length.size == 0:
            return
        strides = np.uint64(self.medium.shape[1] * self.medium.shape[2]), np.uint64(self.medium.shape[2])
        moved_J = super_step(
            self._fields, self._before, self._lattice.faces, self._lattice.curve, self._lattice.law, self._blood,
            self._source, rows, rows.bounds.size - 1, stages(step_s, count), pieces, needles, NO_GATES,
            np.float32(1 / self.medium.cell_m3), strides,
        )  # fmt: skip
        if count % 2:
            self._fields = Fields(*(pair[::-1] for pair in self._fields))
        self.cell_stages += count * int(rows.length.sum())
        low, _ = self._damage.record(self._before, self._fields.t[0], step_s, self._lattice.law, rows)
        self._moved(moved_J, step_s, working, low)

    def _moved(self, joules: Array, step_s: float, working: dict[int, Drive], lowest_degC: float) -> None:
        """Keep the books of a step: joules of blood first, then of each working needle."""
        self._blood_J += float(joules[0])
        self._drawn_J[list(working)] += joules[1:]
        power = dict(zip(working, joules[1:] / step_s, strict=True))
        self.power_W = tuple(float(power.get(n, 0.0)) for n in range(len(self.lines)))
        self._lowest_degC = (lowest_degC, self._lowest_degC[0])

    def _on_gpu(self) -> "CudaLattice":
        from trocar.physics.cuda import CudaLattice

        found = CudaLattice(self._lattice)
        found.upload(self._fields, self._damage)
        return found

    @property
    def _at_rest(self) -> tuple[float, float]:
        return self.medium.rest_degC - TOUCHED_K, self.medium.rest_degC + TOUCHED_K

    def _coldest_degC(self, since_s: float, working: dict[int, Drive]) -> float:
        """A bound on how cold any cell gets in the coming step: what stability depends on."""
        now, before = self._lowest_degC
        surfaces = [drive.end_degC for drive in working.values() if isinstance(drive, Ramp)]
        coldest = min(surfaces, default=now)
        if since_s >= sum(AFTER_SWITCH_S) or not surfaces:
            return min(now, max(2 * now - before, coldest)) - COLDER_THAN_NEEDLE_K
        return min(now, coldest) - COLDER_THAN_NEEDLE_K


def enthalpy_in(medium: Medium, temperature_degC: Array) -> Array:
    """[i, j, k] J/m3 of a medium at these temperatures: how a state goes on when its tissue has been replaced."""
    u = reduced(temperature_degC, curve_of(medium), law_of(medium))
    return enthalpy_of(u, medium).reshape(medium.shape)


def walled(medium: Medium) -> Medium:
    """The medium with its outermost updated layer held at rest along every axis that is not insulated."""
    held, held_degC = medium.held.copy(), np.where(medium.held, medium.held_degC, medium.rest_degC)
    for axis in range(3):
        if axis in medium.insulated:
            continue
        for index in (0, 1, -2, -1):
            held[tuple(index if a == axis else slice(None) for a in range(3))] = True
    return replace(medium, held=held, held_degC=held_degC)


def _inner(mask: Array) -> Array:
    """The mask without the lattice's rim, which is never updated."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    return inner


def _works(drive: Drive) -> bool:
    return not isinstance(drive, Ramp) or drive.duty > 0
