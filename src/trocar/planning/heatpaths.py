"""Where applicators of heat may lie: admissible paths, ranked by how far their heat would have to reach."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from trocar.catalog import limit
from trocar.catalog.tolerances import HOT_LIMIT_OF_ROLE
from trocar.model.space import Array, Segment
from trocar.model.treatment import Rejection
from trocar.planning.access import clear, rejections, trace
from trocar.planning.array import Admission
from trocar.planning.bundles import scored_points
from trocar.planning.directions import sphere, tie_break
from trocar.planning.gap import axis_gap_mm
from trocar.planning.heaters import Heater
from trocar.planning.surroundings import Surroundings

MIDDLES_TRIED = 40
DIRECTIONS = 700
FARTHEST_FRAC = 0.95  # of the lesion's points: those the heat has to reach
GUARD_MM = 5.0  # what heat must not reach counts from this far beyond where heat has to reach; design
COST_MM = 2.0  # a path's unit of cost against a millimeter of reach; design
APART_MM = 4.0  # between the middles of two placements that are both worth a prediction
APART_DEG = 20.0
PER_MIDDLE = 3  # placements of each middle that groups are made of
KEPT, WIDER = 30, 6  # groups of each size, and ways to widen each
SPREAD_MM = 10.0  # least distance between the axes of two applicators; design
HELD_MM, HELD_WORTH = 40.0, 0.1  # bone that holds a needle, as far as it counts, against a millimeter of reach; design


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Admissible placements of one applicator, the best guess first; `reach_mm` (n, points) from heat to lesion.

    `way_mm` is what the way in and what lies near it are worth; with how far heat has to reach it makes the score.
    """

    paths: tuple[Segment, ...]
    way_mm: Array
    score_mm: Array
    reach_mm: Array
    refused: tuple[Rejection, ...] = ()


