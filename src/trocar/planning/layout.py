"""Bundles of parallel cryoprobes: where each lies across the bundle, how deep its tip goes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from trocar.model.space import Array
from trocar.planning.directions import perpendicular
from trocar.planning.surroundings import Surroundings

DISTAL_SEARCH_MM = 4.0  # how far from its line a probe counts the lesion as in front of it
PROFILE_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Parallel probes: `outward` from tip to skin; offsets in mm from the lesion's center across it.

    `beyond_mm` is how far each tip goes past the lesion's far edge on its own line.
    """

    outward: tuple[float, float, float]
    pattern: str
    count: int
    spacing_mm: float
    stretch_frac: float  # of a pattern's second side to its first
    turn_deg: float
    shift_mm: tuple[float, float] = (0.0, 0.0)
    beyond_mm: float = 5.0

    def moved(self, **changes: object) -> "Bundle":
        """The bundle with these fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def offsets_mm(bundle: Bundle) -> Array:
    """(count, 2) positions across the bundle; the nearest two are `spacing_mm` apart."""
    turn = np.radians(bundle.turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (
        _pattern_mm(bundle.pattern, bundle.count, bundle.spacing_mm, bundle.stretch_frac) @ rotation.T + bundle.shift_mm
    )


@lru_cache(maxsize=256)
def _pattern_mm(pattern: str, count: int, spacing_mm: float, stretch_frac: float) -> Array:
    """(count, 2) positions of a pattern that is neither turned nor shifted."""
    s, ratio = spacing_mm, stretch_frac
    match pattern:
        case "single":
            points = np.zeros((1, 2))
        case "row":
            points = np.stack([(np.arange(count) - (count - 1) / 2) * s, np.zeros(count)], axis=1)
        case "triangle":
            points = s * np.array([[-0.5, -np.sqrt(3) / 6], [0.5, -np.sqrt(3) / 6], [0.0, np.sqrt(3) / 3]])
        case "rectangle":
            points = 0.5 * s * np.array([[-1, -ratio], [1, -ratio], [-1, ratio], [1, ratio]])
        case "rhombus":
            half = np.radians(60.0 + 30.0 * (ratio - 1.0)) / 2
            points = s * np.array([[np.cos(half), 0], [-np.cos(half), 0], [0, np.sin(half)], [0, -np.sin(half)]])
            points *= max(1.0, 0.5 / np.sin(half))
        case _:
            points = _hexagonal(count, s)
    points.flags.writeable = False
    return points


def _hexagonal(count: int, spacing_mm: float) -> Array:
    """The `count` points of a hexagonal lattice nearest to its center of symmetry."""
    rows = np.arange(-4, 5)
    lattice = np.array([[i + 0.5 * j, j * np.sqrt(3) / 2] for j in rows for i in rows])
    if count % 2 == 0:
        lattice[:, 0] += 0.5
    order = np.lexsort((lattice[:, 0], lattice[:, 1], np.round(np.linalg.norm(lattice, axis=1), 6)))
    points = lattice[order[:count]] * spacing_mm
    return points - points.mean(axis=0)


def patterns(count: int, spacings_mm: tuple[float, ...]) -> Iterator[tuple[str, float, float, float]]:
    """(pattern, spacing, stretch, turn) of the layouts to try for a number of probes."""
    for spacing in spacings_mm:
        if count == 1:
            yield "single", spacing, 1.0, 0.0
            return
        turns = np.arange(0.0, 180.0, 15.0)
        if count <= 3:
            yield from (("row", spacing, 1.0, float(turn)) for turn in turns)
        if count == 3:
            yield from (("triangle", spacing, 1.0, float(turn)) for turn in np.arange(0.0, 120.0, 15.0))
        if count == 4:
            for ratio in (1.0, 1.25, 1.5):
                yield from (("rectangle", spacing, ratio, float(turn)) for turn in turns[: 6 if ratio == 1 else 12])
            yield from (("rhombus", spacing, ratio, float(turn)) for ratio in (1.0, 1.5) for turn in turns)
        if count > 4:
            yield from (("hexagonal", spacing, 1.0, float(turn)) for turn in turns)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The lesion seen along one direction: how deep its far side lies under each point across it."""

    center: Array
    outward: Array
    across: tuple[Array, Array]
    deepest_mm: Array  # on a square lattice of PROFILE_MM around the center; -inf where a line misses the lesion

    def tips_lps_mm(self, bundle: Bundle) -> Array | None:
        """(count, 3) tips of a bundle along this direction; None when a probe's line misses the lesion."""
        lateral = offsets_mm(bundle)
        middle = (len(self.deepest_mm) - 1) // 2
        index = np.clip(np.rint(lateral / PROFILE_MM).astype(int) + middle, 0, 2 * middle)
        depth = self.deepest_mm[index[:, 0], index[:, 1]]
        if not np.isfinite(depth).all():
            return None
        first, second = self.across
        tips: Array = (
            self.center
            + lateral[:, :1] * first
            + lateral[:, 1:] * second
            - (depth + bundle.beyond_mm)[:, None] * self.outward
        )
        return tips


def profile(around: Surroundings, outward: Array) -> Profile:
    """The lesion's profile along a direction (target to skin)."""
    center, axes, extents = around.lesion_frame
    first, second = perpendicular(outward, axes[:, 0], around.side_x)
    relative = around.lesion_points_lps_mm - center
    middle = int(np.ceil(extents.max() / PROFILE_MM)) + 2
    deepest = np.full((2 * middle + 1, 2 * middle + 1), -np.inf)
    column = np.rint(relative @ first / PROFILE_MM).astype(int) + middle
    row = np.rint(relative @ second / PROFILE_MM).astype(int) + middle
    np.maximum.at(deepest, (column, row), -(relative @ outward))
    disc = np.hypot(*np.mgrid[-2:3, -2:3]) * PROFILE_MM <= DISTAL_SEARCH_MM
    return Profile(center, outward, (first, second), ndimage.maximum_filter(deepest, footprint=disc))
