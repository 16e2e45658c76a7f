"""Load-to-strength ratios: what must hold whatever the laws are."""

from functools import cache

import numpy as np
import pytest
from strength_case import SCALE, bead, block_case, femur_case, hip_case, plan_of, processes_case, screw

from trocar.assessment.holding import decay_length_mm, pull_out_N, screw_hold
from trocar.assessment.strength import strength
from trocar.assessment.supports import Bench, held_voxels, load_on_nodes
from trocar.catalog.mechanics import mechanics
from trocar.errors import CaseError
from trocar.model.case import Side
from trocar.model.finding import Verdict

ACROSS = screw((-20.0, 0.0, 0.0), (22.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def found():
    return strength(block_case(), plan_of(bead((6.0, 0.0, 0.0), 2.5), ACROSS), scale=SCALE)


def test_every_state_is_compared_under_every_load_of_the_site(found):
    assert found.site == "vertebra" and found.loads == ("compression", "flexion", "torsion", "shear")
    states = {row.state for row in found.rows}
    assert states == {"intact_estimate", "before", "cement", "screws", "planned"}
    assert len(found.rows) == 20
    assert found.worst_residual_frac <= 5e-3 and found.worst_imbalance_frac < 1e-3


def test_a_lesion_weakens_and_treatment_never_softens(found):
    for load in found.loads:
        intact, before = found.row("intact_estimate", load), found.row("before", load)
        assert before.bone.low_frac > 0
        assert intact.stiffness_against_before.low_frac > 1.0
        assert before.against_before.low_frac == before.against_before.high_frac == 1.0
        for state in ("cement", "screws", "planned"):
            assert found.row(state, load).stiffness_against_before.low_frac >= 1.0
        planned = found.row("planned", load).stiffness_against_before
        assert planned.low_frac >= found.row("cement", load).stiffness_against_before.low_frac


def test_ratios_agree_more_than_absolute_figures(found):
    row = found.row("cement", "compression")
    assert row.against_before.high_frac / row.against_before.low_frac < row.bone.high_frac / row.bone.low_frac


def test_it_says_what_it_is_not(found):
    assert {"strength_not_validated_here", "bonded_linear_no_interface_opening", "load_prior"} <= set(found.caveats)
    assert all(check.source == "software default" for check in found.checks)


def test_a_mirrored_lesion_mirrors():
    left, right = (  # 2.5 mm divide the block's lattice, so that it mirrors
        strength(block_case((x, 0.0, 0.0)), plan_of(bead((x, 0.0, 0.0), 1.0)), scale=SCALE, spacing_mm=2.5)
        for x in (6.0, -6.0)
    )
    for one, other in zip(left.rows, right.rows, strict=True):
        assert one.bone.median_frac == pytest.approx(other.bone.median_frac, rel=0.02)
        if one.stiffness_against_before is not None:
            assert one.stiffness_against_before.median_frac == pytest.approx(
                other.stiffness_against_before.median_frac, rel=0.01
            )


@pytest.mark.parametrize("load", ["walking", "two_legs", "sit_to_stand", "torsion", "shear"])
def test_a_mirrored_pelvis_mirrors_loads_supports_and_ratios(load):
    left, right = mirrored_hips()
    one, other = left.row("intact_estimate", load), right.row("intact_estimate", load)
    assert one.bone.median_frac == pytest.approx(other.bone.median_frac, rel=1e-3)
    gain, mirrored = one.stiffness_against_before, other.stiffness_against_before
    assert gain.median_frac == pytest.approx(mirrored.median_frac, rel=1e-3)
    assert left.worst_imbalance_frac < 1e-3


@cache
def mirrored_hips():
    return tuple(strength(hip_case(side), plan_of(), scale=SCALE) for side in (Side.LEFT, Side.RIGHT))


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_fall_presses_the_head_onto_the_trochanter_from_the_side_and_from_behind(side):
    case = femur_case(side)
    outward = -1.0 if side is Side.RIGHT else 1.0
    bench = Bench(
        case=case, grid=case.grid, voxels=case.structure(f"femur_{side.value}").inside, site="femur", side=side
    )
    loads = {load.id: load for load in mechanics().loads_of("femur")}
    force = load_on_nodes(bench, loads["fall"], 70.0).sum(axis=(0, 1, 2)) / (70.0 * 9.81)
    assert force == pytest.approx([outward * 4.76, 1.27, -0.87], rel=1e-6)
    held, sideways = held_voxels(bench, loads["fall"])
    shaft, _ = held_voxels(bench, loads["walking"])
    assert not sideways.any() and (held & shaft == shaft).all()
    ground = case.grid.to_lps(np.argwhere(held & ~shaft)) * [outward, 1, 1]
    assert len(ground) and ground[:, 0].min() > 8 and ground[:, 1].mean() > 0 and ground[:, 2].min() > -20


def test_mirrored_femora_are_loaded_alike():
    left, right = (strength(femur_case(side), plan_of(), scale=SCALE) for side in (Side.LEFT, Side.RIGHT))
    assert left.loads == ("walking", "stairs", "fall", "torsion", "shear")
    for load in left.loads:
        one, other = (each.row("before", load) for each in (left, right))
        assert one.bone.median_frac == pytest.approx(other.bone.median_frac, rel=1e-3)
    assert left.worst_imbalance_frac < 1e-3


def test_every_site_has_torsion_and_shear_that_only_compare_constructs():
    for site in ("pelvis", "sacrum", "vertebra", "femur"):
        loads = mechanics().loads_of(site)
        assert {load.id for load in loads if load.compares} == {"torsion", "shear"}
        assert any(load.is_activity for load in loads)
        assert not any(load.is_activity for load in loads if load.compares or load.id == "fall")


def test_a_vertebra_is_loaded_on_its_body_not_on_the_processes_that_reach_beyond():
    case = processes_case()
    bone = case.structure("vertebrae_L3").inside
    bench = Bench(case=case, grid=case.grid, voxels=bone, site="vertebra", side=None)
    front = case.grid.to_lps(np.moveaxis(np.indices(case.grid.shape), 0, -1))[..., 1] < 20.0
    for upper, plane_mm in ((True, 12.0), (False, -12.0)):
        plate = bench.endplate(upper=upper)
        assert plate.any() and front[plate].all()
        heights = case.grid.to_lps(np.argwhere(plate))[:, 2]
        assert np.abs(heights - plane_mm).max() <= 4.0


def test_an_unknown_weight_is_never_a_pass():
    found = strength(block_case(weight_kg=None), plan_of(), scale=SCALE, spacing_mm=3.0)
    assert "weight_unknown_70_kg_taken" in found.caveats
    assert {check.verdict for check in found.checks} == {Verdict.UNKNOWN}


def test_a_softened_rim_is_a_scenario_that_must_be_asked_for():
    plain = strength(block_case(), plan_of(), scale=SCALE, spacing_mm=3.0)
    assert "ablated" not in {row.state for row in plain.rows}
    weak = strength(block_case(), plan_of(), scale=SCALE, spacing_mm=3.0, ablated_frac=0.5)
    assert weak.row("ablated", "compression").stiffness_against_before.high_frac < 1.0


def test_a_lesion_without_a_bone_is_refused():
    case = block_case(center=(0.0, 0.0, 0.0), radius_mm=4.0)
    bare = case.structures[:1]
    with pytest.raises(CaseError, match="no bone holds"):
        strength(
            type(case)(case_id="bare", ct=case.ct, structures=bare, contrast_enhanced=False), plan_of(), scale=SCALE
        )


# --- closed forms


def test_pull_out_is_chapmans():
    """The reference's own example, and what the abstract says of the shape factor.

    Not shown: the published slope (1.05, R2 0.947, twelve screws). It compares measured forces with this formula's; the
    twelve diameters, depths, pitches and lengths, the foams' shear strengths and the forces are in the paper's tables,
    which neither the reference nor any text that could be read holds. Its abstract alone was read.
    """
    assert pull_out_N(3.0, 16.0, 6.5, cannulated=False) == pytest.approx(665, rel=0.01)
    assert pull_out_N(3.0, 32.0, 6.5, cannulated=False) == pytest.approx(1330, rel=0.01)
    assert pull_out_N(3.0, 16.0, 6.5) == pytest.approx(0.83 * 665, rel=0.01)
    plain = pull_out_N(3.0, 16.0, 6.5)
    assert pull_out_N(3.0, 16.0, 6.5, pitch_mm=2.0) > plain > pull_out_N(3.0, 16.0, 6.5, depth_mm=0.5)
    for double in ((6.0, 16.0, 6.5), (3.0, 32.0, 6.5), (3.0, 16.0, 13.0)):
        assert pull_out_N(*double) == pytest.approx(2 * plain)


@pytest.mark.parametrize(
    ("diameter_mm", "modulus_MPa", "decay_mm"),
    [(6.5, 50, 35), (6.5, 300, 22), (6.5, 1000, 16), (4.0, 50, 22), (4.0, 300, 13.5), (4.0, 1000, 9.7)],
)
def test_a_screw_bends_into_bone_as_far_as_vesics_foundation_says(diameter_mm, modulus_MPa, decay_mm):
    assert decay_length_mm(modulus_MPa, diameter_mm, steel_GPa=110.0) == pytest.approx(decay_mm, rel=0.05)


def test_a_longer_anchor_never_weakens_and_tumor_does_not_hold():
    case, law = block_case(), mechanics().laws_of("vertebra")[0]
    bone, lesion = case.structure("vertebrae_L3").inside, case.structure("lesion_1").inside
    holds = [
        screw_hold(case, screw((-22.0, y, 0.0), (end, y, 0.0)), bone, lesion, law, SCALE, cemented=False)
        for y, end in ((12.0, -12.0), (12.0, 0.0), (12.0, 12.0))
    ]
    forces = [hold.pull_out_N for hold in holds]
    assert forces == sorted(forces) and holds[0].anchored_mm < holds[2].anchored_mm
    through = screw_hold(case, screw((-22.0, 0.0, 0.0), (12.0, 0.0, 0.0)), bone, lesion, law, SCALE, cemented=False)
    assert through.anchored_mm < holds[2].anchored_mm - 10
    assert through.pull_out_N < holds[2].pull_out_N
    assert np.isfinite(through.decay_length_mm)
    spongy = mechanics().thread.shear_per_compression_frac * float(law.strength_MPa(SCALE(np.array([180.0])))[0])
    inner = screw_hold(case, screw((-20.0, 12.0, 0.0), (20.0, 12.0, 0.0)), bone, lesion, law, SCALE, cemented=True)
    assert inner.pull_out_N == pytest.approx(pull_out_N(spongy, 32.0, 6.5), rel=0.05)
    assert inner.pull_out_full_thread_N == pytest.approx(pull_out_N(spongy, 40.0, 6.5), rel=0.05)
    collared = pull_out_N(spongy, 17.0, 6.5) + spongy * np.pi * 15.0**2
    assert inner.pull_out_cemented_N == pytest.approx(collared, rel=0.05)
