"""The ways to one target: what an instrument may do, each with its trade-offs, and what refuses the others."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import devices
from trocar.errors import InputError, PlanningError
from trocar.model.case import Case
from trocar.model.device import BiopsyNeedle, Cryoprobe, Trocar
from trocar.model.record import Vector
from trocar.model.space import as_vector
from trocar.model.treatment import Rejection
from trocar.planning.access import Instrument, instrument, rejections, search
from trocar.planning.canal import with_canal
from trocar.planning.front import SHOWN, Option, front
from trocar.planning.guidance import Guidance
from trocar.planning.position import positions, upward
from trocar.planning.surroundings import surroundings

DIRECTIONS = 6000
PUSHED = {Cryoprobe: "probe", BiopsyNeedle: "biopsy", Trocar: "trocar"}  # kinds with a path of their own, their role


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Access:
    """The Pareto front of the paths to a target in one position, the cheapest first, and the refused regions.

    `free_frac` is the share of all directions that is admissible.
    """

    device: str
    position: str
    guidance: Guidance
    target_lps_mm: Vector
    options: tuple[Option, ...]
    rejected: tuple[Rejection, ...]
    free_frac: float


def access(
    case: Case,
    *,
    lesion: str | None = None,
    target_lps_mm: Vector | None = None,
    device_id: str = "cryoprobe-17g-icesphere",
    position: str | None = None,
    guidance: Guidance | None = None,
    shown: int = SHOWN,
) -> Access:
    """The ways of one instrument to a target (without one the lesion's center), in a position or the first that works.

    Raises `PlanningError` where no path is admissible, naming what excludes it; `InputError` for a device that has no
    path of its own, `CaseError` for an unknown lesion.
    """
    case = with_canal(case)
    around = surroundings(case, case.structure(lesion) if lesion else case.lesions[0], guidance=guidance)
    tool = pushed(device_id)
    target = around.lesion_frame[0] if target_lps_mm is None else np.asarray(target_lps_mm, dtype=float)
    if not case.grid.contains(target):
        raise InputError("the target lies outside the image", hint="give LPS millimeters")
    refused: tuple[Rejection, ...] = ()
    tried = (position,) if position else positions(case, around.lesion)
    for name in tried:
        up = upward(name, around)
        paths = search(around, target, tool, up, directions=DIRECTIONS)
        found = tuple(front(around, paths, tool, shown=shown))
        refused = tuple(rejections(around, paths, tool, up, what=tool.what))
        if found:
            return Access(
                device=device_id,
                position=name,
                guidance=around.guidance,
                target_lps_mm=as_vector(target),
                options=found,
                rejected=refused,
                free_frac=float(paths.admissible.mean()),
            )
    excluding = dict.fromkeys(f"{item.constraint} ({item.structure})" for item in refused)
    raise PlanningError(
        f"no path of {tool.what} to the target is admissible in {' or '.join(tried) or 'any position'}: "
        f"{', '.join(list(excluding)[:6]) or 'no path was found'}",
        hint="another position, instrument, guidance or target may be",
    )


def pushed(device_id: str) -> Instrument:
    """A device of the catalog as what is pushed along a path. Raises `InputError`, naming those, for another."""
    usable = {name: item for name, item in devices().items() if type(item) in PUSHED}
    if device_id not in usable:
        known = device_id in devices()
        wrong = f"{device_id} is not pushed along a path of its own" if known else f"no device is called {device_id!r}"
        raise InputError(wrong, hint=f"one of: {', '.join(usable)}")
    return instrument(device_id, PUSHED[type(usable[device_id])], what=usable[device_id].name)
