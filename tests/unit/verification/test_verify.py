"""Verification of synthetic controls whose truth is known: probes, ice, margins and the plan as placed."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from trocar.errors import CaseError
from trocar.imaging.register import register_bone
from trocar.imaging.resample import resample
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Simulation, Verdict
from trocar.model.space import Grid, Segment, Volume, as_matrix4, as_vector
from trocar.model.treatment import Duration, Placement, Plan, Step, Technique
from trocar.verification.devices import find_probes, match_probes
from trocar.verification.verify import verify

ICE_MM = 17.0


def grid_points(grid):
    return grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))


def probe(name, tip, direction, *, length_mm=60.0):
    way = np.asarray(direction) / np.linalg.norm(direction)
    entry = np.asarray(tip) - length_mm * way
    return Placement(
        device="cryoprobe-17g-generic",
        role="probe",
        name=name,
        entry_lps_mm=as_vector(entry),
        target_lps_mm=as_vector(tip),
        skin_lps_mm=as_vector(entry + 20 * way),
        length_mm=length_mm,
        diameter_mm=1.6,
    )


def with_metal(values, grid, probes):
    """Probes as flat-ended cylinders, rendered finely, blurred and cut at the scanner's end of scale."""
    points = grid_points(grid)
    metal = np.zeros(grid.shape, dtype=np.float32)
    for placed in probes:
        axis = placed.axis
        offset = points - np.asarray(placed.target_lps_mm)
        depth = offset @ axis.direction
        across = np.linalg.norm(offset - depth[..., None] * axis.direction, axis=-1)
        step = float(grid.spacing_mm.mean())
        end = np.clip(0.5 - depth / step, 0, 1) * np.clip(0.5 + (depth + axis.length_mm) / step, 0, 1)
        metal = np.maximum(metal, np.clip(0.5 - (across - 0.8) / step, 0, 1) * end)
    metal = ndimage.gaussian_filter(metal, 0.6 / grid.spacing_mm)
    return np.minimum(values + 12000 * metal, 3071).astype(np.float32)


PLANNED = (probe("probe-1", (14, -6, 5), (-1, 0.2, 0.1)), probe("probe-2", (14, 8, -5), (-1, 0.2, 0.1)))
PLACED = (probe("probe-1", (12, -4.6, 6.1), (-1, 0.15, 0.12)), probe("probe-2", (15.2, 9, -6), (-1, 0.24, 0.05)))


@pytest.fixture(scope="module")
def case():
    """A curved plate of bone with a lytic lesion beside it, in soft tissue."""
    grid = Grid.aligned(origin_lps_mm=(-54, -54, -48), spacing_mm=(1.5, 1.5, 2), shape=(84, 73, 49))
    x, y, z = np.moveaxis(grid_points(grid), -1, 0)
    bone = (np.abs(x + 6 - 0.006 * y**2 + 0.15 * z) < 6) & (np.hypot(y, z) < 40)
    bone |= np.hypot(np.hypot(x + 16, y - 20), z + 12) < 11
    lesion = np.linalg.norm(np.stack([x - 12, y, z], -1), axis=-1) < 12
    values = np.where((np.abs(x) < 66) & (np.abs(y) < 50), 55.0, -1000.0)
    marrow = ndimage.binary_erosion(bone)
    values = np.where(bone, np.where(marrow, 250, 900), values)
    values = np.where(lesion, 45, values)
    values = ndimage.gaussian_filter(values, 0.5) + np.random.default_rng(0).normal(scale=6, size=grid.shape)
    return Case(
        case_id="plate",
        ct=Volume(grid=grid, values=values.astype(np.float32), unit="HU"),
        structures=(
            Structure(name="lesion_1", role=Role.LESION, inside=lesion),
            Structure(name="hip_left", role=Role.BONE, inside=bone | (lesion & (x < 6))),
        ),
    )


@pytest.fixture(scope="module")
def plan():
    step = Step(
        id="cryoablation-1",
        technique=Technique.CRYOABLATION,
        action="ABLATE",
        lesion="lesion_1",
        duration_min=Duration(low=1, typical=2, high=3),
        placements=PLANNED,
    )
    return Plan(lesion="lesion_1", steps=(step,))


