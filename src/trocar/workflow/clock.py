"""The session of one option on the clock, from a dossier: with its plan and what was simulated where they are fresh."""

from typing import TYPE_CHECKING

from trocar.errors import InputError
from trocar.io.dossier import Dossier

if TYPE_CHECKING:
    from trocar.model.schedule import Schedule


def session(
    dossier: Dossier,
    number: int | None = None,
    *,
    room_degC: float | None = None,
    tissue_degC: float | None = None,
    budget_min: float | None = None,
) -> "Schedule | None":
    """The schedule of option `number`, at first of the planned one; None where there is no option.

    Whether a cavity is warm enough for cement is told by the fresh simulation of the plan, unless `tissue_degC` is
    given. Raises `InputError` for a number without option.
    """
    from trocar.proposal.schedule import schedule

    options = dossier.read("proposals")
    planned = int(dossier.settings("plan").get("proposal", 1)) if dossier.is_fresh("plan") else None
    number = number or planned or 1
    if not options and number == 1:
        return None
    if not 1 <= number <= len(options):
        raise InputError(f"there is no option {number}", hint=f"there are 1 to {len(options)}")
    as_planned = number == planned
    simulated = as_planned and tissue_degC is None and dossier.is_fresh("simulation")
    return schedule(
        options[number - 1],
        dossier.read("plan") if as_planned else None,
        room_degC=room_degC,
        tissue_degC=tissue_degC,
        cavity_degC=_coldest_cavity_degC(dossier) if simulated else None,
        budget_min=budget_min,
    )


def _coldest_cavity_degC(dossier: Dossier) -> float | None:
    """The coldest tissue that the simulation's cement arrives in."""
    checks = dossier.read("simulation", arrays=False).checks
    found = [check.value for check in checks if check.name == "cavity_temperature_for_cement"]
    return min((value for value in found if value is not None), default=None)
