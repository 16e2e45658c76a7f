"""A fine lattice within a coarse one: tissue near rest is carried by cells of twice the spacing.

In every super-step the coarse lattice goes first, over the fine one's cells too; the heat that passes its faces
around the fine part becomes a source there, and those faces are closed. So heat is conserved exactly. Then the coarse
cells under the fine part take their means from it.
"""

from dataclasses import dataclass, field

import numpy as np

from trocar.physics.coarsening import restricted
from trocar.physics.damage import Damage
from trocar.physics.enthalpy import enthalpy_of, temperature
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array
from trocar.physics.memory import apart
from trocar.physics.seam import BAND, Seam, fine_rows, split_rows
from trocar.physics.source import NO_NEEDLES, NO_PIECES, Pieces, touched_cells
from trocar.physics.spans import LEAST_REACH, TOUCHED_K, VECTOR_CELLS, Rows, Spans
from trocar.physics.stage import NO_GATES, Blood, Fields, fields_of, super_step
from trocar.physics.stepping import stage_count, stages
from trocar.physics.transfer import lower, refine, restrict, rows_min, rows_sum

LEAST_CELLS = 44  # of a lattice's shortest side: below, nothing is gained
COOL_SHARE = 0.25  # of the way from the liquidus to rest: what is colder is carried by fine cells
WARM_K = 4.0  # and what is warmer than rest by this
SOURCE_SHARE = 0.01  # and where a source gives this share of its greatest density


