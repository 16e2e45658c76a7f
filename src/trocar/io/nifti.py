"""Images and label maps from NIfTI files, from RAS to LPS."""

import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from trocar.errors import GeometryError, ReadError
from trocar.io.geometry import LPS_FROM_RAS, canonical, grid_of, judged, orthogonal_axes, said, volume_of
from trocar.io.hounsfield import in_hounsfield
from trocar.io.identity import pseudonym
from trocar.io.image import Image
from trocar.model.case import GeometryFinding
from trocar.model.space import Array, Grid

FORMS_SILENT_MM, FORMS_REFUSED_MM = 0.01, 0.5  # between the two forms, at the farthest corner
SUFFIXES = (".nii", ".nii.gz")


def is_nifti(path: Path) -> bool:
    """Whether a path is named like a NIfTI file."""
    return path.name.lower().endswith(SUFFIXES)


def read_nifti(path: Path, *, salt: str = "", subject: str = "ct") -> Image:
    """The CT of a NIfTI file in HU, as int16 with axes towards left, posterior and head. A date is never known.

    Raises `ReadError` (damaged, not three-dimensional, not in HU) and `GeometryError` (shear, contradicting forms, no
    orientation, other units than mm).
    """
    loaded = _load(path)
    matrix, findings = _lps_from_ijk(loaded, subject)
    values = in_hounsfield(_array(loaded, path), subject)
    key = values.tobytes() + matrix.tobytes()
    return Image(volume=volume_of(values, matrix, unit="HU"), pseudonym=pseudonym(salt, key), findings=findings)


def read_label_values(path: Path, *, subject: str) -> tuple[Array, Grid, tuple[GeometryFinding, ...], list[bytes]]:
    """A label map's whole numbers [i, j, k], its grid, what was said of it, and the contents of its header extensions.

    Raises `ReadError` when the values are not whole numbers from 0 to 65535.
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
    extensions = [bytes(extension.get_content()) for extension in _extensions(loaded)]
    return labels, grid_of(labels.shape, matrix), findings, extensions


def _extensions(loaded: Any) -> list[Any]:
    return [extension for extension in loaded.header.extensions if isinstance(extension.get_content(), bytes)]


def _load(path: Path) -> Any:
    if not path.is_file():
        raise ReadError(f"there is no file {path.name}", hint="check the path")
    if path.stat().st_size == 0:
        raise ReadError(f"{path.name} is empty (0 bytes)", hint="copy or export it again")
    try:
        loaded = nibabel.load(path)
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise ReadError(f"{path.name} cannot be read as NIfTI: {error}", hint="copy or export it again") from error
    if not isinstance(loaded, nibabel.Nifti1Image):
        raise ReadError(f"{path.name} is not NIfTI", hint="convert it to .nii.gz, or give a DICOM folder")
    return loaded


def _array(loaded: Any, path: Path) -> Array:
    try:
        values = np.asarray(loaded.dataobj)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ReadError(f"{path.name} is truncated or damaged: {error}", hint="copy or export it again") from error
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise ReadError(
            f"{path.name} has dimensions {values.shape}; a volume has three", hint="give one phase of a time series"
        )
    if values.dtype.kind not in "iufb":
        raise ReadError(f"{path.name} holds colors or complex numbers", hint="give a gray-value image")
    return values


def _lps_from_ijk(loaded: Any, subject: str) -> tuple[Array, tuple[GeometryFinding, ...]]:
    """The 4 x 4 matrix to LPS mm from the file's sform and qform, which must agree."""
    unit = loaded.header.get_xyzt_units()[0]
    if unit not in ("mm", "unknown"):
        raise GeometryError(f"{subject}: lengths in {unit}, not mm", hint="write the image with millimeters")
    findings: tuple[GeometryFinding, ...] = ()
    if unit == "unknown":
        findings = (
            said(subject, "length_unit", 1, limit=0, unit="1", message="no unit of length stated; taken as mm"),
        )
    (qform, qcode), (sform, scode) = loaded.get_qform(coded=True), loaded.get_sform(coded=True)
    if not scode and not qcode:
        raise GeometryError(
            f"{subject}: the file states no orientation (qform and sform codes are 0), so left and right are unknown",
            hint="convert it again from DICOM with a tool that writes the orientation",
        )
    if scode and qcode:
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
    straight, sheared = orthogonal_axes(subject, LPS_FROM_RAS @ (sform if scode else qform), loaded.shape)
    return straight, findings + sheared
