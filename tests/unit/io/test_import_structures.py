"""Structures of every kind end where they were drawn: the ball on the left stays on the left."""

import json

import asymmetric
import highdicom
import nibabel
import numpy as np
import pytest
from asymmetric import AXIAL, CORONAL, LEFT_BALL_LPS_MM, SAGITTAL, in_ball, nifti, saved, series
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.labels import read_label_map, read_mask, read_names
from trocar.io.reader import read_case
from trocar.io.rtstruct import even_odd, read_rtstruct
from trocar.io.seg import read_seg
from trocar.io.slicer import read_markups
from trocar.model.case import Role, Severity, Side
from trocar.model.space import Grid

SHAPE = (40, 36, 30)
SMALL_HEAD_LPS_MM = asymmetric.CENTER_LPS_MM + np.array([0.0, 8.0, 20.0])
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def voxels(grid):
    return grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))


def expanded(region, grid):
    return region.structure(grid).inside


@pytest.fixture
def ct(tmp_path):
    return saved(tmp_path / "ct", series())


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


# --- label maps


def label_map(path, inside, matrix, shape):
    points = np.moveaxis(np.indices(shape), 0, -1) @ matrix[:3, :3].T + matrix[:3, 3]
    return nifti(path, inside(points).astype(np.uint8), matrix)


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, SAGITTAL])
def test_a_label_map_in_another_axis_order_on_the_same_lattice_is_exact(tmp_path, ct, axes):
    grid = read_dicom(ct).volume.grid
    points = voxels(grid)
    values = in_ball(points).astype(np.uint8)
    order = {AXIAL: (0, 1, 2), CORONAL: (0, 2, 1), SAGITTAL: (1, 2, 0)}[axes]
    matrix = grid.matrix.copy()
    matrix[:3, :3] = grid.matrix[:3, order]
    path = nifti(tmp_path / "ball.nii.gz", np.transpose(values, order), matrix)
    region, findings = read_mask(path, "hip_left", grid, subject="hip_left")
    np.testing.assert_array_equal(expanded(region, grid), in_ball(points))
    assert findings == ()


def test_a_label_map_on_a_finer_oblique_grid_is_resampled_and_said(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    first, second = np.array([0.96, 0.28, 0.0]), np.array([-0.28, 0.96, 0.0])
    matrix = asymmetric.matrix_of(first, second, np.array([0.9, 0.8, 0.7]), (90, 90, 90))
    path = label_map(tmp_path / "ball.nii.gz", in_ball, matrix, (90, 90, 90))
    region, findings = read_mask(path, "lesion", grid, subject="lesion")
    assert [(f.finding, f.severity) for f in findings] == [("label_resampled", Severity.REPAIRED)]
    points = voxels(grid)
    inside = expanded(region, grid)
    assert inside[in_ball(points, 7.3)].all()
    assert not inside[~in_ball(points, 8.7)].any()
    assert np.linalg.norm(region.centroid_lps_mm(grid) - LEFT_BALL_LPS_MM) < 0.2


def test_names_come_from_labels_then_header_then_sidecar(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    path = nifti(tmp_path / "labels.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    with pytest.raises(CaseError, match="does not say") as caught:
        read_label_map(path, grid)
    assert "--labels" in caught.value.hint
    (tmp_path / "labels.json").write_text('{"1": "femur_left"}')
    (region,), (finding,) = read_label_map(path, grid)
    assert (region.name, region.role, finding.finding) == ("femur_left", Role.BONE, "label_names")
    image = nibabel.load(path)
    table = '<CaretExtension><VolumeInformation><LabelTable><Label Key="0">none</Label><Label Key="1">'
    table += "<![CDATA[hip_left]]></Label></LabelTable></VolumeInformation></CaretExtension>"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table.encode()))
    nibabel.save(image, path)
    (region,), _ = read_label_map(path, grid)
    assert region.name == "hip_left"
    names = tmp_path / "names.toml"
    names.write_text('[1]\nname = "plexus_x"\nrole = "nerve"\n')
    (region,), _ = read_label_map(path, grid, labels=names)
    assert (region.name, region.role) == ("plexus_x", Role.NERVE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"1": "unheard_of"}', "role of structure 'unheard_of' is unknown"),
        ('{"1": {"name": "x", "role": "stone"}}', "no role 'stone'"),
        ('{"one": "hip_left"}', "not a label"),
        ('{"1": {"name": "hip_left", "color": "red"}}', "must be a name"),
        ('{"1": "hip_left", "2": "hip_left"}', "two labels are named hip_left"),
        ('{"1": "../../x"}', "cannot be named"),
        ("{}", "names no labels"),
        ("not json", "neither JSON nor TOML"),
    ],
)
def test_a_bad_labels_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "labels.json"
    path.write_text(content)
    with pytest.raises((CaseError, ReadError), match=reason) as caught:
        read_names(path)
    assert caught.value.hint


