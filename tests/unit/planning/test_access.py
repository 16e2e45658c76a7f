"""Paths and their refusals, against plain numpy and against each other."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.catalog import limit
from trocar.imaging.rays import least, leave, through_mm
from trocar.imaging.resample import sample
from trocar.model.space import Grid, as_matrix4
from trocar.planning.access import instrument, search
from trocar.planning.directions import sphere
from trocar.planning.entrymap import entry_map
from trocar.planning.front import OBJECTIVES, front
from trocar.planning.guidance import Guidance, guidance
from trocar.planning.refusals import facing, regions
from trocar.planning.surroundings import surroundings

UP = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def around(case):
    return surroundings(case, case.lesions[0])


@pytest.fixture(scope="module")
def tool():
    return instrument("cryoprobe-17g-icesphere", "probe", what="cryoprobe")


@pytest.fixture(scope="module")
def paths(around, tool):
    return search(around, around.lesion_frame[0], tool, UP)


def test_rays_say_what_sampling_says():
    matrix = np.eye(4)
    matrix[:3, :3] = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0] * (1.1, 1.7, 0.9)
    matrix[:3, 3] = (5.0, -3.0, 40.0)
    grid = Grid(shape=(70, 50, 80), lps_from_ijk=as_matrix4(matrix))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    middle = grid.center_lps_mm
    inside = (np.linalg.norm(points - middle, axis=-1) < 31.0).astype(np.float32)
    ball = middle + np.array([14.0, 6.0, -9.0])
    distance = (np.linalg.norm(points - ball, axis=-1) - 4.0).astype(np.float32)
    ways = sphere(500)
    origins = np.broadcast_to(middle + np.array([3.0, -2.0, 1.0]), ways.shape)
    rays = leave(grid, origins, ways, inside, np.ones(grid.shape, np.uint8), step_mm=1.0, reach_mm=90.0)
    found, nearest = least(rays, distance, np.full(grid.shape, 7, np.int16), enough_mm=8.0)
    along = np.arange(0.0, 90.0)
    on_ray = origins[:, None] + along[None, :, None] * ways[:, None]
    kept = along[None] <= rays.length_mm[:, None]
    expected = np.where(kept, sample(distance, grid, on_ray, outside=np.inf), np.inf).min(axis=1)
    assert np.allclose(found, np.where(expected < 8.0, expected, np.inf), atol=1e-4)
    assert set(nearest[np.isfinite(found)]) == {7} and np.isinf(found).any() and np.isfinite(found).any()
    assert np.abs(np.linalg.norm(origins + rays.length_mm[:, None] * ways - middle, axis=1) - 31.0).max() < 1.1
    assert np.allclose(through_mm(rays, inside), rays.length_mm, atol=1.2)


def test_an_admissible_path_keeps_every_hard_limit_and_each_refusal_has_its_reason(around, tool, paths):
    assert paths.admissible.any() and not paths.admissible.all()
    assert (paths.margins_mm[paths.admissible] >= 0).all()
    assert (paths.length_mm[paths.admissible] + limit("needle_hub_reserve_mm").value <= max(tool.lengths_mm)).all()
    assert (paths.outward[paths.admissible] @ UP > 0).all()
    named = {paths.reasons[number] for number in np.unique(paths.reason)}
    assert {"", "patient_position", "organ_clearance", "nerve_clearance"} <= named


def test_freehand_refuses_what_navigated_refuses_and_more(case, tool, paths):
    loose = surroundings(case, case.lesions[0], guidance=guidance("freehand"))
    fewer = search(loose, loose.lesion_frame[0], tool, UP)
    assert not (fewer.admissible & ~paths.admissible).any()
    assert fewer.admissible.sum() < paths.admissible.sum()
    assert fewer.out_of_plane_deg[fewer.admissible].max() <= limit("tilt_freehand_max_deg").value
    stated = Guidance(name="robot", placement_error_mm=1.0, stated=True)
    exact = surroundings(case, case.lesions[0], guidance=stated)
    assert search(exact, exact.lesion_frame[0], tool, UP).admissible.sum() > paths.admissible.sum()


def test_a_hub_must_clear_the_bore(around, tool, paths):
    long = replace(tool, lengths_mm=(450.0,))
    far = search(around, around.lesion_frame[0], long, UP)
    bore = paths.reasons.index("gantry_clearance")
    assert (far.reason == bore).any() and not (paths.reason == bore).any()
    kept = limit("gantry_bore_mm").value / 2 - limit("gantry_margin_mm").value
    assert (far.hub_mm[far.admissible] <= kept).all()
    wide = search(around, around.lesion_frame[0], replace(tool, diameter_mm=12.0), UP)
    assert "incision" in {wide.reasons[number] for number in np.unique(wide.reason)} and not wide.admissible.any()


def test_regions_part_the_refused_entries(around, tool, paths):
    found = regions(around, paths, tool)
    rows = np.concatenate([region.rows for region in found])
    assert len(rows) == len(set(rows.tolist())) and not paths.admissible[rows].any()
    assert {"colon", "sciatic_nerve_left"} <= {region.structure for region in found}
    bowel = next(region for region in found if region.structure == "colon")
    assert (np.diff(bowel.excess) >= 0).all() and bowel.excess[0] > 0
    assert "right" in facing(paths.outward[bowel.rows].mean(axis=0))  # the bowel lies to the right of the lesion
    assert facing(np.array([1.0, 0.0, 0.0])) == "left" and facing(np.array([0.0, 1.0, 1.0])) == "posterior, cranial"


def test_no_path_of_the_front_is_bettered_in_everything(around, tool, paths):
    options = front(around, paths, tool)
    assert len(options) > 2 and paths.cost[options[0].index] == pytest.approx(paths.cost[paths.admissible].min())
    sign = np.array([-1.0 if item.more_is_better else 1.0 for item in OBJECTIVES])
    grain = np.array([item.grain for item in OBJECTIVES])
    values = np.array([[option.figures[item.name] for item in OBJECTIVES] for option in options]) * sign
    for at, row in enumerate(values):
        others = np.delete(values, at, axis=0)
        assert not np.any(np.all(others <= row, axis=1) & np.any(others <= row - 2 * grain, axis=1))
    gains = {item.words_en[0 if item.more_is_better else 1] for item in OBJECTIVES}
    assert all(any(gain in option.words.en for gain in gains) for option in options[1:])
    entry = options[-1].path.start_lps_mm
    sharing = front(around, paths, tool, entries=(entry,))
    assert any(option.figures["new_puncture"] == 0.0 for option in sharing)


def test_the_map_of_the_skin_says_what_excludes_each_point(around, tool, paths):
    found = entry_map(around, tool, UP, position="prone")
    assert len(found.points_lps_mm) == len(found.excluded_by)
    free = sum(number == 0 for number in found.excluded_by)
    assert 0 < free < len(found.excluded_by) and max(found.excluded_by) == len(found.exclusions)
    assert free / len(found.excluded_by) == pytest.approx(paths.admissible.mean(), abs=0.03)
    kinds = {(item.constraint, item.structure) for item in found.exclusions}
    assert {("patient_position", ""), ("organ_clearance", "colon")} <= kinds
