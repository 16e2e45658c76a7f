"""NIfTI: all axis orders, and what is refused."""

import gzip
import itertools
import struct

import asymmetric
import nibabel
import numpy as np
import pytest
from asymmetric import error_HU, matrix_of, nifti, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from trocar.errors import GeometryError, ReadError
from trocar.io.geometry import LPS_FROM_RAS, canonical
from trocar.io.nifti import read_label_values, read_nifti

SHAPE = (32, 30, 28)
SPACING_MM = np.array([2.0, 1.9, 1.8])
ORDERS = [(axes, signs) for axes in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)]


def axis_matrix(axes, signs):
    """(4, 4) whose array axis n runs along LPS axis axes[n], forwards or backwards."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, axes] * np.asarray(signs) * SPACING_MM
    matrix[:3, 3] = asymmetric.CENTER_LPS_MM - matrix[:3, :3] @ ((np.asarray(SHAPE) - 1) / 2)
    return matrix


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_all_48_axis_orders(tmp_path, axes, signs):
    matrix = axis_matrix(axes, signs)
    image = read_nifti(nifti(tmp_path / "ct.nii", sampled(matrix, SHAPE), matrix))
    assert error_HU(image.volume) <= 1.0
    assert np.all(np.diag(image.volume.grid.matrix)[:3] > 0)
    assert image.findings == ()


@pytest.mark.parametrize(("sform", "qform"), [(True, False), (False, True)])
def test_an_oblique_image_with_one_form(tmp_path, sform, qform):
    first, second = np.array([0.96, 0.28, 0.0]), np.array([-0.28, 0.96, 0.0])
    matrix = matrix_of(first, second, SPACING_MM, SHAPE)
    path = nifti(tmp_path / "ct.nii.gz", sampled(matrix, SHAPE), matrix, sform=sform, qform=qform)
    assert error_HU(read_nifti(path).volume) <= 1.5  # the quaternion is stored in single precision


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-2000, 2000), min_size=3, max_size=3))
def test_lps_ras_lps_is_identity(point):
    there_and_back = LPS_FROM_RAS @ (LPS_FROM_RAS @ [*point, 1.0])
    np.testing.assert_allclose(there_and_back[:3], point, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(range(3)),
    st.tuples(*[st.sampled_from((1, -1))] * 3),
    st.tuples(*[st.floats(-0.3, 0.3)] * 3),
    st.tuples(*[st.floats(0.3, 6.0)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_canonical_axes_move_no_voxel(axes, signs, angles, spacing_mm, origin):
    turns = np.eye(3)
    for n, angle in enumerate(angles):
        turn = np.eye(3)
        a, b = (n + 1) % 3, (n + 2) % 3
        turn[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turns = turns @ turn
    matrix = np.eye(4)
    matrix[:3, :3] = turns @ (np.eye(3)[:, axes] * np.asarray(signs)) * np.asarray(spacing_mm)
    matrix[:3, 3] = origin
    index = np.moveaxis(np.indices((2, 3, 4)), 0, -1)
    turned, found = canonical(index @ matrix[:3, :3].T + matrix[:3, 3], matrix)  # each voxel holds its own place
    where = np.moveaxis(np.indices(turned.shape[:3]), 0, -1) @ found[:3, :3].T + found[:3, 3]
    np.testing.assert_allclose(turned, where, atol=1e-9)


def _write(path, values, matrix, *, sform=None, qform=None, unit="mm"):
    image = nibabel.Nifti1Image(values, None)
    image.header.set_xyzt_units(unit)
    ras = LPS_FROM_RAS @ matrix
    image.set_sform(ras if sform is None else LPS_FROM_RAS @ sform, code=0 if sform is False else 1)
    image.set_qform(ras if qform is None else LPS_FROM_RAS @ qform, code=1)
    nibabel.save(image, path)
    return path


def _shifted(matrix, mm):
    moved = matrix.copy()
    moved[0, 3] += mm
    return moved


MATRIX = axis_matrix((0, 1, 2), (1, 1, 1))
VALUES = sampled(MATRIX, SHAPE)


def test_contradicting_forms_have_two_thresholds(tmp_path):
    path = tmp_path / "ct.nii"
    assert read_nifti(_write(path, VALUES, MATRIX, qform=_shifted(MATRIX, 0.004))).findings == ()
    (finding,) = read_nifti(_write(path, VALUES, MATRIX, qform=_shifted(MATRIX, 0.2))).findings
    assert finding.finding == "qform_sform"
    with pytest.raises(GeometryError, match="contradict") as caught:
        read_nifti(_write(path, VALUES, MATRIX, qform=_shifted(MATRIX, 3.0)))
    assert caught.value.hint


def _sheared(mm=0.3):
    matrix = MATRIX.copy()
    matrix[1, 2] = mm
    return matrix


def _scaled(factor):
    return np.diag([factor, factor, factor, 1.0]) @ MATRIX


def test_shear_has_two_thresholds(tmp_path):
    assert read_nifti(_only_sform(tmp_path / "a.nii", _sheared(0.001))).findings == ()
    image = read_nifti(_only_sform(tmp_path / "b.nii", _sheared(0.02)))
    assert [finding.finding for finding in image.findings] == ["shear"]
    assert image.findings[0].value == pytest.approx(0.02 * 13.5 / 2, rel=0.6)


def _nan(values):
    broken = values.astype(np.float32)
    broken[3, 4, 5] = np.nan
    broken[0, 0, 0] = np.inf
    return broken


NOISY = VALUES + np.random.default_rng(2).integers(-8, 9, VALUES.shape)
REFUSED = {
    "mirrored q against s": (
        lambda p: _write(p, VALUES, MATRIX, qform=np.diag([-1.0, 1, 1, 1]) @ MATRIX),
        "contradict",
    ),
    "shear": (lambda p: _only_sform(p, _sheared()), "shear"),
    "no orientation": (lambda p: nifti(p, VALUES, MATRIX, sform=False, qform=False), "left and right are unknown"),
    "meters": (lambda p: _write(p, VALUES, MATRIX, unit="meter"), "not mm"),
    "meters, no unit": (lambda p: _write(p, VALUES, _scaled(1e-3), unit="unknown"), "are read"),
    "micrometers, no unit": (lambda p: _write(p, VALUES, _scaled(1e3), unit="unknown"), "are read"),
    "NaN": (lambda p: nifti(p, _nan(VALUES), MATRIX), "2 of 26880 voxels are not a number"),
    "a picture": (lambda p: nifti(p, VALUES[:, :, 0], MATRIX), "a volume has three"),
    "one slice": (lambda p: nifti(p, VALUES[:, :, :1], MATRIX), "one slice is not a volume"),
    "time series": (lambda p: nifti(p, np.stack([VALUES, VALUES], axis=-1), MATRIX), "a volume has three"),
    "times ten": (lambda p: nifti(p, (VALUES * 10).astype(np.int16), MATRIX), "scaled"),
    "a tenth": (lambda p: nifti(p, (VALUES // 10).astype(np.int16), MATRIX), "bone"),
    "0..1": (lambda p: nifti(p, ((VALUES + 1024) / 2500).astype(np.float32), MATRIX), "0..1"),
    "constant": (lambda p: nifti(p, np.zeros(SHAPE, np.int16), MATRIX), "same value"),
    "twice": (lambda p: nifti(p, np.where(VALUES > 100, VALUES, NOISY * 2).astype(np.int16), MATRIX), "below air"),
    "a window": (lambda p: nifti(p, np.clip(VALUES, -160, 240).astype(np.int16), MATRIX), "a window"),
    "gray levels": (lambda p: nifti(p, (np.clip(VALUES, -160, 240) + 160).astype(np.int16), MATRIX), "no fat"),
    "stored values": (lambda p: nifti(p, (VALUES + 1024).astype(np.int16), MATRIX), "Hounsfield"),
    "colors": (lambda p: nifti(p, np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]), MATRIX), "colors"),
}


def _only_sform(path, matrix):
    image = nibabel.Nifti1Image(VALUES, None)
    image.header.set_xyzt_units("mm")
    image.set_sform(LPS_FROM_RAS @ matrix, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_reason_and_hint(tmp_path, name):
    write, reason = REFUSED[name]
    with pytest.raises((ReadError, GeometryError), match=reason) as caught:
        read_nifti(write(tmp_path / "ct.nii.gz"))
    assert caught.value.hint


@pytest.mark.parametrize("keep", [0, 200, 5000])
def test_a_truncated_file_is_refused(tmp_path, keep):
    path = nifti(tmp_path / "ct.nii.gz", VALUES, MATRIX)
    assert path.stat().st_size > 6000
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ReadError) as caught:
        read_nifti(path)
    assert "ct.nii.gz" in str(caught.value) and caught.value.hint


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "ct.nii"
    path.write_text("this is not an image\n" * 100)
    with pytest.raises(ReadError, match="cannot be read as NIfTI"):
        read_nifti(path)


NAN = float("nan")
HEADERS = {
    "unknown data type": (70, "h", 999),
    "bits as data": (70, "h", 1),
    "data far behind the end": (108, "f", 1e9),
    "data before the header": (108, "f", -5.0),
    "data nowhere": (108, "f", NAN),
    "no dimension": (40, "h", 0),
    "nine dimensions": (40, "h", 9),
    "negative dimension": (42, "h", -32),
    "empty dimension": (42, "h", 0),
    "more voxels than the file holds": (42, "3h", 320, 300, 280),
    "more voxels than any file holds": (42, "3h", 32000, 32000, 32000),
    "impossible quaternion": (256, "3f", 0.9, 0.9, 0.9),
    "quaternion not a number": (256, "f", NAN),
    "orientation not a number": (280, "f", NAN),
    "infinite orientation": (280, "f", float("inf")),
    "unknown unit of length": (123, "B", 7),
}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_damaged_header_is_refused(tmp_path, capfd, name, suffix):
    header = bytearray(nifti(tmp_path / "good.nii", VALUES, MATRIX).read_bytes())
    offset, kind, *values = HEADERS[name]
    struct.pack_into(f"<{kind}", header, offset, *values)
    path = tmp_path / f"ct{suffix}"
    path.write_bytes(gzip.compress(header) if suffix == ".nii.gz" else header)
    for read in (read_nifti, lambda file: read_label_values(file, subject="structures")):
        with pytest.raises(ReadError) as caught:
            read(path)
        assert caught.value.hint and "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("place", [-3, -6, -200, -5000])
def test_a_flipped_bit_of_a_packed_file_is_refused(tmp_path, place):
    """In the length, the checksum or the voxels: most leave a stream that unpacks, into other values."""
    path = nifti(tmp_path / "ct.nii.gz", VALUES, MATRIX)
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(ReadError, match="truncated or damaged") as caught:
        read_nifti(path)
    assert caught.value.hint


@pytest.mark.parametrize("lost", [1, 8])
def test_a_packed_file_without_its_last_bytes_is_refused(tmp_path, lost):
    path = nifti(tmp_path / "ct.nii.gz", VALUES, MATRIX)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ReadError, match="truncated or damaged"):
        read_nifti(path)


def test_a_picture_is_no_label_map_but_a_single_slice_is_one(tmp_path):
    with pytest.raises(ReadError, match="a volume has three"):
        read_label_values(nifti(tmp_path / "a.nii", np.ones((32, 30), np.uint8), MATRIX), subject="structures")
    path = nifti(tmp_path / "b.nii", np.ones((32, 30, 1), np.uint8), MATRIX)
    assert read_label_values(path, subject="structures")[1].shape == (32, 30, 1)
