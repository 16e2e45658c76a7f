"""Margins: how far a lesion's surface lies inside a zone's, with the interval that the voxels leave open."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from trocar.imaging.fair import fair_depth, fair_surface
from trocar.imaging.resample import sample
from trocar.imaging.surface import EMPTY, Mesh, level_surface
from trocar.model.space import Array, Grid

# Half-width of the interval that holds the true edge, in voxels along the edge's normal; calibrated on analytic
# spheres and ellipsoids in random positions (tests/unit/imaging/test_margin.py).
EDGE_UNCERTAINTY_FRAC = 0.35
FIELD_UNCERTAINTY_FRAC = 0.1  # of a smooth field's level set, which is interpolated and not a staircase


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A closed surface and what is needed to tell its inside: `depth` is positive inside, 0 on the surface."""

    surface: Mesh
    depth: Array
    grid: Grid
    edge_frac: float

    def contains(self, points_lps_mm: Array) -> Array:
        """(n,) whether points lie inside."""
        return sample(self.depth, self.grid, points_lps_mm, outside=-1.0) > 0


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceMargin:
    """Signed distances in mm from a lesion's surface to a zone's, positive inside; figures over assessable surface."""

    minimum_mm: float
    interval_mm: tuple[float, float]
    p1_mm: float
    p5_mm: float
    assessable_frac: float
    where_lps_mm: Array
    below_0_mm2: float
    below_5_mm2: float


def mask_zone(inside: Array, grid: Grid) -> Zone:
    """The zone of a mask."""
    if not inside.any():
        return Zone(EMPTY, np.full(grid.shape, -1.0, dtype=np.float32), grid, EDGE_UNCERTAINTY_FRAC)
    depth, around = fair_depth(inside, grid)
    return Zone(level_surface(depth, around, 0.0), depth, around, EDGE_UNCERTAINTY_FRAC)


def cold_zone(temperature_degC: Array, grid: Grid, level_degC: float) -> Zone:
    """The zone colder than a temperature."""
    depth = np.float32(level_degC) - temperature_degC.astype(np.float32)
    return Zone(level_surface(depth, grid, 0.0), depth, grid, FIELD_UNCERTAINTY_FRAC)


def surface_margin(
    lesion: Array, grid: Grid, zone: Zone, *, assessable: Array | None = None, uncertainty_mm: float = 0.0
) -> SurfaceMargin | None:
    """The margins of a lesion's mask to a zone; None when the zone is empty or no surface is assessable.

    `assessable` is a mask on the lesion's grid where the zone can be judged. `uncertainty_mm` (one half-width, such as
    a registration's residual) is added to that of both edges in quadrature.
    """
    surface = fair_surface(lesion, grid)
    if not len(surface.faces) or not len(zone.surface.faces):
        return None
    points, areas = surface.face_centers_lps_mm, surface.face_areas_mm2
    margins, edge, outward = signed_margins(points, zone)
    judged = np.ones(len(points), dtype=bool)
    if assessable is not None:
        # A zone that ends where nothing can be seen has not been seen to end there.
        beyond = edge + 1.5 * _voxel_along(outward, zone.grid)[:, None] * outward
        seen = assessable.astype(np.float32)
        for places in (points, beyond):
            judged &= sample(seen, grid, places, outside=0.0) >= 0.5
    if not judged.any():
        return None
    margins, points, outward = margins[judged], points[judged], outward[judged]
    own = face_normals(surface)[judged]
    doubt = np.sqrt(
        (EDGE_UNCERTAINTY_FRAC * _voxel_along(own, grid)) ** 2
        + (zone.edge_frac * _voxel_along(outward, zone.grid)) ** 2
        + uncertainty_mm**2
    )
    weight = areas[judged]
    worst = int(np.argmin(margins))
    return SurfaceMargin(
        minimum_mm=float(margins[worst]),
        interval_mm=(float(np.min(margins - doubt)), float(np.min(margins + doubt))),
        p1_mm=_percentile(margins, weight, 0.01),
        p5_mm=_percentile(margins, weight, 0.05),
        assessable_frac=float(weight.sum() / areas.sum()),
        where_lps_mm=points[worst],
        below_0_mm2=float(weight[margins < 0].sum()),
        below_5_mm2=float(weight[margins < 5].sum()),
    )


def signed_margins(points_lps_mm: Array, zone: Zone) -> tuple[Array, Array, Array]:
    """(n,) signed distances to a zone's surface, positive inside; (n, 3) its nearest points and its normals there."""
    centers, normals = zone.surface.face_centers_lps_mm, face_normals(zone.surface)
    distance, index = cKDTree(centers).query(points_lps_mm)
    return np.where(zone.contains(points_lps_mm), distance, -distance), centers[index], normals[index]


def face_normals(mesh: Mesh) -> Array:
    """(m, 3) outward unit normals."""
    a, b, c = (mesh.vertices_lps_mm[mesh.faces[:, n]] for n in range(3))
    normal = np.cross(b - a, c - a)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12))


def _voxel_along(directions: Array, grid: Grid) -> Array:
    """(n,) the voxel's size along each direction."""
    return np.linalg.norm((directions @ grid.directions) * grid.spacing_mm, axis=1)


def _percentile(values: Array, weights: Array, share: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])
