"""What lies around a lesion, how near, and how deep it lies under the skin."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from trocar.imaging.distance import surface_points
from trocar.imaging.gap import gaps
from trocar.imaging.surface import grown_bounds, mask_surface, slices
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Neighbor
from trocar.model.space import Array, Grid, Volume, as_vector

BODY_ABOVE_HU = -300.0  # half way between air and fat


def neighbors(case: Case, lesion: Structure) -> tuple[Neighbor, ...]:
    """Every other structure but the body, nearest first, with its distance and the nearest point on either side."""
    others = [s for s in case.structures if s.name != lesion.name and s.role is not Role.BODY and s.inside.any()]
    found = [
        Neighbor(
            name=other.name,
            role=other.role,
            distance_mm=gap.distance_mm,
            nearest_lps_mm=as_vector(gap.on_second_lps_mm),
            on_lesion_lps_mm=as_vector(gap.on_first_lps_mm),
        )
        for other, gap in zip(others, gaps(lesion, others, case.grid), strict=True)
        if np.isfinite(gap.distance_mm)
    ]
    return tuple(sorted(found, key=lambda neighbor: (neighbor.distance_mm, neighbor.name)))


def body_mask(case: Case) -> tuple[Array, str] | None:
    """[i, j, k] what lies under the skin, and where it came from; None when the image shows no air around it."""
    bodies = case.with_role(Role.BODY)
    if bodies:
        return bodies[0].inside, "segmented"
    skins = case.with_role(Role.SKIN)
    if skins:
        return _filled(skins[0].inside), "segmented skin"
    if np.mean(case.ct.values[::4, ::4, ::4] < BODY_ABOVE_HU) < 0.01:
        return None
    return body_from_ct(case.ct), "CT threshold"


def body_from_ct(ct: Volume) -> Array:
    """[i, j, k] the largest connected thing denser than air, its cavities filled slice by slice."""
    dense = ct.values > BODY_ABOVE_HU
    step = tuple(max(1, round(3.0 / float(spacing))) for spacing in ct.grid.spacing_mm)
    coarse = ndimage.binary_opening(dense[:: step[0], :: step[1], :: step[2]])
    labels, count = ndimage.label(coarse)
    if count == 0:
        return np.zeros_like(dense)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    grown = ndimage.binary_dilation(largest, iterations=2)
    for axis, times in enumerate(step):
        grown = np.repeat(grown, times, axis=axis)
    return _filled(dense & grown[: dense.shape[0], : dense.shape[1], : dense.shape[2]])


def _filled(inside: Array) -> Array:
    """The mask with what it encloses in each slice of the third axis."""
    return np.stack([ndimage.binary_fill_holes(inside[:, :, k]) for k in range(inside.shape[2])], axis=2)


def skin_gap(lesion: Structure, body: Array, grid: Grid) -> tuple[float, Array] | None:
    """The distance in mm from a lesion's surface to the outside of the body, and the point of the skin nearest to it.

    Where the image cuts through the body there is no skin: those faces do not count. None when no skin is near.
    """
    around, cut = _around(lesion.inside, grid)
    points = surface_points(lesion, grid)
    tree = cKDTree(points)
    for reach_mm in (60.0, 200.0, 600.0):
        around, cut = _around(lesion.inside, grid, reach_mm=reach_mm)
        mesh = mask_surface(body[cut], around)
        skin = mesh.vertices_lps_mm[_within(mesh.vertices_lps_mm, around)]
        if not len(skin):
            continue
        distances, _ = tree.query(skin)
        best = int(np.argmin(distances))
        if distances[best] <= reach_mm:
            return float(distances[best]), skin[best]
    return None


def _around(inside: Array, grid: Grid, *, reach_mm: float = 0.0) -> tuple[Grid, tuple[slice, ...]]:
    low, high = grown_bounds(inside, np.ceil(reach_mm / grid.spacing_mm).astype(int) + 2)
    return grid.cropped(low, high), slices(low, high)


def _within(points_lps_mm: Array, grid: Grid) -> Array:
    """(n,) whether points lie more than a voxel inside the grid's border."""
    ijk = grid.to_ijk(points_lps_mm)
    return np.all((ijk > 1.0) & (ijk < np.asarray(grid.shape) - 2.0), axis=1)
