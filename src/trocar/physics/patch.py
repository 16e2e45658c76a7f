"""The moving cells of a lattice, and their super-step on the active rows."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED
from trocar.physics.damage import record
from trocar.physics.dose import close_coagulated
from trocar.physics.layout import WIDEST
from trocar.physics.medium import Array
from trocar.physics.packing import NOTHING, Closed, Packed, pouring, unload
from trocar.physics.source import POWER, Needles, Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import MARGIN_K, course, play
from trocar.physics.stepping import stages
from trocar.physics.whole import Whole


class Moved(NamedTuple):
    """What a step did: joules of blood and held cells (first) and of each needle, the coldest cell now, the work."""

    joules: Array
    lowest_degC: float
    cell_stages: int


class Led(NamedTuple):
    """Where a step has led, for `kept`: its joules and its work, what `record` takes and what `unload` takes."""

    joules: Array
    cell_stages: int
    recording: tuple[Any, ...]
    unloading: tuple[Any, ...]


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

    def step(self, step_s: float, coldest_degC: float, needles: Needles, inflow_J_per_m3: Array | None = None) -> Led:
        """One super-step, which the whole does not know of yet; `coldest_degC` bounds what any cell will come to.

        `inflow_J_per_m3`: what passes each of the closed faces meanwhile, into the coarse cell within.
        """
        packed, whole, law, damage, dose = self._packed, self.whole, self.whole.law, self.whole.harm(), self.whole.dose
        assert packed is not None
        u, t = whole.state()
        inflow = NOTHING if inflow_J_per_m3 is None else pouring(inflow_J_per_m3, packed.inlets, step_s)
        packed.load(u, t, damage.open_frac, self.heat_W_per_m3, law, inflow)
        each, layout = stages(step_s, self.explicit_s(coldest_degC)), packed.layout
        joules = play(course(
            packed.working, law, whole.medium.cell_m3, layout.rows, layout.beside, each, packed.pieces, needles,
            boils=self._may_boil(needles), multiple=WIDEST,
        ))  # fmt: skip
        newest = len(each) % 2
        rows, there, t_now = packed.rows, layout.rows.start, packed.working.fields.t[newest]
        if dose is not None:
            dose.record(t, t_now, step_s, rows, there)
            close_coagulated(dose.omega, damage.open_frac, rows)
        recording = damage.recording(t, t_now, step_s, law, rows, there)
        return Led(joules, len(each) * int(rows.length.sum()), recording, packed.unloading(newest, u, t))

    def moved(self, led: Led) -> Moved:
        """What a step did, once it has been `kept`."""
        extremes_degC = led.recording[-1]
        self.hottest_degC = float(extremes_degC[:, 1].max())
        return Moved(led.joules, float(extremes_degC[:, 0].min()), led.cell_stages)

    def _may_boil(self, needles: Needles) -> bool:
        """Whether any cell may come to boil in a step."""
        law = self.whole.law
        hottest = max(self.hottest_degC, float(needles.value.max(initial=-np.inf)))
        powered = bool((needles.kind == POWER).any())
        heated = self.heat_W_per_m3 is not None
        return heated or powered or bool(hottest > law.liquidus + law.boil - MARGIN_K)


@njit(**COMPILED)
def kept(number, threads, recording, unloading):  # type: ignore[no-untyped-def]
    """A thread's share of taking the cold of a step into the records, and the state that it `Led` to into the whole."""
    record(number, threads, *recording)
    unload(number, threads, *unloading)
