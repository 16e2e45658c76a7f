"""The stages in order on a dossier: what is missing or stale is made from what is fresh; nothing else is touched."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trocar.errors import CaseError, InputError, PlanningError
from trocar.io.dossier import Dossier, State
from trocar.io.entries import NEEDS, USES
from trocar.model.case import Case
from trocar.model.edits import Edits
from trocar.model.space import Volume
from trocar.model.treatment import (
    Duration,
    Plan,
    Proposal,
    ProposalVerdict,
    ProtocolPhase,
    Step,
    Technique,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trocar.model.forecast import Forecast, Predictor
    from trocar.planning.guidance import Guidance

Progress = Callable[[float, str], None]
PLANNED_VERDICTS = (ProposalVerdict.DISCUSS, ProposalVerdict.MISSING)
DEMOS = ("ilium", "sacrum")
FREEZES_BETWEEN_degC = (-1.0, -8.0)
THAW_MARGIN_S = 600.0  # for what a 3 mm prediction of the thaw may err; design
NOT_APPROVABLE_OUTCOMES = ("stop", "refer", "missing", "require")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices of a run: the option's place in the ranked list (from 1), the simulation's voxel edge, the seed.

    `full_search` other than 0: more predictions for the probes, the last at 2 mm. `samples`: of how robust they are.
    """

    proposal: int = 1
    spacing_mm: float = 1.0
    seed: int = 0
    full_search: int = 0
    samples: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One entry of the dossier, how it is made and which settings it heeds."""

    entry: str
    make: Callable[[Dossier, Settings, Progress], Any]
    heeds: tuple[str, ...] = ()
    settings_like: str = ""  # where settings come from that were neither given nor used before


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did: the entries it made, and the refusal that ended planning, if one did."""

    made: tuple[str, ...]
    refusal: PlanningError | None = None


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
    blocking = tuple(gate.rule for gate in proposal.gates if gate.outcome in NOT_APPROVABLE_OUTCOMES)
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
    predict_ice: bool = True,
) -> Plan:
    """The plan with placements fixed, moved or deleted by hand, the probes beside them planned anew, all checked again.

    Raises `CaseError` for a name that the plan does not have.
    """
    from trocar.planning.editing import Editor
    from trocar.planning.refine import BOUNDED, FULL

    predictor = None
    if predict_ice:
        from trocar.simulation.preview import predict

        predictor = predict
    effort = FULL if full_search else BOUNDED
    editor = Editor.of(case, plan)
    return editor.replanned(edits, intent=proposal.intent, predictor=predictor, effort=effort, samples=samples).plan


def edit_dossier(dossier: Dossier, edits: Edits, *, full_search: int | None = None, samples: int | None = None) -> None:
    """The dossier's plan, edited; what was made from it becomes stale. Raises `DossierError` without a plan."""
    settings = Settings(**dict(dossier.settings("plan")))  # type: ignore[arg-type]
    if full_search is not None:
        settings = replace(settings, full_search=full_search)
    if samples is not None:
        settings = replace(settings, samples=samples)
    with dossier.writing():
        proposal = dossier.read("proposals")[settings.proposal - 1]
        made = edit(
            dossier.read("case"),
            dossier.read("plan"),
            edits,
            proposal=proposal,
            full_search=bool(settings.full_search),
            samples=settings.samples,
        )
        heeds = next(stage.heeds for stage in STAGES if stage.entry == "plan")
        chosen = {name: getattr(settings, name) for name in heeds}
        dossier.write("plan", made, made_from=sources(dossier, "plan"), settings=chosen)


def _thawed_before_cement(case: Case, plan: Plan) -> Plan:
    """The plan with the waits that cement needs after ice (order rule E10), as a coarse simulation predicts them."""
    from trocar.simulation.simulate import thaw_waits_s

    waits_s = thaw_waits_s(case, plan)
    delays_s = {step_id: wait_s + THAW_MARGIN_S for step_id, wait_s in waits_s.items()}
    return replace(plan, steps=tuple(_delayed(step, delays_s.get(step.id, 0.0)) for step in plan.steps))


def _delayed(step: Step, wait_s: float) -> Step:
    if wait_s <= 0:
        return step
    minutes = wait_s / 60
    took = step.duration_min
    return replace(
        step,
        protocol=(ProtocolPhase(phase="wait", duration_s=wait_s), *step.protocol),
        duration_min=Duration(low=took.low + minutes, typical=took.typical + minutes, high=took.high + minutes),
        notes=(
            *step.notes,
            Text(
                en=f"Wait about {minutes:.0f} more minutes before mixing: the tissue is still cold. Check it on CT.",
                fr=f"Attendre encore environ {minutes:.0f} minutes avant de malaxer : le tissu est encore froid. "
                "Contrôler au scanner.",
            ),
        ),
    )


