"""The gates: what must be known or true before an option can be discussed. A STOP is never overridden."""

from dataclasses import dataclass

from trocar.catalog.conditions import Inputs, Value, deciding, holds
from trocar.catalog.rule import BLOCKING, CEMENT_PLANNED, Gate, Rule, Ruleset
from trocar.model.treatment import GateOutcome, Missing, ProposalVerdict, Text
from trocar.proposal import wording


@dataclass(frozen=True, slots=True)
class Judgment:
    """One gate for one session."""

    gate: Gate
    truth: bool | None
    outcome: str

    @property
    def blocks(self) -> bool:
        return self.outcome in BLOCKING


def judge(rules: Ruleset, inputs: Inputs, session: tuple[str, ...]) -> tuple[dict[str, Value], list[Judgment]]:
    """Every gate for a session, in order, and the inputs with the session and what the gates define added."""
    known: dict[str, Value] = {**inputs, "session": session}
    for gate in rules.gates:
        if gate.defines:
            known[gate.defines] = holds(gate.when, known)
    return known, [_judged(gate, known, session) for gate in rules.gates]


def verdict_of(judgments: list[Judgment], *, empty: bool, undecided: bool) -> ProposalVerdict:
    """STOP before everything; then nothing to propose; then refer; then missing; discuss only when all is clear."""
    outcomes = {judgment.outcome for judgment in judgments}
    if "stop" in outcomes and not (empty and not undecided and _only_indication(judgments)):
        return ProposalVerdict.STOP
    if empty and not undecided:
        return ProposalVerdict.NONE
    if "refer" in outcomes:
        return ProposalVerdict.REFER
    if undecided or outcomes & {"missing", "require"}:
        return ProposalVerdict.MISSING
    return ProposalVerdict.DISCUSS


def outcome_record(rules: Ruleset, judgment: Judgment, inputs: Inputs) -> GateOutcome:
    """A judgment as it is reported: the rule's own text, with what is unknown or the values that decided."""
    gate, message = judgment.gate, judgment.gate.text
    names = unknown_in(gate, inputs)
    if judgment.truth is False:
        message = Text(en=f"Met, or not the case: {message.en}", fr=f"Satisfait ou sans objet : {message.fr}")
    elif names:
        labels = wording.joined(wording.label_of(rules, name) for name in base_inputs(rules, names, inputs))
        message = wording.sentence(Text(en=f"Not known: {labels.en}.", fr=f"Non connu : {labels.fr}."), message)
    else:
        message = wording.with_values(rules, gate, message, inputs)
    return GateOutcome(rule=gate.id, outcome=judgment.outcome, message=message, source=gate.source)


def missing_records(rules: Ruleset, open_rules: list[Rule], inputs: Inputs) -> tuple[Missing, ...]:
    """The unknown inputs behind rules that could not be decided, with the rules that need each."""
    needed: dict[str, list[str]] = {}
    why: dict[str, Text] = {}
    for rule in open_rules:
        for name in base_inputs(rules, unknown_in(rule, inputs), inputs):
            label = rules.inputs[name]
            field = label.field or name
            needed.setdefault(field, []).append(rule.id)
            why.setdefault(field, label.why)
    return tuple(Missing(field=field, rules=tuple(dict.fromkeys(ids)), why=why[field]) for field, ids in needed.items())


def unknown_in(rule: Rule, inputs: Inputs) -> tuple[str, ...]:
    """The unknown inputs that keep a rule from being decided, or that it takes as absent."""
    names = (test.input for test in deciding(rule.when, inputs))
    return tuple(dict.fromkeys(name for name in names if inputs[name] is None))


def base_inputs(rules: Ruleset, names: tuple[str, ...], inputs: Inputs) -> tuple[str, ...]:
    """The inputs a user can give behind derived ones: a problem class is unknown because of its own inputs."""
    found: list[str] = []
    for name in names:
        behind = _rules_behind(rules, name)
        for rule in behind:
            found += base_inputs(rules, unknown_in(rule, inputs), inputs)
        found += [] if behind else [name]
    return tuple(dict.fromkeys(found))


def _rules_behind(rules: Ruleset, name: str) -> list[Rule]:
    """The rules that a derived input comes from: a class's own, all that speak of cement for whether it is planned."""
    if name != CEMENT_PLANNED:
        return [rule for rule in rules.classes if rule.defines == name]
    speaking = [rule for rule in rules.techniques if any(item.technique == "cement" for item in rule.effects)]
    return [*speaking, *(gate for gate in rules.gates if "cement" in gate.excludes)]


def _judged(gate: Gate, inputs: Inputs, session: tuple[str, ...]) -> Judgment:
    truth = holds(gate.when, inputs)
    if truth is False:
        return Judgment(gate, truth, "pass")
    outcome = gate.outcome if truth else gate.outcome_if_unknown
    if gate.excludes and not set(gate.excludes) & set(session):
        outcome = "warn" if truth else "info"  # the technique is out already: the session is not stopped
    return Judgment(gate, truth, outcome)


def _only_indication(judgments: list[Judgment]) -> bool:
    """Whether all that stops says that there is no indication, which is what an empty option says too."""
    return all(judgment.gate.indication for judgment in judgments if judgment.outcome == "stop")
