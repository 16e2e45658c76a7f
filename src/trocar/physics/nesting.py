"""A fine lattice within a coarse one: tissue near rest is carried by cells of twice the spacing.

In every super-step the coarse lattice goes first, over the fine one's cells too; the heat that passes its faces
around the fine part becomes a source there, and those faces are closed. So heat is conserved exactly. Then the coarse
cells under the fine part take their means from it.
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, Tissue
from trocar.physics.compiled import COMPILED
from trocar.physics.damage import Damage
from trocar.physics.division import unfold
from trocar.physics.dose import HeatDose
from trocar.physics.lattice import Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.outer import Outer
from trocar.physics.patch import Moved, Patch, kept
from trocar.physics.seam import Seam, fine_rows
from trocar.physics.source import NO_PIECES, Needles, Pieces
from trocar.physics.spans import Spans
from trocar.physics.stage import NO_GATES
from trocar.physics.threads import gate, meet, together, use_for
from trocar.physics.transfer import look_up, lower, refine, restrict
from trocar.physics.whole import Whole

LEAST_CELLS = 44  # of a lattice's shortest side: below, nothing is gained
_NO_VALUES = np.zeros(0, np.float32)


@dataclass(slots=True, eq=False)
class Nested:
    """The coarse lattice, and the whole: fine cells in use move there, the others follow when they are read."""

    whole: Whole
    coarse: Lattice
    active_cells: int = 0
    outer: Outer = field(init=False)
    _patch: Patch | None = None
    _seam: Seam | None = None
    _carried: Spans | None = None  # whose fine values are in use; None: all of the whole's, as after a start
    _pieces: Pieces = NO_PIECES
    _heat: Array | None = None
    _moved: bool = False  # since the whole was last brought up to date
    _harmed: bool = False
    _played: bool = False  # since the tissue was last divided
    _watched: bool = field(init=False)  # somebody else holds the records of harm

    def __post_init__(self) -> None:
        self.outer = Outer.under(self.coarse, self.whole)
        self._watched = self.whole.damage is not None or self.whole.dose is not None

    @classmethod
    def of(
        cls, medium: Medium, tissue: Tissue, coarse: Lattice, enthalpy_J_per_m3: Array | None, damage: Damage | None,
        dose: HeatDose | None,
    ) -> "Nested":  # fmt: skip
        """Tissue at rest, or as it was saved."""
        return cls(Whole.of(medium, tissue, coarse.law, enthalpy_J_per_m3, damage, dose), coarse)

    # --- what can be read, flat

    @property
    def temperature_degC(self) -> Array:
        return self._state()[1]

    @property
    def reduced_K(self) -> Array:
        return self._state()[0]

    @property
    def damage(self) -> Damage:
        self._watched = True
        return self._bring_up_to_date()

    @property
    def lowest_degC(self) -> float:
        """The coldest cell of the state that was given."""
        if self.whole.t is not None:
            return float(self.whole.t.min())
        return float(
            min(self.whole.law.rest, self.whole.tissue.held_degC[self.whole.tissue.held == 1].min(initial=1e9))
        )

    @property
    def finite(self) -> bool:
        return self.outer.finite

    def held_J(self) -> float:
        """The heat in the moving cells, from rest."""
        return self.outer.held_J()

    def temperature_at(self, cells: Array) -> Array:
        """degC of some cells, by flat indices of any shape."""
        if not self._moved and self.whole.t is not None:
            return self.whole.t[cells]
        outer = self.outer
        found = np.empty(np.shape(cells), np.float32)
        look_up(
            np.ascontiguousarray(cells, np.int64).reshape(-1), self.whole.tissue, outer.fields.t[0],
            self.coarse.shape, (outer.inner.low, outer.inner.high),
            _NO_VALUES if self._patch is None else self.whole.state()[1], found.reshape(-1),
        )  # fmt: skip
        return found

    def _bring_up_to_date(self) -> Damage:
        damage = self.whole.harm()
        if self._harmed:
            self._unfold(damage.minimum_degC)
            self._harmed = False
        return damage

    def _state(self) -> tuple[Array, Array]:
        u, t = self.whole.state()
        if self._moved:
            self._unfold(_NO_VALUES)
            self._moved = False
        return u, t

    def _unfold(self, minimum_degC: Array) -> None:
        """Bring the whole up to date."""
        outer, (u, t), tissue = self.outer, self.whole.state(), self.whole.tissue
        shape = self.coarse.shape
        together(
            unfold, outer.fields.u[0].reshape(shape), outer.fields.t[0].reshape(shape),
            outer.lowest_degC.reshape(shape), self.coarse.curve.inverse.reshape(shape),
            (outer.spans.low, outer.spans.high), (outer.inner.low, outer.inner.high), tissue, self.coarse.law, u, t,
            minimum_degC,
        )  # fmt: skip

    # --- what moves it

    def begin(self, lines: tuple[Line, ...]) -> None:
        """A phase with these needles at work: the tissue is divided anew, as a restart would, read meanwhile or not."""
        if self._played:
            self._bring_up_to_date()
            self._state()
            self._played = False
            self.outer = Outer.under(self.coarse, self.whole)
            if self._heat is not None:
                self.outer.heat(self._heat)
        self._carried = None
        self._pieces = self.whole.pieces_of(lines)
        if lines:
            self.outer.cover(self._pieces.cells, self.whole.tissue.shape)

    def end(self) -> None:
        """After a phase: records that others hold are brought up to date."""
        if self._watched:
            self._bring_up_to_date()

    def heat(self, heat_W_per_m3: Array | None) -> float:
        """Take in the other sources of the coming steps; their watts."""
        tissue = self.whole.tissue
        if heat_W_per_m3 is not None:
            heat_W_per_m3 = np.where(tissue.held == FREE, heat_W_per_m3, np.float32(0)).astype(np.float32, copy=False)
        self._heat = heat_W_per_m3
        self.outer.heat(heat_W_per_m3)
        return 0.0 if heat_W_per_m3 is None else float(heat_W_per_m3.sum(dtype=np.float64)) * self.whole.medium.cell_m3

    def step(self, step_s: float, coldest_degC: float, needles: Needles) -> Moved:
        """One super-step."""
        self.outer.follow(step_s)
        if self._carried is None or not self._carried.same_as(self.outer.inner):
            self._follow()
        use_for(self.active_cells)
        gates = NO_GATES if self._seam is None else self._seam.gates
        brought_J, work = self.outer.advance(step_s, gates)
        self._moved = self._harmed = self._played = True
        if self._patch is None or self._seam is None:
            together(lower, *self.outer.lowering())
            lowest = float(self.outer.fields.t[0].min())
            return Moved(np.array([brought_J] + [0.0] * needles.kind.size), lowest, work)
        self._patch.heat_W_per_m3 = None if self._heat is None else self._heat.reshape(-1)
        led, met = self._patch.step(step_s, coldest_degC, needles, gates.heat[0]), gate()
        taking, lowering = self.outer.taking(self.whole), self.outer.lowering()
        together(_settle, met, led.recording, led.unloading, taking, lowering, gate=met)
        moved = self._patch.moved(led)
        moved.joules[0] += brought_J
        return moved._replace(cell_stages=moved.cell_stages + work)

    def _follow(self) -> None:
        """Let the fine cells in use follow the coarse cells that they carry."""
        inner = self.outer.inner
        self._seam, self.active_cells = None, 0
        if inner.high.any():
            if self._patch is None:
                self._patch = Patch.of(self.whole)
            if self._carried is not None:
                self._refine(self._carried)
            self.outer.spans.enclose(inner)
            self._seam, rows = Seam.around(inner, self.whole.tissue), fine_rows(inner, self.whole.tissue.shape)
            self._patch.follow(rows, self._pieces, self._seam.closed)
            self.active_cells = int(rows.length.sum())
        self._carried = inner.copy()

    def _refine(self, without: Spans) -> None:
        """Give new fine cells their values."""
        outer, coarse, tissue = self.outer, self.coarse, self.whole.tissue
        together(
            refine, outer.fields.u[0], outer.fields.t[0], outer.lowest_degC, coarse.curve.inverse, coarse.shape,
            outer.inner.low, outer.inner.high, without.low, without.high, tissue, coarse.law, *self.whole.state(),
            self.whole.harm().minimum_degC,
        )  # fmt: skip


@njit(**COMPILED)
def _settle(number, threads, gate, recording, unloading, taking, lowering):  # type: ignore[no-untyped-def]
    """A thread's share of what follows the fine half of a step: records and state of the whole, and coarse cells'."""
    kept(number, threads, recording, unloading)
    meet(gate, threads)
    restrict(number, threads, *taking)
    meet(gate, threads)
    lower(number, threads, *lowering)
