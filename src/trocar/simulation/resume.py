"""Going on from what a simulation left: what if we stop now, or add a probe."""

from trocar.errors import CaseError
from trocar.materials import tissue_map
from trocar.model.case import Case
from trocar.model.finding import Simulation
from trocar.model.space import Volume
from trocar.model.state import TissueState
from trocar.model.treatment import Plan
from trocar.physics.heat import enthalpy_in

SAVED = {
    "temperature_degC": "degC",
    "minimum_degC": "degC",
    "perfusion_frac": "1",
    "freezes": "1",
}
CEMENT = "cement_frac"


def saved_fields(state: TissueState) -> dict[str, Volume]:
    """What a simulation keeps of its last state: enough to go on from."""
    kept = {f"state/{name}": Volume(grid=state.grid, values=getattr(state, name), unit=unit)
            for name, unit in SAVED.items()}  # fmt: skip
    return kept | {CEMENT: Volume(grid=state.grid, values=state.cement_frac, unit="1")}


def last_state(case: Case, plan: Plan, simulation: Simulation) -> TissueState:
    """The tissue after the last step of a simulated plan, to be given to `simulate` as `start`.

    Raises `CaseError` for a simulation that kept no state.
    """
    missing = [name for name in SAVED if f"state/{name}" not in simulation.fields]
    if missing or not simulation.states:
        raise CaseError("the simulation kept no state to go on from", hint="simulate the plan again")
    implants = tuple(place for step in plan.steps for place in step.placements if place.role == "screw")
    fields = {name: simulation.fields[f"state/{name}"] for name in SAVED}
    grid, cement = fields["temperature_degC"].grid, simulation.fields[CEMENT].values
    medium = tissue_map(case, grid, implants=implants, cement_frac=cement).medium
    return TissueState(
        grid=grid,
        time_s=simulation.states[-1].time_s,
        enthalpy_J_per_m3=enthalpy_in(medium, fields["temperature_degC"].values),
        cement_frac=cement,
        implants=implants,
        **{name: volume.values for name, volume in fields.items()},
    )
