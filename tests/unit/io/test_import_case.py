"""Whole cases: the real images, sides and places, derived outlines, phases."""

import asymmetric
import nibabel
import numpy as np
import pytest
from asymmetric import nifti

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.labels import read_label_map
from trocar.io.nifti import read_label_values
from trocar.io.reader import read_case
from trocar.model.case import Clinical, LesionContext, Role, Severity, Side
from trocar.model.space import Grid

GRID = Grid.aligned(origin_lps_mm=(-60.0, -50.0, 0.0), spacing_mm=(3.0, 3.0, 3.0), shape=(41, 35, 20))
POINTS = GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))
RADIUS_MM = 42.0


def trunk_HU():
    """A cylinder of soft tissue with two hip-like columns, a spine and an air pocket, on a thin table."""
    x, y, _ = np.moveaxis(POINTS, -1, 0)
    values = np.full(GRID.shape, -1000, dtype=np.int16)
    values[x**2 + y**2 <= RADIUS_MM**2] = 40
    for center in (-25.0, 0.0, 25.0):
        values[(x - center) ** 2 + y**2 <= 64] = 400
    values[x**2 + (y + 25) ** 2 <= 36] = -1000
    values[(np.abs(y - 48) < 2) & (np.abs(x) < 50)] = 100  # the table
    return values


def column(x_mm, radius_mm=8.0):
    return (POINTS[..., 0] - x_mm) ** 2 + POINTS[..., 1] ** 2 <= radius_mm**2


@pytest.fixture
def ct(tmp_path):
    return nifti(tmp_path / "ct.nii.gz", trunk_HU(), GRID.matrix)


def mask(folder, name, inside):
    return nifti(folder / f"{name}.nii.gz", inside.astype(np.uint8), GRID.matrix)


def test_body_and_skin_are_derived_without_the_table(ct):
    case = read_case(ct)
    x, y, _ = np.moveaxis(POINTS, -1, 0)
    radius = np.hypot(x, y)
    body, skin = case.structure("body"), case.structure("skin")
    assert (body.role, skin.role, body.origin) == (Role.BODY, Role.SKIN, "derived from HU")
    np.testing.assert_array_equal(body.inside, radius <= RADIUS_MM)  # its air pocket filled, the table left out
    assert not skin.inside[~body.inside].any()
    assert skin.inside[(radius <= RADIUS_MM) & (radius > RADIUS_MM - 2)].all()
    assert not skin.inside[radius < RADIUS_MM - 5].any()  # not where the image cuts the body
    assert "derived_outline" in [finding.finding for finding in case.geometry]


def test_a_given_body_is_kept(tmp_path, ct):
    drawn = np.hypot(POINTS[..., 0], POINTS[..., 1]) <= 36
    case = read_case(ct, structure={"body": mask(tmp_path, "body", drawn)})
    np.testing.assert_array_equal(case.structure("body").inside, drawn)
    assert not case.structure("skin").inside[~drawn].any()


def test_sides_are_the_patients(tmp_path, ct):
    masks = {
        "hip_left": mask(tmp_path, "l", column(25)),
        "hip_right": mask(tmp_path, "r", column(-25)),
        "sacrum": mask(tmp_path, "m", column(0)),
    }
    case = read_case(ct, structure=masks)
    assert [case.structure(name).side for name in masks] == [Side.LEFT, Side.RIGHT, None]
    assert case.grid.to_lps(np.argwhere(case.structure("hip_left").inside)).mean(axis=0)[0] == pytest.approx(25, abs=1)
    assert not [finding for finding in case.geometry if finding.finding == "side"]


@pytest.mark.parametrize("names", [("hip_right", "hip_left"), ("hip_right", "sacrum")])
def test_a_swapped_side_is_refused(tmp_path, ct, names):
    """Hazard 1: the structure at the patient's left (+x) is named right."""
    where = {"hip_left": -25, "hip_right": 27, "sacrum": 0}
    masks = {name: mask(tmp_path, name, column(where[name])) for name in names}
    with pytest.raises(CaseError, match="hip_") as caught:
        read_case(ct, structure=masks)
    assert "left and right" in caught.value.hint


def test_sides_without_a_midline_are_said(tmp_path, ct):
    case = read_case(ct, structure={"hip_left": mask(tmp_path, "l", column(25))})
    assert [f.severity for f in case.geometry if f.finding == "side"] == [Severity.NOTED]


def test_a_lung_that_the_image_cuts_open_is_not_outside_the_body(tmp_path, ct):
    """Its air is joined to that around the patient, so it is no part of the body as found by HU."""
    outside = mask(tmp_path, "lung", column(52, 6.0))
    assert read_case(ct, structure={"lung_lower_lobe_left": outside}).structure("lung_lower_lobe_left").inside.any()


