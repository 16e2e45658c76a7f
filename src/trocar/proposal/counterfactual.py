"""What would change the answer: the engine run again with one input changed to the other side of a rule's test."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.conditions import NOT_APPLICABLE, Comparison, Condition, Inputs, Value, comparisons, holds
from trocar.catalog.rule import OptionRule, Rule, Ruleset
from trocar.model.treatment import Counterfactual, ProposalVerdict, Text
from trocar.proposal import wording
from trocar.proposal.options import Option, comes_first, judged, selection_for
from trocar.proposal.rules import Selection, classified, select

MOST = 5  # how many are shown
_FIXED = frozenset({"site", "age_years", "side_conflict", "level_conflict"})  # changing these is another patient
_OTHER_SIDE = {"below": "at_least", "at_least": "below", "above": "at_most", "at_most": "above"}
_PHRASES = {
    "at_least": Text(en="{label} of {value} or more", fr="{label} de {value} ou plus"),
    "at_most": Text(en="{label} of {value} or less", fr="{label} de {value} ou moins"),
    "below": Text(en="{label} below {value}", fr="{label} sous {value}"),
    "above": Text(en="{label} above {value}", fr="{label} au-dessus de {value}"),
}
_RANKS = {
    "first": Text(en="now ranked first", fr="désormais en tête"),
    "later": Text(en="no longer ranked first", fr="plus en tête"),
    "absent": Text(en="no longer compared", fr="plus comparé"),
}
_STEP = 1e-6


@dataclass(frozen=True, slots=True)
class Change:
    """Inputs with other values, and how that is said."""

    values: tuple[tuple[str, Value], ...]
    text: Text

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.values)


class Engine:
    """The engine run again on changed inputs; each selection is made once, whichever options ask for it."""

    def __init__(self, rules: Ruleset, inputs: Inputs) -> None:
        self.rules, self.inputs = rules, inputs
        self._selections: dict[tuple[tuple[str, Value], ...], Selection] = {}

    def changed(self, *changes: Change) -> dict[str, Value]:
        """The inputs after these changes."""
        return {**self.inputs, **dict(_combined(list(changes)).values)}

    def after(self, rule: OptionRule, *changes: Change) -> Option:
        """What the same option is after these changes."""
        key = _combined(list(changes)).values
        if key not in self._selections:
            self._selections[key] = select(self.rules, classified(self.rules, self.changed(*changes)))
        return judged(self.rules, rule, selection_for(self.rules, rule, self._selections[key]))

    def changes(self, *conditions: Condition | None) -> Iterator[Change]:
        """For every test in these conditions, and in the classes they name, the input on its other side."""
        classes = {rule.defines: rule.when for rule in self.rules.classes}
        pending, seen = list(conditions), set[Condition | None]()
        while pending:
            condition = pending.pop(0)
            if condition in seen:
                continue
            seen.add(condition)
            for test in comparisons(condition):
                if test.input in classes:
                    pending.append(classes[test.input])
                elif not (self.rules.inputs[test.input].derived or test.input in _FIXED):
                    yield from _other_side(self.rules, test, self.inputs[test.input])


def counterfactuals(rules: Ruleset, inputs: Inputs, ranked: list[Option]) -> list[tuple[Counterfactual, ...]]:
    """For each option up to `MOST` changes that alter it, those that lift a block first; computed, not written.

    A comparator is altered by what changes its rank; one that is always compared, last, has none.
    """
    engine = Engine(rules, inputs)
    return [_of_comparator(engine, option) if option.rule.comparator else _of(engine, option) for option in ranked]


def _of(engine: Engine, option: Option) -> tuple[Counterfactual, ...]:
    lifting = _lifting(engine, option)
    together = _together(engine, option, [change for change, _ in lifting])
    found = [together, *lifting] if together else list(lifting)
    if len(found) < MOST and option.drafted:
        known = frozenset[str]().union(*(change.inputs for change, _ in lifting))
        found += _altering(engine, option, known)
    return tuple(
        Counterfactual(change=_with(change.text), effect=_effect(option, after)) for change, after in found[:MOST]
    )


def _of_comparator(engine: Engine, option: Option) -> tuple[Counterfactual, ...]:
    """The changes after which it is ranked first, no longer first, or not compared at all; each input once."""
    rule, found = option.rule, dict[frozenset[str], Counterfactual]()
    leads = comes_first(rule, option.inputs)
    for change in engine.changes(rule.first_when, rule.when):
        inputs = classified(engine.rules, engine.changed(change))
        listed, first = holds(rule.when, inputs), comes_first(rule, inputs)
        if change.inputs not in found and (not listed or first != leads):
            effect = _RANKS["first" if listed and first else "later" if listed else "absent"]
            found[change.inputs] = Counterfactual(change=_with(change.text), effect=effect)
    return tuple(found.values())[:MOST]


def _lifting(engine: Engine, option: Option) -> list[tuple[Change, Option]]:
    """For each input behind a block, the change that lifts most of what blocks; what is unknown comes first."""
    gates = [judgment.gate for judgment in option.judgments if judgment.blocks]
    best: dict[frozenset[str], tuple[Change, Option]] = {}
    for change in engine.changes(*(rule.when for rule in (*gates, *option.selection.undecided))):
        after = engine.after(option.rule, change)
        held = best.get(change.inputs)
        if _openness(after) > _openness(held[1] if held else option):
            best[change.inputs] = (change, after)
    for gate in gates:
        if all(gate.id in _blocking(after) for _, after in best.values()):
            change = _cleared(engine, gate)
            after = engine.after(option.rule, change)
            if _openness(after) > _openness(option):
                best[change.inputs] = (change, after)
    return sorted(best.values(), key=lambda item: all(engine.inputs[name] is not None for name in item[0].inputs))


def _cleared(engine: Engine, gate: Rule) -> Change:
    """Every test of a gate that holds, put on its other side: what clears a gate with several ways to fire."""
    rules, inputs = engine.rules, engine.inputs
    taken: dict[str, Change] = {}
    for test in comparisons(gate.when):
        if test.input in taken or rules.inputs[test.input].derived or holds(test, inputs) is not True:
            continue
        for change in _other_side(rules, test, inputs[test.input]):
            if holds(test, {**inputs, **dict(change.values)}) is False:
                taken[test.input] = change
                break
    return _combined(list(taken.values()))


def _altering(engine: Engine, option: Option, known: frozenset[str]) -> list[tuple[Change, Option]]:
    """The changes that alter the techniques, each effect once; those that add a technique first."""
    found: dict[tuple[object, ...], tuple[Change, Option]] = {}
    changed = set(known)
    speaking = (*engine.rules.techniques, *(rule for rule in engine.rules.order if rule.technique))
    for change in engine.changes(*(rule.when for rule in speaking)):
        if change.inputs & changed:
            continue
        after = engine.after(option.rule, change)
        signature = _signature(after)
        if signature not in found and signature != _signature(option):
            changed |= change.inputs
            found[signature] = (change, after)
    return sorted(found.values(), key=lambda item: not set(item[1].techniques) - set(option.techniques))


def _together(engine: Engine, option: Option, changes: list[Change]) -> tuple[Change, Option] | None:
    """The fewest lifting changes, taken in order, that together reach a discussion where none does alone."""
    taken: list[Change] = []
    reached = option
    for change in changes:
        if engine.after(option.rule, change).verdict is ProposalVerdict.DISCUSS:
            return None
        after = engine.after(option.rule, *taken, change)
        if _openness(after) > _openness(reached):
            taken.append(change)
            reached = after
    if not taken or reached.verdict is not ProposalVerdict.DISCUSS:
        return None
    return _combined(taken), reached


def _combined(changes: list[Change]) -> Change:
    values = tuple(value for change in changes for value in change.values)
    return Change(values, wording.joined(change.text for change in changes))


def _openness(option: Option) -> tuple[bool, int, int]:
    """How little stands in the way of a discussion."""
    return (
        option.verdict is ProposalVerdict.DISCUSS,
        -len({judgment.gate.id for judgment in option.judgments if judgment.blocks}),
        -len(option.selection.undecided),
    )


def _other_side(rules: Ruleset, test: Comparison, value: Value) -> Iterator[Change]:
    if value is NOT_APPLICABLE:
        return
    if test.op in _OTHER_SIDE:
        yield from _numeric_changes(rules, test, value)
    elif test.op == "recorded":
        if value is None and test.input.endswith("_date"):  # any date will do; other values have tests of their own
            label = wording.label_of(rules, test.input)
            on_file = Text(en=f"{label.en} on file", fr=f"{label.fr} dans le dossier")
            yield Change(((test.input, "on file"),), on_file)
    elif isinstance(test.value, bool):
        for choice in (test.value, not test.value):
            if choice != value:
                yield _said(rules, test.input, choice)
    else:
        yield from _worded_changes(rules, test, value)


def _numeric_changes(rules: Ruleset, test: Comparison, value: Value) -> Iterator[Change]:
    assert value is None or isinstance(value, int | float)
    bound = float(test.operand)
    sides = {"below": bound - _STEP, "at_most": bound, "at_least": bound, "above": bound + _STEP}
    for op in (test.op, _OTHER_SIDE[test.op]):
        meets = (
            value is not None
            and {
                "below": value < bound,
                "at_most": value <= bound,
                "at_least": value >= bound,
                "above": value > bound,
            }[op]
        )
        if not meets and sides[op] >= 0:
            label = wording.label_of(rules, test.input)
            shown = wording.number(bound, rules.inputs[test.input].unit)
            phrase = _PHRASES[op]
            yield Change(
                ((test.input, sides[op]),),
                Text(
                    en=phrase.en.format(label=label.en, value=shown.en),
                    fr=phrase.fr.format(label=label.fr, value=shown.fr),
                ),
            )


def _worded_changes(rules: Ruleset, test: Comparison, value: Value) -> Iterator[Change]:
    named = test.value if isinstance(test.value, tuple) else (str(test.value),)
    if test.op in ("has", "has_any"):
        present = value if isinstance(value, tuple) else ()
        with_it = tuple(dict.fromkeys([*present, named[0]]))
        without = tuple(item for item in present if item not in named)
        for choice in (with_it, without):
            if choice != value:
                yield _said(rules, test.input, choice)
        return
    others = [item for item in rules.inputs[test.input].values or {} if item not in named]
    for item in (*named[:1], *others[:1]):
        if item != value:
            yield _said(rules, test.input, item)


def _said(rules: Ruleset, name: str, value: Value) -> Change:
    return Change(((name, value),), wording.value_text(rules, name, value))


def _signature(option: Option) -> tuple[object, ...]:
    blocking = frozenset(judgment.gate.id for judgment in option.judgments if judgment.blocks)
    return option.verdict, option.techniques, blocking


def _with(change: Text) -> Text:
    return Text(en=f"With {change.en}", fr=f"Avec {change.fr}")


def _effect(before: Option, after: Option) -> Text:
    """The difference between two options in words."""
    parts = []
    added = [wording.NAMES[item] for item in after.techniques if item not in before.techniques]
    removed = [wording.NAMES[item] for item in before.techniques if item not in after.techniques]
    if after.verdict != before.verdict:
        parts.append(wording.VERDICTS[after.verdict])
    if added:
        names = wording.joined(added)
        parts.append(Text(en=f"added: {names.en}", fr=f"en plus : {names.fr}"))
    if removed:
        names = wording.joined(removed)
        parts.append(Text(en=f"no longer held: {names.en}", fr=f"en moins : {names.fr}"))
    for said, ids in (
        (Text(en="no longer blocked by", fr="n'est plus bloqué par"), _blocking(before) - _blocking(after)),
        (Text(en="now blocked by", fr="désormais bloqué par"), _blocking(after) - _blocking(before)),
    ):
        if ids:
            names_of_rules = ", ".join(sorted(ids))
            parts.append(Text(en=f"{said.en} {names_of_rules}", fr=f"{said.fr} {names_of_rules}"))
    return Text(en="; ".join(part.en for part in parts), fr=" ; ".join(part.fr for part in parts))


def _blocking(option: Option) -> set[str]:
    return {judgment.gate.id for judgment in option.judgments if judgment.blocks}
