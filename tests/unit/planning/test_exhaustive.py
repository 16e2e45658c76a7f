"""Small problems searched through: nothing allowed is better than what the planner finds by more than 2 %."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from coldline import cold_line
from scipy import ndimage
from scipy.spatial import cKDTree

from trocar.catalog import limit
from trocar.model.case import Case, Clinical, LesionContext, Patient, Role, Structure
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.space import Grid, Volume
from trocar.planning.access import first_clear, instrument, search
from trocar.planning.array import Admission, Probes, spaced
from trocar.planning.bundles import approaches
from trocar.planning.coverage import chosen_probe, cover, search_for
from trocar.planning.refine import BOUNDED
from trocar.planning.surroundings import surroundings

BETTER = 0.02
UP = np.array([0.0, 1.0, 0.0])
VOXEL_MM = 2.0


# --- a path


def nearest_mm(points, structure, grid):
    """(n,) distances to a mask's voxels less half a voxel, or to a nerve's tube."""
    if structure.centerline_lps_mm:
        course = np.asarray(structure.centerline_lps_mm)
        dense = np.concatenate([a + np.linspace(0, 1, 300)[:, None] * (b - a) for a, b in pairwise(course)])
        return cKDTree(dense).query(points)[0] - structure.diameter_mm / 2
    return cKDTree(grid.to_lps(np.argwhere(structure.inside))).query(points)[0] - grid.spacing_mm.max() / 2


def to_skin_mm(target, outward):
    """(n,) lengths from a target to the torso's skin, an elliptic cylinder."""
    half = np.array([96.0, 74.0])
    start, way = target[:2] / half, outward[:, :2] / half
    square, cross = (way**2).sum(axis=1), way @ start
    return (np.sqrt(cross**2 + square * (1.0 - start @ start)) - cross) / square


def costs(case, target, outward, tool, *, stray_mm):
    """(n,) what each straight path costs by the rules of the theory page, inf where one is broken; plain numpy."""
    grid, along = case.grid, np.arange(0.5, 110.0, 1.0)
    points = target + along[None, :, None] * outward[:, None]
    index = np.rint(grid.to_ijk(points)).astype(int)
    held = np.all((index >= 0) & (index < grid.shape), axis=-1)
    index = np.clip(index, 0, np.array(grid.shape) - 1)

    def at(mask):
        return mask[tuple(np.moveaxis(index, -1, 0))] & held

    length = to_skin_mm(target, outward)
    in_body = along[None] < length[:, None]
    hard_bone = case.with_role(Role.BONE)[0].inside & ~case.lesions[0].inside & (case.ct.values > 300.0)
    cortex = (at(hard_bone) & in_body).sum(axis=1)
    tilt = np.degrees(np.arcsin(np.abs(outward[:, 2])))
    cost = length / 50.0 + cortex / 10.0 + np.clip(tilt - limit("out_of_plane_deg").value, 0.0, None) / 20.0
    cost[outward @ UP < np.sin(np.radians(5.0))] = np.inf
    cost[length + limit("needle_hub_reserve_mm").value > max(tool.lengths_mm)] = np.inf
    for kind, hard_mm, soft_mm in ((Role.NERVE, 2.0, 5.0), (Role.VESSEL, 0.0, 5.0), (Role.BOWEL, 0.0, 5.0)):
        for structure in case.with_role(kind):
            gap = np.full(in_body.shape, np.inf)
            gap[in_body] = nearest_mm(points[in_body], structure, grid)
            margin = gap.min(axis=1) - hard_mm - tool.radius_mm - stray_mm
            cost += np.where(margin < 0, np.inf, np.clip(1.0 - margin / (soft_mm - hard_mm), 0.0, 2.0))
    return cost


