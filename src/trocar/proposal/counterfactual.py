"""What would change the answer: the engine run again with one input changed to the other side of a rule's test."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.conditions import NOT_APPLICABLE, Inputs, Test, Value, tests
from trocar.catalog.ruleset import Rule, Ruleset
from trocar.model.treatment import Counterfactual, ProposalVerdict, Text
from trocar.proposal import wording
from trocar.proposal.options import Option, leading_option

MOST = 5  # how many are shown
_FIXED = frozenset({"site", "age_years", "side_conflict", "level_conflict"})  # changing these is another patient
_OTHER_SIDE = {"below": "at_least", "at_least": "below", "above": "at_most", "at_most": "above"}
_PHRASES = {
    "at_least": Text(en="{label} of {value} or more", fr="{label} de {value} ou plus"),
    "at_most": Text(en="{label} of {value} or less", fr="{label} de {value} ou moins"),
    "below": Text(en="{label} below {value}", fr="{label} inférieur(e) à {value}"),
    "above": Text(en="{label} above {value}", fr="{label} supérieur(e) à {value}"),
}
_STEP = 1e-6


@dataclass(frozen=True, slots=True)
class Change:
    """One input with another value, and how that is said."""

    input: str
    value: Value
    text: Text


def counterfactuals(rules: Ruleset, inputs: Inputs, option: Option) -> tuple[Counterfactual, ...]:
    """Up to `MOST` changes that alter the leading option, those that lift a block first; computed, not written."""
    blockers = [judgment.gate for judgment in option.judgments if judgment.blocks]
    lifting = _effective(rules, inputs, option, _changes(rules, [*blockers, *option.selection.undecided], inputs))
    found = [Counterfactual(change=_with(change.text), effect=_effect(option, after)) for change, after in lifting]
    together = _together(rules, inputs, option, [change for change, _ in lifting])
    found = ([together] if together else []) + found
    if len(found) < MOST:
        changes = _changes(rules, [*rules.techniques, *(rule for rule in rules.order if rule.technique)], inputs)
        known = {change.input for change, _ in lifting}
        others = _effective(rules, inputs, option, (change for change in changes if change.input not in known))
        found += [Counterfactual(change=_with(change.text), effect=_effect(option, after)) for change, after in others]
    return tuple(found[:MOST])


def _effective(
    rules: Ruleset, inputs: Inputs, option: Option, changes: Iterator[Change]
) -> list[tuple[Change, Option]]:
    """The changes that alter the option, one for each input, with the option they give."""
    found: dict[str, tuple[Change, Option]] = {}
    for change in changes:
        if change.input in found:
            continue
        after = leading_option(rules, {**inputs, change.input: change.value})
        if _signature(after) != _signature(option):
            found[change.input] = (change, after)
    return list(found.values())


def _together(rules: Ruleset, inputs: Inputs, option: Option, changes: list[Change]) -> Counterfactual | None:
    """All lifting changes at once, where it takes more than one to reach a discussion."""
    if len(changes) < 2 or option.verdict is ProposalVerdict.DISCUSS:
        return None
    after = leading_option(rules, {**inputs, **{change.input: change.value for change in changes}})
    if after.verdict is not ProposalVerdict.DISCUSS:
        return None
    return Counterfactual(change=_with(wording.joined(c.text for c in changes)), effect=_effect(option, after))


def _changes(rules: Ruleset, among: list[Rule], inputs: Inputs) -> Iterator[Change]:
    """For every test behind these rules, the input's value on the other side of it."""
    classes = {rule.defines: rule for rule in rules.classes}
    pending, seen = list(among), set()
    while pending:
        rule = pending.pop(0)
        if (rule.id, rule.part) in seen:
            continue
        seen.add((rule.id, rule.part))
        for test in tests(rule.when):
            if test.input in classes:
                pending.append(classes[test.input])
            elif not (rules.inputs[test.input].derived or test.input in _FIXED):
                yield from _other_side(rules, test, inputs[test.input])


def _other_side(rules: Ruleset, test: Test, value: Value) -> Iterator[Change]:
    if value is NOT_APPLICABLE:
        return
    if test.op in _OTHER_SIDE:
        yield from _numeric_changes(rules, test, value)
    elif test.op == "recorded":
        if value is None:
            label = wording.label_of(rules, test.input)
            yield Change(test.input, _any_value(test), Text(en=f"{label.en} recorded", fr=f"{label.fr} enregistré(e)"))
    elif isinstance(test.value, bool):
        for choice in (test.value, not test.value):
            if choice != value:
                yield _said(rules, test.input, choice)
    else:
        yield from _worded_changes(rules, test, value)


def _numeric_changes(rules: Ruleset, test: Test, value: Value) -> Iterator[Change]:
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
                test.input,
                sides[op],
                Text(
                    en=phrase.en.format(label=label.en, value=shown.en),
                    fr=phrase.fr.format(label=label.fr, value=shown.fr),
                ),
            )


def _worded_changes(rules: Ruleset, test: Test, value: Value) -> Iterator[Change]:
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
    return Change(name, value, wording.value_text(rules, name, value))


def _any_value(test: Test) -> Value:
    """Something recorded, for a test that only asks whether there is anything: a date, or a harmless number."""
    return "recorded" if test.input.endswith("_date") else None


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
        parts.append(Text(en=f"no longer held: {names.en}", fr=f"non retenu : {names.fr}"))
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
