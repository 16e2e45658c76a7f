"""The clinical rules read from their files and checked against each other."""

import hashlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from trocar.catalog.conditions import Condition, closed_world, comparisons
from trocar.catalog.facts import limits
from trocar.catalog.read import CATALOG, placed, read_toml
from trocar.catalog.rule import (
    BLOCKING,
    CEMENT_PLANNED,
    HOLD,
    AgentRule,
    Gate,
    InputLabel,
    OptionRule,
    OrderRule,
    Rule,
    Ruleset,
    StepRule,
    TechniqueRule,
)
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError

RULESET_VERSION = "2026.11"
SESSION_INPUTS = frozenset({"session", "high_bleeding_risk"})
ORDERED = ("below", "at_most", "at_least", "above")
SCHEDULE_INPUTS = frozenset({"lab_age_d", "planning_ct_age_d"})  # known only once the day of the procedure is set
SESSION_FINDINGS = frozenset({"spinal_artery_shared"})  # seen at arteriography: until then no agent is allowed


@cache
def ruleset() -> Ruleset:
    """The rules that ship with trocar. Raises `CatalogError` when a file is malformed."""
    return read_ruleset(CATALOG / "rules")


def read_ruleset(folder: Path) -> Ruleset:
    """The rules of a folder, checked against each other.

    Raises `CatalogError` naming file, rule and reason: an unknown field, input, step or limit; a source that does not
    resolve; a text missing in a language; an order that runs in a circle; an unknown that would permit more.
    """
    inputs = read_toml(folder / "inputs.toml", TypeAdapter(dict[str, InputLabel]))
    _check_labels(inputs, folder / "inputs.toml")
    rules = Ruleset(
        gates=_read_rules(folder / "gates.toml", Gate, inputs),
        classes=_read_rules(folder / "classes.toml", Rule, inputs),
        techniques=_read_rules(folder / "techniques.toml", TechniqueRule, inputs),
        modifiers=_read_rules(folder / "modifiers.toml", TechniqueRule, inputs),
        order=_read_rules(folder / "order.toml", OrderRule, inputs),
        agents=_read_rules(folder / "agents.toml", AgentRule, inputs),
        options=read_toml(folder / "options.toml", TypeAdapter(tuple[OptionRule, ...]), key="option"),
        steps=read_toml(folder / "steps.toml", TypeAdapter(tuple[StepRule, ...]), key="step"),
        inputs=inputs,
        version=f"{RULESET_VERSION}+{_digest(folder)}",
    )
    _check_gates(rules.gates, folder / "gates.toml")
    for name in ("classes", "techniques", "modifiers", "order", "agents"):
        _check_open_world(getattr(rules, name), folder / f"{name}.toml")
    for name in ("classes", "techniques"):
        _check_before_session(getattr(rules, name), folder / f"{name}.toml")
    _check_options(rules, folder / "options.toml")
    _check_steps(rules, folder / "order.toml")
    return rules


R = TypeVar("R", bound=Rule)


