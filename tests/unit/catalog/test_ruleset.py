"""The rules as data: complete, sourced, in both languages; and what a broken rule file is told."""

import re
import shutil

import pytest

from trocar.catalog import references
from trocar.catalog.read import CATALOG
from trocar.catalog.ruleset import read_ruleset, ruleset
from trocar.catalog.sites import sites
from trocar.catalog.sources import cited_keys
from trocar.errors import CatalogError

RULES = ruleset()


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: f"{rule.id}-{rule.part}".rstrip("-"))
def test_every_rule_has_a_resolved_source_and_both_languages(rule):
    assert all(key in references() for key in cited_keys(rule.source))
    for text in filter(None, (rule.text, rule.otherwise)):
        assert text.en.strip() and text.fr.strip() and text.en != text.fr
        assert text.en.endswith(".") and text.fr.endswith(".")


def test_the_gates_of_the_reference_are_all_there():
    assert {f"G{number}" for number in range(1, 28)} <= {gate.id for gate in RULES.gates}


def test_the_rules_that_decide_the_scenarios_are_there():
    ids = {rule.id for rule in RULES.rules}
    assert {f"T{number}" for number in range(1, 27)} <= ids
    assert {"E1", "E2", "E4", "E5", "E6", "E9", "E10", "E11", "E13", "E14", "E15", "E16", "E18", "E21"} <= ids


def test_every_input_is_named_and_explained_in_both_languages():
    for name, label in RULES.inputs.items():
        assert label.label.en and label.label.fr and label.why.en and label.why.fr, name
    assert set(sites()) == set(RULES.inputs["site"].values or {})


def test_the_version_changes_with_the_files(tmp_path):
    folder = copied(tmp_path)
    assert read_ruleset(folder).version == RULES.version
    rewrite(folder / "gates.toml", "value = 1.8 }", "value = 1.7 }")
    assert read_ruleset(folder).version != RULES.version


def copied(tmp_path):
    return shutil.copytree(CATALOG / "rules", tmp_path / "rules")


def rewrite(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


E4 = 'before = ["BIOPSY"]\nafter = ["ABLATE"]\nhard = true'
BROKEN = {
    "unknown field": ("gates.toml", 'id = "G7"\n', 'id = "G7"\nurgency = 3\n', "G7.urgency"),
    "missing source": ("gates.toml", 'source = "V61, R-h (NICE NG234)"\n', "", "G3.source"),
    "unresolved source": ("techniques.toml", 'source = "V72b, V37"', 'source = "V72z"', "V72z"),
    "unknown input": ("gates.toml", 'input = "inr", op = "above"', 'input = "INR", op = "above"', "'INR'"),
    "unknown operator": ("gates.toml", 'input = "inr", op = "above"', 'input = "inr", op = "over"', "G7"),
    "unknown limit": ("order.toml", 'limit = "perineural_mm"', 'limit = "perineural_cm"', "perineural_cm"),
    "no value": ("gates.toml", 'op = "above", value = 1.8', 'op = "above"', "needs one of value and limit"),
    "a language missing": ("modifiers.toml", "text.fr = ", "text.de = ", "text.fr"),
    "defined twice": ("gates.toml", 'id = "G8"\n', 'id = "G7"\n', "G7: defined twice"),
    "unknown step": ("order.toml", 'after = ["ABLATE"]', 'after = ["ABLATION"]', "ABLATION"),
    "circle": ("order.toml", E4, E4.replace('["BIOPSY"]', '["CEMENT_INJECT"]'), "circle"),
    "lenient unknown": ("gates.toml", 'id = "G21"\n', 'id = "G21"\nif_unknown = "info"\n', "would permit"),
    "step that nobody knows": ("steps.toml", 'follows = ["PLAN_CT"]', 'follows = ["PLANCT"]', "PLANCT"),
    "step of another's key": ("steps.toml", 'key = "ANAESTH"', 'key = "CHECKLIST_IN"', "another step has the key"),
    "option twice": ("options.toml", 'id = "ablation_only"', 'id = "combined"', "combined: defined twice"),
    "option of an unknown input": ("options.toml", 'input = "sins"', 'input = "sinz"', "'sinz'"),
    "blocks what nobody knows": ("gates.toml", 'blocks = "approval"', 'blocks = "aproval"', "G2.blocks"),
    "unknown held for approval only": (
        "gates.toml",
        'id = "G18"\n',
        'id = "G18"\nif_unknown = "hold"\n',
        "would permit",
    ),
    "a word where a number is": (
        "gates.toml",
        'op = "above", value = 1.8',
        'op = "above", value = "high"',
        "no number",
    ),
    "not TOML": ("order.toml", "[[rule]]", "[[rule", "order.toml"),
    "cement before it is decided": (
        "techniques.toml",
        'when = { input = "mechanical_class", op = "is", value = "bending" }',
        'when = { input = "cement_planned", op = "is", value = true }',
        "T15: asks for cement_planned before it is decided",
    ),
    "session before it is decided": (
        "techniques.toml",
        'when = { input = "biopsy_requested", op = "is", value = true }',
        'when = { input = "session", op = "has", value = "screw" }',
        "before it is decided",
    ),
    "unknown taken as absent": (
        "techniques.toml",
        'when = { input = "biopsy_requested", op = "is", value = true }',
        'when = { none = [{ input = "biopsy_requested", op = "recorded" }] }',
        "only a gate",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "said"), list(BROKEN.values()), ids=list(BROKEN))
def test_a_broken_rule_file_is_refused_with_file_and_reason(tmp_path, file, old, new, said):
    folder = copied(tmp_path)
    rewrite(folder / file, old, new)
    with pytest.raises(CatalogError) as error:
        read_ruleset(folder)
    assert said in str(error.value)
    assert file in str(error.value)
    assert re.search(r"\bline \d+\b", str(error.value)), str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('source = "V61, R-h (NICE NG234)"', 'source = "V61z"', "G3"),
        ("value = 1.5 }, { input", 'limit = "no" }, { input', "G8"),
    ],
)
def test_what_is_wrong_between_files_is_found_by_its_line_too(tmp_path, old, new, rule):
    folder = copied(tmp_path)
    rewrite(folder / "gates.toml", old, new)
    line = (folder / "gates.toml").read_text(encoding="utf-8").splitlines().index(f'id = "{rule}"') + 1
    with pytest.raises(CatalogError, match=rf"gates.toml: line {line}: {rule}"):
        read_ruleset(folder)


def test_a_circle_names_the_rules_that_make_it_with_their_lines(tmp_path):
    folder = copied(tmp_path)
    rewrite(folder / "order.toml", E4, E4.replace('["BIOPSY"]', '["CEMENT_INJECT"]'))
    with pytest.raises(CatalogError, match=r"circle: .*\(line \d+: E4; line \d+: E10\)"):
        read_ruleset(folder)


def test_a_broken_rule_is_found_by_its_line(tmp_path):
    folder = copied(tmp_path)
    rewrite(folder / "gates.toml", 'id = "G7"\n', 'id = "G7"\nurgency = 3\n')
    lines = (folder / "gates.toml").read_text(encoding="utf-8").splitlines()
    line = lines.index('id = "G7"') + 1
    with pytest.raises(CatalogError, match=f"gates.toml: line {line}: G7.urgency"):
        read_ruleset(folder)
