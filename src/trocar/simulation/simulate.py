"""A plan as a fold: each step takes the tissue as the one before left it."""

from collections.abc import Sequence
from dataclasses import replace

from trocar.errors import CaseError
from trocar.materials import REST_DEGC
from trocar.model.case import Case
from trocar.model.finding import Check, Simulation, State, Verdict
from trocar.model.shield import UNSHIELDED
from trocar.model.space import Volume
from trocar.model.state import TissueState
from trocar.model.treatment import Plan, Step, Technique
from trocar.physics.compiled import COMPILING, is_kept
from trocar.physics.stage import super_step
from trocar.simulation.cement import inject, wait_needed_s
from trocar.simulation.checks import freezing_checks
from trocar.simulation.domain import needles_of, plan_grid, probes
from trocar.simulation.embolization import after_embolization, embolize
from trocar.simulation.exposure import watch
from trocar.simulation.fixation import fix
from trocar.simulation.heating import HEAT_MODEL, heat
from trocar.simulation.heatpreview import with_refinement
from trocar.simulation.protection import given_way, protect
from trocar.simulation.refinement import refined, refinement_checks, refinement_mm
from trocar.simulation.resume import saved_fields
from trocar.simulation.session import Played, Progress, Session, tissue_of, untouched
from trocar.simulation.thermal import MODEL, freeze

SPACING_RANGE_MM = (0.4, 4.0)


def simulate(
    case: Case,
    plan: Plan,
    *,
    spacing_mm: float = 1.0,
    start: TissueState | None = None,
    on_progress: Progress | None = None,
) -> Simulation:
    """The tissue after each moment of each step of a plan, with its checks.

    With `start`, a state that an earlier simulation left (`last_state`), the steps go on from there, on its grid.
    Raises `CaseError` for a plan that does not fit the case, `CatalogError` for a needle whose cold end is unknown,
    `SolverError` when the numerics fail.
    """
    if not SPACING_RANGE_MM[0] <= spacing_mm <= SPACING_RANGE_MM[1]:
        raise CaseError(f"a spacing of {spacing_mm:g} mm is outside {SPACING_RANGE_MM[0]:g} to {SPACING_RANGE_MM[1]:g}")
    session, state = _begin(case, plan, spacing_mm, on_progress, start)
    if needles_of(plan) and not is_kept(super_step):
        session.tell(0.0, COMPILING)
    played: list[tuple[Step, Played]] = []
    waited_s = 0.0
    for number, step in enumerate(plan.steps):
        listening = replace(session, on_progress=_part(on_progress, number, len(plan.steps)))
        listening.tell(0.0, step.id)
        done = _audited(listening, state, step, _play(listening, state, step, waited_s=waited_s))
        waited_s = _unplayed_s(step, waited_s, played_s=done.state.time_s - state.time_s)
        session, state = done.session, done.state
        played.append((step, done))
    return _gathered(case, played, session, state)


def thaw_waits_s(case: Case, plan: Plan, *, spacing_mm: float = 3.0) -> dict[str, float]:
    """Cement step -> how long to wait before it, beyond what the steps before it take, until its cavities are warm.

    Played on a coarse lattice, each wait counting for the steps after it. Empty without ice or without cement.
    """
    if not plan.of(Technique.CRYOABLATION) or not plan.of(Technique.CEMENT):
        return {}
    session, state = _begin(case, plan, spacing_mm, None, None, measures=False)
    needed: dict[str, float] = {}
    waited_s = 0.0
    last = plan.of(Technique.CEMENT)[-1]
    for step in plan.steps:
        if step.technique is Technique.CEMENT and state.minimum_degC.min() < 0:
            needed[step.id] = wait_needed_s(session, state, step, waited_s=waited_s)
            waited_s += needed[step.id]
        if step is last:
            break
        done = _play(session, state, step, waited_s=waited_s)
        waited_s = _unplayed_s(step, waited_s, played_s=done.state.time_s - state.time_s)
        session, state = done.session, done.state
    return {step_id: wait_s for step_id, wait_s in needed.items() if wait_s > 0}


def _unplayed_s(step: Step, waited_s: float, *, played_s: float) -> float:
    """How long tissue has been left to itself by a step's end, its own time included, beyond what was simulated.

    Of an ablation nothing is left: its probes are placed before its protocol.
    """
    if step.technique.ablates and played_s > 0:
        return 0.0
    return max(0.0, waited_s + 60.0 * step.duration_min.typical - played_s)


