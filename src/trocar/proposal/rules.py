"""The technique rules weighed: which techniques an option may hold, and what speaks for and against each.

Unknown is never normal: a technique whose indication or contraindication cannot be decided is undecided, and what is
undecided keeps an option from being discussed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from trocar.catalog.conditions import Inputs, Value, holds
from trocar.catalog.rule import BLOCKING, CEMENT_PLANNED, Gate, OrderRule, Rule, Ruleset, TechniqueRule
from trocar.model.treatment import Technique

MODALITIES = (Technique.CRYOABLATION, Technique.RADIOFREQUENCY, Technique.MICROWAVE)
CONSOLIDATION = (Technique.SCREW, Technique.CEMENT)
ABLATION = "ablation"
_STRENGTHS = ("INFO", "WARN", "MAY", "SHOULD", "REQUIRE")
_GRADES = "DCBA"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules say of one technique, or of ablation whichever its means."""

    supporting: tuple[Rule, ...] = ()
    opposing: tuple[Rule, ...] = ()
    refuted: tuple[Rule, ...] = ()  # would speak for it, but do not hold, where none does
    open_for: tuple[Rule, ...] = ()  # would speak for it, if what is unknown were so
    open_against: tuple[Rule, ...] = ()
    excluded_by: tuple[Gate, ...] = ()
    open_exclusion: tuple[Gate, ...] = ()

    @property
    def best(self) -> Rule | None:
        """The rule that speaks for it with the most strength, then grade."""
        return max(self.supporting, key=_rank, default=None)

    @property
    def rank(self) -> tuple[int, int]:
        """Strength, then grade, of the best rule that speaks for it."""
        return (-1, -1) if self.best is None else _rank(self.best)

    @property
    def admissible(self) -> bool:
        return bool(self.supporting) and not self.opposing and not self.excluded_by


@dataclass(frozen=True, slots=True)
class Selection:
    """The techniques that the rules indicate, and the rules that could not be decided and would change them."""

    inputs: Inputs
    standings: dict[str, Standing]
    techniques: tuple[Technique, ...]
    undecided: tuple[Rule, ...] = ()
    intents: frozenset[str] = field(default_factory=frozenset)

    @property
    def modality(self) -> Technique | None:
        return next((technique for technique in self.techniques if technique in MODALITIES), None)


def classified(rules: Ruleset, inputs: Inputs) -> dict[str, Value]:
    """The inputs with the problem classes added."""
    known = dict(inputs)
    for rule in rules.classes:
        known[rule.defines] = holds(rule.when, known)
    return known


def select(rules: Ruleset, inputs: Inputs, *, cement: bool = True) -> Selection:
    """The techniques that the rules indicate for these (classified) inputs, without a session in mind yet.

    Cement is weighed first: what serves it alone does not speak for an option that leaves it out (`cement=False`).
    """
    planned = _planned(_standing(rules, Technique.CEMENT, inputs)) if cement else False
    inputs = {**inputs, CEMENT_PLANNED: planned}
    standings = {target: _standing(rules, target, inputs) for target in (*map(str, Technique), ABLATION)}
    techniques: list[Technique] = []
    undecided: list[Rule] = []
    for technique in (Technique.EMBOLIZATION, Technique.BIOPSY, *CONSOLIDATION):
        chosen, open_rules = _decide(standings[technique])
        techniques += [technique] if chosen else []
        undecided += open_rules
    modality, open_rules = _choose_modality(standings)
    undecided += open_rules
    if modality is not None:
        techniques.append(modality)
        protected, open_rules = _needs_protection(rules.order, inputs)
        techniques += [Technique.PROTECTION] if protected else []
        undecided += open_rules
    return Selection(
        inputs=inputs,
        standings=standings,
        techniques=tuple(technique for technique in Technique if technique in techniques),
        undecided=tuple(dict.fromkeys(undecided)),
        intents=frozenset(rule.intent for rule in rules.techniques if rule.intent and holds(rule.when, inputs)),
    )


def targets_of(technique: Technique) -> tuple[str, ...]:
    """The names under which rules speak of a technique: its own, and `ablation` for the means of ablating."""
    return (technique, ABLATION) if technique in MODALITIES else (technique,)


def _standing(rules: Ruleset, target: str, inputs: Inputs) -> Standing:
    stances = [
        (rule, effect.stance, holds(rule.when, inputs))
        for rule in rules.techniques
        for effect in rule.effects
        if effect.technique == target
    ]
    exclusions = [(gate, holds(gate.when, inputs)) for gate in rules.gates if target in gate.excludes]
    supporting = tuple(rule for rule, stance, truth in stances if stance == "for" and truth)
    refuted = tuple(rule for rule, stance, truth in stances if stance == "for" and truth is False)
    return Standing(
        supporting=supporting,
        opposing=tuple(rule for rule, stance, truth in stances if stance == "against" and truth),
        refuted=() if supporting else refuted,
        open_for=tuple(rule for rule, stance, truth in stances if stance == "for" and truth is None),
        open_against=tuple(rule for rule, stance, truth in stances if stance == "against" and truth is None),
        excluded_by=tuple(gate for gate, truth in exclusions if truth),
        open_exclusion=tuple(gate for gate, truth in exclusions if truth is None and gate.if_unknown in BLOCKING),
    )


def _decide(standing: Standing) -> tuple[bool, list[Rule]]:
    """Whether a technique is taken, and the rules that keep this from being certain."""
    if standing.excluded_by or standing.opposing:
        return False, []
    if standing.supporting:
        return True, [*standing.open_against, *standing.open_exclusion]
    return False, list(standing.open_for)


def _planned(standing: Standing) -> bool | None:
    """Whether a technique is taken; unknown where a rule that cannot be decided would bring it."""
    chosen, undecided = _decide(standing)
    return None if undecided and not chosen else chosen


def _choose_modality(standings: dict[str, Standing]) -> tuple[Technique | None, list[Rule]]:
    """The means of ablating with the best rule for it, and the rules that could still change the choice."""
    wanted, undecided = _decide(standings[ABLATION])
    if not wanted:
        return None, undecided
    candidates = [technique for technique in MODALITIES if standings[technique].admissible]
    best = max(candidates, key=lambda technique: standings[technique].rank, default=None)
    reached = standings[best].rank if best is not None else (-1, -1)
    rivals = [technique for technique in MODALITIES if technique is not best and not standings[technique].excluded_by]
    undecided += [rule for technique in rivals for rule in standings[technique].open_for if _rank(rule) >= reached]
    if best is not None:
        undecided += [*standings[best].open_against, *standings[best].open_exclusion]
    return best, undecided


def _needs_protection(order: Iterable[OrderRule], inputs: Inputs) -> tuple[bool, list[Rule]]:
    truths = [(rule, holds(rule.when, inputs)) for rule in order if rule.technique == "protection"]
    if any(truth for _, truth in truths):
        return True, []
    return False, [rule for rule, truth in truths if truth is None]


def _rank(rule: Rule) -> tuple[int, int]:
    return _STRENGTHS.index(rule.strength), _GRADES.index(rule.grade)


def speaks_of(rule: TechniqueRule, technique: Technique) -> str | None:
    """`for` or `against` when a rule speaks of a technique, else None."""
    names = targets_of(technique)
    return next((effect.stance for effect in rule.effects if effect.technique in names), None)
