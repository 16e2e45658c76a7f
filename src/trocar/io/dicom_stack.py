"""From the planes of a series to one volume: what is regular, what is said, what is refused.

Geometry comes only from each plane's stated position and orientation; tilt, thickness and spacing tags are not used
(vendors disagree on their sign and meaning).
"""

from dataclasses import dataclass

import numpy as np

from trocar.errors import GeometryError
from trocar.io.dicom_frames import Plane
from trocar.io.geometry import edges_mm, judged, said
from trocar.model.case import GeometryFinding
from trocar.model.space import Array

SAME_POSITION_MM = 0.01
DIRECTION_SILENT_DEG, DIRECTION_REFUSED_DEG = 0.01, 0.5
PIXEL_SILENT_FRAC, PIXEL_REFUSED_FRAC = 1e-4, 1e-3
SPACING_SILENT_MM = 0.02
SPACING_REFUSED_FRAC, SPACING_REFUSED_MM = 0.1, 0.5  # of the spacing, and at most this
SIDEWAYS_SILENT_MM, SIDEWAYS_REFUSED_MM = 0.05, 0.5
DRIFT_SILENT_MM, DRIFT_RESAMPLED_MM = 0.1, 0.5  # in-plane, over the whole stack
TILT_REFUSED_DEG = 35.0  # no gantry tilts further


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Planes in the order of their common normal.

    `matrix` maps (column, row, plane) to LPS mm on perpendicular axes; `drift_px` (n, 2) is how far each plane
    lies from the first within its own plane, in (i, j) pixels, or None where that is nothing.
    """

    planes: list[Plane]
    matrix: Array
    drift_px: Array | None
    findings: tuple[GeometryFinding, ...]


def stacked(planes: list[Plane], subject: str) -> Stack:
    """The planes as a regular stack. Raises `GeometryError` when they are not one volume, saying where and why."""
    findings = _uniform(planes, subject)
    along_i = _mean_direction([plane.along_i for plane in planes])
    along_j = _mean_direction([plane.along_j for plane in planes])
    along_j = _mean_direction([along_j - (along_j @ along_i) * along_i])
    normal = np.cross(along_i, along_j)
    planes = sorted(planes, key=lambda plane: float(plane.position_lps_mm @ normal))
    heights = np.array([plane.position_lps_mm @ normal for plane in planes])
    _refuse_no_volume(heights, subject)
    spacing_mm, spacing_findings = _spacing(heights, subject)
    drift_px, tilt_findings = _drift(planes, heights, along_i, along_j, subject)
    pixel_mm = np.mean([plane.spacing_mm for plane in planes], axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([along_i * pixel_mm[0], along_j * pixel_mm[1], normal * spacing_mm])
    edges_mm(subject, matrix)
    first = planes[0].position_lps_mm
    fitted = float(np.mean(heights - spacing_mm * np.arange(len(heights))))
    matrix[:3, 3] = first + (fitted - heights[0]) * normal
    return Stack(planes=planes, matrix=matrix, drift_px=drift_px, findings=findings + spacing_findings + tilt_findings)


def _mean_direction(vectors: list[Array]) -> Array:
    mean = np.mean(vectors, axis=0)
    return mean / np.linalg.norm(mean)


def _uniform(planes: list[Plane], subject: str) -> tuple[GeometryFinding, ...]:
    """What is said of planes that differ in size, orientation or pixel spacing."""
    sizes = sorted({plane.shape for plane in planes})
    if len(sizes) > 1:
        raise GeometryError(
            f"{subject}: slices of different sizes in one series: {sizes}",
            hint="remove the slices that belong to another reconstruction",
        )
    reference = planes[0]
    turned_deg = max(
        float(np.degrees(np.arcsin(np.clip(np.linalg.norm(np.subtract(a, b)) / 2, 0, 1)) * 2))
        for plane in planes
        for a, b in ((plane.along_i, reference.along_i), (plane.along_j, reference.along_j))
    )
    findings = judged(
        subject,
        "slice_orientation",
        turned_deg,
        say_above=DIRECTION_SILENT_DEG,
        refuse_above=DIRECTION_REFUSED_DEG,
        unit="deg",
        message="slices of one series have different orientations",
        hint="a scout or a reformatted view is mixed in; remove it or choose another series",
    )
    spread = np.ptp([plane.spacing_mm for plane in planes], axis=0) / reference.spacing_mm
    return findings + judged(
        subject,
        "pixel_spacing",
        float(spread.max()),
        say_above=PIXEL_SILENT_FRAC,
        refuse_above=PIXEL_REFUSED_FRAC,
        unit="fraction",
        message="slices of one series have different pixel sizes",
        hint="two reconstructions are mixed in one series; separate them",
    )


def _refuse_no_volume(heights: Array, subject: str) -> None:
    if len(heights) < 2:
        raise GeometryError(f"{subject}: one slice is not a volume", hint="give the folder of the whole series")
    if np.ptp(heights) < SAME_POSITION_MM:
        raise GeometryError(
            f"{subject}: all {len(heights)} slices lie at one position; this is a time series, not a volume",
            hint="choose the series of the planning CT, not the bolus monitoring or fluoroscopy",
        )
    steps = np.diff(heights)
    if steps.min() < SAME_POSITION_MM:
        where = int(np.argmin(steps))
        raise GeometryError(
            f"{subject}: slices {where + 1} and {where + 2} of {len(heights)} lie at one position and differ",
            hint="two phases or two reconstructions share the series; separate them",
        )


def _spacing(heights: Array, subject: str) -> tuple[float, tuple[GeometryFinding, ...]]:
    """The slice spacing, and what is said of its irregularity. Raises `GeometryError` for missing or unequal slices."""
    steps = np.diff(heights)
    typical = float(np.median(steps))
    allowed = min(SPACING_REFUSED_FRAC * typical, SPACING_REFUSED_MM)
    even = float(np.ptp(heights)) / (len(heights) - 1)
    off_mm = float(np.abs(heights - np.linspace(heights[0], heights[-1], len(heights))).max())
    uneven_mm = max(off_mm, float(np.abs(steps - even).max()) if off_mm > allowed else 0.0)
    if uneven_mm > allowed:
        _refuse_uneven(steps, typical, subject)
    return even, judged(
        subject,
        "slice_spacing",
        uneven_mm,
        say_above=SPACING_SILENT_MM,
        refuse_above=allowed,
        unit="mm",
        message="slice positions deviate from equal steps",
        hint="reconstruct the series with equal slice spacing",
    )


def _refuse_uneven(steps: Array, typical: float, subject: str) -> None:
    ratio = steps / typical
    gaps = np.flatnonzero((np.abs(ratio - np.rint(ratio)) < 0.1) & (np.rint(ratio) >= 2))
    others = np.delete(ratio, gaps)
    if len(gaps) and np.abs(others - 1).max(initial=0.0) < 0.1:
        missing = int(np.rint(ratio[gaps]).sum() - len(gaps))
        first = int(gaps[0])
        raise GeometryError(
            f"{subject}: {missing} slice(s) missing: {steps[first]:.2f} mm between slices {first + 1} and {first + 2} "
            f"where {typical:.2f} mm is usual",
            hint="copy the series again; a missing slice would shorten everything above it",
        )
    raise GeometryError(
        f"{subject}: variable slice spacing, {steps.min():.2f} to {steps.max():.2f} mm",
        hint="reconstruct the series with equal slice spacing; two protocols may be joined in one series",
    )


def _drift(
    planes: list[Plane], heights: Array, along_i: Array, along_j: Array, subject: str
) -> tuple[Array | None, tuple[GeometryFinding, ...]]:
    """In-plane displacement per plane in pixels, and what is said of the gantry tilt that it shows."""
    offset = np.array([plane.position_lps_mm - planes[0].position_lps_mm for plane in planes])
    inside_mm = np.column_stack([offset @ along_i, offset @ along_j])
    rise = heights - heights[0]
    slope = inside_mm[-1] / rise[-1]
    jitter_mm = float(np.linalg.norm(inside_mm - rise[:, None] * slope, axis=1).max())
    findings = judged(
        subject,
        "slice_sideways",
        jitter_mm,
        say_above=SIDEWAYS_SILENT_MM,
        refuse_above=SIDEWAYS_REFUSED_MM,
        unit="mm",
        message="slices are displaced sideways from a straight stack",
        hint="the field of view moved during the series; reconstruct it with one field of view",
    )
    drift_mm = float(np.linalg.norm(inside_mm[-1]))
    tilt_deg = float(np.degrees(np.arctan(np.linalg.norm(slope))))
    if tilt_deg > TILT_REFUSED_DEG:
        raise GeometryError(
            f"{subject}: the stack leans by {tilt_deg:.1f} deg, more than any gantry tilts",
            hint="the stated positions are damaged or two series are mixed; export the series again",
        )
    if drift_mm <= DRIFT_SILENT_MM:
        return None, findings
    if drift_mm <= DRIFT_RESAMPLED_MM:
        message = f"the stack leans by {tilt_deg:.2f} deg; left as it is"
        return None, (*findings, _tilt(subject, drift_mm, DRIFT_SILENT_MM, message, repaired=False))
    message = (
        f"gantry tilt of {tilt_deg:.1f} deg: every slice shifted within its own plane (linear interpolation) onto a "
        "grid with perpendicular axes; air is filled in where no slice reaches"
    )
    pixels = inside_mm / np.mean([plane.spacing_mm for plane in planes], axis=0)
    return pixels, (*findings, _tilt(subject, drift_mm, DRIFT_RESAMPLED_MM, message, repaired=True))


def _tilt(subject: str, drift_mm: float, limit_mm: float, message: str, *, repaired: bool) -> GeometryFinding:
    return said(subject, "gantry_tilt", drift_mm, limit=limit_mm, unit="mm", message=message, repaired=repaired)
