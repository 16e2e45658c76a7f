"""Free corridors: the widest cylinders of bone across a lesion, whatever device may go there; a bone mask is enough."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from trocar.catalog import limit
from trocar.errors import PlanningError
from trocar.imaging.cylinders import Solid, refined, widest
from trocar.imaging.distance import distance_field
from trocar.imaging.surface import bounds, grown_bounds, slices
from trocar.model.space import Array, Grid, Segment, as_vector
from trocar.planning.bonefield import BoneField, length_within_mm
from trocar.planning.directions import perpendicular, sphere, tie_break
from trocar.planning.gap import axis_gap_mm
from trocar.planning.obstacles import Obstacle

SEEDS = 400
LINES = 1300
REACH_MM = 160.0
REFINED = 48
STARTS_APART_MM, STARTS_APART_DEG = 4.0, 12.0
ELSEWHERE, ELSEWHERE_APART_MM, ELSEWHERE_APART_DEG = 16, 15.0, 35.0  # more starts, where the widest are not
WIDEST_MM = 30.0  # a corridor wider than this is as good
STEP_MM = 0.5
LEAST_DIAMETER_MM = 1.0
CROSSED_SHARE = 0.5  # of the diameter of a ball of the lesion's volume, design
NARROWER = 0.99  # of its width, so that a corridor does not end at a hundredth of a millimeter
ROOM = 2  # voxels kept around a bone


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeCorridor:
    """A cylinder within the bone from end to end, clear of nerves: what fits in it may fill it.

    `cortex_mm` is the least depth of its axis below the bone's surface. Anchors are lengths in healthy bone beyond the
    lesion (without a lesion, from the middle), `crossing_mm` the length within it. A screw should be thinner, by its
    cortex clearance at both sides: `screw_diameter_mm`.
    """

    axis: Segment
    diameter_mm: float
    cortex_mm: float
    anchor_start_mm: float
    anchor_end_mm: float
    crossing_mm: float

    @property
    def screw_diameter_mm(self) -> float:
        """The thickest screw that keeps its clearance to the cortex; 0 when none does."""
        return max(0.0, min(self.diameter_mm, 2 * (self.cortex_mm - limit("screw_cortex_clearance_mm").value)))


def bone_of_labels(
    inside: Array,
    grid: Grid,
    *,
    lesion: Array | None = None,
    healthy: Array | None = None,
    nerves: Array | None = None,
    names: tuple[str, ...] = ("bone",),
    side_x: float = 1.0,
) -> BoneField:
    """A bone field from masks alone: without `healthy` every voxel of bone outside the lesion counts as healthy.

    `nerves` is what a cylinder must keep a nerve's hard clearance from. Raises `PlanningError` for an empty mask.
    """
    if not inside.any():
        raise PlanningError("the bone mask is empty", hint="give the label of a bone")
    tumor = np.zeros(grid.shape, dtype=bool) if lesion is None else lesion
    solid = inside | (tumor & _touching(inside, tumor))
    low, high = grown_bounds(solid, ROOM)
    part = slices(low, high)
    cropped = grid.cropped(low, high)
    inside, tumor, solid = inside[part], tumor[part], solid[part]
    healthy = None if healthy is None else healthy[part]
    depth = -distance_field(solid, cropped)
    room = None if nerves is None else _nerve_room(nerves, grid, low, high, float(depth.max()))
    return BoneField(
        grid=cropped,
        names=names,
        bridged=frozenset(),
        side_x=side_x,
        depth_mm=depth,
        room_mm=depth if room is None else np.minimum(depth, room),
        in_lesion=(tumor & solid).astype(np.float32),
        healthy=((inside if healthy is None else healthy & inside) & ~tumor).astype(np.float32),
    )


def _nerve_room(nerves: Array, grid: Grid, low: Array, high: Array, deepest_mm: float) -> Array | None:
    """[i, j, k] of a box: how far each voxel lies from the nerves, less their clearance; None where none is near.

    Farther than the bone is deep it is not measured.
    """
    clearance_mm = limit("nerve_clearance_hard_mm").value
    reach = np.ceil((deepest_mm + clearance_mm) / grid.spacing_mm).astype(int) + 1
    first, last = np.maximum(low - reach, 0), np.minimum(high + reach, grid.shape)
    near = nerves[slices(first, last)]
    if not near.any():
        return None
    start, stop = (np.asarray(edge) + first for edge in zip(*bounds(near), strict=True))
    start, stop = np.maximum(start - reach, low), np.minimum(stop + reach, high)
    room = np.full(high - low, deepest_mm, dtype=np.float32)
    if (start >= stop).any():
        return None
    wide_start, wide_stop = np.maximum(start - reach, first), np.minimum(stop + reach, last)
    wide = nerves[slices(wide_start, wide_stop)]
    distance = ndimage.distance_transform_edt(~wide, sampling=grid.spacing_mm)
    held = slices(start - wide_start, stop - wide_start)
    placed = slices(start - low, stop - low)
    room[placed] = distance[held] - float(grid.spacing_mm.mean()) / 2 - clearance_mm
    return room


def _touching(inside: Array, tumor: Array) -> Array:
    """A lesion's voxels count as bone only where the mask says so; one cut out of the bone is given back whole."""
    return np.ones_like(tumor) if tumor.any() and not (tumor & inside).any() else inside


