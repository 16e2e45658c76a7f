"""Label maps and binary masks in NIfTI: the right name, the right place, or a refusal."""

import asymmetric
import nibabel
import numpy as np
import pytest
from asymmetric import AXIAL, CORONAL, LEFT_BALL_LPS_MM, SAGITTAL, in_ball, nifti
from drawn import expanded, voxels

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.labels import read_label_map, read_mask, read_names
from trocar.io.reader import read_case
from trocar.model.case import Role, Severity


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


def test_an_extension_of_another_program_may_be_damaged(tmp_path, ct):
    """A header may hold what a label map does not need: here a tree of another format, broken off."""
    grid = read_dicom(ct).volume.grid
    image = nibabel.load(nifti(tmp_path / "plain.nii", in_ball(voxels(grid)).astype(np.uint8), grid.matrix))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, b"<Volume>" + bytes(24)))
    path = tmp_path / "labels.nii"
    nibabel.save(image, path)
    content = bytearray(path.read_bytes())
    assert content[356:360] == bytes(4)
    content[356] = 32  # the code of that format
    path.write_bytes(content)
    (tmp_path / "labels.json").write_text('{"1": "hip_left"}')
    (region,), _ = read_label_map(path, grid)
    assert region.name == "hip_left"


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
        ('{"1": "hip_left", "1": "hip_right"}', "'1' twice"),
        ('{"1": {"name": "hip_left", "name": "hip_right"}}', "'name' twice"),
        ('{"1": "hip_left", "01": "hip_right"}', "label 1 is named twice"),
        ('{"' + "9" * 5000 + '": "hip_left"}', "not a label"),
        ('{"1": {"name": "hip_left", "role": ["bone"]}}', "must be a name"),
        ("[" * 100_000, "neither JSON nor TOML"),
        ('{"1": ' + "[" * 700 + "]" * 700 + "}", "must be a name|neither JSON"),
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


def test_labels_are_read_with_a_byte_order_mark_and_refused_in_another_encoding(tmp_path):
    path = tmp_path / "labels.json"
    path.write_bytes(b'\xef\xbb\xbf{"1": "hip_left"}')
    assert read_names(path) == {1: ("hip_left", Role.BONE)}
    path.write_bytes('{"1": "l\xe9sion"}'.encode("latin-1"))
    with pytest.raises(ReadError, match="not in UTF-8") as caught:
        read_names(path)
    assert caught.value.hint


def test_what_a_folder_leaves_out_is_named_and_a_lesion_is_not_left_out(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    folder = tmp_path / "masks"
    folder.mkdir()
    nifti(folder / "hip_left.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    nifti(folder / "sciatic_nerve_left.nii.gz", np.zeros(grid.shape, np.uint8), grid.matrix)
    (finding,) = [f for f in read_case(ct, structures=folder).geometry if f.finding == "empty_mask"]
    assert finding.message.endswith("left out: sciatic_nerve_left")
    nifti(folder / "lesion_2.nii.gz", np.zeros(grid.shape, np.uint8), grid.matrix)
    with pytest.raises(CaseError, match="structure lesion_2: the mask is empty") as caught:
        read_case(ct, structures=folder)
    assert caught.value.hint


def test_labels_are_not_given_nor_proposed_where_they_cannot_help(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = nifti(folder / "plexus_x.nii.gz", in_ball(voxels(grid)).astype(np.uint8), grid.matrix)
    names = tmp_path / "names.json"
    names.write_text('{"1": {"name": "plexus_x", "role": "nerve"}}')
    with pytest.raises(CaseError, match="folder of masks") as caught:
        read_case(ct, structures=folder, labels=names)
    assert "--labels" in caught.value.hint
    for given in ({"structures": folder}, {"structure": {"plexus_x": mask}}):
        with pytest.raises(CaseError, match="role of structure 'plexus_x' is unknown") as caught:
            read_case(ct, **given)
        assert "label map" in caught.value.hint and "state it with" not in caught.value.hint


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
