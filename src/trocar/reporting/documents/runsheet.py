"""The sheet on the wall of the room: what the schedule fails, steps with clock and kit, looks, stops, nerve limits."""

from trocar.catalog import devices, limit
from trocar.model.device import Wire
from trocar.model.schedule import SIMULATED, CementBatch, Schedule, TimedStep
from trocar.model.treatment import Duration, KitItem, Technique
from trocar.reporting import vocabulary
from trocar.reporting.documents import terms
from trocar.reporting.documents.deposits import deposits
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.schedulechecks import S_PER_MIN, checks
from trocar.reporting.documents.sheet import Block, Bullets, Field, Fields, Paragraph, Section, Table
from trocar.reporting.remarks import said
from trocar.reporting.words import structure_name, word

AFTERWARDS = ("RECOVERY", "FOLLOWUP")
OWN_MIX = "a mix of its own for this step"  # the clock has a row for the mixing of each
WAIT_min = 2.0  # shorter gaps are not worth a word
WATCHED = 9  # nerves on the sheet: the nearest
WATCHED_mm = 30.0  # or only the nearest one, where none is so near


def sections(facts: Facts) -> tuple[Section, ...]:
    """The parts in the order in which the room needs them."""
    return (_session(facts), checks(facts), _sequence(facts), _controls(facts), _stops(facts), _limits(facts))


def _session(facts: Facts) -> Section:
    language, timed = facts.language, facts.schedule
    nothing = None if facts.gathered.schedule is None else "–"
    lasts = _three(facts, timed.total_min) if timed else nothing
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Session, min (low, typical, high)"), lasts),
        *facts.blank(language("Start at"), language("Cement clock kept by")),
    )
    return Section("session", language("Session"), (Fields(fields, columns=2),))


def _sequence(facts: Facts) -> Section:
    language, timed = facts.language, facts.schedule
    if timed is None:
        return Section("sequence", language("Sequence"), (Paragraph(facts.no_schedule()),), "left")
    names = facts.step_names()
    turned = {timed.steps[0].id, *(change.step for change in timed.position_changes)}
    rows, free_at_min = [], 0.0
    for step in (step for step in timed.steps if step.step not in AFTERWARDS):
        position = _position(facts, step) if step.id in turned else ""
        rows.append(_row(facts, step, names[step.id] + position + _wait(facts, step, free_at_min)))
        free_at_min = max(free_at_min, step.start_min.typical + step.duration_min.typical)
    head = (
        language("Minute"), language("Step (position from here on) – kit (spares)"), language("Lasts"),
        language("Done at"),
    )  # fmt: skip
    blocks: list[Block] = [Table(head, tuple(rows), widths=(1.5, 6.8, 1.3, 1.4))]
    blocks += [Bullets(cement)] if (cement := (*_cement(facts, timed), *deposits(facts))) else []
    return Section("sequence", language("Sequence, typical clock"), (*blocks, *_unplaced_kit(facts, timed)), "left")


def _row(facts: Facts, step: TimedStep, name: str) -> tuple[str, ...]:
    minutes = facts.number(step.start_min.typical, "", digits=0) or ""
    lasts = facts.number(step.duration_min.typical, "", digits=0 if step.duration_min.typical >= 1 else 1) or ""
    kit = _kit_of(facts, step.id)
    return ("+" + minutes, f"{name} – {kit}" if kit else name, lasts, "")


def _position(facts: Facts, step: TimedStep) -> str:
    language = facts.language
    known = word(vocabulary.POSITIONS, step.position, language) if step.position else language("position unknown")
    return f" ({known})"


def _wait(facts: Facts, step: TimedStep, free_at_min: float) -> str:
    """That nothing is done before a step for some minutes; before cement it is for the cavity to thaw."""
    language, idle_min = facts.language, step.start_min.typical - free_at_min
    if idle_min < WAIT_min:
        return ""
    minutes = language.number(idle_min, "min", digits=0)
    if step.step == "CEMENT_MIX":
        return language(", after a wait of {minutes} for the cavity to thaw (E10)", minutes=minutes)
    if step.step == "CEMENT_INJECT":
        return language(", after a wait of {minutes} for the paste phase", minutes=minutes)
    return language(", after a wait of {minutes}", minutes=minutes)


