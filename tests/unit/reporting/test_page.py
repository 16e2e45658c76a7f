"""The page: complete in both languages, self-contained, safe against hostile text, every number with its source."""

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

import reporting_case as made
from trocar.catalog.structures import structure_names
from trocar.errors import CaseError
from trocar.model.case import Clinical, Decision, GeometryFinding, Role, Severity, Side
from trocar.model.finding import Verdict
from trocar.model.treatment import Text
from trocar.reporting.report import Report, report

VOID = {"meta", "br", "img", "input", "hr", "link"}
MEASURE = re.compile(r"\d\s*(mm|ml|°C|%|min|°|UH|HU|G/l)(?![a-z])")
LOOSE = re.compile(r" [:;!?»](?=\s|$)|\d (?:mm|ml|min|s|°C|%|Gy|G)(?![\wé])")


@dataclass
class Element:
    tag: str
    attributes: dict
    parents: tuple["Element", ...]
    text: list = field(default_factory=list)

    def within(self, tag: str, **attributes: str) -> bool:
        chain = (*self.parents, self)
        return any(e.tag == tag and all(e.attributes.get(k) == v for k, v in attributes.items()) for e in chain)


class Page(HTMLParser):
    """The elements of a page, each with its parents and its own text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), tuple(self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        while self.open and self.open.pop().tag != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.open[-1].text.append(data)

    def of(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def words(self, language: str, *, sources: bool = True) -> str:
        """All text of one language, without scripts and pictures; with the works that it cites, or without."""
        return " ".join(
            "".join(e.text)
            for e in self.elements
            if e.within("div", lang=language)
            and not e.within("symbol")
            and e.tag not in ("script", "style")
            and (sources or not e.within("dd", lang="en"))
        )


@pytest.fixture(scope="module")
def html() -> str:
    return report(made.case(), *made.findings(), source_digests={"ct.nii.gz": "ab" * 32}).html


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


SECTIONS = [
    ("Checks", "Vérifications"),
    ("The plan on one page", "Le projet en une page"),
    ("Why each technique", "Pourquoi chaque technique"),
    ("The lesion as measured", "La lésion mesurée"),
    ("Placements", "Positions des instruments"),
    ("Kit", "Matériel"),
    ("Step by step in pictures", "Étape par étape en images"),
    ("Instrument by instrument", "Instrument par instrument"),
    ("Coverage per compartment", "Couverture par compartiment"),
    ("Nerves and other structures: temperatures", "Nerfs et autres structures\u00a0: températures"),
    ("Screws and cement", "Vis et ciment"),
    ("Strength before and after", "Résistance avant et après"),
    ("Interactive view", "Vue interactive"),
    ("What is not known", "Ce qui n'est pas connu"),
    ("Sources", "Sources"),
    ("Versions and digests", "Versions et empreintes"),
]


@pytest.mark.parametrize(("language", "column"), [("en", 0), ("fr", 1)])
def test_sections_stand_in_order_in_each_language(page, language, column):
    headings = ["".join(e.text) for e in page.of("h2") if e.within("div", lang=language)]
    assert headings == [section[column] for section in SECTIONS]


def test_nothing_is_loaded_from_elsewhere(page, html):
    for element in page.elements:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            value = element.attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/png;base64,")), (element.tag, name)
    style = "".join(page.of("style")[0].text)
    assert "url(" not in style and "@import" not in style
    assert len(html) < 10_000_000


def test_only_the_pages_own_scripts_and_styles_may_run(page):
    policy = next(e.attributes["content"] for e in page.of("meta") if "http-equiv" in e.attributes)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    programs = [e for e in page.of("script") if "type" not in e.attributes] + page.of("style")
    assert len(programs) == 3
    for program in programs:
        digest = b64encode(sha256("".join(program.text).encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not [e for e in page.elements if "style" in e.attributes or any(a.startswith("on") for a in e.attributes)]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_check_is_there_with_its_verdict(page, language):
    words = page.words(language)
    shown = [e for e in page.of("tr") if e.within("div", lang=language) and e.within("section", **{"class": "checks"})]
    rows = [e for e in shown if not e.within("thead")]
    checks = [*made.assessment().checks, *made.plan().all_checks(), *made.simulation().checks, *made.strength().checks]
    assert len(rows) == len(checks)
    for verdict, said in {"FAIL": "ÉCHEC", "WARN": "ALERTE", "UNKNOWN": "INCONNU", "PASS": "OK"}.items():
        assert (verdict if language == "en" else said) in words


def test_the_worst_checks_come_first(page):
    verdicts = [
        e.attributes["class"].removeprefix("verdict ")
        for e in page.of("span")
        if e.attributes.get("class", "").startswith("verdict ")
        and e.within("div", lang="en")
        and e.within("table")
        and e.within("section", **{"class": "checks"})
    ]
    order = ["fail", "warn", "unknown", "pass"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert set(verdicts) == set(order)


def test_every_number_of_a_table_has_a_source(page):
    """I7: what measures something stands in an element that names its source."""
    cells = [e for e in page.elements if e.within("td") or e.within("dl", **{"class": "facts"})]
    bare = [
        text for e in cells for text in e.text if MEASURE.search(text) and not e.within("span", **{"class": "number"})
    ]
    assert not bare
    numbers = [e for e in page.of("span") if e.attributes.get("class") == "number"]
    assert len(numbers) > 100
    assert all(e.attributes["title"].startswith("Source") for e in numbers)


def test_every_source_key_leads_to_its_source(page):
    targets = {e.attributes["id"] for e in page.elements if "id" in e.attributes}
    links = {e.attributes["href"][1:] for e in page.of("a")}
    assert links and links <= targets
    assert "source-en-V26" in links and "source-fr-D" in links


def test_no_markup_is_shown_as_text(page):
    assert not [e.tag for e in page.elements if e.tag not in ("script", "style") and "</" in "".join(e.text)]


def test_identifiers_are_unique(page):
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_tables_pictures_and_controls_are_named(page):
    for element in page.elements:
        if element.tag == "th":
            assert element.attributes.get("scope")
        if element.attributes.get("role") == "img":
            assert element.attributes.get("aria-label")
    assert page.of("html")[0].attributes["lang"] == "en"


def test_french_writes_numbers_with_a_comma(page):
    words = page.words("fr")
    assert "8,4\u00a0°C" in words
    assert not re.search(r"\d\.\d+\u00a0?(mm|ml|°C)", words)
    assert "12 novembre 2026" in words


# shows: R104
def test_the_side_and_the_warning_are_on_top(page):
    banner = [e for e in page.elements if e.within("header", **{"class": "banner"})]
    said = " ".join("".join(e.text) for e in banner)
    for words in ("not a medical device", "pas un dispositif médical", "LEFT", "GAUCHE"):
        assert words in said


def test_hostile_text_stays_text(html):
    plan = made.plan()
    step = replace(plan.steps[0], position=made.HOSTILE)
    check = replace(made.simulation().checks[0], subject=made.HOSTILE, message=made.HOSTILE)
    hostile = report(
        made.case(case_id=made.HOSTILE),
        made.assessment(),
        replace(plan, steps=(step, *plan.steps[1:]), ruleset=made.HOSTILE),
        replace(made.simulation(), checks=(check,)),
        source_digests={made.HOSTILE: made.HOSTILE},
    ).html
    page = Page(hostile)
    assert not page.of("img")
    assert len([e for e in page.of("script") if "type" not in e.attributes]) == 2
    assert "<img src=x" not in hostile


def test_same_input_same_bytes(html):
    again = report(made.case(), *made.findings(), source_digests={"ct.nii.gz": "ab" * 32}).html
    assert again == html


@pytest.mark.parametrize("count", range(5))
def test_a_partial_report_says_what_is_absent(count):
    words = Page(report(made.case(), *made.findings()[:count]).html).words("en")
    absent = {
        "There is no assessment yet.": 1,
        "There is no proposal yet.": 2,
        "There is no plan yet.": 3,
        "Nothing was simulated: no temperature is known.": 4,
    }
    for sentence, needed in absent.items():
        assert (sentence in words) == (count < needed), sentence


def test_a_verification_tells_what_was_found_and_what_was_not(page):
    verified = Page(report(made.case(), *made.findings(), made.verification()).html)
    english, french = verified.words("en"), verified.words("fr")
    assert "Verification on the control CT" in english and "Contrôle sur le scanner" in french
    assert "3.2\u00a0mm" in english and "3,2\u00a0mm" in french
    assert "not found" in english and "non trouvé" in french
    assert "\u22122.6 … 0.3\u00a0mm" in english
    assert "what was done is not verified" in page.words("en")
    assert "what was done is not verified" not in english


def test_no_nerve_is_not_a_safe_nerve():
    words = Page(report(made.case(nerves=False)).html).words("en")
    assert "does not mean that it is safe" in words


def test_unknowns_are_listed(page):
    for language, sentence in (("en", "No structure of this kind is segmented: bowel"), ("fr", "intestin")):
        assert sentence in page.words(language)
    assert "Model prior" in page.words("en")


def test_a_wrong_side_is_shouted(page):
    clinical = Clinical(decision=Decision(side=Side.RIGHT))
    words = Page(report(made.case(clinical=clinical), made.assessment()).html).words("en")
    assert "contradict each other" in words
    assert "contradict each other" not in page.words("en")


def test_two_plans_are_refused():
    with pytest.raises(CaseError):
        report(made.case(), made.plan(), made.plan())
    with pytest.raises(CaseError):
        report(made.case(), "a plan")


def test_a_case_without_lesion_is_refused():
    case = made.case()
    bare = replace(case, structures=tuple(s for s in case.structures if s.name != "lesion_1"))
    with pytest.raises(CaseError):
        report(bare)


def test_saving_replaces_the_whole_file(tmp_path):
    target = tmp_path / "out/report.html"
    Report("old").save(target)
    Report("né").save(target)
    assert target.read_text(encoding="utf-8") == "né"
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    target = tmp_path / "report.html"
    Report("old").save(target)
    with pytest.raises(UnicodeEncodeError):
        Report("\ud800").save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_fail_in_a_step_is_shown():
    plan = made.plan()
    worse = replace(plan.steps[1].checks[0], verdict=Verdict.FAIL)
    step = replace(plan.steps[1], checks=(worse,))
    words = Page(report(made.case(), replace(plan, steps=(plan.steps[0], step, *plan.steps[2:]))).html).words("en")
    assert "✖" in words


def test_what_an_embolization_leaves_stands_alone_in_its_protocol():
    plan = made.plan()
    bare = replace(plan.steps[0], protocol=(), perfusion_scale=0.1)
    words = Page(report(made.case(), replace(plan, steps=(bare, *plan.steps[1:]))).html).words("en")
    assert "perfusion left" in words and "–perfusion" not in words.replace(" ", "")


def test_no_line_breaks_before_a_french_sign_or_between_a_number_and_its_unit():
    assessed, option, plan, *others = made.findings()
    note = Text(en="Wait 3 min: then look.", fr="Attendre 3 min : puis regarder ; 7,3 / mm ?")
    plan = replace(plan, steps=tuple(replace(step, notes=(note,)) for step in plan.steps))
    page = Page(report(made.case(), assessed, option, plan, *others).html)
    for language in ("en", "fr"):
        pieces = [text for e in page.elements if e.within("div", lang=language) and e.tag != "text" for text in e.text]
        assert [text for text in pieces if LOOSE.search(text)] == []
    assert "3\u00a0min\u00a0: puis regarder\u00a0; 7,3\u00a0/\u00a0mm\u00a0?" in page.words("fr")


def test_two_distances_to_the_skin_have_two_labels():
    assessed, *others = made.findings()
    (measure,) = assessed.lesions
    (nerve,) = measure.neighbors
    measure = replace(measure, neighbors=(nerve, replace(nerve, name="skin", role=Role.SKIN, distance_mm=10.3)))
    page = Page(report(made.case(), replace(assessed, lesions=(measure,)), *others).html)
    heads = {text for e in page.of("th") for text in e.text}
    assert {"Distance to the skin's surface", "skin, inner side"} <= heads
    assert {"Distance à la surface de la peau", "peau, face interne"} <= heads


def test_what_the_reader_says_of_an_image_and_of_a_source_is_french_in_french():
    said = "gantry tilt of 12.5 deg: every slice shifted within its own plane (linear interpolation) onto a grid with "
    finding = GeometryFinding(
        subject="ct",
        finding="gantry_tilt",
        severity=Severity.REPAIRED,
        value=3.0,
        limit=1.0,
        unit="mm",
        message=said + "perpendicular axes; air is filled in where no slice reaches",
    )
    html = report(replace(made.case(), geometry=(finding,)), *made.findings()).html
    assert "statif incliné de 12,5°" in Page(html).words("fr")
    french = html.split('<div lang="fr">')[1].split('<div lang="en">')[0]
    assert "Rappelé de mémoire" in french and "Recalled from the literature" not in french


def test_french_holds_no_english_names_of_structures_and_no_unit_is_a_key(page):
    french = page.words("fr", sources=False)
    named = [name for name in structure_names().values() if "{" not in name.en and name.en not in name.fr]
    english = re.compile(rf"\b({'|'.join(re.escape(name.en) for name in named)}|left|right)\b")
    assert "nerf sciatique (gauche)" in french and "cryosonde" in french
    assert english.findall(french) == []
    for language in ("en", "fr"):
        assert not re.search(r"\d deg(C)?\b", page.words(language))
        assert "\u00b0C" in page.words(language)
