"""A geometric guess of what a layout freezes, to rank thousands of layouts before any is simulated.

It counts lesion voxels near the probes' active zones, cooperating neighbors included. It is a score, not a
temperature, and is reported as such.
"""

from collections.abc import Sequence

import numpy as np

from trocar.catalog import device
from trocar.model.device import Cryoprobe
from trocar.model.space import Array, Segment

WIDTH_PER_DIAMETER = {True: 21.0, False: 17.0}  # of the ice at its edge; design, by the IceSphere's 32 mm at 1.5 mm
LETHAL_SHARE = 0.62  # radius of the lethal core to that of the ice; design, from the -40 degC core of V34
TIP_OFFSET_MM = 3.0  # unknown in the catalog: insulated point of the tip, design


def active_zone_mm(probe: Cryoprobe) -> tuple[float, float]:
    """Distances from the tip of the two ends of the freezing part."""
    start = probe.tip_offset_mm if probe.tip_offset_mm is not None else TIP_OFFSET_MM
    return start, start + (probe.active_length_mm or 30.0)


def ice_radius_mm(probe: Cryoprobe) -> float:
    """Half the width of a single probe's ice after a usual freeze; measured where the catalog has it."""
    known = [row.width_mm for row in probe.isotherms if row.temperature_degC == 0.0]
    if known:
        return max(known) / 2
    return 0.5 * probe.diameter_mm * WIDTH_PER_DIAMETER[probe.diameter_mm < 1.8]


def coverage_scores(points_lps_mm: Array, tips_lps_mm: Array, outward: Array, device_id: str) -> tuple[Array, Array]:
    """(...) lethal and visible shares of (n, 3) points that bundles of (..., m, 3) tips along (..., 3) should freeze.

    Each probe's contribution falls with the squared distance to its active zone; contributions add, so that
    neighbors help each other.
    """
    return _shares(points_lps_mm, tips_lps_mm, outward[..., None, :], device_id)


def path_scores(points_lps_mm: Array, layouts: Sequence[Sequence[Segment]], device_id: str) -> Array:
    """(layouts, 2) lethal and visible shares, each probe along its own path (skin to tip)."""
    rows = []
    for paths in layouts:
        tips = np.array([path.end_lps_mm for path in paths])
        outward = -np.array([path.direction for path in paths])
        rows.append(_shares(points_lps_mm, tips, outward, device_id))
    return np.array(rows, dtype=float).reshape(-1, 2)


def _shares(points_lps_mm: Array, tips_lps_mm: Array, outward: Array, device_id: str) -> tuple[Array, Array]:
    """The same with an (..., m or 1, 3) outward direction of each probe."""
    probe = device(device_id)
    assert isinstance(probe, Cryoprobe)
    start, stop = active_zone_mm(probe)
    middle = points_lps_mm.mean(axis=0)  # near zero, squares keep their digits in single precision
    points, tips = ((each - middle).astype(np.float32) for each in (points_lps_mm, tips_lps_mm))
    out = outward.astype(np.float32)
    along = points @ np.swapaxes(out, -1, -2) - np.sum(tips * out, axis=-1)[..., None, :]
    squared = points @ np.swapaxes(tips, -1, -2)  # in place: these arrays are large
    squared *= np.float32(-2)
    squared += np.einsum("nc,nc->n", points, points)[:, None] + np.einsum("...mc,...mc->...m", tips, tips)[..., None, :]
    squared -= along**2
    along -= np.clip(along, np.float32(start), np.float32(stop))
    squared += along**2
    squared *= np.float32(-1 / ice_radius_mm(probe) ** 2)
    total = np.exp(squared, out=squared).sum(axis=-1)
    return (total >= np.exp(-(LETHAL_SHARE**2))).mean(axis=-1), (total >= np.exp(-1.0)).mean(axis=-1)