def free_corridors(
    bone: BoneField,
    *,
    anchor_mm: float | None = None,
    count: int = 5,
    gap_mm: float = 0.0,
    obstacles: tuple[Obstacle, ...] = (),
) -> list[FreeCorridor]:
    """Up to `count` of the widest cylinders across the lesion with `anchor_mm` of healthy bone on both sides.

    The widest first; they keep `gap_mm` from each other and, measured exactly, the hard clearances of `obstacles`.
    Without a lesion they run through the bone, `anchor_mm` to both sides of their middle. Moved and turned with the
    grid they are the same.
    """
    anchor = limit("screw_anchor_healthy_mm").value if anchor_mm is None else anchor_mm
    solid = solid_of(bone)
    origins, ways = _starts(bone, solid, anchor)
    if not len(origins):
        return []
    frames = np.stack([_frame(way, bone) for way in ways])
    origins, ways, radius = refined(
        solid, origins, frames, anchor_mm=anchor, reach_mm=REACH_MM, crossing_mm=crossing_mm(bone)
    )
    ties = tie_break((origins - bone.grid.center_lps_mm) @ bone.grid.directions, bone.side_x)
    found: list[FreeCorridor] = []
    for row in np.lexsort((ties, -np.round(np.minimum(radius, WIDEST_MM / 2), 2))):
        corridor = _kept_clear(_measured(bone, origins[row], ways[row], anchor), obstacles)
        if corridor is not None and all(_apart(corridor, other) >= gap_mm for other in found):
            found.append(corridor)
        if len(found) == count:
            break
    return sorted(found, key=lambda item: -round(min(item.diameter_mm, WIDEST_MM), 2))


def crossing_mm(bone: BoneField) -> float:
    """How much of the lesion an axis must cross: half the diameter of a ball of its volume; 0 without a lesion.

    Less would let the widest cylinder graze the lesion's corner, where it holds nothing together.
    """
    volume_mm3 = float(np.count_nonzero(bone.in_lesion >= 0.5)) * bone.grid.voxel_ml * 1000.0
    return CROSSED_SHARE * float(np.cbrt(6.0 * volume_mm3 / np.pi))


def solid_of(bone: BoneField) -> Solid:
    """A bone's fields as the search for cylinders takes them."""
    return Solid(
        bone.grid,
        np.ascontiguousarray(bone.room_mm, dtype=np.float32),
        np.ascontiguousarray(bone.in_lesion >= 0.5).astype(np.uint8),
        np.ascontiguousarray(bone.healthy >= 0.5).astype(np.uint8),
    )


def _kept_clear(corridor: FreeCorridor | None, obstacles: tuple[Obstacle, ...]) -> FreeCorridor | None:
    """The corridor made as narrow as the obstacles ask; None where nothing is left."""
    if corridor is None or not obstacles:
        return corridor
    radius_mm = min(each.clearance_mm(corridor.axis, 0.0) - each.rule.hard_mm for each in obstacles)
    if 2 * radius_mm < LEAST_DIAMETER_MM:
        return None
    return replace(corridor, diameter_mm=min(corridor.diameter_mm, 2 * radius_mm))


def _apart(one: FreeCorridor, other: FreeCorridor) -> float:
    return axis_gap_mm(one.axis, other.axis) - (one.diameter_mm + other.diameter_mm) / 2


def _frame(way: Array, bone: BoneField) -> Array:
    return np.stack([way, *perpendicular(way, bone.grid.directions[:, 2], bone.side_x)])


