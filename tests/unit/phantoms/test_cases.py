"""The phantoms are what scenarios A1, A2 and A3 of the clinical reference state."""

import datetime
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage

from trocar import phantoms
from trocar.imaging.gap import gap
from trocar.imaging.resample import sample
from trocar.model.case import Case, Role, Side
from trocar.model.space import Array

TOLERANCE_MM = 1.5  # of the scenarios


def _distance(case: Case, name: str) -> float:
    return gap(case.structure("lesion_1"), case.structure(name), case.grid)[0]


def _diameters(case: Case) -> list[float]:
    """Extents along the principal axes, one voxel added to what lies between centers."""
    points = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside))
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    return [float(np.ptp(points @ axis)) + 0.6 * float(case.grid.spacing_mm.mean()) for axis in axes]


def _bone(case: Case) -> Array:
    inside: Array = np.any([bone.inside for bone in case.with_role(Role.BONE)], axis=0)
    return inside


def _bone_frac(case: Case) -> float:
    lesion = case.structure("lesion_1").inside
    return float((lesion & _bone(case)).sum() / lesion.sum())


def test_the_iliac_lesion_measures_what_a1_states(ilium: Case) -> None:
    assert _diameters(ilium) == pytest.approx([78, 55, 48], abs=2.5)
    assert _bone_frac(ilium) == pytest.approx(0.40, abs=0.05)
    # The skin is a shell 2 mm thick: its outer face is what a needle meets.
    assert _distance(ilium, "skin") + 2.0 == pytest.approx(28, abs=TOLERANCE_MM)
    assert _distance(ilium, "colon") == pytest.approx(31, abs=TOLERANCE_MM)
    plexus = min(_distance(ilium, f"{name}_left") for name in ("lumbosacral_trunk", "sciatic_nerve"))
    assert plexus == pytest.approx(24, abs=TOLERANCE_MM)


def test_most_of_the_iliac_soft_tissue_part_is_on_the_gluteal_side(ilium: Case) -> None:
    lesion = ilium.structure("lesion_1").inside & ~_bone(ilium)
    glutei = sum((lesion & ilium.structure(f"gluteus_{name}_left").inside).sum() for name in ("medius", "minimus"))
    iliacus = (lesion & ilium.structure("iliopsoas_left").inside).sum()
    assert glutei > 1.5 * iliacus > 0


def test_the_sacral_lesion_measures_what_a2_states(sacrum: Case) -> None:
    assert _diameters(sacrum) == pytest.approx([38, 32, 30], abs=2.0)
    assert _bone_frac(sacrum) > 0.9
    expected = {"nerve_root_s1_left": 0, "nerve_root_l5_left": 6, "sacroiliac_joint_left": 4, "thecal_sac": 15}
    assert {name: _distance(sacrum, name) for name in expected} == pytest.approx(expected, abs=TOLERANCE_MM)


def test_the_sacral_lesion_blushes(sacrum: Case) -> None:
    core = ndimage.binary_erosion(sacrum.structure("lesion_1").inside, iterations=3)
    gain = sacrum.phases["arterial"].values[core].mean() - sacrum.ct.values[core].mean()
    assert 90 < gain < 160  # well above marrow, as a renal metastasis does
    artery = ndimage.binary_erosion(sacrum.structure("iliac_artery_left").inside, iterations=2)
    assert sacrum.phases["arterial"].values[artery].mean() > 200


def test_the_vertebral_lesion_leaves_the_posterior_wall() -> None:
    case = phantoms.vertebra(spacing_mm=(1.25, 1.25, 1.25))
    assert _diameters(case) == pytest.approx([22, 20, 18], abs=1.5)
    assert _bone_frac(case) == 1.0
    assert _distance(case, "thecal_sac") > 5
    wall = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside))[:, 1].max()
    assert wall < case.grid.to_lps(np.argwhere(case.structure("thecal_sac").inside))[:, 1].min() - 4


