"""The plan of a proposal: each of its techniques placed in the case, in order, checked, with what was refused."""

from collections.abc import Callable

from trocar.errors import PlanningError
from trocar.model.case import Case
from trocar.model.forecast import HeatPredictor, Predictor
from trocar.model.space import Array
from trocar.model.treatment import EntryMap, Placement, Plan, Proposal, Rejection, Step
from trocar.planning.access import instrument
from trocar.planning.bonefield import BoneField
from trocar.planning.canal import with_canal
from trocar.planning.checks import Inspector, implant_checks
from trocar.planning.corridor import Corridor
from trocar.planning.draft import Draft
from trocar.planning.entrymap import entry_map
from trocar.planning.fixation import Fixation, find_corridors, fix
from trocar.planning.guidance import Guidance, guidance_check
from trocar.planning.kit import kit
from trocar.planning.notices import position_check, risk_checks
from trocar.planning.order import order_checks, technique_steps
from trocar.planning.position import positions, upward
from trocar.planning.refine import BOUNDED, Effort
from trocar.planning.surroundings import Surroundings, surroundings

Progress = Callable[[float, str], None]
PLACED = ("BIOPSY", "ABLATE", "SCREW", "CEMENT_INJECT")


def plan(
    case: Case,
    proposal: Proposal,
    *,
    predictor: Predictor | None = None,
    heat_predictor: HeatPredictor | None = None,
    guidance: Guidance | None = None,
    seed: int = 0,
    effort: Effort = BOUNDED,
    samples: int = 0,
    on_progress: Progress | None = None,
) -> Plan:
    """The proposal's steps with a place, a protocol and a duration for each, in the position that suits them best.

    What cannot be placed stays in the plan without placements, with a failed check and the reasons for the refusal.
    `guidance` says how instruments are led, else the case's own decision does. Nothing is drawn at random but the
    `samples` that say how robust the probes are. `effort` bounds the predictions that the search for probes may ask
    for. Raises `PlanningError` when nothing at all can be placed.
    """
    tell = on_progress or (lambda fraction, text: None)
    tell(0.0, "surroundings of the lesion")
    case = with_canal(case)
    around = surroundings(case, case.structure(proposal.lesion), guidance=guidance)
    wanted = [item for item in technique_steps(proposal) if item.step in PLACED]
    bony = any(item.step in ("SCREW", "CEMENT_INJECT") for item in wanted)
    tell(0.1, "bone around the lesion")
    inspect = Inspector(around)
    found = find_corridors(inspect.bone) if bony and inspect.bone is not None else []
    drafts = []
    tried = positions(case, around.lesion)
    if wanted and not tried:
        raise PlanningError(
            "the patient tolerates no position in which the lesion can be reached",
            hint="the site's usual positions are in the planning reference; see patient.positions_tolerated",
        )
    for number, position in enumerate(tried or ("supine",)):
        tell(0.2 + 0.6 * number / max(1, len(tried)), f"placing: {position}")
        screws = _screws(around, inspect.bone, found, upward(position, around), proposal)
        drafts.append(
            Draft(
                around, inspect, proposal, position, screws,
                effort=effort, samples=samples, heat_predictor=heat_predictor,
            )
        )  # fmt: skip
        if drafts[-1].promising:
            break
    best = max(drafts, key=lambda draft: draft.rank)
    tell(0.5, "probes")
    steps = best.steps(predictor)
    if wanted and not any(step.placements for step in steps):
        raise PlanningError(
            f"nothing can be placed: {_excluding(best.rejected)}", hint="widen the access or change the techniques"
        )
    tell(0.9, "checks")
    return _composed(case, proposal, best, steps)


def _excluding(rejected: list[Rejection]) -> str:
    named = dict.fromkeys(f"{item.constraint} ({item.structure})" for item in rejected)
    return ", ".join(list(named)[:6]) or "no path was found"


def _screws(
    around: Surroundings, bone: BoneField | None, found: list[Corridor], up: Array, proposal: Proposal
) -> Fixation:
    count = sum(item.step == "SCREW" for item in technique_steps(proposal))
    if not count or bone is None:
        return Fixation(())
    mounted = proposal.variant == "screw_mounted_on_cement"
    return fix(around, bone, found, up, count, mounted=mounted)


def _entry_map(draft: Draft, placements: tuple[Placement, ...]) -> EntryMap | None:
    """The skin for the first probe, else for the first needle."""
    for role in ("probe", "biopsy", "trocar"):
        for item in placements:
            if item.role == role:
                tool = instrument(item.device, role, what=item.name)
                return entry_map(draft.around, tool, draft.up, position=draft.position)
    return None


def _composed(case: Case, proposal: Proposal, draft: Draft, steps: tuple[Step, ...]) -> Plan:
    placements = tuple(placement for step in steps for placement in step.placements)
    return Plan(
        lesion=proposal.lesion,
        steps=steps,
        entry_map=_entry_map(draft, placements),
        kit=kit(steps),
        rejected=tuple(dict.fromkeys(draft.rejected)),
        alternatives=tuple(draft.alternatives),
        remedies=tuple(draft.remedies),
        blocked_by=tuple(dict.fromkeys(gate.rule for gate in proposal.gates if gate.forbids_approval)),
        ruleset=proposal.ruleset,
        checks=(
            *order_checks(steps, proposal),
            *implant_checks(placements),
            *risk_checks(case, placements),
            position_check(case, draft.position),
            guidance_check(draft.around.guidance),
        ),
    )
