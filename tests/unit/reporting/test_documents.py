"""The documents: complete in both languages, the side everywhere, tagged PDF/A, one page, no decision claimed."""

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest

import reporting_case as made
from pdf_text import page_texts
from trocar.assessment.assess import assess
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sources import require_resolved
from trocar.model.case import Clinical, Decision, Drugs, Laboratory, Oncology, Pain, Patient, Side
from trocar.model.treatment import GateOutcome, Text
from trocar.phantoms import ilium, sacrum
from trocar.planning.kit import kit
from trocar.proposal.propose import propose
from trocar.proposal.schedule import schedule
from trocar.reporting.documents import render
from trocar.reporting.documents.documents import documents, sheet
from trocar.reporting.documents.render import SIZES_pt, pages
from trocar.reporting.documents.sheet import KINDS, Bullets, Paragraph, Section
from trocar.reporting.gathered import gather
from trocar.reporting.language import Language

DAY = datetime.date(2026, 11, 26)
REQUIRED = {
    "tumor-board": ["meeting", "patient", "lesion", "options", "reasons", "unknowns", "decision"],
    "consultation-letter": [
        "heading", "reason", "examination", "proposal", "benefit", "risks", "before", "after", "consent",
    ],
    "checklist": ["known", "sign-in", "time-out", "sign-out"],
    "run-sheet": ["session", "checks", "sequence", "controls", "stops", "limits"],
    "procedure-report": ["heading", "findings", "done", "after", "deviation", "conclusion"],
    "follow-up": ["before", "visits", "response", "biopsy", "notes"],
}  # fmt: skip
SIDES = {("left", "en"): "LEFT", ("left", "fr"): "GAUCHE", ("right", "en"): "RIGHT", ("right", "fr"): "DROITE"}
ROOT = Path(__file__).resolve().parents[3]


def findings(phantom):
    """A phantom's case with its assessment, options and the first option's schedule."""
    case = phantom(spacing_mm=(4.0, 4.0, 4.0))
    assessed = assess(case)
    options = propose(case, assessed)
    return case, (assessed, *options, schedule(options[0]))


@pytest.fixture(scope="module", params=[ilium, sacrum], ids=["ilium", "sacrum"])
def found(request):
    return findings(request.param)


@pytest.fixture(scope="module")
def written(found):
    case, made_of = found
    return documents(case, *made_of, made=DAY)


@pytest.fixture(scope="module")
def right():
    """All documents of the mirrored patient."""
    return documents(made.case(mirrored=True), made.proposal(), made=DAY)


def section(said, key):
    return next(one for one in said.sections if one.key == key)


def blocks(said):
    return [block for one in said.sections for block in one.blocks]


def texts(block):
    """The sentences of a block, each with its source."""
    match block:
        case Bullets():
            return list(zip(block.items, block.sources or ("",) * len(block.items), strict=True))
        case Paragraph():
            return [(block.text, block.source)]
    return []


def spoken(document):
    """The words of a document without its markup and its foot, in small letters."""
    body = re.sub(r"<[^>]+>", " ", document.html.split("<body>")[1].split("<footer>")[0])
    return re.sub(r"\s+", " ", body.replace("&#39;", "'")).lower()


# --- every document


def test_every_document_is_complete_on_one_page_with_its_side(written):
    assert min(SIZES_pt) >= 8.0  # readable in a room
    assert {(d.sheet.document, d.sheet.language) for d in written} == {(k, c) for k in KINDS for c in ("en", "fr")}
    for document in written:
        assert [one.key for one in document.sheet.sections] == REQUIRED[document.sheet.document]
        assert pages(document.pdf) == 1
        assert all(Language.spaced(one.title) in document.html.replace("&#39;", "'") for one in document.sheet.sections)
        assert "2026.11+" in document.sheet.frame.footer[1]


def test_the_pdf_is_tagged_and_says_which_standards_it_keeps(written):
    for document in written:
        assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in document.pdf
        assert b"<pdfuaid:part>1</pdfuaid:part>" in document.pdf
        assert b"/StructTreeRoot" in document.pdf
        assert f"<rdf:li>{document.sheet.language}</rdf:li>".encode() in document.pdf


def test_same_case_and_date_same_bytes(found, written):
    case, made_of = found
    again = documents(case, *made_of, made=DAY)
    assert [d.stem for d in again] == [d.stem for d in written]
    assert [d.pdf for d in again] == [d.pdf for d in written]
    assert [d.html for d in again] == [d.html for d in written]


