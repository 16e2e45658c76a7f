"""The whole pelvic ring: joints found from the bones' labels, loads that its supports bear, a side that mirrors."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from strength_case import SCALE, bead, block_case, plan_of, ring_case

from trocar.assessment.joints import joint_modulus
from trocar.assessment.solving import Tally
from trocar.assessment.specimen import Specimen
from trocar.assessment.strength import strength
from trocar.assessment.supports import load_on_nodes
from trocar.catalog.mechanics import mechanics
from trocar.errors import CaseError
from trocar.model.case import Side

SACROILIAC_MPa, SYMPHYSIS_MPa = 150.0, 5.0


def test_joints_are_the_layers_between_the_bones():
    case = ring_case()
    found = joint_modulus(case)
    at = case.grid.to_lps(np.argwhere(found > 0))
    every = np.logical_or.reduce([case.structure(name).inside for name in ("hip_left", "hip_right", "sacrum")])
    assert not (every & (found > 0)).any()
    assert set(np.unique(found)) == {0.0, SYMPHYSIS_MPa, SACROILIAC_MPa}
    front = case.grid.to_lps(np.argwhere(found == SYMPHYSIS_MPa))
    assert np.abs(front[:, 0]).max() < 4 and front[:, 1].max() < 0
    behind = at[at[:, 1] > 10]
    assert (behind[:, 0] > 0).sum() == (behind[:, 0] < 0).sum() > 100


def test_labels_that_touch_still_have_a_joint_between_them():
    found = joint_modulus(ring_case(gap_mm=0.0))
    assert (found == SACROILIAC_MPa).sum() > 100


def test_a_ring_without_a_bone_or_a_joint_is_refused():
    case = ring_case()
    without = replace(case, structures=tuple(item for item in case.structures if item.name != "hip_right"))
    with pytest.raises(CaseError, match="lacks hip_right"):
        joint_modulus(without)
    apart = replace(
        case,
        structures=tuple(
            replace(item, inside=np.roll(item.inside, -14, axis=1)) if item.name == "sacrum" else item
            for item in ring_case(gap_mm=14.0).structures
        ),
    )
    with pytest.raises(CaseError, match="no joint"):
        joint_modulus(apart)
    with pytest.raises(CaseError, match="lacks"):
        strength(block_case(), plan_of(), scale=SCALE, ring=True)


@cache
def rings():
    plan = plan_of(bead((40.0, 4.0, 2.0), 2.0))
    mirrored = plan_of(bead((-40.0, 4.0, 2.0), 2.0))
    return tuple(
        strength(
            ring_case(side), made, scale=SCALE, spacing_mm=3.5, ring=True
        )  # divides the lattice, so that it mirrors
        for side, made in ((Side.LEFT, plan), (Side.RIGHT, mirrored))
    )


def test_the_ring_bears_its_loads_and_says_what_it_is():
    found, _ = rings()
    assert found.site == "ring" and found.bone == "hip_left"
    assert found.loads == ("walking", "stairs", "two_legs")
    assert found.worst_imbalance_frac < 1e-2
    assert "joints_elastic_bonded" in found.caveats and "neighboring_bones_rigid" not in found.caveats
    for load in found.loads:
        assert found.row("intact_estimate", load).stiffness_against_before.low_frac >= 1.0
        assert found.row("cement", load).stiffness_against_before.low_frac >= 0.999


def test_a_mirrored_ring_mirrors():
    for one, other in zip(rings()[0].rows, rings()[1].rows, strict=True):
        assert (one.state, one.load) == (other.state, other.load)
        assert one.bone.median_frac == pytest.approx(other.bone.median_frac, rel=2e-3)


def test_two_legs_push_both_sides_alike_and_one_leg_its_own():
    specimen = Specimen.of(ring_case(), plan_of(), spacing_mm=4.0, ring=True)
    bench = specimen.bench(specimen.middle(SCALE, Tally())[1])
    loads = {load.id: load for load in mechanics().loads_of("ring")}
    nodes = bench.grid.to_lps(np.moveaxis(np.indices([n + 1 for n in bench.grid.shape]), 0, -1) - 0.5)
    both = load_on_nodes(bench, loads["two_legs"], 70.0)
    left, right = (both[nodes[..., 0] * sign > 0].sum(axis=0) for sign in (1, -1))
    assert left[2] == pytest.approx(0.34 * 70 * 9.81, rel=1e-6) and right[2] == pytest.approx(left[2], rel=1e-6)
    one = load_on_nodes(bench, loads["walking"], 70.0)
    assert np.abs(one[nodes[..., 0] < 0]).max() == 0 and np.abs(one).max() > 0
