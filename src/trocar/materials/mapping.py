"""The tissue of each cell: HU first, structures over it, then vessels, implants and cement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from trocar.catalog.tissues import SOLIDUS_DEGC, Tissue, ice_slope_per_K, tissues, tumor_perfusion
from trocar.imaging.resample import resample
from trocar.materials.layers import layer_cells
from trocar.materials.makeup import Makeup
from trocar.materials.oil import NO_OIL, disperse, is_oil, oil_in_ct, oil_put, oiled
from trocar.materials.placing import EVERYWHERE, Box, onto, shaft_frac
from trocar.materials.surroundings import AIR_BELOW_HU, outside, vessels
from trocar.model.case import Case, Role, Structure
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement
from trocar.physics.medium import Freezing, Medium

REST_DEGC = 37.0
LIQUIDUS_DEGC = -1.0
SKIN_EXCHANGE_W_PER_M2K = 10.0  # still air or a cover (thermal reference 4.4)
FAT_HU, WATERY_HU, BONE_ABOVE_HU = -100.0, 40.0, 300.0
CANCELLOUS_HU, CORTICAL_HU = 200.0, 1200.0

# Later roles lie over earlier ones; roles that are absent (body, ureter in its wall ...) leave what the CT says.
TISSUE_OF_ROLE = {
    Role.ORGAN: "muscle",
    Role.LUNG: "lung",
    Role.FAT: "fat",
    Role.MUSCLE: "muscle",
    Role.BOWEL: "bowel_wall",
    Role.BLADDER: "water",
    Role.URETER: "bladder_wall",
    Role.JOINT: "cartilage",
    Role.SKIN: "skin",
    Role.FLUID: "water",
    Role.NERVE: "nerve",
    Role.CORD: "cord",
}
TISSUE_OF_NAME = {
    Role.ORGAN: {"kidney": "kidney", "liver": "liver"},
    Role.FLUID: {"csf": "csf", "thecal": "csf"},
}
PROPERTIES: dict[str, Callable[[Tissue], float]] = {
    "unfrozen_W_per_mK": lambda tissue: tissue.conductivity_W_per_mK,
    "frozen_W_per_mK": lambda tissue: tissue.frozen_at_solidus_W_per_mK(ice_slope_per_K()),
    "unfrozen_J_per_m3K": lambda tissue: tissue.unfrozen_J_per_m3K,
    "frozen_J_per_m3K": lambda tissue: tissue.frozen_J_per_m3K,
    "latent_J_per_m3": lambda tissue: tissue.latent_J_per_m3,
    "vapor_J_per_m3": lambda tissue: tissue.vapor_J_per_m3,
    "perfusion_W_per_m3K": lambda tissue: tissue.perfusion_W_per_m3K,
    "water_frac": lambda tissue: tissue.water_kg_per_m3 / 1000.0,
}


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
    boils: bool = False,
) -> TissueMap:
    """The tissue of each cell of an isotropic grid.

    What covers the skin exchanges with it at the resting temperature: 10 W/m2K still air or a cover, 100 to 500 a warm
    pack (thermal reference 4.4). A layer of fluid has no blood; a flowing one keeps its temperature. `oil_frac`: the
    share of each lesion's volume that embolization has filled with oil since the CT. `boils`: whether its water may,
    which only heating needs.
    """
    native = native_tissue(case, grid)
    values = {name: field.copy() for name, field in native.fields.items()}
    disperse(values, oil_put(case, grid, oil_frac), PROPERTIES)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Native:
    """The tissue as the planning CT shows it, before any treatment."""

    fields: dict[str, Array]
    makeup: Makeup
    held: Array
    outside: Array
    lesion: Array
    bone: Array
    oil_frac: Array  # of the volume, as the CT shows it
    caveats: tuple[str, ...]


@lru_cache(maxsize=2)
def native_tissue(case: Case, grid: Grid) -> Native:
    """The tissue of each cell before any treatment."""
    near = _near(case, grid)
    hu = resample(near.ct, grid, outside=-1000.0).values.astype(np.float32)
    made = Makeup.between("fat", "muscle", _share(hu, FAT_HU, WATERY_HU))
    made.assign(EVERYWHERE, hu < AIR_BELOW_HU, tissues()["gas"])
    oil = oil_in_ct(near, grid, hu)
    bone = _union(near, grid, Role.BONE) | ((hu > BONE_ABOVE_HU) & (oil == 0))
    lesion = _union(near, grid, Role.LESION)
    for role, name in TISSUE_OF_ROLE.items():
        for structure in near.with_role(role):
            if not is_oil(structure.name):
                _place(made, structure, near, grid, _tissue_of(structure, name), hu)
        if role is Role.SKIN:
            mineral = np.where(oil > 0, np.float32(0), _share(hu, CANCELLOUS_HU, CORTICAL_HU))
            made.mix(EVERYWHERE, bone, (tissues()["cancellous_bone"], tissues()["cortical_bone"]), mineral)
            _lesions(made, near, grid, mineral)
    for role, name in ((Role.IMPLANT, "titanium"), (Role.CEMENT, "cement")):
        for structure in near.with_role(role):
            _place(made, structure, near, grid, tissues()[name], None)
    air = outside(case, near, grid, hu)
    fields = {name: made.property(value) for name, value in PROPERTIES.items()}
    disperse(fields, oil, PROPERTIES)
    return Native(
        fields=fields,
        makeup=made,
        held=vessels(near, grid) | air,
        outside=air,
        lesion=lesion,
        bone=bone,
        oil_frac=oil,
        caveats=(*_caveats(case, near, grid), *_oil_caveats(near, oil)),
    )


def _place(made: Makeup, structure: Structure, near: Case, grid: Grid, tissue: Tissue, hu: Array | None) -> None:
    """A structure becomes a tissue; where HU are given, not the gas in it (but all of a lung)."""
    placed = onto(structure, near.grid, grid)
    if placed is None:
        return
    box, inside = placed
    solid = inside if hu is None or structure.role is Role.LUNG else inside & (hu[box] > AIR_BELOW_HU)
    made.assign(box, solid, tissue)


def _lesions(made: Makeup, near: Case, grid: Grid, mineral: Array) -> None:
    """Soft-tissue metastasis, towards cortical bone where its HU rises (sclerosis, remaining bone)."""
    for lesion in near.lesions:
        placed = onto(lesion, near.grid, grid)
        if placed is not None:
            prior = tumor_perfusion(near.context(lesion.name).vascularity_grade)
            tumor = replace(tissues()["soft_metastasis"], perfusion_ml_per_min_kg=prior.perfusion_ml_per_min_kg)
            made.mix(*placed, (tumor, tissues()["cortical_bone"]), mineral[placed[0]])


def _share(hu: Array, low_HU: float, high_HU: float) -> Array:
    return np.clip((hu - np.float32(low_HU)) * np.float32(1 / (high_HU - low_HU)), 0.0, 1.0)


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


def _tissue_of(structure: Structure, otherwise: str) -> Tissue:
    named = TISSUE_OF_NAME.get(structure.role, {})
    return tissues()[next((tissue for word, tissue in named.items() if word in structure.name), otherwise)]


def _union(case: Case, grid: Grid, role: Role) -> Array:
    inside = np.zeros(grid.shape, dtype=bool)
    for structure in case.with_role(role):
        placed = onto(structure, case.grid, grid)
        if placed is not None:
            inside[placed[0]] |= placed[1]
    return inside


def _near(case: Case, grid: Grid) -> Case:
    """The case cropped to the simulated box, with the structures that reach into it."""
    ijk = case.grid.to_ijk(_corners_lps_mm(grid))
    low, high = np.floor(ijk.min(axis=0)).astype(int) - 2, np.ceil(ijk.max(axis=0)).astype(int) + 3
    box = case.grid.cropped(low, high)
    first = np.rint(case.grid.to_ijk(box.to_lps([0, 0, 0]))).astype(int)
    cut = tuple(slice(int(a), int(a) + n) for a, n in zip(first, box.shape, strict=True))
    kept = tuple(
        replace(structure, inside=structure.inside[cut].copy()) for structure in case.structures
        if structure.inside[cut].any()
    )  # fmt: skip
    ct = Volume(grid=box, values=case.ct.values[cut].copy(), unit=case.ct.unit)
    return replace(case, ct=ct, structures=kept, phases={})


def _corners_lps_mm(grid: Grid) -> Array:
    return grid.to_lps(np.array(list(product((0, 1), repeat=3))) * (np.asarray(grid.shape) - 1))


def _caveats(case: Case, near: Case, grid: Grid) -> tuple[str, ...]:
    found = ["bone_conductivity_uncertain", "skin_at_rest_37_degC"]
    if near.lesions:
        found.append("tumor_perfusion_prior")
    if any(case.context(lesion.name).vascularity_grade is None for lesion in near.lesions):
        found.append("vascularity_unknown")
    if not case.grid.contains(_corners_lps_mm(grid)).all():
        found.append("ct_ends_within_the_simulated_box")
    if not near.with_role(Role.VESSEL):
        found.append("vessels_not_segmented")
    return tuple(found)


def _oil_caveats(near: Case, oil: Array) -> tuple[str, ...]:
    contexts = [near.context(lesion.name) for lesion in near.lesions]
    doubtful = any(oiled(context) and context.matrix != "lytic" for context in contexts)
    return (("oil_share_from_ct",) if oil.any() else ()) + (("oil_or_bone",) if doubtful else ())
