"""Every file of the shared collection of odd DICOM is read right or refused rightly; this table says which and why."""

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.reader import read_case
from trocar.io.rtstruct import read_rtstruct
from trocar.io.seg import read_seg
from trocar.model.case import Role
from trocar.model.space import Grid

SHAPES = {  # read right: shape, spacing in mm, and what is said
    "siemens_ct_jpeg2000_overlapping_slices": ((512, 512, 20), (0.9766, 0.9766, 2.0), []),
    "rtstruct_with_ct_boxphantom": ((200, 200, 100), (2.0, 2.0, 3.0), []),
    "d2n_siemens_gantry_tilt": ((512, 521, 4), (0.4180, 0.4180, 4.8515), ["gantry_tilt"]),
}
REFUSED = {  # refused rightly: the error and its reason
    "ge_head_tilt18p5_variable_spacing": (GeometryError, r"variable slice spacing, 1\.08 to 7\.00 mm"),
    "d2n_ge_missing_slice": (GeometryError, r"1 slice\(s\) missing: 10\.00 mm between slices 3 and 4"),
    "d2n_not_a_volume": (GeometryError, "all 4 slices lie at one position"),
    "enhanced_multiframe_ct": (ReadError, "ml/100ml/s"),  # a perfusion map in an enhanced CT object
    "highdicom_seg_sr": (GeometryError, "one slice is not a volume"),
    "rtstruct_orphan_eclipse_prostate": (ReadError, "no CT slice"),
}
SEGMENTS = [
    "seg_image_ct_binary.dcm",
    "seg_image_ct_binary_fractional.dcm",
    "seg_image_ct_true_fractional.dcm",
    "seg_image_ct_binary_overlap.dcm",
    "seg_image_ct_binary_single_frame.dcm",
]
NAMES = {1: ("first", Role.BONE), 2: ("second", Role.ORGAN)}
BOX_NAMES = {1: ("lesion_1", Role.LESION), 2: ("organ_a", Role.ORGAN), 3: ("organ_b", Role.ORGAN)}


@pytest.fixture
def quirks(shared_data) -> Path:
    return shared_data / "dicom_quirks"


def test_the_table_covers_the_collection(quirks):
    assert {folder.name for folder in quirks.iterdir()} == SHAPES.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", SHAPES)
def test_read_right(quirks, name):
    shape, spacing_mm, said = SHAPES[name]
    image = read_dicom(quirks / name)
    assert image.volume.grid.shape == shape
    np.testing.assert_allclose(image.volume.grid.spacing_mm, spacing_mm, atol=1e-3)
    assert [finding.finding for finding in image.findings] == said


@pytest.mark.parametrize("name", REFUSED)
def test_refused_rightly(quirks, name):
    kind, reason = REFUSED[name]
    with pytest.raises(kind, match=reason) as caught:
        read_dicom(quirks / name)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["siemens_ct_jpeg2000_overlapping_slices", "rtstruct_with_ct_boxphantom"])
def test_voxels_lie_where_their_slice_says(quirks, name):
    """Each stored pixel, decoded on its own, is found at the point that the slice's own header gives it."""
    volume = read_dicom(quirks / name).volume
    files = sorted(path for path in (quirks / name).iterdir() if path.name.lower().startswith("ct"))
    for path in files[::7]:
        found = pydicom.dcmread(path, force=True)
        page = found.pixel_array * float(found.RescaleSlope) + float(found.RescaleIntercept)
        along = np.array(found.ImageOrientationPatient, dtype=float)
        row_mm, column_mm = (float(value) for value in found.PixelSpacing)
        for row, column in [(0, 0), (31, 150), (100, 47), (180, 99)]:
            place = np.array(found.ImagePositionPatient, dtype=float)
            place = place + column * column_mm * along[:3] + row * row_mm * along[3:]
            index = volume.grid.to_ijk(place)
            np.testing.assert_allclose(index, np.rint(index), atol=1e-3)
            value = volume.values[tuple(np.rint(index).astype(int))]
            assert abs(value - max(page[row, column], -1024)) <= 0.5


