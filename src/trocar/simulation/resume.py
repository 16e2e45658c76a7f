"""Going on from what a simulation left: what if we stop now, or add a probe."""

from trocar.errors import CaseError
from trocar.materials import tissue_map
from trocar.model.case import Case
from trocar.model.finding import Simulation
from trocar.model.space import Volume
from trocar.model.state import TissueState
from trocar.model.treatment import Plan
from trocar.physics.heat import enthalpy_in
from trocar.simulation.embolization import Embolized
from trocar.simulation.protection import shield_of

SAVED = {
    "temperature_degC": "degC",
    "minimum_degC": "degC",
    "perfusion_frac": "1",
    "freezes": "1",
}
CEMENT = "cement_frac"
DOSE_UNITS = {"cem43_min": "min", "maximum_degC": "degC"}
HEAT, ENTHALPY = "state/heat_dose/", "state/enthalpy_J_per_m3"


def saved_fields(state: TissueState) -> dict[str, Volume]:
    """What a simulation keeps of its last state: enough to go on from."""
    kept = {f"state/{name}": Volume(grid=state.grid, values=getattr(state, name), unit=unit)
            for name, unit in SAVED.items()}  # fmt: skip
    kept |= {f"{HEAT}{name}": Volume(grid=state.grid, values=values, unit=DOSE_UNITS.get(name, "1"))
             for name, values in state.heat_dose.items()}  # fmt: skip
    if state.heat_dose:  # what has boiled off cannot be told from the temperature
        kept[ENTHALPY] = Volume(grid=state.grid, values=state.enthalpy_J_per_m3, unit="J/m3")
    return kept | {CEMENT: Volume(grid=state.grid, values=state.cement_frac, unit="1")}


def last_state(case: Case, plan: Plan, simulation: Simulation) -> TissueState:
    """The tissue after the last step of a simulated plan, to be given to `simulate` as `start`.

    Raises `CaseError` for a simulation that kept no state.
    """
    missing = [name for name in SAVED if f"state/{name}" not in simulation.fields]
    if missing or not simulation.states:
        raise CaseError("the simulation kept no state to go on from", hint="simulate the plan again")
    implants = tuple(place for step in plan.steps for place in step.placements if place.role == "screw")
    shield, embolized = shield_of(plan), Embolized.by(case, plan)
    fields = {name: simulation.fields[f"state/{name}"] for name in SAVED}
    grid, cement = fields["temperature_degC"].grid, simulation.fields[CEMENT].values
    dose = {key.removeprefix(HEAT): v.values for key, v in simulation.fields.items() if key.startswith(HEAT)}
    if ENTHALPY in simulation.fields:
        enthalpy = simulation.fields[ENTHALPY].values
    else:
        medium = tissue_map(
            case, grid, implants=implants, cement_frac=cement, shield=shield, oil_frac=embolized.oil_frac
        ).medium
        enthalpy = enthalpy_in(medium, fields["temperature_degC"].values)
    return TissueState(
        grid=grid,
        time_s=simulation.states[-1].time_s,
        enthalpy_J_per_m3=enthalpy,
        cement_frac=cement,
        heat_dose=dose,
        implants=implants,
        shield=shield,
        perfusion_left_frac=dict(embolized.perfusion_left_frac),
        oil_frac=dict(embolized.oil_frac),
        **{name: volume.values for name, volume in fields.items()},
    )
