"""A plan of a proposal, and a plan edited by hand, with the simulation as the planner's predictor."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trocar.errors import PlanningError
from trocar.model.case import Case
from trocar.model.edits import Edits
from trocar.model.treatment import Duration, Plan, Proposal, ProposalVerdict, ProtocolPhase, Step, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trocar.model.forecast import Forecast, Predictor
    from trocar.planning.guidance import Guidance

Progress = Callable[[float, str], None]
PLANNED_VERDICTS = (ProposalVerdict.DISCUSS, ProposalVerdict.MISSING)
THAW_MARGIN_S = 600.0  # for what a 3 mm prediction of the thaw may err; design


def plan(
    case: Case,
    proposal: Proposal,
    *,
    guidance: "Guidance | None" = None,
    seed: int = 0,
    full_search: bool = False,
    samples: int = 0,
    on_progress: Progress | None = None,
    predict_ice: bool = True,
) -> Plan:
    """Place every instrument of a proposal, with the simulation's ice as the planner's predictor.

    `guidance` says how instruments are led (else the case's own decision does) and so what placement error is kept
    free. `full_search` lets it ask for several times as many predictions; `samples` placements and tissues, drawn at
    random, say how robust the probes are. `predict_ice=False` plans by geometry alone. A proposal that lacks
    information gives a draft, never approvable.
    Raises `PlanningError` for a proposal that advises against treating, or when a hard constraint leaves no placement.
    """
    from trocar.planning.plan import plan as place

    if proposal.verdict not in PLANNED_VERDICTS:
        raise PlanningError(
            f"the option for {proposal.lesion} is {proposal.verdict.value!r}: {proposal.summary.en}",
            hint="read the report; another option may be chosen by its number",
        )
    predictor, heat_predictor = None, None
    if predict_ice:
        from trocar.simulation.heatpreview import predict_heat
        from trocar.simulation.preview import predict

        predictor, heat_predictor = _announced(predict, on_progress), predict_heat
    from trocar.planning.refine import BOUNDED, FULL

    made = place(
        case,
        proposal,
        predictor=predictor,
        heat_predictor=heat_predictor,
        guidance=guidance,
        seed=seed,
        effort=FULL if full_search else BOUNDED,
        samples=samples,
        on_progress=on_progress,
    )
    if predict_ice:
        made = _thawed_before_cement(case, made)
    blocking = tuple(gate.rule for gate in proposal.gates if gate.forbids_approval)
    if proposal.verdict is ProposalVerdict.MISSING:
        blocking = blocking or tuple(rule for missing in proposal.missing for rule in missing.rules) or ("missing",)
    return replace(made, blocked_by=tuple(dict.fromkeys((*made.blocked_by, *blocking))))


def edit(
    case: Case,
    plan: Plan,
    edits: Edits,
    *,
    proposal: Proposal,
    full_search: bool = False,
    samples: int = 0,
    guidance: "Guidance | None" = None,
    predict_ice: bool = True,
) -> Plan:
    """The plan with placements fixed, moved or deleted by hand, the probes beside them planned anew, all checked again.

    `guidance` is the plan's own, where it was not the case's decision.
    Raises `CaseError` for a name that the plan does not have.
    """
    from trocar.planning.editing import Editor
    from trocar.planning.refine import BOUNDED, FULL

    predictor = None
    if predict_ice:
        from trocar.simulation.preview import predict

        predictor = predict
    effort = FULL if full_search else BOUNDED
    editor = Editor.of(case, plan, guidance=guidance)
    made = editor.replanned(edits, intent=proposal.intent, predictor=predictor, effort=effort, samples=samples).plan
    return _thawed_before_cement(case, made) if predict_ice else made


def _announced(predict: "Predictor", on_progress: Progress | None) -> "Predictor":
    """The predictor, saying first that it compiles where it never has on this machine."""
    from trocar.physics.compiled import COMPILING, is_kept
    from trocar.physics.stage import super_step

    if on_progress is None or is_kept(super_step):
        return predict

    def announced(case: Case, steps: "Sequence[Step]", **how: Any) -> "tuple[Forecast, ...]":
        if not is_kept(super_step):
            on_progress(0.5, COMPILING)
        return predict(case, steps, **how)

    return announced


def _thawed_before_cement(case: Case, plan: Plan) -> Plan:
    """The plan with the waits that cement needs after ice (order rule E10), as a coarse simulation predicts them.

    Waits of an earlier prediction make room for the new ones.
    """
    from trocar.simulation.simulate import thaw_waits_s

    bare = replace(plan, steps=tuple(map(_undelayed, plan.steps)))
    waits_s = thaw_waits_s(case, bare)
    delays_s = {step_id: float(round(wait_s + THAW_MARGIN_S)) for step_id, wait_s in waits_s.items()}
    return replace(bare, steps=tuple(_delayed(step, delays_s.get(step.id, 0.0)) for step in bare.steps))


def _delayed(step: Step, wait_s: float) -> Step:
    if wait_s <= 0:
        return step
    return replace(
        step,
        protocol=(ProtocolPhase(phase="wait", duration_s=wait_s), *step.protocol),
        duration_min=_longer(step.duration_min, wait_s / 60),
        notes=(*step.notes, _wait_text(wait_s)),
    )


def _undelayed(step: Step) -> Step:
    """The step without a wait that `_delayed` gave it."""
    first = step.protocol[0] if step.protocol else None
    if first is None or first.phase != "wait" or _wait_text(first.duration_s) not in step.notes:
        return step
    return replace(
        step,
        protocol=step.protocol[1:],
        duration_min=_longer(step.duration_min, -first.duration_s / 60),
        notes=tuple(note for note in step.notes if note != _wait_text(first.duration_s)),
    )


def _longer(took: Duration, minutes: float) -> Duration:
    return Duration(low=took.low + minutes, typical=took.typical + minutes, high=took.high + minutes)


def _wait_text(wait_s: float) -> Text:
    minutes = wait_s / 60
    return Text(
        en=f"Wait about {minutes:.0f} more minutes before mixing: the tissue is still cold. Check it on CT.",
        fr=f"Attendre encore environ {minutes:.0f} minutes avant de malaxer : le tissu est encore froid. "
        "Contrôler au scanner.",
    )
