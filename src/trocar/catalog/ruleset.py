"""The clinical rules as data: gates, problem classes, technique rules, modifiers, order rules, options, steps.

Every rule has a condition, a strength, a grade of evidence, a source and its text in both languages.
"""

import datetime
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from pydantic import TypeAdapter

from trocar.catalog.conditions import Condition, closed_world, tests
from trocar.catalog.facts import limits
from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record
from trocar.model.treatment import Text

RULESET_VERSION = "2026.11"

Strength: TypeAlias = Literal["STOP", "REFER", "MISSING", "REQUIRE", "SHOULD", "MAY", "WARN", "INFO"]
Outcome: TypeAlias = Literal["stop", "refer", "missing", "require", "warn", "info"]
Target: TypeAlias = Literal[
    "embolization", "biopsy", "protection", "ablation", "cryoablation", "radiofrequency", "microwave", "screw", "cement"
]
BLOCKING = ("stop", "refer", "missing", "require")
SCHEDULE_INPUTS = frozenset({"lab_age_d", "planning_ct_age_d"})  # known only once the day of the procedure is set


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Record):
    """What every rule has. A rule of several parts repeats its id; `otherwise` is said when it does not hold."""

    id: str
    part: str = ""
    when: Condition | None = None
    strength: Strength
    grade: Literal["A", "B", "C", "D"]
    source: str
    text: Text
    otherwise: Text | None = None
    defines: str = ""  # the input that later rules read its truth from
    last_reviewed: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Rule):
    """Fires with the outcome its strength names. With `excludes` it takes techniques out instead of the session."""

    if_unknown: Outcome = "missing"
    excludes: tuple[Target, ...] = ()
    indication: bool = False  # it speaks of the indication, not of the safety of a session
    draft: bool = True  # whether the techniques are still drafted when it stops

    @property
    def outcome(self) -> str:
        return self.strength.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Record):
    """What a technique rule says of a technique."""

    technique: Target
    stance: Literal["for", "against"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueRule(Rule):
    effects: tuple[Effect, ...]
    intent: Literal["curative", "protected", ""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRule(Rule):
    """`before` come before `after`; a rule that binds how a step is done names it in `binds`."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    hard: bool = False
    binds: tuple[str, ...] = ()
    variant: str = ""
    serial: bool = False  # from each implant's step to the next implant's
    technique: Target | None = None  # what the rule makes necessary when it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRule(Record):
    """A way to combine what is indicated, or a comparator that is no technique of ours."""

    id: str
    title: Text
    when: Condition | None = None
    needs: tuple[Target, ...] = ()
    drops: tuple[Target, ...] = ()
    comparator: bool = False
    first_when: Condition | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule(Record):
    """A step type of the sequence; the order of the file is the usual order and breaks ties."""

    key: str
    step: str
    id: str
    technique: Target | None = None  # whose step it is
    brought_by: tuple[Target, ...] = ()  # none: always there
    follows: tuple[str, ...] = ()
    per_implant: tuple[str, ...] = ()  # the variants in which it is repeated for each screw


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLabel(Record):
    """How an input is named to a reader, and why it matters."""

    label: Text
    field: str = ""  # where a user gives it; the input's own name when it has no other
    unit: str = ""
    why: Text
    values: dict[str, Text] | None = None
    derived: bool = False  # follows from other inputs: no counterfactual changes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset(Record):
    """All rules, and the version and digest of their files."""

    gates: tuple[Gate, ...]
    classes: tuple[Rule, ...]
    techniques: tuple[TechniqueRule, ...]
    modifiers: tuple[TechniqueRule, ...]
    order: tuple[OrderRule, ...]
    options: tuple[OptionRule, ...]
    steps: tuple[StepRule, ...]
    inputs: dict[str, InputLabel]
    version: str

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.gates, *self.classes, *self.techniques, *self.modifiers, *self.order)


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
    rules = Ruleset(
        gates=_read_rules(folder / "gates.toml", Gate, inputs),
        classes=_read_rules(folder / "classes.toml", Rule, inputs),
        techniques=_read_rules(folder / "techniques.toml", TechniqueRule, inputs),
        modifiers=_read_rules(folder / "modifiers.toml", TechniqueRule, inputs),
        order=_read_rules(folder / "order.toml", OrderRule, inputs),
        options=read_toml(folder / "options.toml", TypeAdapter(tuple[OptionRule, ...]), key="option"),
        steps=read_toml(folder / "steps.toml", TypeAdapter(tuple[StepRule, ...]), key="step"),
        inputs=inputs,
        version=f"{RULESET_VERSION}+{_digest(folder)}",
    )
    _check_gates(rules.gates, folder / "gates.toml")
    _check_open_world((*rules.classes, *rules.techniques, *rules.modifiers, *rules.order), folder)
    _check_options(rules, folder / "options.toml")
    _check_steps(rules, folder / "order.toml")
    return rules


R = TypeVar("R", bound=Rule)


def _read_rules(path: Path, kind: type[R], inputs: dict[str, InputLabel]) -> tuple[R, ...]:
    adapter: TypeAdapter[tuple[R, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]
    rules = read_toml(path, adapter, key="rule")
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        if (rule.id, rule.part) in seen:
            raise CatalogError(f"{path.name}: {rule.id}: defined twice", hint="give each part of a rule its own name")
        seen.add((rule.id, rule.part))
        require_resolved(rule.source, path=path, where=rule.id)
        for text in filter(None, (rule.text, rule.otherwise)):
            if not (text.en.strip() and text.fr.strip()):
                raise CatalogError(f"{path.name}: {rule.id}: a text is empty in one language")
        _check_names(rule.when, inputs, path, rule.id)
    return rules


def _check_names(condition: Condition | None, inputs: dict[str, InputLabel], path: Path, where: str) -> None:
    for test in tests(condition):
        if test.input not in inputs:
            raise CatalogError(f"{path.name}: {where}: no input is called {test.input!r}", hint="see rules/inputs.toml")
        if test.limit is not None and test.limit not in limits():
            raise CatalogError(f"{path.name}: {where}: no limit is called {test.limit!r}")


def _check_gates(gates: tuple[Gate, ...], path: Path) -> None:
    """An unknown may not permit what the answer could forbid, but for what the day of the procedure decides."""
    for gate in gates:
        on_schedule = {test.input for test in tests(gate.when)} <= SCHEDULE_INPUTS
        if gate.outcome in BLOCKING and gate.if_unknown not in BLOCKING and not on_schedule:
            raise CatalogError(f"{path.name}: {gate.id}: an unknown input would permit what the rule forbids")


def _check_open_world(rules: tuple[Rule, ...], folder: Path) -> None:
    for rule in rules:
        if closed_world(rule.when):
            raise CatalogError(f"{folder.name}: {rule.id}: only a gate may take what is not recorded as absent")


def _check_options(rules: Ruleset, path: Path) -> None:
    for option in rules.options:
        require_resolved(option.source, path=path, where=option.id)
        for condition in (option.when, option.first_when):
            _check_names(condition, rules.inputs, path, option.id)


def _check_steps(rules: Ruleset, path: Path) -> None:
    keys = {step.key for step in rules.steps}
    for rule in rules.order:
        unknown = sorted({*rule.before, *rule.after, *rule.binds} - keys)
        if unknown:
            raise CatalogError(f"{path.name}: {rule.id}: no step is called {', '.join(unknown)}")
    for variant in sorted({rule.variant for rule in rules.order} | {""}):
        circle = _circle(rules, variant)
        if circle:
            raise CatalogError(f"{path.name}: the hard order runs in a circle: {' -> '.join(circle)}")


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
