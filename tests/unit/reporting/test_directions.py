"""Which way a limit counts is said of every check that a stage makes, and no verdict contradicts it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reporting_case as made
import trocar
from trocar.model.finding import Check, Verdict
from trocar.reporting import vocabulary
from trocar.reporting.citations import limit_said
from trocar.reporting.directions import AT_LEAST, AT_MOST, BELOW, UNDIRECTED
from trocar.reporting.language import Language
from trocar.reporting.report import report

SETS = (AT_LEAST, AT_MOST, BELOW, UNDIRECTED)
HOME = Path(trocar.__file__).parent


def functions() -> Iterator[ast.FunctionDef]:
    for source in HOME.rglob("*.py"):
        yield from (
            node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
        )


def name_of(call: ast.Call) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == "name"), None)


def makers() -> dict[str, int]:
    """Functions that make a check of the name that they are given: at which place they take it."""
    found = {}
    for function in functions():
        names = [arg.arg for arg in function.args.args]
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "Check":
                named = name_of(call)
                if isinstance(named, ast.Name) and named.id in names:
                    found[function.name] = names.index(named.id)
    return found


def written() -> set[str]:
    """The names of checks that stand in the code, in `Check` itself or handed to a function that makes one."""
    found, places = set(), makers()
    for function in functions():
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            place = places.get(call.func.id)
            given = name_of(call) if call.func.id == "Check" else None
            if place is not None and place < len(call.args):
                given = call.args[place]
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                found.add(given.value)
    return found


def test_every_check_has_words_and_a_direction_or_is_known_to_have_none():
    assert len(makers()) >= 5 and len(written()) > 60
    classified = frozenset[str]().union(*SETS)
    assert sum(map(len, SETS)) == len(classified), "a name stands in one list only"
    assert written() <= classified
    assert classified == set(vocabulary.CHECKS)


@pytest.mark.parametrize(
    ("name", "english", "french"),
    [
        ("cavity_temperature_for_cement", "≥\u00a020.0\u00a0°C", "≥\u00a020,0\u00a0°C"),
        ("nerve_maximum_temperature", "≤\u00a020.0\u00a0°C", "≤\u00a020,0\u00a0°C"),
        ("skin_burn", "<\u00a020.0\u00a0°C", "<\u00a020,0\u00a0°C"),
        ("order_e10", "≥\u00a020.0\u00a0°C", "≥\u00a020,0\u00a0°C"),
        ("guidance", "20.0\u00a0°C", "20,0\u00a0°C"),
    ],
)
def test_a_limit_is_said_with_its_direction(name, english, french):
    check = Check(name=name, value=24.1, limit=20.0, unit="degC", verdict=Verdict.PASS, source="design")
    assert limit_said(check, Language("en")) == english
    assert limit_said(check, Language("fr")) == french


def test_the_tables_of_a_report_say_it():
    page = report(made.case(), *made.findings()).html
    assert ">≥\u00a010.0\u00a0°C" in page and ">≥\u00a010,0\u00a0°C" in page
