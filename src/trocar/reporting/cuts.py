"""Values on a picture's plane, read from the part of a volume that the plane needs."""

import numpy as np

from trocar.imaging.resample import sample
from trocar.imaging.surface import slices
from trocar.model.space import Array, Grid
from trocar.reporting.planes import Plane


def cut(values: Array, grid: Grid, plane: Plane, pixels: int, *, outside: float) -> Array:
    """(pixels, pixels) trilinear values on the plane, the first row on top; `outside` beyond the volume."""
    points = plane.points(pixels)
    box = around(grid, points[[0, 0, -1, -1], [0, -1, 0, -1]])
    if box is None:
        return np.full((pixels, pixels), outside, dtype=np.float32)
    part, cropped = box
    return sample(values[part].astype(np.float32), cropped, points, outside=outside)


def around(grid: Grid, points_lps_mm: Array, *, margin_mm: float = 0.0) -> tuple[tuple[slice, ...], Grid] | None:
    """The box of voxels that (n, 3) points and a margin need, and its grid; None where it lies beyond the volume."""
    ijk, margin = grid.to_ijk(points_lps_mm), margin_mm / grid.spacing_mm
    first, last = ijk.min(axis=0) - margin, ijk.max(axis=0) + margin
    if np.any(last < 0) or np.any(first > np.asarray(grid.shape) - 1):
        return None
    low = np.clip(np.floor(first).astype(int) - 1, 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(last).astype(int) + 2, low + 1, grid.shape)
    return slices(low, high), grid.cropped(low, high)