def _unplaced_kit(facts: Facts, timed: Schedule) -> tuple[Paragraph, ...]:
    """Kit of steps that are not on the clock, and the techniques for which none is listed: neither may go unseen."""
    language = facts.language
    elsewhere = sorted({_wanted_at(facts, item) for item in _kit(facts)} - {step.id for step in timed.steps})
    parts = [(language("Kit without a step on the clock"), [_kit_of(facts, step) for step in elsewhere])]
    plan = facts.gathered.plan
    listed = {step.technique for step in plan.steps for item in plan.kit if item.step == step.id} if plan else set()
    bare = [facts.technique(item) for item in Technique if item not in listed and item in _on_the_clock(timed)]
    parts += [(language("No kit is listed; prepare the room's own"), bare)]
    return tuple(Paragraph(f"{label}{facts.language.colon} {', '.join(said)}.") for label, said in parts if said)


def _on_the_clock(timed: Schedule) -> set[Technique | None]:
    return {step.technique for step in timed.steps}


def _kit(facts: Facts) -> tuple[KitItem, ...]:
    plan = facts.gathered.plan
    return plan.kit if plan else ()


def _kit_of(facts: Facts, step: str) -> str:
    return facts.language.listed(_item(facts, item) for item in _kit(facts) if _wanted_at(facts, item) == step)


def _wanted_at(facts: Facts, item: KitItem) -> str:
    """The step at which a piece of the kit is wanted: a screw's wire at the step that puts it in."""
    steps = facts.schedule.steps if facts.schedule else ()
    wires, screws = ([step.id for step in steps if step.step == kind] for kind in ("K_WIRE", "SCREW"))
    wire = isinstance(devices().get(item.device), Wire) and item.step in screws and len(wires) == len(screws)
    return wires[screws.index(item.step)] if wire else item.step


def _item(facts: Facts, item: KitItem) -> str:
    """`1 × Cannulated screw 7.3 mm (length 80 mm, have 75 and 85 mm at hand)`, spares as `(+1)`."""
    spare = f" (+{item.spare})" if item.spare else ""
    clauses = "; ".join(clause for clause in item.note.split("; ") if clause and clause != OWN_MIX)
    note = f" ({said(clauses, facts.language)})" if clauses else ""
    return f"{item.quantity}\u00a0×\u00a0{facts.device(item.device)}{spare}{note}"


def _cement(facts: Facts, timed: Schedule) -> tuple[str, ...]:
    """The clock of each mix from the start of mixing: what has to be quick in seconds, its setting in minutes."""
    language, unknown = facts.language, facts.language("unknown")
    return tuple(
        language(
            "Mix {number}, minute +{minute}: soft from {liquid} to {paste}, steps take {needed} (up to {most}), "
            "set at: {set}; room {room}",
            number=number,
            minute=language.number(mix.mixed_at_min.typical, "", digits=0),
            liquid=facts.number(mix.liquid_until_s, "s") or unknown,
            paste=facts.number(mix.paste_until_s, "s") or unknown,
            needed=language.number(mix.needed_s.typical, "s"),
            most=language.number(mix.needed_s.high, "s"),
            set=_set_at(facts, mix) or unknown,
            room=facts.entered(mix.room_degC, "degC") or unknown,
        )
        + (f" [{terms.keys(mix.source)}]" if mix.source else "")
        for number, mix in enumerate(timed.batches, start=1)
    )


def _set_at(facts: Facts, mix: CementBatch) -> str | None:
    """When a mix has set, said to be predicted where it is."""
    known = facts.number(None if mix.set_at_s is None else mix.set_at_s / S_PER_MIN, "min")
    if known is None or mix.set_source != SIMULATED:
        return known
    return facts.language("{time} (model prior)", time=known)


