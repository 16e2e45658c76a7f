"""Bundles that can be placed: ranked by the geometric score among those whose every probe has an admissible path."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.model.space import Array, Segment, as_vector
from trocar.planning.access import Instrument, Paths, clear, diverse, search, trace
from trocar.planning.icescore import coverage_scores
from trocar.planning.layout import Bundle, patterns, profile
from trocar.planning.surroundings import Surroundings

SCORED_POINTS = 700
DIRECTIONS_TRIED = 20
TRACED_PER_DIRECTION = 16
APART_DEG = 14.0
PATH_WEIGHT = 0.02  # of a path's cost unit against a share of coverage


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A bundle with the paths of its probes and its geometric score."""

    bundle: Bundle
    paths: tuple[Segment, ...]
    lethal_frac: float
    visible_frac: float
    score: float


def spacings_mm() -> tuple[float, ...]:
    """The spacings tried, within the limits."""
    low, high = limit("probe_spacing_min_mm").value, limit("probe_spacing_max_mm").value
    return tuple(float(value) for value in np.linspace(low, high, 6)[1:])


def approaches(around: Surroundings, tool: Instrument, up: Array) -> tuple[Paths, list[int]]:
    """The paths to the lesion's center and a spread choice of the cheapest."""
    paths = search(around, around.lesion_frame[0], tool, up)
    return paths, diverse(paths, apart_deg=APART_DEG, count=DIRECTIONS_TRIED)


def scored_points(around: Surroundings, count: int = SCORED_POINTS) -> Array:
    """A regular thinning of the lesion's voxels to about `count`, symmetric about its center."""
    ijk = np.argwhere(around.in_lesion)
    stride = max(1, round((len(ijk) / count) ** (1 / 3)))
    middle = (np.asarray(around.grid.shape) - 1) // 2
    kept = np.all((ijk - middle) % stride == 0, axis=1)
    return around.grid.to_lps(ijk[kept] if kept.any() else ijk)


def candidates(
    around: Surroundings, tool: Instrument, up: Array, outwards: Array, count: int, *, beyond_mm: tuple[float, ...]
) -> list[Placed]:
    """Every pattern of `count` probes along each of (n, 3) approaches that can be placed, the best score first."""
    points = scored_points(around)
    found = []
    for outward in outwards:
        bundles = [
            Bundle(
                outward=as_vector(outward),
                pattern=pattern,
                count=count,
                spacing_mm=spacing,
                stretch_frac=ratio,
                turn_deg=turn,
                beyond_mm=beyond,
            )
            for pattern, spacing, ratio, turn in patterns(count, spacings_mm())
            for beyond in beyond_mm
        ]
        found += _along_one_direction(around, tool, up, points, bundles)
    return sorted(found, key=lambda placed: -placed.score)


def _along_one_direction(
    around: Surroundings, tool: Instrument, up: Array, points: Array, bundles: list[Bundle]
) -> list[Placed]:
    outward = np.asarray(bundles[0].outward)
    seen_along = profile(around, outward)
    layouts = [(bundle, tips) for bundle in bundles if (tips := seen_along.tips_lps_mm(bundle)) is not None]
    if not layouts:
        return []
    lethal, visible = coverage_scores(points, np.stack([tips for _, tips in layouts]), outward, tool.device)
    best = np.argsort(-(lethal + 0.5 * visible), kind="stable")[:TRACED_PER_DIRECTION]
    targets = np.concatenate([layouts[index][1] for index in best])
    traced = trace(around, targets, np.broadcast_to(outward, targets.shape), tool, up)
    placed = []
    for rank, index in enumerate(best):
        bundle, tips = layouts[index]
        rows = range(rank * len(tips), (rank + 1) * len(tips))
        if all(traced.admissible[row] for row in rows):
            cost = float(np.mean([traced.cost[row] for row in rows]))
            segments = tuple(traced.segment(row) for row in rows)
            placed.append(_scored(bundle, segments, float(lethal[index]), float(visible[index]), cost))
    return placed


def place(around: Surroundings, tool: Instrument, up: Array, bundle: Bundle) -> Placed | None:
    """One bundle's paths; None when a probe misses the lesion or has no admissible path, measured exactly."""
    outward = np.asarray(bundle.outward)
    tips = profile(around, outward).tips_lps_mm(bundle)
    if tips is None:
        return None
    traced = trace(around, tips, np.broadcast_to(outward, tips.shape), tool, up)
    segments = tuple(traced.segment(row) for row in range(len(tips)) if traced.admissible[row])
    if len(segments) < len(tips) or not all(clear(around.obstacles, segment, tool) for segment in segments):
        return None
    lethal, visible = coverage_scores(scored_points(around), tips, outward, tool.device)
    return _scored(bundle, segments, float(lethal), float(visible), float(traced.cost.mean()))


def _scored(bundle: Bundle, paths: tuple[Segment, ...], lethal: float, visible: float, cost: float) -> Placed:
    return Placed(bundle, paths, lethal, visible, lethal + 0.5 * visible - PATH_WEIGHT * cost)
