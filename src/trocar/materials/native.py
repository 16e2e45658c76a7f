"""The tissue as the planning CT shows it: a voxel's by its HU and structures, a cell's the mean of its voxels."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from trocar.catalog.tissues import Tissue, ice_slope_per_K, tissues, tumor_perfusion
from trocar.imaging.resample import averaged
from trocar.materials.makeup import Makeup
from trocar.materials.oil import disperse, is_oil, oil_in_ct, oiled
from trocar.materials.placing import EVERYWHERE, onto
from trocar.materials.surroundings import AIR_BELOW_HU, outside, vessels
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Array, Grid, Volume, as_matrix4

Corner = tuple[int, int, int]
MOST_PARTS = 5  # of a voxel along an axis

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
class Voxels:
    """The part of a CT around a simulated box, and the tissue of each of its voxels."""

    case: Case
    makeup: Makeup
    oil_frac: Array  # of the volume, as the CT shows it

    def field(self, name: str) -> Array:
        """[i, j, k] one of `PROPERTIES`."""
        value = PROPERTIES[name]
        found = {name: self.makeup.property(value)}
        disperse(found, self.oil_frac, {name: value})
        return found[name]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Native:
    """The tissue as the planning CT shows it, before any treatment: each cell is the mean of its voxels."""

    grid: Grid
    voxels: Voxels
    fields: dict[str, Array]
    held: Array
    outside: Array
    lesion: Array
    bone: Array
    oil_frac: Array  # of the volume, as the CT shows it
    caveats: tuple[str, ...]

    def mean(self, of_voxels: Array, *, outside: float = 0.0) -> Array:
        """[i, j, k] float32 the mean over each cell of a field of the voxels; `outside` where the CT ends."""
        return averaged(of_voxels, self.voxels.case.grid, self.grid, outside=outside)

    def blood_frac(self, lesion: str) -> Array:
        """[i, j, k] the share of each cell's perfusion that flows in a lesion: what an embolization can take."""
        found = np.zeros(self.grid.shape, np.float32)
        for structure in self.voxels.case.lesions:
            if structure.name == lesion:
                blood = self.voxels.field("perfusion_W_per_m3K")
                its_own, whole = self.mean(blood * structure.inside), self.mean(blood)
                np.divide(its_own, whole, out=found, where=whole > 0)
        return found


@lru_cache(maxsize=2)
def native_tissue(case: Case, grid: Grid) -> Native:
    """The tissue of each cell before any treatment."""
    voxels = _voxels(case, *_box_around(case, grid), _parts(case, grid))
    near, gas = voxels.case, tissues()["gas"]
    lattice = near.grid
    hu = averaged(near.ct.values, lattice, grid, outside=-1000.0)
    oil = averaged(voxels.oil_frac, lattice, grid, outside=0.0)
    air = outside(case, near, grid, hu)
    return Native(
        grid=grid,
        voxels=voxels,
        fields={
            name: averaged(voxels.field(name), lattice, grid, outside=value(gas)) for name, value in PROPERTIES.items()
        },
        held=vessels(near, grid) | air,
        outside=air,
        lesion=_union(near, grid, Role.LESION),
        bone=_union(near, grid, Role.BONE) | ((hu > BONE_ABOVE_HU) & (oil == 0)),
        oil_frac=oil,
        caveats=(*_caveats(case, near, grid), *_oil_caveats(near, oil)),
    )


@lru_cache(maxsize=2)
def _voxels(case: Case, low: Corner, high: Corner, parts: Corner) -> Voxels:
    """The tissue of each voxel of a box of the CT, or of its `parts` along each axis: HU first, structures over it."""
    near = _finer(_near(case, low, high), parts)
    grid, hu = near.grid, near.ct.values.astype(np.float32)
    made = Makeup.between("fat", "muscle", _share(hu, FAT_HU, WATERY_HU))
    made.assign(EVERYWHERE, hu < AIR_BELOW_HU, tissues()["gas"])
    oil = oil_in_ct(near, grid, hu)
    bone = _union(near, grid, Role.BONE) | ((hu > BONE_ABOVE_HU) & (oil == 0))
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
    return Voxels(case=near, makeup=made, oil_frac=oil)


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


def _box_around(case: Case, grid: Grid) -> tuple[Corner, Corner]:
    """The voxels, first and past the last, that a simulated box reaches, with some around it."""
    ijk = case.grid.to_ijk(_corners_lps_mm(grid))
    low, high = np.floor(ijk.min(axis=0)).astype(int) - 2, np.ceil(ijk.max(axis=0)).astype(int) + 3
    return tuple(low.tolist()), tuple(high.tolist())


def _near(case: Case, low: Corner, high: Corner) -> Case:
    """The case cropped to a box of voxels, with the structures that reach into it."""
    box = case.grid.cropped(np.asarray(low), np.asarray(high))
    first = np.rint(case.grid.to_ijk(box.to_lps([0, 0, 0]))).astype(int)
    cut = tuple(slice(int(a), int(a) + n) for a, n in zip(first, box.shape, strict=True))
    kept = tuple(
        replace(structure, inside=structure.inside[cut].copy()) for structure in case.structures
        if structure.inside[cut].any()
    )  # fmt: skip
    ct = Volume(grid=box, values=case.ct.values[cut].copy(), unit=case.ct.unit)
    return replace(case, ct=ct, structures=kept, phases={})


def _parts(case: Case, grid: Grid) -> Corner:
    """Into how many parts voxels are cut along each axis, where cells are finer: thick slices are no steps."""
    found = np.clip(np.rint(case.grid.spacing_mm / grid.spacing_mm.min()).astype(int), 1, MOST_PARTS)
    return int(found[0]), int(found[1]), int(found[2])


def _finer(case: Case, parts: Corner) -> Case:
    """The case with each voxel cut into parts: HU linear between the voxels' centers, structures as they are."""
    if parts == (1, 1, 1):
        return case
    matrix = case.grid.matrix.copy()
    matrix[:3, :3] = matrix[:3, :3] / parts
    matrix[:3, 3] = case.grid.to_lps(0.5 / np.array(parts) - 0.5)
    hu, structures = case.ct.values.astype(np.float32), case.structures
    for axis, count in enumerate(parts):
        hu = _between(hu, count, axis)
        structures = tuple(replace(item, inside=item.inside.repeat(count, axis)) for item in structures)
    grid = Grid(shape=hu.shape, lps_from_ijk=as_matrix4(matrix))
    return replace(case, ct=Volume(grid=grid, values=hu, unit=case.ct.unit), structures=structures)


def _between(values: Array, count: int, axis: int) -> Array:
    """Linear values at the centers of `count` parts of each voxel along an axis; constant beyond the last centers."""
    last = values.shape[axis] - 1
    place = np.clip((np.arange(count * (last + 1)) + 0.5) / count - 0.5, 0, last)
    first = np.minimum(place.astype(int), max(last - 1, 0))
    share = (place - first).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    below, above = values.take(first, axis), values.take(np.minimum(first + 1, last), axis)
    return below + share * (above - below)


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
