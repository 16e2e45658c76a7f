"""Values between voxels: trilinear sampling, and volumes on another grid."""

from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, sparse

from trocar.imaging.surface import grown_bounds, slices
from trocar.model.space import Array, Grid, Volume, as_matrix4

PARALLEL = 1e-9  # axes, in voxels: turned by less, they are the same


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


def shrunk(volume: Volume, spacing_mm: float) -> Volume:
    """The volume averaged over blocks of nearly a spacing."""
    factors = np.maximum(1, np.floor(spacing_mm / volume.grid.spacing_mm + 1e-6)).astype(int)
    factors = np.minimum(factors, volume.grid.shape)
    whole = np.asarray(volume.grid.shape) // factors
    values = volume.values[tuple(slice(0, n) for n in whole * factors)]
    (a, i), (b, j), (c, k) = zip(whole, factors, strict=True)
    values = values.reshape(a, i, b, j, c, k).mean(axis=(1, 3, 5), dtype=np.float32)
    matrix = volume.grid.matrix.copy()
    matrix[:3, 3] = volume.grid.to_lps((factors - 1) / 2.0)
    matrix[:3, :3] *= factors
    shape = (int(a), int(b), int(c))
    return Volume(grid=Grid(shape=shape, lps_from_ijk=as_matrix4(matrix)), values=values, unit=volume.unit)


def resample_mask(inside: Array, grid: Grid, onto: Grid) -> Array:
    """A boolean mask on another grid: where the trilinear occupancy reaches one half. Only its own box is looked at."""
    found = np.zeros(onto.shape, bool)
    if not inside.any():
        return found
    low, high = grown_bounds(inside, 1)
    corners = onto.to_ijk(grid.to_lps(list(product(*zip(low, high - 1, strict=True)))))
    first = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    past = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, onto.shape)
    if (first < past).all():
        occupancy = Volume(grid=grid.cropped(low, high), values=inside[slices(low, high)].astype(np.float32), unit="1")
        found[slices(first, past)] = resample(occupancy, onto.cropped(first, past), outside=0.0).values >= 0.5
    return found


def averaged(values: Array, grid: Grid, onto: Grid, *, outside: float) -> Array:
    """[i, j, k] float32: of each cell of `onto`, the mean of the voxels that it overlaps, by the volume they share.

    What a field adds up to stays the same whatever the offset of the grids, and so does, to a few hundredths of a
    cell, where its middle lies. A cell that reaches beyond the voxels takes the mean of those it has; one without any
    takes `outside`. Grids turned against each other have no such quick overlap: there it is the trilinear value at the
    cell's center.
    """
    matrix = grid.ijk_from_lps @ onto.matrix
    if np.abs(matrix[:3, :3] - np.diag(np.diag(matrix[:3, :3]))).max() > PARALLEL:
        return resample(Volume(grid=grid, values=values.astype(np.float32), unit="1"), onto, outside=outside).values
    found, reached = values.astype(np.float32, copy=False), []
    for n in range(3):  # each turn takes the first axis and leaves it as the last
        overlap = _overlap(values.shape[n], onto.shape[n], float(matrix[n, n]), float(matrix[n, 3]))
        reached.append(np.diff(overlap.indptr) > 0)
        rest = found.shape[1:]
        found = np.ascontiguousarray((overlap @ found.reshape(found.shape[0], -1)).T).reshape(*rest, onto.shape[n])
    found[~reached[0]] = found[:, ~reached[1]] = found[:, :, ~reached[2]] = outside
    return found


def _overlap(voxels: int, cells: int, width: float, first: float) -> sparse.csr_matrix:
    """(cells, voxels) float32 share of each cell that each voxel fills, along one axis; cells may lie outside.

    `width` of a cell and the place of the `first` one's center are in voxels.
    """
    centers = first + width * np.arange(cells)
    low, high = centers - abs(width) / 2, centers + abs(width) / 2
    start = np.arange(voxels) - 0.5
    shared = np.minimum(high[:, None], start + 1) - np.maximum(low[:, None], start)
    shared = np.where(shared > PARALLEL, shared, 0.0)
    shared /= np.maximum(shared.sum(axis=1, keepdims=True), PARALLEL)
    return sparse.csr_matrix(shared.astype(np.float32))


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