@dataclass(slots=True, eq=False)
class Outer:
    """The coarse lattice, which of its cells are active (`spans`), and which of those fine cells carry (`inner`).

    `heat_W_per_m3` are its sources, `lowest_degC` its coldest so far.
    """

    fine: Lattice
    lattice: Lattice
    fields: Fields = field(init=False)
    blood: Blood = field(init=False)
    lowest_degC: Array = field(init=False)
    heat_W_per_m3: Array = field(init=False)
    spans: Spans = field(init=False)
    inner: Spans = field(init=False)
    _carried: Spans | None = field(
        init=False, default=None
    )  # whose fine values are in use; None: all, as after a start
    _seam: Seam | None = field(init=False, default=None)
    _start_degC: Array = field(init=False)

    @classmethod
    def around(cls, fine: Lattice, lattice: Lattice) -> "Outer":
        """The coarse lattice around a fine one; `start` it before use."""
        found = cls(fine, lattice)
        found.heat_W_per_m3 = apart(lattice.sink_K)
        return found

    def start(self, fields: Fields, damage: Damage) -> None:
        """Divide the tissue anew, from fine fields that are known everywhere: a phase begins as a restart would."""
        if self._seam is not None:
            self._seam.open()
        self._seam, self._carried = None, None
        medium, lattice, shape = self.fine.medium, self.lattice, self.lattice.shape
        kept_J = np.where(medium.held, 0, enthalpy_of(fields.u[0], medium).reshape(medium.shape))
        rest = np.float32(medium.rest_degC - medium.freezing.liquidus_degC)
        u = (rest + restricted(kept_J, shape) / lattice.medium.unfrozen_J_per_m3K).reshape(-1)
        t = temperature(u, lattice.curve, lattice.law)
        self.fields = fields_of(u, t, medium.freezing.integral(t).astype(np.float32))
        lowest = restricted(damage.minimum_degC.reshape(medium.shape), shape).reshape(-1)
        self.lowest_degC, self._start_degC = np.minimum(lowest, t), np.empty_like(t)
        opened = restricted(self.fine.blood * damage.open_frac, shape, of=medium.shape).reshape(-1)
        share = np.divide(opened, lattice.blood, out=np.ones_like(t), where=lattice.blood > 0)
        self.blood = Blood(lattice.blood, share, apart(lattice.blood), lattice.sink)
        self.spans, self.inner = Spans(shape), Spans(shape, VECTOR_CELLS // 2)
        now = fields.t[0].reshape(medium.shape)
        self.spans.cover(_inside(_any(np.abs(now - medium.rest_degC) > 0.01, shape)))
        low, high = comfort(lattice)
        self.inner.cover(_inside(_any(((now < low) | (now > high)) & ~medium.held, shape)))

    # --- before a phase and before a step

    def cover(self, needles: Pieces) -> None:
        """Let fine cells carry what needles touch, and enough around it that coarse cells need not know of them."""
        touched = Spans(self.lattice.shape)
        touched.cover(_any(touched_cells(needles, self.fine.shape), self.lattice.shape))
        self.inner.enclose(touched, reach=BAND + 1)
        self.spans.enclose(self.inner)

    def heat(self, heat_W_per_m3: Array | None) -> None:
        """Take in the sources of the coming step, W/m3 in every fine cell (flat)."""
        self.heat_W_per_m3[:] = self.lattice.sink_K
        if heat_W_per_m3 is not None:
            coarse = restricted(heat_W_per_m3.reshape(self.fine.shape), self.lattice.shape)
            self.heat_W_per_m3 += coarse.reshape(-1)
            size = np.abs(coarse)
            self.spans.cover(_inside(size > 0))
            self.inner.cover(_inside(size > SOURCE_SHARE * size.max()))

    @property
    def finite(self) -> bool:
        """Whether every temperature is a number, the fine ones too (their means are here)."""
        return bool(np.isfinite(self.fields.t[0]).all())

    def prepare(self, fields: Fields, damage: Damage, step_s: float) -> Rows:
        """Let the active and the fine cells follow the heat; returns the fine rows of the coming step."""
        rest = float(self.lattice.law.rest)
        t = self.fields.t[0].reshape(self.lattice.shape)
        count = stage_count(step_s, self.lattice.explicit_s(self.lattice.medium.rest_degC))
        self.spans.grow(t, (rest - TOUCHED_K, rest + TOUCHED_K), reach=max(LEAST_REACH, (count + 3) // 4))
        self.inner.cover_like(self.spans, t, comfort(self.lattice), reach=1)
        if self._carried is None or not self._carried.same_as(self.inner):
            if self._carried is not None and self._seam is not None:
                self._seam.open()
                self._fill(fields, damage, self.inner, self._carried)
            self._carried = self.inner.copy()
            self.spans.enclose(self.inner)
            self._seam = Seam.around(self.inner, self.fine)
        return fine_rows(self.inner, self.fine.shape)

    # --- the step

    def advance(self, step_s: float) -> tuple[float, int]:
        """The coarse half of a step: joules that blood and held cells brought around the fine part; its cell-stages."""
        lattice, shape = self.lattice, self.lattice.shape
        gates = NO_GATES if self._seam is None else self._seam.gates
        rows, counted = split_rows(self.spans, self.inner)
        coldest_degC = float(rows_min(self.fields.t[0], rows))
        count = stage_count(step_s, lattice.explicit_s(coldest_degC))
        brought_J = super_step(
            self.fields, self._start_degC, lattice.faces, lattice.curve, lattice.law, self.blood, self.heat_W_per_m3,
            rows, counted, stages(step_s, count), NO_PIECES, NO_NEEDLES, gates,
            np.float32(1 / lattice.medium.cell_m3), (np.uint64(shape[1] * shape[2]), np.uint64(shape[2])),
        )[0]  # fmt: skip
        if count % 2:
            self.fields = Fields(*(pair[::-1] for pair in self.fields))
        sinks = rows_sum(lattice.sink_K, rows, counted) if lattice.sink_K.any() else 0.0
        return float(brought_J) + step_s * sinks * lattice.medium.cell_m3, count * int(rows.length.sum())

    def flow_in(self, source: Array, step_s: float) -> None:
        """Give the heat that passed the seam to the fine cells along it (flat W/m3)."""
        if self._seam is not None:
            self._seam.flow_in(source, step_s)

    def flow_out(self, source: Array, step_s: float) -> None:
        """Take that from the sources again."""
        if self._seam is not None:
            self._seam.flow_out(source, step_s)

    def take_in(self, fields: Fields, damage: Damage) -> None:
        """The means of the fine cells become the state of the coarse ones under them."""
        restrict(
            fields.u[0], self.fine.curve.inverse, self.fine.blood, damage.open_frac, self.fine.shape,
            self.inner.low, self.inner.high, self.fields, self.lattice.curve, self.lattice.law, self.lattice.blood,
            self.blood.open_frac, self.lattice.shape,
        )  # fmt: skip
        lower(self.lowest_degC, self.fields.t[0], self.spans.low, self.spans.high, self.lattice.shape)

    # --- what is read

    def fill(self, fields: Fields, damage: Damage) -> None:
        """Give the fine cells that coarse ones carry their values, linear within a coarse cell."""
        if self._carried is not None:
            self._fill(fields, damage, self.spans, self._carried)

    def temperature_at(self, fine_degC: Array, cells: Array) -> Array:
        """The temperature of some fine cells (flat indices, any shape), whichever lattice carries them."""
        ijk = np.stack(np.unravel_index(cells, self.fine.shape))
        over, shape = ijk // 2, self.lattice.shape
        t = self.fields.t[0].reshape(shape)
        middle = t[tuple(over)]
        found = middle.astype(np.float32, copy=True)
        for axis in range(3):
            step = np.array([int(a == axis) for a in range(3)]).reshape(3, *(1,) * (over.ndim - 1))
            low, high = (
                t[tuple(np.clip(over + s * step, 0, np.array(shape).reshape(step.shape) - 1))] for s in (-1, 1)
            )
            before, after = middle - low, high - middle
            slope = np.where(before * after > 0, np.where(np.abs(before) < np.abs(after), before, after), 0)
            found += 0.25 * slope * (2 * (ijk[axis] % 2) - 1)
        if self._carried is None:
            return fine_degC[cells]
        i, j, k = over
        within = (k >= self._carried.low[i, j]) & (k < self._carried.high[i, j])
        return np.where(within, fine_degC[cells], found)

    def _fill(self, fields: Fields, damage: Damage, spans: Spans, without: Spans) -> None:
        refine(
            self.fields.u[0], self.fields.t[0], self.lowest_degC, self.lattice.curve.inverse, self.lattice.shape,
            spans.low, spans.high, without.low, without.high, fields, damage.minimum_degC, self.fine.curve,
            self.lattice.law, self.fine.shape,
        )  # fmt: skip


def comfort(lattice: Lattice) -> tuple[float, float]:
    """The temperatures between which coarse cells do."""
    law = lattice.law
    return float(law.liquidus + COOL_SHARE * (law.rest - law.liquidus)), float(law.rest + WARM_K)


def _any(fine: Array, shape: tuple[int, int, int]) -> Array:
    """[i, j, k] of the coarse lattice: whether any of the eight fine cells is true."""
    return restricted(fine.astype(np.float32), shape) > 0


def _inside(mask: Array) -> Array:
    """The mask without the lattice's rim, which is never updated."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    return inner
