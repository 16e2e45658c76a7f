"""Free corridors: the widest cylinders of bone across a lesion, whatever device may go there; a bone mask is enough."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.errors import PlanningError
from trocar.imaging.cylinders import Solid, refined, widest
from trocar.imaging.distance import distance_field
from trocar.model.space import Array, Grid, Segment, as_vector
from trocar.planning.bonefield import BoneField
from trocar.planning.directions import perpendicular, sphere, tie_break
from trocar.planning.gap import axis_gap_mm

SEEDS = 400
LINES = 1300
REACH_MM = 160.0
REFINED = 48
STARTS_APART_MM, STARTS_APART_DEG = 4.0, 12.0
WIDEST_MM = 30.0  # a corridor wider than this is as good
STEP_MM = 0.5
LEAST_DIAMETER_MM = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeCorridor:
    """A cylinder within the bone from end to end: what fits in it keeps `diameter_mm` minus its own to the cortex.

    Anchors are lengths in healthy bone beyond the lesion (without a lesion, from the middle), `crossing_mm` the length
    within it. A screw should be thinner by twice its cortex clearance: `screw_diameter_mm`.
    """

    axis: Segment
    diameter_mm: float
    anchor_start_mm: float
    anchor_end_mm: float
    crossing_mm: float

    @property
    def screw_diameter_mm(self) -> float:
        """The thickest screw that keeps its clearance to the cortex; 0 when none does."""
        return max(0.0, self.diameter_mm - 2 * limit("screw_cortex_clearance_mm").value)


def bone_of_labels(
    inside: Array, grid: Grid, *, lesion: Array | None = None, healthy: Array | None = None, side_x: float = 1.0
) -> BoneField:
    """A bone field from masks alone: without `healthy` every voxel of bone outside the lesion counts as healthy.

    Raises `PlanningError` for an empty mask.
    """
    if not inside.any():
        raise PlanningError("the bone mask is empty", hint="give the label of a bone")
    tumor = np.zeros(grid.shape, dtype=bool) if lesion is None else lesion
    solid = inside | (tumor & _touching(inside, tumor))
    return BoneField(
        grid=grid,
        names=("bone",),
        bridged=frozenset(),
        side_x=side_x,
        depth_mm=-distance_field(solid, grid),
        in_lesion=(tumor & solid).astype(np.float32),
        healthy=((inside if healthy is None else healthy & inside) & ~tumor).astype(np.float32),
    )


def _touching(inside: Array, tumor: Array) -> Array:
    """A lesion's voxels count as bone only where the mask says so; one cut out of the bone is given back whole."""
    return np.ones_like(tumor) if tumor.any() and not (tumor & inside).any() else inside


def free_corridors(
    bone: BoneField, *, anchor_mm: float | None = None, count: int = 5, gap_mm: float = 0.0
) -> list[FreeCorridor]:
    """Up to `count` of the widest cylinders across the lesion with `anchor_mm` of healthy bone on both sides.

    The widest first; they keep `gap_mm` from each other. Without a lesion they run through the bone, `anchor_mm` to
    both sides of their middle. Moved and turned with the grid they are the same.
    """
    anchor = limit("screw_anchor_healthy_mm").value if anchor_mm is None else anchor_mm
    solid = solid_of(bone)
    origins, ways = _starts(bone, solid, anchor)
    if not len(origins):
        return []
    frames = np.stack([_frame(way, bone) for way in ways])
    origins, ways, radius = refined(solid, origins, frames, anchor_mm=anchor, reach_mm=REACH_MM)
    ties = tie_break((origins - bone.grid.center_lps_mm) @ bone.grid.directions, bone.side_x)
    found: list[FreeCorridor] = []
    for row in np.lexsort((ties, -np.round(np.minimum(radius, WIDEST_MM / 2), 2))):
        corridor = _measured(bone, origins[row], ways[row], float(radius[row]))
        if corridor is not None and all(_apart(corridor, other) >= gap_mm for other in found):
            found.append(corridor)
        if len(found) == count:
            break
    return found


