"""What a case's structures allow to say of a kind of tissue: an empty mask, or the other side's nerve, says nothing."""

import numpy as np

from trocar.model.case import Case, Role, Side, Structure
from trocar.model.space import Array

REGION_MM = 100.0  # of a lesion: a nerve farther away does not show that those beside it were looked for; design
OTHER_NERVES = "no nerve of the lesion's side is segmented near it"


def is_segmented(case: Case, role: Role) -> bool:
    """Whether any structure of a role is more than an empty mask."""
    return any(_is_there(structure) for structure in case.with_role(role))


def knows_nerves(case: Case, lesion: str) -> bool:
    """Whether nerves around a lesion can be taken as segmented: one at least, of its side or of none, within 100 mm.

    The lesion's side is that of the bone that holds most of it, else as stated; without one any nerve counts.
    """
    inside = np.argwhere(case.structure(lesion).inside)
    if not len(inside):
        return False
    side = _side(case, lesion, inside)
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(side) if side else None
    points = case.grid.to_lps(inside)
    low, high = points.min(axis=0) - REGION_MM, points.max(axis=0) + REGION_MM
    for nerve in case.with_role(Role.NERVE):
        if _is_there(nerve) and (other is None or nerve.side != other):
            course = np.asarray(nerve.centerline_lps_mm or case.grid.to_lps(np.argwhere(nerve.inside)))
            if ((course >= low) & (course <= high)).all(axis=1).any():
                return True
    return False


def _is_there(structure: Structure) -> bool:
    return bool(structure.centerline_lps_mm or structure.inside.any())


def _side(case: Case, lesion: str, ijk: Array) -> Side | None:
    shares = [(int(bone.inside[tuple(ijk.T)].sum()), bone.side) for bone in case.with_role(Role.BONE)]
    share, side = max(shares, key=lambda item: item[0], default=(0, None))
    return (side if share else None) or case.context(lesion).side or case.structure(lesion).side
