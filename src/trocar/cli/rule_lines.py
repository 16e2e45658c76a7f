"""Rules and their trace as a few lines for a person, and as values for `--json`."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from trocar.catalog.rule import AgentRule, Gate, OrderRule, Rule, Ruleset, TechniqueRule
from trocar.catalog.sources import cited_keys, references
from trocar.proposal.trace import TracedRule, condition_lines, kinds


def rule_rows(rules: Ruleset) -> Iterator[tuple[str, ...]]:
    """A table: rule, kind, strength, grade, text."""
    for kind, group in kinds(rules):
        for rule in group:
            yield _name(rule), kind, rule.strength, rule.grade, rule.text.en


def rule_lines(kind: str, rule: Rule) -> Iterator[str]:
    """One part of a rule, explained."""
    yield f"{_name(rule)} ({kind}): {rule.strength}, grade {rule.grade}, reviewed {rule.last_reviewed}"
    if rule.conflicting:
        yield "  the evidence conflicts"
    yield f"  {rule.text.en}"
    yield f"  {rule.text.fr}"
    yield "  when:"
    yield from condition_lines(rule.when, 2)
    yield from (f"  {line}" for line in _then(rule))
    yield f"  source: {rule.source}"
    for key in cited_keys(rule.source):
        yield f"    {key}: {references()[key].text} ({references()[key].read})"


def rule_values(kind: str, rule: Rule) -> dict[str, Any]:
    """A rule for `--json`."""
    return {
        "id": rule.id,
        "part": rule.part,
        "kind": kind,
        "strength": rule.strength,
        "grade": rule.grade,
        "source": rule.source,
        "conflicting": rule.conflicting,
        "last_reviewed": rule.last_reviewed.isoformat(),
        "text": dataclasses.asdict(rule.text),
        "when": list(condition_lines(rule.when)),
        "then": list(_then(rule)),
    }


def trace_rows(rows: Iterable[TracedRule]) -> Iterator[tuple[str, ...]]:
    """A table: lesion, rule, kind, outcome, inputs, those that decided first."""
    for row in rows:
        names = [*row.deciding, *(name for name in row.inputs if name not in row.deciding)]
        inputs = ", ".join(f"{name} = {row.inputs[name]}" for name in names)
        yield row.lesion, f"{row.rule} {row.part}".strip(), row.kind, row.outcome, inputs


def trace_values(rows: Iterable[TracedRule]) -> list[dict[str, Any]]:
    """The trace for `--json`."""
    return [dataclasses.asdict(row) for row in rows]


def _name(rule: Rule) -> str:
    return f"{rule.id} {rule.part}".strip()


def _then(rule: Rule) -> Iterator[str]:
    """What a rule does when it holds, and what it does when it cannot be known."""
    match rule:
        case Gate():
            out = f" and takes out {', '.join(rule.excludes)}" if rule.excludes else ""
            order = ", simplest options first" if rule.simplest_first else ""
            yield f"then: {rule.outcome}{out}{order}; when it cannot be known: {rule.if_unknown}"
        case TechniqueRule():
            for effect in rule.effects:
                yield f"then: speaks {effect.stance} {effect.technique}"
        case OrderRule():
            kind = "hard" if rule.hard else "soft"
            if rule.before:
                yield f"then: {', '.join(rule.before)} before {', '.join(rule.after)} ({kind})"
            if rule.binds:
                yield f"then: binds {', '.join(rule.binds)}"
            if rule.technique:
                yield f"then: makes {rule.technique} necessary"
        case AgentRule():
            what = ", ".join(rule.forms) or "every form"
            but = f" but {', '.join(rule.spares)}" if rule.spares else ""
            size = f" smaller than {rule.smaller_than_um:g} um" if rule.smaller_than_um else ""
            yield f"then: {rule.stance} {what}{but}{size}{' that is radiopaque' if rule.radiopaque else ''}"
        case _:
            yield f"then: defines {rule.defines}"
