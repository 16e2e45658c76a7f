"""The matrix of the article's requirements is complete, true and current."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("requirements_matrix", ROOT / "scripts/requirements_matrix.py")
matrix = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(matrix)


def test_all_105_are_listed_and_each_is_shown_or_open_with_a_reason():
    known = matrix.requirements()
    assert list(known) == [f"R{number}" for number in range(1, 106)]
    assert matrix.problems(known, matrix.tags()) == []


def test_a_requirement_that_nothing_shows_and_one_that_does_not_exist_are_found():
    known = {"R1": {"title": "a"}, "R2": {"title": "b", "open": "why"}}
    assert len(matrix.problems(known, {})) == 1
    assert len(matrix.problems(known, {"R1": ["t"], "R2": ["t"]})) == 1
    assert "R9" in matrix.problems(known, {"R1": ["t"], "R9": ["t"]})[0]


def test_the_page_is_current():
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page(), "run scripts/requirements_matrix.py"
