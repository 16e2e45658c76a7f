"""Which files of a folder are the slices of the one CT series meant."""

import struct
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError

from trocar.errors import ReadError

COMPANIONS = {".txt", ".md", ".json", ".toml", ".xml", ".html", ".htm", ".pdf", ".csv", ".png", ".jpg", ".ini", ".log"}
DAMAGED = (  # what pydicom raises for a damaged file, on reading it or when an element is asked for
    InvalidDicomError,
    BytesLengthException,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
)
ASKED_OF_ALL = (
    "Modality",
    "SOPClassUID",
    "ImageType",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "PatientID",
    "LossyImageCompression",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "SeriesDate",
    "StudyDate",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
COMPANION_NAMES = {"DICOMDIR", "LOCKFILE", "VERSION", "Thumbs.db"}


@contextmanager
def lenient() -> Iterator[None]:
    """pydicom warns of every odd value representation that real scanners write; none of those tags is used here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """A damaged element is a `ReadError` that names the file: pydicom converts each when it is asked for."""
    try:
        with lenient():
            yield
    except DAMAGED as error:
        raise ReadError(f"{path.name} is damaged: {error}", hint="copy or export it again") from error


def read_header(path: Path) -> Any:
    """The dataset of a DICOM file without its pixels. Raises `ReadError` naming the file."""
    return _read(path, stop_before_pixels=True)


def read_whole(path: Path) -> Any:
    """The dataset of a DICOM file. Raises `ReadError` naming the file."""
    return _read(path, stop_before_pixels=False)


def _read(path: Path, *, stop_before_pixels: bool) -> Any:
    if not path.is_file():
        raise ReadError(f"there is no file {path.name}", hint="check the path")
    if path.stat().st_size == 0:
        raise ReadError(f"{path.name} is empty (0 bytes)", hint="copy or export this slice again")
    try:
        with lenient():
            found = pydicom.dcmread(path, stop_before_pixels=stop_before_pixels, force=True)
            known = {keyword for keyword in ASKED_OF_ALL if found.get(keyword)}
    except DAMAGED as error:
        raise ReadError(f"{path.name} cannot be read as DICOM: {error}", hint="copy or export it again") from error
    if not known & {"Modality", "SOPClassUID"}:
        raise ReadError(
            f"{path.name} is not a DICOM file", hint="give a folder that holds one CT series, or a NIfTI file"
        )
    return found


def ct_slices(folder: Path, series: str | None) -> tuple[list[tuple[Path, Any]], int]:
    """The files and headers of the one CT series of a folder (or of `series`), and how many localizers were left out.

    Raises `ReadError` for a damaged file, for a folder without CT, and for several series (their UIDs are listed).
    """
    headers = [(path, read_header(path)) for path in _candidates(folder)]
    scans = [(path, header) for path, header in headers if header.get("Modality") == "CT"]
    if not scans:
        others = sorted({str(header.get("Modality") or "unknown") for _, header in headers})
        raise ReadError(
            f"the folder holds no CT slice (found: {', '.join(others) or 'no DICOM file'})",
            hint="give the folder of the planning CT; other modalities are not in Hounsfield units",
        )
    volumes = [(path, header) for path, header in scans if "LOCALIZER" not in (header.get("ImageType") or ())]
    return _one_series(volumes or scans, series), len(scans) - len(volumes or scans)


def _candidates(folder: Path) -> list[Path]:
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    kept = [
        path
        for path in files
        if path.suffix.lower() not in COMPANIONS and path.name not in COMPANION_NAMES and not path.name.startswith(".")
    ]
    if not kept:
        raise ReadError(f"{folder.name} holds no DICOM file", hint="give a folder of DICOM slices, or a NIfTI file")
    return kept


def _one_series(scans: list[tuple[Path, Any]], series: str | None) -> list[tuple[Path, Any]]:
    groups: dict[str, list[tuple[Path, Any]]] = defaultdict(list)
    for path, header in scans:
        groups[str(header.get("SeriesInstanceUID") or "")].append((path, header))
    listed = "; ".join(f"{uid or '(no UID)'} ({len(groups[uid])} files)" for uid in sorted(groups))
    if series is not None:
        if series not in groups:
            raise ReadError(f"the folder holds no CT series {series}", hint=f"it holds: {listed}")
        return groups[series]
    if len(groups) > 1:
        raise ReadError(f"the folder holds {len(groups)} CT series: {listed}", hint="choose one with --series UID")
    return next(iter(groups.values()))
