"""A lattice of cells with everything that moves on it, and its super-step on the active rows."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose, close_coagulated
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array
from trocar.physics.packing import Packed
from trocar.physics.source import POWER, Needles, Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import MARGIN_K, play, settle
from trocar.physics.stepping import stages
from trocar.physics.threads import together


class Moved(NamedTuple):
    """What a step did: joules of blood and held cells (first) and of each needle, the coldest cell now, the work."""

    joules: Array
    lowest_degC: float
    cell_stages: int


@dataclass(slots=True, eq=False)
class Patch:
    """Flat float32 arrays; `source` in W/m3. Damage closes vessels, a dose does too where tissue coagulates."""

    lattice: Lattice
    u: Array  # reduced enthalpy, and the temperature that follows from it
    t: Array
    source: Array
    before_degC: Array
    damage: Damage
    dose: HeatDose | None
    hottest_degC: float
    heated: bool = False  # by other sources than needles
    _packed: Packed | None = None

    @classmethod
    def of(cls, lattice: Lattice, u: Array, damage: Damage, dose: HeatDose | None) -> Self:
        """A lattice whose cells have this reduced enthalpy; it brings damage and dose up to date in place."""
        u, (t, before) = np.ascontiguousarray(u, np.float32), np.empty((2, u.size), np.float32)
        together(settle, u, lattice.curve, lattice.law, t, before)  # `before` takes the ice
        before[:] = t
        return cls(lattice, u, t, np.zeros(u.size, np.float32), before, damage, dose, float(t.max()))

    def step(self, step_s: float, coldest_degC: float, rows: Rows, pieces: Pieces, needles: Needles) -> Moved:
        """One super-step; `coldest_degC` bounds what any cell will come to."""
        each = stages(step_s, self.lattice.explicit_s(coldest_degC))
        if self._packed is None or not self._packed.is_of(rows, pieces):
            self._packed = Packed.of(self.lattice, rows, pieces, self._packed)
        packed, law = self._packed, self.lattice.law
        packed.load(self.u, self.t, self.damage.open_frac, self.source, law)
        joules = play(
            packed.working, law, self.lattice.medium.cell_m3, packed.layout.rows, packed.layout.beside, each,
            packed.pieces, needles, boils=self._may_boil(needles),
        )  # fmt: skip
        packed.unload(len(each) % 2, self.u, self.t, self.before_degC, rows)
        now = self.t
        lowest, self.hottest_degC = self.damage.record(self.before_degC, now, step_s, law, rows)
        if self.dose is not None:
            self.dose.record(self.before_degC, now, step_s, rows)
            close_coagulated(self.dose.omega, self.damage.open_frac, rows)
        return Moved(joules, lowest, len(each) * int(rows.length.sum()))

    def _may_boil(self, needles: Needles) -> bool:
        """Whether any cell may come to boil in a step."""
        law = self.lattice.law
        hottest = max(self.hottest_degC, float(needles.value.max(initial=-np.inf)))
        powered = bool((needles.kind == POWER).any())
        return self.heated or powered or bool(hottest > law.liquidus + law.boil - MARGIN_K)


def kept(record: Damage | HeatDose) -> list[Array]:
    """The arrays of a record of harm."""
    return [getattr(record, name) for name in record.__slots__]