def test_bone_labels_on_soft_tissue_and_structures_in_air_are_refused(tmp_path, ct):
    off = {"hip_left": mask(tmp_path, "l", column(52, 6.0)), "sacrum": mask(tmp_path, "m", column(0))}
    with pytest.raises(GeometryError, match="outside the patient's body"):
        read_case(ct, structure=off)
    soft = {"hip_left": mask(tmp_path, "a", column(13, 4.0)), "hip_right": mask(tmp_path, "b", column(-13, 4.0))}
    case = read_case(ct, structure=soft)
    assert "bone_density" in [finding.finding for finding in case.geometry]


def test_a_phase_is_resampled_onto_the_planning_ct(tmp_path, ct):
    coarse = Grid.aligned(origin_lps_mm=(-60.0, -50.0, 0.0), spacing_mm=(6.0, 6.0, 3.0), shape=(21, 18, 20))
    x = coarse.to_lps(np.moveaxis(np.indices(coarse.shape), 0, -1))[..., 0]
    ramp = (2 * x).astype(np.int16)
    ramp[0, 0, 0], ramp[1, 0, 0] = -1000, 600
    case = read_case(ct, phases={"arterial": nifti(tmp_path / "a.nii.gz", ramp, coarse.matrix)})
    arterial = case.phases["arterial"]
    assert arterial.grid == case.grid and arterial.unit == "HU"
    np.testing.assert_allclose(arterial.values[8:38, 8:30], 2 * POINTS[8:38, 8:30, :, 0], atol=1.0)
    assert [f.severity for f in case.geometry if f.finding == "resampled"] == [Severity.REPAIRED]


def test_a_phase_of_elsewhere_is_refused_and_one_that_shows_a_part_is_said(tmp_path, ct):
    def phase(name, x_mm):
        grid = Grid.aligned(origin_lps_mm=(x_mm, -50.0, 0.0), spacing_mm=(6.0, 6.0, 3.0), shape=(21, 18, 20))
        values = np.full(grid.shape, 40, np.int16)
        values[0], values[1], values[2] = -1000, 600, -90
        return nifti(tmp_path / f"{name}.nii.gz", values, grid.matrix)

    with pytest.raises(GeometryError, match="outside of it"):
        read_case(ct, phases={"arterial": phase("far", 5000.0)})
    case = read_case(ct, phases={"arterial": phase("part", 0.0)})
    assert [f.severity for f in case.geometry if f.finding == "outside_image"] == [Severity.NOTED]
    with pytest.raises(CaseError, match="twice"):
        read_case(ct, phases={"a b": phase("a", -60.0), "a_b": phase("b", -60.0)})


def test_the_same_files_give_the_same_case(tmp_path, ct):
    first, second = (read_case(ct, structure={"lesion": mask(tmp_path, "l", column(25))}) for _ in range(2))
    assert first.case_id == second.case_id and first.geometry == second.geometry
    assert read_case(ct, case_id="left-ilium").case_id == "left-ilium"


def test_bad_input_has_a_reason_and_a_hint(tmp_path, ct):
    ball = mask(tmp_path, "ball", column(25))
    text = tmp_path / "clinical.toml"
    text.write_text('[[lesion]]\nname = "lesion_2"\n')
    attempts = [
        (lambda: read_case(tmp_path / "nothing"), ReadError),
        (lambda: read_case(ct, structures=ct), CaseError),
        (lambda: read_case(ct, labels=text), CaseError),
        (lambda: read_case(ct, structure={"lesion": ball, "lesion_1": ball}), CaseError),
        (lambda: read_case(ct, structure={"unheard_of": ball}), CaseError),
        (lambda: read_case(ct, structure={"lesion": text}), ReadError),
        (lambda: read_case(ct, structure={"lesion": ball}, clinical=text), CaseError),
        (lambda: read_case(text), ReadError),
    ]
    for attempt, kind in attempts:
        with pytest.raises((kind, ReadError)) as caught:
            attempt()
        assert caught.value.hint, str(caught.value)
        assert caught.value.exit_code == 2


def test_the_lesion_of_the_clinical_file_may_be_called_lesion_as_its_structure_may(tmp_path, ct):
    ball = mask(tmp_path, "ball", column(25))
    text = tmp_path / "clinical.toml"
    text.write_text('[[lesion]]\nname = "lesion"\nsite = "iliac_wing"\n')
    for clinical in (text, Clinical(lesion=(LesionContext(name="lesion", site="iliac_wing"),))):
        case = read_case(ct, structure={"lesion": ball}, clinical=clinical)
        assert case.context(case.lesions[0].name).site == "iliac_wing"