def test_the_contents_of_both_languages_run_parallel(written):
    pairs = zip(written[::2], written[1::2], strict=True)
    for english, french in pairs:
        for one, other in zip(english.sheet.sections, french.sheet.sections, strict=True):
            assert one.key == other.key
            assert [block.kind for block in one.blocks] == [block.kind for block in other.blocks]
            for mine, theirs in zip(one.blocks, other.blocks, strict=True):
                assert len(texts(mine)) == len(texts(theirs))


def test_nothing_claims_a_decision(written):
    claim = re.compile(r"\b(we recommend|recommended|optimal|is decided|nous recommandons|recommandé|optimale?)\b")
    assert not [d.stem for d in written if claim.search(d.html)]


def test_no_number_is_finer_than_it_is_measured(written):
    point = {"en": r"\.", "fr": ","}
    for document in written:
        finer = re.search(rf"\d{point[document.sheet.language]}\d{{2,}}\s*(mm|ml|°c)", spoken(document))
        assert finer is None, (document.stem, finer)


# --- the side


def carry(made_documents, which):
    """Every page, HTML and PDF, says this side twice at least and the other never."""
    other = "right" if which == "left" else "left"
    for document in made_documents:
        code = document.sheet.language
        for text in (document.html, *page_texts(document.pdf)):
            assert len(re.findall(rf"\b{SIDES[which, code]}\b", text)) >= 2, document.stem
            assert not re.search(rf"\b{SIDES[other, code]}\b", text), document.stem


def test_the_left_stands_on_every_page_and_the_right_on_none(written):
    carry(written, "left")


def test_the_right_stands_on_every_page_and_the_left_on_none(right):
    carry(right, "right")


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("which", ["left", "right"])
def test_the_side_stands_on_the_pages_that_a_sheet_runs_over_to(which, code):
    case = made.case(mirrored=which == "right")
    said = sheet(gather(case, (), None), "checklist", code, DAY)
    long = replace(said, sections=(Section("long", "Long", (Bullets(tuple(f"line {n}" for n in range(200))),)),))
    found = page_texts(render.pdf(long, DAY))
    assert len(found) >= 3
    assert all(re.search(rf"^{SIDES[which, code]}$", text, re.MULTILINE) for text in found)
    banner = said.frame.banner
    assert all(banner in text for text in found)


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


# --- the words