def solid_of(bone: BoneField) -> Solid:
    """A bone's fields as the search for cylinders takes them."""
    return Solid(
        bone.grid,
        np.ascontiguousarray(bone.depth_mm, dtype=np.float32),
        np.ascontiguousarray(bone.in_lesion >= 0.5).astype(np.uint8),
        np.ascontiguousarray(bone.healthy >= 0.5).astype(np.uint8),
    )


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
        solid, seeds, ways, anchor_mm=anchor_mm, reach_mm=REACH_MM, least_mm=LEAST_DIAMETER_MM / 2
    ) if len(seeds) else np.zeros((0, len(ways)))  # fmt: skip
    usable = np.flatnonzero(score.ravel() > 0)
    points = bone.grid.to_lps(seeds) if len(seeds) else np.zeros((0, 3))
    ties = tie_break((points - bone.grid.center_lps_mm) @ bone.grid.directions, bone.side_x)[:, None]
    ties = ties + 100.0 * tie_break(local, bone.side_x)[None]
    order = usable[np.lexsort((ties.ravel()[usable], -np.round(score.ravel()[usable], 2)))]
    taken: list[tuple[Array, Array]] = []
    steep = np.cos(np.radians(STARTS_APART_DEG))
    for index in order[:20000]:
        point, way = points[index // len(ways)], ways[index % len(ways)]
        if all(
            abs(way @ other) < steep or np.linalg.norm(np.cross(point - place, other)) > STARTS_APART_MM
            for place, other in taken
        ):
            taken.append((point, way))
        if len(taken) == REFINED:
            break
    return np.array([point for point, _ in taken]).reshape(-1, 3), np.array([way for _, way in taken]).reshape(-1, 3)


def seeds_ijk(bone: BoneField, need_mm: float, most: int = SEEDS) -> Array:
    """(n, 3) voxels of the lesion, or without one of the bone, deep enough, thinned evenly about the box's center."""
    tumor = bone.in_lesion >= 0.5
    ijk = np.argwhere((tumor if tumor.any() else bone.healthy >= 0.5) & (bone.depth_mm >= need_mm))
    if not len(ijk):
        return ijk
    low, high = ijk.min(axis=0), ijk.max(axis=0)
    for stride in range(1, 60):
        kept = ijk[np.all(np.abs(2 * ijk - (low + high)) // 2 % stride == 0, axis=1)]
        if len(kept) <= most:
            return kept if len(kept) else ijk[:1]
    return kept


def _measured(bone: BoneField, origin: Array, way: Array, radius_mm: float) -> FreeCorridor | None:
    """The cylinder as long as the bone holds it."""
    along = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    points = origin + along[:, None] * way
    deep = bone.at(bone.depth_mm, points, outside=-1.0) >= radius_mm - 1e-3
    middle = len(along) // 2
    before, after = np.flatnonzero(~deep[:middle]), np.flatnonzero(~deep[middle:])
    if radius_mm <= 0 or not deep[middle] or not len(before) or not len(after):
        return None
    low, high = int(before[-1]) + 1, middle + int(after[0]) - 1
    lesion = bone.at(bone.in_lesion, points[low : high + 1], outside=0.0) >= 0.5
    healthy = bone.at(bone.healthy, points[low : high + 1], outside=0.0) >= 0.5
    inside = np.flatnonzero(lesion)
    first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (middle - low, middle - low - 1)
    return FreeCorridor(
        axis=Segment(start_lps_mm=as_vector(points[low]), end_lps_mm=as_vector(points[high])),
        diameter_mm=2 * radius_mm,
        anchor_start_mm=STEP_MM * int(healthy[:first].sum()),
        anchor_end_mm=STEP_MM * int(healthy[last + 1 :].sum()),
        crossing_mm=STEP_MM * len(inside),
    )
