"""Screw corridors: straight cylinders inside the bone, across the lesion, both ends in healthy bone."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import devices, limit
from trocar.imaging.cylinders import held_mm
from trocar.model.device import Screw
from trocar.model.space import Array, Segment, as_vector
from trocar.planning.bonefield import BoneField, length_within_mm
from trocar.planning.directions import sphere, tie_break
from trocar.planning.freecorridor import free_corridors, seeds_ijk, solid_of

SEEDS = 260
LINES = 1300
FINE_MM = 0.5
HALF_LENGTH_MM = 160.0
REFINED = 700
FREE = 12  # of the widest free corridors, tried as screws' axes too
ENTRY_SLANT = 2.4  # how obliquely a screw may cross its entry cortex: longest way through it per needed depth
ANCHOR_ENOUGH_MM = 35.0
SHORTEST_CROSSING_MM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """One screw's place: `axis` from head to tip; what a cylinder around it finds.

    `clearance_mm` is the least distance from the screw's surface to the cortex, the entry excepted; `width_mm` the
    diameter of the widest cylinder around the axis there; anchors are lengths in healthy bone beyond the lesion.
    """

    device: str
    axis: Segment
    diameter_mm: float
    clearance_mm: float
    width_mm: float
    anchor_head_mm: float
    anchor_tip_mm: float
    crossing_mm: float

    @property
    def quality(self) -> float:
        """Anchorage on the weaker side first, then room, then length in the lesion."""
        weaker = min(self.anchor_head_mm, self.anchor_tip_mm, ANCHOR_ENOUGH_MM)
        room = min(self.width_mm, 18.0)
        return weaker / 15.0 + room / 10.0 + min(self.crossing_mm, 60.0) / 40.0 + 0.1 * self.diameter_mm


def screws() -> tuple[Screw, ...]:
    """The catalog's screws, the thinnest first."""
    return tuple(
        sorted((item for item in devices().values() if isinstance(item, Screw)), key=lambda item: item.diameter_mm)
    )


def corridors(bone: BoneField, sizes: tuple[Screw, ...], *, clearance_mm: float | None = None) -> list[Corridor]:
    """Every corridor found for these screws, the best first; a line gives its best screw, from either end."""
    gap = limit("screw_cortex_clearance_mm").value if clearance_mm is None else clearance_mm
    need = sizes[0].diameter_mm / 2 + gap
    origins, directions = _promising(bone, need)
    found: list[Corridor] = []
    if not len(origins):
        return found
    along = np.arange(-HALF_LENGTH_MM, HALF_LENGTH_MM + FINE_MM / 2, FINE_MM)
    points = origins[:, None] + along[None, :, None] * directions[:, None]
    depth = bone.at(bone.depth_mm, points, outside=-1.0)
    lesion = bone.at(bone.in_lesion, points, outside=0.0) >= 0.5
    healthy = bone.at(bone.healthy, points, outside=0.0) >= 0.5
    for row in range(len(origins)):
        for turned in (False, True):
            order = slice(None, None, -1) if turned else slice(None)
            best = _best_screw(
                depth[row, order], lesion[row, order], healthy[row, order], points[row, order], sizes, gap
            )
            if best is not None:
                found.append(best)
    return sorted(found, key=lambda item: (-round(item.quality, 4), _order(item, bone)))


def _order(corridor: Corridor, bone: BoneField) -> float:
    head, tip = (
        tie_break(np.asarray(end), bone.side_x) for end in (corridor.axis.start_lps_mm, corridor.axis.end_lps_mm)
    )
    return float(head + 100.0 * tip)


def widest_mm(bone: BoneField) -> float:
    """The diameter of the widest ball of bone inside the lesion: no corridor across it is wider."""
    inside = bone.in_lesion >= 0.5
    return 2.0 * float(bone.depth_mm[inside].max()) if inside.any() else 0.0