def control_of(case, probes, *, ice_mm=ICE_MM):
    """(control case, control_from_plan): ice as a ball at the lesion, probes in, patient moved, another grid."""
    control_from_plan = np.eye(4)
    control_from_plan[:3, :3] = Rotation.from_euler("xyz", (3, -4, 5), degrees=True).as_matrix()
    control_from_plan[:3, 3] = (6, -4, 9)
    points = grid_points(case.grid)
    frozen = np.linalg.norm(points - np.array([12, 0, 0]), axis=-1) < ice_mm
    soft = (case.ct.values > -100) & (case.ct.values < 150)
    values = with_metal(case.ct.values - 68.0 * (frozen & soft), case.grid, probes)
    carried = Grid(shape=case.grid.shape, lps_from_ijk=as_matrix4(control_from_plan @ case.grid.matrix))
    grid = Grid.aligned(origin_lps_mm=(-50, -60, -36), spacing_mm=(1.5, 1.5, 2), shape=(84, 76, 49))
    moved = resample(Volume(grid=carried, values=values, unit="HU"), grid, outside=-1000.0).values
    noise = np.random.default_rng(5).normal(scale=6, size=grid.shape)
    scan = Volume(grid=grid, values=(moved + noise).astype(np.float32), unit="HU")
    return Case(case_id="control", ct=scan, structures=()), control_from_plan


@pytest.fixture(scope="module")
def truth(case):
    return control_of(case, PLACED)


@pytest.fixture(scope="module")
def predicted(case):
    """A simulation that foretold the ice exactly: 2 degrees per millimeter."""
    distance = np.linalg.norm(grid_points(case.grid) - np.array([12, 0, 0]), axis=-1) - ICE_MM
    field = Volume(grid=case.grid, values=np.clip(2 * distance, -100, 37).astype(np.float32), unit="degC")
    return Simulation(states=(), fields={"cryoablation-1/minimum_degC": field})


@pytest.fixture(scope="module")
def verification(case, plan, truth, predicted):
    return verify(case, plan, truth[0], simulation=predicted)


def test_the_motion_is_recovered(case, verification, truth):
    found, true = np.array(verification.registration.control_from_plan), truth[1]
    points = np.array([[12, 0, 0], [0, 20, 10], [20, -20, -10]])
    errors = np.linalg.norm(points @ (found - true)[:3, :3].T + (found - true)[:3, 3], axis=1)
    assert errors.max() < 0.6
    assert verification.registration.residual_mm < 1.0


def test_probes_are_found_where_they_are(verification):
    assert [error.name for error in verification.placements] == ["probe-1", "probe-2"]
    for error, true in zip(verification.placements, PLACED, strict=True):
        tip_error = np.linalg.norm(np.subtract(error.found.target_lps_mm, true.target_lps_mm))
        assert tip_error < 1.0
        axis = Segment(start_lps_mm=error.found.entry_lps_mm, end_lps_mm=error.found.target_lps_mm)
        assert np.degrees(np.arccos(min(1.0, axis.direction @ true.axis.direction))) < 0.7
        assert axis.length_mm == pytest.approx(60.0)
    for error, planned, true in zip(verification.placements, PLANNED, PLACED, strict=True):
        expected = np.linalg.norm(np.subtract(true.target_lps_mm, planned.target_lps_mm))
        assert error.tip_error_mm == pytest.approx(expected, abs=1.0)


def test_the_plan_as_placed_holds_the_found_probes(plan, verification):
    placed = verification.as_placed.step("cryoablation-1").placements
    for placement, error, planned in zip(placed, verification.placements, PLANNED, strict=True):
        assert placement.target_lps_mm == error.found.target_lps_mm
        assert placement.device == planned.device and placement.length_mm == planned.length_mm
        depth = np.linalg.norm(np.subtract(placement.target_lps_mm, placement.skin_lps_mm))
        assert depth == pytest.approx(40.0)
    assert plan.step("cryoablation-1").placements == PLANNED


