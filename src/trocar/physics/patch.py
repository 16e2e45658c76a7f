"""A lattice of cells with everything that moves on it, and its super-step on the active rows."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose, close_coagulated
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array
from trocar.physics.memory import apart
from trocar.physics.source import Needles, Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import NO_GATES, Blood, Fields, fields_of, super_step
from trocar.physics.stepping import stage_count, stages


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

    @classmethod
    def of(cls, lattice: Lattice, u: Array, damage: Damage, dose: HeatDose | None) -> Self:
        """A lattice whose cells have this reduced enthalpy; it brings damage and dose up to date in place."""
        fields = fields_of(u, lattice.curve, lattice.law)
        blood = Blood(lattice.blood, damage.open_frac, apart(lattice.blood), lattice.sink)
        return cls(lattice, fields, blood, apart(np.zeros(u.size, np.float32)), apart(fields.t[0]), damage, dose)

    def step(self, step_s: float, coldest_degC: float, rows: Rows, pieces: Pieces, needles: Needles) -> Moved:
        """One super-step; `coldest_degC` bounds what any cell will come to."""
        count = stage_count(step_s, self.lattice.explicit_s(coldest_degC))
        shape, law = self.lattice.shape, self.lattice.law
        joules = super_step(
            self.fields, self.before_degC, self.lattice.faces, self.lattice.curve, law, self.blood, self.source, rows,
            rows.bounds.size - 1, stages(step_s, count), pieces, needles, NO_GATES,
            np.float32(1 / self.lattice.medium.cell_m3), (np.uint64(shape[1] * shape[2]), np.uint64(shape[2])),
        )  # fmt: skip
        if count % 2:
            self.fields = Fields(*(pair[::-1] for pair in self.fields))
        now = self.fields.t[0]
        lowest, _ = self.damage.record(self.before_degC, now, step_s, law, rows)
        if self.dose is not None:
            self.dose.record(self.before_degC, now, step_s, rows)
            close_coagulated(self.dose.omega, self.damage.open_frac, rows)
        return Moved(joules, lowest, count * int(rows.length.sum()))


def kept(record: Damage | HeatDose) -> list[Array]:
    """The arrays of a record of harm."""
    return [getattr(record, name) for name in record.__slots__]
