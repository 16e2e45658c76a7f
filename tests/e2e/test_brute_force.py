"""Plans of synthetic and of real CT, judged by points on every instrument's envelope and the label map alone.

Nothing here uses the planner's own distances: only numpy on masks and on the courses of nerves.
"""

from itertools import pairwise

import numpy as np
import pytest

from trocar.catalog import device
from trocar.io.dossier import Dossier
from trocar.model.case import Role

POINTS = 100_000
FORBIDDEN = (Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA, Role.IMPLANT)
NERVE_MM, CORTEX_MM, INCISION_MM, HUB_MM = 2.0, 2.0, 10.0, 20.0
PUSHED = ("probe", "biopsy", "trocar", "wire", "screw", "needle", "thermocouple")
PLANNED = {
    "ilium": ("ilium", {"probe", "biopsy", "screw", "trocar"}),
    "sacrum": ("sacrum", {"probe", "biopsy", "screw", "wire"}),
    "right_iliac_lytic_softtissue": ("carved", {"probe", "biopsy", "screw", "trocar"}),
    "L4_body_lytic": ("carved", {"trocar"}),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(group)) for name, (group, _) in PLANNED.items()],
)
def planned(request, dossier_of):
    """(name, case, plan) of a dossier that other tests made or use too."""
    dossier = Dossier.open(dossier_of(request.param))
    return request.param, dossier.read("case"), dossier.read("plan")


@pytest.fixture(scope="module")
def instruments(planned):
    """Each instrument with points on its envelope and their distances from its tip."""
    rng = np.random.default_rng(11)
    found = [item for step in planned[2].steps for item in step.placements if item.role in PUSHED]
    return [(item, *envelope(item, rng)) for item in found]


def envelope(placement, rng):
    """(n, 3) points on the side and on the tip of a cylinder from the skin to the target, and (n,) mm from its tip."""
    start, end = np.asarray(placement.skin_lps_mm), np.asarray(placement.target_lps_mm)
    length = np.linalg.norm(end - start)
    along = (end - start) / length
    side = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    side /= np.linalg.norm(side)
    turn = rng.uniform(0, 2 * np.pi, POINTS)
    ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(along, side)
    at = rng.uniform(0, length, POINTS)
    out = np.full(POINTS, placement.diameter_mm / 2)
    tip = np.arange(POINTS) < POINTS // 20
    at[tip], out[tip] = length, out[tip] * np.sqrt(rng.uniform(0, 1, tip.sum()))
    return start + at[:, None] * along + out[:, None] * ring, length - at


def voxels(grid, points):
    """(n,) flat indices of the voxels that hold points; -1 beyond the image."""
    index = np.rint(grid.to_ijk(points)).astype(int)
    held = np.all((index >= 0) & (index < grid.shape), axis=1)
    return np.where(held, np.ravel_multi_index(tuple(np.clip(index, 0, np.array(grid.shape) - 1).T), grid.shape), -1)


def labels_at(mask, at):
    return np.where(at >= 0, mask.ravel()[at], False)


def to_course(points, course):
    """(n,) distances to a polyline."""
    least = np.full(len(points), np.inf)
    for a, b in pairwise(np.asarray(course)):
        along = np.clip(((points - a) @ (b - a)) / max((b - a) @ (b - a), 1e-9), 0.0, 1.0)
        least = np.minimum(least, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    return least


def test_there_is_a_plan_to_judge(planned, instruments):
    assert {item.role for item, *_ in instruments} >= PLANNED[planned[0]][1]


def test_no_point_of_an_instrument_lies_in_what_it_must_not_cross(planned, instruments):
    _, case, _ = planned
    for item, points, _ in instruments:
        at = voxels(case.grid, points)
        for structure in case.with_role(*FORBIDDEN, Role.CORD):
            assert not labels_at(structure.inside, at).any(), (item.name, structure.name)
        bridged = item.role in ("screw", "wire", "trocar")
        for joint in case.with_role(Role.JOINT):
            if not (bridged and "sacroiliac" in joint.name):
                assert not labels_at(joint.inside, at).any(), (item.name, joint.name)


def test_no_point_of_an_instrument_comes_near_a_nerve(planned, instruments):
    _, case, _ = planned
    for item, points, _ in instruments:
        if item.role in ("needle", "thermocouple"):
            continue  # put beside a nerve on purpose
        for nerve in case.with_role(Role.NERVE):
            if nerve.centerline_lps_mm:
                if to_course(points[::500], nerve.centerline_lps_mm).min() > 30.0:
                    continue  # far away: its hundreds of millimeters need not be measured point by point
                gap = to_course(points, nerve.centerline_lps_mm).min() - nerve.diameter_mm / 2
                assert gap >= NERVE_MM - 0.05, (item.name, nerve.name)
            else:
                assert not labels_at(nerve.inside, voxels(case.grid, points)).any(), (item.name, nerve.name)


def test_every_screw_lies_in_bone_from_its_entry_to_its_tip(planned, instruments):
    _, case, _ = planned
    solid = np.any([item.inside for item in case.with_role(Role.BONE, Role.JOINT, Role.LESION)], axis=0)
    for screw, points, before_tip in instruments:
        if screw.role != "screw":
            continue
        implant = before_tip <= screw.length_mm - 2.4 * (screw.diameter_mm / 2 + CORTEX_MM)  # less its oblique entry
        assert implant.mean() > 0.05
        held = labels_at(solid, voxels(case.grid, points[implant]))
        assert held.mean() > 0.999, screw.name  # a bridged gap may lack a voxel


def test_lengths_and_incisions_can_be_had(planned, instruments):
    _, case, _ = planned
    bodies = case.with_role(Role.BODY)
    for item, *_ in instruments:
        assert item.diameter_mm < INCISION_MM
        known = device(item.device)
        lengths = getattr(known, "shaft_lengths_mm", ()) or getattr(known, "lengths_mm", ())
        if item.role != "screw" and lengths:
            depth = np.linalg.norm(np.subtract(item.skin_lps_mm, item.target_lps_mm))
            assert depth + HUB_MM <= max(lengths) + 0.05, item.name
        if bodies:
            outward = np.subtract(item.skin_lps_mm, item.target_lps_mm)
            outward = 2 * case.grid.spacing_mm.max() * outward / np.linalg.norm(outward)
            skin = np.array([item.skin_lps_mm + outward, item.skin_lps_mm - outward])
            assert labels_at(bodies[0].inside, voxels(case.grid, skin)).tolist() == [False, True]
