"""Left in the file is left in the picture: every format of image and mask, through the case, into the report."""

import base64
import io
import re

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.sr.coding import CodedConcept
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage
from skimage import measure

import trocar
from trocar import phantoms
from trocar.model.case import Side

from . import files

FORMS = ("dicom+seg", "dicom+rtstruct", "dicom+mask", "nifti+mask")


def write_seg(path, folder, case):
    """The lesion as a binary DICOM SEG on the written slices."""
    slices = [pydicom.dcmread(page) for page in sorted(folder.glob("*.dcm"))]
    for number, page in enumerate(slices, 1):
        page.StudyID, page.StudyDate, page.StudyTime, page.AccessionNumber = "1", "20261101", "120000", ""
        page.PatientBirthDate, page.PatientSex, page.InstanceNumber, page.SeriesNumber = "", "M", number, 1
        page.SliceThickness = float(case.grid.spacing_mm[2])
    code = CodedConcept("52988006", "SCT", "Lesion")
    described = highdicom.seg.SegmentDescription(
        1, "lesion_1", code, code, highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
    )
    inside = np.moveaxis(case.structure("lesion_1").inside, (0, 1, 2), (2, 1, 0)).astype(np.uint8)
    highdicom.seg.Segmentation(
        slices, inside, "BINARY", [described], highdicom.UID(), 2, highdicom.UID(), 1, "test", "test", "1", "1"
    ).save_as(path)
    return path


def write_rtstruct(path, case):
    """The lesion as closed contours, one set per slice."""
    inside, grid = case.structure("lesion_1").inside, case.grid
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, f"{files.UID}.5"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    found.SOPClassUID, found.SOPInstanceUID, found.Modality = RTStructureSetStorage, f"{files.UID}.5", "RTSTRUCT"
    roi, drawn = Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "lesion_1", f"{files.UID}.9"
    drawn.ReferencedROINumber, drawn.ContourSequence = 1, []
    for k in np.flatnonzero(inside.any(axis=(0, 1))):
        for outline in measure.find_contours(inside[:, :, k].astype(float), 0.5):
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(outline)
            points = grid.to_lps(np.column_stack([outline, np.full(len(outline), k)]))
            contour.ContourData = [f"{value:.4f}" for value in points.ravel()]
            drawn.ContourSequence.append(contour)
    found.StructureSetROISequence, found.ROIContourSequence = [roi], [drawn]
    found.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture(scope="module", params=["left", "right"])
def sided(request, ilium, tmp_path_factory):
    """The side of the lesion, the case and its files; the right one is the mirror image."""
    case = ilium if request.param == "left" else phantoms.mirrored(ilium)
    folder = tmp_path_factory.mktemp(request.param)
    matrix = case.grid.matrix
    dicom = files.write_dicom(folder / "dicom", case)
    inside = case.structure("lesion_1").inside.astype(np.uint8)
    return (
        request.param,
        case,
        {
            "dicom": dicom,
            "nifti": files.write_nifti(folder / "ct.nii.gz", case.ct.values.astype(np.int16), matrix),
            "mask": files.write_nifti(folder / "lesion.nii.gz", inside, matrix),
            "seg": write_seg(folder / "seg.dcm", dicom, case),
            "rtstruct": write_rtstruct(folder / "rtstruct.dcm", case),
        },
    )


def first_panel(html):
    """(grey levels [row, column], columns of the tumor's outline, columns of the letters R and L), all 0..1."""
    symbol = html[html.index('<symbol id="figure-0"') : html.index("</symbol>")]
    picture = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", symbol)[1]
    grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L"), dtype=float)
    size = float(re.search(r'viewBox="0 0 (\d+)', symbol)[1])
    outline = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", re.search(r'<path d="([^"]*)"', symbol)[1])]
    letters = {t: float(x) / size for x, t in re.findall(r'<text x="([\d.]+)"[^>]*>([RL])</text>', symbol)}
    return grey, np.array(outline) / size, letters


@pytest.mark.parametrize("form", FORMS)
def test_the_side_of_the_file_is_the_side_of_the_picture(sided, form):
    side, truth, written = sided
    image, mask = form.split("+")
    given = {"structure": {"lesion_1": written[mask]}} if mask == "mask" else {"structures": written[mask]}
    case = trocar.read_case(written[image], **given)
    assessment = trocar.assess(case)
    (lesion,) = assessment.lesions
    assert lesion.side is Side(side)
    center = truth.grid.to_lps(np.argwhere(truth.structure("lesion_1").inside).mean(axis=0))
    assert lesion.center_lps_mm == pytest.approx(tuple(center), abs=1.0)

    grey, outline, letters = first_panel(trocar.report(case, assessment).html)
    assert letters["R"] < 0.2 and letters["L"] > 0.8  # radiological: the patient's left on the right
    assert 0.3 < outline.mean() < 0.7
    tenth = grey.shape[1] // 10
    image_left, image_right = grey[:, :tenth].mean(), grey[:, -tenth:].mean()
    lateral, medial = (image_right, image_left) if side == "left" else (image_left, image_right)
    assert lateral < 0.5 * medial  # the air beside the patient lies on the lesion's own side
