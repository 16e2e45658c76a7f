"""Images and label maps from NIfTI files, from RAS to LPS."""

import gzip
import math
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.imageglobals import logger
from nibabel.spatialimages import HeaderDataError

from trocar.errors import GeometryError, ReadError
from trocar.io.geometry import LPS_FROM_RAS, canonical, grid_of, judged, orthogonal_axes, said, volume_of
from trocar.io.hounsfield import in_hounsfield
from trocar.io.identity import pseudonym
from trocar.io.image import Image
from trocar.model.case import GeometryFinding
from trocar.model.space import Array, Grid

FORMS_SILENT_MM, FORMS_REFUSED_MM = 0.01, 0.5  # between the two forms, at the farthest corner
SUFFIXES = (".nii", ".nii.gz")
UNPACKED_AT_MOST = 1032  # times its own size: the format of .gz allows no more
_CHUNK = 1 << 20  # bytes
_AGAIN = "copy or export it again"
_DAMAGED = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, KeyError, OverflowError, zlib.error)


def is_nifti(path: Path) -> bool:
    """Whether a path is named like a NIfTI file."""
    return path.name.lower().endswith(SUFFIXES)


def read_nifti(path: Path, *, salt: str = "", subject: str = "ct") -> Image:
    """The CT of a NIfTI file in HU, as int16 with axes towards left, posterior and head. A date is never known.

    Raises `ReadError` (damaged, not three-dimensional, not in HU) and `GeometryError` (one slice, shear, contradicting
    forms, no orientation, other units than mm).
    """
    loaded = _load(path)
    if 1 in loaded.shape[:3]:
        raise GeometryError(f"{subject}: one slice is not a volume", hint="give the file of the whole series")
    matrix, findings = _lps_from_ijk(loaded, subject)
    values = in_hounsfield(_array(loaded, path), subject)
    key = values.tobytes() + matrix.tobytes()
    return Image(volume=volume_of(values, matrix, unit="HU"), pseudonym=pseudonym(salt, key), findings=findings)


def read_label_values(path: Path, *, subject: str) -> tuple[Array, Grid, tuple[GeometryFinding, ...], list[bytes]]:
    """A label map's whole numbers [i, j, k], its grid, what was said of it, and the contents of its header extensions.

    Raises `ReadError` when it is damaged or not three-dimensional, or its values are not whole numbers from 0 to 65535.
    """
    loaded = _load(path)
    matrix, findings = _lps_from_ijk(loaded, subject)
    values = _array(loaded, path)
    if values.dtype.kind == "f" and not np.all(values == np.rint(values)):  # NaN differs from itself
        raise ReadError(
            f"{subject}: voxels of a label map must be whole numbers",
            hint="threshold a probability map into labels first",
        )
    if values.size and (values.min() < 0 or values.max() > 65535):
        raise ReadError(f"{subject}: labels must lie in 0 to 65535", hint="is this an image rather than a label map?")
    labels, matrix = canonical(values.astype(np.uint16), matrix)
    extensions = [bytes(extension.content) for extension in loaded.header.extensions]
    return labels, grid_of(labels.shape, matrix), findings, extensions


def _load(path: Path) -> Any:
    """The opened file: three-dimensional, and not larger than it can be. Raises `ReadError`."""
    if not path.is_file():
        raise ReadError(f"there is no file {path.name}", hint="check the path")
    if path.stat().st_size == 0:
        raise ReadError(f"{path.name} is empty (0 bytes)", hint=_AGAIN)
    try:
        with _silent():
            loaded = nibabel.load(path)
    except _DAMAGED as error:
        raise ReadError(f"{path.name} cannot be read as NIfTI: {error}", hint=_AGAIN) from error
    if not isinstance(loaded, nibabel.Nifti1Image):
        raise ReadError(f"{path.name} is not NIfTI", hint="convert it to .nii.gz, or give a DICOM folder")
    _require_volume(loaded.dataobj, path)
    return loaded


