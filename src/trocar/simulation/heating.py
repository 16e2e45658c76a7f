"""Heating steps: radiofrequency and microwaves through a protocol's phases, and what is left of the tissue."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from trocar.errors import CaseError
from trocar.materials import TissueMap
from trocar.model.finding import State
from trocar.model.space import Array, Volume
from trocar.model.state import TissueState
from trocar.model.treatment import ProtocolPhase, Step, Technique
from trocar.physics.heat import HeatSolver
from trocar.physics.kill import heat_kill_frac
from trocar.simulation.afterwards import followed_on
from trocar.simulation.applicators import applicators
from trocar.simulation.channels import Channel, Warm
from trocar.simulation.heatchecks import heating_checks
from trocar.simulation.programs import generator_of
from trocar.simulation.session import Played, Session, dose_of, solver_from, state_of, tissue_of
from trocar.simulation.sources import caveats, channels, instrument_checks
from trocar.simulation.thermal import energy_check, exposures, ice_points, moment
from trocar.simulation.zones import target

HEAT_MODEL = "heat by the quasi-static field of electrodes and the template of an antenna"
LONGEST_S = {Technique.RADIOFREQUENCY: 5.0, Technique.MICROWAVE: 10.0}  # a generator is asked so often [design]
PHASES = ("heat", "wait")
Watcher = Callable[[HeatSolver], None]


def heat(session: Session, state: TissueState, step: Step) -> Played:
    """Play a heating step phase by phase; a phase ends early when every generator has stopped.

    Raises `CaseError` for a protocol that makes no sense and a lattice too coarse, `CatalogError` for a device, a
    program or a tissue that is not known enough.
    """
    require_heating(step)
    boiling = _boiling(session, state)
    sources = channels(session.case, boiling.tissue, step, state)
    solver = heated_solver(state, boiling.tissue, sources)
    lesion, started_s = target(session.case, step.lesion), state.time_s
    total_s = sum(phase.duration_s for phase in step.protocol)
    states: list[State] = []
    at_end = state.temperature_degC

    def follow(now: HeatSolver) -> None:
        for watched in session.watched:
            watched.see(now.temperature_at(watched.corners), now.time_s)
        session.tell((now.time_s - started_s) / total_s, f"{step.id}: {(now.time_s - started_s) / 60:.0f} min")

    counts = {"heat": 0, "wait": 0}
    for phase in step.protocol:
        play_phase(solver, sources, step, phase, follow)
        if phase.phase == "heat":
            at_end = solver.temperature_degC.copy()
        counts[phase.phase] += 1
        states.append(
            moment(boiling, solver.damage, step, f"{phase.phase}_{counts[phase.phase]}", time_s=solver.time_s,
                   lesion=lesion, residual_frac=solver.balance().residual_frac, dose=solver.dose)
        )  # fmt: skip
    after, residual_frac, dose = state_of(solver, state), solver.balance().residual_frac, solver.dose
    assert dose is not None
    seen = followed_on(session.watched, solver)  # the dose goes on with it
    ice = ice_points(solver.damage, state.grid)
    states.append(replace(states[-1], moment="after", structures=exposures(seen, ice)))
    return Played(
        state=after,
        session=boiling,
        states=tuple(states),
        histories=tuple(watched.history(step.id, since_s=started_s) for watched in seen),
        traces=tuple(source.trace(step.id) for source in sources),
        checks=(
            *instrument_checks(session.case, boiling.tissue, step, state),
            energy_check(step, residual_frac),
            *heating_checks(session.case, states[-1], seen, dose),
        ),
        fields=_fields(step, after, at_end),
        caveats=caveats(step),
    )


def heated_solver(state: TissueState, tissue: TissueMap, sources: Sequence[Channel]) -> HeatSolver:
    """A solver for a heating step: it follows the dose, and cooled electrodes draw heat in it."""
    return solver_from(state, tissue, tuple(line for source in sources for line in source.cooled), heats=True)


def play_phase(
    solver: HeatSolver,
    sources: Sequence[Channel],
    step: Step,
    phase: ProtocolPhase,
    follow: Watcher | None,
) -> None:
    """One phase: the channels that take part get their generators, the others are silent."""
    placed = {placement.name: placement for placement in applicators(step)}
    for source in sources:
        on = phase.phase == "heat" and phase.takes_part(source.name)
        source.generator = generator_of(step, phase, placed[source.name]) if on else None
    working = [source.generator for source in sources if source.generator is not None]

    def heating(now: HeatSolver, step_s: float) -> Array | None:
        warm = Warm(now)
        given = [source.heat_W_per_m3(now, warm, step_s) for source in sources]
        found = [each for each in given if each is not None]
        return np.asarray(sum(found[1:], start=found[0])) if found else None

    solver.advance(
        phase.duration_s,
        [drive for source in sources for drive in source.drives],
        longest_s=LONGEST_S[step.technique],
        heating=heating if working else None,
        on_step=follow,
        until=(lambda: all(generator.done for generator in working)) if working else None,
    )


def require_heating(step: Step) -> None:
    """Raises `CaseError` for a protocol without heat, with other phases, or one that takes no time forward."""
    known = {placement.name for placement in applicators(step)}
    if not any(phase.phase == "heat" for phase in step.protocol):
        raise CaseError(f"{step.id} never heats", hint="its protocol needs a phase heat")
    for phase in step.protocol:
        if phase.phase not in PHASES:
            raise CaseError(f"{phase.phase!r} is not a phase of a heating step", hint=", ".join(PHASES))
        if not (np.isfinite(phase.duration_s) and phase.duration_s > 0):
            raise CaseError(f"{step.id}: a phase of {phase.duration_s:g} s", hint="durations are in seconds, above 0")
        unknown = {*phase.probes, *phase.settings} - known
        if unknown:
            raise CaseError(
                f"{step.id}: a phase names {', '.join(sorted(unknown))}, which the step does not place",
                hint=f"its probes are {', '.join(sorted(known))}",
            )


def _boiling(session: Session, state: TissueState) -> Session:
    """The session with tissue whose water may boil; below boiling its enthalpy is the same."""
    if session.tissue.medium.vapor_J_per_m3 is not None:
        return session
    return replace(session, tissue=tissue_of(session.case, state, boils=True))


def _fields(step: Step, after: TissueState, at_end_degC: Array) -> dict[str, Volume]:
    kill = heat_kill_frac(dose_of(after)).reshape(after.grid.shape).astype(np.float32)
    found = {
        "maximum_degC": (after.heat_dose["maximum_degC"], "degC"),
        "temperature_end_heat_degC": (at_end_degC, "degC"),
        "omega": (after.heat_dose["omega"], "1"),
        "cem43_min": (after.heat_dose["cem43_min"], "min"),
        "heat_kill_frac": (kill, "1"),
    }
    return {f"{step.id}/{name}": Volume(grid=after.grid, values=values, unit=unit)
            for name, (values, unit) in found.items()}  # fmt: skip
