"""Whether an instrument reaches a corridor from the skin along the corridor's own axis, and what it would cross."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trocar.model.case import Role, Structure
from trocar.model.record import Vector
from trocar.model.space import Array, Grid, Segment, as_vector
from trocar.model.treatment import Rejection
from trocar.planning.fixation import trocar_reach_mm
from trocar.planning.foramina import is_sacral
from trocar.planning.guidance import Guidance
from trocar.planning.hardlimits import Anatomy, cropped
from trocar.planning.obstacles import obstacles
from trocar.planning.rules import clearance_of

STEP_MM = 0.5
LONGEST_MM = 400.0
LEAST_CROSSED_MM = 1.0
NEAR_MM = 6.0  # beyond what must be kept free, so that a structure just outside is measured too
NOT_TOLD = (Role.BODY, Role.SKIN, Role.LESION, Role.FAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """The straight way from the skin to one end of a corridor; nothing refuses it where `refused` is empty.

    `skin_lps_mm` is None where the image ends before the skin. `skin_to_bone_mm` ends where the bone is first met;
    `crosses` are the structures on the axis from the skin to the corridor and the lengths within them.
    """

    end: str  # of the corridor: start or end
    skin_lps_mm: Vector | None
    skin_to_bone_mm: float | None
    crosses: tuple[tuple[str, float], ...]
    refused: tuple[Rejection, ...]

    @property
    def free(self) -> bool:
        """Whether the skin is met and no hard limit refuses the way."""
        return self.skin_lps_mm is not None and not self.refused


def ways_in(around: Anatomy, corridor: Segment, *, diameter_mm: float, guidance: Guidance) -> tuple[WayIn, ...]:
    """The ways to both ends of a corridor for an instrument of this diameter; none where the body is not known.

    Outside the bone its guidance's placement error is kept free, as by the planner. The patient's position and the
    gantry are not looked at.
    """
    axis = corridor.direction
    ends = (("start", corridor.start_lps_mm, -axis), ("end", corridor.end_lps_mm, axis))
    return tuple(
        found
        for name, point, outward in ends
        if (found := _way(around, name, np.asarray(point), outward, diameter_mm / 2, guidance)) is not None
    )


def _way(around: Anatomy, end: str, point: Array, outward: Array, radius_mm: float, guidance: Guidance) -> WayIn | None:
    if around.body is None:
        return None
    along = np.arange(0.0, LONGEST_MM, STEP_MM)
    index = np.rint(around.grid.to_ijk(point + along[:, None] * outward)).astype(int)
    shown = np.all((index >= 0) & (index < around.grid.shape), axis=1)
    within = around.body.inside[tuple(index[: int(np.argmin(shown)) if not shown.all() else None].T)]
    if within.all():
        return WayIn(
            end=end, skin_lps_mm=None, skin_to_bone_mm=None, crosses=(), refused=(_refusal("field_of_view", "", 0, 0),)
        )
    skin = max(int(np.argmin(within)), 1)
    samples = tuple(index[:skin].T)
    lengths = {
        item.name: STEP_MM * int(np.count_nonzero(item.inside[samples]))
        for item in around.structures
        if item.role not in NOT_TOLD
    }
    own = np.any([item.inside[samples] for item in around.structures if item.name in around.bones], axis=0)
    outer = int(np.flatnonzero(own)[-1]) if own.any() else 0
    skin_lps, bone_lps = (as_vector(point + outward * STEP_MM * (number - 0.5)) for number in (skin, outer + 1))
    outside = Segment(start_lps_mm=skin_lps, end_lps_mm=bone_lps)
    inside = Segment(start_lps_mm=bone_lps, end_lps_mm=as_vector(point))
    crossed = sorted(((name, mm) for name, mm in lengths.items() if mm >= LEAST_CROSSED_MM), key=lambda pair: -pair[1])
    return WayIn(
        end=end,
        skin_lps_mm=skin_lps,
        skin_to_bone_mm=outside.length_mm,
        crosses=tuple(crossed),
        refused=(
            *_bones_crossed(around, lengths),
            *_too_near(around, outside, radius_mm, guidance.placement_error_mm),
            *_too_near(around, inside, radius_mm, 0.0),
            *_beyond_reach(outside, guidance),
        ),
    )


def _bones_crossed(around: Anatomy, lengths: dict[str, float]) -> Iterator[Rejection]:
    for item in around.structures:
        foreign = item.role is Role.BONE and item.name not in around.bones and not around.passes(item.name)
        if foreign and not _same_bone(item.name, around.bones) and lengths[item.name] >= LEAST_CROSSED_MM:
            yield _refusal("bone_crossed", item.name, lengths[item.name], 0.0)


def _same_bone(name: str, bones: tuple[str, ...]) -> bool:
    """A sacrum and its segments are one bone."""
    return is_sacral(name) and any(map(is_sacral, bones))


def _too_near(around: Anatomy, axis: Segment, radius_mm: float, stray_mm: float) -> Iterator[Rejection]:
    """What lies nearer to an instrument's surface than its hard clearance and the error kept free, measured exactly."""
    if axis.length_mm < STEP_MM:
        return
    ruled = tuple(item for item in around.structures if clearance_of(item) and not around.passes(item.name))
    for each in obstacles(*_near(ruled, around.grid, axis, radius_mm + stray_mm + NEAR_MM)):
        need, clearance = each.rule.hard_mm + stray_mm, each.clearance_mm(axis, radius_mm)
        if clearance < need:
            yield _refusal(each.rule.constraint, each.name, clearance, need)


def _near(
    structures: tuple[Structure, ...], grid: Grid, axis: Segment, reach_mm: float
) -> tuple[tuple[Structure, ...], Grid]:
    """The structures within the box around a segment, on the grid of that box."""
    corners = grid.to_ijk(np.array([axis.start_lps_mm, axis.end_lps_mm]))
    reach = reach_mm / grid.spacing_mm + 1
    low = np.clip(np.floor(corners.min(axis=0) - reach).astype(int), 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(corners.max(axis=0) + reach).astype(int) + 1, low + 1, grid.shape)
    return cropped(structures, low, high), grid.cropped(low, high)


def _beyond_reach(outside: Segment, guidance: Guidance) -> Iterator[Rejection]:
    if outside.length_mm > trocar_reach_mm():
        yield _refusal("needle_length", "", outside.length_mm, trocar_reach_mm())
    tilt_deg = float(np.degrees(np.arcsin(min(1.0, abs(float(outside.direction[2]))))))
    if tilt_deg > guidance.tilt_max_deg:
        yield _refusal("out_of_plane_angle", "", tilt_deg, guidance.tilt_max_deg)


def _refusal(constraint: str, structure: str, value: float, bound: float) -> Rejection:
    return Rejection(
        what="way along the axis", constraint=constraint, structure=structure, value_mm=round(float(value), 2),
        limit_mm=float(bound),
    )  # fmt: skip
