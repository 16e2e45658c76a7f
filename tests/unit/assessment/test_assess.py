"""The assessment of a body whose measures are known."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import ellipsoid, grid, slab_case

from trocar.assessment.assess import assess
from trocar.errors import CaseError
from trocar.model.case import Case, LesionContext, Role, Side, Structure
from trocar.model.finding import Verdict
from trocar.model.space import Volume

ELLIPSOID_ML = 4 / 3 * np.pi * 10 * 18 * 14 / 1000


@pytest.fixture(scope="module")
def assessment():
    return assess(slab_case())


def checks(assessment, name):
    return [check for check in assessment.checks if check.name == name]


# shows: R2, R20
def test_size_and_compartments(assessment):
    lesion = assessment.lesion("lesion_1")
    assert lesion.volume_ml == pytest.approx(ELLIPSOID_ML, rel=0.02)
    assert lesion.diameters_mm == pytest.approx((36, 28, 20), abs=1.0)
    assert np.abs(np.diag(np.array(lesion.diameter_axes)[:, [1, 2, 0]])) == pytest.approx(1.0, abs=0.03)
    assert lesion.compartments.bone_ml == pytest.approx(ELLIPSOID_ML / 2, rel=0.08)
    assert lesion.compartments.bone_ml + lesion.compartments.soft_tissue_ml == pytest.approx(lesion.volume_ml)
    assert lesion.center_lps_mm == pytest.approx((40, 0, 0), abs=0.3)
    assert lesion.host_bones == ("hip_left",)


def test_breach_is_the_face_that_the_lesion_crosses(assessment):
    ellipse_mm2 = np.pi * 18 * 14  # of the face x = 40; the lesion ends in bone at x = 30
    assert assessment.lesion("lesion_1").cortical_breach_mm2 == pytest.approx(ellipse_mm2, rel=0.1)


def test_a_lesion_within_its_bone_has_breached_nothing():
    case = slab_case()
    inner = Structure(name="lesion_1", role=Role.LESION, inside=ellipsoid(grid(), (32.5, 0, 0), (5, 9, 9)))
    found = assess(replace(case, structures=(inner, *case.structures[1:]))).lesion("lesion_1")
    assert found.cortical_breach_mm2 == 0.0
    assert found.compartments.soft_tissue_ml == 0.0


def test_lytic_share_is_of_the_bone_compartment(assessment):
    assert assessment.lesion("lesion_1").lytic_frac > 0.9
    case = slab_case()
    sclerotic = np.where(case.structure("lesion_1").inside, 700.0, case.ct.values).astype(np.float32)
    hard = assess(replace(case, ct=Volume(grid=case.grid, values=sclerotic, unit="HU")))
    assert hard.lesion("lesion_1").lytic_frac < 0.05


def test_neighbors_and_skin(assessment):
    lesion = assessment.lesion("lesion_1")
    near = {neighbor.name: neighbor for neighbor in lesion.neighbors}
    assert near["hip_left"].distance_mm == 0
    assert near["nerve"].distance_mm == pytest.approx(60 - 2 - 50, abs=0.4)
    assert near["nerve"].nearest_lps_mm == pytest.approx((58, 0, 0), abs=4)
    assert near["hip_right"].distance_mm == pytest.approx(30 + 25, abs=0.8)
    assert lesion.skin_distance_mm == pytest.approx(70 - 50, abs=0.8)
    assert [n.distance_mm for n in lesion.neighbors] == sorted(n.distance_mm for n in lesion.neighbors)
    assert "body" not in near and "lesion_1" not in near


def test_the_image_border_is_not_skin():
    """The body runs out of the image at head and foot, nearer than its real surface."""
    case = slab_case()
    high = Structure(name="lesion_1", role=Role.LESION, inside=ellipsoid(grid(), (40, 0, 30), (8, 8, 6)))
    found = assess(replace(case, structures=(high, *case.structures[1:])))
    assert found.lesion("lesion_1").skin_distance_mm == pytest.approx(70 - 48, abs=0.8)
    assert checks(found, "lesion_within_image")[0].verdict is Verdict.WARN


def test_mirrored_anatomy_gives_mirrored_measures(assessment):
    """Invariant I5: the same lesion on the other side has the same measures, on the other side."""
    left = assessment.lesion("lesion_1")
    right = assess(slab_case(side_sign=-1.0, stated=Side.RIGHT)).lesion("lesion_1")
    assert left.side is Side.LEFT and right.side is Side.RIGHT
    assert right.volume_ml == pytest.approx(left.volume_ml, rel=1e-6)
    assert right.diameters_mm == pytest.approx(left.diameters_mm, abs=1e-3)
    assert right.cortical_breach_mm2 == pytest.approx(left.cortical_breach_mm2, rel=1e-3)
    assert right.skin_distance_mm == pytest.approx(left.skin_distance_mm, abs=1e-3)
    assert right.center_lps_mm == pytest.approx(np.multiply(left.center_lps_mm, (-1, 1, 1)), abs=1e-6)
    mirrored = {
        n.name.replace("left", "other").replace("right", "left").replace("other", "right"): n for n in right.neighbors
    }
    for neighbor in left.neighbors:
        assert mirrored[neighbor.name].distance_mm == pytest.approx(neighbor.distance_mm, abs=0.05)


@pytest.mark.parametrize(
    "stated, verdict", [(Side.LEFT, Verdict.PASS), (Side.RIGHT, Verdict.FAIL), (Side.MIDLINE, Verdict.WARN)]
)
def test_a_stated_side_is_held_against_the_image(stated, verdict):
    assert checks(assess(slab_case(stated=stated)), "lesion_side")[0].verdict is verdict


def test_a_side_that_the_image_filled_in_states_nothing():
    case = slab_case(stated=None)
    known = LesionContext(name="lesion_1", side=Side.LEFT, from_imaging=("side",))
    unsided = tuple(replace(s, name={"hip_left": "hip"}.get(s.name, s.name), side=None) for s in case.structures)
    found = assess(replace(case, structures=unsided, clinical=replace(case.clinical, lesion=(known,))))
    assert found.lesion("lesion_1").side is Side.LEFT
    side = checks(found, "lesion_side")[0]
    assert side.verdict is Verdict.UNKNOWN and "nobody stated the side" in side.message


@pytest.mark.parametrize("first", [28, 34])
def test_a_body_that_the_image_cuts_has_no_middle(first):
    """The left half of a body, as one reconstructs for a hip: its centroid lies left of the patient's middle."""
    case = slab_case()
    kept = slice(first, None)
    half = case.grid.cropped((first, 0, 0), case.grid.shape)
    structures = tuple(
        replace(s, inside=s.inside[kept].copy()) for s in case.structures if s.name in ("body", "hip_left", "lesion_1")
    )
    ct = replace(case.ct, grid=half, values=case.ct.values[kept].copy())
    found = assess(replace(case, ct=ct, structures=structures, phases={}))
    assert found.lesion("lesion_1").side is None
    assert checks(found, "lesion_side")[0].verdict is Verdict.UNKNOWN


