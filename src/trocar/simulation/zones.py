"""Zones of cold against the lesion: volume, coverage and margin, to a fraction of a cell."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from trocar.imaging.resample import sample
from trocar.imaging.surface import EMPTY, Mesh, grown_bounds, level_surface, mask_surface, slices
from trocar.model.case import Case, Role
from trocar.model.finding import Zone, ZoneCoverage
from trocar.model.space import Array, Grid, as_vector
from trocar.simulation.domain import lesion_points

TEMPERATURES_DEGC = (10, 0, -20, -40)
MOST_SURFACE_POINTS = 6000


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A lesion as zones are measured on it: voxel centers, which of them lie in bone, and its surface."""

    name: str
    points_lps_mm: Array
    in_bone: Array
    surface_lps_mm: Array


def target(case: Case, name: str) -> Target:
    """The lesion on the CT's own voxels; its bone compartment is what lies inside the intact bone's outline."""
    inside = case.structure(name).inside
    bone = np.zeros(case.grid.shape, dtype=bool)
    for structure in case.with_role(Role.BONE):
        bone |= structure.inside
    surface = mask_surface(inside, case.grid).vertices_lps_mm
    stride = max(1, len(surface) // MOST_SURFACE_POINTS)
    return Target(name, lesion_points(case, name), bone[inside], surface[::stride])


def zone_name(temperature_degC: int) -> str:
    """The key of a zone in results."""
    return f"{temperature_degC}_degC"


def ice_mesh(minimum_degC: Array, grid: Grid, level_degC: float) -> Mesh:
    """The surface inside which it was colder than a temperature; empty where it never was."""
    cold = minimum_degC < level_degC
    if not cold.any():
        return EMPTY
    low, high = grown_bounds(cold, 2)
    part = minimum_degC[slices(low, high)]
    return level_surface(-part, grid.cropped(low, high), -level_degC)


def mesh_points(mesh: Mesh) -> Array:
    """(n, 3) points dense enough that the nearest stands for the surface: corners, edge and face centers."""
    a, b, c = (mesh.vertices_lps_mm[mesh.faces[:, n]] for n in range(3))
    return np.concatenate([mesh.vertices_lps_mm, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3])


def zone(minimum_degC: Array, grid: Grid, level_degC: float, lesion: Target, mesh: Mesh) -> Zone:
    """One zone against one lesion."""
    frozen = sample(minimum_degC, grid, lesion.points_lps_mm, outside=np.inf) < level_degC
    margin, where = _minimal_margin(minimum_degC, grid, level_degC, lesion, mesh)
    return Zone(
        volume_ml=round(mesh.volume_ml, 3) if mesh.faces.size else 0.0,
        coverage_frac=ZoneCoverage(
            lesion=float(frozen.mean()),
            bone=float(frozen[lesion.in_bone].mean()) if lesion.in_bone.any() else None,
            soft_tissue=float(frozen[~lesion.in_bone].mean()) if (~lesion.in_bone).any() else None,
        ),
        minimal_margin_mm=margin,
        minimal_margin_lps_mm=where,
    )


def _minimal_margin(
    minimum_degC: Array, grid: Grid, level_degC: float, lesion: Target, mesh: Mesh
) -> tuple[float | None, tuple[float, float, float] | None]:
    """The least signed distance from the lesion's surface to the zone's, and the point of the lesion it is at."""
    if not mesh.faces.size:
        return None, None
    covered = sample(minimum_degC, grid, lesion.surface_lps_mm, outside=np.inf) < level_degC
    side = np.where(covered, 1.0, -1.0)
    rough, _ = cKDTree(mesh.vertices_lps_mm).query(lesion.surface_lps_mm, workers=-1)
    order = np.argsort(side * rough)
    likely = order[(side * rough)[order] <= (side * rough)[order[0]] + float(grid.spacing_mm.max())]
    distance, _ = cKDTree(mesh_points(mesh)).query(lesion.surface_lps_mm[likely], workers=-1)
    least = int(np.argmin(side[likely] * distance))
    return round(float(side[likely[least]] * distance[least]), 3), as_vector(lesion.surface_lps_mm[likely[least]])


def kill_coverage(kill: Array, grid: Grid, lesion: Target) -> ZoneCoverage:
    """The mean probability of a kill over a lesion and its compartments."""
    share = sample(kill, grid, lesion.points_lps_mm, outside=0.0)
    bone, soft = share[lesion.in_bone], share[~lesion.in_bone]
    return ZoneCoverage(
        lesion=float(share.mean()),
        bone=float(bone.mean()) if bone.size else None,
        soft_tissue=float(soft.mean()) if soft.size else None,
    )


def zones(minimum_degC: Array, grid: Grid, lesion: Target) -> tuple[dict[str, Zone], Mesh]:
    """Every zone by name, and the surface of the visible ice (0 degC)."""
    meshes = {level: ice_mesh(minimum_degC, grid, level) for level in TEMPERATURES_DEGC}
    found = {zone_name(level): zone(minimum_degC, grid, level, lesion, mesh) for level, mesh in meshes.items()}
    return found, meshes[0]