def glossary():
    """English term -> its French forms, as docs/glossary.md tells them."""
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!English|---)([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    return {english.lower(): tuple(french.lower().split(" / ")) for english, french in rows}


def says(term, text):
    """Whether a term stands in a text, in the plural or inflected too."""
    return re.search(rf"\b{re.escape(term)}", text) is not None


def test_every_term_of_the_glossary_is_said_in_french_where_it_is_said_in_english(written):
    used, lost = set(), []
    for english, french in zip(written[::2], written[1::2], strict=True):
        one, other = spoken(english), spoken(french)
        said = {term for term in glossary() if re.search(rf"\b{re.escape(term)}s?\b", one)}
        lost += [(english.stem, term) for term in said if not any(says(form, other) for form in glossary()[term])]
        used |= said
    assert lost == []
    assert len(used) >= 80


def test_no_french_document_keeps_an_english_term(written):
    forms = {form for known in glossary().values() for form in known}
    for french in written[1::2]:
        text = spoken(french)
        kept = [term for term in glossary() if not any(says(term, form) for form in forms)]
        assert [(french.stem, term) for term in kept if re.search(rf"\b{re.escape(term)}s?\b", text)] == []


def test_no_english_document_keeps_a_french_term(written):
    known = glossary()
    forms = {form for french in known.values() for form in french if not any(says(form, term) for term in known)}
    for english in written[::2]:
        text = spoken(english)
        assert [(english.stem, form) for form in forms if re.search(rf"\b{re.escape(form)}\b", text)] == []


LOOSE = re.compile(r" [:;!?»](?=\s|$)|\d (?:mm|ml|min|s|°C|%|Gy|G)(?![\wé])")


def test_no_line_breaks_before_a_french_sign_or_between_a_number_and_its_unit(written):
    for document in written:
        text = re.sub(r"<style>.*?</style>", "", document.html, flags=re.DOTALL)
        assert LOOSE.findall(re.sub(r"<[^>]+>", "|", text)) == [], document.stem


# --- the tumor board


def test_no_reason_against_any_option_is_left_out(found):
    case, made_of = found
    options = [finding for finding in made_of if type(finding).__name__ == "Proposal"]
    for code in ("en", "fr"):
        said = section(sheet(gather(case, made_of, None), "tumor-board", code, DAY), "reasons")
        shown = " ".join(text for block in said.blocks for text, _ in texts(block))
        against = {
            (reason.rule, getattr(reason.text, code))
            for option in options
            for item in option.techniques
            if item.status.value in ("indicated", "optional")
            for reason in item.reasons_against
        }
        assert against
        assert [reason for reason in against if not (reason[0] in shown and reason[1] in shown)] == []


def test_many_reasons_against_push_out_reasons_for_and_never_each_other():
    many = tuple(
        replace(
            made.proposal().techniques[1].reasons_against[0], rule=f"T{n}", text=Text(en=f"No {n}.", fr=f"Non {n}.")
        )
        for n in range(100, 130)
    )
    first, *others = made.proposal().techniques
    option = replace(made.proposal(), techniques=(replace(first, reasons_against=many), *others))
    document = documents(made.case(), option, made=DAY, kinds=("tumor-board",), languages=("en",))[0]
    text = "".join(page_texts(document.pdf))
    assert all(f"No {n}." in text and f"T{n}" in text for n in range(100, 130))


# --- what was entered


def entered():
    """A clinical file with figures that rounding would move across a gate, and with all that a sheet may drop."""
    return replace(
        made.known_clinical(),
        patient=Patient(age_years=17.6, implants=("pacemaker",), allergies=()),
        oncology=Oncology(
            histology="clear cell",
            systemic_therapies=("cabozantinib",),
            bone_agents=("denosumab",),
            expected_survival_months=0.5,
            prior_radiotherapy_at_site=True,
            radiotherapy_dose_Gy=30.0,
            radiotherapy_fractions=10,
        ),
        pain=Pain(worst_nrs=6.5, morphine_mg_per_d=120.0),
        laboratory=Laboratory(platelets_giga_per_l=49.6, inr=1.84),
        drugs=Drugs(antiplatelets=("aspirin",)),
    )


def values(kind, code):
    """What stands in the fields of a sheet of that file."""
    said = sheet(gather(made.case(clinical=entered()), (), None), kind, code, DAY)
    return {field.value for block in blocks(said) if block.kind == "fields" for field in block.fields}


@pytest.mark.parametrize(
    ("kind", "english", "french"),
    [
        (
            "tumor-board",
            {"17.6\u00a0years", "0.5\u00a0months", "49.6\u00a0G/l", "1.84", "6.5"},
            {"17,6\u00a0ans", "0,5\u00a0mois", "49,6\u00a0G/l", "1,84", "6,5"},
        ),
        ("checklist", {"49.6\u00a0G/l", "1.84"}, {"49,6\u00a0G/l", "1,84"}),
        ("consultation-letter", {"6.5"}, {"6,5"}),
        ("follow-up", {"6.5"}, {"6,5"}),
    ],
)
def test_figures_stand_as_they_were_entered(kind, english, french):
    assert english <= values(kind, "en")
    assert french <= values(kind, "fr")


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (
            "tumor-board",
            {
                "pacemaker", "aspirin", "clear cell", "cabozantinib", "denosumab", "120\u00a0mg",
                "yes, 30\u00a0Gy, 10 fractions", "none known",
            },
        ),
        ("checklist", {"pacemaker", "aspirin", "none known"}),
        ("consultation-letter", {"pacemaker", "aspirin", "cabozantinib", "120\u00a0mg"}),
        ("follow-up", {"120\u00a0mg"}),
    ],
)  # fmt: skip
def test_what_the_file_knows_stands_on_the_sheets_that_ask_for_it(kind, known):
    assert known <= values(kind, "en")
    assert "aucune connue" in values("checklist", "fr")


def test_what_an_answer_would_take_out_of_an_option_is_said_in_both_languages(found):
    options = [finding for finding in found[1] if type(finding).__name__ == "Proposal"]
    told = [item.effect for option in options for item in option.counterfactuals if "no longer held" in item.effect.en]
    assert told and all("en moins : " in effect.fr for effect in told)


# --- the letter


def test_every_sentence_to_the_patient_has_a_source_that_resolves(found):
    case, made_of = found
    for code in ("en", "fr"):
        said = sheet(gather(case, made_of, None), "consultation-letter", code, DAY)
        sentences = [pair for block in blocks(said) for pair in texts(block)]
        assert len(sentences) >= 14
        for text, source in sentences:
            require_resolved(source, path=Path("letter"), where=text)


# shows: R31
def test_the_letter_names_every_technique_of_the_option_with_its_goal_and_what_lies_near(found):
    case, made_of = found
    said = sheet(gather(case, made_of, None), "consultation-letter", "en", DAY)
    first = next(finding for finding in made_of if type(finding).__name__ == "Proposal")
    held = [item.technique.value for item in first.techniques if first.indicates(item.technique)]
    goals = section(said, "benefit").blocks[0].items
    assert sorted(goal.split(":")[0] for goal in goals) == sorted(held)
    near = {
        neighbor.name
        for neighbor in made_of[0].lesions[0].neighbors
        if neighbor.role.value in ("nerve", "cord", "vessel", "bowel", "bladder", "ureter", "joint")
        and neighbor.distance_mm <= 20.0
    }
    named = next(block for block in section(said, "risks").blocks if block.kind == "fields")
    assert len(named.fields) == len(near) > 0


