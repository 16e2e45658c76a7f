"""The control CT shows what its truth says, and a mirrored case is its mirror image."""

import numpy as np
import pytest
from scipy import ndimage

from trocar import phantoms
from trocar.imaging.resample import resample, sample
from trocar.model.case import Case, Side
from trocar.model.space import Array, Grid, Volume, as_matrix4, as_vector
from trocar.model.treatment import Placement
from trocar.phantoms.control_ct import water_frac


def _probe(case: Case) -> Placement:
    center = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside).mean(axis=0))
    return Placement(
        device="cryoprobe-14g-iceforce",
        role="probe",
        name="probe-1",
        entry_lps_mm=as_vector(np.add(center, (40, 0, 0))),
        target_lps_mm=as_vector(np.subtract(center, (15, 0, 0))),
        skin_lps_mm=as_vector(np.add(center, (55, 0, 0))),
        length_mm=55.0,
        diameter_mm=3.4,
    )


def _ice(case: Case) -> Volume:
    grid = case.grid
    center = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside).mean(axis=0))
    points = grid.to_lps(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1))
    ball = np.linalg.norm(points - center, axis=-1) < 26
    return Volume(grid=grid, values=ball.astype(np.float32), unit="1")


@pytest.fixture(scope="module")
def controlled(ilium: Case) -> "phantoms.Control":
    return phantoms.control(ilium, [_probe(ilium)], seed=3)


def _back(values: Volume, control_from_plan: Array, plan: Grid) -> Array:
    """The control on the planning grid, by the given transform."""
    carried = Grid(shape=plan.shape, lps_from_ijk=as_matrix4(control_from_plan @ plan.matrix))
    real = Volume(grid=values.grid, values=values.values.astype(np.float32), unit="HU")
    return resample(real, carried, outside=-1000.0).values


def test_the_truth_brings_the_control_back_onto_the_plan(ilium: Case, controlled: "phantoms.Control") -> None:
    bone = ndimage.binary_dilation(ilium.structure("hip_right").inside, iterations=2)
    bone[:, :, :14] = bone[:, :, -14:] = False
    there = ilium.ct.values[bone].astype(float)
    true, none = (
        np.corrcoef(there, _back(controlled.case.ct, matrix, ilium.grid)[bone])[0, 1]
        for matrix in (np.asarray(controlled.control_from_plan), np.eye(4))
    )
    assert true > 0.92  # interpolated twice
    assert none < true - 0.15


def test_the_patient_has_moved_rigidly(controlled: "phantoms.Control") -> None:
    matrix = np.asarray(controlled.control_from_plan)
    assert np.allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-9)
    assert np.degrees(np.arccos((np.trace(matrix[:3, :3]) - 1) / 2)) == pytest.approx(2.5, abs=1e-6)


def test_the_control_has_its_own_grid_and_no_structures(ilium: Case, controlled: "phantoms.Control") -> None:
    assert not controlled.case.structures
    assert not controlled.case.grid.matches(ilium.grid)
    assert controlled.case.acquired == ilium.clinical.decision.planned_date


def test_the_probe_lies_where_the_truth_says(controlled: "phantoms.Control") -> None:
    placed = controlled.placed_in_control[0]
    line = placed.axis.at(np.linspace(5, placed.length_mm - 5, 30))
    seen = sample(controlled.case.ct.values.astype(np.float32), controlled.case.grid, line, outside=-1000.0)
    assert seen.min() > 1500
    beyond = placed.axis.at(np.array([placed.length_mm + 8]))
    assert sample(controlled.case.ct.values.astype(np.float32), controlled.case.grid, beyond, outside=0.0)[0] < 500


def test_placements_are_off_their_plan_and_agree_between_frames(controlled: "phantoms.Control") -> None:
    planned, plan, control = controlled.planned[0], controlled.placed_in_plan[0], controlled.placed_in_control[0]
    error = np.linalg.norm(np.subtract(plan.target_lps_mm, planned.target_lps_mm))
    assert 0 < error < 6
    matrix = np.asarray(controlled.control_from_plan)
    assert np.allclose(matrix[:3, :3] @ plan.target_lps_mm + matrix[:3, 3], control.target_lps_mm)
    assert plan.length_mm == pytest.approx(control.axis.length_mm)


def test_ice_darkens_tissue_by_its_water(ilium: Case) -> None:
    ice = _ice(ilium)
    frozen, free = (phantoms.control(ilium, (), given, seed=5, noise_HU=0.0) for given in (ice, None))
    drop = _back(frozen.case.ct, np.asarray(frozen.control_from_plan), ilium.grid) - _back(
        free.case.ct, np.asarray(free.control_from_plan), ilium.grid
    )
    core = ndimage.binary_erosion(ice.values > 0.5, iterations=3)
    tumor = core & ndimage.binary_erosion(ilium.structure("lesion_1").inside, iterations=3)
    assert drop[tumor].mean() == pytest.approx(-67, abs=4)
    assert np.abs(drop[~ndimage.binary_dilation(ice.values > 0.5, iterations=4)]).max() <= 1.0


def test_water_follows_the_tissues() -> None:
    tissues_HU = {"fat": -100.0, "muscle": 55.0, "marrow": 200.0, "cortex": 1200.0, "gas": -900.0}
    water = dict(zip(tissues_HU, water_frac(np.array(list(tissues_HU.values()))), strict=True))
    drops = {name: 83 * float(value) for name, value in water.items()}
    assert drops == pytest.approx({"fat": 11, "muscle": 67, "marrow": 26, "cortex": 17, "gas": 0}, abs=3)


def test_same_seed_same_control(coarse: Case) -> None:
    first, again, other = (phantoms.control(coarse, (), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.case.ct.values, again.case.ct.values)
    assert first.control_from_plan != other.control_from_plan


def test_a_mirrored_case_has_left_and_right_exchanged(coarse: Case) -> None:
    mirror = phantoms.mirrored(coarse)
    sides = (mirror.clinical.decision.side, mirror.context("lesion_1").side, mirror.structure("lesion_1").side)
    assert set(sides) == {Side.RIGHT}
    before = coarse.grid.to_lps(np.argwhere(coarse.structure("lesion_1").inside)).mean(axis=0)
    after = mirror.grid.to_lps(np.argwhere(mirror.structure("lesion_1").inside)).mean(axis=0)
    assert after == pytest.approx(before * (-1, 1, 1))
    nerve, image = coarse.structure("femoral_nerve_left"), mirror.structure("femoral_nerve_right")
    assert np.asarray(image.centerline_lps_mm) == pytest.approx(np.asarray(nerve.centerline_lps_mm) * (-1, 1, 1))
    point = np.array([[100.0, 10.0, 70.0]])
    assert sample(mirror.ct.values, mirror.grid, point * (-1, 1, 1), outside=0) == pytest.approx(
        sample(coarse.ct.values, coarse.grid, point, outside=0), abs=1
    )


def test_mirrored_twice_is_the_same_case(coarse: Case) -> None:
    twice = phantoms.mirrored(phantoms.mirrored(coarse))
    assert twice.grid.matches(coarse.grid)
    assert np.array_equal(twice.ct.values, coarse.ct.values)
    assert [s.name for s in twice.structures] == [s.name for s in coarse.structures]
    assert twice.clinical == coarse.clinical