def ways(admit: Admission, heater: Heater) -> Ways:
    """Every admissible placement whose heating part has its middle in the lesion and whose tip hardly leaves it."""
    around = admit.around
    middles, outward = scored_points(around, MIDDLES_TRIED), sphere(DIRECTIONS)
    flat = np.tile(outward, (len(middles), 1))
    tips = np.repeat(middles, len(outward), axis=0) - heater.middle_mm * flat
    traced = trace(around, tips, flat, heater.tool, admit.up)
    refused = tuple(rejections(around, traced, heater.tool, admit.up, what=heater.tool.what))
    rows = np.flatnonzero(traced.admissible)
    beyond = cKDTree(around.lesion_points_lps_mm).query(tips[rows])[0] if len(rows) else np.zeros(0)
    rows = rows[beyond <= limit("probe_beyond_margin_mm").value]
    if not len(rows):
        return Ways((), np.zeros(0), np.zeros(0), np.zeros((0, 0)), refused)
    points = scored_points(around)
    parts = np.array_split(rows, max(1, len(rows) // 1000))
    reach = np.concatenate([_reach_mm(points, tips[part], flat[part], heater) for part in parts])
    far = np.quantile(reach, FARTHEST_FRAC, axis=1)
    close = np.clip(far + GUARD_MM - _guarded_mm(around, tips[rows], flat[rows], heater), 0.0, None)
    held = HELD_WORTH * np.minimum(traced.bone_mm[rows], HELD_MM)
    way = 0.5 * close + COST_MM * traced.cost[rows] - held
    score = np.round(far + way, 4)
    order = np.lexsort((tie_break(flat[rows], around.side_x), score))
    paths = tuple(traced.segment(int(row)) for row in rows[order])
    return Ways(paths, way[order], score[order], reach[order], refused)


def _reach_mm(points: Array, tips: Array, outward: Array, heater: Heater) -> Array:
    """(n, points) from the surface of what heats to each point of the lesion, 0 within it."""
    offset = (points[None] - tips[:, None]).astype(np.float32)
    along = np.einsum("npc,nc->np", offset, outward.astype(np.float32))
    past = along - np.clip(along, heater.near_mm, heater.far_mm)
    squared = (offset**2).sum(axis=-1) - along**2 + past**2
    return np.maximum(np.sqrt(np.maximum(squared, 0.0)) - heater.reach_mm, 0.0)


def _guarded_mm(around: Surroundings, tips: Array, outward: Array, heater: Heater) -> Array:
    """(n,) from what heats to the nearest structure that has a limit of temperature."""
    roles = {item.name: item.role for item in around.case.structures}
    points = [
        item.points_lps_mm[:: max(1, len(item.points_lps_mm) // 2000)]
        for item in around.obstacles
        if roles[item.name] in HOT_LIMIT_OF_ROLE
    ]
    if not points:
        return np.full(len(tips), np.inf)
    tree = cKDTree(np.concatenate(points))
    sampled = [tips + at * outward for at in np.linspace(heater.near_mm, heater.far_mm, 5)]
    return np.min([tree.query(each)[0] for each in sampled], axis=0) - heater.reach_mm


class Choice(NamedTuple):
    """Applicators that may be placed together; the smaller the score the better their way in and their reach."""

    paths: tuple[Segment, ...]
    score_mm: float


def singles(admit: Admission, heater: Heater, found: Ways, count: int) -> list[Choice]:
    """The best placements that pass the exact check and differ from each other."""
    taken: list[Choice] = []
    for path, score in zip(found.paths, found.score_mm, strict=True):
        if len(taken) == count:
            break
        if all(_differ(path, other.paths[0], heater) for other in taken) and _allowed(admit, heater, path):
            taken.append(Choice((path,), float(score)))
    return taken


def groups(admit: Admission, heater: Heater, found: Ways, number: int, count: int) -> list[Choice]:
    """The best of several applicators together, from the best placements of each middle, the best kept at each size."""
    rows = list(_per_middle(found, heater))
    kept: list[tuple[float, tuple[int, ...]]] = [(float(found.score_mm[row]), (row,)) for row in rows]
    for _ in range(number - 1):
        wider = {some: score for _, base in kept for score, some in _one_more(found, rows, base)}
        kept = sorted((score, some) for some, score in wider.items())[:KEPT]
    allowed: dict[int, bool] = {}
    taken: list[Choice] = []
    for score, some in kept:
        for row in some:
            if row not in allowed:
                allowed[row] = _allowed(admit, heater, found.paths[row])
        if all(allowed[row] for row in some):
            taken.append(Choice(tuple(found.paths[row] for row in some), score))
        if len(taken) == count:
            break
    return taken


def _one_more(found: Ways, rows: Sequence[int], base: tuple[int, ...]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Groups with one more applicator: how far the nearest has to reach, and the mean of the ways in."""
    reach = np.minimum(found.reach_mm[list(rows)], found.reach_mm[list(base)].min(axis=0))
    far = np.quantile(reach, FARTHEST_FRAC, axis=1)
    ways_mm = (found.way_mm[list(base)].sum() + found.way_mm[list(rows)]) / (len(base) + 1)
    order = np.argsort(np.round(far + ways_mm, 4), kind="stable")
    tried = (int(at) for at in order if rows[at] not in base)
    spread = (at for at in tried if _apart(found.paths[rows[at]], [found.paths[row] for row in base]))
    for at in islice(spread, WIDER):
        yield round(float(far[at] + ways_mm[at]), 4), tuple(sorted((*base, rows[at])))


def _per_middle(found: Ways, heater: Heater) -> Iterator[int]:
    counted: dict[tuple[float, ...], list[Segment]] = {}
    for row, path in enumerate(found.paths):
        segment = heater.segment(path)
        middle = tuple(round((a + b) / 2) for a, b in zip(segment.start_lps_mm, segment.end_lps_mm, strict=True))
        kept = counted.setdefault(middle, [])
        if len(kept) < PER_MIDDLE and all(_turned(path, other) for other in kept):
            kept.append(path)
            yield row


def _apart(path: Segment, others: Sequence[Segment]) -> bool:
    return all(axis_gap_mm(path, other) >= SPREAD_MM for other in others)


def _differ(path: Segment, other: Segment, heater: Heater) -> bool:
    middles = [np.asarray(heater.segment(each).at(heater.segment(each).length_mm / 2)) for each in (path, other)]
    return float(np.linalg.norm(middles[0] - middles[1])) >= APART_MM or _turned(path, other)


def _turned(path: Segment, other: Segment) -> bool:
    return float(path.direction @ other.direction) < np.cos(np.radians(APART_DEG))


def _allowed(admit: Admission, heater: Heater, path: Segment) -> bool:
    """The exact check: of the shaft, and of tines that spread beyond it."""
    if not (admit.apart(path) and clear(admit.around.obstacles, path, heater.tool)):
        return False
    if heater.reach_mm <= 0.0:
        return True
    spread, tined = heater.spread_mm(path), heater.segment(path)
    return all(item.clearance_mm(tined, spread) >= item.rule.hard_mm for item in admit.around.obstacles)
