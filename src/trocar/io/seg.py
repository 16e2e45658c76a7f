"""Structures from DICOM Segmentation objects, placed by their own affine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import highdicom
import numpy as np

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.anatomy import named, required_role
from trocar.io.dicom_files import DAMAGED, lenient, read_whole
from trocar.io.geometry import canonical, grid_of, said
from trocar.io.labels import Names, region_from_mask
from trocar.io.region import Region, require_same_frame
from trocar.model.case import GeometryFinding, Role
from trocar.model.space import Array, Grid

HALF_FRAC = 0.5  # a voxel belongs to a fractional segment from here on
DAMAGED_PIXELS = (*DAMAGED, RuntimeError, IndexError)  # and what highdicom and decoders raise
NEEDED = ("SegmentationType", "Rows", "Columns", "BitsAllocated", "PixelData")


def read_seg(
    path: Path,
    grid: Grid,
    *,
    frame_of_reference_uid: str | None,
    names: Names | None = None,
    subject: str = "structures",
) -> tuple[list[Region], tuple[GeometryFinding, ...]]:
    """The segments of a binary, fractional or label map SEG on the CT's grid; segments may overlap.

    A segment is named by `names` (its number to name and role), else by its label. A fractional one is cut at one half,
    and said so.

    Raises `ReadError` for a damaged file, `GeometryError` when it was drawn in another frame of reference or its planes
    are not one regular stack, `CaseError` for a name without role or an empty segment.
    """
    segments = _open(path)
    findings = require_same_frame(
        subject, str(segments.get("FrameOfReferenceUID") or "") or None, frame_of_reference_uid
    )
    kind = str(segments.SegmentationType)
    if kind == "FRACTIONAL":
        message = "fractional segments: a voxel belongs to a structure from one half on"
        findings = (
            *findings,
            said(subject, "fractional_segment", HALF_FRAC, limit=0, unit="fraction", message=message),
        )
    regions = []
    for number, (name, role) in _segment_names(segments, names).items():
        inside, source = _segment(segments, number, subject)
        if not inside.any():
            raise CaseError(f"{subject}: segment {number} ({name}) is empty", hint="remove it from the segmentation")
        region, seen = region_from_mask(inside, source, grid, name=name, role=role, subject=f"{subject}: {name}")
        regions.append(region)
        findings = (*findings, *seen)
    return regions, findings


def _open(path: Path) -> Any:
    found = read_whole(path)
    if found.get("Modality") != "SEG":
        raise ReadError(f"{path.name} is not a DICOM segmentation", hint="give a SEG, an RTSTRUCT or a NIfTI label map")
    absent = [keyword for keyword in NEEDED if keyword not in found]
    if absent:
        raise ReadError(
            f"{path.name} is a damaged segmentation: it holds no {', '.join(absent)}", hint="export it again"
        )
    try:
        with lenient():
            return highdicom.seg.Segmentation.from_dataset(found, copy=False)
    except DAMAGED_PIXELS as error:
        raise ReadError(f"{path.name} is a damaged segmentation: {error}", hint="export it again") from error


def _segment_names(segments: Any, names: Mapping[int, tuple[str, Role]] | None) -> Names:
    numbers = [int(number) for number in segments.segment_numbers if int(number) > 0]
    if names is not None:
        unnamed = sorted(set(numbers) - names.keys())
        if unnamed:
            raise CaseError(f"no name is given for segment {unnamed}", hint="name every segment in the labels file")
        return {number: names[number] for number in numbers}
    found = {}
    for number in numbers:
        name = named(str(segments.get_segment_description(number).segment_label))
        found[number] = (name, required_role(name))
    return found


def _segment(segments: Any, number: int, subject: str) -> tuple[Array, Grid]:
    """One segment's boolean mask and its grid. highdicom stacks planes in its own order: the affine decides."""
    try:
        with lenient():
            volume = segments.get_volume(segment_numbers=[number], combine_segments=False)
    except DAMAGED_PIXELS as error:
        if not _is_one_stack(segments):
            raise GeometryError(
                f"{subject}: the segment's planes are not one regular stack: {error}",
                hint="export the segmentation on the planning CT's own slices",
            ) from error
        raise ReadError(
            f"{subject}: segment {number} cannot be read (truncated or damaged): {error}",
            hint="copy or export it again",
        ) from error
    inside, matrix = canonical(np.asarray(volume.array)[..., 0] >= HALF_FRAC, volume.affine)
    return inside, grid_of(inside.shape, matrix)


def _is_one_stack(segments: Any) -> bool:
    try:
        with lenient():
            return segments.get_volume_geometry() is not None
    except (AttributeError, TypeError, ValueError, KeyError):
        return False
