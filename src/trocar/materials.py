"""From a CT and its structures to the tissue of every simulated cell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise, product

import numpy as np
from scipy import ndimage

from trocar.catalog.tissues import SOLIDUS_DEGC, Tissue, ice_slope_per_K, tissues, tumor_perfusion
from trocar.imaging.resample import resample, sample
from trocar.imaging.surface import bounds
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement
from trocar.physics.medium import Freezing, Medium

REST_DEGC = 37.0
LIQUIDUS_DEGC = -1.0
SKIN_EXCHANGE_W_PER_M2K = 10.0  # still air or a cover (thermal reference 4.4)
AIR_BELOW_HU, FAT_HU, WATERY_HU, BONE_ABOVE_HU = -300.0, -100.0, 40.0, 300.0
CANCELLOUS_HU, CORTICAL_HU = 200.0, 1200.0
SINK_RADIUS_MM = 1.25  # vessels at least this wide (S: >= 2-3 mm across) keep blood's temperature

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
ORGANS = {"kidney": "kidney", "liver": "liver"}


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
    case: Case, grid: Grid, *, implants: Sequence[Placement] = (), cement_frac: Array | None = None
) -> TissueMap:
    """The tissue of each cell of an isotropic grid: HU first, structures over it, then vessels, implants and cement."""
    native = _native(case, grid)
    fields = {name: values.copy() for name, values in native.fields.items()}
    for shaft in implants:
        _blend(fields, _cylinder_frac(shaft, grid), tissues()["titanium"])
    if cement_frac is not None:
        _blend(fields, cement_frac, tissues()["cement"])
    return TissueMap(
        grid=grid,
        medium=_medium(fields, grid, held=native.held, outside=native.outside),
        lesion=native.lesion,
        bone=native.bone,
        water_frac=fields["water_frac"],
        caveats=native.caveats,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Native:
    """The tissue as the planning CT shows it, before any treatment."""

    fields: dict[str, Array]
    held: Array
    outside: Array
    lesion: Array
    bone: Array
    caveats: tuple[str, ...]


@lru_cache(maxsize=2)
def _native(case: Case, grid: Grid) -> _Native:
    near = _near(case, grid)
    hu = resample(near.ct, grid, outside=-1000.0).values.astype(np.float32)
    fields = _soft_tissue(hu)
    for role, name in TISSUE_OF_ROLE.items():
        for structure in near.with_role(role):
            inside = _onto(structure, near.grid, grid) & (hu > AIR_BELOW_HU if role is not Role.LUNG else True)
            _assign(fields, inside, tissues()[_organ(structure, name)])
        if role is Role.SKIN:
            bone = _union(near, grid, Role.BONE) | (hu > BONE_ABOVE_HU)
            _mix(fields, bone, _share(hu, CANCELLOUS_HU, CORTICAL_HU), "cancellous_bone", "cortical_bone")
            lesion = _union(near, grid, Role.LESION)
            _lesions(fields, near, grid, hu)
    outside = _outside(case, near, grid, hu)
    for implant in near.with_role(Role.IMPLANT):
        _assign(fields, _onto(implant, near.grid, grid), tissues()["titanium"])
    for filled in near.with_role(Role.CEMENT):
        _assign(fields, _onto(filled, near.grid, grid), tissues()["cement"])
    return _Native(
        fields=fields,
        held=_vessels(near, grid) | outside,
        outside=outside,
        lesion=lesion,
        bone=bone,
        caveats=_caveats(case, near, grid),
    )


def _row(tissue: Tissue) -> dict[str, float]:
    return {
        "unfrozen_W_per_mK": tissue.conductivity_W_per_mK,
        "frozen_W_per_mK": tissue.frozen_at_solidus_W_per_mK(ice_slope_per_K()),
        "unfrozen_J_per_m3K": tissue.unfrozen_J_per_m3K,
        "frozen_J_per_m3K": tissue.frozen_J_per_m3K,
        "latent_J_per_m3": tissue.latent_J_per_m3,
        "perfusion_W_per_m3K": tissue.perfusion_W_per_m3K,
        "water_frac": tissue.water_kg_per_m3 / 1000.0,
    }


def _share(hu: Array, low_HU: float, high_HU: float) -> Array:
    return np.clip((hu - low_HU) / (high_HU - low_HU), 0.0, 1.0)


def _soft_tissue(hu: Array) -> dict[str, Array]:
    """Gas, fat and watery tissue by HU alone; between fat and water by share."""
    watery = _share(hu, FAT_HU, WATERY_HU)
    fat, muscle, gas = (_row(tissues()[name]) for name in ("fat", "muscle", "gas"))
    fields = {name: (fat[name] + (muscle[name] - fat[name]) * watery).astype(np.float32) for name in fat}
    for name, values in fields.items():
        values[hu < AIR_BELOW_HU] = gas[name]
    return fields


def _assign(fields: dict[str, Array], inside: Array, tissue: Tissue) -> None:
    for name, value in _row(tissue).items():
        fields[name][inside] = value


def _blend(fields: dict[str, Array], share: Array, tissue: Tissue) -> None:
    """A share of each cell's volume becomes the tissue."""
    where = share > 0
    for name, value in _row(tissue).items():
        fields[name][where] += share[where] * (value - fields[name][where])


