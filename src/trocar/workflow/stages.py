"""The dossier's stages: how each entry is made and which settings it heeds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from trocar.errors import CaseError, InputError, PlanningError
from trocar.io.dossier import Dossier
from trocar.io.entries import NEEDS, USES
from trocar.model.case import Case
from trocar.model.treatment import Plan, Proposal
from trocar.planning.guidance import NAMES, Guidance, guidance
from trocar.workflow.placing import plan

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices of a run: the option's place in the ranked list (from 1), the simulation's voxel edge, the seed.

    `full_search` other than 0: more predictions for the probes, the last at 2 mm. `samples`: of how robust they are.
    `guidance` empty: as the case's decision says; `placement_error_mm` 0: that of the guidance. The
    last six are those of the bone's strength.
    """

    proposal: int = 1
    spacing_mm: float = 1.0
    seed: int = 0
    full_search: int = 0
    samples: int = 0
    guidance: str = ""
    placement_error_mm: float = 0.0
    strength_spacing_mm: float = 2.0
    ablated_frac: float = 0.0  # 0: not asked for
    check_mesh: int = 0
    ring: int = 0
    lesion_spacing_mm: float = 0.0  # 0: not asked for
    phantom: str = ""  # HU of its rods by density, `0=1.5,100=124`; empty: none was scanned

    def led(self) -> Guidance | None:
        """How instruments are led, where that was chosen; None leaves it to the case. Raises `InputError`."""
        if not self.guidance:
            if self.placement_error_mm:
                raise InputError("a placement error needs its guidance", hint=f"--guidance {' or '.join(NAMES)}")
            return None
        return replace(guidance(self.guidance, placement_error_mm=self.placement_error_mm or None), stated=True)


@dataclass(frozen=True, slots=True)
class Stage:
    """One entry of the dossier, how it is made and which settings it heeds."""

    entry: str
    make: Callable[[Dossier, Settings, Progress], Any]
    heeds: tuple[str, ...] = ()
    settings_like: str = ""  # where settings come from that were neither given nor used before


def sources(dossier: Dossier, entry: str) -> tuple[str, ...]:
    """What an entry is made from now: all that it needs, and what it uses where that is fresh."""
    return (*NEEDS[entry], *(name for name in USES.get(entry, ()) if dossier.is_fresh(name)))


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
        guidance=settings.led(),
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


def _strength(dossier: Dossier, settings: Settings, on_progress: Progress) -> Any:
    """The cement is the simulation's where that is fresh, else beads by geometry."""
    from trocar.assessment.strength import strength
    from trocar.materials.density import phantom_scale, rods_of

    fields = dossier.read("simulation").fields if dossier.is_fresh("simulation") else {}
    return strength(
        dossier.read("case"),
        dossier.read("plan"),
        cement=fields.get("cement_frac"),
        scale=phantom_scale(rods_of(settings.phantom)) if settings.phantom else None,
        spacing_mm=settings.strength_spacing_mm,
        ablated_frac=settings.ablated_frac or None,
        check_mesh=bool(settings.check_mesh),
        ring=bool(settings.ring),
        lesion_spacing_mm=settings.lesion_spacing_mm or None,
        on_progress=on_progress,
    )


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


PLAN_HEEDS = ("proposal", "seed", "full_search", "samples", "guidance", "placement_error_mm")
STRENGTH_HEEDS = ("strength_spacing_mm", "ablated_frac", "check_mesh", "ring", "lesion_spacing_mm", "phantom")
STAGES = (
    Stage("assessment", _assess),
    Stage("proposals", _propose),
    Stage("plan", _plan, PLAN_HEEDS),
    Stage("simulation", _simulate, ("spacing_mm",)),
    Stage("strength", _strength, STRENGTH_HEEDS),
    Stage("verification", _verify),
    Stage("as_done", _simulate_as_done, ("spacing_mm",), settings_like="simulation"),
    Stage("report", _report),
)
