"""What the room must know of the schedule before it starts: its checks the worst first, and the rules that gave way."""

import re
from collections.abc import Iterator

from trocar.catalog.ruleset import ruleset
from trocar.model.finding import Check, Verdict
from trocar.model.schedule import SIMULATED, Schedule
from trocar.reporting import vocabulary
from trocar.reporting.citations import limit_said
from trocar.reporting.documents import terms
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Bullets, Paragraph, Section
from trocar.reporting.gathered import SEVERITY
from trocar.reporting.remarks import said
from trocar.reporting.words import check_name, word

S_PER_MIN = 60.0
MARKS = {Verdict.FAIL: "✖", Verdict.WARN: "▲", Verdict.UNKNOWN: "?", Verdict.PASS: "✔"}


def checks(facts: Facts) -> Section:
    """Every check of the schedule, what is unknown of the cement, and the soft rules that gave way."""
    language, timed = facts.language, facts.schedule
    title = language("Before the start: checks of this schedule")
    if timed is None:
        return Section("checks", title, (Paragraph(facts.no_schedule()),))
    items = _together(facts, _worst_first((*timed.checks, *_unknown_settings(timed))))
    items += [_yielded(facts, rule) for rule in timed.yielded]
    return Section("checks", title, (Bullets(tuple(items)) if items else Paragraph(language("nothing listed")),))


def failures(facts: Facts) -> tuple[str, ...]:
    """The failed checks, for the alarms above everything else."""
    timed = facts.schedule
    failed = timed.failed if timed else ()
    return tuple(said.removeprefix(MARKS[Verdict.FAIL]).strip() for said in _together(facts, list(failed)))


def _together(facts: Facts, found: list[Check]) -> list[str]:
    """One line for each check; those that say the same of several steps share theirs."""
    subjects: dict[tuple[Verdict, str], list[str]] = {}
    for check in found:
        subjects.setdefault((check.verdict, _said(facts, check)), []).append(_subject(facts, check.subject))
    return [
        f"{MARKS[verdict]} {word(vocabulary.VERDICTS, verdict.value, facts.language)}, {', '.join(whose)}"
        f"{facts.language.colon} {said}"
        for (verdict, said), whose in subjects.items()
    ]


def _worst_first(found: tuple[Check, ...]) -> list[Check]:
    return sorted(found, key=lambda check: SEVERITY.index(check.verdict))


def _unknown_settings(timed: Schedule) -> Iterator[Check]:
    """Mixes of which nobody knows when they have set, or only a model does."""
    for mix in timed.batches:
        prior = "a prior of the model; " if mix.set_source == SIMULATED else ""
        if mix.set_at_s is None or prior:
            yield Check(
                name="cement_set_from_mixing",
                subject=mix.id,
                value=None if mix.set_at_s is None else mix.set_at_s / S_PER_MIN,
                limit=None,
                unit="min",
                verdict=Verdict.UNKNOWN if mix.set_at_s is None else Verdict.WARN,
                source="design",
                message=f"{prior}keep a sample of the mix at hand, and wait until it is hard",
            )


def _said(facts: Facts, check: Check) -> str:
    """`Injection within the cement's working time: 178 s (117 to 306 s), limit 204 s [V46]`."""
    language, timed = facts.language, facts.schedule
    unknown = language("unknown")
    value = unknown if check.value is None else language.compared(check.value, check.limit, check.unit)
    mix = next((mix for mix in timed.batches if mix.id == check.subject), None) if timed else None
    if check.name == "cement_clock" and mix:
        span = language("{low} to {high} s", low=f"{mix.needed_s.low:.0f}", high=f"{mix.needed_s.high:.0f}")
        value, message = f"{value} ({span})", ""
    else:
        message = f" – {_named(facts, said(check.message, language))}" if check.message else ""
    limit = "" if check.limit is None else language("limit {limit}", limit=limit_said(check, language))
    values = ", ".join(filter(None, (value, limit)))
    return f"{check_name(check.name, language)}{facts.language.colon} {values}{message} [{terms.keys(check.source)}]"


def _named(facts: Facts, message: str) -> str:
    """A sentence with the steps called by their names instead of their ids."""
    names = facts.step_names()
    return re.sub(r"\b[a-z]+(?:-[a-z]+)*-\d+\b", lambda found: names.get(found[0], found[0]), message)


def _subject(facts: Facts, subject: str) -> str:
    """A step as the sequence below names it, or another thing of the session."""
    return facts.step_names().get(subject) or word(vocabulary.SESSION_PARTS, subject, facts.language)


def _yielded(facts: Facts, rule: str) -> str:
    """`▲ Gave way to other rules, E2: ...`, with what the rule asks for."""
    text = next((item.text for item in ruleset().order if item.id == rule), None)
    language = facts.language
    about = f"{facts.language.colon} {getattr(text, language.code)}" if text else ""
    gave_way = language("Order rule {rule} gave way to others", rule=rule)
    return f"{MARKS[Verdict.WARN]} {gave_way}{about}"
