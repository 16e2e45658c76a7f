"""The session of one option on the clock, from a dossier: with its plan and what was simulated where they are fresh."""

from typing import TYPE_CHECKING

from trocar.errors import InputError
from trocar.io.dossier import Dossier

if TYPE_CHECKING:
    from trocar.model.finding import Check
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

    Whether a cavity is warm enough for cement, and when the cement has set, is told by the fresh simulation of the
    plan, unless `tissue_degC` is given. Raises `InputError` for a number without option.
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
    checks = dossier.read("simulation", arrays=False).checks if simulated else ()
    cavities_degC = _values(checks, "cavity_temperature_for_cement").values()
    return schedule(
        options[number - 1],
        dossier.read("plan") if as_planned else None,
        room_degC=room_degC,
        tissue_degC=tissue_degC,
        cavity_degC=min(cavities_degC, default=None),
        simulated_set_min=_values(checks, "cement_setting_time"),
        budget_min=budget_min,
    )


def _values(checks: "tuple[Check, ...]", name: str) -> dict[str, float]:
    """The known values of the checks of a name, by what they are of."""
    return {check.subject: check.value for check in checks if check.name == name and check.value is not None}
