"""Structures from DICOM RT Structure Sets.

A voxel belongs to a structure when its center lies inside or on the contour (even-odd rule within one plane: an inner
contour is a hole, a keyhole is one too). Contours drawn through the centers of the boundary voxels and contours drawn
around their edges both give back the voxels that were drawn; none is lost by half a voxel.
"""

from pathlib import Path
from typing import Any

import numpy as np
from skimage.measure import grid_points_in_poly

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.imaging.surface import slices
from trocar.io.anatomy import named, required_role
from trocar.io.dicom_files import read_whole, readable
from trocar.io.geometry import said
from trocar.io.labels import Names
from trocar.io.region import CUT_OFF_REFUSED_FRAC, Region, require_same_frame
from trocar.model.case import GeometryFinding, Role
from trocar.model.space import Array, Grid

CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
PLANE_SILENT_VOX, PLANE_REFUSED_VOX = 0.05, 0.25  # how far a contour may leave its plane
_AGAIN = "export it again in binary form; text-mode transfer corrupts DICOM files"
GAP_FACTOR = 1.5  # a step this much larger than usual separates two parts


def read_rtstruct(
    path: Path,
    grid: Grid,
    *,
    frame_of_reference_uid: str | None,
    names: Names | None = None,
    subject: str = "structures",
) -> tuple[list[Region], tuple[GeometryFinding, ...]]:
    """The regions of interest of a structure set on the CT's grid, named by `names` (ROI number) or by their own name.

    A contour fills the slices up to half the contour spacing away, so that contours drawn on every second slice leave
    no gap (said). Points and contours of fewer than three vertices are left out.

    Raises `ReadError` for a damaged file, `GeometryError` for another or no frame of reference and for contours that
    are not parallel to the CT's slices, `CaseError` for an empty region or a name without role.
    """
    found = read_whole(path)
    with readable(path):
        contours, frame_uid = _contours(found, path), _frame_of_reference(found, path)
    findings = require_same_frame(subject, frame_uid, frame_of_reference_uid)
    regions = []
    for number, (stated, polygons) in contours.items():
        name, role = _name(number, stated, names)
        region, seen = _filled(polygons, grid, name, role, subject)
        regions.append(region)
        findings = (*findings, *seen)
    return regions, findings


def _contours(found: Any, path: Path) -> dict[int, tuple[str, list[Array]]]:
    """ROI number to its name and closed polygons, each (n, 3) LPS mm. Raises `ReadError` and what pydicom raises."""
    if found.get("StructureSetROISequence") is None or found.get("ROIContourSequence") is None:
        raise ReadError(
            f"{path.name} holds no structure set (damaged, or another kind of file)",
            hint=_AGAIN,
        )
    stated = [(int(roi.ROINumber), str(roi.get("ROIName") or "")) for roi in found.StructureSetROISequence]
    drawn = [
        (int(roi.ReferencedROINumber), [_polygon(contour) for contour in roi.get("ContourSequence") or ()])
        for roi in found.ROIContourSequence
    ]
    for numbers in ([number for number, _ in stated], [number for number, _ in drawn]):
        if len(set(numbers)) != len(numbers):
            raise ReadError(f"{path.name} is a damaged structure set: it holds one ROI number twice", hint=_AGAIN)
    names = dict(stated)
    return {
        number: (names.get(number, ""), [polygon for polygon in polygons if len(polygon) >= 3])
        for number, polygons in drawn
    }


def _polygon(contour: Any) -> Array:
    """The vertices (n, 3) LPS mm of a closed contour, none of another kind. Raises `ValueError` for damaged numbers."""
    if contour.get("ContourGeometricType") not in CLOSED:
        return np.zeros((0, 3))
    stated = contour.get("ContourData")
    values = np.atleast_1d(np.array(() if stated is None else stated, dtype=float))
    if len(values) % 3:
        raise ValueError(f"a contour of {len(values)} coordinates, not of three for each point")
    if not np.all(np.isfinite(values)):
        raise ValueError("a contour's coordinate is not a number")
    return values.reshape(-1, 3)


def _frame_of_reference(found: Any, path: Path) -> str:
    uids = {
        str(item.get(keyword) or "")
        for sequence, keyword in (
            ("ReferencedFrameOfReferenceSequence", "FrameOfReferenceUID"),
            ("StructureSetROISequence", "ReferencedFrameOfReferenceUID"),
        )
        for item in found.get(sequence) or ()
    } - {""}
    if len(uids) != 1:
        raise GeometryError(
            f"{path.name} refers to {len(uids)} frames of reference, so its place on the CT is unknown",
            hint="export the structure set together with the CT it was drawn on",
        )
    return uids.pop()


def _name(number: int, stated: str, names: Names | None) -> tuple[str, Role]:
    if names is not None:
        if number not in names:
            raise CaseError(f"no name is given for ROI {number}", hint="name every ROI in the labels file")
        return names[number]
    name = named(stated)
    return name, required_role(name)


