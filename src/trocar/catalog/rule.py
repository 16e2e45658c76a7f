"""The records of a clinical rule: gates, technique rules, order rules, options, steps, and all of them together.

Every rule has a condition, a strength, a grade of evidence, a source and its text in both languages.
"""

import datetime
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trocar.catalog.conditions import Condition
from trocar.model.record import Record
from trocar.model.treatment import Text

Strength: TypeAlias = Literal["STOP", "REFER", "MISSING", "REQUIRE", "SHOULD", "MAY", "WARN", "INFO"]
Outcome: TypeAlias = Literal["stop", "refer", "missing", "require", "hold", "warn", "info"]
Target: TypeAlias = Literal[
    "embolization", "biopsy", "protection", "ablation", "cryoablation", "radiofrequency", "microwave", "screw", "cement"
]
BLOCKING = ("stop", "refer", "missing", "require")  # the discussion, and with it approval
CEMENT_PLANNED = "cement_planned"  # the input that tells whether an option holds cement
HOLD = "hold"  # approval only: what is settled after the discussion


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Record):
    """What every rule has. A rule of several parts repeats its id; `otherwise` is said when it does not hold."""

    id: str
    part: str = ""
    when: Condition | None = None
    strength: Strength
    grade: Literal["A", "B", "C", "D"]
    source: str
    conflicting: bool = False  # the evidence behind it disagrees
    text: Text
    otherwise: Text | None = None
    defines: str = ""  # the input that later rules read its truth from
    last_reviewed: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Rule):
    """Fires with the outcome its strength names. With `excludes` it takes techniques out instead of the session.

    One that `blocks` only approval holds it back, whether it fires or cannot be known, and leaves the discussion open.
    """

    if_unknown: Outcome = "missing"
    blocks: Literal["discussion", "approval"] = "discussion"
    excludes: tuple[Target, ...] = ()
    indication: bool = False  # it speaks of the indication, not of the safety of a session
    draft: bool = True  # whether the techniques are still drafted when it stops
    simplest_first: bool = False  # options of fewer techniques are ranked before the others when it holds

    @property
    def outcome(self) -> str:
        return HOLD if self.blocks == "approval" else self.strength.lower()

    @property
    def outcome_if_unknown(self) -> str:
        return HOLD if self.blocks == "approval" else self.if_unknown


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
    explains: Target | None = None  # the technique whose reasons it belongs to


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRule(Rule):
    """Refuses or prefers embolic agents of some forms (none named: all), and sizes below a bound."""

    stance: Literal["refuses", "cautions", "prefers"]
    forms: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    smaller_than_um: float | None = None
    radiopaque: bool = False  # only those known to be


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
    when: Condition | None = None  # it is there only when this is known to hold
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
    agents: tuple[AgentRule, ...]
    options: tuple[OptionRule, ...]
    steps: tuple[StepRule, ...]
    inputs: dict[str, InputLabel]
    version: str

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.gates, *self.classes, *self.techniques, *self.modifiers, *self.order, *self.agents)
