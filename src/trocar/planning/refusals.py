"""Why paths were refused: for each region of the skin the constraint, the structure and the millimeters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog import limit
from trocar.model.space import Array
from trocar.model.treatment import Rejection
from trocar.planning.paths import Instrument, Paths
from trocar.planning.surroundings import Surroundings

REASONS = 8
REGIONS_PER_REASON = 3
LEAST_SHARE_FRAC = 0.01  # of the refused paths: smaller regions are not spoken of
EXACT_MISSES = 12
CELL_MM = 10.0  # refused entries this near to each other make one region
OUT_OF_REACH = "patient_position"


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Paths refused for one reason whose entries lie together on the skin, the nearest misses first."""

    constraint: str
    structure: str
    rows: Array
    excess: Array  # how far each lies over the limit, increasing


def rejections(around: Surroundings, paths: Paths, tool: Instrument, up: Array | None, *, what: str) -> list[Rejection]:
    """For each region of refused entries its constraint and structure, with the nearest miss and the path it was on.

    The millimeters are measured exactly on that path; the largest regions come first. Paths out of the position's
    reach are not spoken of, unless nothing else is.
    """
    del up  # kept in `paths.reason`
    found = regions(around, paths, tool)
    said = [_nearest_miss(around, paths, tool, region, what) for region in found]
    return [rejection for rejection in said if rejection is not None]


def regions(around: Surroundings, paths: Paths, tool: Instrument) -> list[Region]:
    """The regions of refused entries: the most frequent reasons, at most three regions of each, the largest first."""
    kinds = _by_reason(around, paths, tool)
    spoken = [kind for kind in kinds if kind.constraint != OUT_OF_REACH] or kinds
    frequent = sorted(spoken, key=lambda kind: -len(kind.rows))[:REASONS]
    refused = sum(len(kind.rows) for kind in spoken)
    parts: list[Region] = []
    for kind in frequent:
        split = sorted(_split(paths, kind), key=lambda region: -len(region.rows))[:REGIONS_PER_REASON]
        parts += [region for region in split if len(region.rows) >= LEAST_SHARE_FRAC * refused] or split[:1]
    return sorted(parts, key=lambda region: -len(region.rows))


def _by_reason(around: Surroundings, paths: Paths, tool: Instrument) -> list[Region]:
    kinds: list[Region] = []
    barriers = {barrier.rule.constraint: (at, barrier) for at, barrier in enumerate(around.barriers)}
    for number, constraint in enumerate(paths.reasons):
        rows = np.flatnonzero(paths.reason == number)
        if number == 0 or not len(rows):
            continue
        if constraint in barriers:
            at, barrier = barriers[constraint]
            which, over = paths.nearest[rows, at], -paths.margins_mm[rows, at]
            for structure in np.unique(which):
                there = which == structure
                kinds.append(_sorted(constraint, barrier.names[structure], rows[there], over[there]))
        else:
            kinds.append(_sorted(constraint, _subject(constraint, tool), rows, _excess(paths, tool, constraint, rows)))
    return kinds


def _sorted(constraint: str, structure: str, rows: Array, excess: Array) -> Region:
    order = np.argsort(excess, kind="stable")
    return Region(constraint, structure, rows[order], excess[order])


def _subject(constraint: str, tool: Instrument) -> str:
    return "body" if constraint in ("field_of_view", OUT_OF_REACH, "gantry_clearance") else tool.device


def _limit_mm(tool: Instrument, constraint: str) -> float:
    if constraint == "needle_length":
        return tool.reach_mm
    if constraint == "gantry_clearance":
        return limit("gantry_bore_mm").value / 2 - limit("gantry_margin_mm").value
    return limit("incision_max_mm").value if constraint == "incision" else 0.0


def _value_mm(paths: Paths, tool: Instrument, constraint: str, rows: Array) -> Array:
    match constraint:
        case "needle_length":
            return paths.length_mm[rows]
        case "gantry_clearance":
            return paths.hub_mm[rows]
        case "incision":
            return np.full(len(rows), tool.diameter_mm)
    return np.zeros(len(rows))


def _excess(paths: Paths, tool: Instrument, constraint: str, rows: Array) -> Array:
    if constraint == "out_of_plane_angle":
        return paths.out_of_plane_deg[rows]
    return _value_mm(paths, tool, constraint, rows) - _limit_mm(tool, constraint)


def _split(paths: Paths, kind: Region) -> Iterator[Region]:
    """A reason's paths by the connected patches that their entries make."""
    ends = paths.ends_lps_mm(kind.rows)
    cells = np.floor((ends - ends.min(axis=0)) / CELL_MM).astype(int)
    taken = np.zeros(cells.max(axis=0) + 1, dtype=bool)
    taken[tuple(cells.T)] = True
    labels, count = ndimage.label(taken, structure=np.ones((3, 3, 3)))
    patch = labels[tuple(cells.T)]
    for number in range(1, count + 1):
        there = patch == number
        yield Region(kind.constraint, kind.structure, kind.rows[there], kind.excess[there])


def _nearest_miss(around: Surroundings, paths: Paths, tool: Instrument, region: Region, what: str) -> Rejection | None:
    constraint = region.constraint
    obstacle = next((item for item in around.obstacles if item.name == region.structure), None)
    for index in region.rows[:EXACT_MISSES]:
        if obstacle is not None:
            limit_mm = obstacle.rule.hard_mm + tool.kept_free_mm(obstacle.stray_mm)
            value = obstacle.clearance_mm(paths.shown(index), tool.radius_mm)
            if value >= limit_mm:
                continue  # refused by the coarse fields' reserve only
        else:
            value, limit_mm = float(_value_mm(paths, tool, constraint, region.rows[:1])[0]), _limit_mm(tool, constraint)
        side = facing(paths.outward[region.rows].mean(axis=0))
        steep = f", {paths.out_of_plane_deg[index]:.0f} degrees" if constraint == "out_of_plane_angle" else ""
        return Rejection(
            what=f"{what}: {len(region.rows)} paths from {side}, nearest miss {_describe(paths, index)}{steep}",
            constraint=constraint,
            structure=region.structure,
            value_mm=round(min(value, 1e3), 2),
            limit_mm=round(limit_mm, 2),
        )
    return None


def facing(outward: Array) -> str:
    """A direction out of the patient in words, such as `posterior left, cranial`."""
    x, y, z = outward / max(float(np.linalg.norm(outward)), 1e-9)
    words = [
        name
        for value, names in ((y, ("posterior", "anterior")), (x, ("left", "right")))
        if abs(value) > 0.38
        for name in (names[0] if value > 0 else names[1],)
    ]
    level = ("cranial" if z > 0 else "caudal") if abs(z) > 0.38 else ""
    return ", ".join(part for part in (" ".join(words), level) if part) or "all around"


def _describe(paths: Paths, index: int) -> str:
    shown = paths.shown(index)
    return f"from {written(shown.start_lps_mm)} to {written(shown.end_lps_mm)}"


def written(point: Iterable[float]) -> str:
    """A point as text, to a hundredth of a millimeter."""
    return "(" + ", ".join(f"{value:.2f}" for value in point) + ")"
