"""Both languages say everything: no message without French, no French without use, numbers as each writes them."""

import ast
import datetime
import re
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract

import trocar.reporting
from trocar.catalog import references
from trocar.errors import CatalogError
from trocar.reporting import captions, citations, collapses, remarks, scene, strengths, vocabulary
from trocar.reporting.documents import documents, terms
from trocar.reporting.language import Language, messages
from trocar.reporting.words import structure_name

HOME = Path(trocar.reporting.__file__).parent
EN, FR = Language("en"), Language("fr")


def used() -> set[str]:
    """Every message of the templates, the code and the vocabularies."""
    found = set()
    for template in (HOME / "templates").glob("*.j2"):
        with template.open("rb") as stream:
            options = {"trim_blocks": "true", "lstrip_blocks": "true"}
            found |= {m for _, m, _, _ in extract("jinja2.ext:babel_extract", stream, {"_": None}, options=options)}
    for module in HOME.rglob("*.py"):
        with module.open("rb") as stream:
            found |= {message for _, message, _, _ in extract("python", stream, {"language": None})}
    tables = [table for name, table in vars(vocabulary).items() if name.isupper() and isinstance(table, dict)]
    for table in [
        *tables,
        captions.PLANES,
        captions.TOPICS,
        captions.ZONES,
        collapses.MATERIALS,
        remarks.REMARKS,
        scene.VIEWER_TEXT,
        strengths.CAVEATS,
        strengths.FAILURES,
        strengths.LOADS,
        strengths.STATES,
        strengths.SUPPORTS,
        citations.ORIGINS,
        citations.READ,
        citations.RECALLED,
        terms.SEXES,
        documents.TITLES,
    ]:
        found |= set(table.values())
    return found


def test_every_message_has_its_french_and_no_french_is_unused():
    assert len(used()) > 200
    assert used() == messages("fr").keys()


def test_translations_keep_the_places_to_fill():
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    for message, french in messages("fr").items():
        assert french
        assert places(message) == places(french), message


def test_a_message_without_french_is_refused():
    assert EN("never written down") == "never written down"
    with pytest.raises(CatalogError):
        FR("never written down")


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (5.23, "mm", "5.2\u00a0mm", "5,2\u00a0mm"),
        (-40.0, "degC", "\u221240.0\u00a0°C", "\u221240,0\u00a0°C"),
        (0.987, "frac", "99%", "99\u00a0%"),
        (1234.5, "mm", "1,234.5\u00a0mm", "1\u202f234,5\u00a0mm"),
        (-0.001, "mm", "0.0\u00a0mm", "0,0\u00a0mm"),
        (40.0, "HU", "40\u00a0HU", "40\u00a0UH"),
        (7.0, "", "7.0", "7,0"),
    ],
)
def test_numbers_as_each_language_writes_them(value, unit, english, french):
    assert EN.number(value, unit) == english
    assert FR.number(value, unit) == french


@pytest.mark.parametrize(
    ("value", "limit", "unit", "said"),
    [
        (49.6, 50.0, "giga_per_l", "49.6\u00a0G/l"),
        (9.98, 10.0, "degC", "9.98\u00a0°C"),
        (8.4, 10.0, "degC", "8.4\u00a0°C"),
        (10.0, 10.0, "degC", "10.0\u00a0°C"),
        (0.9949, 0.995, "frac", "99%"),
        (0.9949, 0.99, "frac", "99.5%"),
        (9.99999, 10.0, "degC", "10.000\u00a0°C"),
        (5.0, None, "mm", "5.0\u00a0mm"),
    ],
)
def test_a_number_beside_its_limit_shows_on_which_side_it_lies(value, limit, unit, said):
    assert EN.compared(value, limit, unit) == said


def test_a_limit_keeps_the_decimal_that_it_has():
    assert EN.limit(0.995, "frac") == "99.5%" and FR.limit(0.995, "frac") == "99,5\u00a0%"
    assert EN.limit(73.9, "s") == "74\u00a0s" and EN.limit(50.0, "mm") == "50.0\u00a0mm"


@pytest.mark.parametrize(
    ("plain", "held"),
    [
        ("arrêter à 2,2 ml : le ciment sort", "arrêter à 2,2~ml~: le ciment sort"),
        ("vis 7,3 / mm de long ; 5 % ?", "vis 7,3~/~mm de long~; 5~%~?"),
        ("3 minutes, 12 mois, 10 Gy", "3~minutes, 12~mois, 10~Gy"),
        ("2 × 30 mm", "2~×~30~mm"),
        ("stop at 2.2 ml: it leaves the bone", "stop at 2.2~ml: it leaves the bone"),
        ("« oui » : 4 sondes", "«~oui~»~: 4 sondes"),
        ("L5 donc 3 dents et 4 segments", "L5 donc 3 dents et 4 segments"),
    ],
)
def test_numbers_are_held_to_units_and_french_signs_to_words(plain, held):
    assert FR.spaced(plain) == held.replace("~", "\u00a0")
    page = FR.spaced_html(f'<p title="{plain}">{plain}</p>')
    assert page == f'<p title="{plain}">{held}</p>'.replace("~", "\u00a0")


def test_degrees_below_zero_have_a_minus_sign():
    assert FR.units("cryoablation-1 -20 degC") == "cryoablation-1 \u221220\u00a0°C"


def test_what_stands_for_recollection_is_said_as_the_catalog_says_it():
    known = references()
    assert {key: known[key].text for key in citations.RECALLED} == citations.RECALLED
    assert set(citations.RECALLED) == {key for key in known if key.startswith("R-")}
    assert {reference.read for reference in known.values()} == set(citations.READ)


def test_dates_in_full():
    date = datetime.date(2026, 11, 12)
    assert EN.date(date) == "November 12, 2026"
    assert FR.date(date) == "12 novembre 2026"


@pytest.mark.parametrize(
    ("name", "english", "french"),
    [
        ("sciatic_nerve_left", "sciatic nerve (left)", "nerf sciatique (gauche)"),
        ("nerve_root_s1_right", "S1 root (right)", "racine S1 (droite)"),
        ("vertebrae_L5", "L5 vertebra", "vertèbre L5"),
        ("rib_left_7", "rib 7 (left)", "côte 7 (gauche)"),
        ("lesion_2", "lesion 2", "lésion 2"),
        ("an_unknown_thing", "an unknown thing", "an unknown thing"),
    ],
)
def test_names_of_structures(name, english, french):
    assert structure_name(name, EN) == english
    assert structure_name(name, FR) == french


def test_the_status_of_a_technique_agrees_in_french_with_each_of_them():
    """They are nouns: participles would have to follow `la cryoablation` and `le ciment`."""
    said = {FR(word) for word in vocabulary.STATUSES.values()}
    assert said == {"indication", "en option", "pas d'indication", "contre-indication"}


def test_no_french_message_keeps_an_english_decimal_point():
    assert not [text for text in messages("fr").values() if re.search(r"\d\.\d", text)]


def test_every_check_that_is_named_where_it_is_made_has_words():
    """Without them its id is printed, capitalized, in English."""
    named = set()
    for source in (Path(__file__).parents[3] / "src" / "trocar").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Check":
                named |= {word.value.value for word in node.keywords
                          if word.arg == "name" and isinstance(word.value, ast.Constant)}  # fmt: skip
    assert len(named) > 40 and named <= set(vocabulary.CHECKS)
