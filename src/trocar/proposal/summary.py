"""The sentences that open a proposal. They offer for discussion, and claim neither safety nor a margin."""

from trocar.catalog.rule import HOLD, Ruleset
from trocar.model.case import Side
from trocar.model.treatment import ProposalVerdict, Technique, Text
from trocar.proposal import wording
from trocar.proposal.options import Option

_FRENCH_SIDES = {Side.LEFT: "côté gauche", Side.RIGHT: "côté droit", Side.MIDLINE: "médian"}
_VARIANTS = {
    "screw_then_cement": Text(
        en="Each screw is placed first, then cement at both its ends.",
        fr="Chaque vis est posée d'abord, puis du ciment à ses deux extrémités.",
    ),
    "screw_mounted_on_cement": Text(
        en="Each screw is mounted on fresh cement, within its working time.",
        fr="Chaque vis est montée sur le ciment frais, dans son temps de travail.",
    ),
}
_INTENTS = {
    "protected": Text(
        en="A nerve touches the tumor: coverage is knowingly partial, and what is left is declared.",
        fr="Un nerf est au contact de la tumeur : la couverture est volontairement partielle et le reste est déclaré.",
    ),
    "curative": Text(
        en="The intent is curative; whether a margin is reached is for the plan and the control images to show.",
        fr="La visée est curative ; l'obtention d'une marge reste à montrer par le plan et les images de contrôle.",
    ),
    "palliative": Text(en="The intent is palliative.", fr="La visée est palliative."),
}
_ENDINGS = {
    ProposalVerdict.DISCUSS: Text(
        en="To be discussed by the multidisciplinary team.", fr="À discuter par l'équipe pluridisciplinaire."
    ),
    ProposalVerdict.REFER: Text(
        en="Another specialty's opinion comes first.", fr="L'avis d'une autre spécialité vient d'abord."
    ),
    ProposalVerdict.MISSING: Text(
        en="Not ready for discussion: information is missing.",
        fr="Pas prêt pour la discussion : des informations manquent.",
    ),
}


def summary(rules: Ruleset, option: Option, *, variant: str, intent: str, side: Side | None) -> Text:
    """What an option holds, for which lesion, and how far it may go."""
    if option.rule.comparator:
        return option.rule.title
    if option.verdict is ProposalVerdict.STOP:
        return _stop(rules, option, side)
    if option.verdict is ProposalVerdict.NONE:
        return _none(rules, option)
    parts = [_held(rules, option, side)]
    parts += [_VARIANTS[variant]] if variant else []
    parts += [_INTENTS[intent]] if intent and option.techniques else []
    return wording.sentence(*parts, _ENDINGS[option.verdict], *_held_back(option))


def _held_back(option: Option) -> list[Text]:
    """That what may be discussed may not be approved yet, and by which rules."""
    ids = ", ".join(dict.fromkeys(item.gate.id for item in option.judgments if item.outcome == HOLD))
    return [Text(en=f"Not to be approved yet: {ids}.", fr=f"Pas encore de validation possible : {ids}.")] if ids else []


def _held(rules: Ruleset, option: Option, side: Side | None) -> Text:
    lead, place, title = _leads(option), _place(rules, option, side), option.rule.title
    names = wording.joined(wording.NAMES[technique] for technique in _in_order(option))
    if not option.techniques:
        names = Text(en="no technique can be decided on yet", fr="aucune technique ne peut encore être retenue")
    return Text(
        en=f"{lead.en} ({place.en}; {title.en}): {names.en}.", fr=f"{lead.fr} ({place.fr} ; {title.fr}) : {names.fr}."
    )


def _leads(option: Option) -> Text:
    if option.verdict is ProposalVerdict.DISCUSS:
        return Text(en="Option to discuss", fr="Option à discuter")
    return Text(en="Draft of an option", fr="Brouillon d'option")


def _in_order(option: Option) -> tuple[Technique, ...]:
    """Techniques in the order of a session."""
    return tuple(technique for technique in Technique if technique in option.techniques)


def _place(rules: Ruleset, option: Option, side: Side | None) -> Text:
    site = option.inputs["site"]
    name = wording.word(rules, "site", site) if isinstance(site, str) else Text(en="site not known", fr="site inconnu")
    if side is None:
        return Text(en=f"{name.en}, side not known", fr=f"{name.fr}, côté inconnu")
    english = side.value if side is Side.MIDLINE else f"{side.value} side"
    return Text(en=f"{name.en}, {english}", fr=f"{name.fr}, {_FRENCH_SIDES[side]}")


def _stop(rules: Ruleset, option: Option, side: Side | None) -> Text:
    stops = [judgment.gate for judgment in option.judgments if judgment.outcome == "stop"]
    place = _place(rules, option, side)
    ids = ", ".join(dict.fromkeys(gate.id for gate in stops))
    lead = Text(
        en=f"Stop ({ids}): nothing can be approved ({place.en}).",
        fr=f"Arrêt ({ids}) : rien ne peut être validé ({place.fr}).",
    )
    return wording.sentence(lead, *(gate.text for gate in stops))


def _none(rules: Ruleset, option: Option) -> Text:
    lead = Text(
        en="No interventional option to discuss now.", fr="Pas d'option interventionnelle à discuter maintenant."
    )
    fired = [judgment.gate for judgment in option.judgments if judgment.outcome in ("stop", "refer")]
    compared = Text(
        en="Radiotherapy and systemic treatment are the options to compare.",
        fr="La radiothérapie et le traitement systémique sont les options à comparer.",
    )
    return wording.sentence(lead, *(gate.text for gate in fired), compared)
