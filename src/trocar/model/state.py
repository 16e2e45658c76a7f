"""The tissue between two steps of a combined treatment: what `simulate` folds over."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from trocar.model.record import Record
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement


@dataclass(frozen=True, kw_only=True, eq=False)
class TissueState(Record):
    """Fields [i, j, k] on the simulation's grid, the implants and the shield; a step returns a new one.

    `enthalpy_J_per_m3` is the conserved variable, 0 at 37 degC; `perfusion_frac` the share of the vessels that cold
    and heat left open; `minimum_degC` the coldest so far; `freezes` how often each voxel froze; `cement_frac` 0..1.
    Of each lesion since the CT: `perfusion_left_frac` is what embolizations left of its own perfusion, `oil_frac` the
    share of its volume that they filled with oil.
    `heat_dose` holds what heat has left (omega, cem43_min, maximum_degC ...), and nothing while nothing was heated.
    """

    grid: Grid
    time_s: float
    temperature_degC: Array = field(repr=False)
    enthalpy_J_per_m3: Array = field(repr=False)
    minimum_degC: Array = field(repr=False)
    perfusion_frac: Array = field(repr=False)
    freezes: Array = field(repr=False)
    cement_frac: Array = field(repr=False)
    implants: tuple[Placement, ...] = ()
    shield: Shield = UNSHIELDED
    perfusion_left_frac: dict[str, float] = field(default_factory=dict)
    oil_frac: dict[str, float] = field(default_factory=dict)
    heat_dose: dict[str, Array] = field(default_factory=dict, repr=False)

    def after(self, **changes: Any) -> Self:
        """The state with these fields changed."""
        return replace(self, **changes)
