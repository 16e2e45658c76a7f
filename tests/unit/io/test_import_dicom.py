"""The same voxel ends at the same place in the patient, whatever the orientation, order, container or compression."""

import dataclasses
import datetime

import asymmetric
import numpy as np
import pytest
from asymmetric import AXIAL, CORONAL, IDENTITY, SAGITTAL, error_HU, saved, series

from trocar.errors import GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.reader import read_case
from trocar.model.case import Severity

OBLIQUE = ((0.96, 0.2, -0.1), (-0.15, 0.93, 0.42))
FEET_FIRST = ((-1, 0, 0), (0, 1, 0))
TILT_MM_PER_SLICE = 2.0 * np.tan(np.radians(18.5))


def perpendicular(axes):
    first, second = (np.asarray(axis, dtype=float) for axis in axes)
    first = first / np.linalg.norm(first)
    second = second - (second @ first) * first
    return first, second / np.linalg.norm(second)


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, SAGITTAL, FEET_FIRST, perpendicular(OBLIQUE)])
@pytest.mark.parametrize("reverse", [False, True])
def test_orientation(tmp_path, axes, reverse):
    slices = series(*axes)
    image = read_dicom(saved(tmp_path, slices[::-1] if reverse else slices))
    assert error_HU(image.volume) <= 1.0
    assert np.all(np.diag(image.volume.grid.matrix)[:3] > 0)  # towards left, posterior, head
    assert image.findings == ()


@pytest.mark.parametrize("axes", [AXIAL, perpendicular(OBLIQUE)])
def test_enhanced_multiframe(tmp_path, axes):
    slices = series(*axes)
    frames = asymmetric.enhanced([*slices[1::2], *slices[::2]])
    assert error_HU(read_dicom(saved(tmp_path, [frames])).volume) <= 1.0


@pytest.mark.parametrize("codec", ["rle", "jpeg_ls", "jpeg_2000", "jpeg_lossless"])
def test_compression_without_loss(tmp_path, codec):
    slices = series(shape=(40, 36, 12))
    plain = read_dicom(saved(tmp_path / "plain", slices)).volume
    packed = [asymmetric.compressed(found, codec) for found in slices]
    assert packed[0].file_meta.TransferSyntaxUID.is_compressed
    found = read_dicom(saved(tmp_path / codec, packed)).volume
    np.testing.assert_array_equal(found.values, plain.values)
    assert error_HU(found) <= 1.0


def test_a_tilted_gantry_is_straightened_and_said(tmp_path):
    tilted = series(shape=(40, 40, 20), shear_mm_per_slice=TILT_MM_PER_SLICE)
    image = read_dicom(saved(tmp_path, tilted))
    (finding,) = image.findings
    assert (finding.finding, finding.severity) == ("gantry_tilt", Severity.REPAIRED)
    assert finding.value == pytest.approx(19 * TILT_MM_PER_SLICE, rel=1e-3)
    assert "18.5 deg" in finding.message
    points = image.volume.grid.to_lps(np.moveaxis(np.indices(image.volume.grid.shape), 0, -1))
    truth = asymmetric.truth_HU(points)
    filled = image.volume.values == -1024
    steep = np.abs(np.gradient(truth, 1.5, axis=1))[~filled].max() * 1.5  # HU per pixel
    error = np.abs(image.volume.values - truth)[~filled]
    assert error.max() < steep / 8 + 20  # what linear interpolation may miss, far below one pixel's shift
    assert error.mean() < 3.0


def test_a_stack_that_leans_a_little_is_left_and_said(tmp_path):
    image = read_dicom(saved(tmp_path, series(shear_mm_per_slice=0.3 / 29)))
    assert [(f.finding, f.severity) for f in image.findings] == [("gantry_tilt", Severity.NOTED)]


@pytest.mark.parametrize(
    ("shift_mm", "expected"), [(5e-8, None), (0.004, None), (0.08, Severity.NOTED), (0.6, GeometryError)]
)
def test_slice_spacing_has_two_thresholds(tmp_path, shift_mm, expected):
    slices = series(shape=(40, 36, 12))
    moved = slices[5].ImagePositionPatient
    slices[5].ImagePositionPatient = [moved[0], moved[1], float(moved[2]) + shift_mm]
    folder = saved(tmp_path, slices)
    if expected is GeometryError:
        with pytest.raises(GeometryError, match="variable slice spacing") as caught:
            read_dicom(folder)
        assert caught.value.hint
        return
    assert [f.severity for f in read_dicom(folder).findings] == ([expected] if expected else [])


