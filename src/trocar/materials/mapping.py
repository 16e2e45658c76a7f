"""The tissue of each cell: what the planning CT shows, then layers of fluid, oil, implants and cement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from trocar.catalog.tissues import SOLIDUS_DEGC, Tissue, ice_slope_per_K, tissues
from trocar.materials.layers import layer_cells
from trocar.materials.native import PROPERTIES, Native, native_tissue
from trocar.materials.oil import NO_OIL, disperse, oil_put
from trocar.materials.placing import EVERYWHERE, Box, shaft_frac
from trocar.model.case import Case
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement
from trocar.physics.medium import Freezing, Medium

REST_DEGC = 37.0
LIQUIDUS_DEGC = -1.0
AS_SUPPLIED: Mapping[str, float] = MappingProxyType({})  # lesion name -> share of its perfusion
SKIN_EXCHANGE_W_PER_M2K = 10.0  # still air or a cover (thermal reference 4.4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TissueMap:
    """The tissue on a simulation grid: the medium, where the lesion, bone and air are, and what had to be assumed."""

    grid: Grid
    medium: Medium
    lesion: Array
    bone: Array
    water_frac: Array  # by volume: how far a CT darkens when the cell freezes
    caveats: tuple[str, ...]


def tissue_map(
    case: Case,
    grid: Grid,
    *,
    implants: Sequence[Placement] = (),
    cement_frac: Array | None = None,
    shield: Shield = UNSHIELDED,
    oil_frac: Mapping[str, float] = NO_OIL,
    perfusion_left_frac: Mapping[str, float] = AS_SUPPLIED,
    boils: bool = False,
) -> TissueMap:
    """The tissue of each cell of an isotropic grid.

    What covers the skin exchanges with it at the resting temperature: 10 W/m2K still air or a cover, 100 to 500 a warm
    pack (thermal reference 4.4). A layer of fluid has no blood; a flowing one keeps its temperature. `oil_frac`: the
    share of each lesion's volume that embolization has filled with oil since the CT, `perfusion_left_frac` what it left
    of the lesion's own perfusion. `boils`: whether its water may, which only heating needs.
    """
    native = native_tissue(case, grid)
    values = {name: field.copy() for name, field in native.fields.items()}
    disperse(values, oil_put(case, grid, oil_frac), PROPERTIES)
    for lesion, left in perfusion_left_frac.items():
        values["perfusion_W_per_m3K"] *= 1 - np.float32(1 - left) * native.blood_frac(lesion)
    held, held_degC = native.held, np.full(grid.shape, REST_DEGC, np.float32)
    for layer in shield.layers:
        fluid = layer_cells(case, grid, native, layer)
        _blend(values, EVERYWHERE, fluid.astype(np.float32), tissues()[layer.fluid])
        if layer.flowing:
            held = held | fluid
            held_degC[fluid] = layer.temperature_degC
    for shaft in implants:
        placed = shaft_frac(shaft.axis, shaft.diameter_mm / 2, grid)
        if placed is not None:
            _blend(values, *placed, tissues()["titanium"])
    if cement_frac is not None:
        _blend(values, EVERYWHERE, cement_frac, tissues()["cement"])
    return TissueMap(
        grid=grid,
        medium=_medium(values, grid, native, (held, held_degC), shield.skin_W_per_m2K, boils=boils),
        lesion=native.lesion,
        bone=native.bone,
        water_frac=values["water_frac"],
        caveats=native.caveats,
    )


def _blend(values: dict[str, Array], box: Box, share: Array, tissue: Tissue) -> None:
    """A share of each cell's volume becomes the tissue."""
    where = share > 0
    part = share[where]
    for name, value in PROPERTIES.items():
        cells = values[name][box]
        cells[where] += part * (np.float32(value(tissue)) - cells[where])


def _medium(
    values: dict[str, Array], grid: Grid, native: Native, held: tuple[Array, Array], skin_W_per_m2K: float | None, *,
    boils: bool,
) -> Medium:  # fmt: skip
    """`held` is which cells keep a temperature, and which temperature."""
    return Medium(
        spacing_m=float(grid.spacing_mm[0]) / 1000.0,
        unfrozen_W_per_mK=values["unfrozen_W_per_mK"],
        frozen_W_per_mK=values["frozen_W_per_mK"],
        unfrozen_J_per_m3K=values["unfrozen_J_per_m3K"],
        frozen_J_per_m3K=values["frozen_J_per_m3K"],
        latent_J_per_m3=values["latent_J_per_m3"],
        vapor_J_per_m3=values["vapor_J_per_m3"] if boils else None,
        perfusion_W_per_m3K=values["perfusion_W_per_m3K"],
        held=held[0],
        held_degC=held[1],
        rest_degC=REST_DEGC,
        freezing=Freezing(solidus_degC=SOLIDUS_DEGC, liquidus_degC=LIQUIDUS_DEGC, ice_slope_per_K=ice_slope_per_K()),
        exchange_W_per_m2K=SKIN_EXCHANGE_W_PER_M2K if skin_W_per_m2K is None else skin_W_per_m2K,
        outside=native.outside,
    )
