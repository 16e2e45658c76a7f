"""A fine lattice within a coarse one: tissue near rest is carried by cells of twice the spacing.

In every super-step the coarse lattice goes first, over the fine one's cells too; the heat that passes its faces
around the fine part becomes a source there, and those faces are closed. So heat is conserved exactly. Then the coarse
cells under the fine part take their means from it. The fine cells in use are a compact window.
"""

from dataclasses import dataclass, field

import numpy as np

from trocar.physics.arrays import FREE, Tissue
from trocar.physics.damage import Damage
from trocar.physics.division import unfold
from trocar.physics.dose import HeatDose
from trocar.physics.lattice import Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.outer import Outer
from trocar.physics.patch import Moved
from trocar.physics.seam import Seam, fine_rows
from trocar.physics.source import NO_PIECES, Needles, Pieces, pieces_of
from trocar.physics.spans import Rows, Spans
from trocar.physics.stage import NO_GATES
from trocar.physics.threads import together, use_for
from trocar.physics.transfer import look_up, refine
from trocar.physics.whole import Whole
from trocar.physics.window import Window

LEAST_CELLS = 44  # of a lattice's shortest side: below, nothing is gained
_NO_VALUES = np.zeros(0, np.float32)


@dataclass(slots=True, eq=False)
class Nested:
    """The coarse lattice, the window, and the whole, which follows them when it is read."""

    whole: Whole
    coarse: Lattice
    outer: Outer = field(init=False)
    _window: Window | None = None
    _seam: Seam | None = None
    _rows: Rows | None = None
    _carried: Spans | None = None  # whose fine values are in use; None: the whole's, as after a start
    _pieces: Pieces = NO_PIECES  # of the whole
    _placed: Pieces = NO_PIECES  # the same in the window
    _heat: Array | None = None
    _moved: bool = False  # since the whole was last brought up to date
    _harmed: bool = False

    def __post_init__(self) -> None:
        self.outer = Outer.under(self.coarse, self.whole)

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
        damage = self.whole.harm()
        if self._harmed:
            if self._window is not None:
                self._window.tell(self.whole)
            self._unfold(damage.minimum_degC)
            self._harmed = False
        return damage

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

    @property
    def active_cells(self) -> int:
        return 0 if self._rows is None else int(self._rows.length.sum())

    def held_J(self) -> float:
        """The heat in the moving cells, from rest."""
        return self.outer.held_J()

    def temperature_at(self, cells: Array) -> Array:
        """degC of some cells, by flat indices of any shape."""
        if not self._moved and self.whole.t is not None:
            return self.whole.t[cells]
        outer, window = self.outer, self._window
        found = np.empty(np.shape(cells), np.float32)
        look_up(
            np.ascontiguousarray(cells, np.int64).reshape(-1), self.whole.tissue, outer.fields.t[0],
            self.coarse.shape, (outer.inner.low, outer.inner.high),
            _NO_VALUES if window is None else window.patch.t,
            (0, 0, 0) if window is None else window.first, (0, 0, 0) if window is None else window.shape,
            found.reshape(-1),
        )  # fmt: skip
        return found

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
        if self._window is not None:
            for values, mine in ((u, self._window.patch.u), (t, self._window.patch.t)):
                self.whole.within(values, self._window.box)[...] = self._window.view(mine)
        together(
            unfold, outer.fields.u[0].reshape(shape), outer.fields.t[0].reshape(shape),
            outer.lowest_degC.reshape(shape), self.coarse.curve.inverse.reshape(shape),
            (outer.spans.low, outer.spans.high), (outer.inner.low, outer.inner.high), tissue, self.coarse.law, u, t,
            minimum_degC,
        )  # fmt: skip

    # --- what moves it

    def begin(self, lines: tuple[Line, ...]) -> None:
        """A phase with these needles at work: the tissue is divided anew, as a restart would."""
        if self._moved or self._harmed:
            self.damage  # noqa: B018 (brings the whole up to date)
            self._state()
            self.outer = Outer.under(self.coarse, self.whole)
            if self._heat is not None:
                self.outer.heat(self._heat)
        self._carried = None
        self._pieces = _with_walls(pieces_of(lines, self.whole.medium), self.whole.tissue)
        if lines:
            self.outer.cover(self._pieces.cells, self.whole.tissue.shape)

    def end(self) -> None:
        """After a phase: records that others hold are brought up to date."""
        if self.whole.damage is not None or self.whole.dose is not None:
            self.damage  # noqa: B018 (brings both up to date)

    def heat(self, heat_W_per_m3: Array | None) -> float:
        """Take in the other sources of the coming steps; their watts."""
        tissue = self.whole.tissue
        if heat_W_per_m3 is not None:
            heat_W_per_m3 = np.where(tissue.held == FREE, heat_W_per_m3, np.float32(0)).astype(np.float32, copy=False)
        self._heat = heat_W_per_m3
        self.outer.heat(heat_W_per_m3)
        if self._window is not None:
            self._pour()
        return 0.0 if heat_W_per_m3 is None else float(heat_W_per_m3.sum(dtype=np.float64)) * self.whole.medium.cell_m3

    def step(self, step_s: float, coldest_degC: float, needles: Needles) -> Moved:
        """One super-step."""
        self.outer.follow(step_s)
        if self._carried is None or not self._carried.same_as(self.outer.inner):
            self._follow()
        use_for(self.active_cells)
        gates = NO_GATES if self._seam is None else self._seam.gates
        brought_J, work = self.outer.advance(step_s, gates)
        self._moved = self._harmed = True
        if self._window is None or self._seam is None or self._rows is None:
            self.outer.take_in(None, (0, 0, 0))
            lowest = float(self.outer.fields.t[0].min())
            return Moved(np.array([brought_J] + [0.0] * needles.kind.size), lowest, work)
        patch = self._window.patch
        self._seam.flow_in(patch.source, step_s)
        moved = patch.step(step_s, coldest_degC, self._rows, self._placed, needles)
        self._seam.flow_out(patch.source, step_s)
        self.outer.take_in(patch, self._window.first)
        moved.joules[0] += brought_J
        return moved._replace(cell_stages=moved.cell_stages + work)

    def _follow(self) -> None:
        """Let the window follow the coarse cells that fine ones carry."""
        inner, before = self.outer.inner, self._window
        if self._seam is not None:
            self._seam.open()
        self._seam, self._rows = None, None
        if not inner.high.any():
            self._window, self._carried = None, inner.copy()
            return
        if self._window is None or not self._window.encloses(inner, self.whole):
            held = before if self._carried is not None else None
            self._window = Window.around(inner, self.whole, held)
            if held is not None:
                self._window.take(held)
            self._pour()
        elif self._carried is None:
            self._window.load(self.whole)
            self._pour()
        if self._carried is not None:
            self._refine(self._carried)
        self._carried = inner.copy()
        self.outer.spans.enclose(inner)
        self._seam = Seam.around(inner, self._window.patch.lattice, self._window.first)
        self._rows = fine_rows(inner, self._window.first, self._window.shape)
        self._placed = _renumbered(self._pieces, self.whole.tissue.shape, self._window)

    def _refine(self, without: Spans) -> None:
        """Give the window's new fine cells their values."""
        assert self._window is not None
        outer, coarse, patch = self.outer, self.coarse, self._window.patch
        together(
            refine, outer.fields.u[0], outer.fields.t[0], outer.lowest_degC, coarse.curve.inverse, coarse.shape,
            outer.inner.low, outer.inner.high, without.low, without.high, patch.u, patch.t, patch.damage.minimum_degC,
            patch.lattice.curve, coarse.law, self._window.first, self._window.shape,
        )  # fmt: skip

    def _pour(self) -> None:
        """Give the window its part of the sources."""
        assert self._window is not None
        source = self._window.view(self._window.patch.source)
        self._window.patch.heated = self._heat is not None
        source[...] = 0 if self._heat is None else self._heat[self._window.box]


def _with_walls(pieces: Pieces, tissue: Tissue) -> Pieces:
    """The pieces, knowing of cells that are held as walls."""
    if not pieces.cells.size:
        return pieces
    held = tissue.held.reshape(-1)[pieces.cells.astype(np.int64)] != FREE
    number = np.repeat(np.arange(pieces.needle.size), np.diff(pieces.offset))
    share = np.bincount(number, pieces.weight * held[pieces.cell], minlength=pieces.needle.size)
    return pieces._replace(held_share=share.astype(np.float32))


def _renumbered(pieces: Pieces, shape: tuple[int, int, int], window: Window) -> Pieces:
    """The pieces of the whole as the window numbers its cells."""
    there = np.unravel_index(pieces.cells.astype(np.int64), shape)
    here = tuple(index - 2 * first for index, first in zip(there, window.first, strict=True))
    return pieces._replace(cells=np.ravel_multi_index(here, window.shape).astype(np.uint64))
