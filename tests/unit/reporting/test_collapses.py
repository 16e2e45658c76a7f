"""A bone loaded until it gives way is told in both languages; a load never seen to fall is only a lower bound."""

from dataclasses import replace

import pytest

from trocar.assessment.collapse import CAVEATS, RESOLVED
from trocar.model.collapse import Collapse, CollapsedState
from trocar.reporting import collapses, strengths
from trocar.reporting.language import Language

EN, FR = Language("en"), Language("fr")


def state(name: str, *, passed: bool) -> CollapsedState:
    return CollapsedState(
        state=name, strength_frac=2.516, against_before_frac=1.25, first_frac=0.5, passed=passed,
        failed_at_frac=(("bone", 2.4), ("interface", 2.5)) if passed else (), lost_frac={"bone": 0.996, "screw": 0.004},
        path_frac=(), load_frac=(), worst_change_frac=0.0, iterations=1,
    )  # fmt: skip


FOUND = Collapse(
    lesion="lesion_1", bone="hip_left", site="pelvis", load="walking", law="morgan", weight_kg=74.0, spacing_mm=2.0,
    catalog_version="1", density_scale="air, fat", caveats=(*CAVEATS, *RESOLVED.values()),
    states=(state("before", passed=True), state("planned", passed=False)),
)  # fmt: skip


def test_each_state_is_told_in_both_languages():
    _, before, planned = collapses.table(FOUND, FR)
    assert before[1] == "2,52" and planned[1] == "plus de 2,52"
    assert before[4] == "os 2,40, adhérence du ciment à l'os 2,50" and planned[4] == "rien"
    assert before[5] == "os 100\u00a0%"  # what is rounded away is left out
    assert next(iter(collapses.table(FOUND, EN)))[0] == "state"


def test_a_ratio_within_what_is_not_resolved_is_no_difference():
    both = replace(FOUND, states=(state("before", passed=True), state("planned", passed=True)))
    found = replace(both, resolved_frac=0.3)
    assert [row[2] for row in collapses.table(found, EN)][1:] == ["1.25, not told apart"] * 2
    assert [row[2] for row in collapses.table(found, FR)][1:] == ["1,25, non distingué"] * 2
    assert [row[2] for row in collapses.table(replace(both, resolved_frac=0.2), EN)][1:] == ["1.25"] * 2


@pytest.mark.parametrize(
    ("before", "planned", "said"),
    [(True, False, "at least 1.25"), (False, True, "at most 1.25"), (False, False, "unknown, both still rise")],
)
def test_a_ratio_of_a_load_that_was_never_seen_to_fall_is_a_bound(before, planned, said):
    """Else a bone that still bears more seems to be weakened by its treatment."""
    states = (state("before", passed=before), state("planned", passed=planned))
    assert [row[2] for row in collapses.table(replace(FOUND, states=states), EN)][2] == said


@pytest.mark.parametrize("language", [EN, FR], ids=["en", "fr"])
def test_the_heading_names_the_bone_and_every_caveat_is_a_sentence(language):
    assert collapses.heading(FOUND, language).count("74") == 1 and "hip_left" not in collapses.heading(FOUND, language)
    ring = collapses.heading(replace(FOUND, site="ring"), language)
    assert ("whole pelvic ring" if language is EN else "anneau pelvien entier") in ring
    assert set(FOUND.caveats) <= set(strengths.CAVEATS)
    assert all(line.endswith(".") for line in collapses.reserves(FOUND, language))
