"""Freezing steps: probes on the lattice through a protocol's phases."""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from trocar.errors import CaseError
from trocar.imaging.surface import EMPTY, Mesh
from trocar.materials import TissueMap
from trocar.model.finding import Check, Exposure, State, Verdict
from trocar.model.space import Array, Grid, Volume
from trocar.model.state import TissueState
from trocar.model.treatment import Placement, ProtocolPhase, Step, Technique
from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose
from trocar.physics.heat import HeatSolver
from trocar.physics.kill import cold_kill_frac, heat_kill_frac
from trocar.physics.source import Ramp
from trocar.simulation.afterwards import followed_on
from trocar.simulation.domain import active_segment, cooling, cryoprobe, line, probes
from trocar.simulation.exposure import Watched
from trocar.simulation.hotzones import hot_zones
from trocar.simulation.session import Played, Session, at_point, dose_fields, solver_from, state_of
from trocar.simulation.sound import needle_checks, require_sound
from trocar.simulation.zones import TEMPERATURES_DEGC, Target, ice_mesh, kill_coverage, mesh_points, target, zones

MODEL = "bioheat with freezing on an enthalpy lattice; needles by Gaussian-line exchange"
THAWING_DEGC = 40.0  # surface of an electrically thawed needle [design]
RESIDUAL_LIMIT_FRAC = 0.001
VISIBLE_WATER_FRAC = 0.5  # ice shows on CT by the water that froze; below this share it is lost in bone and fat


def freeze(session: Session, state: TissueState, step: Step) -> Played:
    """Play a freezing step phase by phase. Raises `CaseError` for a phase that is not one of freezing and thawing."""
    needles = probes(step)
    require_sound(step, needles)
    solver = solver_from(state, session.tissue, tuple(line(needle, state.grid) for needle in needles))
    lesion = target(session.case, step.lesion) if session.measures else None
    total_s = sum(phase.duration_s for phase in step.protocol)
    started_s = state.time_s

    def follow(now: HeatSolver) -> None:
        for watched in session.watched:
            watched.see(now.temperature_at(watched.corners), now.time_s)
        session.tell((now.time_s - started_s) / total_s, f"{step.id}: {(now.time_s - started_s) / 60:.0f} min")

    counts = {"freeze": 0, "thaw": 0}
    states: list[State] = []
    end_of_freeze = state.temperature_degC
    ice = np.zeros(state.grid.shape, np.float32)
    for phase in step.protocol:
        solver.advance(phase.duration_s, ramps(phase, needles, solver, state.grid), on_step=follow)
        if phase.phase == "freeze":
            end_of_freeze, ice = solver.temperature_degC.copy(), solver.ice_frac
        kind = phase.phase.split("_")[0]
        if kind in counts and lesion is not None:
            counts[kind] += 1
            states.append(
                moment(session, solver.damage, step, f"{kind}_{counts[kind]}", time_s=solver.time_s, lesion=lesion,
                       residual_frac=solver.balance().residual_frac, dose=solver.dose)
            )  # fmt: skip
    after = state_of(solver, state)
    residual = solver.balance().residual_frac
    if states:
        last = replace(states[-1], moment="after")
    elif lesion is not None:
        last = moment(session, solver.damage, step, "after", time_s=after.time_s, lesion=lesion, residual_frac=residual)
    else:
        last = State(step=step.id, moment="after", time_s=after.time_s, lesion=step.lesion)
    seen = followed_on(session.watched, solver)
    if seen:
        last = replace(last, structures=exposures(seen, ice_points(solver.damage, state.grid)))
    return Played(
        state=after,
        session=session,
        states=(*states, last),
        histories=tuple(watched.history(step.id, since_s=started_s) for watched in seen),
        checks=(*needle_checks(session.tissue, needles), energy_check(step, residual)),
        fields=_fields(step, after, end_of_freeze, ice, session.tissue),
        caveats=("model_prior",) if any(cryoprobe(needle).model_prior for needle in needles) else (),
    )