def _mix(fields: dict[str, Array], inside: Array, share: Array, low: str, high: str) -> None:
    first, second = _row(tissues()[low]), _row(tissues()[high])
    part = share[inside]
    for name in first:
        fields[name][inside] = first[name] + part * (second[name] - first[name])


def _lesions(fields: dict[str, Array], case: Case, grid: Grid, hu: Array) -> None:
    """Soft-tissue metastasis, towards cortical bone where its HU rises (sclerosis, remaining bone)."""
    for lesion in case.lesions:
        inside = _onto(lesion, case.grid, grid)
        prior = tumor_perfusion(case.context(lesion.name).vascularity_grade)
        tumor = replace(tissues()["soft_metastasis"], perfusion_ml_per_min_kg=prior.perfusion_ml_per_min_kg)
        _assign(fields, inside, tumor)
        mineral = np.where(inside, _share(hu, CANCELLOUS_HU, CORTICAL_HU), 0.0)
        _blend(fields, mineral, tissues()["cortical_bone"])


def _medium(fields: dict[str, Array], grid: Grid, *, held: Array, outside: Array) -> Medium:
    shape = grid.shape
    return Medium(
        spacing_m=float(grid.spacing_mm[0]) / 1000.0,
        unfrozen_W_per_mK=fields["unfrozen_W_per_mK"],
        frozen_W_per_mK=fields["frozen_W_per_mK"],
        unfrozen_J_per_m3K=fields["unfrozen_J_per_m3K"],
        frozen_J_per_m3K=fields["frozen_J_per_m3K"],
        latent_J_per_m3=fields["latent_J_per_m3"],
        perfusion_W_per_m3K=fields["perfusion_W_per_m3K"],
        solidus_degC=np.full(shape, SOLIDUS_DEGC, np.float32),
        liquidus_degC=np.full(shape, LIQUIDUS_DEGC, np.float32),
        held=held,
        held_degC=np.full(shape, REST_DEGC, np.float32),
        rest_degC=REST_DEGC,
        freezing=Freezing(solidus_degC=SOLIDUS_DEGC, liquidus_degC=LIQUIDUS_DEGC, ice_slope_per_K=ice_slope_per_K()),
        exchange_W_per_m2K=SKIN_EXCHANGE_W_PER_M2K,
        outside=outside,
    )


def _organ(structure: Structure, otherwise: str) -> str:
    return next((tissue for word, tissue in ORGANS.items() if word in structure.name), otherwise)


# --- geometry


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


