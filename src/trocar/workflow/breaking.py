"""The collapse of a bone under one load, from a dossier."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from trocar.io.dossier import Dossier
from trocar.workflow.running import run

if TYPE_CHECKING:
    from trocar.model.collapse import Collapse

Progress = Callable[[float, str], None]


def collapse(
    dossier: Dossier,
    load: str,
    *,
    spacing_mm: float | None = None,
    bond_MPa: float | None = None,
    thread_frac: float | None = None,
    ring: bool = False,
    phantom: str | None = None,
    on_progress: Progress | None = None,
) -> "Collapse":
    """How far a load can grow before the bone, or the pelvic ring, gives way, before and after the plan.

    Nothing is written. The cement is the simulation's where that is fresh, else beads by geometry. `phantom`: HU of its
    rods by their density, `0=1.5,100=124`.
    """
    from trocar.assessment.collapse import Settings
    from trocar.assessment.collapse import collapse as of_the_bone
    from trocar.assessment.strength import SPACING_MM
    from trocar.materials.density import phantom_scale, rods_of

    run(dossier, until="plan", on_progress=on_progress)
    fields = dossier.read("simulation").fields if dossier.is_fresh("simulation") else {}
    return of_the_bone(
        dossier.read("case"),
        dossier.read("plan"),
        load,
        cement=fields.get("cement_frac"),
        scale=phantom_scale(rods_of(phantom)) if phantom else None,
        spacing_mm=spacing_mm or SPACING_MM,
        ring=ring,
        settings=Settings(bond_MPa=bond_MPa, thread_frac=thread_frac),
        on_progress=on_progress,
    )