def run(
    dossier: Dossier,
    *,
    until: str = "report",
    again: bool = False,
    proposal: int | None = None,
    spacing_mm: float | None = None,
    seed: int | None = None,
    full_search: int | None = None,
    samples: int | None = None,
    on_progress: Progress | None = None,
) -> Outcome:
    """Make every entry up to `until` that is missing, stale, or was made with other settings; `until` itself `again`.

    A setting that is not given stays as the entry was made, else is that of `Settings`. When planning finds nothing
    admissible the report is still made, and says so. A kill at any moment loses only the stage that was running.
    Raises `TrocarError`.
    """
    given = {
        "proposal": proposal,
        "spacing_mm": spacing_mm,
        "seed": seed,
        "full_search": full_search,
        "samples": samples,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    wanted = _stages_for(dossier, until)
    made: list[str] = []
    refusal: PlanningError | None = None
    with dossier.writing():
        for number, stage in enumerate(wanted):
            if refusal and not _can_be_made(dossier, stage.entry):
                continue
            if is_due(dossier, stage, asked) or (again and stage.entry == until):
                try:
                    if _make(dossier, stage, asked, _part(on_progress, number, len(wanted), stage.entry)):
                        made.append(stage.entry)
                except PlanningError as error:
                    if stage.entry != "plan" or until == "plan":
                        raise
                    refusal = error
    return Outcome(made=tuple(made), refusal=refusal)


def is_due(dossier: Dossier, stage: Stage, asked: Mapping[str, int | float]) -> bool:
    """Whether a stage is missing, stale, or was made with settings other than those given."""
    status = dossier.state_of(stage.entry)
    if status.state is not State.FRESH:
        return True
    used = status.settings or {}
    return any(used.get(name) != value for name, value in asked.items() if name in stage.heeds)


def _stages_for(dossier: Dossier, until: str) -> list[Stage]:
    """The stages that lead to `until`, in order; those of the control only when there is one."""
    required = {until, "as_done"} if until == "report" else {until}
    for entry in reversed(NEEDS):
        if entry in required:
            required |= {*NEEDS[entry], *USES.get(entry, ())}
    if "control" not in dossier and until in NEEDS and "control" in NEEDS[until]:
        raise InputError("the dossier holds no control CT", hint="trocar verify DOSSIER --control PATH")
    skipped = set() if "control" in dossier else {"verification", "as_done"}
    return [stage for stage in STAGES if stage.entry in required - skipped]


def _can_be_made(dossier: Dossier, entry: str) -> bool:
    return all(dossier.is_fresh(name) for name in NEEDS[entry])


def _make(dossier: Dossier, stage: Stage, asked: Mapping[str, int | float], on_progress: Progress) -> bool:
    """Make and store an entry; false when there is nothing to make it of."""
    on_progress(0.0, "")
    used = {name: value for entry in (stage.settings_like, stage.entry) for name, value in _used(dossier, entry)}
    settings = Settings(**{**used, **asked})  # type: ignore[arg-type]
    noun = stage.make(dossier, settings, on_progress)
    if noun is None:
        return False
    chosen = {name: getattr(settings, name) for name in stage.heeds}
    dossier.write(stage.entry, noun, made_from=sources(dossier, stage.entry), settings=chosen)
    return True


def _used(dossier: Dossier, entry: str) -> Iterable[tuple[str, int | float]]:
    return dossier.settings(entry).items() if entry in dossier else ()


def sources(dossier: Dossier, entry: str) -> tuple[str, ...]:
    """What an entry is made from now: all that it needs, and what it uses where that is fresh."""
    return (*NEEDS[entry], *(name for name in USES.get(entry, ()) if dossier.is_fresh(name)))


def strength(
    dossier: Dossier,
    *,
    spacing_mm: float | None = None,
    ablated_frac: float | None = None,
    on_progress: Progress | None = None,
) -> Any:
    """How much of the bone's strength daily loads use, before and after the plan; nothing is written.

    The cement is the simulation's where that is fresh, else beads by geometry.
    """
    from trocar.assessment.strength import SPACING_MM
    from trocar.assessment.strength import strength as of_the_bone

    run(dossier, until="plan", on_progress=on_progress)
    fields = dossier.read("simulation").fields if dossier.is_fresh("simulation") else {}
    return of_the_bone(
        dossier.read("case"),
        dossier.read("plan"),
        cement=fields.get("cement_frac"),
        spacing_mm=spacing_mm or SPACING_MM,
        ablated_frac=ablated_frac,
        on_progress=on_progress,
    )


def _part(on_progress: Progress | None, number: int, count: int, entry: str) -> Progress:
    """Progress of one stage as a share of the whole run."""

    def report(fraction: float, text: str) -> None:
        if on_progress is not None:
            on_progress((number + fraction) / count, f"{entry}: {text}" if text else entry)

    return report


def demo(
    name: str,
    folder: str | Path,
    *,
    replace_existing: bool = False,
    voxel_mm: float | None = None,
    spacing_mm: float | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> tuple[Dossier, Outcome]:
    """A synthetic case (`ilium` or `sacrum`) through every stage, with a control CT made from its plan and its ice.

    `voxel_mm` is the edge of the synthetic CT's voxels. Raises `InputError` for another name or a folder in use.
    """
    from trocar import phantoms

    if name not in DEMOS:
        raise InputError(f"there is no demo {name!r}", hint=f"there are: {', '.join(DEMOS)}")
    Dossier.require_free(folder, replace_existing=replace_existing)
    voxels = {} if voxel_mm is None else {"spacing_mm": (voxel_mm, voxel_mm, voxel_mm)}
    synthetic = getattr(phantoms, name)
    dossier = Dossier.create(folder, synthetic(seed=seed, **voxels), replace_existing=replace_existing)
    before = run(dossier, until="simulation", spacing_mm=spacing_mm, on_progress=_half(on_progress, 0))
    if before.refusal is None:
        dossier.write("control", _control(dossier, seed))
    after = run(dossier, on_progress=_half(on_progress, 1))
    return dossier, Outcome(made=(*before.made, *after.made), refusal=before.refusal or after.refusal)


def _control(dossier: Dossier, seed: int) -> Case:
    """The phantom's control CT: at the end of the last freeze where one is planned, else with the screws in."""
    from trocar import phantoms

    case, treatment = dossier.read("case"), dossier.read("plan")
    placed = [item for step in treatment.steps for item in step.placements]
    frozen: Volume | None = None
    role = "screw"
    if freezing := treatment.of(Technique.CRYOABLATION):
        role = "probe"
        frozen = _frozen_frac(dossier.read("simulation").fields[f"{freezing[-1].id}/temperature_end_freeze_degC"])
    control: Case = phantoms.control(case, [item for item in placed if item.role == role], frozen, seed=seed).case
    return control


def _frozen_frac(temperature_degC: Volume) -> Volume:
    """The frozen share of the water at these temperatures: none at -1 degC, all at -8, linear between [S11]."""
    begins, ends = FREEZES_BETWEEN_degC
    share = np.clip((begins - temperature_degC.values) / (begins - ends), 0.0, 1.0)
    return Volume(grid=temperature_degC.grid, values=share.astype(np.float32), unit="frac")


def _half(on_progress: Progress | None, half: int) -> Progress | None:
    return None if on_progress is None else lambda fraction, text: on_progress((half + fraction) / 2, text)


# --- the stages


def _assess(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    from trocar.assessment.assess import assess

    return assess(_with_lesion(dossier.read("case")))


def _propose(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    from trocar.proposal.propose import propose

    return propose(dossier.read("case"), dossier.read("assessment"))


def _plan(dossier: Dossier, settings: Settings, on_progress: Progress) -> Plan:
    proposals: tuple[Proposal, ...] = dossier.read("proposals")
    if not proposals:
        raise PlanningError("there is no option to plan", hint="read the assessment")
    if not 1 <= settings.proposal <= len(proposals):
        raise InputError(f"there is no option {settings.proposal}", hint=f"there are 1 to {len(proposals)}")
    chosen = proposals[settings.proposal - 1]
    return plan(
        dossier.read("case"),
        chosen,
        seed=settings.seed,
        full_search=bool(settings.full_search),
        samples=settings.samples,
        on_progress=on_progress,
    )


def _simulate(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    return _simulated(dossier, dossier.read("plan"), settings, on_progress)


def _simulate_as_done(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    as_placed = dossier.read("verification").as_placed
    return None if as_placed is None else _simulated(dossier, as_placed, settings, on_progress)


def _simulated(dossier: Dossier, treatment: Plan, settings: Settings, on_progress: Progress) -> Any:
    from trocar.simulation.simulate import simulate

    return simulate(dossier.read("case"), treatment, spacing_mm=settings.spacing_mm, on_progress=on_progress)


def _verify(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    from trocar.verification.verify import verify

    simulation = dossier.read("simulation") if dossier.is_fresh("simulation") else None
    return verify(
        dossier.read("case"),
        dossier.read("plan"),
        dossier.read("control"),
        simulation=simulation,
        on_progress=on_progress,
    )


def _report(dossier: Dossier, settings: Settings, on_progress: Progress) -> str:
    from trocar.reporting.report import report

    case, *entries = sources(dossier, "report")
    findings: list[Any] = []
    for entry in entries:
        findings += dossier.read(entry) if entry == "proposals" else [dossier.read(entry)]
    digests = {entry: dossier.digest(entry) for entry in (case, *entries)}
    return report(dossier.read("case"), *findings, source_digests=digests).html


def _with_lesion(case: Case) -> Case:
    if not case.lesions:
        raise CaseError("the case holds no lesion", hint="give the tumor's mask: --structure lesion_1=PATH")
    return case


STAGES = (
    Stage("assessment", _assess),
    Stage("proposals", _propose),
    Stage("plan", _plan, ("proposal", "seed", "full_search", "samples")),
    Stage("simulation", _simulate, ("spacing_mm",)),
    Stage("verification", _verify),
    Stage("as_done", _simulate_as_done, ("spacing_mm",), settings_like="simulation"),
    Stage("report", _report),
)
