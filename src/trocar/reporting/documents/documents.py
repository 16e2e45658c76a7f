"""The sheets of a case, each from whichever findings exist."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from trocar.model.case import Case
from trocar.reporting.documents import (
    checklist,
    consultation,
    followup,
    procedure,
    render,
    runsheet,
    tumor_board,
)
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.schedulechecks import failures
from trocar.reporting.documents.sheet import KINDS, Kind, Section, Sheet
from trocar.reporting.gathered import Findings, Gathered, gather
from trocar.reporting.language import CODES, Code, Language

TITLES: dict[Kind, str] = {
    "tumor-board": "Tumor-board sheet",
    "consultation-letter": "Consultation letter, draft",
    "checklist": "Pre-procedure checklist",
    "run-sheet": "Run sheet for the room",
    "procedure-report": "Procedure report, draft",
    "follow-up": "Follow-up sheet",
}
SECTIONS: dict[Kind, Callable[[Facts], tuple[Section, ...]]] = {
    "tumor-board": tumor_board.sections,
    "consultation-letter": consultation.sections,
    "checklist": checklist.sections,
    "run-sheet": runsheet.sections,
    "procedure-report": procedure.sections,
    "follow-up": followup.sections,
}
IN_THE_ROOM: tuple[Kind, ...] = ("checklist", "run-sheet")  # where a failed check of the schedule comes first


@dataclass(frozen=True, slots=True)
class Document:
    """One sheet, as HTML and as PDF/A."""

    sheet: Sheet
    html: str
    pdf: bytes

    @property
    def stem(self) -> str:
        """The name of its files without their ending: `tumor-board-en`."""
        return f"{self.sheet.document}-{self.sheet.language}"


def sheet(gathered: Gathered, kind: Kind, code: Code, made: datetime.date) -> Sheet:
    """What a document says in one language."""
    facts = Facts(gathered, Language(code), made)
    return Sheet(
        document=kind,
        language=code,
        title=facts.language(TITLES[kind]),
        side=facts.side,
        frame=facts.frame(),
        alarms=(*facts.alarms(), *(failures(facts) if kind in IN_THE_ROOM else ())),
        sections=SECTIONS[kind](facts),
    )


def documents(
    case: Case,
    *findings: Findings,
    made: datetime.date,
    kinds: tuple[Kind, ...] = KINDS,
    languages: tuple[Code, ...] = CODES,
) -> tuple[Document, ...]:
    """The documents of a case and its findings, dated `made`. Same input, same bytes.

    Raises `CaseError` when two plans are given or there is no lesion.
    """
    gathered = gather(case, findings, None)
    sheets = [sheet(gathered, kind, code, made) for kind in kinds for code in languages]
    return tuple(Document(one, render.html(one), render.pdf(one, made)) for one in sheets)
