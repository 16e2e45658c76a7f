"""DICOM SEG: segments end where they were drawn, whatever the orientation and the kind of pixels."""

import asymmetric
import numpy as np
import pydicom
import pytest
from asymmetric import AXIAL, CORONAL, in_ball, saved, series
from drawn import expanded, in_slices, voxels, written_seg

from trocar.errors import GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.seg import read_seg
from trocar.model.case import Role

SMALL_HEAD_LPS_MM = asymmetric.CENTER_LPS_MM + np.array([0.0, 8.0, 20.0])


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, ((0.96, 0.28, 0.0), (-0.28, 0.96, 0.0))])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_seg_ends_where_it_was_drawn(tmp_path, axes, kind):
    slices = series(*axes)
    masks = [
        in_slices(slices, in_ball),
        in_slices(slices, lambda p: np.linalg.norm(p - SMALL_HEAD_LPS_MM, axis=-1) < 5),
    ]
    path = tmp_path / "seg.dcm"
    written_seg(slices, masks, kind, ["hip_left", "vertebrae_L5"]).save_as(path)
    image = read_dicom(saved(tmp_path / "ct", slices))
    grid = image.volume.grid
    regions, findings = read_seg(path, grid, frame_of_reference_uid=image.frame_of_reference_uid)
    assert [f.finding for f in findings] == ["fractional_segment"] * (kind == "FRACTIONAL")
    assert [(r.name, r.role) for r in regions] == [("hip_left", Role.BONE), ("vertebrae_L5", Role.BONE)]
    points = voxels(grid)
    np.testing.assert_array_equal(expanded(regions[0], grid), in_ball(points))
    np.testing.assert_array_equal(expanded(regions[1], grid), np.linalg.norm(points - SMALL_HEAD_LPS_MM, axis=-1) < 5)


def test_overlapping_segments_keep_what_they_share(tmp_path):
    slices = series()
    masks = [in_slices(slices, in_ball), in_slices(slices, lambda p: in_ball(p, 4.0))]
    path = tmp_path / "seg.dcm"
    written_seg(slices, masks, "BINARY", ["hip_left", "lesion"]).save_as(path)
    grid = read_dicom(saved(tmp_path / "ct", slices)).volume.grid
    (bone, lesion), _ = read_seg(path, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
    assert lesion.name == "lesion_1"
    assert np.all(expanded(bone, grid)[expanded(lesion, grid)])
    with pytest.raises(GeometryError, match="another frame of reference") as caught:
        read_seg(path, grid, frame_of_reference_uid="9.9")
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_truncated_or_damaged_seg_is_refused_as_such(tmp_path, ct, kind):
    slices = series()
    path = tmp_path / "seg.dcm"
    segments = written_seg(slices, [in_slices(slices, in_ball)], kind, ["hip_left"])
    segments.save_as(path)
    content = path.read_bytes()
    grid = read_dicom(ct).volume.grid
    for lost in (2, 100, 1000, len(content) // 2):
        path.write_bytes(content[:-lost])
        with pytest.raises(ReadError, match="damaged") as caught:
            read_seg(path, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
        assert caught.value.hint
    for keyword in ("PixelData", "SegmentationType", "Rows", "BitsAllocated"):
        path.write_bytes(content)
        found = pydicom.dcmread(path)
        delattr(found, keyword)
        found.save_as(path)
        with pytest.raises(ReadError, match=f"holds no {keyword}") as caught:
            read_seg(path, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
        assert "seg.dcm" in str(caught.value) and caught.value.hint


def test_planes_that_are_no_regular_stack_are_said_to_be_none(tmp_path, ct):
    slices = series()
    path = tmp_path / "seg.dcm"
    segments = written_seg(slices, [in_slices(slices, in_ball)], "BINARY", ["hip_left"])
    place = segments.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0]
    place.ImagePositionPatient = [*place.ImagePositionPatient[:2], float(place.ImagePositionPatient[2]) + 0.7]
    segments.save_as(path)
    with pytest.raises(GeometryError, match="not one regular stack"):
        read_seg(path, read_dicom(ct).volume.grid, frame_of_reference_uid=asymmetric.FRAME_UID)
