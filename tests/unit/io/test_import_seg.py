"""DICOM SEG: segments end where they were drawn, whatever the orientation and the kind of pixels."""

import asymmetric
import numpy as np
import pytest
from asymmetric import AXIAL, CORONAL, in_ball, saved, series
from drawn import expanded, in_slices, voxels, written_seg

from trocar.errors import GeometryError
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