def test_a_flipped_image_is_caught():
    """Labels that say left on the patient's right mean a flipped image: FAIL, whatever was stated."""
    case = slab_case(side_sign=-1.0, stated=Side.LEFT)
    swap = {"hip_left": "hip_right", "hip_right": "hip_left"}
    renamed = tuple(replace(s, name=swap.get(s.name, s.name), side=None) for s in case.structures)
    found = assess(replace(case, structures=renamed))
    assert checks(found, "left_right_labels")[0].verdict is Verdict.FAIL
    assert checks(found, "lesion_side")[0].verdict is Verdict.FAIL


def test_what_is_absent_is_unknown_and_never_safe():
    case = slab_case()
    without = replace(case, structures=tuple(s for s in case.structures if s.role is not Role.NERVE))
    assert Role.NERVE in assess(without).absent_roles and Role.NERVE not in assess(case).absent_roles
    unknown = [c for c in checks(assess(without), "structure_segmented") if c.subject == "nerve"]
    assert unknown[0].verdict is Verdict.UNKNOWN and unknown[0].value is None
    assert checks(assess(without), "vascularity")[0].verdict is Verdict.UNKNOWN


def test_a_coarse_image_and_a_cut_lesion_are_said():
    case = slab_case()
    assert checks(assess(case), "voxel_size")[0].verdict is Verdict.WARN
    cut = Structure(name="lesion_1", role=Role.LESION, inside=ellipsoid(grid(), (40, 0, 39), (8, 8, 8)))
    found = assess(replace(case, structures=(cut, *case.structures[1:])))
    assert checks(found, "lesion_within_image")[0].verdict is Verdict.FAIL


def test_without_bone_or_skin_the_measures_are_unknown():
    case = slab_case()
    bare = Case(
        case_id="bare",
        ct=Volume(grid=case.grid, values=np.full(case.grid.shape, 50.0), unit="HU"),
        structures=case.structures[:1],
    )
    found = assess(bare)
    lesion = found.lesion("lesion_1")
    assert lesion.skin_distance_mm is None and lesion.lytic_frac is None and lesion.cortical_breach_mm2 is None
    assert lesion.side is None and lesion.host_bones == ()
    assert {"host_bone", "skin_distance", "lesion_side"} <= {
        c.name for c in found.checks if c.verdict is Verdict.UNKNOWN
    }


def test_no_lesion_is_refused():
    case = slab_case()
    with pytest.raises(CaseError):
        assess(replace(case, structures=case.structures[1:]))
    empty = Structure(name="lesion_1", role=Role.LESION, inside=np.zeros(case.grid.shape, dtype=bool))
    with pytest.raises(CaseError):
        assess(replace(case, structures=(empty, *case.structures[1:])))
