"""The trace of an answer: every rule in the order in which it was asked, its inputs as they were, and its outcome."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from trocar.catalog.conditions import (
    NOT_APPLICABLE,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    NoneOf,
    Value,
    comparisons,
    deciding,
    holds,
)
from trocar.catalog.rule import Gate, Rule, Ruleset
from trocar.catalog.ruleset import ruleset
from trocar.model.case import Case
from trocar.model.finding import Assessment
from trocar.model.record import Record
from trocar.proposal.inputs import inputs_of
from trocar.proposal.options import Option, leading_option

UNKNOWN, ABSENT = "unknown", "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRule(Record):
    """One rule as it was asked. `inputs` are all that it names, `deciding` those that made its outcome."""

    lesion: str
    kind: str  # gate, class, technique, modifier, order, agent
    rule: str
    part: str
    outcome: str  # a gate's outcome, else true, false or unknown
    strength: str
    inputs: dict[str, str]
    deciding: tuple[str, ...]


def trace(case: Case, assessment: Assessment) -> tuple[TracedRule, ...]:
    """Every rule for every lesion, judged for the leading combination, in the order in which the engine asks."""
    rules = ruleset()
    return tuple(
        row
        for measure in assessment.lesions
        for row in traced(rules, measure.name, leading_option(rules, inputs_of(case, assessment, measure.name)))
    )


def traced(rules: Ruleset, lesion: str, option: Option) -> Iterator[TracedRule]:
    """The trace of one option's rules."""
    outcomes = {(judgment.gate.id, judgment.gate.part): judgment.outcome for judgment in option.judgments}
    for kind, group in kinds(rules):
        for rule in group:
            tests = list(comparisons(rule.when))
            truth = holds(rule.when, option.inputs)
            plain = UNKNOWN if truth is None else str(truth).lower()
            yield TracedRule(
                lesion=lesion,
                kind=kind,
                rule=rule.id,
                part=rule.part,
                outcome=outcomes.get((rule.id, rule.part), plain) if isinstance(rule, Gate) else plain,
                strength=rule.strength,
                inputs={test.input: shown(option.inputs[test.input]) for test in tests},
                deciding=tuple(dict.fromkeys(test.input for test in deciding(rule.when, option.inputs))),
            )


def kinds(rules: Ruleset) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
    """The rules by kind, in the order in which the engine asks them."""
    return (
        ("gate", rules.gates),
        ("class", rules.classes),
        ("technique", rules.techniques),
        ("modifier", rules.modifiers),
        ("order", rules.order),
        ("agent", rules.agents),
    )


def shown(value: Value) -> str:
    """An input's value in words; what is unknown says so."""
    if value is None:
        return UNKNOWN
    if value is NOT_APPLICABLE:
        return ABSENT
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def explained(rules: Ruleset, rule_id: str) -> tuple[tuple[str, Rule], ...]:
    """Every part of a rule with its kind; none when there is no such rule."""
    wanted = rule_id.casefold()
    return tuple((kind, rule) for kind, group in kinds(rules) for rule in group if rule.id.casefold() == wanted)


def condition_lines(condition: Condition | None, depth: int = 0) -> Iterator[str]:
    """A condition as an indented outline: all of, any of, none of, and the tests."""
    indent = "  " * depth
    match condition:
        case None:
            yield f"{indent}always"
        case Comparison():
            bound = "" if condition.op == "recorded" else f" {shown(condition.operand)}"
            named = f" (limit {condition.limit})" if condition.limit else ""
            yield f"{indent}{condition.input} {condition.op.replace('_', ' ')}{bound}{named}"
        case AllOf() | AnyOf() | NoneOf():
            word, parts = _group(condition)
            yield f"{indent}{word} of:"
            for part in parts:
                yield from condition_lines(part, depth + 1)
        case _:
            assert_never(condition)


def _group(condition: AllOf | AnyOf | NoneOf) -> tuple[str, tuple[Condition, ...]]:
    match condition:
        case AllOf():
            return "all", condition.all
        case AnyOf():
            return "any", condition.any
        case NoneOf():
            return "none", condition.none
