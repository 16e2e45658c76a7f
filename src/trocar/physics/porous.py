"""A porous medium on the lattice: what lets cement through, how much of it each cell takes, and where it gets out."""

from dataclasses import dataclass, field

import numpy as np

from trocar.errors import SolverError
from trocar.physics.medium import Array

Cell = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Porous:
    """Cells [i, j, k] of one spacing: permeability (0: closed), the share of a cell that cement may take, outlets.

    `outlet` is 0, or the number (above 0) of an exit: a cell at the pressure of the surroundings, where cement is lost.
    Raises `SolverError` for shapes that differ, a negative or infinite permeability, or a porosity outside 0..1.
    """

    spacing_m: float
    permeability_m2: Array = field(repr=False)
    porosity_frac: Array = field(repr=False)
    outlet: Array = field(repr=False)

    def __post_init__(self) -> None:
        shape = self.permeability_m2.shape
        if len(shape) != 3 or shape != self.porosity_frac.shape or shape != self.outlet.shape:
            raise SolverError("permeability, porosity and outlets differ in shape", hint="give one lattice to all")
        if not self.spacing_m > 0:
            raise SolverError(f"a spacing of {self.spacing_m:g} m is none", hint="give a positive one")
        if not (np.isfinite(self.permeability_m2) & (self.permeability_m2 >= 0)).all():
            raise SolverError("a permeability is negative or not a number", hint="give m2; 0 closes a cell")
        if not ((self.porosity_frac >= 0) & (self.porosity_frac <= 1)).all():
            raise SolverError("a porosity is outside 0 to 1", hint="give the share of each cell that cement may take")

    @property
    def open(self) -> Array:
        """Where cement may be: permeable cells with room, outlets apart."""
        return (self.permeability_m2 > 0) & (self.porosity_frac > 0) & (self.outlet == 0)

    @property
    def capacity_m3(self) -> Array:
        """How much cement each cell takes."""
        return np.where(self.open, self.porosity_frac * self.spacing_m**3, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One way out: the injected volume at which cement first leaves by it, how much then does, and the first cell."""

    first_m3: float
    volume_m3: float
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filling:
    """Where an injection went. Volumes are injected ones: what is in the pores and what is lost add up to it.

    `saturation_frac` [i, j, k] is the share of each cell's capacity that is taken; `arrival_m3` [i, j, k] the volume at
    which a cell was half filled, infinite where it never was. At `volumes_m3` the pressure at the opening is
    viscosity x flow x `resistance_per_m3`. `injected_m3` falls short of what was asked for when no room is left.
    """

    saturation_frac: Array = field(repr=False)
    arrival_m3: Array = field(repr=False)
    injected_m3: float
    exits: dict[int, Exit]
    volumes_m3: Array = field(repr=False)
    resistance_per_m3: Array = field(repr=False)

    def pressure_Pa(self, viscosity_Pa_s: Array, flow_m3_per_s: float) -> Array:
        """(n,) the pressure at the opening at `volumes_m3`, for the viscosity at each and a steady flow."""
        return np.asarray(viscosity_Pa_s) * flow_m3_per_s * self.resistance_per_m3


def tube_resistance_per_m3(length_m: float, radius_m: float) -> float:
    """Hagen and Poiseuille: the pressure along a tube is viscosity x flow x this."""
    return float(8 * length_m / (np.pi * radius_m**4))
