"""Surfaces of masks and fields as triangle meshes in patient space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from skimage import measure

from trocar.model.space import Array, Grid


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """`vertices_lps_mm` (n, 3) and `faces` (m, 3) indices, wound so that normals point out of the inside."""

    vertices_lps_mm: Array
    faces: Array

    @property
    def face_areas_mm2(self) -> Array:
        """(m,) triangle areas."""
        a, b, c = (self.vertices_lps_mm[self.faces[:, n]] for n in range(3))
        return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)

    @property
    def volume_ml(self) -> float:
        """Enclosed volume (divergence theorem); positive for outward normals."""
        a, b, c = (self.vertices_lps_mm[self.faces[:, n]] for n in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6000.0

    @property
    def face_centers_lps_mm(self) -> Array:
        return self.vertices_lps_mm[self.faces].mean(axis=1)


EMPTY = Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))


def level_surface(values: Array, grid: Grid, level: float) -> Mesh:
    """The surface `values == level`, normals towards lower values; empty where the level is not reached.

    Values beyond the grid count as outside, so that the mesh is closed.
    """
    if not (np.nanmin(values) < level < np.nanmax(values)):
        return EMPTY
    floor = float(np.nanmin(values)) - abs(level - float(np.nanmin(values)))
    padded = np.pad(np.asarray(values, dtype=np.float32), 1, constant_values=floor)
    vertices, faces, _, _ = measure.marching_cubes(padded, level, gradient_direction="descent")
    inward = np.linalg.det(grid.matrix[:3, :3]) > 0  # as they come; a left-handed grid turns the triangles over
    return Mesh(grid.to_lps(vertices - 1.0), (faces[:, ::-1] if inward else faces).astype(np.int64))


def occupancy(inside: Array, grid: Grid, *, smoothing_mm: float = 0.5) -> Array:
    """A mask blurred by a Gaussian of `smoothing_mm`; its one-half level is the mask's sub-voxel surface."""
    return ndimage.gaussian_filter(inside.astype(np.float32), smoothing_mm / grid.spacing_mm, mode="constant")


def mask_surface(inside: Array, grid: Grid, *, smoothing_mm: float = 0.5) -> Mesh:
    """The sub-voxel surface of a mask; the unsmoothed one where smoothing would erase a thin structure."""
    if not inside.any():
        return EMPTY
    low, high = grown_bounds(inside, np.ceil(4 * smoothing_mm / grid.spacing_mm).astype(int) + 1)
    box = inside[slices(low, high)]
    smooth = occupancy(box, grid, smoothing_mm=smoothing_mm)
    field = smooth if smooth.max() > 0.6 else box.astype(np.float32)
    return level_surface(field, grid.cropped(low, high), 0.5)


def bounds(inside: Array) -> tuple[tuple[int, int], ...]:
    """(low, high) index ranges of the true voxels along each axis, high exclusive; there must be one."""
    across = np.any(inside, axis=2)
    (i0, i1), (j0, j1) = _ends(np.any(across, axis=1)), _ends(np.any(across, axis=0))
    return (i0, i1), (j0, j1), _ends(np.any(inside[i0:i1, j0:j1], axis=(0, 1)))


def grown_bounds(inside: Array, reach: ArrayLike) -> tuple[Array, Array]:
    """(3,) low and high indices of the box that goes `reach` voxels (one number, or one an axis) beyond a mask's.

    It ends where the grid does; high is exclusive; there must be a true voxel.
    """
    low, high = (np.asarray(edge) for edge in zip(*bounds(inside), strict=True))
    return np.maximum(low - reach, 0), np.minimum(high + reach, inside.shape)


def window(inside: Array, grid: Grid, reach_mm: float) -> tuple[tuple[slice, ...], Grid]:
    """The box that goes a distance and a voxel beyond a mask's, as slices and as a grid."""
    low, high = grown_bounds(inside, np.ceil(reach_mm / grid.spacing_mm).astype(int) + 1)
    return slices(low, high), grid.cropped(low, high)


def slices(low: Array, high: Array) -> tuple[slice, slice, slice]:
    """What cuts the box between two corners out of an array."""
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def _ends(line: Array) -> tuple[int, int]:
    true = np.flatnonzero(line)
    return int(true[0]), int(true[-1]) + 1


def closed(inside: Array, grid: Grid, *, gap_mm: float) -> Array:
    """A mask closed across gaps of up to `gap_mm`, as between two bones of a joint that a screw bridges."""
    steps = np.maximum(1, np.round(gap_mm / 2 / grid.spacing_mm)).astype(int)
    axes = [np.arange(-n, n + 1) / (n + 0.25) for n in steps]
    ball = sum(part**2 for part in np.ix_(*axes)) <= 1.0
    wide = int(steps.max()) + 3
    filled = ndimage.binary_closing(np.pad(inside, wide), structure=ball)
    return np.asarray(filled[wide:-wide, wide:-wide, wide:-wide])
