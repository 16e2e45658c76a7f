"""Ice on the control CT: where soft tissue lost Hounsfield units against the registered planning CT.

Ice is not seen in healthy bone, hardly in fat, and not beside metal: there the image says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.imaging.distance import near
from trocar.imaging.resample import resample, sample
from trocar.imaging.surface import bounds, slices
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Simulation
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement
from trocar.model.verification import SeenIce

DROP_HU = 35.0  # half of the 65-70 HU that water-rich tissue loses on freezing (thermal reference, S33)
SOFT_TISSUE_HU = (0.0, 180.0)
BESIDE_METAL_MM = 3.0
METAL_HU, METAL_RISE_HU = 2000.0, 300.0  # metal, and its rim that a thin probe on coarse voxels shows
BLUR_MM = 1.0
REACH_MM = 45.0
SMALLEST_ML = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class IceImage:
    """On a window of the plan's grid: `ice` [i, j, k] as seen, and `assessable` where it could have been seen."""

    grid: Grid
    ice: Array
    assessable: Array


def see_ice(case: Case, lesion: Structure, control: Volume, probes: Sequence[Placement]) -> IceImage:
    """The ice around probes; `control` is the control CT with its grid already in the plan's frame."""
    window, grid = _around(lesion, probes, case.grid)
    before = case.ct.values[window].astype(np.float32)
    after = resample(control, grid, outside=np.nan).values
    covered = np.isfinite(after)
    after = np.where(covered, after, before)
    rise = after - ndimage.maximum_filter(before, size=3)
    metal = (after >= METAL_HU) | (rise >= METAL_RISE_HU)
    beside = near(metal, grid.spacing_mm, BESIDE_METAL_MM)
    assessable = covered & ~beside & _soft_tissue(case, lesion, window, before, grid)
    drop = _blurred(before, assessable, grid) - _blurred(after, assessable, grid)
    frozen = assessable & (drop >= DROP_HU)
    return IceImage(grid, _connected(frozen, beside, probes, grid), assessable)


def compare(seen: IceImage, predicted_degC: Volume | None) -> SeenIce:
    """The volume seen; with a prediction (lowest temperature), how much of it could be seen and how well they agree.

    The volume is of what is seen: frozen healthy bone, fat and what lies beside metal are not in it.
    """
    volume_ml = float(np.count_nonzero(seen.ice)) * seen.grid.voxel_ml
    if predicted_degC is None:
        return SeenIce(volume_ml=volume_ml, visible_frac=None, dice_with_prediction=None)
    predicted = resample(predicted_degC, seen.grid, outside=37.0).values <= 0.0
    if not predicted.any():
        return SeenIce(volume_ml=volume_ml, visible_frac=None, dice_with_prediction=None)
    visible = predicted & seen.assessable
    both = np.count_nonzero(visible & seen.ice)
    sizes = np.count_nonzero(visible) + np.count_nonzero(seen.ice & seen.assessable)
    return SeenIce(
        volume_ml=volume_ml,
        visible_frac=float(np.count_nonzero(visible) / np.count_nonzero(predicted)),
        dice_with_prediction=float(2 * both / sizes) if sizes else None,
    )


def predicted_minimum(simulation: Simulation | None, step: str) -> Volume | None:
    """The lowest temperature that the simulation reached in a step, if it has it."""
    return None if simulation is None else simulation.fields.get(f"{step}/minimum_degC")


def _around(lesion: Structure, probes: Sequence[Placement], grid: Grid) -> tuple[tuple[slice, ...], Grid]:
    low, high = (np.asarray(edge, dtype=float) for edge in zip(*bounds(lesion.inside), strict=True))
    if probes:
        tips = grid.to_ijk([probe.target_lps_mm for probe in probes])
        low, high = np.minimum(low, tips.min(axis=0)), np.maximum(high, tips.max(axis=0))
    reach = REACH_MM / grid.spacing_mm
    low = np.clip(np.floor(low - reach), 0, np.asarray(grid.shape) - 1).astype(int)
    high = np.clip(np.ceil(high + reach), low + 1, grid.shape).astype(int)
    return slices(low, high), grid.cropped(low, high)


def _soft_tissue(case: Case, lesion: Structure, window: tuple[slice, ...], before: Array, grid: Grid) -> Array:
    """Where the tissue holds enough water for its ice to be seen: soft tissue, and the lesion where it is not bone."""
    smooth = ndimage.gaussian_filter(before, BLUR_MM / grid.spacing_mm)
    soft = (smooth >= SOFT_TISSUE_HU[0]) & (smooth <= SOFT_TISSUE_HU[1])
    bone = np.zeros(grid.shape, dtype=bool)
    for structure in case.with_role(Role.BONE, Role.IMPLANT, Role.CEMENT):
        bone |= structure.inside[window]
    healthy = bone & ~lesion.inside[window]
    return np.asarray(soft & ~near(healthy, grid.spacing_mm, float(grid.spacing_mm.max())))


def _blurred(values: Array, where: Array, grid: Grid) -> Array:
    """Gaussian mean over `where` only, so that bone and metal do not bleed in."""
    sigma = BLUR_MM / grid.spacing_mm
    weight = ndimage.gaussian_filter(where.astype(np.float32), sigma)
    total = ndimage.gaussian_filter(np.where(where, values, 0).astype(np.float32), sigma)
    return np.asarray(total / np.maximum(weight, 1e-3))


def _connected(frozen: Array, beside: Array, probes: Sequence[Placement], grid: Grid) -> Array:
    """The frozen pieces that touch a probe (over the metal's surroundings), without specks."""
    opened = ndimage.binary_opening(frozen)
    labels, count = ndimage.label(opened | beside)
    if count == 0:
        return np.zeros_like(frozen)
    seeds = set()
    for probe in probes:
        at = probe.axis.at(np.linspace(max(0.0, probe.axis.length_mm - 30.0), probe.axis.length_mm, 30))
        touched = sample(labels, grid, at, outside=0, order=0)
        seeds |= {int(label) for label in np.unique(touched) if label}
    kept = np.isin(labels, sorted(seeds)) & opened
    pieces, count = ndimage.label(kept)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1) * grid.voxel_ml
    sizes[0] = 0.0
    return np.asarray((sizes >= SMALLEST_ML)[pieces])