def _tissue(case: Case, name: str, erode: int = 2) -> Array:
    inside = case.structure(name).inside & ~case.structure("lesion_1").inside
    core: Array = case.ct.values[ndimage.binary_erosion(inside, iterations=erode)]
    return core


def test_hounsfield_units_are_those_of_the_tissues(ilium: Case) -> None:
    assert _tissue(ilium, "gluteus_maximus_left").mean() == pytest.approx(55, abs=6)
    assert _tissue(ilium, "urinary_bladder", 4).mean() == pytest.approx(6, abs=4)
    assert _tissue(ilium, "lesion_1", 0).size == 0
    assert 130 < _tissue(ilium, "hip_right", 3).mean() < 400
    shaft = ilium.structure("femur_left").inside & (np.arange(ilium.grid.shape[2]) < 12)
    assert np.percentile(ilium.ct.values[shaft], 90) > 900
    tumor = ilium.ct.values[ndimage.binary_erosion(ilium.structure("lesion_1").inside, iterations=3)]
    assert tumor.mean() == pytest.approx(42, abs=6)
    assert tumor.max() < 200  # no cortex is left


def test_the_noise_is_a_scanners(coarse: Case) -> None:
    again = coarse.ct.values.astype(float)
    other = phantoms.ilium(spacing_mm=(3.0, 3.0, 3.0), seed=1)
    bladder = ndimage.binary_erosion(other.structure("urinary_bladder").inside, iterations=2)
    difference = (again - other.ct.values)[bladder]
    assert difference.std() / np.sqrt(2) == pytest.approx(12, abs=1.5)


def test_air_surrounds_the_body(ilium: Case) -> None:
    outside = ~ndimage.binary_dilation(ilium.structure("body").inside, iterations=3)
    assert ilium.ct.values[outside].mean() == pytest.approx(-1000, abs=10)


def test_left_is_left(coarse: Case) -> None:
    for structure in coarse.structures:
        if structure.side in (Side.LEFT, Side.RIGHT):
            middle = coarse.grid.to_lps(np.argwhere(structure.inside)).mean(axis=0)[0]
            assert (middle > 0) == (structure.side is Side.LEFT), structure.name
            assert structure.name == "lesion_1" or structure.name.endswith(f"_{structure.side}")


def test_paired_organs_mirror_each_other(coarse: Case) -> None:
    for name in ("hip", "femur", "gluteus_medius", "sciatic_nerve", "sacroiliac_joint"):
        left, right = (coarse.structure(f"{name}_{side}").inside for side in ("left", "right"))
        assert left.any() and np.array_equal(left, right[::-1]), name


def test_bones_and_organs_do_not_overlap(coarse: Case) -> None:
    solid = coarse.with_role(Role.BONE, Role.MUSCLE, Role.VESSEL, Role.BOWEL, Role.BLADDER)
    for first, second in combinations(solid, 2):
        assert not (first.inside & second.inside).any(), (first.name, second.name)


def test_nerves_run_outside_bone(ilium: Case) -> None:
    """Roots leave through their foramina and the sciatic nerve through the notch; none crosses bone."""
    bone = ndimage.binary_erosion(_bone(ilium)).astype(np.float32)
    for nerve in ilium.with_role(Role.NERVE):
        line = np.asarray(nerve.centerline_lps_mm)
        assert nerve.diameter_mm is not None and len(line) > 5
        met = sample(bone, ilium.grid, line, outside=0.0) > 0.5
        assert not met.any(), (nerve.name, line[met])


def test_the_s1_root_has_bone_in_front_of_it_and_behind(sacrum: Case) -> None:
    """In its foramen, seen from the side of the body, the root lies between sacral body and lateral mass."""
    root = np.asarray(sacrum.structure("nerve_root_s1_right").centerline_lps_mm)
    at = root[np.argmin(np.abs(root[:, 2] - 78))]
    bone = sacrum.structure("sacrum").inside.astype(np.float32)
    for side in (-1, 1):
        ray = at + np.linspace(2, 20, 40)[:, None] * (side, 0, 0)
        assert sample(bone, sacrum.grid, ray, outside=0.0).max() > 0.9


