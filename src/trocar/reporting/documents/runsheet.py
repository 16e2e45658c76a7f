"""The sheet on the wall of the room: steps with clock and kit, looks, stop criteria and the limits of the nerves."""

from trocar.model.schedule import Schedule, TimedStep
from trocar.model.treatment import Duration, KitItem
from trocar.reporting import vocabulary
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Block, Bullets, Fields, Paragraph, Section, Table
from trocar.reporting.words import step_name, structure_name, word

AFTERWARDS = ("RECOVERY", "FOLLOWUP")


def sections(facts: Facts) -> tuple[Section, ...]:
    """The parts in the order in which the room needs them."""
    return (_session(facts), _sequence(facts), _controls(facts), _stops(facts), _limits(facts))


def _session(facts: Facts) -> Section:
    language, timed = facts.language, facts.gathered.schedule
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Session, min (low, typical, high)"), _three(facts, timed.total_min) if timed else None),
        *facts.blank(language("Start at"), language("Cement clock kept by")),
    )
    return Section("session", language("Session"), (Fields(fields, columns=2),))


def _sequence(facts: Facts) -> Section:
    language, timed = facts.language, facts.gathered.schedule
    if timed is None:
        return Section("sequence", language("Sequence"), (Paragraph(language("There is no schedule yet.")),))
    rows = tuple(_row(facts, step) for step in timed.steps if step.step not in AFTERWARDS)
    head = (language("Minute"), language("Step"), language("Lasts"), language("Position"),
            language("Kit (spares)"), language("Done at"))  # fmt: skip
    blocks: list[Block] = [Table(head, rows, widths=(0.9, 3.4, 0.8, 2.0, 4.4, 1.0))]
    blocks += [Bullets(cement)] if (cement := _cement(facts, timed)) else []
    elsewhere = {item.step for item in _kit(facts)} - {step.id for step in timed.steps}
    other = ", ".join(_kit_of(facts, step) for step in sorted(elsewhere))
    label = language("Kit without a step on the clock")
    blocks += [Paragraph(f"{label}{facts.colon} {other}.")] if other else []
    return Section("sequence", language("Sequence, typical clock"), tuple(blocks))


def _row(facts: Facts, step: TimedStep) -> tuple[str, ...]:
    minutes = facts.number(step.start_min.typical, "", digits=0) or ""
    lasts = facts.number(step.duration_min.typical, "", digits=0 if step.duration_min.typical >= 1 else 1) or ""
    position = word(vocabulary.POSITIONS, step.position, facts.language) if step.position else "?"
    name = step_name(step.id, step.step, facts.language)
    return ("+" + minutes, name, lasts, position, _kit_of(facts, step.id) or "–", "")


def _kit(facts: Facts) -> tuple[KitItem, ...]:
    plan = facts.gathered.plan
    return plan.kit if plan else ()


def _kit_of(facts: Facts, step: str) -> str:
    items = (item for item in _kit(facts) if item.step == step)
    return "; ".join(
        f"{item.quantity} × {facts.device(item.device)}" + (f" (+{item.spare})" if item.spare else "") for item in items
    )


def _cement(facts: Facts, timed: Schedule) -> tuple[str, ...]:
    """The clock of each mix, in seconds from the start of mixing."""
    language = facts.language
    return tuple(
        language(
            "Mix {number}: soft until {paste}, needed {needed}; room at {room}",
            number=number,
            paste=facts.number(mix.paste_until_s, "s") or language("unknown"),
            needed=language.number(mix.needed_s.typical, "s"),
            room=facts.number(mix.room_degC, "degC", digits=0) or language("unknown"),
        )
        + f" [{mix.source.split()[0]}]"
        for number, mix in enumerate(timed.batches, start=1)
    )


def _controls(facts: Facts) -> Section:
    language, timed = facts.language, facts.gathered.schedule
    times: dict[str, list[str]] = {}
    for point in timed.controls if timed else ():
        said = getattr(point.text, language.code)
        times.setdefault(said, []).append("+" + language.number(point.at_min.typical, "", digits=0))
    items = tuple(f"{', '.join(at)}{facts.colon} {said}" for said, at in times.items())
    blocks: Block = Bullets(items) if items else Paragraph(language("There is no schedule yet."))
    return Section("controls", language("Looks, at minute"), (blocks,))


def _stops(facts: Facts) -> Section:
    return Section("stops", facts.language("Stop when"), (Bullets(facts.lines("stop", cited=True), columns=2),))


def _limits(facts: Facts) -> Section:
    language = facts.language
    coldest, hottest = facts.limit("nerve_min_degC"), facts.limit("nerve_max_degC")
    rule = language("Nerves and cord: never below {coldest} or above {hottest}.", coldest=coldest, hottest=hottest)
    near = ", ".join(
        f"{structure_name(name, language)} {language.number(mm, 'mm', digits=0)}" for name, mm in facts.near_nerves(4)
    )
    label, unknown = language("Distance from the lesion"), language("unknown")
    distances = f"{label}{facts.colon} {near or unknown}."
    blank = Fields(facts.blank(language("Coldest or warmest sensor reading")), columns=1)
    return Section("limits", language("Limits of the nerves"), (Paragraph(rule), Paragraph(distances), blank))


def _three(facts: Facts, span: Duration) -> str:
    return " – ".join(facts.language.number(x, "", digits=0) for x in (span.low, span.typical, span.high))
