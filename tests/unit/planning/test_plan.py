"""The plan of a small torso: hard constraints hold when re-checked by brute force, and nothing depends on luck."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from coldline import cold_line
from scipy.ndimage import binary_dilation

from trocar.catalog import device, limit
from trocar.errors import PlanningError
from trocar.model.case import Patient
from trocar.model.finding import Verdict
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.space import Segment
from trocar.model.treatment import Technique
from trocar.planning.checks import inspector, placement_checks, recheck
from trocar.planning.order import order_checks
from trocar.planning.plan import plan

NEEDLES = ("probe", "biopsy", "trocar", "wire", "screw")


def envelope(placement, *, count=4000):
    """Points on an instrument's surface from the skin to its tip, drawn at random."""
    rng = np.random.default_rng(7)
    whole = Segment(start_lps_mm=placement.skin_lps_mm, end_lps_mm=placement.target_lps_mm)
    along, turn = rng.uniform(0, whole.length_mm, count), rng.uniform(0, 2 * np.pi, count)
    side = np.cross(whole.direction, [0.3, 0.5, 0.81])
    side /= np.linalg.norm(side)
    other = np.cross(whole.direction, side)
    ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
    return whole.at(along) + placement.diameter_mm / 2 * ring


def inside(mask, grid, points):
    index = np.rint(grid.to_ijk(points)).astype(int)
    return mask[tuple(np.clip(index, 0, np.asarray(grid.shape) - 1).T)]


def nerve_distance(case, points):
    nerve = case.structure("sciatic_nerve_left")
    course = nerve.centerline_lps_mm
    parts = [Segment(start_lps_mm=a, end_lps_mm=b).distance_mm(points) for a, b in pairwise(course)]
    return np.min(parts, axis=0) - nerve.diameter_mm / 2


@pytest.mark.parametrize("which", ["planned", "spared"])
def test_no_instrument_crosses_what_it_must_not(case, which, request):
    steps = request.getfixturevalue(which).steps
    instruments = [item for step in steps for item in step.placements if item.role in NEEDLES]
    assert instruments
    for item in instruments:
        points = envelope(item)
        for name in ("colon", "iliac_artery_left"):
            assert not inside(case.structure(name).inside, case.grid, points).any(), (item.name, name)
        assert nerve_distance(case, points).min() >= limit("nerve_clearance_hard_mm").value - 0.05, item.name


# shows: R1, R83
def test_every_step_is_placed_and_nothing_fails(planned):
    assert [step.id for step in planned.steps] == ["biopsy-1", "cryoablation-1", "screw-1", "cement-1"]
    assert all(step.placements for step in planned.steps)
    assert planned.failed == ()


# shows: R45
def test_every_puncture_lies_on_the_skin(case, planned):
    body = case.structure("body").inside
    for item in (item for step in planned.steps for item in step.placements):
        outward = np.subtract(item.skin_lps_mm, item.target_lps_mm)
        outward /= np.linalg.norm(outward)
        skin = np.asarray(item.skin_lps_mm)
        assert not inside(body, case.grid, [skin + 3 * outward]).any()
        assert inside(body, case.grid, [skin - 3 * outward]).all()


# shows: R94
def test_the_screw_spans_the_tumor_from_healthy_bone_to_healthy_bone(case, planned):
    screw = planned.step("screw-1").placements[0]
    bone, lesion = case.structure("hip_left").inside, case.structure("lesion_1").inside
    along = np.linspace(0, screw.length_mm, 400)
    axis = screw.axis.at(along)
    in_lesion = inside(lesion, case.grid, axis)
    assert in_lesion.any() and not in_lesion[0] and not in_lesion[-1]
    first, last = np.flatnonzero(in_lesion)[[0, -1]]
    assert along[first] >= 15.0 and screw.length_mm - along[last] >= 15.0
    past_entry = axis[along > 2.4 * (screw.diameter_mm / 2 + 2.0)]
    assert inside(bone, case.grid, past_entry).all()
    to_faces = np.minimum(past_entry[:, 0] - 42.0, 64.0 - past_entry[:, 0])
    assert to_faces.min() >= screw.diameter_mm / 2 + 2.0 - 1.0  # a voxel of 2 mm knows a face to 1 mm
    assert min(abs(screw.length_mm - length) for length in device(screw.device).lengths_mm) < 1e-6