def _promising(bone: BoneField, need_mm: float) -> tuple[Array, Array]:
    """Lines (origin, direction) deep enough around the lesion, with the most healthy bone on their weaker side."""
    seeds = seeds_ijk(bone, need_mm, SEEDS)
    ways = sphere(2 * LINES)
    ways = ways[ways[:, 2] >= 0]
    if not len(seeds):
        return np.zeros((0, 3)), np.zeros((0, 3))
    solid = solid_of(bone)
    forward, backward = (
        held_mm(solid, seeds, turned, need_mm=need_mm, reach_mm=HALF_LENGTH_MM).astype(float)
        for turned in (ways, -ways)
    )
    weaker = np.minimum(forward, backward)
    score = np.minimum(weaker, ANCHOR_ENOUGH_MM) + 0.1 * np.minimum(np.maximum(forward, backward), 60.0)
    enough = np.flatnonzero(score.ravel() >= 6.0)
    origins = bone.grid.to_lps(seeds)
    ties = tie_break(origins, bone.side_x)[:, None] + 100.0 * tie_break(ways, bone.side_x)[None]
    order = np.lexsort((ties.ravel()[enough], -np.round(score.ravel()[enough], 3)))
    best = enough[order[:REFINED]]
    free = free_corridors(bone, count=FREE)
    middles = [item.axis.at(item.axis.length_mm / 2) for item in free]
    return (
        np.concatenate([origins[best // len(ways)], np.reshape(middles, (-1, 3))]),
        np.concatenate([ways[best % len(ways)], np.reshape([item.axis.direction for item in free], (-1, 3))]),
    )


def _best_screw(
    depth: Array, lesion: Array, healthy: Array, points: Array, sizes: tuple[Screw, ...], gap_mm: float
) -> Corridor | None:
    """The thickest screw that a line takes, its head at the line's first end."""
    for screw in reversed(sizes):
        need = screw.diameter_mm / 2 + gap_mm
        span = _span(depth, need)
        if span is None:
            continue
        head, last = span
        fitting = [length for length in screw.lengths_mm if length <= (last - head) * FINE_MM + 1e-6]
        lengths = _useful_lengths(fitting, lesion, healthy, head)
        if not lengths:
            continue
        tip = head + round(lengths / FINE_MM)
        inside = np.flatnonzero(lesion[head : tip + 1])
        if not len(inside):
            continue
        first, final = head + int(inside[0]), head + int(inside[-1])
        least = least_depth_mm(depth[head : tip + 1], FINE_MM, need)
        return Corridor(
            device=screw.id,
            axis=Segment(start_lps_mm=as_vector(points[head]), end_lps_mm=as_vector(points[tip])),
            diameter_mm=screw.diameter_mm,
            clearance_mm=least - screw.diameter_mm / 2,
            width_mm=2.0 * least,
            anchor_head_mm=length_within_mm(healthy[head : first + 1], FINE_MM),
            anchor_tip_mm=length_within_mm(healthy[final : tip + 1], FINE_MM),
            crossing_mm=FINE_MM * len(inside),
        )
    return None


def _span(depth: Array, need_mm: float) -> tuple[int, int] | None:
    """(head on the entry cortex, last deep sample) of the deep stretch around the line's origin."""
    middle = len(depth) // 2
    if depth[middle] < need_mm:
        return None
    shallow = np.flatnonzero(depth < need_mm)
    before, after = shallow[shallow < middle], shallow[shallow > middle]
    if not len(before) or not len(after):
        return None
    deep, last = int(before[-1]) + 1, int(after[0]) - 1
    outside = np.flatnonzero(depth[:deep] <= 0.0)
    if not len(outside):
        return None
    head = int(outside[-1]) + 1
    if (deep - head) * FINE_MM > ENTRY_SLANT * need_mm:
        return None
    return head, last


def least_depth_mm(depth: Array, step_mm: float, need_mm: float) -> float:
    """The least depth along an axis from its head, the way through the entry cortex excepted.

    Within that way only what follows the first deep enough sample counts, and only where it is too shallow again.
    """
    deep = np.flatnonzero(depth >= need_mm)
    if not len(deep):
        return float(depth.max())
    first = int(deep[0])
    through = max(first, min(round(ENTRY_SLANT * need_mm / step_mm), len(depth) - 1))
    entering = float(depth[first : through + 1].min())
    beyond = float(depth[through:].min())
    return min(entering, beyond) if entering < need_mm else beyond


def _useful_lengths(fitting: list[float], lesion: Array, healthy: Array, head: int) -> float | None:
    """The shortest catalog length whose tip holds enough beyond the lesion, else the longest that fits."""
    best = None
    inside = np.flatnonzero(lesion)
    inside = inside[inside >= head]
    if len(inside) * FINE_MM < SHORTEST_CROSSING_MM:
        return None
    for length in sorted(fitting):
        tip = head + round(length / FINE_MM)
        crossed = inside[inside <= tip]
        if not len(crossed) or (tip < len(lesion) and lesion[tip]):
            continue
        best = length
        if length_within_mm(healthy[int(crossed[-1]) : tip + 1], FINE_MM) >= ANCHOR_ENOUGH_MM:
            break
    return best
