"""How the patient may lie for a site, and from which directions each position lets an instrument come."""

import numpy as np

from trocar.model.case import Case, Structure
from trocar.model.space import Array
from trocar.planning.surroundings import Surroundings

TABLE_CLEARANCE_DEG = 85.0  # from the vertical: flatter paths meet the table or its rails
PREFERRED = {
    "iliac_wing": ("lateral", "supine", "prone"),
    "sacral_ala": ("prone", "lateral"),
    "sacrum": ("prone", "lateral"),
    "acetabulum": ("supine", "lateral"),
    "pubis": ("supine",),
    "ischium": ("prone", "lateral", "supine"),
    "vertebra": ("prone",),
    "rib": ("lateral", "supine", "prone"),
    "proximal_femur": ("supine", "lateral"),
    "long_bone": ("supine", "lateral"),
}
ANY = ("supine", "prone", "lateral")
SOURCE = "R-h"


def positions(case: Case, lesion: Structure) -> tuple[str, ...]:
    """The usual positions for the lesion's site that the patient tolerates, best first; may be empty.

    Positions whose tolerance is unknown stay in, and a check says so.
    """
    usual = PREFERRED.get(case.context(lesion.name).site or "", ANY)
    tolerated = case.clinical.patient.positions_tolerated
    return usual if tolerated is None else tuple(position for position in usual if position in tolerated)


def upward(position: str, around: Surroundings) -> Array:
    """(3,) what points to the ceiling: the back when prone, the lesion's side when lateral."""
    if position == "prone":
        return np.array([0.0, 1.0, 0.0])
    if position == "supine":
        return np.array([0.0, -1.0, 0.0])
    return np.array([around.lesion_side_x or 1.0, 0.0, 0.0])


def reachable(outward: Array, up: Array) -> Array:
    """(n,) whether instruments along these directions (target to skin) clear the table."""
    return outward @ up >= np.cos(np.radians(TABLE_CLEARANCE_DEG))
