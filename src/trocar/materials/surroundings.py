"""What keeps its own temperature: wide vessels, and the air around the body."""

import numpy as np
from scipy import ndimage

from trocar.imaging.surface import bounds
from trocar.materials.placing import EVERYWHERE, nearest, onto
from trocar.model.case import Case, Role
from trocar.model.space import Array, Grid

AIR_BELOW_HU = -300.0
SINK_RADIUS_MM = 1.25  # vessels at least this wide (S: >= 2-3 mm across) keep blood's temperature


def vessels(case: Case, grid: Grid) -> Array:
    """[i, j, k] vessels wide enough to keep blood's temperature whatever lies beside them."""
    wide = np.zeros(grid.shape, dtype=bool)
    for vessel in case.with_role(Role.VESSEL):
        placed = onto(vessel, case.grid, grid)
        if placed is not None and _holds_ball(vessel.inside, case.grid, SINK_RADIUS_MM):
            wide[placed[0]] |= placed[1]
    return wide


def outside(case: Case, near: Case, grid: Grid, hu: Array) -> Array:
    """[i, j, k] air around the body: beyond the body structure, else what is connected to the CT's border.

    Never gas within. What lies beyond the CT counts as outside.
    """
    beyond = beyond_the_ct(case, grid)
    if not case.with_role(Role.BODY):
        return (_air_around(case, grid) & (hu < AIR_BELOW_HU)) | beyond
    body = np.zeros(grid.shape, dtype=bool)
    for here in near.with_role(Role.BODY)[:1]:
        placed = onto(here, near.grid, grid)
        if placed is not None:
            body[placed[0]] = placed[1]
    return (~body & (hu < AIR_BELOW_HU)) | beyond


def beyond_the_ct(case: Case, grid: Grid) -> Array:
    """[i, j, k] cells of a simulation grid that the CT does not show."""
    ijk_from_ijk = case.grid.ijk_from_lps @ grid.matrix
    corners = ijk_from_ijk[:3, :3] @ (np.array(list(np.ndindex(2, 2, 2))) * (np.asarray(grid.shape) - 1)).T
    corners = corners.T + ijk_from_ijk[:3, 3]
    if (corners >= 0).all() and (corners <= np.asarray(case.grid.shape) - 1).all():
        return np.zeros(grid.shape, dtype=bool)
    return ~case.grid.contains(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)))


def _holds_ball(inside: Array, grid: Grid, radius_mm: float) -> bool:
    """Whether a mask has a voxel with no outside voxel nearer than the radius, center to center."""
    reach = np.ceil(radius_mm / grid.spacing_mm).astype(int)
    box = np.pad(inside[tuple(slice(low, high) for low, high in bounds(inside))], [(n, n) for n in reach])
    shape = np.asarray(box.shape) - 2 * reach
    core = np.ones(shape, dtype=bool)
    for offset in np.ndindex(*(2 * reach + 1)):
        if np.linalg.norm((offset - reach) * grid.spacing_mm) < radius_mm:
            core &= box[tuple(slice(a, a + n) for a, n in zip(offset, shape, strict=True))]
    return bool(core.any())


def _air_around(case: Case, grid: Grid, *, coarse_mm: float = 3.0) -> Array:
    """Air of the whole CT that reaches its sides (i or j), on a simulation grid."""
    step = np.maximum(1, np.rint(coarse_mm / case.grid.spacing_mm).astype(int))
    thin = case.ct.values[:: step[0], :: step[1], :: step[2]] < AIR_BELOW_HU
    label, _ = ndimage.label(thin)
    rim = np.unique(np.concatenate([label[[0, -1]].ravel(), label[:, [0, -1]].ravel()]))
    around = np.isin(label, rim[rim > 0])
    matrix = case.grid.matrix.copy()
    matrix[:3, :3] = matrix[:3, :3] * step
    coarse = Grid(shape=around.shape, lps_from_ijk=tuple(tuple(row) for row in matrix.tolist()))  # type: ignore[arg-type]
    return nearest(around, coarse, grid, EVERYWHERE, outside=False)
