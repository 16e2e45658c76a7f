"""The stages in order on a dossier: what is missing or stale is made from what is fresh; nothing else is touched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from trocar.errors import InputError, PlanningError
from trocar.io.dossier import Dossier, State
from trocar.io.entries import NEEDS, USES
from trocar.model.edits import Edits
from trocar.workflow.placing import edit
from trocar.workflow.stages import PLAN_HEEDS, STAGES, Progress, Settings, Stage, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did: the entries it made, and the refusal that ended planning, if one did."""

    made: tuple[str, ...]
    refusal: PlanningError | None = None


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
    guidance: str | None = None,
    placement_error_mm: float | None = None,
    strength_spacing_mm: float | None = None,
    ablated_frac: float | None = None,
    check_mesh: int | None = None,
    ring: int | None = None,
    lesion_spacing_mm: float | None = None,
    phantom: str | None = None,
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
        "guidance": guidance,
        "placement_error_mm": placement_error_mm,
        "strength_spacing_mm": strength_spacing_mm,
        "ablated_frac": ablated_frac,
        "check_mesh": check_mesh,
        "ring": ring,
        "lesion_spacing_mm": lesion_spacing_mm,
        "phantom": phantom,
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


def is_due(dossier: Dossier, stage: Stage, asked: Mapping[str, int | float | str]) -> bool:
    """Whether a stage is missing, stale, or was made with settings other than those given."""
    status = dossier.state_of(stage.entry)
    if status.state is not State.FRESH:
        return True
    used = status.settings or {}
    return any(used.get(name) != value for name, value in asked.items() if name in stage.heeds)


def _stages_for(dossier: Dossier, until: str) -> list[Stage]:
    """The stages that lead to `until`, in order; those of the control only when there is one.

    Strength is made when it is asked for, and kept fresh from then on; it uses a simulation without asking for one.
    """
    required = {until, "as_done"} if until == "report" else {until}
    for entry in reversed(NEEDS):
        if entry in required:
            required |= {*NEEDS[entry], *(() if entry == "strength" else USES.get(entry, ()))}
    if "control" not in dossier and until in NEEDS and "control" in NEEDS[until]:
        raise InputError("the dossier holds no control CT", hint="trocar verify DOSSIER --control PATH")
    skipped = set() if "control" in dossier else {"verification", "as_done"}
    if until != "strength" and "strength" not in dossier:
        skipped.add("strength")
    return [stage for stage in STAGES if stage.entry in required - skipped]


def _can_be_made(dossier: Dossier, entry: str) -> bool:
    return all(dossier.is_fresh(name) for name in NEEDS[entry])


def _make(dossier: Dossier, stage: Stage, asked: Mapping[str, int | float | str], on_progress: Progress) -> bool:
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


def _used(dossier: Dossier, entry: str) -> Iterable[tuple[str, int | float | str]]:
    return dossier.settings(entry).items() if entry in dossier else ()


def _part(on_progress: Progress | None, number: int, count: int, entry: str) -> Progress:
    """Progress of one stage as a share of the whole run."""

    def report(fraction: float, text: str) -> None:
        if on_progress is not None:
            on_progress((number + fraction) / count, f"{entry}: {text}" if text else entry)

    return report


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
            guidance=settings.led(),
        )
        chosen = {name: getattr(settings, name) for name in PLAN_HEEDS}
        dossier.write("plan", made, made_from=sources(dossier, "plan"), settings=chosen)
