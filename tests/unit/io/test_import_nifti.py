"""NIfTI: all axis orders, and what is refused."""

import itertools

import asymmetric
import nibabel
import numpy as np
import pytest
from asymmetric import error_HU, matrix_of, nifti, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from trocar.errors import GeometryError, ReadError
from trocar.io.geometry import LPS_FROM_RAS, canonical
from trocar.io.nifti import read_nifti

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
    "time series": (lambda p: nifti(p, np.stack([VALUES, VALUES], axis=-1), MATRIX), "a volume has three"),
    "times ten": (lambda p: nifti(p, (VALUES * 10).astype(np.int16), MATRIX), "scaled"),
    "a tenth": (lambda p: nifti(p, (VALUES // 10).astype(np.int16), MATRIX), "bone"),
    "0..1": (lambda p: nifti(p, ((VALUES + 1024) / 2500).astype(np.float32), MATRIX), "0..1"),
    "constant": (lambda p: nifti(p, np.zeros(SHAPE, np.int16), MATRIX), "same value"),
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
