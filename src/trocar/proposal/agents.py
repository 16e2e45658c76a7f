"""Which embolic agents a lesion allows: safety first, then the aim, then the operator's habits."""

from collections.abc import Sequence

from trocar.catalog import devices
from trocar.catalog.conditions import Inputs, holds
from trocar.catalog.rule import AgentRule, Ruleset
from trocar.model.device import Embolic
from trocar.model.treatment import AgentChoice, Reason, Text
from trocar.proposal import wording

_RANK = {"allowed": 0, "to_confirm": 1, "refused": 2}


def agent_choices(rules: Ruleset, inputs: Inputs, habits: Sequence[str] = ()) -> tuple[AgentChoice, ...]:
    """Every embolic of the catalog with its status, the allowed first, those that suit the aim before the others.

    What cannot be known before arteriography leaves an agent to confirm there; `habits` (device ids) only order those
    of one status.
    """
    found = [_choice(rules, inputs, item) for item in devices().values() if isinstance(item, Embolic)]
    order = {name: place for place, name in enumerate(habits)}
    return tuple(
        sorted(
            found,
            key=lambda choice: (
                _RANK[choice.status],
                not choice.preferred,
                order.get(choice.device, len(order)),
                choice.device,
            ),
        )
    )


def _choice(rules: Ruleset, inputs: Inputs, agent: Embolic) -> AgentChoice:
    status, preferred, reasons = "allowed", False, []
    for rule in rules.agents:
        truth = holds(rule.when, inputs)
        if truth is False or not _concerns(rule, agent):
            continue
        if rule.stance == "prefers":
            preferred = preferred or truth is True
        elif rule.stance == "refuses":
            status = max(status, "refused" if truth else "to_confirm", key=_RANK.__getitem__)
        reasons.append(_reason(rules, rule, inputs, truth))
    return AgentChoice(device=agent.id, status=status, preferred=preferred, reasons=tuple(reasons))


def _concerns(rule: AgentRule, agent: Embolic) -> bool:
    """Whether a rule speaks of an agent; a size that is not known counts as too small, so long as it is a particle."""
    if (rule.forms and agent.form not in rule.forms) or agent.form in rule.spares:
        return False
    if rule.radiopaque:
        return agent.radiopaque is True
    if rule.smaller_than_um is None:
        return True
    return agent.smallest_um is None or agent.smallest_um < rule.smaller_than_um


def _reason(rules: Ruleset, rule: AgentRule, inputs: Inputs, truth: bool | None) -> Reason:
    text = rule.text
    if truth is None:
        lead = Text(en="Not known: look for it at arteriography.", fr="Non connu : à rechercher à l'artériographie.")
        text = wording.sentence(lead, text)
    return Reason(rule=rule.id, strength=rule.strength, grade=rule.grade, text=text, source=rule.source)