# shows: R90
def test_probes_are_parallel_and_rightly_spaced(planned):
    probes = planned.step("cryoablation-1").placements
    assert len(probes) >= 2
    for one in probes:
        gaps = [np.linalg.norm(np.cross(np.subtract(one.target_lps_mm, other.target_lps_mm), one.axis.direction))
                for other in probes if other is not one]  # fmt: skip
        assert 10.0 - 1e-6 <= min(gaps) <= 20.0 + 1e-6
        assert all(abs(one.axis.direction @ other.axis.direction) > np.cos(np.radians(15)) for other in probes)


def test_without_a_predictor_the_coverage_is_called_a_score(planned):
    checks = [check for check in planned.step("cryoablation-1").checks if check.name.startswith("coverage_planned")]
    assert checks and all("not a temperature" in check.message for check in checks)


# shows: R72, R95
def test_cement_lies_in_bone_beside_both_ends_of_the_screw(case, planned):
    screw = planned.step("screw-1").placements[0]
    deposits = [item for item in planned.step("cement-1").placements if item.role == "cement"]
    assert [item.name for item in deposits] == ["cement-head", "cement-tip"]
    middle = screw.axis.at(screw.length_mm / 2)
    for item, end in zip(deposits, (screw.entry_lps_mm, screw.target_lps_mm), strict=True):
        assert inside(case.structure("hip_left").inside, case.grid, [item.target_lps_mm]).all()
        assert np.linalg.norm(np.subtract(item.target_lps_mm, end)) < np.linalg.norm(
            np.subtract(item.target_lps_mm, middle)
        )
        assert 0.0 < item.volume_ml <= 5.0


def test_a_mirrored_case_gives_the_mirrored_plan(planned, mirror_image, proposal):
    other = plan(mirror_image, proposal)
    for left, right in zip(planned.steps, other.steps, strict=True):
        assert len(left.placements) == len(right.placements)
        for one, two in zip(left.placements, right.placements, strict=True):
            assert one.device == two.device
            for key in ("skin_lps_mm", "entry_lps_mm", "target_lps_mm"):
                assert np.allclose(np.multiply(getattr(one, key), (-1, 1, 1)), getattr(two, key), atol=1e-3), one.name


def test_the_same_case_gives_the_same_plan(case, planned, proposal):
    assert plan(case, proposal, seed=5) == planned


def test_every_rejection_reproduces(case, planned):
    obstacles = {item.name: item for item in inspector(case, "lesion_1").around.obstacles}
    radius = {"cryoprobe": 2.1 / 2, "biopsy needle (soft tissue)": 1.27 / 2}
    seen = 0
    for item in planned.rejected:
        tool = item.what.split(":")[0]
        if item.structure not in obstacles or tool not in radius:
            continue
        points = [tuple(float(v) for v in text.split(",")) for text in re.findall(r"\(([-\d., ]+)\)", item.what)]
        axis = Segment(start_lps_mm=points[0], end_lps_mm=points[1])
        value = obstacles[item.structure].clearance_mm(axis, radius[tool])
        assert value == pytest.approx(item.value_mm, abs=0.02)
        assert value < item.limit_mm
        seen += 1
    assert seen


def test_what_is_not_segmented_is_unknown_and_not_safe(no_nerve_no_vessel, proposal):
    found = plan(no_nerve_no_vessel, proposal)
    unknown = {check.name for check in found.all_checks() if check.verdict is Verdict.UNKNOWN}
    assert {"nerve_clearance", "vessel_clearance"} <= unknown
    assert not [check for check in found.all_checks() if check.name == "nerve_clearance" and check.value is not None]


# shows: R54, R100
def test_a_protected_nerve_stays_warm_with_one_probe_away_from_it(case, spared):
    step = spared.step("cryoablation-1")
    (probe,) = step.placements
    assert probe.device == "cryoprobe-17g-icesphere"
    assert nerve_distance(case, envelope(probe)).min() >= 10.0 - 0.1
    (forecast,) = cold_line(case)(case, (step,), spacing_mm=3.0, embolized=NOT_EMBOLIZED)
    assert forecast.exposures["sciatic_nerve_left"] >= 10.0
    assert any("Partial coverage" in note.en for note in step.notes)


# shows: R55
def test_a_nerve_that_would_freeze_gets_a_gentler_protocol_or_fails(case, protected_proposal):
    ablation_only = replace(protected_proposal, sequence=protected_proposal.sequence[:3])
    colder = plan(case, ablation_only, predictor=cold_line(case, degC_per_mm=2.6)).step("cryoablation-1")
    usual = plan(case, ablation_only, predictor=cold_line(case)).step("cryoablation-1")
    strength = [sum(p.duration_s * (p.setting or 0) for p in step.protocol) for step in (colder, usual)]
    assert strength[0] < strength[1]
    frozen = plan(case, ablation_only, predictor=cold_line(case, degC_per_mm=0.01)).step("cryoablation-1")
    assert "nerve_minimum_temperature_planned" in {check.name for check in frozen.failed}


