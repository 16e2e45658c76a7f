"""The coarse lattice of a nested run: it carries the tissue near rest, and shows where fine cells are needed."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np
from numba import njit

from trocar.physics.coarsening import restricted
from trocar.physics.compiled import COMPILED
from trocar.physics.division import divide, opened
from trocar.physics.dose import RESTING_VULNERABLE
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array
from trocar.physics.memory import apart
from trocar.physics.seam import split, splitting
from trocar.physics.single import inside
from trocar.physics.source import NO_NEEDLES, NO_PIECES
from trocar.physics.spans import TOUCHED_K, VECTOR_CELLS, Spans, beside_in_box, reach, strides
from trocar.physics.stage import MARGIN_K, Blood, Fields, Gates, Working, course, fields_of, play
from trocar.physics.stepping import stages
from trocar.physics.sweep import warm_rows
from trocar.physics.threads import PARTS, gate, meet, together
from trocar.physics.transfer import heat_in, rows_sum
from trocar.physics.whole import Whole

COOL_SHARE = 0.25  # of the way from the liquidus to rest: what is colder is carried by fine cells
WARM_K = 4.0  # and what is warmer than rest by this,
DOSED_WARM_K = 2.0  # or by this where a dose of heat is kept: minutes count from 39 degC on
FRONT_M = 2e-3  # beyond those cells: in a step the front moves less, so that coarse cells do not freeze
NEEDLE_REACH_M = 4e-3  # around the cells that a needle draws from
SOURCE_SHARE = 0.01  # and where a source gives this share of its greatest density


@dataclass(slots=True, eq=False)
class Outer:
    """The coarse lattice, which of its cells are active (`spans`), and which of those fine cells carry (`inner`).

    `heat_W_per_m3` are its sources, `lowest_degC` its coldest since it was made.
    """

    lattice: Lattice
    comfort_degC: tuple[float, float]  # between these temperatures coarse cells do
    fields: Fields
    blood: Blood
    lowest_degC: Array
    heat_W_per_m3: Array
    spans: Spans
    inner: Spans
    has_sinks: bool

    @classmethod
    def at_rest(cls, lattice: Lattice, *, dosed: bool) -> Self:
        """A coarse lattice at rest."""
        law, cells, shape = lattice.law, lattice.blood.size, lattice.shape
        comfort = law.liquidus + COOL_SHARE * (law.rest - law.liquidus), law.rest + (DOSED_WARM_K if dosed else WARM_K)
        full = np.full(cells, law.rest - law.liquidus, np.float32)
        fields = fields_of(full, lattice.curve, law)
        blood = Blood(lattice.blood, np.ones(cells, np.float32), apart(lattice.blood), lattice.sink)
        lowest = fields.t[0].copy()
        spans, inner = Spans(shape), Spans(shape, VECTOR_CELLS // 2, aligned=True)
        beside_degC = law.rest + np.divide(
            lattice.sink_K, lattice.sink, out=np.zeros_like(lattice.sink), where=lattice.sink > 0
        )  # of the held cells that a coarse cell touches
        spans.cover(inside(lattice.sink_K.reshape(shape) != 0))
        inner.cover(inside(((beside_degC < comfort[0]) | (beside_degC > comfort[1])).reshape(shape)))
        return cls(lattice, (float(comfort[0]), float(comfort[1])), fields, blood, lowest, apart(lattice.sink_K),
                   spans, inner, bool(lattice.sink_K.any()))  # fmt: skip

    @classmethod
    def under(cls, lattice: Lattice, whole: Whole) -> Self:
        """A coarse lattice that takes the state of all fine cells: a phase begins as a restart would."""
        found = cls.at_rest(lattice, dosed=whole.dose is not None)
        if whole.u is not None:
            found._divide(whole)
        if whole.damage is not None:
            perfused = np.empty(lattice.shape, np.float32)
            together(opened, whole.damage.open_frac, whole.tissue, perfused)
            flow, most = perfused.reshape(-1), lattice.blood
            found.blood.open_frac[:] = np.divide(flow, most, out=np.ones_like(flow), where=most > 0)
        return found

    def _divide(self, whole: Whole) -> None:
        lattice, shape, law = self.lattice, self.lattice.shape, self.lattice.law
        kept_J, away, beyond = np.empty(shape, np.float32), np.empty(shape, bool), np.empty(shape, bool)
        low, high = self.comfort_degC
        together(divide, *whole.state(), whole.tissue, law, (np.float32(low), np.float32(high)), kept_J, away, beyond)
        if whole.dose is not None:
            vulnerable = (whole.dose.vulnerable > RESTING_VULNERABLE).reshape(whole.tissue.shape)
            beyond |= restricted(vulnerable, shape) > 0
        u = (law.rest - law.liquidus) + kept_J.reshape(-1) / lattice.medium.unfrozen_J_per_m3K.reshape(-1)
        self.fields = fields_of(u, lattice.curve, law)
        self.spans.cover(inside(away))
        self.inner.cover(inside(beyond))

    # --- before a phase and before a step

    def cover(self, cells: Array, shape: tuple[int, int, int]) -> None:
        """Let fine cells carry these (flat indices) and enough around them that coarse cells need not know of them."""
        mask = np.zeros(self.lattice.shape, bool)
        mask[tuple(index // 2 for index in np.unravel_index(cells.astype(np.int64), shape))] = True
        touched = Spans(self.lattice.shape)
        touched.cover(mask)
        self.inner.enclose(touched, reach=self._cells(NEEDLE_REACH_M))
        self.spans.enclose(self.inner)

    def heat(self, heat_W_per_m3: Array | None) -> None:
        """Take in the sources of the coming step, W/m3 in every fine cell [i, j, k]."""
        self.heat_W_per_m3[:] = self.lattice.sink_K
        if heat_W_per_m3 is not None:
            coarse = restricted(heat_W_per_m3, self.lattice.shape)
            self.heat_W_per_m3 += coarse.reshape(-1)
            size = np.abs(coarse)
            self.spans.cover(inside(size > 0))
            self.inner.cover(inside(size > SOURCE_SHARE * size.max()))

    def follow(self, step_s: float) -> None:
        """Let the active and the fine cells follow the heat."""
        rest = float(self.lattice.law.rest)
        t = self.fields.t[0].reshape(self.lattice.shape)
        far = reach(len(stages(step_s, self.lattice.explicit_s(rest))), self.lattice.medium.spacing_m)
        self.spans.grow_with(
            self.inner, t, (rest - TOUCHED_K, rest + TOUCHED_K), self.comfort_degC, reach=far,
            inner_reach=self._cells(FRONT_M),
        )  # fmt: skip

    def _cells(self, distance_m: float) -> int:
        """The fewest coarse cells that are as long."""
        return ceil(distance_m / self.lattice.medium.spacing_m - 1e-6)

    # --- the step

    def advance(self, step_s: float, gates: Gates) -> tuple[float, int]:
        """The coarse half of a step: joules that blood and held cells brought around the fine part; its cell-stages."""
        lattice, law = self.lattice, self.lattice.law
        between = law.liquidus + MARGIN_K, law.liquidus + law.boil - MARGIN_K
        found, met = splitting(self.spans, self.inner), gate()
        warm, extremes = np.empty(found.start.size, bool), np.empty((PARTS, 2), np.float32)
        count = together(
            _part, met, found, lattice.shape[2], self.fields.t, strides(lattice.shape), between, warm, extremes,
            gate=met,
        )  # fmt: skip
        rows, warm = found.rows(count), warm[:count]
        coldest, hottest = extremes[:, 0].min(), extremes[:, 1].max()
        each = stages(step_s, lattice.explicit_s(float(coldest)))
        asked = course(
            Working(self.fields, lattice.faces, lattice.curve, self.blood, self.heat_W_per_m3), law,
            lattice.medium.cell_m3, rows, beside_in_box(rows.length.size, lattice.shape), each, NO_PIECES, NO_NEEDLES,
            gates=gates, warm=warm, boils=hottest > between[1],
        )  # fmt: skip
        brought_J = play(asked)[0]
        if len(each) % 2:
            self.fields = Fields(*(pair[::-1] for pair in self.fields))
        sinks = rows_sum(lattice.sink_K, rows) if self.has_sinks else 0.0
        return float(brought_J) + step_s * sinks * lattice.medium.cell_m3, len(each) * int(rows.length.sum())

    def taking(self, whole: Whole) -> tuple[Any, ...]:
        """What `restrict` takes to let the means of the fine cells become the state of the coarse ones under them.

        Their vessels stay as a phase found them: what freezes or coagulates lies deeper than coarse cells go along.
        """
        lattice, inner, u = self.lattice, self.inner, whole.state()[0]
        return u, whole.tissue, inner.low, inner.high, self.fields, lattice.curve, lattice.law, lattice.shape

    def lowering(self) -> tuple[Any, ...]:
        """What `lower` takes to bring the coldest so far up to date."""
        return self.lowest_degC, self.fields.t[0], self.spans.low, self.spans.high, self.lattice.shape

    # --- what is read

    @property
    def finite(self) -> bool:
        """Whether every temperature is a number, the fine ones too (their means are here)."""
        return bool(np.isfinite(self.fields.t[0]).all())

    def held_J(self) -> float:
        """The heat in all cells that move, from rest."""
        return (
            float(heat_in(self.fields.u[0], self.lattice.curve.inverse, self.lattice.law)) * self.lattice.medium.cell_m3
        )


@njit(**COMPILED)
def _part(number, threads, gate, splitting, nz, temperatures, along, between, warm, extremes):  # type: ignore[no-untyped-def]
    """A thread's share of parting the active rows, and of finding those in which nothing freezes or boils; how many."""
    count = split(splitting, nz) if number == 0 else 0
    meet(gate, threads)
    t, others = temperatures
    warm_rows(
        number, threads, t, others, splitting.start, splitting.length, splitting.bounds, along, between[0], between[1],
        warm, extremes,
    )  # fmt: skip
    return count
