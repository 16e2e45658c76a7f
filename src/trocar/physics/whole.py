"""The state of every cell of a lattice: arrays that are made when somebody needs them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trocar.physics.arrays import FREE, Tissue
from trocar.physics.damage import Damage
from trocar.physics.division import known
from trocar.physics.dose import HeatDose
from trocar.physics.enthalpy import Law
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.source import Pieces, pieces_of
from trocar.physics.threads import together


@dataclass(slots=True, eq=False)
class Whole:
    """Flat float32 arrays; `None`: at rest everywhere, as if nothing had happened."""

    medium: Medium
    tissue: Tissue
    law: Law
    damage: Damage | None
    dose: HeatDose | None
    u: Array | None = None
    t: Array | None = None

    @classmethod
    def of(
        cls, medium: Medium, tissue: Tissue, law: Law, enthalpy_J_per_m3: Array | None, damage: Damage | None,
        dose: HeatDose | None,
    ) -> Self:  # fmt: skip
        """Tissue at rest, or as it was saved; a damage of other numbers than float32 is given float32 arrays."""
        if damage is not None:
            for name in Damage.__slots__:
                setattr(damage, name, np.ascontiguousarray(getattr(damage, name), np.float32))
        found = cls(medium, tissue, law, damage, dose)
        if enthalpy_J_per_m3 is not None:
            found._know(np.ascontiguousarray(enthalpy_J_per_m3, np.float32).reshape(-1))
        return found

    def state(self) -> tuple[Array, Array]:
        """Reduced enthalpy and temperature."""
        if self.u is None or self.t is None:
            self._know(np.zeros(0, np.float32))
        assert self.u is not None
        assert self.t is not None
        return self.u, self.t

    def harm(self) -> Damage:
        """The damage, made if need be."""
        if self.damage is None:
            self.damage = Damage.fresh(self.tissue.held.size, self.medium.rest_degC)
        return self.damage

    def _know(self, heat_J: Array) -> None:
        self.u, self.t = np.empty((2, self.tissue.held.size), np.float32)
        together(known, heat_J, self.tissue, self.law, self.u, self.t)

    def pieces_of(self, lines: tuple[Line, ...]) -> Pieces:
        """Needles' exchange with the cells, knowing of those that are held, as walls too."""
        pieces = pieces_of(lines, self.medium)
        if not pieces.cells.size:
            return pieces
        held = self.tissue.held.reshape(-1)[pieces.cells.astype(np.int64)] != FREE
        number = np.repeat(np.arange(pieces.needle.size), np.diff(pieces.offset))
        share = np.bincount(number, pieces.weight * held[pieces.cell], minlength=pieces.needle.size)
        return pieces._replace(held_share=share.astype(np.float32))
