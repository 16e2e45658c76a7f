"""The sheet for the visits after a procedure: where the patient started, then a column for each visit."""

from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Fields, Lines, Section, Table


def sections(facts: Facts) -> tuple[Section, ...]:
    """The state before, the visits, what counts as a response, what the biopsy changed."""
    language = facts.language
    result = Fields(facts.blank(language("Result, date"), language("What it changes in the treatment")))
    return (
        _before(facts),
        _visits(facts),
        Section("response", language("Response of the pain, by international consensus"),
                (facts.cited("response"),)),
        Section("biopsy", language("Biopsy"), (result,)),
        Section("notes", language("Notes"), (Lines(8),)),
    )  # fmt: skip


def _before(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Worst pain (0 to 10)"), facts.entered(clinical.pain.worst_nrs)),
        facts.known("ECOG", facts.entered(clinical.patient.ecog)),
        facts.known_or_blank(language("Day of the procedure"), facts.date(clinical.decision.planned_date)),
        facts.known_or_blank(language("Morphine equivalent per day"), facts.morphine()),
        *facts.blank("EQ-5D-5L", language("Walking, with or without help")),
    )
    return Section("before", language("Before the procedure"), (Fields(fields, columns=2),))


def _visits(facts: Facts) -> Section:
    visits, measures = facts.lines("visit"), (facts.language("Date"), *facts.lines("measure"))
    rows = tuple((measure, *("" for _ in visits)) for measure in measures)
    table = Table(("", *visits), rows, widths=(2.4, *(1.0 for _ in visits)), roomy=True)
    return Section("visits", facts.language("Visits; other dates may suit the patient better"), (table,))