def test_tilted_slices_keep_their_values_in_their_places(quirks):
    """The stored pixels of the tilted series lie on the straightened grid at their own points, to interpolation."""
    volume = read_dicom(quirks / "d2n_siemens_gantry_tilt").volume
    for path in sorted((quirks / "d2n_siemens_gantry_tilt").iterdir()):
        found = pydicom.dcmread(path)
        page = found.pixel_array.astype(float) - 1024
        along = np.array(found.ImageOrientationPatient, dtype=float)
        spacing = float(found.PixelSpacing[0])
        rows, columns = np.meshgrid(np.arange(2, 510, 9), np.arange(2, 510, 9), indexing="ij")
        place = np.array(found.ImagePositionPatient, dtype=float)
        points = place + columns[..., None] * spacing * along[:3] + rows[..., None] * spacing * along[3:]
        index = volume.grid.to_ijk(points)
        np.testing.assert_allclose(index[..., 2], np.rint(index[..., 2]), atol=1e-3)
        low = np.floor(index + 1e-4).astype(int)
        step = np.zeros(3, dtype=int)
        step[1] = 1
        near = volume.values[tuple(np.moveaxis(low, -1, 0))], volume.values[tuple(np.moveaxis(low + step, -1, 0))]
        window = np.array([page[rows + n, columns] for n in (-1, 0, 1)])
        lowest, highest = np.minimum(*near), np.maximum(*near)
        assert np.all(highest >= window.min(axis=0) - 1) and np.all(lowest <= window.max(axis=0) + 1)


@pytest.mark.parametrize("name", SEGMENTS)
def test_segmentations_lie_where_highdicom_says(quirks, name):
    path = quirks / "highdicom_seg_sr" / name
    stored = highdicom.seg.segread(path)
    volume = stored.get_volume(segment_numbers=[1])
    points = volume.affine @ np.vstack(
        [np.argwhere(volume.array[..., 0] >= 0.5).T, np.ones((volume.array[..., 0] >= 0.5).sum())]
    )
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)[[2, 1, 0]]
    low = points[:3].min(axis=1) - 10 * spacing
    size = np.rint(np.ptp(points[:3], axis=1) / spacing).astype(int) + 21
    grid = Grid.aligned(origin_lps_mm=tuple(low), spacing_mm=tuple(spacing), shape=tuple(int(n) for n in size))
    regions, findings = read_seg(path, grid, frame_of_reference_uid=stored.FrameOfReferenceUID, names=NAMES)
    assert ("fractional_segment" in [f.finding for f in findings]) == ("fractional" in name)
    truth = np.zeros(grid.shape, dtype=bool)
    truth[tuple(np.rint(grid.to_ijk(points[:3].T)).astype(int).T)] = True
    np.testing.assert_array_equal(regions[0].structure(grid).inside, truth)


def test_segmentations_of_another_frame_and_a_report_are_refused(quirks):
    ct = quirks / "rtstruct_with_ct_boxphantom"
    grid = Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(1.0, 1.0, 1.0), shape=(9, 9, 9))
    for name in SEGMENTS:
        with pytest.raises(GeometryError, match="another frame of reference"):
            read_seg(quirks / "highdicom_seg_sr" / name, grid, frame_of_reference_uid="1.2.3")
    with pytest.raises(ReadError, match="modality SR"):
        read_case(ct, structures=quirks / "highdicom_seg_sr/sr_document.dcm")


def test_the_box_phantom_gives_back_its_boxes(quirks):
    """Each volume is that of its polygons times the slice distance, on the slices that were drawn and no other."""
    folder = quirks / "rtstruct_with_ct_boxphantom"
    image = read_dicom(folder)
    grid = image.volume.grid
    regions, findings = read_rtstruct(
        folder / "RTstruct.dcm", grid, frame_of_reference_uid=image.frame_of_reference_uid, names=BOX_NAMES
    )
    assert findings == ()
    stored = pydicom.dcmread(folder / "RTstruct.dcm")
    for region, roi in zip(regions, stored.ROIContourSequence, strict=True):
        polygons = [np.array(c.ContourData, dtype=float).reshape(-1, 3) for c in roi.ContourSequence]
        heights = {round(polygon[0, 2], 3) for polygon in polygons}
        filled = region.low[2] + np.flatnonzero(region.part.any(axis=(0, 1)))
        assert {round(float(grid.to_lps([0, 0, k])[2]), 3) for k in filled} == heights
        drawn_ml = sum(shoelace_mm2(polygon) for polygon in polygons) * 3.0 / 1000
        assert region.part.sum() * grid.voxel_ml == pytest.approx(drawn_ml, rel=1e-3)


def shoelace_mm2(polygon):
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


@pytest.mark.parametrize("name", ["RS.dcm", "RP.dcm", "RI.dcm"])
def test_the_orphans_are_refused(quirks, name):
    """RS.dcm was corrupted by a text-mode transfer (its tags end early); a plan and a picture are no structures."""
    with pytest.raises(ReadError) as caught:
        read_case(quirks / "rtstruct_with_ct_boxphantom", structures=quirks / "rtstruct_orphan_eclipse_prostate" / name)
    assert caught.value.hint and name in str(caught.value)


def test_unnamed_regions_are_refused(quirks):
    folder = quirks / "rtstruct_with_ct_boxphantom"
    with pytest.raises(CaseError, match="Volume1"):
        read_case(folder, structures=folder / "RTstruct.dcm")