def test_an_exact_copy_is_dropped_and_said_but_two_different_slices_at_one_place_are_refused(tmp_path):
    slices = series(shape=(40, 36, 12))
    image = read_dicom(saved(tmp_path / "copy", [*slices, slices[4]]))
    assert [(f.finding, f.severity) for f in image.findings] == [("duplicate_slice", Severity.REPAIRED)]
    assert error_HU(image.volume) <= 1.0
    other = series(shape=(40, 36, 12))[4]
    other.PixelData = slices[5].PixelData
    with pytest.raises(GeometryError, match="one position and differ"):
        read_dicom(saved(tmp_path / "other", [*slices, other]))


def _without(number):
    return lambda slices: slices[:number] + slices[number + 1 :]


def _changed(number, **values):
    def change(slices):
        for keyword, value in values.items():
            if value is None:
                delattr(slices[number], keyword)
            else:
                setattr(slices[number], keyword, value)
        return slices

    return change


def _all_changed(**values):
    def change(slices):
        for n in range(len(slices)):
            _changed(n, **values)(slices)
        return slices

    return change


def _moved(number, left_mm):
    def change(slices):
        x, y, z = slices[number].ImagePositionPatient
        slices[number].ImagePositionPatient = [float(x) + left_mm, y, z]
        return slices

    return change


REFUSED = {
    "missing slice": (_without(5), GeometryError, r"1 slice\(s\) missing"),
    "one slice": (lambda slices: slices[:1], GeometryError, "one slice is not a volume"),
    "two series": (_changed(3, SeriesInstanceUID="9.9"), ReadError, "1.2.3.4.5"),
    "two frames of reference": (_changed(3, FrameOfReferenceUID="9.9"), GeometryError, "frames of reference"),
    "turned slice": (_changed(3, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), GeometryError, "different orientations"),
    "another pixel size": (_changed(3, PixelSpacing=[1.4, 1.6]), GeometryError, "different pixel sizes"),
    "sideways": (_moved(3, 2.0), GeometryError, "sideways"),
    "no position": (_changed(3, ImagePositionPatient=None), GeometryError, "does not state its position"),
    "damaged orientation": (_all_changed(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), GeometryError, "perpendicular"),
    "no rescale": (_changed(3, RescaleSlope=None), ReadError, "no rescale slope"),
    "intercept nowhere": (_changed(3, RescaleIntercept=float("nan")), ReadError, "impossible"),
    "slope zero": (_changed(3, RescaleSlope=0), ReadError, "impossible"),
    "HU times ten": (_all_changed(RescaleSlope=10, RescaleIntercept=-10240), ReadError, "Hounsfield"),
    "HU without offset": (_all_changed(RescaleIntercept=0), ReadError, "Hounsfield"),
    "another modality": (_all_changed(Modality="MR"), ReadError, "no CT"),
    "no pixels": (_changed(3, PixelData=None), ReadError, "003.dcm holds no pixel data"),
    "effective atomic number": (_all_changed(RescaleType="Z_EFF"), ReadError, "not Hounsfield"),
    "text in the picture": (_changed(3, BurnedInAnnotation="YES"), ReadError, "burned into its pixels"),
    "pixels in meters": (_all_changed(PixelSpacing=[1.5e-3, 1.6e-3]), GeometryError, "are read"),
    "leaning too far": (lambda _: series(shear_mm_per_slice=2.0), GeometryError, "more than any gantry"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_reason_and_hint(tmp_path, name):
    change, kind, reason = REFUSED[name]
    with pytest.raises(kind, match=reason) as caught:
        read_dicom(saved(tmp_path, change(series(shape=(40, 36, 12)))))
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("keep", "reason"), [(0, "0 bytes"), (100, "DICOM"), (1500, "truncated|DICOM|pixel")])
def test_a_damaged_slice_is_named(tmp_path, keep, reason):
    folder = saved(tmp_path, series(shape=(40, 36, 12)))
    damaged = folder / "007.dcm"
    damaged.write_bytes(damaged.read_bytes()[:keep])
    with pytest.raises(ReadError, match=reason) as caught:
        read_dicom(folder)
    assert "007.dcm" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"1.5\\1.6", b"1.5\\1x6"),
        (b"0.0\\1.0", b"0.0\\1,0"),
        (b"\x20\x00\x32\x00DS", b"\x20\x00\x32\x00D\xd3"),  # the position is of an unknown kind
        (b"\x28\x00\x10\x00US\x02", b"\x28\x00\x10\x00US\x03"),  # the number of rows in three bytes
    ],
)
def test_a_slice_with_a_damaged_element_is_named(tmp_path, good, bad):
    folder = saved(tmp_path, series(shape=(40, 36, 12)))
    damaged = folder / "007.dcm"
    content = damaged.read_bytes()
    assert good in content
    damaged.write_bytes(content.replace(good, bad, 1))
    with pytest.raises(ReadError, match=r"007.dcm") as caught:
        read_dicom(folder)
    assert caught.value.hint