def test_a_lesion_as_large_as_the_image_is_refused_by_what_its_mask_measures(tmp_path):
    coarse = Grid.aligned(origin_lps_mm=(-120.0, -100.0, 0.0), spacing_mm=(9.0, 9.0, 9.0), shape=GRID.shape)
    ct = nifti(tmp_path / "ct.nii.gz", trunk_HU(), coarse.matrix)
    everything = nifti(tmp_path / "all.nii.gz", np.ones(GRID.shape, np.uint8), coarse.matrix)
    with pytest.raises(CaseError, match=r"the mask of lesion_1 measures 20922 ml") as caught:
        read_case(ct, structure={"lesion_1": everything})
    assert "mask" in caught.value.hint and "field" not in caught.value.hint


# --- the shared real images


@pytest.mark.parametrize(
    ("name", "lesion_ml", "center_lps_mm"),
    [("right_iliac_lytic_softtissue", 33.99, (-82.1, -117.4, 219.2)), ("L4_body_lytic", 7.87, (5.3, -143.1, 279.1))],
)
def test_the_carved_cases(shared_data, name, lesion_ml, center_lps_mm):
    folder = shared_data / "totalseg_carved_dev"
    case = read_case(
        folder / f"{name}_ct.nii.gz",
        structures=folder / "labels_1p5mm.nii.gz",
        structure={"lesion": folder / f"{name}_lesion.nii.gz"},
    )
    (lesion,) = case.lesions
    assert lesion.inside.sum() * case.grid.voxel_ml == pytest.approx(lesion_ml, abs=0.01)
    center = case.grid.to_lps(np.argwhere(lesion.inside)).mean(axis=0)
    np.testing.assert_allclose(center, center_lps_mm, atol=0.1)
    assert len(case.structures) == 62  # 59 labels, the lesion, body and skin
    assert not [f for f in case.geometry if f.finding in ("side", "outside_body", "bone_density", "cut_off")]
    assert case.structure("femur_left").side is Side.LEFT and case.acquired is None


def test_labels_of_the_coarse_scan_are_resampled_onto_the_fine_one(shared_data):
    fine, coarse = shared_data / "totalseg_carved_dev", shared_data / "totalseg_abdpelvis_3mm"
    grid = read_label_values(fine / "labels_1p5mm.nii.gz", subject="fine")[1]
    moved, findings = read_label_map(coarse / "labels.nii.gz", grid)
    known, _ = read_label_map(fine / "labels_1p5mm.nii.gz", grid)
    assert "label_resampled" in [finding.finding for finding in findings]
    first, second = (
        next(region for region in regions if region.name == "sacrum").structure(grid).inside
        for regions in (moved, known)
    )
    assert np.count_nonzero(first & second) / np.count_nonzero(first | second) > 0.99


def test_dicom_and_nifti_of_one_scan_agree(shared_data):
    slices = read_case(shared_data / "cort_liver_spine/dicom")
    converted = read_case(shared_data / "cort_liver_spine/ct.nii.gz")
    assert slices.grid.matches(converted.grid, tolerance_mm=0.01)
    assert np.abs(slices.ct.values.astype(int) - converted.ct.values).max() <= 1
    assert slices.acquired is not None and converted.acquired is None


def test_a_mirrored_label_map_is_refused(shared_data, tmp_path):
    """The commonest accident: labels written in RAS order and taken for LPS."""
    folder = shared_data / "totalseg_abdpelvis_3mm"
    stored = nibabel.load(folder / "labels.nii.gz")
    path = tmp_path / "labels.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.asarray(stored.dataobj)[::-1], stored.affine), path)
    with pytest.raises(CaseError, match="left") as caught:
        read_case(folder / "ct.nii.gz", structures=path, labels=folder / "labels.json")
    assert caught.value.hint


def test_a_small_crop_in_another_axis_order(shared_data, tmp_path):
    folder = shared_data / "tptbox_lumbar_crop"
    names = tmp_path / "labels.json"
    names.write_text('{"21": "vertebrae_L2", "22": "vertebrae_L3", "23": "vertebrae_L4"}')
    case = read_case(
        folder / "sub-ct_label-22_ct.nii.gz",
        structures=folder / "sub-ct_seg-vert_label-22_msk.nii.gz",
        labels=names,
    )
    heights = [
        case.grid.to_lps(np.argwhere(case.structure(f"vertebrae_L{n}").inside)).mean(axis=0)[2] for n in (2, 3, 4)
    ]
    assert heights[0] > heights[1] > heights[2]


def test_orientation_of_the_phantom_survives_a_whole_case(tmp_path):
    folder = asymmetric.saved(tmp_path / "ct", asymmetric.series(*asymmetric.SAGITTAL)[::-1])
    assert asymmetric.error_HU(read_case(folder).ct) <= 1.0
