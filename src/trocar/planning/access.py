"""Straight paths from the skin to a target: which are admissible, what they cost, and why the others are not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from trocar.catalog import device, limit
from trocar.model.device import Accessory, BiopsyNeedle, Cryoprobe, Screw, Trocar
from trocar.model.space import Array, Segment, as_vector
from trocar.model.treatment import Placement, Rejection
from trocar.planning.directions import sphere, spread
from trocar.planning.obstacles import Obstacle
from trocar.planning.position import reachable
from trocar.planning.surroundings import Barrier, Surroundings, look_up

NAVIGATED_ERROR_MM = 2.0
FREEHAND_ERROR_MM = 4.0
STEP_MM = 2.0
LONGEST_MM = 260.0
CHUNK_PATHS = 4000
GRID_SLACK_MM = 0.5  # what the coarse fields may err on the optimistic side; the exact check follows
BEYOND_IMAGE = "field_of_view"
REASONS = 8
EXACT_MISSES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is pushed along a path: its real radius, how far it may stray, how long it comes.

    `ignores` names structures that it may touch: the joint a screw bridges, the nerve a sensor is put beside.
    """

    what: str
    device: str
    role: str
    diameter_mm: float
    lengths_mm: tuple[float, ...] = ()
    placement_error_mm: float = NAVIGATED_ERROR_MM
    ignores: frozenset[str] = frozenset()

    @property
    def radius_mm(self) -> float:
        return self.diameter_mm / 2

    @property
    def reach_mm(self) -> float:
        """The longest path it can take, a hub's reserve staying outside; unlimited when its lengths are unknown."""
        if not self.lengths_mm:
            return LONGEST_MM
        return min(max(self.lengths_mm) - limit("needle_hub_reserve_mm").value, LONGEST_MM)