def test_a_label_without_name_an_empty_map_and_a_probability_map_are_refused(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    names = tmp_path / "names.json"
    names.write_text('{"1": "hip_left"}')
    ball = in_ball(voxels(grid))
    with pytest.raises(CaseError, match="label 2"):
        read_label_map(nifti(tmp_path / "a.nii", ball.astype(np.uint8) * 2, grid.matrix), grid, labels=names)
    with pytest.raises(CaseError, match="empty"):
        read_label_map(nifti(tmp_path / "b.nii", np.zeros(grid.shape, np.uint8), grid.matrix), grid, labels=names)
    with pytest.raises(CaseError, match="empty"):
        read_mask(tmp_path / "b.nii", "lesion", grid, subject="lesion")
    with pytest.raises(ReadError, match="whole numbers"):
        read_mask(nifti(tmp_path / "c.nii", ball * np.float32(0.5), grid.matrix), "lesion", grid, subject="lesion")


def test_a_folder_of_masks_is_named_by_its_files(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    folder = tmp_path / "masks"
    folder.mkdir()
    nifti(folder / "hip_left.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    nifti(folder / "liver.nii.gz", np.zeros(grid.shape, np.uint8), grid.matrix)
    case = read_case(ct, structures=folder)
    assert [s.name for s in case.structures] == ["hip_left", "body", "skin"]
    assert [f.value for f in case.geometry if f.finding == "empty_mask"] == [1]
    np.testing.assert_array_equal(case.structure("hip_left").inside, in_ball(voxels(grid)))
    (folder / "hip_left.nii.gz").unlink()
    with pytest.raises(CaseError, match="no mask with anything"):
        read_case(ct, structures=folder)


def test_several_values_are_one_lesion_but_not_one_bone(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    points = voxels(grid)
    values = in_ball(points).astype(np.uint8) + in_ball(points, 4.0).astype(np.uint8)
    path = nifti(tmp_path / "ball.nii", values, grid.matrix)
    region, (finding,) = read_mask(path, "lesion_1", grid, subject="lesion_1")
    assert finding.finding == "lesion_labels"
    np.testing.assert_array_equal(expanded(region, grid), in_ball(points))
    with pytest.raises(CaseError, match="2 labels"):
        read_mask(path, "hip_left", grid, subject="hip_left")


def test_a_mask_on_another_frame_is_refused(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    matrix = grid.matrix.copy()
    matrix[:3, 3] += [0, 0, 400.0]
    path = nifti(tmp_path / "far.nii", in_ball(voxels(grid)).astype(np.uint8), matrix)
    with pytest.raises(GeometryError, match="outside the CT") as caught:
        read_mask(path, "lesion", grid, subject="lesion")
    assert "frame of reference" in caught.value.hint


# --- DICOM SEG


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


# --- RTSTRUCT


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


# --- Slicer markups


def written_markup(path, points, *, system="LPS", description="diameter_mm=5", kind="Curve", name="sciatic_nerve_left"):
    flip = np.array([-1, -1, 1]) if system == "RAS" else 1
    markup = {
        "type": kind,
        "coordinateSystem": system,
        "coordinateUnits": "mm",
        "name": name,
        "description": description,
        "controlPoints": [{"id": str(n), "position": list(p * flip)} for n, p in enumerate(np.asarray(points))],
    }
    path.write_text(json.dumps({"markups": [markup]}))
    return path


COURSE = np.array([LEFT_BALL_LPS_MM + np.array([0, 0, z]) for z in (-24.0, -8.0, 8.0, 16.0)])


@pytest.mark.parametrize("system", ["LPS", "RAS"])
@pytest.mark.parametrize("kind", ["Curve", "Line"])
def test_a_nerve_is_a_tube_of_the_stated_diameter(tmp_path, ct, system, kind):
    grid = Grid.aligned(
        origin_lps_mm=tuple(asymmetric.CENTER_LPS_MM - 40), spacing_mm=(0.7, 0.7, 0.7), shape=(115, 115, 115)
    )
    course = COURSE if kind == "Curve" else COURSE[[0, -1]]
    (region,), findings = read_markups(
        written_markup(tmp_path / "nerve.mrk.json", course, system=system, kind=kind), grid
    )
    structure = region.structure(grid)
    assert findings == ()
    assert (structure.role, structure.side, structure.diameter_mm) == (Role.NERVE, Side.LEFT, 5.0)
    np.testing.assert_allclose(structure.centerline_lps_mm[0], COURSE[0], atol=1e-9)
    np.testing.assert_allclose(structure.centerline_lps_mm[-1], COURSE[-1], atol=1e-9)
    volume_ml = structure.inside.sum() * grid.voxel_ml
    capsule_ml = (np.pi * 2.5**2 * 40 + 4 / 3 * np.pi * 2.5**3) / 1000
    assert volume_ml == pytest.approx(capsule_ml, rel=0.05)
    across = np.linalg.norm(voxels(grid)[structure.inside][:, :2] - LEFT_BALL_LPS_MM[:2], axis=1)
    assert across.max() <= 2.5 + 1e-6


def test_a_nerve_thinner_than_a_voxel_is_not_lost(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    path = written_markup(tmp_path / "nerve.mrk.json", COURSE, description="diameter_mm = 0.6")
    (region,), _ = read_markups(path, grid)
    assert expanded(region, grid).any(axis=(0, 1)).sum() >= 40 / 2.0


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"description": ""}, CaseError, "no diameter"),
        ({"description": "diameter_mm=400"}, CaseError, "impossible"),
        ({"name": "path_1"}, CaseError, "role of structure"),
        ({"name": "hip_left"}, CaseError, "only nerves"),
        ({"kind": "Plane"}, CaseError, "not a curve"),
        ({"points": COURSE[:1]}, CaseError, "fewer than two"),
        ({"points": COURSE * 3}, GeometryError, "outside the CT"),
    ],
)
def test_markup_refusals(tmp_path, ct, change, kind, reason):
    grid = read_dicom(ct).volume.grid
    path = written_markup(tmp_path / "nerve.mrk.json", change.pop("points", COURSE), **change)
    with pytest.raises(kind, match=reason) as caught:
        read_markups(path, grid)
    assert caught.value.hint


def test_the_ball_on_the_left_is_on_the_left_of_the_case(tmp_path):
    """Through DICOM slices, a SEG, an RTSTRUCT and a NIfTI mask: the same voxels, at the patient's left (+x)."""
    slices = series(*CORONAL)
    folder = saved(tmp_path / "ct", slices)
    grid = read_dicom(folder).volume.grid
    seg = tmp_path / "seg.dcm"
    written_seg(slices, [in_slices(slices, in_ball)], "BINARY", ["hip_left"]).save_as(seg)
    mask = nifti(tmp_path / "ball.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    cases = [
        read_case(folder, structures=seg),
        read_case(folder, structure={"hip_left": mask}),
        read_case(folder, structures=written_rtstruct(tmp_path / "rs.dcm", {"hip_left": circles(slices, 8.0)})),
    ]
    for case in cases:
        inside = case.structure("hip_left").inside
        assert case.structure("hip_left").side is Side.LEFT
        center = case.grid.to_lps(np.argwhere(inside)).mean(axis=0)
        np.testing.assert_allclose(center, LEFT_BALL_LPS_MM, atol=0.6)
        assert case.ct.values[inside].mean() > np.fliplr(case.ct.values.T).T[inside].mean() + 50
    np.testing.assert_array_equal(cases[0].structure("hip_left").inside, cases[1].structure("hip_left").inside)
