"""`propose`: the combinations of techniques to discuss for each lesion, ranked, with their reasons."""

from trocar.catalog.conditions import Value, holds
from trocar.catalog.rule import Ruleset
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sites import sites
from trocar.model.case import Case, Side
from trocar.model.finding import Assessment
from trocar.model.treatment import Counterfactual, Proposal, Technique
from trocar.proposal.agents import agent_choices
from trocar.proposal.counterfactual import counterfactuals
from trocar.proposal.gates import missing_records, outcome_record
from trocar.proposal.inputs import inputs_of
from trocar.proposal.options import Option, options, technique_options
from trocar.proposal.sequence import Sequence, sequence
from trocar.proposal.summary import summary


def propose(case: Case, assessment: Assessment) -> tuple[Proposal, ...]:
    """The options for every lesion, ranked within each; suggestions to discuss, never treatments to give.

    Raises `CatalogError` when the rules are malformed.
    """
    rules = ruleset()
    return tuple(
        proposal
        for measure in assessment.lesions
        for proposal in proposals_for(rules, measure.name, inputs_of(case, assessment, measure.name), measure.side)
    )


def proposals_for(
    rules: Ruleset, lesion: str, inputs: dict[str, Value], side: Side | None = None
) -> tuple[Proposal, ...]:
    """The ranked options for one lesion from its named inputs."""
    ranked = options(rules, inputs)
    changes = counterfactuals(rules, inputs, ranked)
    return tuple(
        _proposal(rules, lesion, option, rank, side, found)
        for rank, (option, found) in enumerate(zip(ranked, changes, strict=True), start=1)
    )


def _proposal(
    rules: Ruleset,
    lesion: str,
    option: Option,
    rank: int,
    side: Side | None,
    changes: tuple[Counterfactual, ...],
) -> Proposal:
    shown = option.drafted and not option.rule.comparator
    variant, intent = (_variant(option), _intent(rules, option)) if shown else ("", "")
    ordered = _sequence(rules, option, variant) if shown else Sequence(())
    open_rules = [judgment.gate for judgment in option.judgments if judgment.blocks and judgment.outcome != "stop"]
    return Proposal(
        rank=rank,
        lesion=lesion,
        verdict=option.verdict,
        variant=variant,
        intent=intent,
        summary=summary(rules, option, variant=variant, intent=intent, side=side),
        techniques=technique_options(rules, option) if shown else (),
        agents=agent_choices(rules, option.inputs) if Technique.EMBOLIZATION in option.techniques and shown else (),
        sequence=ordered.steps,
        yielded=ordered.broken,
        gates=tuple(outcome_record(rules, judgment, option.inputs) for judgment in option.judgments),
        missing=()
        if option.rule.comparator
        else missing_records(rules, [*open_rules, *option.selection.undecided], option.inputs),
        counterfactuals=changes,
        ruleset=rules.version,
    )


def _variant(option: Option) -> str:
    """How screws and cement are combined: by the site, as in the article's two cases."""
    site = option.inputs["site"]
    if not {Technique.SCREW, Technique.CEMENT} <= set(option.techniques) or not isinstance(site, str):
        return ""
    return sites()[site].variant


def _intent(rules: Ruleset, option: Option) -> str:
    """Protected when a nerve forbids full coverage; curative only when the rules and the geometry allow it."""
    intents = option.selection.intents | {
        rule.intent for rule in rules.modifiers if rule.intent and holds(rule.when, option.inputs)
    }
    if not option.techniques:
        return ""
    return next((intent for intent in ("protected", "curative") if intent in intents), "palliative")


def _sequence(rules: Ruleset, option: Option, variant: str) -> Sequence:
    if not option.techniques:
        return Sequence(())
    site = option.inputs["site"]
    screws = max(1, sites()[site].screws) if isinstance(site, str) else 1
    return sequence(rules, option.inputs, option.techniques, variant=variant, screws=screws)
