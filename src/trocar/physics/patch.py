"""The moving cells of a lattice, and their super-step on the active rows."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from trocar.physics.dose import close_coagulated
from trocar.physics.layout import WIDEST
from trocar.physics.medium import Array
from trocar.physics.packing import Closed, Packed
from trocar.physics.seam import pour
from trocar.physics.source import POWER, Needles, Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import MARGIN_K, play
from trocar.physics.stepping import stages
from trocar.physics.whole import Whole


class Moved(NamedTuple):
    """What a step did: joules of blood and held cells (first) and of each needle, the coldest cell now, the work."""

    joules: Array
    lowest_degC: float
    cell_stages: int


@dataclass(slots=True, eq=False)
class Patch:
    """The rows of a whole that are active. Damage closes vessels, a dose does too where tissue coagulates.

    `heat_W_per_m3`: of other sources than needles, in every cell (flat); none: `None`.
    """

    whole: Whole
    hottest_degC: float
    heat_W_per_m3: Array | None = None
    _packed: Packed | None = None

    @classmethod
    def of(cls, whole: Whole) -> Self:
        """Nothing active yet."""
        t = whole.state()[1]
        return cls(whole, float(t.max()))

    def follow(self, rows: Rows, pieces: Pieces, closed: Closed | None = None) -> None:
        """Make these rows the active ones, and these needles their own, with some faces closed."""
        whole = self.whole
        self._packed = Packed.of(whole.medium, whole.tissue, whole.law, rows, pieces, closed, self._packed)

    def explicit_s(self, coldest_degC: float) -> float:
        """The longest stable explicit step of the active rows while no cell is colder than this."""
        assert self._packed is not None
        fastest_per_s = self._packed.fastest_per_s(float(self.whole.medium.freezing.share(coldest_degC)))
        return 1.0 / fastest_per_s if fastest_per_s > 0 else np.inf  # all of them held

    def step(self, step_s: float, coldest_degC: float, needles: Needles, inflow_J_per_m3: Array | None = None) -> Moved:
        """One super-step; `coldest_degC` bounds what any cell will come to.

        `inflow_J_per_m3`: what passes each of the closed faces meanwhile, into the coarse cell within.
        """
        packed, law, damage, dose = self._packed, self.whole.law, self.whole.harm(), self.whole.dose
        assert packed is not None
        u, t = self.whole.state()
        each, layout = stages(step_s, self.explicit_s(coldest_degC)), packed.layout
        packed.load(u, t, damage.open_frac, self.heat_W_per_m3, law)
        if inflow_J_per_m3 is not None:
            pour(inflow_J_per_m3, packed.inlets, step_s, packed.working.source)
        joules = play(
            packed.working, law, self.whole.medium.cell_m3, layout.rows, layout.beside, each, packed.pieces, needles,
            boils=self._may_boil(needles), multiple=WIDEST,
        )  # fmt: skip
        newest = len(each) % 2
        rows, there, t_now = packed.rows, layout.rows.start, packed.working.fields.t[newest]
        lowest, self.hottest_degC = damage.record(t, t_now, step_s, law, rows, there)
        if dose is not None:
            dose.record(t, t_now, step_s, rows, there)
            close_coagulated(dose.omega, damage.open_frac, rows)
        packed.unload(newest, u, t)
        return Moved(joules, lowest, len(each) * int(rows.length.sum()))

    def _may_boil(self, needles: Needles) -> bool:
        """Whether any cell may come to boil in a step."""
        law = self.whole.law
        hottest = max(self.hottest_degC, float(needles.value.max(initial=-np.inf)))
        powered = bool((needles.kind == POWER).any())
        heated = self.heat_W_per_m3 is not None
        return heated or powered or bool(hottest > law.liquidus + law.boil - MARGIN_K)