def _read_rules(path: Path, kind: type[R], inputs: dict[str, InputLabel]) -> tuple[R, ...]:
    adapter: TypeAdapter[tuple[R, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]
    rules = read_toml(path, adapter, key="rule")
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        where = placed(path, rule.id, rule.part)
        if (rule.id, rule.part) in seen:
            raise CatalogError(f"{path.name}: {where}: defined twice", hint="give each part of a rule its own name")
        seen.add((rule.id, rule.part))
        require_resolved(rule.source, path=path, where=where)
        for text in filter(None, (rule.text, rule.otherwise)):
            if not (text.en.strip() and text.fr.strip()):
                raise CatalogError(f"{path.name}: {where}: a text is empty in one language")
        _check_names(rule.when, inputs, path, where)
    return rules


def _check_names(condition: Condition | None, inputs: dict[str, InputLabel], path: Path, where: str) -> None:
    for test in comparisons(condition):
        if test.input not in inputs:
            raise CatalogError(f"{path.name}: {where}: no input is called {test.input!r}", hint="see rules/inputs.toml")
        if test.limit is not None and test.limit not in limits():
            raise CatalogError(f"{path.name}: {where}: no limit is called {test.limit!r}")
        number = isinstance(test.value, int | float) and not isinstance(test.value, bool)
        if test.op in ORDERED and test.limit is None and not number:
            raise CatalogError(
                f"{path.name}: {where}: {test.op!r} compares {test.input} with no number: {test.value!r}"
            )


def _check_gates(gates: tuple[Gate, ...], path: Path) -> None:
    """An unknown may not permit what the answer could forbid.

    The day of the procedure may wait until approval; what only arteriography shows is for the agents' rules.
    """
    for gate in gates:
        asked = {test.input for test in comparisons(gate.when)}
        strict = set(BLOCKING)
        if asked <= SCHEDULE_INPUTS:
            strict.add(HOLD)
        if gate.outcome in BLOCKING and gate.if_unknown not in strict and not asked <= SESSION_FINDINGS:
            where = placed(path, gate.id, gate.part)
            raise CatalogError(f"{path.name}: {where}: an unknown input would permit what the rule forbids")


def _check_open_world(rules: tuple[Rule, ...], path: Path) -> None:
    for rule in rules:
        if closed_world(rule.when):
            where = placed(path, rule.id, rule.part)
            raise CatalogError(f"{path.name}: {where}: only a gate may take what is not recorded as absent")


def _check_before_session(rules: tuple[Rule, ...], path: Path) -> None:
    """What decides on the techniques may not ask which techniques were decided on."""
    for rule in rules:
        decided = SESSION_INPUTS | ({CEMENT_PLANNED} if _precedes_cement(rule) else set())
        asked = decided & {test.input for test in comparisons(rule.when)}
        if asked:
            where = placed(path, rule.id, rule.part)
            raise CatalogError(f"{path.name}: {where}: asks for {', '.join(sorted(asked))} before it is decided")


def _precedes_cement(rule: Rule) -> bool:
    """Whether cement is decided with this rule's answer."""
    return not isinstance(rule, TechniqueRule) or any(effect.technique == "cement" for effect in rule.effects)


def _check_options(rules: Ruleset, path: Path) -> None:
    _check_once([option.id for option in rules.options], path)
    for option in rules.options:
        where = placed(path, option.id)
        require_resolved(option.source, path=path, where=where)
        if not (option.title.en.strip() and option.title.fr.strip()):
            raise CatalogError(f"{path.name}: {where}: its title is empty in one language")
        for condition in (option.when, option.first_when):
            _check_names(condition, rules.inputs, path, where)


def _check_once(ids: list[str], path: Path) -> None:
    """Raises `CatalogError` where two rows of a file have one id."""
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise CatalogError(f"{path.name}: {placed(path, name)}: defined twice", hint="give each row its own id")


def _check_labels(inputs: dict[str, InputLabel], path: Path) -> None:
    for name, label in inputs.items():
        if not all(text.strip() for text in (label.label.en, label.label.fr, label.why.en, label.why.fr)):
            raise CatalogError(f"{path.name}: {name}: a text is empty in one language")


def _check_steps(rules: Ruleset, path: Path) -> None:
    keys, steps = {step.key for step in rules.steps}, path.with_name("steps.toml")
    _check_once([step.id for step in rules.steps], steps)
    for number, step in enumerate(rules.steps):
        where = placed(steps, step.id)
        _check_names(step.when, rules.inputs, steps, where)
        unknown = sorted(set(step.follows) - keys)
        if unknown:
            raise CatalogError(f"{steps.name}: {where}: no step is called {', '.join(unknown)}")
        if step.key in {other.key for other in rules.steps[:number]}:
            raise CatalogError(f"{steps.name}: {where}: another step has the key {step.key}")
    for rule in rules.order:
        unknown = sorted({*rule.before, *rule.after, *rule.binds} - keys)
        if unknown:
            where = placed(path, rule.id, rule.part)
            raise CatalogError(f"{path.name}: {where}: no step is called {', '.join(unknown)}")
    for variant in sorted({rule.variant for rule in rules.order} | {""}):
        circle = _circle(rules, variant)
        if circle:
            named = "; ".join(placed(path, rule.id, rule.part) for rule in _rules_of(circle, rules.order, variant))
            raise CatalogError(f"{path.name}: the hard order runs in a circle: {' -> '.join(circle)} ({named})")


def _rules_of(circle: list[str], order: tuple[OrderRule, ...], variant: str) -> list[OrderRule]:
    """The hard rules that make a circle."""
    pairs = set(pairwise(circle))
    return [
        rule
        for rule in order
        if rule.hard
        and rule.variant in ("", variant)
        and pairs & {(before, after) for before in rule.before for after in rule.after}
    ]


def _circle(rules: Ruleset, variant: str) -> list[str]:
    """The steps of a circle of hard edges in a variant; empty when there is none."""
    following: dict[str, set[str]] = {step.key: set() for step in rules.steps}
    for step in rules.steps:
        for earlier in step.follows:
            following[earlier].add(step.key)
    for rule in rules.order:
        if rule.hard and not rule.serial and rule.variant in ("", variant):
            for earlier in rule.before:
                following[earlier].update(rule.after)
    finished: set[str] = set()

    def visit(key: str, path: list[str]) -> list[str]:
        if key in path:
            return [*path[path.index(key) :], key]
        if key in finished:
            return []
        for later in sorted(following[key]):
            circle = visit(later, [*path, key])
            if circle:
                return circle
        finished.add(key)
        return []

    return next((circle for key in following if (circle := visit(key, []))), [])


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.toml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