def _controls(facts: Facts) -> Section:
    language, timed = facts.language, facts.schedule
    times: dict[str, list[str]] = {}
    for point in timed.controls if timed else ():
        said = getattr(point.text, language.code)
        times.setdefault(said, []).append("+" + language.number(point.at_min.typical, "", digits=0))
    items = tuple(f"{', '.join(at)}{facts.language.colon} {said}" for said, at in times.items())
    blocks: Block = Bullets(items) if items else Paragraph(facts.no_schedule())
    return Section("controls", language("Looks, at minute"), (blocks,), "right")


def _stops(facts: Facts) -> Section:
    return Section("stops", facts.language("Stop when"), (facts.cited("stop"),), "right")


def _limits(facts: Facts) -> Section:
    language = facts.language
    coldest, hottest = facts.limit("nerve_min_degC"), facts.limit("nerve_max_degC")
    rule = language("Nerves and cord: never below {coldest} or above {hottest}.", coldest=coldest, hottest=hottest)
    near = [mm for mm in facts.near_nerves(WATCHED) if mm[1] <= WATCHED_mm] or list(facts.near_nerves(1))
    fields = tuple(
        Field(structure_name(name, language), facts.language.listed([facts.distance(mm), *_reached(facts, name)]))
        for name, mm in near
    )
    label, unknown = language("Distance from the lesion"), language("unknown")
    heard = (
        Paragraph(f"{label}{facts.language.colon}")
        if fields
        else Paragraph(f"{label}{facts.language.colon} {unknown}.")
    )
    blank = Fields(facts.blank(language("Coldest or warmest sensor reading")), columns=1)
    blocks: tuple[Block, ...] = (Paragraph(rule), heard, *((Fields(fields, columns=1),) if fields else ()), blank)
    return Section("limits", language("Limits of the nerves"), blocks, "right")


def _reached(facts: Facts, nerve: str) -> list[str]:
    """The coldest and the hottest that a nerve gets by the simulation, or else as the plan foresees it."""
    language = facts.language
    cold, hot = _simulated(facts, nerve, heats=False), _simulated(facts, nerve, heats=True)
    if not cold and not hot:
        return _planned(facts, nerve)
    said = []
    if cold:
        coldest = _beside(facts, min(cold), "nerve_min_degC")
        said.append(language("simulated {coldest} at the coldest", coldest=coldest))
    if hot:
        hottest = _beside(facts, max(hot), "nerve_max_degC")
        said.append(language("simulated {hottest} at the hottest", hottest=hottest))
    return said


def _beside(facts: Facts, degC: float, key: str) -> str:
    """A nerve's temperature in whole degrees, finer where these would hide on which side of its limit it lies."""
    return facts.language.compared(degC, limit(key).value, "degC", digits=0)


def _simulated(facts: Facts, nerve: str, *, heats: bool) -> list[float]:
    """The extremes of a nerve after the steps that ablate by heat, or by cold."""
    plan, simulation = facts.gathered.plan, facts.gathered.simulation
    steps = (step for step in (plan.steps if plan else ()) if step.technique.ablates)
    ablating = {step.id for step in steps if step.technique.heats == heats}
    return [
        found.maximum_degC if heats else found.minimum_degC
        for state in (simulation.states if simulation else ())
        for found in state.structures
        if state.step in ablating and found.name == nerve
    ]


def _planned(facts: Facts, nerve: str) -> list[str]:
    """The coldest and the hottest that the plan foresees for a nerve."""
    language, said = facts.language, []
    if cold := _foreseen(facts, "nerve_minimum_temperature_planned", nerve):
        coldest = _beside(facts, min(cold), "nerve_min_degC")
        said.append(language("planned {coldest} at the coldest", coldest=coldest))
    if hot := _foreseen(facts, "nerve_maximum_temperature_planned", nerve):
        hottest = _beside(facts, max(hot), "nerve_max_degC")
        said.append(language("planned {hottest} at the hottest", hottest=hottest))
    return said


def _foreseen(facts: Facts, name: str, nerve: str) -> list[float]:
    plan = facts.gathered.plan
    return [
        check.value
        for check in (plan.all_checks() if plan else ())
        if (check.name, check.subject) == (name, nerve) and check.value is not None
    ]


def _three(facts: Facts, span: Duration) -> str:
    return " – ".join(facts.language.number(x, "", digits=0) for x in (span.low, span.typical, span.high))
