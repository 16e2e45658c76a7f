"""The Pareto front of the admissible paths, and in words what each gives up and gains against the first choice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.catalog.structures import from_fr
from trocar.model.record import Vector
from trocar.model.space import Array, Segment
from trocar.model.treatment import Text
from trocar.planning.access import clear
from trocar.planning.paths import Instrument, Paths
from trocar.planning.refusals import facing
from trocar.planning.surroundings import Surroundings

CLEAR_ENOUGH_MM = 15.0  # clearances beyond it count as equal; design
HELD_ENOUGH_MM = 40.0  # bone that holds a needle as well as more of it; design
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One soft constraint: differences below `grain` do not count; better is less, or more where `more_is_better`."""

    name: str
    grain: float
    unit: str
    more_is_better: bool = False
    words_en: tuple[str, str]  # for a larger and a smaller value
    words_fr: tuple[str, str]


OBJECTIVES = (
    Objective(
        name="length_mm", grain=5.0, unit="mm",
        words_en=("longer", "shorter"), words_fr=("plus long", "plus court"),
    ),
    Objective(
        name="clearance_mm", grain=1.0, unit="mm", more_is_better=True,
        words_en=("more clearance", "less clearance"), words_fr=("de distance en plus", "de distance en moins"),
    ),
    Objective(
        name="cortex_mm", grain=1.0, unit="mm",
        words_en=("more cortex to drill", "less cortex to drill"),
        words_fr=("de corticale à forer en plus", "de corticale à forer en moins"),
    ),
    Objective(
        name="tilt_deg", grain=5.0, unit="°",
        words_en=("further out of plane", "less out of plane"),
        words_fr=("plus hors du plan", "moins hors du plan"),
    ),
    Objective(
        name="held_mm", grain=10.0, unit="mm", more_is_better=True,
        words_en=("more bone to hold it", "less bone to hold it"),
        words_fr=("d'os de soutien en plus", "d'os de soutien en moins"),
    ),
    Objective(
        name="new_puncture", grain=1.0, unit="",
        words_en=("needs a puncture of its own", "shares a puncture"),
        words_fr=("demande sa propre ponction", "partage une ponction"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A path that no other betters in everything: figures by objective, nearest structure, words against the first."""

    path: Segment
    index: int
    figures: dict[str, float]
    nearest: str
    words: Text


def front(
    around: Surroundings, paths: Paths, tool: Instrument, *, entries: Iterable[Vector] = (), shown: int = SHOWN
) -> list[Option]:
    """The cheapest admissible path and up to `shown` - 1 others of the Pareto front, all checked exactly.

    `entries` are punctures already planned: a path within an incision of one shares it.
    """
    able = paths.best_first
    first = next((int(row) for row in able if clear(around.obstacles, paths.segment(int(row)), tool)), None)
    if first is None:
        return []
    figures = dict(zip(able.tolist(), path_values(around, paths, able, tuple(entries)), strict=True))
    kept = able[undominated(np.stack(list(figures.values())))]
    others = [int(row) for row in kept if row != first and gains(figures[int(row)], figures[first])]
    chosen = _spread(around, paths, tool, first, others, shown)
    return [_option(around, paths, index, figures[index], figures[first]) for index in chosen]


def gains(values: Array, first: Array, objectives: Sequence[Objective] = OBJECTIVES) -> bool:
    """Whether something is better than in the first choice, by half a grain at least."""
    return any(
        (value - other) * (1 if item.more_is_better else -1) >= item.grain / 2
        for item, value, other in zip(objectives, values, first, strict=True)
    )


def path_values(around: Surroundings, paths: Paths, rows: Array, entries: Sequence[Vector] = ()) -> Array:
    """(n, objectives) figures of these paths."""
    clearance = np.minimum(
        (paths.margins_mm[rows] + [barrier.rule.hard_mm for barrier in around.barriers]).min(axis=1), CLEAR_ENOUGH_MM
    )
    tilt = np.maximum(paths.out_of_plane_deg[rows], limit("out_of_plane_deg").value)
    skin = paths.ends_lps_mm(rows)
    reach = limit("incision_max_mm").value / 2
    shared = np.zeros(len(rows), bool)
    for entry in entries:
        shared |= np.linalg.norm(skin - entry, axis=1) <= reach
    new = np.where(shared, 0.0, 1.0)
    held = np.minimum(paths.bone_mm[rows], HELD_ENOUGH_MM)
    return np.stack([paths.length_mm[rows], clearance, paths.cortex_mm[rows], tilt, held, new], axis=1)


def undominated(values: Array, objectives: Sequence[Objective] = OBJECTIVES) -> Array:
    """Indices of the rows that no other betters, differences below each objective's grain left aside."""
    grain = np.array([item.grain for item in objectives])
    sign = np.array([-1.0 if item.more_is_better else 1.0 for item in objectives])
    coarse, first = np.unique(np.round(values / grain) * sign, axis=0, return_index=True)
    free = [
        at for at, row in enumerate(coarse) if not np.any(np.all(coarse <= row, axis=1) & np.any(coarse < row, axis=1))
    ]
    return np.sort(first[free])


def _spread(
    around: Surroundings, paths: Paths, tool: Instrument, first: int, others: list[int], shown: int
) -> list[int]:
    """The first, and then the farthest in direction from those taken, as far as they pass the exact check."""
    taken, left = [first], list(others)
    while left and len(taken) < shown:
        closest = (paths.outward[left] @ paths.outward[taken].T).max(axis=1)
        index = left.pop(int(np.argmin(np.round(closest, 6))))
        if clear(around.obstacles, paths.segment(index), tool):
            taken.append(index)
    return [first, *sorted(taken[1:], key=lambda index: float(paths.cost[index]))]


def _option(around: Surroundings, paths: Paths, index: int, values: Array, first: Array) -> Option:
    margins = paths.margins_mm[index]
    column = int(np.argmin(margins))
    near = paths.nearest[index, column]
    return Option(
        path=paths.segment(index),
        index=index,
        figures={item.name: round(float(value), 1) for item, value in zip(OBJECTIVES, values, strict=True)},
        nearest=around.barriers[column].names[near] if near >= 0 and np.isfinite(margins[column]) else "",
        words=_words(values, first),
    )


def _words(values: Array, first: Array) -> Text:
    """What differs from the first choice; of the first itself, how long and how clear it is."""
    said = in_words(values, first)
    if said is not None:
        return said
    length, clearance = float(values[0]), float(values[1])
    return Text(
        en=f"{length:.0f} mm long, {clearance:.0f} mm clear of the nearest structure",
        fr=f"{length:.0f} mm de long, à {clearance:.0f} mm de la structure la plus proche",
    )


def in_words(values: Array, first: Array, objectives: Sequence[Objective] = OBJECTIVES) -> Text | None:
    """What differs from the first choice by half a grain at least; None for nothing."""
    en, fr = [], []
    for item, value, other in zip(objectives, values, first, strict=True):
        change = float(value - other)
        if abs(change) < item.grain / 2:
            continue
        which = 0 if change > 0 else 1
        digits = 0 if item.grain >= 1 else 1
        space = "" if item.unit == "°" else " "
        amount = f"{abs(change):.{digits}f}{space}{item.unit} " if item.unit else ""
        en.append(amount + item.words_en[which])
        fr.append(amount.replace(".", ",") + item.words_fr[which])
    return Text(en=", ".join(en), fr=", ".join(fr)) if en else None


def compared(what: Text, options: Sequence[Option]) -> tuple[Text, ...]:
    """One sentence for each path beside the first, for a plan's list of what was compared."""
    return tuple(_another(what, option) for option in options[1:])


def _another(what: Text, option: Option) -> Text:
    side, skin = facing(-option.path.direction), place_of(option.path.start_lps_mm)
    return Text(
        en=f"{what.en}: another path, from {side} {skin}: {option.words.en}.",
        fr=f"{what.fr} : autre trajet, {from_fr(side)}, depuis {skin} : {option.words.fr}.",
    )


def place_of(point_lps_mm: Vector) -> str:
    """A place by its directions, so that no sign can be misread: `L 35 · P 120 · H 26 mm`."""
    pairs = zip(point_lps_mm, ("LR", "PA", "HF"), strict=True)
    return " · ".join(f"{names[x < 0]} {abs(x):.0f}" for x, names in pairs) + " mm"
