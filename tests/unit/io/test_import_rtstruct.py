"""RTSTRUCT: closed contours become the voxels they enclose, holes and missing slices included."""

import asymmetric
import numpy as np
import pydicom
import pytest
from asymmetric import AXIAL, CORONAL, LEFT_BALL_LPS_MM, saved, series
from drawn import circles, expanded, voxels, written_rtstruct

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.rtstruct import even_odd, read_rtstruct
from trocar.model.case import Severity


def in_cylinder(points, normal, radius_mm, half_mm, center=LEFT_BALL_LPS_MM):
    offset = points - center
    height = offset @ normal
    return (np.linalg.norm(offset - height[..., None] * normal, axis=-1) <= radius_mm) & (np.abs(height) <= half_mm)


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, ((0.96, 0.28, 0.0), (-0.28, 0.96, 0.0))])
def test_rtstruct_ends_where_it_was_drawn_with_its_hole(tmp_path, axes):
    slices = series(*axes, spacing_mm=(1.0, 1.1, 2.0), shape=(70, 60, 30))
    path = written_rtstruct(tmp_path / "rs.dcm", {"hip_left": circles(slices, 8.0) + circles(slices, 4.0)})
    image = read_dicom(saved(tmp_path / "ct", slices))
    grid = image.volume.grid
    (region,), findings = read_rtstruct(path, grid, frame_of_reference_uid=image.frame_of_reference_uid)
    assert findings == ()
    normal = np.cross(*[np.array(slices[0].ImageOrientationPatient, dtype=float)[n : n + 3] for n in (0, 3)])
    points = voxels(grid)
    truth = in_cylinder(points, normal, 8.0, 9.0) & ~in_cylinder(points, normal, 4.0, 9.0)
    wrong = np.count_nonzero(expanded(region, grid) ^ truth)
    assert wrong <= 0.01 * np.count_nonzero(truth)  # the circles are polygons of 120 sides


def test_contours_on_every_second_slice_leave_no_gap(tmp_path, ct):
    slices = series()
    grid = read_dicom(ct).volume.grid
    every = written_rtstruct(tmp_path / "a.dcm", {"hip_left": circles(slices, 8.0)})
    second = written_rtstruct(tmp_path / "b.dcm", {"hip_left": circles(slices, 8.0, every=2)})
    (full,), _ = read_rtstruct(every, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
    (thin,), (finding,) = read_rtstruct(second, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
    assert (finding.finding, finding.severity) == ("contour_spacing", Severity.REPAIRED)
    filled = expanded(thin, grid).any(axis=(0, 1)).nonzero()[0]
    np.testing.assert_array_equal(np.diff(filled), 1)
    assert abs(np.count_nonzero(expanded(thin, grid)) / np.count_nonzero(expanded(full, grid)) - 1) < 0.15


@pytest.mark.parametrize("along_edges", [False, True])
def test_no_half_voxel_is_lost(along_edges):
    """A block of 6 x 4 pixels, outlined through its boundary pixels' centers or around their edges."""
    out = 0.5 if along_edges else 0.0
    corners = np.array([[3 - out, 2 - out], [8 + out, 2 - out], [8 + out, 5 + out], [3 - out, 5 + out]])
    truth = np.zeros((14, 10), dtype=bool)
    truth[3:9, 2:6] = True
    np.testing.assert_array_equal(even_odd([corners], (14, 10)), truth)


def test_a_keyhole_is_a_hole():
    outer = [[1, 1], [11, 1], [11, 11], [1, 11], [1, 6.3]]
    inner = [[4.5, 6.3], [4.5, 7.5], [7.5, 7.5], [7.5, 4.5], [4.5, 4.5], [4.5, 6.3]]
    filled = even_odd([np.array(outer + inner + [[1, 6.3]], dtype=float)], (13, 13))
    truth = np.zeros((13, 13), dtype=bool)
    truth[1:12, 1:12] = True
    truth[5:8, 5:8] = False
    np.testing.assert_array_equal(filled, truth)


def test_rtstruct_refusals(tmp_path, ct):
    grid, slices = read_dicom(ct).volume.grid, series()
    rings = circles(slices, 8.0)
    tilted = [ring + np.linspace(0, 5, 120)[:, None] * [0, 0, 1] for ring in rings]
    refused = [
        ({"hip_left": rings}, "9.9", GeometryError, "another frame of reference"),
        ({"hip_left": rings}, None, GeometryError, "0 frames of reference"),
        ({"hip_left": []}, asymmetric.FRAME_UID, CaseError, "no closed contour"),
        ({"hip_left": tilted}, asymmetric.FRAME_UID, GeometryError, "not parallel"),
        ({"target 1": rings}, asymmetric.FRAME_UID, CaseError, "role of structure"),
        (
            {"hip_left": [r + np.array([300, 0, 0]) for r in rings]},
            asymmetric.FRAME_UID,
            GeometryError,
            "outside the CT",
        ),
    ]
    for n, (contours, frame_uid, kind, reason) in enumerate(refused):
        path = written_rtstruct(tmp_path / f"{n}.dcm", contours, frame_uid=frame_uid)
        with pytest.raises(kind, match=reason) as caught:
            read_rtstruct(path, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
        assert caught.value.hint


def _without_a_coordinate(found):
    contour = found.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = list(contour.ContourData)[:-1]


def _without_reference(found):
    del found.ROIContourSequence[0].ReferencedROINumber


def _without_number(found):
    del found.StructureSetROISequence[0].ROINumber


def _drawn_twice(found):
    found.ROIContourSequence.append(found.ROIContourSequence[0])


def _named_twice(found):
    found.StructureSetROISequence.append(found.StructureSetROISequence[0])


DAMAGES = [_without_a_coordinate, _without_reference, _without_number, _drawn_twice, _named_twice]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_structure_set_is_refused(tmp_path, ct, damage):
    path = written_rtstruct(tmp_path / "rs.dcm", {"hip_left": circles(series(), 8.0)})
    found = pydicom.dcmread(path)
    damage(found)
    found.save_as(path)
    with pytest.raises(ReadError, match="damaged") as caught:
        read_rtstruct(path, read_dicom(ct).volume.grid, frame_of_reference_uid=asymmetric.FRAME_UID)
    assert "rs.dcm" in str(caught.value) and caught.value.hint


def test_a_coordinate_that_is_no_number_is_refused(tmp_path, ct):
    rings = circles(series(), 8.0)
    path = written_rtstruct(tmp_path / "rs.dcm", {"hip_left": rings})
    first = f"{rings[0][0, 0]:.4f}".encode()
    content = path.read_bytes()
    assert first in content
    path.write_bytes(content.replace(first, b"nan".ljust(len(first)), 1))
    with pytest.raises(ReadError, match="not a number") as caught:
        read_rtstruct(path, read_dicom(ct).volume.grid, frame_of_reference_uid=asymmetric.FRAME_UID)
    assert caught.value.hint


def test_a_truncated_structure_set_is_refused(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    path = written_rtstruct(tmp_path / "rs.dcm", {"hip_left": circles(series(), 8.0), "lesion": circles(series(), 5.0)})
    content = path.read_bytes()
    for keep in range(200, len(content) - 1, len(content) // 40):
        path.write_bytes(content[:keep])
        with pytest.raises(ReadError) as caught:
            read_rtstruct(path, grid, frame_of_reference_uid=asymmetric.FRAME_UID)
        assert caught.value.hint