def _filled(
    polygons: list[Array], grid: Grid, name: str, role: Role, subject: str
) -> tuple[Region, tuple[GeometryFinding, ...]]:
    subject = f"{subject}: {name}"
    if not polygons:
        raise CaseError(f"{subject} has no closed contour", hint="remove the empty region from the structure set")
    indices = [grid.to_ijk(polygon) for polygon in polygons]
    axis = int(np.argmin([max(np.ptp(index[:, n]) for index in indices) for n in range(3)]))
    leaving = max(float(np.ptp(index[:, axis])) for index in indices)
    if leaving > PLANE_REFUSED_VOX:
        raise GeometryError(
            f"{subject}: the contours are not parallel to the CT's slices",
            hint="the structure set was drawn on a tilted or reformatted series; export it on this CT",
        )
    planes = _by_plane(indices, axis)
    part, low, fill_findings = _stack(planes, axis, grid, subject)
    region = Region(name=name, role=role, part=part, low=low, origin=f"RT structure set, {len(polygons)} contours")
    return region, fill_findings


def _by_plane(indices: list[Array], axis: int) -> list[tuple[float, list[Array]]]:
    """Contours grouped by their slice coordinate, ascending; each (n, 2) in the plane's two index axes."""
    planes: dict[int, list[Array]] = {}
    for index in indices:
        key = round(float(np.median(index[:, axis])) * 100)
        near = next((key + n for n in (0, -1, 1) if key + n in planes), key)
        planes.setdefault(near, []).append(np.delete(index, axis, axis=1))
    return [(key / 100, contours) for key, contours in sorted(planes.items())]


def _stack(
    planes: list[tuple[float, list[Array]]], axis: int, grid: Grid, subject: str
) -> tuple[Array, tuple[int, int, int], tuple[GeometryFinding, ...]]:
    """The filled box [i, j, k], its first index, and what is said of slices without their own contour."""
    points = np.concatenate([contour for _, contours in planes for contour in contours])
    across = np.delete(np.arange(3), axis)
    low2 = np.floor(points.min(axis=0)).astype(int)
    size2 = tuple(int(n) for n in np.ceil(points.max(axis=0)).astype(int) - low2 + 1)
    heights = np.array([height for height, _ in planes])
    step = float(np.median(np.diff(heights))) if len(planes) > 1 else 1.0
    reach = max(step, 1.0) / 2
    slices = np.arange(int(np.ceil(heights[0] - reach)), int(np.floor(heights[-1] + reach - 1e-3)) + 1)
    filled = np.zeros((len(slices), *size2), dtype=bool)
    drawn = [even_odd([contour - low2 for contour in contours], size2) for _, contours in planes]
    borrowed = 0
    for page, number in zip(filled, slices, strict=True):
        nearest = int(np.argmin(np.abs(heights - number)))
        distance = abs(float(heights[nearest]) - float(number))
        if distance <= reach + 1e-3:
            page[:] = drawn[nearest]
            borrowed += distance > PLANE_REFUSED_VOX
    low = np.zeros(3, dtype=int)
    low[across], low[axis] = low2, slices[0] if len(slices) else 0
    part, first = _clipped(np.moveaxis(filled, 0, axis), low, grid, subject)
    return part, first, _said_of_steps(heights, step, borrowed, subject)


def _said_of_steps(heights: Array, step: float, borrowed: int, subject: str) -> tuple[GeometryFinding, ...]:
    found = []
    if borrowed:
        message = f"{borrowed} slices without contour filled from the nearest one (contours every {step:.1f} slices)"
        found.append(said(subject, "contour_spacing", step, limit=1, unit="slices", message=message, repaired=True))
    gaps = int(np.count_nonzero(np.diff(heights) > GAP_FACTOR * max(step, 1.0)))
    if gaps:
        message = f"the contours leave {gaps} gaps larger than their usual spacing; kept as separate parts"
        found.append(said(subject, "contour_gap", gaps, limit=0, unit="1", message=message))
    return tuple(found)


def _clipped(filled: Array, low: Array, grid: Grid, subject: str) -> tuple[Array, tuple[int, int, int]]:
    start = np.maximum(low, 0)
    stop = np.minimum(low + filled.shape, grid.shape)
    if np.any(stop <= start):
        raise GeometryError(f"{subject} lies outside the CT", hint="the structure set belongs to another image")
    part = filled[slices(start - low, stop - low)]
    if np.count_nonzero(part) < (1 - CUT_OFF_REFUSED_FRAC) * np.count_nonzero(filled):
        raise GeometryError(f"{subject} lies mostly outside the CT", hint="the structure set belongs to another image")
    return part, (int(start[0]), int(start[1]), int(start[2]))


def even_odd(contours: list[Array], size: tuple[int, ...]) -> Array:
    """Boolean [a, b] of the pixel centers inside an odd number of polygons (n, 2), or on the line of any."""
    odd = np.zeros(size, dtype=bool)
    on_line = np.zeros(size, dtype=bool)
    for contour in contours:
        where = grid_points_in_poly(size, np.round(contour, 6), binarize=False)
        odd ^= where == 1
        on_line |= where > 1
    return odd | on_line
