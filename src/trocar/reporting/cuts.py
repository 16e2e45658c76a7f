"""Values on a picture's plane, read from the part of a volume that the plane needs."""

import numpy as np

from trocar.imaging.resample import sample
from trocar.model.space import Array, Grid
from trocar.reporting.planes import Plane

PIXELS = 340  # of a picture of the CT; lines are drawn from half as many
SIZE = 680  # of the drawing, in its own units


def cut(values: Array, grid: Grid, plane: Plane, pixels: int, *, outside: float) -> Array:
    """(pixels, pixels) trilinear values on the plane, the first row on top; `outside` beyond the volume."""
    points = plane.points(pixels)
    ijk = grid.to_ijk(points[[0, 0, -1, -1], [0, -1, 0, -1]])
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int) - 1, 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(ijk.max(axis=0)).astype(int) + 2, low + 1, grid.shape)
    if np.any(ijk.max(axis=0) < 0) or np.any(ijk.min(axis=0) > np.asarray(grid.shape) - 1):
        return np.full((pixels, pixels), outside, dtype=np.float32)
    part = values[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    return sample(part.astype(np.float32), grid.cropped(low, high), points, outside=outside)
