"""Values between voxels: trilinear sampling, and volumes on another grid."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from trocar.model.space import Array, Grid, Volume, as_matrix4


def sample(values: Array, grid: Grid, points_lps_mm: ArrayLike, *, outside: float, order: int = 1) -> Array:
    """(...) values at (..., 3) points, trilinear (`order` 1) or nearest (0); `outside` beyond the outermost centers."""
    ijk = np.moveaxis(grid.to_ijk(points_lps_mm), -1, 0)
    numbers = values.astype(np.float32) if values.dtype == bool else values
    return ndimage.map_coordinates(numbers, ijk, order=order, mode="constant", cval=outside, prefilter=False)


def resample(volume: Volume, grid: Grid, *, outside: float, order: int = 1) -> Volume:
    """The volume on another grid, trilinear (`order` 1) or nearest (0); `outside` where it does not reach."""
    ijk_from_ijk = volume.grid.ijk_from_lps @ grid.matrix
    values = ndimage.affine_transform(
        volume.values,
        ijk_from_ijk[:3, :3],
        ijk_from_ijk[:3, 3],
        output_shape=grid.shape,
        order=order,
        mode="constant",
        cval=outside,
        prefilter=False,
    )
    return Volume(grid=grid, values=values, unit=volume.unit)


def resample_mask(inside: Array, grid: Grid, onto: Grid) -> Array:
    """A boolean mask on another grid: where the trilinear occupancy reaches one half."""
    occupancy = Volume(grid=grid, values=inside.astype(np.float32), unit="1")
    return resample(occupancy, onto, outside=0.0).values >= 0.5


def box_grid(points_lps_mm: ArrayLike, *, margin_mm: float, spacing_mm: float, like: Grid | None = None) -> Grid:
    """An isotropic grid around points (n, 3), grown by `margin_mm`; its axes are those of `like`, else LPS."""
    axes = np.eye(3) if like is None else like.directions
    along = np.asarray(points_lps_mm, dtype=float).reshape(-1, 3) @ axes
    low, high = along.min(axis=0) - margin_mm, along.max(axis=0) + margin_mm
    shape = tuple(int(n) for n in np.ceil((high - low) / spacing_mm).astype(int) + 1)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing_mm
    matrix[:3, 3] = axes @ low
    return Grid(shape=shape, lps_from_ijk=as_matrix4(matrix))  # type: ignore[arg-type]
