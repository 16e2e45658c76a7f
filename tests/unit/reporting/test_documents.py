"""The documents: complete in both languages, the side everywhere, tagged PDF/A, one page, no decision claimed."""

import datetime
import re
from dataclasses import replace

import pytest

import reporting_case as made
from trocar.assessment.assess import assess
from trocar.model.case import Clinical, Decision, Side
from trocar.model.treatment import GateOutcome, Text
from trocar.phantoms import ilium, sacrum
from trocar.proposal.propose import propose
from trocar.proposal.schedule import schedule
from trocar.reporting.documents.documents import documents, sheet
from trocar.reporting.documents.render import pages
from trocar.reporting.documents.sheet import KINDS
from trocar.reporting.gathered import gather

DAY = datetime.date(2026, 11, 26)
REQUIRED = {
    "tumor-board": ["meeting", "patient", "lesion", "options", "reasons", "unknowns", "decision"],
    "consultation-letter": [
        "heading", "reason", "examination", "proposal", "benefit", "risks", "before", "consent",
    ],
    "checklist": ["known", "sign-in", "time-out", "sign-out"],
    "run-sheet": ["session", "sequence", "controls", "stops", "limits"],
    "procedure-report": ["heading", "findings", "done", "after", "deviation", "conclusion"],
    "follow-up": ["before", "visits", "response", "biopsy", "notes"],
}  # fmt: skip
SIDES = {"en": "LEFT", "fr": "GAUCHE"}


@pytest.fixture(scope="module", params=[ilium, sacrum], ids=["ilium", "sacrum"])
def written(request):
    case = request.param(spacing_mm=(4.0, 4.0, 4.0))
    assessed = assess(case)
    options = propose(case, assessed)
    return documents(case, assessed, *options, schedule(options[0]), made=DAY)


def test_every_document_is_complete_on_one_page_with_its_side(written):
    assert {(d.sheet.document, d.sheet.language) for d in written} == {(k, c) for k in KINDS for c in ("en", "fr")}
    for document in written:
        assert [section.key for section in document.sheet.sections] == REQUIRED[document.sheet.document]
        assert pages(document.pdf) == 1
        assert document.html.count(SIDES[document.sheet.language]) >= 2
        assert all(section.title in document.html.replace("&#39;", "'") for section in document.sheet.sections)
        assert "2026.11+" in document.sheet.frame.footer[1]


def test_the_pdf_is_tagged_and_says_which_standards_it_keeps(written):
    for document in written:
        assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in document.pdf
        assert b"<pdfuaid:part>1</pdfuaid:part>" in document.pdf
        assert b"/StructTreeRoot" in document.pdf
        assert f"<rdf:li>{document.sheet.language}</rdf:li>".encode() in document.pdf


def test_same_case_and_date_same_bytes():
    first, second = (documents(made.case(), *made.findings(), made=DAY, kinds=("tumor-board",)) for _ in range(2))
    assert [d.pdf for d in first] == [d.pdf for d in second]
    assert [d.html for d in first] == [d.html for d in second]


def test_the_contents_of_both_languages_run_parallel(written):
    pairs = zip(written[::2], written[1::2], strict=True)
    for english, french in pairs:
        for one, other in zip(english.sheet.sections, french.sheet.sections, strict=True):
            assert one.key == other.key
            assert [block.kind for block in one.blocks] == [block.kind for block in other.blocks]


@pytest.mark.parametrize(("code", "unknown"), [("en", "SIDE UNKNOWN"), ("fr", "CÔTÉ INCONNU")])
def test_a_side_that_nobody_knows_is_shouted(code, unknown):
    case = made.case(clinical=Clinical())
    bare = replace(case, structures=tuple(replace(s, side=None) for s in case.structures))
    said = sheet(gather(bare, (), None), "tumor-board", code, DAY)
    assert (said.side.text, said.side.doubtful) == (unknown, True)


def test_sides_that_differ_are_shouted():
    case = made.case(clinical=Clinical(decision=Decision(side=Side.RIGHT)))
    said = sheet(gather(case, (), None), "tumor-board", "en", DAY)
    assert said.side.doubtful
    assert "RIGHT" in said.side.note and "LEFT" in said.side.note


def test_a_stop_and_a_missing_input_come_first():
    stop = GateOutcome(rule="G3", outcome="stop", message=Text(en="Cord.", fr="Moelle."), source="V1")
    option = replace(made.proposal(), gates=(stop,))
    said = sheet(gather(made.case(), (option,), None), "consultation-letter", "fr", DAY)
    assert re.match("STOP G3|ARRÊT G3", said.alarms[0]) and "Moelle." in said.alarms[0]
    assert "INR" in said.alarms[1] and "G2" in said.alarms[1]


def test_nothing_claims_a_decision(written):
    claim = re.compile(r"\b(we recommend|recommended|optimal|is decided|nous recommandons|recommandé|optimale?)\b")
    assert not [d.stem for d in written if claim.search(d.html)]


GLOSSARY = {  # English term of the glossary -> its French one
    "tumor board": "RCP", "bone cement": "ciment", "ice ball": "glaçon",
    "follow-up": "suivi", "checklist": "check-list",
    "cement leak": "fuite", "loosening": "descellement", "weight-bearing": "remise en charge",
    "informed consent": "consentement éclairé", "planning ct": "scanner de planification", "fasting": "jeûne",
    "supine": "décubitus dorsal", "spinal cord": "moelle", "healthy bone": "os sain", "biopsy": "biopsie",
    "traceability": "traçabilité", "adverse event": "effet indésirable", "cryoprobe": "cryosonde", "screw": "vis",
    "antibiotic prophylaxis": "antibioprophylaxie", "cortical breach": "corticale rompue", "allergies": "allergies",
}  # fmt: skip
SAME = {"allergies"}


def spoken(document):
    """The words of a sheet without its markup, in small letters."""
    return re.sub(r"<[^>]+>", " ", document.html.split("<body>")[1]).replace("&#39;", "'").lower()


def test_the_glossarys_french_terms_are_used_and_none_of_their_english_ones(written):
    french = [document for document in written if document.sheet.language == "fr"]
    for term in GLOSSARY.keys() - SAME:
        assert not [d.stem for d in french if re.search(rf"\b{re.escape(term)}\b", spoken(d))], term
    together = " ".join(map(spoken, french))
    assert [fr for fr in GLOSSARY.values() if fr.lower() not in together] == []


def test_the_run_sheet_holds_every_step_look_and_stop_of_the_session():
    case = sacrum(spacing_mm=(4.0, 4.0, 4.0))
    assessed = assess(case)
    options = propose(case, assessed)
    timed = schedule(options[0])
    said = sheet(gather(case, (assessed, *options, timed), None), "run-sheet", "en", DAY)
    sequence = next(section for section in said.sections if section.key == "sequence")
    in_room = [step for step in timed.steps if step.step not in ("RECOVERY", "FOLLOWUP")]
    assert len(sequence.blocks[0].rows) == len(in_room)
    looks = next(section for section in said.sections if section.key == "controls").blocks[0].items
    assert all(any(point.text.en in look for look in looks) for point in timed.controls)


def test_the_procedure_report_gives_the_plan_and_leaves_what_happened_blank():
    said = sheet(gather(made.case(), made.findings(), None), "procedure-report", "en", DAY)
    planned = {row[0]: row[1] for row in next(s for s in said.sections if s.key == "done").blocks[0].rows}
    assert "10.0\u00a0min" in planned["cryoablation"]
    assert all(row[3] == "" for row in next(s for s in said.sections if s.key == "done").blocks[0].rows)
