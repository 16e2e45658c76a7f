"""The options: each a way to combine what is indicated, judged by the gates, with its reasons."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.conditions import Inputs, Value, holds
from trocar.catalog.rule import OptionRule, Rule, Ruleset
from trocar.model.treatment import ProposalVerdict, Reason, Technique, TechniqueOption, TechniqueStatus, Text
from trocar.proposal import wording
from trocar.proposal.gates import Judgment, base_inputs, judge, unknown_in, verdict_of
from trocar.proposal.rules import ABLATION, MODALITIES, Selection, Standing, classified, select, speaks_of, targets_of


@dataclass(frozen=True, slots=True)
class Option:
    """One combination under judgment; a comparator holds no technique and is judged by no gate."""

    rule: OptionRule
    selection: Selection
    techniques: tuple[Technique, ...]
    inputs: dict[str, Value]
    judgments: tuple[Judgment, ...]
    verdict: ProposalVerdict

    @property
    def drafted(self) -> bool:
        """Whether the techniques may still be shown: some stops leave nothing to draft."""
        return all(judgment.gate.draft or judgment.outcome != "stop" for judgment in self.judgments)


def options(rules: Ruleset, inputs: Inputs) -> list[Option]:
    """The options for these inputs, best first; the whole combination leads unless another specialty must.

    Where a gate asks for the simplest, those of fewer techniques come first.
    """
    selection = select(rules, classified(rules, inputs))
    ranked = list(_combinations(rules, selection))
    if not ranked[0].drafted:
        return ranked[:1]
    if any(judgment.gate.simplest_first and judgment.truth for judgment in ranked[0].judgments):
        ranked.sort(key=lambda option: len(option.techniques))
    for rule in rules.options:
        if rule.comparator and holds(rule.when, selection.inputs):
            leads = comes_first(rule, selection.inputs)
            ranked.insert(0 if leads else len(ranked), _comparator(rules, rule, selection))
    return ranked


def comes_first(rule: OptionRule, inputs: Inputs) -> bool:
    """Whether a comparator is ranked before the options of ours."""
    return rule.first_when is not None and holds(rule.first_when, inputs) is True


def leading_option(rules: Ruleset, inputs: Inputs) -> Option:
    """The whole combination alone."""
    return next(_combinations(rules, select(rules, classified(rules, inputs))))


def technique_options(rules: Ruleset, option: Option) -> tuple[TechniqueOption, ...]:
    """What an option says of every technique: its status, and the rules for and against it."""
    return tuple(_technique_option(rules, option, technique) for technique in Technique)


def _combinations(rules: Ruleset, selection: Selection) -> Iterator[Option]:
    seen: set[tuple[Technique, ...]] = set()
    for rule in rules.options:
        if rule.comparator or holds(rule.when, selection.inputs) is not True:
            continue
        own = selection_for(rules, rule, selection)
        needed = [set(MODALITIES) if target == ABLATION else {target} for target in rule.needs]
        techniques = _held(rule, own)
        if techniques not in seen and all(group & set(own.techniques) for group in needed):
            seen.add(techniques)
            yield judged(rules, rule, own)


def selection_for(rules: Ruleset, rule: OptionRule, selection: Selection) -> Selection:
    """The selection that an option combines: weighed anew where it leaves out cement."""
    return select(rules, selection.inputs, cement=False) if Technique.CEMENT in rule.drops else selection


def judged(rules: Ruleset, rule: OptionRule, selection: Selection) -> Option:
    """What an option holds of its selection, under the gates of that session."""
    techniques = _held(rule, selection)
    inputs, judgments = judge(rules, selection.inputs, techniques)
    verdict = verdict_of(judgments, empty=not techniques, undecided=bool(selection.undecided))
    return Option(rule, selection, techniques, inputs, tuple(judgments), verdict)


def _held(rule: OptionRule, selection: Selection) -> tuple[Technique, ...]:
    dropped = set(rule.drops) | (set(MODALITIES) if ABLATION in rule.drops else set())
    return tuple(technique for technique in selection.techniques if technique not in dropped)


def _comparator(rules: Ruleset, rule: OptionRule, selection: Selection) -> Option:
    inputs, _ = judge(rules, selection.inputs, ())
    return Option(rule, selection, (), inputs, (), ProposalVerdict.REFER)


def _technique_option(rules: Ruleset, option: Option, technique: Technique) -> TechniqueOption:
    standing = _merged(option.selection.standings, technique)
    remarks = [
        (rule, speaks_of(rule, technique))
        for rule in rules.modifiers
        if technique in option.techniques and holds(rule.when, option.inputs)
    ]
    order = [
        rule
        for rule in rules.order
        if technique in option.techniques and rule.explains in targets_of(technique) and holds(rule.when, option.inputs)
    ]
    supporting = [*standing.supporting, *(rule for rule, stance in remarks if stance == "for"), *order]
    against = [*standing.excluded_by, *standing.opposing, *(rule for rule, stance in remarks if stance == "against")]
    reasons_for = [_reason(rule, rule.text) for rule in supporting]
    reasons_against = [_reason(rule, rule.text) for rule in against]
    if technique == Technique.PROTECTION:
        reasons_for, reasons_against = _protection_reasons(rules, option)
    elif technique not in option.techniques:
        reasons_against += [*_displaced(option, technique), *_absence_reasons(rules, standing, option)]
    return TechniqueOption(
        technique=technique,
        status=_status(technique, standing, option),
        reasons_for=tuple(reasons_for),
        reasons_against=tuple(reasons_against),
    )


def _merged(standings: dict[str, Standing], technique: Technique) -> Standing:
    """A technique's standing; a means of ablating also has that of ablation, if it speaks for anything at all."""
    own = standings[technique]
    if technique not in MODALITIES:
        return own
    shared = standings[ABLATION]
    return Standing(
        supporting=tuple(dict.fromkeys((*shared.supporting, *own.supporting))) if own.supporting else (),
        opposing=(*own.opposing, *shared.opposing),
        refuted=(*(() if shared.supporting else shared.refuted), *own.refuted),
        open_for=(*shared.open_for, *own.open_for),
        open_against=(*own.open_against, *shared.open_against),
        excluded_by=own.excluded_by,
        open_exclusion=own.open_exclusion,
    )


