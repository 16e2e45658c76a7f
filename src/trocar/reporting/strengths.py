"""What the report says of a bone's strength: the worst activity, and where a score and the computation disagree."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.mechanics import LoadCase, mechanics
from trocar.model.finding import Score
from trocar.model.strength import LoadedState, Strength
from trocar.reporting.gathered import Gathered

# From which total a score warns: R-h (SINS 7, Mirels 9), M1 (one of two measures), M2 (class II and above).
WARNS_FROM = {"SINS": 7.0, "Mirels": 9.0, "axial cortical involvement": 1.0, "Harrington": 2.0}


@dataclass(frozen=True, slots=True)
class Beside:
    """A score next to the computed ratio; `disagrees` when one warns and the other does not, None where unknown."""

    score: Score
    warns: bool | None
    disagrees: bool | None


def activities(found: Strength) -> tuple[LoadCase, ...]:
    """The loads of the site with their texts and sources, in the result's order."""
    known = {load.id: load for load in mechanics().loads_of(found.site)}
    return tuple(known[load] for load in found.loads if load in known)


def worst_row(found: Strength, state: str = "before") -> LoadedState:
    """The activity that uses most of the strength in a state; torques that only compare constructs are none."""
    real = {load.id for load in activities(found) if load.torque_Nm is None}
    rows = [row for row in found.rows if row.state == state and (row.load in real or not real)]
    return max(rows, key=lambda row: row.bone.median_frac)


def beside(gathered: Gathered) -> Iterator[Beside]:
    """The scores of the lesion next to the ratio before treatment."""
    found, assessment = gathered.strength, gathered.assessment
    if found is None or assessment is None:
        return
    interval = worst_row(found).bone
    computed = True if interval.low_frac > 1 else False if interval.high_frac < 1 else None
    for score in (item for item in assessment.scores if item.lesion == found.lesion):
        bound = next((limit for name, limit in WARNS_FROM.items() if score.name.startswith(name)), None)
        warns = None if bound is None or score.total is None else score.total >= bound
        yield Beside(score, warns, None if warns is None or computed is None else warns != computed)
