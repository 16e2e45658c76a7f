"""Bioheat with freezing and boiling in three dimensions: enthalpy is conserved, needles draw heat, blood brings it.

Equations, assumptions and validation are in docs/theory/bioheat.md and probes.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Literal, Self

import numpy as np

from trocar.errors import SolverError
from trocar.physics.arrays import Tissue
from trocar.physics.coarsening import coarser
from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose
from trocar.physics.enthalpy import curve_of, enthalpy_of, ice_share_of, law_of, reduced, vapor_share_of
from trocar.physics.lattice import Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.nesting import LEAST_CELLS, Nested
from trocar.physics.patch import Moved
from trocar.physics.single import Single
from trocar.physics.source import Drive, Ramp, needles_of
from trocar.physics.stepping import LONGEST_S, schedule
from trocar.physics.threads import use_for

Heating = Callable[["HeatSolver", float], Array | None]
SWITCHED_S = 32.0  # since a switch: until then how cold it gets is not foreseen from the steps before
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
    """A medium with what many solvers share: its arrays, and the coarse lattice around fine cells, where it has one."""

    medium: Medium
    tissue: Tissue
    coarse: Lattice | None

    @classmethod
    def of(cls, medium: Medium, *, nested: bool = True) -> "Prepared":
        """Build the coarse lattice where there is room for one and it is wanted."""
        use_for(medium.held.size)
        tissue = Tissue.of(medium)
        alone = not nested or medium.insulated or min(medium.shape) < LEAST_CELLS
        return cls(medium, tissue, None if alone else coarser(medium, tissue))


@dataclass(slots=True, eq=False)
class HeatSolver:
    """The lattice in time. `advance` plays one phase; everything it left can be read and saved between phases.

    Arrays are flat float32 inside and [i, j, k] in the properties. `saved`: the enthalpy and damage to restart from.
    `nested`: whether cells of twice the spacing carry the tissue near rest, where the lattice has room for them.
    `prepared` spares building the lattices of a medium again. `device` "cuda" needs a GPU and the extra trocar[cuda].
    `dose`, where one is given, is brought up to date too, and what it says has coagulated loses its perfusion.
    """

    medium: Medium
    lines: tuple[Line, ...] = ()
    time_s: float = 0.0
    power_W: tuple[float, ...] = ()
    cell_stages: int = 0  # the work done so far
    nested: bool = True
    prepared: Prepared | None = field(default=None, repr=False)
    device: Literal["cpu", "cuda"] = "cpu"
    dose: HeatDose | None = field(default=None, repr=False)
    saved: InitVar[tuple[Array, Damage] | None] = None
    _cells: Nested | Single = field(init=False, repr=False)
    _lowest_degC: tuple[float, float] = field(init=False, repr=False)  # now and a step ago
    _start_J: float = field(init=False, repr=False)
    _drawn_J: Array = field(init=False, repr=False)
    _blood_J: float = field(init=False, default=0.0, repr=False)
    _heated_J: float = field(init=False, default=0.0, repr=False)
    _heating_W: float | None = field(init=False, default=None, repr=False)  # of the sources in use, if any

    def __post_init__(self, saved: tuple[Array, Damage] | None) -> None:
        enthalpy_J_per_m3, damage = (None, None) if saved is None else saved
        use_for(self.medium.held.size)
        made = self.prepared or Prepared.of(self.medium, nested=self.nested and self.device == "cpu")
        if made.coarse is None:
            self._cells = Single.of(self.medium, made.tissue, enthalpy_J_per_m3, damage, self.dose, self.device)
        else:
            self._cells = Nested.of(self.medium, made.tissue, made.coarse, enthalpy_J_per_m3, damage, self.dose)
        self._drawn_J = np.zeros(len(self.lines))
        self._lowest_degC = (self._cells.lowest_degC,) * 2
        self._start_J = self._cells.held_J()

    @classmethod
    def restarted(
        cls, medium: Medium, lines: tuple[Line, ...], *, enthalpy_J_per_m3: Array, damage: Damage, time_s: float,
        nested: bool = True, device: Literal["cpu", "cuda"] = "cpu", dose: HeatDose | None = None,
    ) -> Self:  # fmt: skip
        """A solver that goes on from a saved state."""
        if enthalpy_J_per_m3.size != medium.held.size or not np.isfinite(enthalpy_J_per_m3).all():
            raise SolverError("the saved enthalpy does not fit the medium, or is not finite")
        saved = (enthalpy_J_per_m3, damage)
        return cls(medium, lines, time_s, nested=nested, device=device, dose=dose, saved=saved)

    # --- what can be read

    @property
    def temperature_degC(self) -> Array:
        return self._cells.temperature_degC.reshape(self.medium.shape)

    def temperature_at(self, cells: Array) -> Array:
        """degC of some cells, by flat indices of any shape: cheaper than the whole field, for what is watched."""
        return self._cells.temperature_at(cells)

    @property
    def enthalpy_J_per_m3(self) -> Array:
        return enthalpy_of(self._cells.reduced_K, self.medium).reshape(self.medium.shape)

    @property
    def ice_frac(self) -> Array:
        """[i, j, k] share of each cell's water that is ice."""
        return ice_share_of(self._cells.reduced_K, self.medium).reshape(self.medium.shape)

    @property
    def vapor_frac(self) -> Array:
        """[i, j, k] share of each cell's water that has boiled off."""
        return vapor_share_of(self._cells.reduced_K, self.medium).reshape(self.medium.shape)

    @property
    def damage(self) -> Damage:
        return self._cells.damage

    @property
    def active_cells(self) -> int:
        return self._cells.active_cells

    def balance(self) -> Balance:
        """The heat balance since the solver was made."""
        lost = self._start_J - self._cells.held_J()
        return Balance(
            drawn_J=tuple(float(j) for j in self._drawn_J), blood_J=self._blood_J, lost_J=lost,
            heated_J=self._heated_J,
        )  # fmt: skip

    # --- what moves it

    def advance(
        self,
        duration_s: float,
        drives: Sequence[Drive | None] = (),
        *,
        longest_s: float = LONGEST_S,
        heating: Heating | None = None,
        on_step: Callable[["HeatSolver"], None] | None = None,
        until: Callable[[], bool] | None = None,
    ) -> None:
        """Play one phase: each needle follows its drive, `None` is off.

        `heating(solver, step_s)` is asked before every step for W/m3 [i, j, k] of other sources; the phase ends early
        once `until()` says so.
        Raises `SolverError` when numbers diverge.
        """
        if not 0 <= duration_s < np.inf:
            raise SolverError(f"a phase of {duration_s:g} s makes no sense", hint="finite seconds, none below 0")
        if not longest_s > 0:
            raise SolverError(f"steps of at most {longest_s:g} s make no sense", hint="seconds above 0")
        if drives and len(drives) != len(self.lines):
            raise SolverError(f"{len(drives)} drives for {len(self.lines)} needles")
        working = {n: drive for n, drive in enumerate(drives) if drive is not None and _works(drive)}
        self._cells.begin(tuple(self.lines[n] for n in working))
        since_s = 0.0
        for step_s in schedule(duration_s, longest_s=longest_s):
            self._take(None if heating is None else heating(self, step_s))
            needles = needles_of(tuple(working.values()), since_s, step_s)
            moved = self._cells.step(step_s, self._coldest_degC(since_s, working), needles)
            self._book(moved, step_s, working)
            since_s += step_s
            self.time_s += step_s
            if on_step is not None:
                on_step(self)
            if until is not None and until():
                break
        self._cells.end()
        if not self._cells.finite:
            raise SolverError("the temperature is no longer finite", hint="report this case: it should not happen")

    def _take(self, heat_W_per_m3: Array | None) -> None:
        """Take in the other sources of a step."""
        if heat_W_per_m3 is None and self._heating_W is None:
            return
        if heat_W_per_m3 is not None and (
            heat_W_per_m3.shape != self.medium.shape or not np.isfinite(heat_W_per_m3).all()
        ):
            raise SolverError("a heat source does not fit the medium, or is not finite")
        watts = self._cells.heat(heat_W_per_m3)
        self._heating_W = None if heat_W_per_m3 is None else watts

    def _book(self, moved: Moved, step_s: float, working: dict[int, Drive]) -> None:
        """Keep the books of a step."""
        self._heated_J += step_s * (self._heating_W or 0.0)
        self._blood_J += float(moved.joules[0])
        self._drawn_J[list(working)] += moved.joules[1:]
        power = dict(zip(working, moved.joules[1:] / step_s, strict=True))
        self.power_W = tuple(float(power.get(n, 0.0)) for n in range(len(self.lines)))
        self._lowest_degC = (moved.lowest_degC, self._lowest_degC[0])
        self.cell_stages += moved.cell_stages

    def _coldest_degC(self, since_s: float, working: dict[int, Drive]) -> float:
        """A bound on how cold any cell gets in the coming step: what stability depends on."""
        now, before = self._lowest_degC
        surfaces = [drive.end_degC for drive in working.values() if isinstance(drive, Ramp)]
        coldest = min(surfaces, default=now)
        if since_s >= SWITCHED_S or not surfaces:
            return min(now, max(2 * now - before, coldest)) - COLDER_THAN_NEEDLE_K
        return min(now, coldest) - COLDER_THAN_NEEDLE_K


def enthalpy_in(medium: Medium, temperature_degC: Array) -> Array:
    """[i, j, k] J/m3 of a medium at these temperatures: how a state goes on when its tissue has been replaced."""
    u = reduced(temperature_degC, curve_of(medium), law_of(medium))
    return enthalpy_of(u, medium).reshape(medium.shape)


def _works(drive: Drive) -> bool:
    return not isinstance(drive, Ramp) or drive.duty > 0
