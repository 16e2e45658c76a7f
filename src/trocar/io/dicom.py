"""A CT from a folder of DICOM slices: geometry from each slice's position and orientation, identity left behind."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from trocar.errors import GeometryError
from trocar.io.dicom_files import ct_slices, lenient
from trocar.io.dicom_frames import Plane, hounsfield_slices, planes_of
from trocar.io.dicom_stack import SAME_POSITION_MM, Stack, stacked
from trocar.io.geometry import said, volume_of
from trocar.io.hounsfield import AIR_HU, in_hounsfield
from trocar.io.identity import date_shift_d, plausible, pseudonym, shifted
from trocar.io.image import Image
from trocar.model.case import GeometryFinding
from trocar.model.space import Array

NO_AGENT = {"NONE", "NO", "N", "WITHOUT", "NO CONTRAST", "UNENHANCED"}


def read_dicom(path: Path, *, series: str | None = None, salt: str = "", subject: str = "ct") -> Image:
    """The CT of a folder (or of one multiframe file) as int16 HU with axes towards left, posterior and head.

    Only numbers leave the headers: voxels, geometry, a shifted date, and whether contrast medium was stated. A name,
    an identifier or a private tag is never read into the result. Exact copies of slices are dropped and tilted stacks
    resampled, both said in `findings`.

    Raises `ReadError` (damaged file, several series, no CT, values not in HU) and `GeometryError` (not one regular
    volume), each with the slice and a hint.
    """
    slices, localizers = ct_slices(path, series)
    header = slices[0][1]
    planes = [plane for file, found in slices for plane in planes_of(file, found)]
    frame_uid = _one_frame_of_reference([found for _, found in slices], subject)
    findings = _notes(slices, localizers, subject)
    planes, dropped = _without_duplicates(planes, subject)
    stack = stacked(planes, subject)
    values, matrix = _values(stack)
    series_key = _first(header, "SeriesInstanceUID", "FrameOfReferenceUID", "StudyInstanceUID") or values.tobytes()
    patient_key = _first(header, "PatientID", "StudyInstanceUID", "FrameOfReferenceUID") or str(series_key)
    shift_d = date_shift_d(salt, patient_key)
    return Image(
        volume=volume_of(in_hounsfield(values, subject), matrix, unit="HU"),
        pseudonym=pseudonym(salt, series_key),
        findings=(*findings, *dropped, *stack.findings),
        frame_of_reference_uid=frame_uid,
        acquired=shifted(_acquired(header), shift_d),
        date_shift_d=shift_d,
        contrast_enhanced=_contrast_enhanced(header),
    )


def _values(stack: Stack) -> tuple[Array, Array]:
    """[column, row, plane] HU and the 4 x 4 matrix; a leaning stack is straightened within each plane."""
    pages = hounsfield_slices(stack.planes)
    columns, rows = stack.planes[0].shape
    if stack.drift_px is None:
        values = np.empty((len(stack.planes), rows, columns), dtype=np.int16)
        for page, found in zip(values, pages, strict=True):
            page[:] = found
        return values.transpose(2, 1, 0), stack.matrix
    low = np.floor(stack.drift_px.min(axis=0) + 1e-6).astype(int)
    high = np.ceil(stack.drift_px.max(axis=0) - 1e-6).astype(int)
    size = (rows + high[1] - low[1], columns + high[0] - low[0])
    values = np.empty((len(stack.planes), *size), dtype=np.int16)
    for page, found, drift in zip(values, pages, stack.drift_px, strict=True):
        start = (low - drift)[::-1]
        moved = ndimage.affine_transform(
            found.astype(np.float32), np.eye(2), start, output_shape=size, order=1, cval=AIR_HU
        )
        page[:] = np.rint(moved)
    matrix = stack.matrix.copy()
    matrix[:3, 3] += matrix[:3, 0] * low[0] + matrix[:3, 1] * low[1]
    return values.transpose(2, 1, 0), matrix


def _without_duplicates(planes: list[Plane], subject: str) -> tuple[list[Plane], tuple[GeometryFinding, ...]]:
    """The planes without exact copies at one place. Planes that differ there are left for the stack to refuse."""
    normal = planes[0].normal
    ordered = sorted(planes, key=lambda plane: float(plane.position_lps_mm @ normal))
    heights = np.array([plane.position_lps_mm @ normal for plane in ordered])
    twins = np.flatnonzero(np.diff(heights) < SAME_POSITION_MM)
    if len(twins) == 0 or np.ptp(heights) < SAME_POSITION_MM or len({plane.shape for plane in planes}) > 1:
        return planes, ()
    copies = set()
    for n in twins:
        first, second = hounsfield_slices([ordered[n], ordered[n + 1]])
        if np.array_equal(first, second):
            copies.add(int(n) + 1)
    kept = [plane for n, plane in enumerate(ordered) if n not in copies]
    message = f"{len(copies)} exact copies of slices dropped"
    found = said(subject, "duplicate_slice", len(copies), limit=0, unit="1", message=message, repaired=True)
    return kept, (found,) if copies else ()


def _one_frame_of_reference(headers: list[Any], subject: str) -> str | None:
    uids = {str(header.get("FrameOfReferenceUID") or "") for header in headers}
    if len(uids) > 1:
        raise GeometryError(
            f"{subject}: one series in {len(uids)} frames of reference",
            hint="the patient was repositioned between slices; choose one acquisition",
        )
    return uids.pop() or None


def _notes(slices: list[tuple[Path, Any]], localizers: int, subject: str) -> tuple[GeometryFinding, ...]:
    notes = []
    if localizers:
        notes.append(
            said(
                subject, "localizer", localizers, limit=0, unit="1", message="scout images in the folder were left out"
            )
        )
    lossy = sum(str(header.get("LossyImageCompression") or "") == "01" for _, header in slices)
    if lossy:
        message = "slices were compressed with loss; fine texture and HU may differ from the scanner's"
        notes.append(said(subject, "lossy_compression", lossy, limit=0, unit="1", message=message))
    return tuple(notes)


def _first(header: Any, *keywords: str) -> str | None:
    with lenient():
        return next((str(header.get(keyword)) for keyword in keywords if header.get(keyword)), None)


def _acquired(header: Any) -> datetime.date | None:
    """The day of the scan; None when it is not stated, not a date, or a placeholder."""
    stated = _first(header, "AcquisitionDate", "AcquisitionDateTime", "SeriesDate", "StudyDate")
    try:
        found = datetime.datetime.strptime((stated or "")[:8], "%Y%m%d").date()
    except ValueError:
        return None
    return found if plausible(found) else None


def _contrast_enhanced(header: Any) -> bool | None:
    """Whether contrast medium is stated; None when the header is silent."""
    agent = header.get("ContrastBolusAgent")
    if agent:
        return str(agent).strip().upper() not in NO_AGENT
    for group in header.get("SharedFunctionalGroupsSequence") or ():
        for usage in group.get("ContrastBolusUsageSequence") or ():
            return str(usage.get("ContrastBolusAgentAdministered") or "") == "YES"
    return True if header.get("ContrastBolusAgentSequence") else None
