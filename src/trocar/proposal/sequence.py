"""The order of a session: the steps its techniques bring, and the order rules solved into one order."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.conditions import Inputs, holds
from trocar.catalog.rule import OrderRule, Ruleset, StepRule
from trocar.errors import CatalogError
from trocar.model.treatment import SequenceStep, Technique
from trocar.proposal.rules import ABLATION, MODALITIES


@dataclass(frozen=True, slots=True)
class _Node:
    rule: StepRule
    number: int
    repeated: bool
    priority: int
    id: str
    technique: Technique | None


@dataclass(frozen=True, slots=True)
class _Edge:
    before: str
    after: str
    hard: bool
    rule: str  # empty for what a step physically needs


@dataclass(frozen=True, slots=True)
class Sequence:
    """The steps in order, and the soft order rules that had to yield."""

    steps: tuple[SequenceStep, ...]
    broken: tuple[str, ...] = ()


def sequence(
    rules: Ruleset, inputs: Inputs, techniques: tuple[Technique, ...], *, variant: str, screws: int
) -> Sequence:
    """The steps of a session in an order that keeps every hard edge, and the usual order where edges leave a choice.

    A soft edge that would close a circle yields and is named. Raises `CatalogError` when the hard edges close one.
    """
    nodes = list(_nodes(rules, inputs, techniques, variant, screws if Technique.SCREW in techniques else 1))
    active = [rule for rule in rules.order if rule.variant in ("", variant) and holds(rule.when, inputs) is not False]
    hard = [edge for edge in _edges(nodes, active) if edge.hard]
    soft = [edge for edge in _edges(nodes, active) if not edge.hard]
    kept, broken = list(hard), []
    for edge in soft:
        if _reaches(kept, edge.after, edge.before):
            broken.append(edge.rule)
        else:
            kept.append(edge)
    order = _sorted(nodes, kept)
    bindings = {key: [rule.id for rule in active if key in rule.binds] for key in {node.rule.key for node in nodes}}
    return Sequence(
        steps=tuple(_step(node, kept, order, bindings[node.rule.key]) for node in order),
        broken=tuple(dict.fromkeys(broken)),
    )


def _nodes(
    rules: Ruleset, inputs: Inputs, techniques: tuple[Technique, ...], variant: str, screws: int
) -> Iterator[_Node]:
    modality = next((technique for technique in techniques if technique in MODALITIES), None)
    present = {str(technique) for technique in techniques} | ({ABLATION} if modality else set())
    for priority, rule in enumerate(rules.steps):
        if (rule.brought_by and present.isdisjoint(rule.brought_by)) or holds(rule.when, inputs) is not True:
            continue
        repeated = variant in rule.per_implant
        technique = modality if rule.technique == ABLATION else rule.technique
        name = str(modality) if rule.key == "ABLATE" else rule.id
        for number in range(1, (screws if repeated else 1) + 1):
            yield _Node(
                rule, number, repeated, priority, f"{name}-{number}", Technique(technique) if technique else None
            )


def _edges(nodes: list[_Node], active: list[OrderRule]) -> Iterator[_Edge]:
    for node in nodes:
        for key in node.rule.follows:
            for earlier in nodes:
                if earlier.rule.key == key and _paired(earlier, node, serial=False):
                    yield _Edge(earlier.id, node.id, hard=True, rule="")
    for rule in active:
        for earlier in (node for node in nodes if node.rule.key in rule.before):
            for later in (node for node in nodes if node.rule.key in rule.after):
                if _paired(earlier, later, serial=rule.serial):
                    yield _Edge(earlier.id, later.id, rule.hard, rule.id)


def _paired(earlier: _Node, later: _Node, *, serial: bool) -> bool:
    """Steps repeated for each screw are ordered within one screw; a serial rule orders one screw after another."""
    if serial:
        return earlier.repeated and later.repeated and later.number == earlier.number + 1
    return not (earlier.repeated and later.repeated) or earlier.number == later.number


def _reaches(edges: list[_Edge], start: str, goal: str) -> bool:
    pending, seen = [start], {start}
    while pending:
        here = pending.pop()
        if here == goal:
            return True
        fresh = {edge.after for edge in edges if edge.before == here} - seen
        seen |= fresh
        pending.extend(fresh)
    return False


def _sorted(nodes: list[_Node], edges: list[_Edge]) -> list[_Node]:
    """Topological order; of the steps that are free, the usual first."""
    waiting = {node.id: {edge.before for edge in edges if edge.after == node.id} for node in nodes}
    remaining = sorted(nodes, key=lambda node: (node.priority, node.number))
    order: list[_Node] = []
    while remaining:
        free = next((node for node in remaining if not waiting[node.id]), None)
        if free is None:
            raise CatalogError("the hard order of the steps runs in a circle", hint="see rules/order.toml")
        remaining.remove(free)
        order.append(free)
        for earlier in waiting.values():
            earlier.discard(free.id)
    return order


def _step(node: _Node, edges: list[_Edge], order: list[_Node], bindings: list[str]) -> SequenceStep:
    into = [edge for edge in edges if edge.after == node.id]
    befores = {edge.before for edge in into}
    return SequenceStep(
        id=node.id,
        step=node.rule.step,
        technique=node.technique,
        after=tuple(earlier.id for earlier in order if earlier.id in befores),
        hard=any(edge.hard for edge in into),
        edges=tuple(dict.fromkeys([*(edge.rule for edge in into if edge.rule), *bindings])),
    )
