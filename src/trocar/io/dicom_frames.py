"""The planes of a CT series, single-frame or enhanced multiframe: where each lies, and its pixels in HU."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trocar.errors import GeometryError, ReadError
from trocar.io.dicom_files import lenient, read_whole, readable
from trocar.io.hounsfield import AIR_HU
from trocar.model.space import Array

HOUNSFIELD_TYPES = {"", "HU", "HU_MOD", "US"}  # US (unspecified) is judged by the histogram
INT16_RANGE = (-32768, 32767)
HOUNSFIELD_UNITS = {"[hnsf'U]", "HU"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """One slice. `along_i` and `along_j` are unit vectors of growing column and row index; `spacing_mm` is (i, j)."""

    path: Path
    frame: int | None  # index in a multiframe file
    position_lps_mm: Array
    along_i: Array
    along_j: Array
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]  # (columns, rows)
    slope: float
    intercept: float

    @property
    def normal(self) -> Array:
        return np.cross(self.along_i, self.along_j)


def planes_of(path: Path, header: Any) -> list[Plane]:
    """The planes of one file, from the position and orientation stated for each.

    Raises `ReadError` when the values are not Hounsfield units, no pixels are described or a tag is damaged,
    `GeometryError` when a plane states no place.
    """
    with readable(path):
        _refuse_other_values(path, header)
        frames = header.get("PerFrameFunctionalGroupsSequence")
        if not frames:
            return [_plane(path, None, header, (header,))]
        shared = tuple(header.get("SharedFunctionalGroupsSequence") or ())
        return [_plane(path, n, header, (frame, *shared)) for n, frame in enumerate(frames)]


def _plane(path: Path, frame: int | None, header: Any, groups: tuple[Any, ...]) -> Plane:
    position = _numbers(groups, "PlanePositionSequence", "ImagePositionPatient", 3)
    orientation = _numbers(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = _numbers(groups, "PixelMeasuresSequence", "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None or min(spacing) <= 0:
        raise GeometryError(
            f"{path.name} does not state its position, orientation and pixel spacing",
            hint="export the original axial slices; derived pictures (screenshots, maximum projections) have no place",
        )
    slope, intercept = _rescale(path, groups)
    along_i, along_j = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(along_i), np.linalg.norm(along_j)
    if abs(lengths[0] - 1) > 1e-2 or abs(lengths[1] - 1) > 1e-2 or abs(along_i @ along_j) > 1e-2:
        raise GeometryError(
            f"{path.name}: the stated row and column directions are not perpendicular unit vectors",
            hint="the orientation tag is damaged; export the series again",
        )
    return Plane(
        path=path,
        frame=frame,
        position_lps_mm=position,
        along_i=along_i / lengths[0],
        along_j=along_j / lengths[1],
        spacing_mm=(float(spacing[1]), float(spacing[0])),  # DICOM states the distance between rows first
        shape=(int(header.Columns), int(header.Rows)),
        slope=slope,
        intercept=intercept,
    )


def _numbers(groups: tuple[Any, ...], sequence: str, keyword: str, count: int) -> Array | None:
    for group in groups:
        for item in (group, *(group.get(sequence) or ())):
            value = item.get(keyword)
            if value is not None and len(value) == count:
                found = np.array([float(number) for number in value])
                return found if np.all(np.isfinite(found)) else None
    return None


def _rescale(path: Path, groups: tuple[Any, ...]) -> tuple[float, float]:
    for group in groups:
        for item in (group, *(group.get("PixelValueTransformationSequence") or ())):
            slope, intercept = item.get("RescaleSlope"), item.get("RescaleIntercept")
            if slope is not None and intercept is not None:
                if not 0 < float(slope) < np.inf or not np.isfinite(float(intercept)):
                    raise ReadError(
                        f"{path.name}: a rescale slope of {slope} and intercept of {intercept} are impossible",
                        hint="export the CT again",
                    )
                return float(slope), float(intercept)
    raise ReadError(
        f"{path.name} states no rescale slope and intercept, so its values are not Hounsfield units",
        hint="export the original CT series, not a processed copy",
    )


def _refuse_other_values(path: Path, header: Any) -> None:
    with lenient():
        groups = [header, *(header.get("SharedFunctionalGroupsSequence") or ())]
        if header.get("Rows") is None or header.get("Columns") is None:
            raise ReadError(f"{path.name} holds no image", hint="give the folder of the CT's slices")
        if str(header.get("BurnedInAnnotation") or "") == "YES":
            raise ReadError(
                f"{path.name} states that text is burned into its pixels, which may name the patient",
                hint="export the original series without annotations",
            )
        if int(header.get("SamplesPerPixel") or 1) != 1:
            raise ReadError(f"{path.name} is a color picture, not a CT slice", hint="export the original CT series")
        for group in groups:
            for item in (group, *(group.get("PixelValueTransformationSequence") or ())):
                kind = str(item.get("RescaleType") or "")
                if kind not in HOUNSFIELD_TYPES:
                    raise ReadError(
                        f"{path.name}: values of type {kind!r} are not Hounsfield units",
                        hint="export the plain CT series",
                    )
            for unit in _mapped_units(group):
                if unit not in HOUNSFIELD_UNITS:
                    raise ReadError(
                        f"{path.name} maps its values to {unit!r}: a computed map (perfusion ...), not HU",
                        hint="export the plain CT series",
                    )


def _mapped_units(group: Any) -> Iterator[str]:
    for mapping in group.get("RealWorldValueMappingSequence") or ():
        for unit in mapping.get("MeasurementUnitsCodeSequence") or ():
            yield str(unit.get("CodeValue") or "")


def hounsfield_slices(planes: list[Plane]) -> Iterator[Array]:
    """Yields for each plane its (rows, columns) int16 values, -1024 where the scanner padded.

    Raises `ReadError` naming the file when pixels are missing, truncated or cannot be decompressed.
    """
    opened: tuple[Path, Any, Array] | None = None
    for plane in planes:
        if opened is None or opened[0] != plane.path:
            opened = (plane.path, *_pixels(plane.path))
        _, header, stored = opened
        stored = stored if plane.frame is None else stored.reshape(-1, *stored.shape[-2:])[plane.frame]
        if stored.shape != plane.shape[::-1]:
            raise ReadError(f"{plane.path.name}: the pixels do not fill the stated size", hint="export it again")
        values = stored * plane.slope + plane.intercept
        with readable(plane.path):
            padding = header.get("PixelPaddingValue")
            padding = None if padding is None else int(padding)
        if padding is not None:
            values = np.where(stored == padding, AIR_HU, values)
        yield np.rint(np.clip(values, *INT16_RANGE)).astype(np.int16)


def _pixels(path: Path) -> tuple[Any, Array]:
    found = read_whole(path)
    if "PixelData" not in found:
        raise ReadError(f"{path.name} holds no pixel data", hint="export the slice again with its image")
    try:
        with lenient():
            if not getattr(found.file_meta, "TransferSyntaxUID", None):
                found.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"  # the standard's default
            return found, found.pixel_array
    except Exception as error:  # each decoder has its own exceptions
        raise ReadError(
            f"{path.name}: the pixels cannot be read (truncated or damaged): {error}", hint="copy or export it again"
        ) from error
