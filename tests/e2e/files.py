"""The synthetic case as the files a hospital would give: DICOM, NIfTI, label map, mask, markups, clinical TOML."""

import dataclasses
import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import tomli_w
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from trocar.model.case import Case, Role

UID = "1.2.826.0.1.3680043.8.498.77"
LABELED = (
    "hip_left", "hip_right", "sacrum", "vertebrae_L5", "femur_left", "colon", "urinary_bladder",
    "iliac_artery_left", "gluteus_maximus_left",
)  # fmt: skip


def write_nifti(path: Path, values: np.ndarray, lps_from_ijk: np.ndarray) -> Path:
    """Values [i, j, k] on an LPS lattice, as NIfTI (RAS)."""
    image = nibabel.Nifti1Image(values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps_from_ijk)
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    nibabel.save(image, path)
    return path


def write_dicom(folder: Path, case: Case) -> Path:
    """The CT as one axial DICOM series with a patient's name in it."""
    folder.mkdir()
    grid = case.grid
    stored = (case.ct.values.astype(np.int32) + 1024).astype(np.uint16)
    for k in range(grid.shape[2]):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"{UID}.3.{k}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        page = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        page.SOPClassUID, page.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        page.Modality, page.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        page.PatientName, page.PatientID, page.AcquisitionDate = "DOE^JANE", "4711", "20261101"
        page.StudyInstanceUID, page.SeriesInstanceUID, page.FrameOfReferenceUID = f"{UID}.1", f"{UID}.2", f"{UID}.9"
        page.ImagePositionPatient = [float(value) for value in grid.to_lps((0, 0, k))]
        page.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        page.PixelSpacing = [float(grid.spacing_mm[1]), float(grid.spacing_mm[0])]
        page.RescaleSlope, page.RescaleIntercept, page.RescaleType = 1, -1024, "HU"
        page.Rows, page.Columns = grid.shape[1], grid.shape[0]
        page.SamplesPerPixel, page.PhotometricInterpretation = 1, "MONOCHROME2"
        page.BitsAllocated, page.BitsStored, page.HighBit, page.PixelRepresentation = 16, 16, 15, 0
        page.PixelData = np.ascontiguousarray(stored[:, :, k].T).tobytes()
        pydicom.dcmwrite(folder / f"{k:03}.dcm", page, enforce_file_format=True)
    return folder


def write_case(folder: Path, case: Case) -> dict[str, Path]:
    """Every file of a case; the nerves as curves with their diameter."""
    matrix = case.grid.matrix
    labels = np.zeros(case.grid.shape, np.uint8)
    for label, name in enumerate(LABELED, start=1):
        labels[case.structure(name).inside & (labels == 0)] = label
    names = {str(label): name for label, name in enumerate(LABELED, start=1)}
    (folder / "labels.json").write_text(json.dumps(names))
    lesion = case.structure("lesion_1").inside.astype(np.uint8)
    clinical = {key: value for key, value in known(dataclasses.asdict(case.clinical)).items() if value}
    (folder / "clinical.toml").write_text(tomli_w.dumps(clinical))
    nerves = {}
    for nerve in case.with_role(Role.NERVE):
        if nerve.centerline_lps_mm:
            nerves[f"nerve {nerve.name}"] = write_curve(folder / f"{nerve.name}.mrk.json", nerve)
    return {
        "ct": write_nifti(folder / "ct.nii.gz", case.ct.values.astype(np.int16), matrix),
        "dicom": write_dicom(folder / "dicom", case),
        "structures": write_nifti(folder / "structures.nii.gz", labels, matrix),
        "labels": folder / "labels.json",
        "lesion": write_nifti(folder / "lesion.nii.gz", lesion, matrix),
        "clinical": folder / "clinical.toml",
        **nerves,
    }


def write_curve(path: Path, nerve) -> Path:
    """A nerve as a Slicer curve."""
    points = [
        {
            "id": str(number),
            "label": nerve.name,
            "description": f"diameter_mm={nerve.diameter_mm:g}",
            "position": list(point),
            "positionStatus": "defined",
        }
        for number, point in enumerate(nerve.centerline_lps_mm)
    ]
    curve = {
        "type": "Curve",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "controlPoints": points,
    }
    schema = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
    path.write_text(json.dumps({"@schema": schema, "markups": [curve]}))
    return path


def known(values):
    """The same without what is unknown: TOML has no null."""
    if isinstance(values, dict):
        return {key: known(value) for key, value in values.items() if value is not None}
    if isinstance(values, (list, tuple)):
        return [known(value) for value in values]
    return values