def test_one_series_is_chosen_by_uid(tmp_path):
    slices, others = series(shape=(40, 36, 12)), series(*CORONAL, shape=(40, 36, 12))
    for found in others:
        found.SeriesInstanceUID = "9.9"
    folder = saved(tmp_path, slices + others)
    assert error_HU(read_dicom(folder, series="9.9").volume) <= 1.0
    with pytest.raises(ReadError, match="no CT series 7"):
        read_dicom(folder, series="7")


def test_a_scout_is_left_out_and_said(tmp_path):
    scout = series(*CORONAL)[0]
    scout.SeriesInstanceUID, scout.ImageType = "9.9", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    image = read_dicom(saved(tmp_path, [*series(), scout]))
    assert [f.finding for f in image.findings] == ["localizer"]


def test_loss_is_said(tmp_path):
    image = read_dicom(saved(tmp_path, _changed(3, LossyImageCompression="01")(series(shape=(40, 36, 12)))))
    assert [(f.finding, f.value) for f in image.findings] == [("lossy_compression", 1)]


def test_nothing_identifying_is_reachable_from_the_case(tmp_path):
    folder = saved(tmp_path / "DOE_JANE", series())
    case = read_case(folder)
    known = repr(dataclasses.replace(case, structures=())) + "".join(s.origin + s.name for s in case.structures)
    for secret in (*IDENTITY.values(), "DOE", "PRIVATE", "4711", "1.2.3.4.5", asymmetric.FRAME_UID, "2026"):
        assert secret not in known
    assert case.acquired != datetime.date(2026, 3, 2)


def test_dates_of_one_patient_keep_their_intervals(tmp_path):
    first, later = series(shape=(40, 36, 12)), series(shape=(40, 36, 12))
    for found in later:
        found.AcquisitionDate, found.SeriesInstanceUID = "20260330", "9.9"
    (tmp_path / "clinical.toml").write_text("[laboratory]\ndate = 2026-03-01\n[decision]\nplanned_date = 2026-03-20\n")
    clinical = tmp_path / "clinical.toml"
    case = read_case(saved(tmp_path / "a", first), clinical=clinical)
    control = read_case(saved(tmp_path / "b", later))
    assert (control.acquired - case.acquired).days == 28
    assert case.case_id != control.case_id
    assert (case.acquired - case.clinical.laboratory.date).days == 1
    assert (case.clinical.decision.planned_date - case.acquired).days == 18
    salted = read_case(tmp_path / "a", pseudonym_salt="another hospital")
    assert salted.case_id != case.case_id
    assert read_case(tmp_path / "a").case_id == case.case_id


@pytest.mark.parametrize(("agent", "expected"), [(None, None), ("ISOVUE 300", True), ("NONE", False)])
def test_contrast_is_unknown_unless_stated(tmp_path, agent, expected):
    slices = series(shape=(40, 36, 12))
    for found in slices:
        if agent:
            found.ContrastBolusAgent = agent
    assert read_dicom(saved(tmp_path, slices)).contrast_enhanced is expected


@pytest.mark.parametrize("stated", ["00010101", "", "20260231", "99991231"])
def test_a_placeholder_is_no_date(tmp_path, stated):
    slices = series(shape=(40, 36, 12))
    for found in slices:
        found.AcquisitionDate = stated
    assert read_dicom(saved(tmp_path, slices)).acquired is None