@pytest.mark.parametrize(
    "target", [(62.0, -4.0, 3.0), (46.0, 4.0, -6.0)], ids=["in the lesion", "behind the bone's face"]
)
def test_no_direction_of_thousands_is_better_than_the_path_chosen(case, target):
    around = surroundings(case, case.lesions[0])
    tool = instrument("cryoprobe-17g-icesphere", "probe", what="cryoprobe")
    paths = search(around, np.array(target), tool, UP)
    chosen = first_clear(around, paths, tool)
    drawn = np.random.default_rng(3).normal(size=(1500, 3))
    ways = np.concatenate([paths.outward[[chosen]], drawn / np.linalg.norm(drawn, axis=1, keepdims=True)])
    found, *others = costs(case, np.array(target), ways, tool, stray_mm=around.guidance.placement_error_mm + 0.5)
    assert np.isfinite(found) and np.isfinite(others).mean() > 0.05
    assert min(others) >= (1 - BETTER) * found


# --- probes


def block(lesion_mm, *, nerve_mm=None):
    """A block of tissue with skin all around and a small lesion; a nerve along z where one is asked for."""
    shape = (46, 46, 46)
    grid = Grid.aligned(origin_lps_mm=(-45.0,) * 3, spacing_mm=(VOXEL_MM,) * 3, shape=shape)
    points = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1))
    body = np.abs(points).max(axis=-1) < 40.0
    lesion = ((points / lesion_mm) ** 2).sum(axis=-1) <= 1.0
    structures = [
        Structure(name="lesion_1", role=Role.LESION, inside=lesion),
        Structure(name="body", role=Role.BODY, inside=body),
    ]
    if nerve_mm is not None:
        course = tuple((nerve_mm[0], nerve_mm[1], z) for z in (-40.0, 40.0))
        inside = np.hypot(points[..., 0] - nerve_mm[0], points[..., 1] - nerve_mm[1]) <= 2.0
        structures.append(
            Structure(name="nerve", role=Role.NERVE, inside=inside, centerline_lps_mm=course, diameter_mm=4.0)
        )
    return Case(
        case_id="block",
        ct=Volume(grid=grid, values=np.where(body, 40.0, -1000.0).astype(np.float32), unit="HU"),
        structures=tuple(structures),
        clinical=Clinical(patient=Patient(), lesion=(LesionContext(name="lesion_1", site="soft_tissue"),)),
        synthetic=True,
    )


@pytest.mark.parametrize(
    ("lesion_mm", "nerve_mm", "degC_per_mm", "count"),
    [((8.0, 7.0, 8.0), (15.0, 0.0), 6.0, 1), ((11.0, 17.0, 8.0), (21.0, 4.0), 5.5, 2)],
    ids=["one probe beside a nerve", "two probes beside a nerve"],
)
def test_no_probe_on_a_lattice_is_better_than_those_found(lesion_mm, nerve_mm, degC_per_mm, count):
    case = block(lesion_mm, nerve_mm=nerve_mm)
    around = surroundings(case, case.lesions[0])
    cold = cold_line(case, cold_degC=-75.0, degC_per_mm=degC_per_mm)
    found = cover(around, UP, intent="palliative", predictor=cold, embolized=NOT_EMBOLIZED).step
    tool, _ = chosen_probe(around)
    scout = search_for(around, tool, UP, "palliative", cold, NOT_EMBOLIZED, BOUNDED).scout
    mine = Probes.fresh(tool, [item.axis for item in found.placements])
    lattice = list(every_place(around, tool, count, found))
    value, *others = (each.value for each in scout.see([mine, *lattice]))
    assert len(found.placements) == count and len(others) > 300
    assert value >= (1 - BETTER) * max(others)


def every_place(around, tool, count, found):
    """Probes along ways in (two: along the way found) whose tips stand on a lattice in and behind the lesion."""
    paths, directions = approaches(around, tool, UP)
    ways = paths.outward[directions[:6]] if count == 1 else [-found.placements[0].axis.direction]
    admit = Admission(around, tool, UP)
    ijk = np.argwhere(ndimage.binary_dilation(around.in_lesion, iterations=3))
    tips = around.grid.to_lps(ijk[np.all(ijk % (2 if count == 1 else 4) == 0, axis=1)])
    for way in ways:
        allowed = [path for path in admit.paths(tips, np.broadcast_to(way, tips.shape)) if path is not None]
        for chosen in combinations(allowed, count):
            if spaced(chosen):
                yield Probes.fresh(tool, chosen)