def _onto(structure: Structure, grid: Grid, onto: Grid) -> Array:
    """A structure on the simulation grid; a nerve given as a curve by its exact tube."""
    if structure.role is Role.NERVE and structure.centerline_lps_mm and structure.diameter_mm:
        return _tube(structure, onto)
    placed = np.zeros(onto.shape, dtype=bool)
    if not structure.inside.any():
        return placed
    edges = np.array(list(product(*((low - 0.5, high - 0.5) for low, high in bounds(structure.inside)))))
    low, high = _box(grid.to_lps(edges), float(onto.spacing_mm.max()), onto)
    if (high <= low).any():
        return placed
    ijk_from_ijk = grid.ijk_from_lps @ onto.matrix
    axes = ijk_from_ijk[:3, :3]
    placed[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = ndimage.affine_transform(
        structure.inside, axes, ijk_from_ijk[:3, 3] + axes @ low, output_shape=tuple(high - low), order=0, cval=False
    )
    return placed


def _union(case: Case, grid: Grid, role: Role) -> Array:
    inside = np.zeros(grid.shape, dtype=bool)
    for structure in case.with_role(role):
        inside |= _onto(structure, case.grid, grid)
    return inside


def _tube(structure: Structure, grid: Grid) -> Array:
    """Cells whose center lies within the tube, or the nearest ones to its axis where it is thinner than a cell."""
    inside = np.zeros(grid.shape, dtype=bool)
    reach = max(float(structure.diameter_mm or 0) / 2, float(grid.spacing_mm.max()) / 2)
    points = np.asarray(structure.centerline_lps_mm)
    for start, end in pairwise(points):
        low, high = _box(np.stack([start, end]), reach, grid)
        if (high <= low).any():
            continue
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        inside[box] |= _distance(start, end, low, high, grid) <= reach
    return inside


def _box(points_lps_mm: Array, reach_mm: float, grid: Grid) -> tuple[Array, Array]:
    ijk = grid.to_ijk(points_lps_mm)
    reach = reach_mm / grid.spacing_mm
    low = np.clip(np.floor(ijk.min(axis=0) - reach).astype(int), 0, grid.shape)
    return low, np.clip(np.ceil(ijk.max(axis=0) + reach).astype(int) + 1, 0, grid.shape)


def _distance(start: Array, end: Array, low: Array, high: Array, grid: Grid) -> Array:
    """Distances in mm of the cells of a box to a segment."""
    indices = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    offset = grid.to_lps(indices) - start
    along = np.asarray(end, dtype=float) - start
    length = float(np.linalg.norm(along))
    direction = along / length if length else along
    position = np.clip(offset @ direction, 0.0, length)
    return np.linalg.norm(offset - position[..., None] * direction, axis=-1)


def _cylinder_frac(shaft: Placement, grid: Grid) -> Array:
    """[i, j, k] share of each cell inside an implant's cylinder, linear across its surface."""
    share = np.zeros(grid.shape, np.float32)
    radius, spacing = shaft.diameter_mm / 2, float(grid.spacing_mm.max())
    start, end = np.asarray(shaft.entry_lps_mm), np.asarray(shaft.target_lps_mm)
    low, high = _box(np.stack([start, end]), radius + spacing, grid)
    if (high <= low).any():
        return share
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    share[box] = np.clip(0.5 + (radius - _distance(start, end, low, high, grid)) / spacing, 0, 1)
    return share


def _vessels(case: Case, grid: Grid) -> Array:
    """Vessels wide enough to keep blood's temperature whatever lies beside them."""
    wide = np.zeros(grid.shape, dtype=bool)
    for vessel in case.with_role(Role.VESSEL):
        if _inscribed_radius_mm(vessel.inside, case.grid) >= SINK_RADIUS_MM:
            wide |= _onto(vessel, case.grid, grid)
    return wide


def _inscribed_radius_mm(inside: Array, grid: Grid) -> float:
    """Radius of the largest ball that fits a mask."""
    if not inside.any():
        return 0.0
    box = np.pad(inside[tuple(slice(low, high) for low, high in bounds(inside))], 1)
    return float(ndimage.distance_transform_edt(box, sampling=grid.spacing_mm).max())


def _outside(case: Case, near: Case, grid: Grid, hu: Array) -> Array:
    """Air around the body: beyond the body structure, else what is connected to the CT's border; never gas within."""
    beyond = ~case.grid.contains(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)))
    bodies = case.with_role(Role.BODY)
    if bodies:
        here = near.with_role(Role.BODY)
        body = _onto(here[0], near.grid, grid) if here else np.zeros(grid.shape, dtype=bool)
        return (~body & (hu < AIR_BELOW_HU)) | beyond
    return (_air_around(case, grid) & (hu < AIR_BELOW_HU)) | beyond


def _air_around(case: Case, grid: Grid, *, coarse_mm: float = 3.0) -> Array:
    """Air of the whole CT that reaches its sides (i or j), on a simulation grid."""
    step = np.maximum(1, np.rint(coarse_mm / case.grid.spacing_mm).astype(int))
    thin = case.ct.values[:: step[0], :: step[1], :: step[2]] < AIR_BELOW_HU
    label, _ = ndimage.label(thin)
    rim = np.unique(np.concatenate([label[[0, -1]].ravel(), label[:, [0, -1]].ravel()]))
    around = np.isin(label, rim[rim > 0])
    matrix = case.grid.matrix.copy()
    matrix[:3, :3] = matrix[:3, :3] * step
    coarse = Grid(shape=around.shape, lps_from_ijk=tuple(tuple(row) for row in matrix.tolist()))  # type: ignore[arg-type]
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    return sample(around.astype(np.uint8), coarse, points, outside=0, order=0) > 0


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