def _status(technique: Technique, standing: Standing, option: Option) -> TechniqueStatus:
    if standing.excluded_by:
        return TechniqueStatus.CONTRAINDICATED
    if technique not in option.techniques:
        return TechniqueStatus.NOT_INDICATED
    if technique == Technique.PROTECTION or any(rule.strength in ("SHOULD", "REQUIRE") for rule in standing.supporting):
        return TechniqueStatus.INDICATED
    return TechniqueStatus.OPTIONAL


def _displaced(option: Option, technique: Technique) -> Iterator[Reason]:
    """Why a technique that rules speak for is not in an option: it is left out here, or another means is taken."""
    taken, standings = option.selection.modality, option.selection.standings
    if technique in option.selection.techniques:
        title = option.rule.title
        text = Text(
            en=f"Left out in this option, to be compared with the whole combination: {title.en}.",
            fr=f"Écarté dans cette option, à comparer à la combinaison complète : {title.fr}.",
        )
        yield Reason(rule=option.rule.id, strength="INFO", grade="D", text=text, source=option.rule.source)
    elif taken and technique in MODALITIES and standings[technique].admissible and (best := standings[taken].best):
        name = wording.NAMES[taken]
        text = Text(
            en=f"Another means of ablation has a rule that is at least as strong: {name.en}.",
            fr=f"Un autre moyen d'ablation a une règle au moins aussi forte : {name.fr}.",
        )
        yield _reason(best, text)


def _absence_reasons(rules: Ruleset, standing: Standing, option: Option) -> list[Reason]:
    """Why a technique is not in an option: the rules that would bring it do not hold, or cannot be decided."""
    reasons = []
    for rule in standing.refuted:
        if rule.otherwise is not None:
            reasons.append(_reason(rule, wording.with_values(rules, rule, rule.otherwise, option.inputs)))
    for rule in (*standing.open_for, *standing.open_against, *standing.open_exclusion):
        names = base_inputs(rules, unknown_in(rule, option.inputs), option.inputs)
        labels = wording.joined(wording.label_of(rules, name) for name in names)
        lead = Text(en=f"Cannot be decided, not known: {labels.en}.", fr=f"Indécidable, non connu : {labels.fr}.")
        reasons.append(_reason(rule, lead))
    return reasons


def _protection_reasons(rules: Ruleset, option: Option) -> tuple[list[Reason], list[Reason]]:
    rule = next(rule for rule in rules.order if rule.technique == "protection")
    if Technique.PROTECTION in option.techniques:
        return [_reason(rule, wording.with_values(rules, rule, rule.text, option.inputs))], []
    no_ablation = Text(en="No ablation in this option.", fr="Pas d'ablation dans cette option.")
    if not set(MODALITIES) & set(option.techniques):
        return [], [_reason(rule, no_ablation)]
    none_near = Text(
        en="No structure known within the distance that asks for protection.",
        fr="Aucune structure connue à une distance qui demande une protection.",
    )
    return [], [_reason(rule, wording.with_values(rules, rule, none_near, option.inputs))]


def _reason(rule: Rule, text: Text) -> Reason:
    return Reason(
        rule=rule.id,
        strength=rule.strength,
        grade=rule.grade,
        text=text,
        source=rule.source,
        conflicting=rule.conflicting,
    )