def test_the_letter_uses_everyday_words(written):
    jargon = re.compile(
        r"\b(hydrodissection|perfusion|parenchym\w+|ischemi\w+|paresthesi\w+|palsy|hematoma|variant|seeding|"
        r"dévascularis\w+|ensemencement|paresthésies?|parésie|couverture)\b"
    )
    letters = [document for document in written if document.sheet.document == "consultation-letter"]
    assert not [found[0] for letter in letters if (found := jargon.search(spoken(letter)))]
    sentences = [text for letter in letters for block in blocks(letter.sheet) for text, _ in texts(block)]
    assert max(len(text.split()) for text in sentences) <= 32


def test_a_stopped_case_offers_no_treatment_to_the_patient():
    none = replace(made.proposal(), techniques=(), summary=Text(en="Nothing is proposed.", fr="Rien n'est proposé."))
    said = sheet(gather(made.case(), (none,), None), "consultation-letter", "en", DAY)
    assert section(said, "proposal").blocks[0].text == "Nothing is proposed."
    assert "Several treatments" not in str(said)
    board = sheet(gather(made.case(), (none,), None), "tumor-board", "en", DAY)
    assert section(board, "reasons").blocks[0].text == "No option holds a technique."


# --- the report and the follow-up


# shows: R13, R16, R81, R85, R98
def test_the_procedure_report_gives_the_plan_and_leaves_what_happened_blank():
    option = made.proposal()
    embolized = replace(option.techniques[1], status=option.techniques[0].status, reasons_against=())
    assessed, option, plan, *others = made.findings()
    plan = replace(plan, kit=kit(plan.steps))
    said = sheet(gather(made.case(), (assessed, option, plan, *others), None), "procedure-report", "en", DAY)
    rows = section(said, "done").blocks[0].rows
    planned = {row[0]: row[1] for row in rows}
    assert "10.0\u00a0min" in planned["cryoablation"]
    assert planned["screw"].endswith("Cannulated screw 7.3 mm (7.3\u00a0×\u00a071\u00a0mm)")
    assert "1\u00a0×\u00a0Bone cement" in planned["cement"]
    assert "(cement-1 3.0\u00a0ml, cement-2 3.0\u00a0ml)" in planned["cement"]
    assert all(row[3] == "" for row in rows)
    asked = {row[0]: row[2] for row in rows}
    assert "number and length of cores" in asked["biopsy"]
    orders = {field.label: field.state for field in section(said, "after").blocks[0].fields}
    assert {orders[label] for label in ("Bed rest until", "Getting up, weight-bearing", "Expected stay")} == {"blank"}
    only = replace(option, techniques=(embolized,))
    said = sheet(gather(made.case(), (only,), None), "procedure-report", "en", DAY)
    assert "grade of blush before and after" in section(said, "done").blocks[0].rows[0][2]


# shows: R6, R14, R87
def test_the_follow_up_asks_for_quality_of_life_loosening_and_what_the_biopsy_changed(written):
    for document in written:
        if document.sheet.document == "follow-up":
            said = spoken(document)
            assert "eq-5d-5l" in said
            assert says("loosening" if document.sheet.language == "en" else "descellement", said)
            assert {field.state for field in section(document.sheet, "biopsy").blocks[0].fields} == {"blank"}
    before = {field.label for field in section(document.sheet, "before").blocks[0].fields}
    assert len(before) == 7 and {"ECOG", "EQ-5D-5L"} <= before
    rows = section(document.sheet, "visits").blocks[0].rows
    assert all(cell == "" for row in rows for cell in row[1:])


# shows: R9
def test_the_procedure_report_counts_the_punctures_of_the_plan_and_leaves_the_stay_to_write():
    plan = made.plan()
    said = sheet(gather(made.case(), made.findings(), None), "procedure-report", "en", DAY)
    shown = next(field for field in section(said, "heading").blocks[0].fields if "punctures" in field.label)
    places = {placement.skin_lps_mm for step in plan.steps for placement in step.placements}
    assert shown.value == f"{len(places)}, up to 7.3\u00a0mm"
    bare = sheet(gather(made.case(), (), None), "procedure-report", "en", DAY)
    shown = next(field for field in section(bare, "heading").blocks[0].fields if "punctures" in field.label)
    assert shown.state == "unknown"


def test_every_order_rule_that_may_give_way_has_a_text_to_say():
    assert all(rule.text.en and rule.text.fr for rule in ruleset().order if not rule.hard)
