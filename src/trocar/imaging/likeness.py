"""How alike two registered CTs are, and whether one is rather like the other's mirror image.

A bone of one side fits the mirrored one of the other side, so that a small residual tells nothing of left and right.
All that the images show does: bowel, tumor, metal, a body that is never quite symmetric.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, optimize

from trocar.imaging.register import clipped
from trocar.imaging.resample import shrunk
from trocar.model.space import Array, Volume

SPACING_MM, BLUR_MM = 4.0, 4.0
EVERY = 2  # voxels of that spacing, along each axis, that are compared
TISSUE_HU = -100.0  # above it there is body: what is air in both says nothing
MIDDLE_MM, STEP_MM = 40.0, 4.0  # how far from the body's middle a mirror is tried, and how densely
TILT, TRIES = 0.05, 60  # first slopes of a mirror that is tilted, and how many are looked at
LEAST_POINTS = 200
LEAST_OVERLAP_FRAC = 0.5  # of what the images share as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Correlations of two images' HU where either shows tissue: as they are, and with the second one mirrored."""

    as_it_is: float
    mirrored: float


def likeness(plan: Volume, control: Volume, control_from_plan: Array) -> Likeness | None:
    """How alike a plan and a registered control are, and how alike if left and right of the control were exchanged.

    None where they share too little. The mirror is the nearly sagittal plane that makes them most alike.
    """
    small, other = _blurred(plan), _blurred(control)
    thinned = (slice(None, None, EVERY),) * 3
    points = small.grid.to_lps(np.moveaxis(np.indices(small.grid.shape), 0, -1)[thinned]).reshape(-1, 3)
    values = small.values[thinned].reshape(-1)
    known, count = _correlation(values, points, other, control_from_plan)
    tissue = values > TISSUE_HU
    if known is None or not tissue.any():
        return None
    middle = points[tissue].mean(axis=0)

    def unlike(mirror: Array) -> float:
        found, shared = _correlation(values, _reflected(points, middle, mirror), other, control_from_plan)
        return -found if found is not None and shared >= LEAST_OVERLAP_FRAC * count else 1.0

    shifts = np.arange(-MIDDLE_MM, MIDDLE_MM + STEP_MM / 2, STEP_MM)
    start = min((np.array([shift, 0.0, 0.0]) for shift in shifts), key=unlike)
    simplex = np.array([start] * 4) + np.diag([0.0, STEP_MM / 2, TILT, TILT])[:, 1:]
    best = optimize.minimize(unlike, start, method="Nelder-Mead", options={"initial_simplex": simplex, "maxfev": TRIES})
    return Likeness(as_it_is=known, mirrored=-float(best.fun))


def _blurred(volume: Volume) -> Volume:
    """The CT without detail, so that it does not count where its samples lie."""
    small = shrunk(clipped(volume), SPACING_MM)
    return replace(small, values=ndimage.gaussian_filter(small.values, BLUR_MM / small.grid.spacing_mm, mode="nearest"))


def _reflected(points: Array, middle: Array, mirror: Array) -> Array:
    """Points in a mirror that passes a shift (mm) beside the middle, its normal tilted from the left by two slopes."""
    shift, ahead, up = mirror
    normal = np.array([1.0, ahead, up]) / np.sqrt(1 + ahead**2 + up**2)
    return np.asarray(points - 2 * ((points - middle) @ normal - shift)[:, None] * normal)


def _correlation(values: Array, points: Array, other: Volume, other_from_points: Array) -> tuple[float | None, int]:
    """The correlation of values at points with another image there, none for too few of them, and how many."""
    at = points @ other_from_points[:3, :3].T + other_from_points[:3, 3]
    there = ndimage.map_coordinates(other.values, other.grid.to_ijk(at).T, order=1, mode="nearest")
    shared = other.grid.contains(at) & ((there > TISSUE_HU) | (values > TISSUE_HU))
    count = int(shared.sum())
    if count < LEAST_POINTS:
        return None, count
    a, b = values[shared] - values[shared].mean(), there[shared] - there[shared].mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return (float((a * b).sum()) / size if size > 0 else None), count