# shows: R101
def test_mounted_screws_keep_their_distance_and_follow_their_trocar(spared):
    screws = [item for step in spared.of(Technique.SCREW) for item in step.placements if item.role == "screw"]
    for screw in screws:
        number = screw.name.split("-")[1]
        trocar = next(item for item in spared.step(f"cement-{number}").placements if item.role == "trocar")
        assert np.allclose(trocar.axis.direction, screw.axis.direction, atol=1e-6)
        assert trocar.length_mm <= max(device("trocar-8g").lengths_mm) - 20.0 + 1e-6
    gaps = [check for check in spared.checks if check.name == "implant_gap"]
    assert all(check.value >= 2.0 for check in gaps) and (len(screws) < 2 or gaps)


def test_two_screws_and_the_trocars_of_their_cement_do_not_meet(case, two_screws):
    made = plan(case, two_screws, predictor=cold_line(case))
    solid = [
        item
        for step in (*made.of(Technique.SCREW), *made.of(Technique.CEMENT))
        for item in step.placements
        if item.role in ("screw", "trocar")
    ]
    assert [item.role for item in solid].count("screw") == 2 and [item.role for item in solid].count("trocar") >= 3
    for number, one in enumerate(solid):
        for other in solid[number + 1 :]:
            points = one.axis.at(np.linspace(0.0, one.axis.length_mm, 2000))
            apart = other.axis.distance_mm(points).min() - (one.diameter_mm + other.diameter_mm) / 2
            assert apart >= limit("implant_gap_mm").value - 0.05, (one.name, other.name)
    assert all(check.verdict is Verdict.PASS for check in made.checks if check.name == "implant_gap")
    if [item.role for item in solid].count(
        "trocar"
    ) < 4:  # in this narrow plate one end has no room left, and it is said
        assert "implant_gap" in {item.constraint for item in made.rejected}


def test_unmeasured_lumens_are_unknown(spared):
    lumens = [check for check in spared.all_checks() if check.name in ("wire_through_trocar", "wire_through_screw")]
    assert lumens and all(check.verdict is Verdict.UNKNOWN for check in lumens)


def test_a_broken_hard_order_fails(planned, proposal):
    wrong = (*planned.steps[1:], planned.steps[0])
    failed = {check.name for check in order_checks(wrong, proposal) if check.verdict is Verdict.FAIL}
    assert failed == {"order_e4"}
    assert all(check.verdict is Verdict.PASS for check in order_checks(planned.steps, proposal))


def test_a_probe_moved_by_hand_through_the_nerve_fails(case, planned):
    inspect = inspector(case, "lesion_1")
    probe = planned.step("cryoablation-1").placements[0]
    x, y, z = case.structure("sciatic_nerve_left").centerline_lps_mm[1]
    moved = replace(probe, skin_lps_mm=(x, y + 60, z), entry_lps_mm=(x, y + 60, z), target_lps_mm=(x, y - 10, z))
    failed = {
        (check.name, check.subject) for check in placement_checks(inspect, moved) if check.verdict is Verdict.FAIL
    }
    assert ("nerve_clearance", "sciatic_nerve_left") in failed


def test_rechecking_an_unchanged_plan_changes_nothing_that_was_measured(case, planned):
    again = recheck(case, planned)
    for before, after in zip(planned.steps, again.steps, strict=True):
        assert set(before.checks) == set(after.checks)


def test_complication_risks_are_information(planned):
    risks = {check.name: check for check in planned.checks if check.name.startswith("risk_")}
    assert risks["risk_age_over_70"].verdict is Verdict.WARN
    assert "odds ratio" in risks["risk_age_over_70"].message


def test_no_position_is_a_planning_error(case, proposal):
    clinical = replace(case.clinical, patient=Patient(positions_tolerated=()))
    with pytest.raises(PlanningError, match="no position"):
        plan(replace(case, clinical=clinical), proposal)


def test_a_tumor_behind_a_shell_of_bowel_ends_naming_it(case, proposal):
    lesion, colon = case.structure("lesion_1"), case.structure("colon")
    shell = binary_dilation(lesion.inside, iterations=5) & ~binary_dilation(lesion.inside, iterations=2)
    enclosed = tuple(replace(item, inside=item.inside | shell) if item is colon else item for item in case.structures)
    only_needles = replace(proposal, sequence=proposal.sequence[:2])
    with pytest.raises(PlanningError, match="colon"):
        plan(replace(case, structures=enclosed), only_needles)
