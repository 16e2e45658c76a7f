"""Whether an image's values can be Hounsfield units."""

import numpy as np

from trocar.errors import ReadError
from trocar.model.space import Array

AIR_HU = -1024  # what lies outside the reconstructed field of view; nothing is less dense
AIR_RANGE_HU = (-1100, -850)
SOFT_RANGE_HU = (-200, 250)
HIGHEST_HU = 32767
PADDINGS = 3  # values that scanners and exports fill the corners with; more are an image's own
CUT_FRAC = 0.02  # of the voxels with the lowest value of all
_EXPORT_HINT = "export the CT again in Hounsfield units (air -1000, water 0), without rescaling or normalization"


def in_hounsfield(values: Array, subject: str) -> Array:
    """The image as whole int16 HU, floored at -1024 (padding outside the scanner's field of view becomes air).

    Raises `ReadError` when a voxel is not a number, or when the histogram cannot be that of a CT in HU: constant,
    scaled to 0..1, scaled by ten, stored without its offset.
    """
    if values.dtype.kind == "f":
        missing = int(values.size - np.count_nonzero(np.isfinite(values)))
        if missing:
            raise ReadError(
                f"{subject}: {missing} of {values.size} voxels are not a number (NaN or infinite)",
                hint="fill or crop the undefined voxels on purpose (air is -1024 HU), then read the image again",
            )
    elif values.dtype.kind not in "iu":
        raise ReadError(f"{subject}: voxels of type {values.dtype} are not Hounsfield units", hint=_EXPORT_HINT)
    _refuse_other_scale(values, subject)
    if values.dtype == np.int16:
        return np.maximum(values, np.int16(AIR_HU))
    return np.rint(np.clip(values, AIR_HU, HIGHEST_HU)).astype(np.int16)


def _refuse_other_scale(values: Array, subject: str) -> None:
    step = tuple(slice(None, None, max(1, n // 128)) for n in values.shape)
    seen = values[step].ravel()
    lowest, highest = float(values.min()), float(values.max())
    beyond = seen < AIR_RANGE_HU[0]
    reason = _wrong_scale(lowest, highest, seen[~beyond])
    if reason is None and np.mean(beyond) > 0.001 and np.unique(seen[beyond]).size > PADDINGS:
        reason = "many values below air: scaled"
    if reason is None and np.mean(seen < -4000) > 0.001:
        reason = "values far below air: scaled, probably by ten"
    if reason:
        raise ReadError(f"{subject}: not in Hounsfield units: {reason} ({lowest:g} to {highest:g})", hint=_EXPORT_HINT)


def _wrong_scale(lowest: float, highest: float, seen: Array) -> str | None:
    """Why the values cannot be HU; None when they can. `seen` is a sample of them without padding."""
    if lowest == highest or not seen.size:
        return "every voxel has the same value"
    if max(abs(lowest), abs(highest)) <= 1.5:
        return "scaled to 0..1"
    if seen.min() >= 0:
        return "no voxel below water, so no fat: gray levels of a picture, or another modality"
    has_air = np.mean((seen >= AIR_RANGE_HU[0]) & (seen <= AIR_RANGE_HU[1])) > 0.001
    if highest < 200 and not has_air:
        return "no voxel as dense as bone and none like air"
    if seen.min() > AIR_RANGE_HU[1] and np.mean(seen == seen.min()) > CUT_FRAC:
        return f"cut off at {seen.min():g}: a window, not the image"
    if np.mean(seen > 3100) > 0.02:
        return "too many voxels denser than any bone: scaled, probably by ten"
    soft = (seen >= SOFT_RANGE_HU[0]) & (seen <= SOFT_RANGE_HU[1])
    if np.mean(seen > 600) > 0.15 and not has_air:
        return "soft tissue lies near +1000: stored values without their offset"
    if not has_air and np.mean(soft) < 0.05:
        return "neither air nor soft tissue where they should be"
    return None
