"""What is in the body at each step of the plan: instruments, implants, cement, and the cold so far."""

from dataclasses import dataclass

import numpy as np

from trocar.model.finding import CementDeposit
from trocar.model.space import Array, Volume
from trocar.model.treatment import Placement, Step, Technique
from trocar.reporting.gathered import Gathered

PLANNING = "planning"
STAYS = frozenset({"screw"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatFields:
    """What a heating step, by its id, and those before it did: hottest so far and doses so far."""

    step: str
    maximum_degC: Volume
    omega: Volume
    cem43_min: Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """One moment to be drawn; `step` is None for the planning CT. `coldest` is the lowest temperature so far.

    `heat` is of the last step that heated, so far.
    """

    id: str
    step: Step | None
    instruments: tuple[Placement, ...] = ()
    deposits: tuple[CementDeposit, ...] = ()
    coldest: Volume | None = None
    coldest_key: str | None = None
    heat: HeatFields | None = None

    def focus_lps_mm(self, otherwise: Array) -> Array:
        """Where to look: the middle of what the step's own instruments reach."""
        own = self.step.placements if self.step else ()
        return np.mean([placement.target_lps_mm for placement in own], axis=0) if own else otherwise


def stages(gathered: Gathered) -> tuple[Stage, ...]:
    """The planning CT, then one stage per step of the plan."""
    shown = [Stage(id=PLANNING, step=None)]
    if gathered.plan is None:
        return tuple(shown)
    implants: tuple[Placement, ...] = ()
    deposits: tuple[CementDeposit, ...] = ()
    coldest_key: str | None = None
    heat: HeatFields | None = None
    fields = gathered.simulation.fields if gathered.simulation else {}
    for step in gathered.plan.steps:
        own = tuple(placement for placement in step.placements if placement.role != "cement")
        deposits += tuple(deposit(gathered, p) for p in step.placements if p.role == "cement" and p.volume_ml)
        if f"{step.id}/minimum_degC" in fields:
            coldest_key = f"{step.id}/minimum_degC"
        heat = _heat_of(step, fields) or heat
        shown.append(
            Stage(
                id=step.id,
                step=step,
                instruments=implants + own,
                deposits=deposits,
                coldest=fields.get(coldest_key) if coldest_key else None,
                coldest_key=coldest_key,
                heat=heat,
            )
        )
        if step.technique in (Technique.SCREW, Technique.CEMENT):
            implants += tuple(placement for placement in own if placement.role in STAYS)
    return tuple(shown)


def _heat_of(step: Step, fields: dict[str, Volume]) -> HeatFields | None:
    """What a step's heat left; None for a step that did not heat, or was not simulated."""
    names = ("maximum_degC", "omega", "cem43_min")
    found = {name: fields[key] for name in names if (key := f"{step.id}/{name}") in fields}
    return HeatFields(step=step.id, **found) if len(found) == len(names) else None


def deposit(gathered: Gathered, placement: Placement) -> CementDeposit:
    """The simulated bead of a cement placement, or one of its volume at its target while there is no simulation."""
    for known in gathered.simulation.deposits if gathered.simulation else ():
        if known.name == placement.name:
            return known
    volume_ml = placement.volume_ml or 0.0
    return CementDeposit(
        name=placement.name,
        center_lps_mm=placement.target_lps_mm,
        volume_ml=volume_ml,
        radius_mm=bead_radius_mm(volume_ml),
    )


def bead_radius_mm(volume_ml: float) -> float:
    """The radius of a ball of this volume."""
    return float((3.0 * volume_ml * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))
