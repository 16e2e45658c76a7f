"""A lattice of cells with everything that moves on it, and its super-step on the active rows."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose, close_coagulated
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array
from trocar.physics.memory import apart
from trocar.physics.source import POWER, Needles, Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import MARGIN_K, Blood, Fields, fields_of, play
from trocar.physics.stepping import stages


class Moved(NamedTuple):
    """What a step did: joules of blood and held cells (first) and of each needle, the coldest cell now, the work."""

    joules: Array
    lowest_degC: float
    cell_stages: int


@dataclass(slots=True, eq=False)
class Patch:
    """Flat float32 arrays; `source` in W/m3. Damage closes vessels, a dose does too where tissue coagulates."""

    lattice: Lattice
    fields: Fields
    blood: Blood
    source: Array
    before_degC: Array
    damage: Damage
    dose: HeatDose | None
    hottest_degC: float
    heated: bool = False  # by other sources than needles

    @classmethod
    def of(cls, lattice: Lattice, u: Array, damage: Damage, dose: HeatDose | None) -> Self:
        """A lattice whose cells have this reduced enthalpy; it brings damage and dose up to date in place."""
        fields = fields_of(u, lattice.curve, lattice.law)
        blood = Blood(lattice.blood, damage.open_frac, apart(lattice.blood), lattice.sink)
        return cls(lattice, fields, blood, apart(np.zeros(u.size, np.float32)), apart(fields.t[0]), damage, dose,
                   float(fields.t[0].max()))  # fmt: skip

    def step(self, step_s: float, coldest_degC: float, rows: Rows, pieces: Pieces, needles: Needles) -> Moved:
        """One super-step; `coldest_degC` bounds what any cell will come to."""
        each = stages(step_s, self.lattice.explicit_s(coldest_degC))
        joules = play(
            self.fields, self.before_degC, self.lattice, self.blood, self.source, rows, each, pieces, needles,
            boils=self._may_boil(needles),
        )  # fmt: skip
        if len(each) % 2:
            self.fields = Fields(*(pair[::-1] for pair in self.fields))
        now = self.fields.t[0]
        lowest, self.hottest_degC = self.damage.record(self.before_degC, now, step_s, self.lattice.law, rows)
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
