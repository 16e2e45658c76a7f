"""Distances between surfaces, to a fraction of a voxel."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from trocar.imaging.resample import sample
from trocar.imaging.surface import Mesh, bounds, grown_bounds, mask_surface, slices
from trocar.model.case import Structure
from trocar.model.space import Array, Grid


def distance_field(inside: Array, grid: Grid) -> Array:
    """[i, j, k] signed millimeters from each voxel center to the mask's boundary, negative inside.

    The boundary is taken half way between the centers on its two sides, so a plane is exact at any spacing and a
    curved surface is good to a fraction of a voxel. All +inf for an empty mask, all -inf for a full one.
    """
    if not inside.any():
        return np.full(grid.shape, np.inf, dtype=np.float32)
    if inside.all():
        return np.full(grid.shape, -np.inf, dtype=np.float32)
    spacing = grid.spacing_mm
    outer, inner = (_to_boundary(region, spacing) for region in (~inside, inside))
    return np.where(inside, -inner, outer).astype(np.float32)


def _to_boundary(region: Array, spacing_mm: Array) -> Array:
    """Distance of each voxel of a region to the nearest voxel outside it, less half a voxel along that way."""
    distance, nearest = to_nearest(region, spacing_mm)
    across = np.zeros(region.shape, np.float32)
    for axis, offset in _offsets_mm(nearest, spacing_mm):
        across += (offset * np.float32(spacing_mm[axis])) ** 2
    half = np.float32(0.5) * np.sqrt(across) / np.maximum(distance, np.float32(1e-6))
    return np.maximum(distance - half, np.float32(0))


def near(inside: Array, spacing_mm: Array, reach_mm: float) -> Array:
    """[i, j, k] voxels whose centers lie within a distance of a center in the mask; none around an empty one."""
    found = np.zeros(inside.shape, bool)
    if inside.any():
        box = slices(*grown_bounds(inside, np.ceil(reach_mm / spacing_mm).astype(int)))
        found[box] = ndimage.distance_transform_edt(~inside[box], sampling=spacing_mm) <= reach_mm
    return found


def to_nearest(region: Array, spacing_mm: Array) -> tuple[Array, Array]:
    """[i, j, k] millimeters from each voxel of a region to the nearest outside it, and (3, i, j, k) that one's indices.

    The whole grid must not be in the region. The distances are made here: scipy would make them in double precision.
    """
    nearest = ndimage.distance_transform_edt(
        region, sampling=spacing_mm, return_distances=False, return_indices=True
    )  # fmt: skip
    square = np.zeros(region.shape, np.float32)
    for _, offset in _offsets_mm(nearest, spacing_mm):
        offset *= offset
        square += offset
    return np.sqrt(square, out=square), nearest


def _offsets_mm(nearest: Array, spacing_mm: Array) -> Iterator[tuple[int, Array]]:
    """Each axis and [i, j, k] how far along it the nearest voxels are."""
    for axis, (there, here) in enumerate(zip(nearest, np.ogrid[tuple(map(slice, nearest.shape[1:]))], strict=True)):
        yield axis, (there - here).astype(np.float32) * np.float32(spacing_mm[axis])


def structure_surface(structure: Structure, grid: Grid) -> Mesh:
    """A structure's sub-voxel surface."""
    return mask_surface(structure.inside, grid)


def surface_points(structure: Structure, grid: Grid, *, step_mm: float = 0.5) -> Array:
    """(n, 3) points on a structure's surface: on the exact tube of a nerve given as a curve, else on its mesh."""
    if structure.centerline_lps_mm and structure.diameter_mm:
        return tube_points(np.asarray(structure.centerline_lps_mm), structure.diameter_mm / 2, step_mm=step_mm)
    mesh = structure_surface(structure, grid)
    return np.concatenate([mesh.vertices_lps_mm, mesh.face_centers_lps_mm])


def tube_points(centerline_lps_mm: Array, radius_mm: float, *, step_mm: float) -> Array:
    """(n, 3) points on the tube around a polyline."""
    along = np.diff(centerline_lps_mm, axis=0)
    length = np.linalg.norm(along, axis=1)
    start, along, length = (values[length > 0] for values in (centerline_lps_mm[:-1], along, length))
    axis = along / length[:, None]
    side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis), axis=1)])
    side /= np.linalg.norm(side, axis=1)[:, None]
    other = np.cross(axis, side)
    turns = np.linspace(0, 2 * np.pi, max(8, int(2 * np.pi * radius_mm / step_mm)), endpoint=False)[:, None]
    circle = radius_mm * (np.cos(turns) * side[:, None] + np.sin(turns) * other[:, None])
    count = np.maximum(2, np.ceil(length / step_mm).astype(int) + 1)
    number = np.repeat(np.arange(len(count)), count)  # of the piece that each ring belongs to
    step = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    middle = start[number] + (step / (count[number] - 1))[:, None] * along[number]
    return np.asarray((middle[:, None] + circle[number]).reshape(-1, 3))


def boundary_voxels(inside: Array) -> Array:
    """(n, 3) indices of the voxels of a mask that have a face on its outside or on the grid's border."""
    limits = bounds(inside)
    box = np.pad(inside[tuple(slice(low, high) for low, high in limits)], 1)
    core = box[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for step in (slice(0, -2), slice(2, None)):
            window = [slice(1, -1)] * 3
            window[axis] = step
            core &= box[tuple(window)]
    edge = box[1:-1, 1:-1, 1:-1] & ~core
    return np.argwhere(edge) + [low for low, _ in limits]


def margins(surface_lps_mm: Array, zone_distance_mm: Array, grid: Grid) -> Array:
    """(n,) signed margins of points to a zone's surface: positive inside the zone, given its signed distance field."""
    return -sample(zone_distance_mm, grid, surface_lps_mm, outside=float(np.abs(zone_distance_mm).max()))
