"""How far structures lie from each other, surface to surface, with the nearest points."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from trocar.imaging.distance import boundary_voxels, distance_field, surface_points
from trocar.imaging.fair import fair_surface
from trocar.imaging.resample import sample
from trocar.imaging.surface import grown_bounds, mask_surface, slices
from trocar.model.case import Structure
from trocar.model.space import Array, Grid

FEW_POINTS = 1_000  # of a surface, before its nearest part is looked at closely
FAIR_WITHIN_MM = 40.0  # nearer than this, a fraction of a voxel matters


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
        points = _points(first, grid)
        few = points[:: max(1, len(points) // FEW_POINTS)]
        self.tree, self.few = cKDTree(points), cKDTree(few)
        self.slack_mm = float(self.few.query(points)[0].max())
        self.box = slices(*grown_bounds(first.inside, 0))
        low, high = grown_bounds(first.inside, 2)
        self.around = grid.cropped(low, high)
        self.depth = distance_field(first.inside[slices(low, high)], self.around)

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
        reach = np.ceil(4 * self.grid.spacing_mm.max() / self.grid.spacing_mm).astype(int)
        start = np.maximum(candidates.min(axis=0) - reach, 0)
        stop = np.minimum(candidates.max(axis=0) + reach + 1, self.grid.shape)
        cut = slices(start, stop)
        near = float(self.few.query(self.grid.to_lps(candidates))[0].min()) <= FAIR_WITHIN_MM
        mesh = (fair_surface if near else mask_surface)(other.inside[cut], self.grid.cropped(start, stop))
        return np.concatenate([mesh.vertices_lps_mm, mesh.face_centers_lps_mm])


def _nothing() -> Gap:
    return Gap(np.inf, np.full(3, np.nan), np.full(3, np.nan))


def _points(structure: Structure, grid: Grid) -> Array:
    """(n, 3) points on a structure's surface: of its tube when it is a curve, else of its fair surface."""
    if structure.centerline_lps_mm and structure.diameter_mm:
        return surface_points(structure, grid)
    mesh = fair_surface(structure.inside, grid)
    return np.concatenate([mesh.vertices_lps_mm, mesh.face_centers_lps_mm])
