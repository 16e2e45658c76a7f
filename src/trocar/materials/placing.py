"""Structures, tubes and shafts on the simulation's grid, each in the box of cells it reaches."""

from itertools import product

import numpy as np
from scipy import ndimage

from trocar.imaging.resample import PARALLEL
from trocar.imaging.surface import bounds, slices
from trocar.model.case import Role, Structure
from trocar.model.space import Array, Grid, Segment, as_vector

Box = tuple[slice, slice, slice]
EVERYWHERE: Box = (slice(None), slice(None), slice(None))


def onto(structure: Structure, grid: Grid, target: Grid) -> tuple[Box, Array] | None:
    """A structure of one grid on another: the box it reaches and the cells in it; `None` where it reaches none.

    A nerve given as a curve comes as its exact tube.
    """
    if structure.role is Role.NERVE and structure.centerline_lps_mm and structure.diameter_mm:
        return tube(np.asarray(structure.centerline_lps_mm), structure.diameter_mm / 2, target)
    if not structure.inside.any():
        return None
    edges = np.array(list(product(*((low - 0.5, high - 0.5) for low, high in bounds(structure.inside)))))
    box = around(grid.to_lps(edges), float(target.spacing_mm.max()), target)
    return None if box is None else (box, nearest(structure.inside, grid, target, box, outside=False))


def nearest(values: Array, grid: Grid, target: Grid, box: Box, *, outside: bool) -> Array:
    """The nearest values of one grid at a box of cells of another; along common axes by three look-ups."""
    matrix = grid.ijk_from_lps @ target.matrix
    axes, low = matrix[:3, :3], np.array([side.start or 0 for side in box])
    shape = tuple(
        (n if side.stop is None else side.stop) - a for side, a, n in zip(box, low, target.shape, strict=True)
    )
    offset = matrix[:3, 3] + axes @ low
    if np.abs(axes - np.diag(np.diag(axes))).max() > PARALLEL:
        return ndimage.affine_transform(values, axes, offset, output_shape=shape, order=0, cval=outside)
    position = [offset[n] + axes[n, n] * np.arange(shape[n]) for n in range(3)]
    within = [(at >= 0) & (at <= values.shape[n] - 1) for n, at in enumerate(position)]
    index = [np.clip(np.floor(at + 0.5).astype(int), 0, values.shape[n] - 1) for n, at in enumerate(position)]
    found = values[np.ix_(*index)]
    found[~within[0]] = found[:, ~within[1]] = found[:, :, ~within[2]] = outside
    return found


def tube(points_lps_mm: Array, radius_mm: float, grid: Grid) -> tuple[Box, Array] | None:
    """Cells whose center lies within the tube; of one thinner than a cell, every cell that its axis passes.

    For that it reaches half a cell's diagonal, so a thin nerve comes out up to 1.7 cells wide, and never interrupted.
    """
    reach = max(radius_mm, 0.5 * float(np.linalg.norm(grid.spacing_mm)))
    whole = around(points_lps_mm, reach, grid)
    if whole is None:
        return None
    inside = np.zeros(grid.shape, dtype=bool)
    ijk, cells = grid.to_ijk(points_lps_mm), reach / grid.spacing_mm
    low = np.floor(np.minimum(ijk[:-1], ijk[1:]) - cells).astype(int).clip(0, grid.shape)
    high = np.ceil(np.maximum(ijk[:-1], ijk[1:]) + cells).astype(int).clip(-1, np.asarray(grid.shape) - 1) + 1
    for n in np.flatnonzero((high > low).all(axis=1)):
        box = slices(low[n], high[n])
        axis = Segment(start_lps_mm=as_vector(points_lps_mm[n]), end_lps_mm=as_vector(points_lps_mm[n + 1]))
        inside[box] |= distance_mm(axis, box, grid) <= reach
    return whole, inside[whole]


def shaft_frac(axis: Segment, radius_mm: float, grid: Grid) -> tuple[Box, Array] | None:
    """The share of each cell inside a cylinder, linear across its surface."""
    spacing = float(grid.spacing_mm.max())
    box = around(np.array([axis.start_lps_mm, axis.end_lps_mm]), radius_mm + spacing, grid)
    if box is None:
        return None
    share = np.clip(0.5 + (radius_mm - distance_mm(axis, box, grid)) / spacing, 0, 1)
    return box, share.astype(np.float32)


def around(points_lps_mm: Array, reach_mm: float, grid: Grid) -> Box | None:
    """The box of cells within reach of points; `None` when it is empty."""
    ijk = grid.to_ijk(points_lps_mm)
    reach = reach_mm / grid.spacing_mm
    low = np.clip(np.floor(ijk.min(axis=0) - reach).astype(int), 0, grid.shape)
    high = np.clip(np.ceil(ijk.max(axis=0) + reach).astype(int) + 1, 0, grid.shape)
    if (high <= low).any():
        return None
    return slices(low, high)


def distance_mm(axis: Segment, box: Box, grid: Grid) -> Array:
    """Distances of the cells of a box to a segment."""
    start, end = np.asarray(axis.start_lps_mm, dtype=float), np.asarray(axis.end_lps_mm, dtype=float)
    i, j, k = (np.arange(side.start, side.stop) for side in box)
    origin = grid.matrix[:3, 3] - start
    steps = grid.matrix[:3, :3]
    offset = [
        origin[n] + (steps[n, 0] * i)[:, None, None] + (steps[n, 1] * j)[:, None] + steps[n, 2] * k for n in range(3)
    ]
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length if length else end - start
    position = np.clip(sum(along[n] * offset[n] for n in range(3)), 0.0, length)
    return np.sqrt(sum((offset[n] - position * along[n]) ** 2 for n in range(3)))
