"""What the planner chose among, in words: the ways in of probes, the corridors of screws, each against its choice."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from trocar.catalog.structures import from_fr
from trocar.model.space import Array
from trocar.model.treatment import Text
from trocar.planning.front import OBJECTIVES, Objective, gains, in_words, path_values, place_of, undominated
from trocar.planning.paths import Paths
from trocar.planning.refine import Seen
from trocar.planning.refusals import facing
from trocar.planning.surroundings import Surroundings

if TYPE_CHECKING:
    from trocar.planning.fixation import Screwed

TOLD = 3  # alternatives at most
APART_DEG = 12.0  # corridors nearer than this in direction count as one
WEAK_ANCHOR_MM = 35.0  # an anchor longer than this holds as well; design

COVERED = (
    Objective(
        name="lethal_frac", grain=2.0, unit="%", more_is_better=True,
        words_en=("more lethal", "less lethal"), words_fr=("de létal en plus", "de létal en moins"),
    ),
    Objective(
        name="visible_frac", grain=2.0, unit="%", more_is_better=True,
        words_en=("more in ice", "less in ice"), words_fr=("de gelé en plus", "de gelé en moins"),
    ),
    *OBJECTIVES[:-1],
)  # fmt: skip
HELD = (
    Objective(
        name="anchor_mm", grain=4.0, unit="mm", more_is_better=True,
        words_en=("more anchor on its weaker side", "less anchor on its weaker side"),
        words_fr=("d'ancrage en plus du côté faible", "d'ancrage en moins du côté faible"),
    ),
    Objective(
        name="clearance_mm", grain=1.0, unit="mm", more_is_better=True,
        words_en=("more bone around it", "less bone around it"),
        words_fr=("d'os autour en plus", "d'os autour en moins"),
    ),
    Objective(
        name="diameter_mm", grain=0.5, unit="mm", more_is_better=True,
        words_en=("thicker", "thinner"), words_fr=("plus épaisse", "plus fine"),
    ),
    Objective(
        name="crossing_mm", grain=8.0, unit="mm", more_is_better=True,
        words_en=("more of the lesion crossed", "less of the lesion crossed"),
        words_fr=("de lésion traversée en plus", "de lésion traversée en moins"),
    ),
    Objective(
        name="path_mm", grain=10.0, unit="mm",
        words_en=("deeper from the skin", "less deep from the skin"),
        words_fr=("plus profonde depuis la peau", "moins profonde depuis la peau"),
    ),
)  # fmt: skip


def ways_in(around: Surroundings, paths: Paths, directions: Sequence[int], seen: Sequence[Seen]) -> tuple[Text, ...]:
    """The layouts that were predicted along other ways in, against the first, before any was searched on.

    `directions` are the rows of `paths` that were tried.
    """
    if len(seen) < 2:
        return ()
    rows = [_row_of(paths, directions, each) for each in seen]
    shares = np.array([[100 * share for share in each.fractions] for each in seen])
    values = np.concatenate([shares, path_values(around, paths, np.array(rows))[:, :-1]], axis=1)
    told: list[Text] = []
    for number in undominated(values, COVERED):
        said = in_words(values[number], values[0], COVERED)
        if number == 0 or said is None or not gains(values[number], values[0], COVERED):
            continue
        skin = place_of(paths.segment(rows[number]).start_lps_mm)
        side = facing(paths.outward[rows[number]])
        told.append(
            Text(
                en=f"Probes: another way in, from {side} {skin}: {said.en}.",
                fr=f"Sondes : autre voie, {from_fr(side)}, depuis {skin} : {said.fr}.",
            )
        )
    return tuple(told[:TOLD])


def _row_of(paths: Paths, directions: Sequence[int], seen: Seen) -> int:
    """The way in that a layout's first probe follows."""
    outward = -seen.probes.paths[0].direction
    return int(max(directions, key=lambda row: (round(float(paths.outward[row] @ outward), 6), -row)))


def corridors_told(
    chosen: Sequence["Screwed"], able: Sequence["Screwed"], admitted: Callable[["Screwed"], bool]
) -> tuple[Text, ...]:
    """Corridors that better the first choice in something, are unlike each other and the chosen, and are admitted."""
    if not chosen or not able:
        return ()
    values = np.array([_held(item) for item in able])
    first = _held(chosen[0])
    near = float(np.cos(np.radians(APART_DEG)))
    taken = [item.corridor.axis.direction for item in chosen]
    told: list[Text] = []
    for number in undominated(values, HELD):
        item = able[number]
        said = in_words(values[number], first, HELD)
        if said is None or not gains(values[number], first, HELD):
            continue
        if any(abs(float(item.corridor.axis.direction @ other)) > near for other in taken):
            continue
        if len(told) == TOLD or not admitted(item):
            continue
        taken.append(item.corridor.axis.direction)
        head = place_of(item.corridor.axis.start_lps_mm)
        told.append(
            Text(
                en=f"Screw: another corridor, head at {head}: {said.en}.",
                fr=f"Vis : autre corridor, tête à {head} : {said.fr}.",
            )
        )
    return tuple(told)


def _held(item: "Screwed") -> Array:
    corridor = item.corridor
    weaker = min(corridor.anchor_head_mm, corridor.anchor_tip_mm, WEAK_ANCHOR_MM)
    return np.array(
        [weaker, corridor.clearance_mm, corridor.diameter_mm, min(corridor.crossing_mm, 60.0), item.path.length_mm]
    )