def _corridor_clearance(case: Case, bones: tuple[str, ...], start: Array, end: Array) -> tuple[float, float, float]:
    """Least distance of the axis to the bones' surface outside the lesion, and the healthy length at each end."""
    bone = np.any([case.structure(name).inside for name in bones], axis=0)
    spacing = case.grid.spacing_mm
    depth = ndimage.distance_transform_edt(bone, sampling=spacing) - spacing.mean() / 2
    line = start + np.linspace(0, 1, 200)[:, None] * (end - start)
    tumor = sample(case.structure("lesion_1").inside, case.grid, line, outside=0.0) > 0.5
    clearance = sample(depth, case.grid, line, outside=0.0)[~tumor].min()
    length = float(np.linalg.norm(end - start))
    inside = np.flatnonzero(tumor)
    return float(clearance), inside[0] / 199 * length, (199 - inside[-1]) / 199 * length


def test_a_screw_can_cross_the_iliac_lesion_between_healthy_bone(ilium: Case) -> None:
    start, end = np.array([97.0, -19.0, 36.0]), np.array([62.0, 53.0, 93.0])
    clearance, front, back = _corridor_clearance(ilium, ("hip_left",), start, end)
    assert clearance >= 5.0  # a cylinder of 8 mm, and some
    assert min(front, back) >= 20.0


def test_two_screws_can_cross_the_sacral_lesion_side_by_side(sacrum: Case) -> None:
    bones = ("hip_left", "sacrum", "sacroiliac_joint_left")
    first = np.array([63.75, 45.25, 80.75]), np.array([3.75, 30.25, 88.25])
    second = np.array([57.75, 52.75, 97.25]), np.array([-2.25, 42.25, 85.25])
    lines = []
    for start, end in (first, second):
        clearance, lateral, medial = _corridor_clearance(sacrum, bones, start, end)
        assert clearance >= 3.25 + 2.0
        assert lateral >= 10 and medial >= 15
        lines.append(start + np.linspace(0, 1, 80)[:, None] * (end - start))
    between = np.linalg.norm(lines[0][:, None] - lines[1][None], axis=-1).min()
    assert between >= 6.5 + 2.0


def test_same_seed_same_bytes(coarse: Case) -> None:
    again = phantoms.ilium(spacing_mm=(3.0, 3.0, 3.0))
    assert np.array_equal(again.ct.values, coarse.ct.values)
    for one, other in zip(again.structures, coarse.structures, strict=True):
        assert one.name == other.name and np.array_equal(one.inside, other.inside)


def test_dates_and_sides_agree(ilium: Case, sacrum: Case) -> None:
    for case in (ilium, sacrum):
        decision, laboratory = case.clinical.decision, case.clinical.laboratory
        assert decision.planned_date is not None and laboratory.date is not None and case.acquired is not None
        assert datetime.timedelta(0) <= decision.planned_date - laboratory.date <= datetime.timedelta(days=7)
        assert datetime.timedelta(0) <= decision.planned_date - case.acquired <= datetime.timedelta(days=28)
        assert decision.side is case.context("lesion_1").side is case.structure("lesion_1").side is Side.LEFT
        assert case.synthetic


def test_the_gel_bath_is_gel() -> None:
    bath = phantoms.gel_bath(spacing_mm=(2.0, 2.0, 2.0), size_mm=60.0, target_mm=20.0)
    target = bath.structure("lesion_1").inside
    assert target.sum() * bath.grid.voxel_ml == pytest.approx(4 / 3 * np.pi * 1.0, rel=0.1)
    assert bath.ct.values[target].mean() == pytest.approx(8, abs=2)