def _starts(bone: BoneField, solid: Solid, anchor_mm: float) -> tuple[Array, Array]:
    """The widest of a lattice of lines, none like one taken before: (n, 3) origins, (n, 3) ways."""
    seeds = seeds_ijk(bone, LEAST_DIAMETER_MM / 2)
    local = sphere(2 * LINES)
    local = local[local[:, 2] >= 0]
    ways = local @ bone.grid.directions.T
    score = widest(
        solid, seeds, ways, anchor_mm=anchor_mm, reach_mm=REACH_MM, least_mm=LEAST_DIAMETER_MM / 2,
        crossing_mm=crossing_mm(bone),
    ) if len(seeds) else np.zeros((0, len(ways)))  # fmt: skip
    usable = np.flatnonzero(score.ravel() > 0)
    points = bone.grid.to_lps(seeds) if len(seeds) else np.zeros((0, 3))
    ties = tie_break((points - bone.grid.center_lps_mm) @ bone.grid.directions, bone.side_x)[:, None]
    ties = ties + 100.0 * tie_break(local, bone.side_x)[None]
    order = usable[np.lexsort((ties.ravel()[usable], -np.round(score.ravel()[usable], 2)))]
    places, courses = points[order // len(ways)], ways[order % len(ways)]
    near = _unlike(places[:20000], courses[:20000], [], STARTS_APART_MM, STARTS_APART_DEG, REFINED)
    chosen = _unlike(places, courses, near, ELSEWHERE_APART_MM, ELSEWHERE_APART_DEG, ELSEWHERE)
    return places[chosen], courses[chosen]


def _unlike(places: Array, courses: Array, taken: list[int], apart_mm: float, apart_deg: float, more: int) -> list[int]:
    """The lines taken and up to `more`, in their order, each apart from all others in place or in direction."""
    steep = np.cos(np.radians(apart_deg))
    left = np.ones(len(places), dtype=bool)
    chosen = list(taken)
    for index in taken:
        left &= ~_alike(places, courses, index, apart_mm, steep)
    while left.any() and len(chosen) < len(taken) + more:
        chosen.append(int(np.argmax(left)))
        left &= ~_alike(places, courses, chosen[-1], apart_mm, steep)
    return chosen


def _alike(places: Array, courses: Array, index: int, apart_mm: float, steep: float) -> Array:
    """(n,) which lines run beside one of them."""
    aside = places - places[index]
    across = aside - (aside @ courses[index])[:, None] * courses[index]
    return (np.abs(courses @ courses[index]) >= steep) & ((across**2).sum(axis=1) <= apart_mm**2)


def seeds_ijk(bone: BoneField, need_mm: float, most: int = SEEDS) -> Array:
    """(n, 3) voxels of the lesion, or without one of the bone, deep enough, thinned evenly about the box's center."""
    tumor = bone.in_lesion >= 0.5
    ijk = np.argwhere((tumor if tumor.any() else bone.healthy >= 0.5) & (bone.room_mm >= need_mm))
    if not len(ijk):
        return ijk
    low, high = ijk.min(axis=0), ijk.max(axis=0)
    for stride in range(1, 60):
        kept = ijk[np.all(np.abs(2 * ijk - (low + high)) // 2 % stride == 0, axis=1)]
        if len(kept) <= most:
            return kept if len(kept) else ijk[:1]
    return kept


def _measured(bone: BoneField, origin: Array, way: Array, anchor_mm: float) -> FreeCorridor | None:
    """The cylinder of a line: as wide as its narrowest place between the anchors, as long as bone holds 99 % of that.

    It does not enter the lesion again beyond its anchors. Measured in finer steps than it was searched in.
    """
    along = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    points = origin + along[:, None] * way
    room = bone.at(bone.room_mm, points, outside=-1.0)
    lesion = bone.at(bone.in_lesion, points, outside=0.0) >= 0.5
    healthy = (bone.at(bone.healthy, points, outside=0.0) >= 0.5) & ~lesion
    middle = len(along) // 2
    sides = slice(middle, None), slice(middle, None, -1)
    held = [_held(lesion[side], healthy[side], anchor_mm) for side in sides]
    radius_mm = float(room[middle - held[1] : middle + held[0] + 1].min())
    if radius_mm < LEAST_DIAMETER_MM / 2:
        return None
    ahead, behind = (
        _end(room[side] >= NARROWER * radius_mm, lesion[side], least) for side, least in zip(sides, held, strict=True)
    )
    low, high = middle - behind, middle + ahead
    depth = bone.at(bone.depth_mm, points[low : high + 1], outside=-1.0)
    inside = np.flatnonzero(lesion[low : high + 1]) + low
    first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (middle, middle)
    return FreeCorridor(
        axis=Segment(start_lps_mm=as_vector(points[low]), end_lps_mm=as_vector(points[high])),
        diameter_mm=2 * float(room[low : high + 1].min()),
        cortex_mm=float(depth.min()),
        anchor_start_mm=length_within_mm(healthy[low : first + 1], STEP_MM),
        anchor_end_mm=length_within_mm(healthy[last : high + 1], STEP_MM),
        crossing_mm=STEP_MM * len(inside),
    )


def _held(lesion: Array, healthy: Array, anchor_mm: float) -> int:
    """The sample, from a seed outwards, at which so much healthy bone lies beyond the lesion; the last without it."""
    held = 0.0
    for n in range(1, len(lesion)):
        held = 0.0 if lesion[n] else held + length_within_mm(healthy[n - 1 : n + 1], STEP_MM)
        if held >= anchor_mm:
            return n
    return len(lesion) - 1


def _end(deep: Array, lesion: Array, held: int) -> int:
    """The last sample, from a seed outwards, that is deep enough, and beyond the anchor before the lesion again."""
    stops = ~deep
    stops[held + 1 :] |= lesion[held + 1 :]
    return int(np.argmax(stops)) - 1 if stops.any() else len(deep) - 1
