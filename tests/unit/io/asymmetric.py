"""A phantom that is different towards left, posterior and head, written as DICOM and NIfTI in any orientation."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from trocar.model.space import Array, Volume

FRAME_UID = "1.2.826.0.1.3680043.8.498.1000"
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2.1"
CENTER_LPS_MM = np.array([12.0, -143.0, 250.0])
LEFT_BALL_LPS_MM = CENTER_LPS_MM + np.array([18.0, -9.0, 7.0])
AXIAL = ((1, 0, 0), (0, 1, 0))
CORONAL = ((1, 0, 0), (0, 0, -1))
SAGITTAL = ((0, 1, 0), (0, 0, -1))
IDENTITY = {"PatientName": "DOE^JANE", "PatientID": "4711-SECRET", "PatientBirthDate": "19501231"}


def truth_HU(points_lps_mm: Array) -> Array:
    """The phantom's HU at (..., 3) points: smooth, air around it, no two axes or signs alike."""
    x, y, z = np.moveaxis(np.asarray(points_lps_mm, dtype=float) - CENTER_LPS_MM, -1, 0)
    body = 1010 * np.exp(-((x / 24) ** 4) - (y / 20) ** 4 - (z / 22) ** 4)
    ball = 500 * np.exp(-((x - 18) ** 2 + (y + 9) ** 2 + (z - 7) ** 2) / (2 * 6.0**2))
    return -1000 + body * (1 + 0.004 * x + 0.002 * y - 0.003 * z) + ball


def in_ball(points_lps_mm: Array, radius_mm: float = 8.0) -> Array:
    """Whether points lie in the ball on the left."""
    return np.linalg.norm(np.asarray(points_lps_mm) - LEFT_BALL_LPS_MM, axis=-1) <= radius_mm


def error_HU(volume: Volume) -> float:
    """The largest deviation from the truth over all voxels."""
    points = volume.grid.to_lps(np.moveaxis(np.indices(volume.grid.shape), 0, -1))
    return float(np.abs(volume.values - truth_HU(points)).max())


def matrix_of(along_i: Array, along_j: Array, spacing_mm: Array, shape: tuple[int, int, int]) -> Array:
    """(4, 4) of a stack centered on the phantom, k along the normal."""
    along_i, along_j = (np.asarray(v, dtype=float) / np.linalg.norm(v) for v in (along_i, along_j))
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([along_i, along_j, np.cross(along_i, along_j)]) * spacing_mm
    matrix[:3, 3] = CENTER_LPS_MM - matrix[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return matrix


def sampled(matrix: Array, shape: tuple[int, int, int]) -> Array:
    """The phantom on a lattice, [i, j, k] int16."""
    points = np.moveaxis(np.indices(shape), 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    return np.rint(truth_HU(points)).astype(np.int16)


def slice_of(page: Array, *, position: Array, orientation: Array, pixel_mm: tuple[float, float]) -> FileDataset:
    """One CT slice from (rows, columns) HU. `pixel_mm` is (i, j)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT_STORAGE, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.SOPInstanceUID = CT_STORAGE, meta.MediaStorageSOPInstanceUID
    found.Modality, found.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    found.StudyInstanceUID, found.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    found.FrameOfReferenceUID = FRAME_UID
    found.AcquisitionDate = "20260302"
    for keyword, value in IDENTITY.items():
        setattr(found, keyword, value)
    found.add_new((0x0009, 0x0010), "LO", "VENDOR")
    found.add_new((0x0009, 0x1001), "LO", "PRIVATE-SECRET")
    found.ImagePositionPatient = [float(v) for v in position]
    found.ImageOrientationPatient = [float(v) for v in orientation]
    found.PixelSpacing = [float(pixel_mm[1]), float(pixel_mm[0])]
    found.RescaleSlope, found.RescaleIntercept = 1, -1024
    _pixels(found, (page.astype(np.int32) + 1024).astype(np.uint16))
    return found


def _pixels(found: Dataset, stored: Array) -> None:
    found.Rows, found.Columns = stored.shape[-2:]
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 16, 15, 0
    found.PixelData = stored.tobytes()


def series(
    along_i: Array = AXIAL[0],
    along_j: Array = AXIAL[1],
    *,
    shape: tuple[int, int, int] = (40, 36, 30),
    spacing_mm: tuple[float, float, float] = (1.6, 1.5, 2.0),
    shear_mm_per_slice: float = 0.0,
) -> list[FileDataset]:
    """The phantom as single slices along the normal; `shear_mm_per_slice` displaces them along j (gantry tilt)."""
    matrix = matrix_of(along_i, along_j, np.asarray(spacing_mm), shape)
    unit_i, unit_j = matrix[:3, 0] / spacing_mm[0], matrix[:3, 1] / spacing_mm[1]
    slices = []
    for k in range(shape[2]):
        plane = matrix.copy()
        plane[:3, 3] += k * matrix[:3, 2] + (k - shape[2] / 2) * shear_mm_per_slice * unit_j
        page = sampled(plane, (shape[0], shape[1], 1))[:, :, 0].T
        orientation = np.concatenate([unit_i, unit_j])
        slices.append(slice_of(page, position=plane[:3, 3], orientation=orientation, pixel_mm=spacing_mm[:2]))
    return slices


def saved(folder: Path, slices: list[FileDataset]) -> Path:
    """The slices as files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, found in enumerate(slices):
        found.save_as(folder / f"{n:03d}.dcm", enforce_file_format=True)
    return folder


def enhanced(slices: list[FileDataset]) -> FileDataset:
    """The same slices as one enhanced multiframe object."""
    first = slices[0]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ENHANCED_CT_STORAGE, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.Modality = ENHANCED_CT_STORAGE, "CT"
    found.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    found.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", *IDENTITY):
        setattr(found, keyword, getattr(first, keyword))
    shared, measures, orientation, values = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = first.PixelSpacing
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -1024, "HU"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    shared.PixelValueTransformationSequence = [values]
    found.SharedFunctionalGroupsSequence = [shared]
    found.PerFrameFunctionalGroupsSequence = []
    for page in slices:
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = page.ImagePositionPatient
        group.PlanePositionSequence = [place]
        found.PerFrameFunctionalGroupsSequence.append(group)
    found.NumberOfFrames = len(slices)
    _pixels(found, np.stack([page.pixel_array for page in slices]))
    return found


def nifti(path: Path, values: Array, lps_from_ijk: Array, *, sform: bool = True, qform: bool = True) -> Path:
    """An array on an LPS lattice as a NIfTI file in RAS."""
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps_from_ijk
    image = nibabel.Nifti1Image(values, ras)
    image.header.set_xyzt_units("mm")
    image.set_sform(ras, code=1 if sform else 0)
    image.set_qform(ras, code=1 if qform else 0)
    nibabel.save(image, path)
    return path


def compressed(found: FileDataset, codec: str) -> FileDataset:
    """The slice compressed without loss: RLE and JPEG-LS by pydicom, JPEG and JPEG 2000 by GDCM."""
    if codec in ("rle", "jpeg_ls"):
        found.compress(pydicom.uid.RLELossless if codec == "rle" else pydicom.uid.JPEGLSLossless)
        return found
    return _by_gdcm(found, codec)


def _by_gdcm(found: FileDataset, codec: str) -> FileDataset:
    import tempfile

    import gdcm

    syntax = (
        gdcm.TransferSyntax.JPEG2000Lossless if codec == "jpeg_2000" else gdcm.TransferSyntax.JPEGLosslessProcess14_1
    )
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        found.save_as(plain, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return pydicom.dcmread(packed)