@contextmanager
def _silent() -> Iterator[None]:
    """nibabel says on standard error what it mends in a header; what matters of it is judged here."""
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _require_volume(stored: Any, path: Path) -> None:
    """Raises `ReadError` for other than three dimensions, and for more voxels than the file can hold."""
    shape = stored.shape
    if min(shape, default=0) < 1:
        raise ReadError(f"{path.name} is damaged: its header states dimensions {shape}", hint=_AGAIN)
    if len(shape) < 3 or math.prod(shape[3:]) > 1:
        raise ReadError(
            f"{path.name} has dimensions {shape}; a volume has three",
            hint="give the whole volume, not a picture; one phase of a time series",
        )
    stated = stored.offset + math.prod(shape) * stored.dtype.itemsize
    if not 0 <= stated <= path.stat().st_size * (UNPACKED_AT_MOST if _is_packed(path) else 1):
        raise ReadError(
            f"{path.name} is truncated or damaged: its header states more voxels than it holds ({shape})", hint=_AGAIN
        )


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _array(loaded: Any, path: Path) -> Array:
    """The values [i, j, k]. Raises `ReadError`."""
    try:
        values = _unpacked(loaded.dataobj, path) if _is_packed(path) else np.asarray(loaded.dataobj)
    except _DAMAGED as error:
        raise ReadError(f"{path.name} is truncated or damaged", hint=_AGAIN) from error
    except MemoryError as error:
        raise ReadError(
            f"{path.name} is larger than the memory ({loaded.shape} voxels)", hint="crop it to what is treated"
        ) from error
    if values.dtype.kind not in "iufb":
        raise ReadError(f"{path.name} holds colors or complex numbers", hint="give a gray-value image")
    return values.reshape(values.shape[:3])


def _unpacked(stored: Any, path: Path) -> Array:
    """The values of a .gz file, read to the end of the stream: its checksum stands there, behind the last voxel."""
    with gzip.open(path) as stream:
        values = np.asarray(ArrayProxy(stream, (stored.shape, stored.dtype, stored.offset, stored.slope, stored.inter)))
        while stream.read(_CHUNK):
            pass
    return values


def _lps_from_ijk(loaded: Any, subject: str) -> tuple[Array, tuple[GeometryFinding, ...]]:
    """The 4 x 4 matrix to LPS mm from the file's sform and qform, which must agree."""
    unit, qform, sform = _stated_place(loaded, subject)
    if unit not in ("mm", "unknown"):
        raise GeometryError(f"{subject}: lengths in {unit}, not mm", hint="write the image with millimeters")
    findings: tuple[GeometryFinding, ...] = ()
    if unit == "unknown":
        findings = (
            said(subject, "length_unit", 1, limit=0, unit="1", message="no unit of length stated; taken as mm"),
        )
    if sform is None and qform is None:
        raise GeometryError(
            f"{subject}: the file states no orientation (qform and sform codes are 0), so left and right are unknown",
            hint="convert it again from DICOM with a tool that writes the orientation",
        )
    if sform is not None and qform is not None:
        corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (
            np.array(loaded.shape[:3]) - 1
        )
        apart = corners @ (sform - qform)[:3, :3].T + (sform - qform)[:3, 3]
        findings += judged(
            subject,
            "qform_sform",
            float(np.linalg.norm(apart, axis=1).max()),
            say_above=FORMS_SILENT_MM,
            refuse_above=FORMS_REFUSED_MM,
            unit="mm",
            message="the file's two orientations (qform and sform) contradict each other",
            hint="write both equal; one of them was changed by another tool",
        )
    straight, sheared = orthogonal_axes(subject, LPS_FROM_RAS @ (qform if sform is None else sform), loaded.shape)
    return straight, findings + sheared


def _stated_place(loaded: Any, subject: str) -> tuple[str, Array | None, Array | None]:
    """The unit of length, and the 4 x 4 qform and sform to RAS; None for one whose code is 0. Raises `ReadError`."""
    damaged = ReadError(f"{subject}: the unit of length or the orientation in the header is damaged", hint=_AGAIN)
    try:
        unit = str(loaded.header.get_xyzt_units()[0])
        qform, sform = loaded.get_qform(coded=True)[0], loaded.get_sform(coded=True)[0]
    except _DAMAGED as error:
        raise damaged from error
    if not all(np.all(np.isfinite(form)) for form in (qform, sform) if form is not None):
        raise damaged
    return unit, qform, sform