def _begin(
    case: Case, plan: Plan, spacing_mm: float, on_progress: Progress | None, start: TissueState | None, *,
    measures: bool = True,
) -> tuple[Session, TissueState]:  # fmt: skip
    grid = plan_grid(case, plan, spacing_mm=spacing_mm) if start is None else start.grid
    needles = needles_of(plan)
    watched = watch(case, grid, needles, rest_degC=REST_DEGC) if needles and measures else ()
    state = untouched(grid) if start is None else start
    watched = given_way(watched, case, grid, state.shield)
    tissue = tissue_of(case, state)
    session = Session(
        case=case, tissue=tissue, watched=watched, needles=needles, measures=measures, on_progress=on_progress
    )
    return session, state


def _play(session: Session, state: TissueState, step: Step, *, waited_s: float) -> Played:
    match step.technique:
        case Technique.EMBOLIZATION:
            done = embolize(session, state, step)
        case Technique.CRYOABLATION if _at_work(step):
            done = freeze(session, state, step)
        case technique if technique.heats and _at_work(step):
            done = heat(session, state, step)
        case Technique.SCREW:
            done = fix(session, state, step)
        case Technique.CEMENT if any(placement.role == "cement" for placement in step.placements):
            done = inject(session, state, step, waited_s=waited_s)
        case Technique.PROTECTION:
            done = protect(session, state, step)
        case Technique.BIOPSY:
            done = Played(state=state, session=session)
        case _:
            done = Played(state=state, session=session, checks=(_not_simulated(step),))
    return done


def _audited(session: Session, state: TissueState, step: Step, done: Played) -> Played:
    """A step that ablates with checks of its simulation: what a coarser lattice changes, and what was left out."""
    if not step.technique.ablates or not _at_work(step):
        return done
    return _heated(session, state, step, done) if step.technique.heats else _frozen(session, state, step, done)


def _at_work(step: Step) -> bool:
    """Whether an ablating step has probes and a protocol: one that planning found no place for has neither."""
    return bool(probes(step) and step.protocol)


def _heated(session: Session, state: TissueState, step: Step, done: Played) -> Played:
    """A heating step; in tissue that nothing was done to before, with what a coarser lattice changes."""
    changed = state.shield != UNSHIELDED or state.implants or state.cement_frac.any()
    if changed or state.heat_dose or state.minimum_degC.min() < 0:
        return done
    return with_refinement(session.case, step, done, embolized=after_embolization(state, step.lesion))


def _frozen(session: Session, state: TissueState, step: Step, done: Played) -> Played:
    fine = Volume(grid=state.grid, values=done.state.minimum_degC, unit="degC")
    fresh = state.minimum_degC.min() >= 0 and not state.heat_dose
    found = (*done.checks, *freezing_checks(session.case, done.states[-1]))
    if not fresh:
        return replace(done, checks=found)
    embolized = after_embolization(state, step.lesion)
    shifts_mm = refinement_mm(session.case, step, fine, embolized=embolized, shield=state.shield)
    checks = refinement_checks(step, shifts_mm, spacing_mm=float(state.grid.spacing_mm[0]))
    return replace(done, checks=(*found, *checks), states=refined(done.states, shifts_mm))


def _not_simulated(step: Step) -> Check:
    return Check(
        name="step_simulated", subject=step.id, value=None, limit=None, unit="", verdict=Verdict.UNKNOWN,
        source="software default", message=f"{step.technique.value} is not simulated: its effect is unknown",
    )  # fmt: skip


def _gathered(case: Case, played: Sequence[tuple[Step, Played]], session: Session, state: TissueState) -> Simulation:
    states: list[State] = []
    fields: dict[str, Volume] = {}
    for step, done in played:
        states += done.states or [_carried(states, step, done.state)]
        fields |= done.fields or {}
    fields |= saved_fields(state)
    caveats = [*session.tissue.caveats, *(caveat for _, done in played for caveat in done.caveats)]
    return Simulation(
        states=tuple(states),
        histories=tuple(history for _, done in played for history in done.histories),
        traces=tuple(trace for _, done in played for trace in done.traces),
        deposits=tuple(deposit for _, done in played for deposit in done.deposits),
        checks=tuple(check for _, done in played for check in done.checks),
        model=f"{MODEL}; {HEAT_MODEL}" if any(done.traces for _, done in played) else MODEL,
        caveats=tuple(dict.fromkeys(caveats)),
        fields=fields,
    )


def _carried(states: Sequence[State], step: Step, state: TissueState) -> State:
    """After a step that froze nothing: the zones as they were."""
    before = next((known for known in reversed(states) if known.lesion == step.lesion), None)
    if before is None:
        return State(step=step.id, moment="after", time_s=state.time_s, lesion=step.lesion)
    return replace(before, step=step.id, moment="after", time_s=state.time_s)


def _part(on_progress: Progress | None, number: int, count: int) -> Progress | None:
    """The listener of one step of several."""
    if on_progress is None:
        return None
    listener = on_progress
    return lambda fraction, text: listener((number + fraction) / count, text)
