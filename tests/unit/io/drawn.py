"""Structures as other programs write them, on slices of the asymmetric phantom, and how they come back."""

import asymmetric
import highdicom
import numpy as np
from asymmetric import LEFT_BALL_LPS_MM
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def voxels(grid):
    return grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))


def expanded(region, grid):
    return region.structure(grid).inside


def in_slices(slices, inside):
    """(n, rows, columns) of a function of LPS points on each slice's own pixels."""
    pages = []
    for found in slices:
        i, j = np.meshgrid(np.arange(found.Columns), np.arange(found.Rows))
        along = np.array(found.ImageOrientationPatient, dtype=float)
        row_mm, column_mm = (float(v) for v in found.PixelSpacing)
        place = np.array(found.ImagePositionPatient, dtype=float)
        points = place + i[..., None] * along[:3] * column_mm + j[..., None] * along[3:] * row_mm
        pages.append(inside(points))
    return np.array(pages)


def written_seg(slices, masks, kind, labels):
    """A SEG by highdicom; masks (n, rows, columns) one per label."""
    for found in slices:
        found.StudyID, found.StudyDate, found.StudyTime, found.AccessionNumber = "1", "20260302", "120000", ""
        found.PatientSex, found.InstanceNumber, found.SeriesNumber, found.SliceThickness = "F", 1, 1, 2.0
    code = CodedConcept("91723000", "SCT", "Anatomical Structure")
    descriptions = [
        highdicom.seg.SegmentDescription(
            n,
            label,
            code,
            code,
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for n, label in enumerate(labels, 1)
    ]
    stacked = np.stack(masks, axis=-1)
    pixels = stacked.astype(np.float32) if kind == "FRACTIONAL" else stacked.astype(np.uint8)
    return highdicom.seg.Segmentation(
        slices,
        pixels,
        kind,
        descriptions,
        highdicom.UID(),
        1,
        highdicom.UID(),
        1,
        "test",
        "test",
        "1",
        "1",
    )


def written_rtstruct(path, contours, *, frame_uid=asymmetric.FRAME_UID):
    """An RT structure set; `contours` maps an ROI name to closed polygons (n, 3) in LPS mm."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTSTRUCT, "1.2.9"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.SOPInstanceUID, found.Modality = RTSTRUCT, "1.2.9", "RTSTRUCT"
    found.StructureSetROISequence, found.ROIContourSequence = [], []
    for number, (name, polygons) in enumerate(contours.items(), 1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        if frame_uid:
            roi.ReferencedFrameOfReferenceUID = frame_uid
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for polygon in polygons:
            contour = Dataset()
            contour.ContourGeometricType = "CLOSED_PLANAR" if len(polygon) > 1 else "POINT"
            contour.NumberOfContourPoints = len(polygon)
            contour.ContourData = [f"{value:.4f}" for value in np.asarray(polygon).ravel()]
            drawn.ContourSequence.append(contour)
        found.StructureSetROISequence.append(roi)
        found.ROIContourSequence.append(drawn)
    found.save_as(path, enforce_file_format=True)
    return path


def circles(slices, radius_mm, *, every=1, center=LEFT_BALL_LPS_MM, half_mm=9.0):
    """A cylinder along the slices' normal: one circle per slice within `half_mm` of the center."""
    along = np.array(slices[0].ImageOrientationPatient, dtype=float)
    first, second = along[:3], along[3:]
    normal = np.cross(first, second)
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)[:, None]
    rings = []
    for found in slices[::every]:
        height = (np.array(found.ImagePositionPatient, dtype=float) - center) @ normal
        if abs(height) <= half_mm:
            rings.append(center + height * normal + radius_mm * (np.cos(turns) * first + np.sin(turns) * second))
    return rings
