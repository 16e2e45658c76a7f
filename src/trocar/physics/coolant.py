"""An electrode cooled from within: it draws heat while its current heats the tissue around it.

The lattice sees the current's heat smeared by Gaussian weights and the cooled metal through a logarithmic profile.
Between the metal and the mean radius of those weights the current heats too, and nearly half of that flows into the
metal at once: it is taken off what is deposited. Equations and checks are in docs/theory/radiofrequency.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trocar.errors import SolverError
from trocar.physics.lines import Line, Piece
from trocar.physics.medium import Array
from trocar.physics.source import Ramp

SMEARED = 0.0335  # what a Gaussian current's own heat adds to its weighted mean temperature, in I'2 / (4 pi2 sigma k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coolant:
    """The metal's temperature; or the fluid's within, when `exchange_W_per_m2K` couples the two."""

    degC: float
    exchange_W_per_m2K: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.degC <= 100:
            raise SolverError(f"a coolant of {self.degC:g} degC makes no sense", hint="0 to 100 degC")

    @property
    def drive(self) -> Ramp:
        """What the electrode's line is driven by while it is cooled."""
        return Ramp(start_degC=self.degC, end_degC=self.degC, exchange_W_per_m2K=self.exchange_W_per_m2K)

    def taken_frac(self, pieces: Sequence[Piece], lines: Sequence[Line], conductivity_W_per_mK: Array) -> Array:
        """(pieces,) of the heat that no cell resolves, what the metal takes; less where a wall is in between."""
        length_m = sum(float(np.linalg.norm(np.subtract(line.tail_m, line.tip_m))) for line in lines) / len(pieces)
        strength_m = np.array([piece.strength_m for piece in pieces])
        logarithm = 2 * np.pi * length_m / strength_m  # of mean radius over radius
        taken = np.maximum(0.5 - SMEARED / logarithm**2, 0.0)
        if self.exchange_W_per_m2K is None:
            return taken
        flat = conductivity_W_per_mK.reshape(-1)
        tissue_W_per_K = strength_m * np.array([piece.weights @ flat[piece.cells] for piece in pieces])
        wall_W_per_K = self.exchange_W_per_m2K * 2 * np.pi * lines[0].radius_m * length_m
        return np.asarray(taken * wall_W_per_K / (wall_W_per_K + tissue_W_per_K))
