"""The condition language against Kleene's three-valued logic."""

import itertools

import pytest

from trocar.catalog.conditions import NOT_APPLICABLE, AllOf, AnyOf, Comparison, NoneOf, comparisons, deciding, holds
from trocar.errors import CatalogError

TRUTHS = (True, False, None)


def asks(name):
    return Comparison(input=name, op="is", value=True)


def kleene_and(*truths):
    return False if False in truths else None if None in truths else True


def kleene_or(*truths):
    return True if True in truths else None if None in truths else False


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTHS, TRUTHS)))
def test_groups_follow_Kleene(a, b):
    inputs = {"a": a, "b": b}
    parts = (asks("a"), asks("b"))
    either = kleene_or(a, b)
    assert holds(AllOf(all=parts), inputs) is kleene_and(a, b)
    assert holds(AnyOf(any=parts), inputs) is either
    assert holds(NoneOf(none=parts), inputs) is (None if either is None else not either)


@pytest.mark.parametrize(("a", "b", "c"), list(itertools.product(TRUTHS, TRUTHS, TRUTHS)))
def test_what_is_decided_with_unknowns_stays_so_whatever_they_are(a, b, c):
    condition = AllOf(all=(AnyOf(any=(asks("a"), asks("b"))), NoneOf(none=(asks("c"),))))
    truth = holds(condition, {"a": a, "b": b, "c": c})
    possible = {
        holds(condition, {"a": x, "b": y, "c": z})
        for x in ([a] if a is not None else [True, False])
        for y in ([b] if b is not None else [True, False])
        for z in ([c] if c is not None else [True, False])
    }
    assert (possible == {truth}) if truth is not None else len(possible) == 2


@pytest.mark.parametrize(
    ("op", "operand", "value", "truth"),
    [
        ("below", 50, 49.9, True),
        ("below", 50, 50, False),
        ("at_least", 50, 50, True),
        ("above", 1.8, 1.8, False),
        ("at_most", 1.8, 1.8, True),
        ("in", ("lytic", "mixed"), "mixed", True),
        ("not_in", ("none",), "motor", True),
        ("has", "mechanical", ("mechanical",), True),
        ("has", "mechanical", (), False),
        ("has_any", ("pacemaker", "icd"), ("icd",), True),
    ],
)
def test_comparisons(op, operand, value, truth):
    test = Comparison(input="x", op=op, value=operand)
    assert holds(test, {"x": value}) is truth
    assert holds(test, {"x": None}) is None
    assert holds(test, {"x": NOT_APPLICABLE}) is False


def test_what_is_not_recorded_is_absent_only_where_asked_so():
    assert holds(Comparison(input="x", op="recorded"), {"x": None}) is False
    assert holds(Comparison(input="x", op="recorded"), {"x": "2026-11-20"}) is True
    assert holds(Comparison(input="x", op="recorded_in", value=("agreed",)), {"x": None}) is False


def test_a_limit_of_the_catalog_can_be_compared_with():
    near = Comparison(input="x", op="at_most", limit="perineural_mm")
    assert holds(near, {"x": 20.0}) is True and holds(near, {"x": 20.1}) is False


def test_the_deciding_tests_leave_out_what_does_not_matter():
    condition = AllOf(all=(asks("a"), AnyOf(any=(asks("b"), asks("c")))))
    assert [test.input for test in deciding(condition, {"a": False, "b": None, "c": True})] == ["a"]
    assert [test.input for test in deciding(condition, {"a": True, "b": None, "c": True})] == ["a", "c"]
    assert [test.input for test in deciding(condition, {"a": True, "b": None, "c": False})] == ["b"]
    assert [test.input for test in comparisons(condition)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "below"},
        {"op": "below", "value": 1.0, "limit": "perineural_mm"},
        {"op": "recorded", "value": True},
        {"op": "in", "value": "lytic"},
        {"op": "below", "value": ("a",)},
    ],
)
def test_a_test_that_makes_no_sense_does_not_exist(wrong):
    with pytest.raises(CatalogError):
        Comparison(input="x", **wrong)