def instrument(device_id: str, role: str, *, what: str, placement_error_mm: float = NAVIGATED_ERROR_MM) -> Instrument:
    """A catalog device as an instrument."""
    known = device(device_id)
    match known:
        case Cryoprobe():
            lengths = known.shaft_lengths_mm
        case BiopsyNeedle() | Trocar() | Screw() | Accessory():
            lengths = known.lengths_mm
        case _:
            lengths = ()
    diameter = getattr(known, "diameter_mm", None)
    return Instrument(
        what=what,
        device=device_id,
        role=role,
        diameter_mm=float(diameter or 0.0),
        lengths_mm=lengths,
        placement_error_mm=placement_error_mm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Candidate paths, one row each: from `targets` along `outward` to the skin."""

    targets: Array
    outward: Array
    length_mm: Array
    margins_mm: Array = field(repr=False)  # (n, barriers): clearance left over the hard limit
    nearest: Array = field(repr=False)  # (n, barriers): which structure of the barrier
    cortex_mm: Array
    out_of_plane_deg: Array
    reached: Array  # ends at a skin that the image shows
    admissible: Array
    cost: Array

    @property
    def best_first(self) -> Array:
        """Indices of the admissible paths by increasing cost."""
        order = np.argsort(np.where(self.admissible, self.cost, np.inf), kind="stable")
        return order[: int(self.admissible.sum())]

    def shown(self, index: int) -> Segment:
        """As `segment`, to a hundredth of a millimeter, also for a path that meets no skin."""
        target = np.round(self.targets[index], 2)
        start = target + self.outward[index] * min(float(self.length_mm[index]), LONGEST_MM)
        return Segment(start_lps_mm=as_vector(np.round(start, 2)), end_lps_mm=as_vector(target))

    def segment(self, index: int) -> Segment:
        """From the skin to the target."""
        target, outward = self.targets[index], self.outward[index]
        return Segment(start_lps_mm=as_vector(target + outward * self.length_mm[index]), end_lps_mm=as_vector(target))


def trace(
    around: Surroundings, targets: Array, outward: Array, tool: Instrument, up: Array | None, *, start_mm: float = 0.0
) -> Paths:
    """Follow paths from (n, 3) targets along (n, 3) outward unit vectors to the skin and measure them.

    `up` restricts them to what the patient's position lets reach; `start_mm` leaves out the part next to the target.
    """
    parts = [
        _follow(around, targets[low : low + CHUNK_PATHS], outward[low : low + CHUNK_PATHS], tool, start_mm)
        for low in range(0, max(len(targets), 1), CHUNK_PATHS)
    ]
    length, margins, nearest, cortex, reached = (np.concatenate(column) for column in zip(*parts, strict=True))
    tilt = np.degrees(np.arcsin(np.clip(np.abs(outward[:, 2]), 0.0, 1.0)))
    admissible = reached & (length <= tool.reach_mm) & np.all(margins >= 0, axis=1)
    if up is not None:
        admissible &= reachable(outward, up)
    return Paths(
        targets=targets,
        outward=outward,
        length_mm=length,
        margins_mm=margins,
        nearest=nearest,
        cortex_mm=cortex,
        out_of_plane_deg=tilt,
        reached=reached,
        admissible=admissible,
        cost=_cost(around, length, margins, cortex, tilt),
    )


def search(around: Surroundings, target: Array, tool: Instrument, up: Array | None, *, directions: int = 3000) -> Paths:
    """Every direction of a sphere around one target."""
    outward = sphere(directions)
    return trace(around, np.broadcast_to(target, outward.shape), outward, tool, up)


def _follow(
    around: Surroundings, targets: Array, outward: Array, tool: Instrument, start_mm: float
) -> tuple[Array, Array, Array, Array, Array]:
    along = np.arange(0.0, min(tool.reach_mm, LONGEST_MM) + 4 * STEP_MM, STEP_MM)
    points = targets[:, None] + along[None, :, None] * outward[:, None]
    length, reached = _to_skin(around, points, along)
    on_path = (along[None] <= length[:, None]) & (along[None] >= start_mm)
    need = tool.radius_mm + tool.placement_error_mm + GRID_SLACK_MM
    margins = np.full((len(targets), len(around.barriers)), np.inf)
    nearest = np.zeros(margins.shape, dtype=int)
    for column, barrier in enumerate(around.barriers):
        if not barrier.names:
            continue
        distance = look_up(around, _without(barrier.distance_mm, barrier, tool), points, outside=np.inf)
        distance = np.where(on_path, distance, np.inf)
        worst = np.argmin(distance, axis=1)
        rows = np.arange(len(targets))
        margins[:, column] = distance[rows, worst] - need - barrier.rule.hard_mm
        where = np.rint(around.grid.to_ijk(points[rows, worst])).astype(int)
        index = tuple(np.clip(where, 0, np.asarray(around.grid.shape) - 1).T)
        nearest[:, column] = barrier.nearest[index] - 1
    cortex = look_up(around, around.cortex, points, outside=0.0)
    return length, margins, nearest, np.where(on_path, cortex, 0.0).sum(axis=1) * STEP_MM, reached


def _without(distance_mm: Array, barrier: Barrier, tool: Instrument) -> Array:
    ignored = [number for number, name in enumerate(barrier.names, start=1) if name in tool.ignores]
    if not ignored:
        return distance_mm
    return np.where(np.isin(barrier.nearest, ignored), np.float32(1e3), distance_mm)


def _to_skin(around: Surroundings, points: Array, along: Array) -> tuple[Array, Array]:
    """(n,) lengths to where each path leaves the body, and whether the image shows the skin there."""
    body = look_up(around, around.body, points, outside=0.0)
    out = body < 0.5
    first = np.argmax(out, axis=1)
    rows = np.arange(len(points))
    leaves = out.any(axis=1) & (first > 0)
    before, after = body[rows, np.maximum(first - 1, 0)], body[rows, first]
    part = np.clip((before - 0.5) / np.maximum(before - after, 1e-6), 0.0, 1.0)
    length = np.where(leaves, along[np.maximum(first - 1, 0)] + part * STEP_MM, np.inf)
    shown = look_up(around, around.seen.astype(np.float32), points[rows, first], outside=0.0) > 0.99
    return length, leaves & shown


def _cost(around: Surroundings, length: Array, margins: Array, cortex: Array, tilt: Array) -> Array:
    """Dimensionless: 50 mm of path, 10 mm of cortex, 20 deg too much out of plane or a soft limit used up cost 1."""
    soft = np.array([barrier.rule.soft_mm - barrier.rule.hard_mm for barrier in around.barriers])
    short = np.clip(1.0 - margins / np.maximum(soft, 1e-6), 0.0, 2.0).sum(axis=1)
    steep = np.clip(tilt - limit("out_of_plane_deg").value, 0.0, None) / 20.0
    return np.where(np.isfinite(length), length, 1e3) / 50.0 + cortex / 10.0 + steep + short


def rejections(around: Surroundings, paths: Paths, tool: Instrument, up: Array | None, *, what: str) -> list[Rejection]:
    """Why paths were refused: for each constraint and structure the nearest miss, with the path it happened on.

    The millimeters are measured exactly on that path. The most frequent reasons come first.
    """
    found: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for index in np.flatnonzero(~paths.admissible):
        reason = _violation(around, paths, tool, up, int(index))
        if reason is not None:
            found.setdefault(reason[:2], []).append((reason[2], int(index)))
    frequent = sorted(found.items(), key=lambda item: -len(item[1]))[:REASONS]
    said = [_nearest_miss(around, paths, tool, key, misses, what) for key, misses in frequent]
    return [rejection for rejection in said if rejection is not None]


def _violation(
    around: Surroundings, paths: Paths, tool: Instrument, up: Array | None, index: int
) -> tuple[str, str, float] | None:
    """(constraint, structure, excess) of a refused path; None for one out of the position's reach."""
    if up is not None and not reachable(paths.outward[index], up):
        return None
    for column, barrier in enumerate(around.barriers):
        margin = float(paths.margins_mm[index, column])
        if margin < 0:
            return barrier.rule.constraint, barrier.names[paths.nearest[index, column]], -margin
    if not paths.reached[index]:
        return BEYOND_IMAGE, "body", 0.0
    return "needle_length", tool.device, float(paths.length_mm[index]) - tool.reach_mm


def _nearest_miss(
    around: Surroundings,
    paths: Paths,
    tool: Instrument,
    key: tuple[str, str],
    misses: list[tuple[float, int]],
    what: str,
) -> Rejection | None:
    constraint, structure = key
    obstacle = next((item for item in around.obstacles if item.name == structure), None)
    for _, index in sorted(misses)[:EXACT_MISSES]:
        if obstacle is not None:
            limit_mm = obstacle.rule.hard_mm + tool.placement_error_mm
            value = obstacle.clearance_mm(paths.shown(index), tool.radius_mm)
            if value >= limit_mm:
                continue  # refused by the coarse fields' reserve only
        elif constraint == "needle_length":
            value, limit_mm = float(paths.length_mm[index]), tool.reach_mm
        else:
            value, limit_mm = 0.0, 0.0
        return Rejection(
            what=f"{what}: {len(misses)} paths, nearest miss {_describe(paths, index)}",
            constraint=constraint,
            structure=structure,
            value_mm=round(value, 2),
            limit_mm=round(limit_mm, 2),
        )
    return None


def _describe(paths: Paths, index: int) -> str:
    shown = paths.shown(index)
    return f"from {written(shown.start_lps_mm)} to {written(shown.end_lps_mm)}"


def written(point: Iterable[float]) -> str:
    """A point as text, to a hundredth of a millimeter."""
    return "(" + ", ".join(f"{value:.2f}" for value in point) + ")"


def clear(obstacles: Iterable[Obstacle], axis: Segment, tool: Instrument) -> bool:
    """Whether an instrument keeps every hard clearance, measured exactly."""
    return all(
        obstacle.clearance_mm(axis, tool.radius_mm) >= obstacle.rule.hard_mm + tool.placement_error_mm
        for obstacle in obstacles
        if obstacle.name not in tool.ignores
    )


def first_clear(around: Surroundings, paths: Paths, tool: Instrument, *, attempts: int = 40) -> int | None:
    """The cheapest admissible path that also passes the exact check; None when none of the first attempts does."""
    return next(
        (int(index) for index in paths.best_first[:attempts] if clear(around.obstacles, paths.segment(index), tool)),
        None,
    )


def diverse(paths: Paths, *, apart_deg: float, count: int) -> list[int]:
    """The cheapest admissible paths whose directions differ by at least `apart_deg`."""
    return spread(paths.outward, paths.best_first, apart_deg=apart_deg, count=count)


def needle(tool: Instrument, path: Segment, name: str, *, volume_ml: float | None = None) -> Placement:
    """A placement from the skin to the target along a path."""
    return Placement(
        device=tool.device,
        role=tool.role,
        name=name,
        entry_lps_mm=path.start_lps_mm,
        target_lps_mm=path.end_lps_mm,
        skin_lps_mm=path.start_lps_mm,
        length_mm=path.length_mm,
        diameter_mm=tool.diameter_mm,
        volume_ml=volume_ml,
    )
