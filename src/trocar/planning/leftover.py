"""What a step leaves outside the lethal zone, named: how much, on which side, next to what."""

from typing import Protocol

import numpy as np

from trocar.catalog.structures import structure_name
from trocar.model.space import Array
from trocar.model.treatment import Text
from trocar.planning.surroundings import Surroundings

NAMED_FROM_FRAC = 0.01
OPENING = "Left outside the lethal zone:"
SIDE_FROM = 0.35  # of the unit vector from the lesion's center, for a side to be named
SIDES = (
    (("left", "gauche"), ("right", "droite")),
    (("posterior", "postérieure"), ("anterior", "antérieure")),
    (("upper", "supérieure"), ("lower", "inférieure")),
)


class Seen(Protocol):
    """A prediction's lethal share of the lesion, and the (n, 3) points of the lesion outside it."""

    @property
    def lethal_frac(self) -> float: ...

    @property
    def uncovered_lps_mm(self) -> Array: ...


def leftover(around: Surroundings, seen: Seen) -> tuple[Text, ...]:
    """One sentence, or none where at least 99 % of the lesion is lethally cold or hot."""
    missed = seen.uncovered_lps_mm
    share = 1.0 - seen.lethal_frac
    if share < NAMED_FROM_FRAC or not len(missed):
        return ()
    volume_ml = share * float(around.in_lesion.sum()) * around.grid.voxel_ml
    side = _side(np.asarray(missed.mean(axis=0) - around.lesion_frame[0]))
    name, gap_mm = _nearest(around, missed)
    near = structure_name(name)
    beside = f", next to {near.said.en} ({gap_mm:.0f} mm)" if name else ""
    next_to_fr = f", près {near.of_fr} ({gap_mm:.0f} mm)" if name else ""
    ml = f"{volume_ml:.1f}"
    return (
        Text(
            en=f"{OPENING} {ml} ml ({100 * share:.0f} %), {side[0]}{beside}.",
            fr=f"Hors de la zone létale : {ml.replace('.', ',')} ml ({100 * share:.0f} %), {side[1]}{next_to_fr}.",
        ),
    )


def without_leftover(notes: tuple[Text, ...]) -> tuple[Text, ...]:
    """A step's notes but for what a prediction said that it leaves."""
    return tuple(note for note in notes if not note.en.startswith(OPENING))


def _side(offset_mm: Array) -> tuple[str, str]:
    length = float(np.linalg.norm(offset_mm))
    if length < 1.0:
        return "all around", "tout autour"
    named = [
        ways[0] if part > 0 else ways[1]
        for part, ways in zip(offset_mm / length, SIDES, strict=True)
        if abs(part) >= SIDE_FROM
    ]
    return " ".join(en for en, _ in named) + " part", "partie " + " ".join(fr for _, fr in named)


def _nearest(around: Surroundings, points_lps_mm: Array) -> tuple[str, float]:
    """The structure with a clearance rule that lies nearest to the points, and the distance to its surface."""
    found = []
    for obstacle in around.obstacles:
        close = obstacle.points_lps_mm[:: max(1, len(obstacle.points_lps_mm) // 400)]
        gap = float(np.linalg.norm(points_lps_mm[:, None] - close[None], axis=2).min()) - obstacle.shell_mm
        found.append((max(0.0, gap), obstacle.name))
    gap_mm, name = min(found, default=(0.0, ""))
    return name, gap_mm
