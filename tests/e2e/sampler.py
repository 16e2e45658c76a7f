"""Plans judged by points on every instrument's envelope and the label map alone.

Nothing here uses the planner's own distances: only numpy on masks and on the courses of nerves.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from trocar.catalog import device
from trocar.model.case import Role

POINTS = 100_000
FORBIDDEN = (
    Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA, Role.IMPLANT, Role.CORD,
)  # fmt: skip
NERVE_MM, CORTEX_MM, INCISION_MM, HUB_MM = 2.0, 2.0, 10.0, 20.0
PUSHED = ("probe", "biopsy", "trocar", "wire", "screw", "needle", "thermocouple")
BESIDE_A_NERVE = ("needle", "thermocouple")  # put there on purpose
BRIDGING = ("screw", "wire", "trocar")  # may cross a sacroiliac joint


def roles(plan):
    """The roles of what is pushed into the body."""
    return {item.role for item in _pushed(plan)}


def violations(case, plan) -> list[str]:
    """Every hard constraint that a point of an instrument breaks, in words; empty for a plan that keeps them all."""
    rng = np.random.default_rng(11)
    return [found for item in _pushed(plan) for found in _of_one(case, item, *envelope(item, rng))]


def _pushed(plan):
    return [item for step in plan.steps for item in step.placements if item.role in PUSHED]


def _of_one(case, item, points, before_tip) -> Iterator[str]:
    at = voxels(case.grid, points)
    for structure in case.with_role(*FORBIDDEN):
        if labels_at(structure.inside, at).any():
            yield f"{item.name} crosses {structure.name}"
    for joint in case.with_role(Role.JOINT):
        bridged = item.role in BRIDGING and "sacroiliac" in joint.name
        if not bridged and labels_at(joint.inside, at).any():
            yield f"{item.name} crosses {joint.name}"
    if item.role not in BESIDE_A_NERVE:
        for nerve in case.with_role(Role.NERVE):
            if labels_at(nerve.inside, at).any() or _nerve_gap_mm(nerve, points) < NERVE_MM - 0.05:
                yield f"{item.name} comes near {nerve.name}"
    if item.role == "screw" and _in_bone_frac(case, item, at, before_tip) <= 0.999:  # a bridged gap may lack a voxel
        yield f"{item.name} leaves the bone"
    yield from _of_its_size(case, item)


def _nerve_gap_mm(nerve, points):
    if not nerve.centerline_lps_mm:
        return np.inf
    far = to_course(points[::500], nerve.centerline_lps_mm).min() > 30.0  # then not point by point
    return np.inf if far else to_course(points, nerve.centerline_lps_mm).min() - nerve.diameter_mm / 2


def _in_bone_frac(case, screw, at, before_tip):
    solid = np.any([item.inside for item in case.with_role(Role.BONE, Role.JOINT, Role.LESION)], axis=0)
    implant = before_tip <= screw.length_mm - 2.4 * (screw.diameter_mm / 2 + CORTEX_MM)  # less its oblique entry
    return labels_at(solid, at[implant]).mean()


def _of_its_size(case, item) -> Iterator[str]:
    if item.diameter_mm >= INCISION_MM:
        yield f"{item.name} is too wide"
    known = device(item.device)
    lengths = getattr(known, "shaft_lengths_mm", ()) or getattr(known, "lengths_mm", ())
    outward = np.subtract(item.skin_lps_mm, item.target_lps_mm)
    depth = np.linalg.norm(outward)
    if item.role != "screw" and lengths and depth + HUB_MM > max(lengths) + 0.05:
        yield f"{item.name} is too short"
    step = 2 * case.grid.spacing_mm.max() * outward / depth
    ends = voxels(case.grid, np.array([item.skin_lps_mm + step, item.skin_lps_mm - step]))
    for body in case.with_role(Role.BODY):
        if labels_at(body.inside, ends).tolist() != [False, True]:
            yield f"{item.name} does not start at the skin"


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
    """(n,) whether each voxel lies in a mask; none beyond the image does."""
    return np.where(at >= 0, mask.ravel()[at], False)


def to_course(points, course):
    """(n,) distances to a polyline."""
    least = np.full(len(points), np.inf)
    for a, b in pairwise(np.asarray(course)):
        along = np.clip(((points - a) @ (b - a)) / max((b - a) @ (b - a), 1e-9), 0.0, 1.0)
        least = np.minimum(least, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1))
    return least
