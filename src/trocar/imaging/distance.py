"""Distances between surfaces, to a fraction of a voxel."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from trocar.imaging.resample import sample
from trocar.imaging.surface import Mesh, bounds, mask_surface
from trocar.model.case import Structure
from trocar.model.space import Array, Grid

FEW_POINTS = 1_000  # of a surface, before its nearest part is looked at closely


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
    distance, nearest = ndimage.distance_transform_edt(region, sampling=spacing_mm, return_indices=True)
    offset = (np.indices(region.shape, dtype=np.float32) - nearest) * spacing_mm[:, None, None, None]
    length = np.maximum(distance, 1e-6)
    half = 0.5 * np.sqrt(sum((offset[axis] / length * spacing_mm[axis]) ** 2 for axis in range(3)))
    return np.maximum(distance - half, 0.0)


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
    rings = []
    for start, end in pairwise(centerline_lps_mm):
        along = end - start
        length = float(np.linalg.norm(along))
        if length == 0:
            continue
        axis = along / length
        side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        steps = np.linspace(0.0, 1.0, max(2, int(np.ceil(length / step_mm)) + 1))
        turns = np.linspace(0, 2 * np.pi, max(8, int(2 * np.pi * radius_mm / step_mm)), endpoint=False)
        circle = radius_mm * (np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * other)
        rings.append((start + steps[:, None] * along)[:, None] + circle[None])
    return np.concatenate([ring.reshape(-1, 3) for ring in rings])


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """`distance_mm` between two surfaces and the nearest point on each; 0 and one shared point when they overlap."""

    distance_mm: float
    on_first_lps_mm: Array
    on_second_lps_mm: Array


def gap(first: Structure, second: Structure, grid: Grid) -> tuple[float, Array, Array]:
    """The distance in mm between two structures' surfaces and the nearest points on each; 0 when they overlap.

    Where they overlap, both points are the same one, inside both. Infinite when one is empty.
    """
    found = gaps(first, (second,), grid)[0]
    return found.distance_mm, found.on_first_lps_mm, found.on_second_lps_mm


def gaps(first: Structure, others: Iterable[Structure], grid: Grid) -> tuple[Gap, ...]:
    """The gap from one structure to each of the others, in their order; the first's surface is made once."""
    if not first.inside.any():
        return tuple(_nothing() for _ in others)
    surroundings = _Surroundings(first, grid)
    return tuple(surroundings.gap_to(other) for other in others)


class _Surroundings:
    """One structure's surface, made ready to find what of others is near: all points, and a few that bound them.

    No point of the surface is farther than `slack_mm` from one of the few, so a distance to the few is at most
    that much above the true one.
    """

    def __init__(self, first: Structure, grid: Grid) -> None:
        self.first, self.grid = first, grid
        points = surface_points(first, grid)
        few = points[:: max(1, len(points) // FEW_POINTS)]
        self.tree, self.few = cKDTree(points), cKDTree(few)
        self.slack_mm = float(self.few.query(points)[0].max())
        low, high = (np.asarray(edge) for edge in zip(*bounds(first.inside), strict=True))
        self.box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        low, high = np.maximum(low - 2, 0), np.minimum(high + 2, grid.shape)
        self.around = grid.cropped(low, high)
        self.depth = distance_field(
            first.inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], self.around
        )

    def gap_to(self, other: Structure) -> Gap:
        shared = self._shared_point(other)
        if shared is not None:
            return Gap(0.0, shared, shared)
        points = self._near_surface(other)
        if not len(points):
            return _nothing()
        points = points[self._near(points, 0.0)]
        distances, index = self.tree.query(points)
        best = int(np.argmin(distances))
        return Gap(float(distances[best]), np.asarray(self.tree.data[index[best]]), points[best])

    def _near(self, points: Array, more_mm: float) -> Array:
        """Indices of the points that may be nearest, or up to `more_mm` farther than the nearest."""
        thinned = points[:: max(1, len(points) // FEW_POINTS)]
        within = float(self.few.query(thinned)[0].min()) + more_mm
        low, high = self.tree.mins, self.tree.maxes
        beyond = np.linalg.norm(np.maximum(np.maximum(low - points, points - high), 0.0), axis=1)
        near = np.flatnonzero(beyond <= within)
        distances = self.few.query(points[near], distance_upper_bound=within + self.slack_mm + 1e-6)[0]
        return np.asarray(near[distances <= distances.min() + more_mm + self.slack_mm])

    def _shared_point(self, other: Structure) -> Array | None:
        """The point of the overlap nearest its middle, or None; a curve's exact tube decides before its voxels."""
        if other.centerline_lps_mm and other.diameter_mm:
            tube = surface_points(other, self.grid)
            common = tube[sample(self.depth, self.around, tube, outside=np.inf) < 0]
        else:
            overlap = np.argwhere(self.first.inside[self.box] & other.inside[self.box])
            common = self.grid.to_lps(overlap + [part.start for part in self.box])
        if not len(common):
            return None
        return np.asarray(common[np.argmin(np.linalg.norm(common - common.mean(axis=0), axis=1))])

    def _near_surface(self, other: Structure) -> Array:
        """(n, 3) points of the part of a structure's surface that can be nearest."""
        if other.centerline_lps_mm and other.diameter_mm:
            return surface_points(other, self.grid)
        if not other.inside.any():
            return np.zeros((0, 3))
        ijk = boundary_voxels(other.inside)
        candidates = ijk[self._near(self.grid.to_lps(ijk), 2 * float(np.linalg.norm(self.grid.spacing_mm)))]
        start = np.maximum(candidates.min(axis=0) - 3, 0)
        stop = np.minimum(candidates.max(axis=0) + 4, self.grid.shape)
        cut = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        mesh = mask_surface(other.inside[cut], self.grid.cropped(start, stop))
        return np.concatenate([mesh.vertices_lps_mm, mesh.face_centers_lps_mm])


def _nothing() -> Gap:
    return Gap(np.inf, np.full(3, np.nan), np.full(3, np.nan))


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
