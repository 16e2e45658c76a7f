"""What the report says of strength: each caveat and failure in words, and where a score and the ratio disagree."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import reporting_case as made
from trocar.catalog.mechanics import mechanics
from trocar.model.finding import Score
from trocar.model.strength import Interval
from trocar.reporting import strengths, vocabulary
from trocar.reporting.gathered import gather
from trocar.reporting.language import Language

SOURCE = Path(strengths.__file__).parents[1]


def beside(total, low, high):
    """Whether SINS of this total disagrees with ratios of this range, under the only activity."""
    score = Score(name="SINS", lesion="lesion_1", total=total, maximum=18.0, items=(), source="V58")
    found = made.strength()
    around = Interval(low_frac=low, median_frac=(low + high) / 2, high_frac=high)
    rows = tuple(replace(row, bone=around) for row in found.rows)
    gathered = gather(
        made.case(), (replace(made.assessment(), scores=(score,)), replace(found, rows=rows)), source_digests=None
    )
    (item,) = strengths.beside(gathered)
    return item.disagrees


@pytest.mark.parametrize(
    ("total", "low", "high", "disagrees"),
    [(9, 0.2, 0.8, True), (4, 1.1, 2.0, True), (9, 1.1, 2.0, False), (4, 0.2, 0.8, False), (9, 0.5, 1.5, None),
     (None, 0.2, 0.8, None)],
)  # fmt: skip
def test_a_score_and_the_ratio_disagree_only_where_both_are_known(total, low, high, disagrees):
    assert beside(total, low, high) is disagrees


def test_a_torque_that_only_compares_constructs_is_no_activity():
    found = made.strength()
    rows = tuple(
        replace(row, bone=Interval(low_frac=5, median_frac=5, high_frac=5)) if row.load == "torsion" else row
        for row in found.rows
    )
    assert strengths.worst_row(replace(found, rows=rows)).load == "walking"


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_load_support_and_caveat_has_words(code):
    language = Language(code)
    sites = {site for load in mechanics().load for site in load.sites}
    assert set(strengths.SUPPORTS) == sites
    assert {load.id for load in mechanics().load} <= set(strengths.LOADS)
    raised = set()
    for path in ("assessment/strength.py", "assessment/specimen.py", "assessment/solving.py", "materials/density.py"):
        for node in ast.walk(ast.parse((SOURCE / path).read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("add", "append"):
                raised |= {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
    raised = {name for name in raised if isinstance(name, str) and "_" in name}
    assert "islands_left_out" in raised and raised <= {*strengths.CAVEATS, *vocabulary.CHECKS}
    for table in (strengths.SUPPORTS, strengths.LOADS, strengths.CAVEATS, strengths.FAILURES):
        assert all(language(text) for text in table.values())