def moment(
    session: Session, damage: Damage, step: Step, name: str, *, time_s: float, lesion: Target,
    residual_frac: float | None, dose: HeatDose | None = None,
) -> State:  # fmt: skip
    """The zones and exposures at one moment of a step: of the cold where it was cold, of the heat with a dose."""
    grid = session.tissue.grid
    minimum_degC = damage.minimum_degC.reshape(grid.shape)
    cold = step.technique is Technique.CRYOABLATION or bool(minimum_degC.min() < max(TEMPERATURES_DEGC))
    found, ice = zones(minimum_degC, grid, lesion) if cold else ({}, EMPTY)
    kill = cold_kill_frac(minimum_degC, damage.freezes.reshape(grid.shape)).astype(np.float32) if cold else None
    return State(
        step=step.id,
        moment=name,
        time_s=time_s,
        lesion=lesion.name,
        zones=found if dose is None else found | hot_zones(dose_fields(dose, grid), grid, lesion),
        structures=exposures(session.watched, _tree(ice)),
        kill_frac=None if kill is None else kill_coverage(kill, grid, lesion),
        heat_kill_frac=None if dose is None else kill_coverage(heat_kill_frac(dose).reshape(grid.shape), grid, lesion),
        energy_residual_frac=residual_frac,
    )


def ice_points(damage: Damage, grid: Grid) -> cKDTree | None:
    """The points of the surface of all that has frozen; `None` without ice."""
    return _tree(ice_mesh(damage.minimum_degC.reshape(grid.shape), grid, 0.0))


def _tree(ice: Mesh) -> cKDTree | None:
    return cKDTree(mesh_points(ice)) if ice.faces.size else None


def exposures(watched: tuple[Watched, ...], ice: cKDTree | None) -> tuple[Exposure, ...]:
    """What each watched structure has been through, and its distance to the ice's surface points."""
    return tuple(each.exposure(each.distance_mm(ice)) for each in watched)


def ramps(
    phase: ProtocolPhase, needles: tuple[Placement, ...], solver: HeatSolver, grid: Grid
) -> tuple[Ramp | None, ...]:
    """What drives each needle in a phase that begins now. Raises `CaseError` for an unknown kind of phase."""
    return tuple(_ramp(phase, needle, solver, grid) if phase.takes_part(needle.name) else None for needle in needles)


def _ramp(phase: ProtocolPhase, needle: Placement, solver: HeatSolver, grid: Grid) -> Ramp | None:
    setting = phase.setting_of(needle.name)
    match phase.phase:
        case "freeze":
            at_degC = _at_needle(needle, solver, grid)
            return cooling(needle, from_degC=at_degC, duty=1.0 if setting is None else setting)
        case "thaw_active":
            warm = setting if setting is not None and phase.unit == "degC" else THAWING_DEGC
            return Ramp(start_degC=_at_needle(needle, solver, grid), end_degC=warm, time_s=10.0)
        case "thaw_passive" | "wait":
            return None
    raise CaseError(
        f"{phase.phase!r} is not a phase of a freezing step", hint="freeze, thaw_passive, thaw_active, wait"
    )


def _at_needle(needle: Placement, solver: HeatSolver, grid: Grid) -> float:
    """The tissue's temperature at the middle of the active part."""
    segment = active_segment(needle)
    middle = segment.at(segment.length_mm / 2)
    return at_point(solver.temperature_degC, grid, middle)


def _fields(
    step: Step, after: TissueState, end_of_freeze_degC: Array, ice_frac: Array, tissue: TissueMap
) -> dict[str, Volume]:
    kill = cold_kill_frac(after.minimum_degC, after.freezes).astype(np.float32)
    visible = np.where((tissue.water_frac >= VISIBLE_WATER_FRAC) & ~tissue.bone, ice_frac, np.float32(0))
    return {
        f"{step.id}/minimum_degC": Volume(grid=after.grid, values=after.minimum_degC, unit="degC"),
        f"{step.id}/temperature_end_freeze_degC": Volume(grid=after.grid, values=end_of_freeze_degC, unit="degC"),
        f"{step.id}/ice_visible_frac": Volume(grid=after.grid, values=visible.astype(np.float32), unit="1"),
        f"{step.id}/kill_frac": Volume(grid=after.grid, values=kill, unit="1"),
    }


def energy_check(step: Step, residual_frac: float) -> Check:
    """The share of the heat moved that does not add up, against what is allowed."""
    return Check(
        name="energy_residual",
        subject=step.id,
        value=residual_frac,
        limit=RESIDUAL_LIMIT_FRAC,
        unit="1",
        verdict=Verdict.PASS if residual_frac <= RESIDUAL_LIMIT_FRAC else Verdict.FAIL,
        source="software default",
        message="share of the heat moved that the simulation does not account for",
    )