def test_the_ice_is_seen_in_soft_tissue_only(case, verification):
    ice = verification.ice
    assert ice.dice_with_prediction > 0.9
    assert 0.5 < ice.visible_frac < 0.98
    seen = verification.fields["ice_seen"]
    bone = case.structure("hip_left").inside & ~case.structure("lesion_1").inside
    at = seen.grid.to_lps(np.argwhere(seen.values > 0.5))
    ijk = np.round(case.grid.to_ijk(at)).astype(int)
    assert not bone[tuple(ijk.T)].any()
    assert np.linalg.norm(at - np.array([12, 0, 0]), axis=1).max() < ICE_MM + 2.5


def test_margins_to_seen_and_simulated_ice(verification):
    margins = {margin.zone: margin for margin in verification.margins}
    assert margins["0_degC_simulated"].minimum_mm == pytest.approx(ICE_MM - 12, abs=0.6)
    assert margins["-20_degC_simulated"].minimum_mm == pytest.approx(ICE_MM - 10 - 12, abs=0.6)
    seen = margins["0_degC_seen"]
    assert 0 < seen.assessable_frac < 1
    assert seen.interval_mm[0] <= seen.minimum_mm <= seen.interval_mm[1]
    assert seen.minimum_mm == pytest.approx(ICE_MM - 12, abs=2.0)


def test_a_margin_over_part_of_the_surface_is_not_a_pass(verification):
    check = next(check for check in verification.checks if check.name == "ice_margin")
    assert check.verdict is not Verdict.PASS


def test_an_unknown_registration_leaves_every_margin_unknown(case, plan, truth, predicted, monkeypatch):
    def unsure(*given, **options):
        return replace(register_bone(*given, **options), residual_mm=None)

    monkeypatch.setattr(sys.modules["trocar.verification.verify"], "register_bone", unsure)
    found = verify(case, plan, truth[0], simulation=predicted)
    assert found.margins == ()
    (margin,) = [check for check in found.checks if check.name == "ice_margin"]
    assert margin.verdict is Verdict.UNKNOWN and margin.value is None


def test_probes_that_are_not_there_are_unknown(case, plan):
    bare, _ = control_of(case, ())
    found = verify(case, plan, bare)
    assert all(error.found is None and error.tip_error_mm is None for error in found.placements)
    tips = [check for check in found.checks if check.name == "tip_error"]
    assert len(tips) == 2 and all(check.verdict is Verdict.UNKNOWN for check in tips)
    assert found.as_placed.step("cryoablation-1").placements == PLANNED
    assert found.ice.visible_frac is None and found.ice.dice_with_prediction is None


def test_without_bone_there_is_nothing_to_register_on(case, plan, truth):
    bare = Case(case_id="bare", ct=case.ct, structures=case.structures[:1])
    with pytest.raises(CaseError):
        verify(bare, plan, truth[0])


def test_probes_that_cross_over_are_told_apart():
    """Matching is by the least sum: two probes swapped in order keep their names by place."""
    grid = Grid.aligned(origin_lps_mm=(-60, -40, -30), spacing_mm=(1, 1, 1.5), shape=(110, 80, 40))
    placed = (probe("a", (0, -8, 0), (1, 0, 0)), probe("b", (0, 6, 3), (1, 0.1, 0)))
    ct = Volume(grid=grid, values=with_metal(np.full(grid.shape, 40.0), grid, placed), unit="HU")
    planned = (probe("b", (1, 8, 2), (1, 0, 0)), probe("a", (-1, -6, 1), (1, 0, 0)))
    errors = match_probes(planned, find_probes(ct, planned))
    for error, true in zip(errors, placed[::-1], strict=True):
        assert error.name == true.name
        assert np.linalg.norm(np.subtract(error.found.target_lps_mm, true.target_lps_mm)) < 0.7


def test_left_and_right_of_the_control_are_told(verification):
    found = next(check for check in verification.checks if check.name == "control_not_mirrored")
    assert found.verdict is Verdict.PASS and found.value > found.limit


def test_the_planning_ct_is_no_control_of_itself(case, plan):
    found = verify(case, plan, Case(case_id="control", ct=case.ct, structures=()))
    same = next(check for check in found.checks if check.name == "control_is_another_image")
    assert same.verdict is Verdict.FAIL
