"""The letter after the consultation: what is proposed, in words a patient and a colleague both understand."""

from trocar.model.case import Role
from trocar.model.treatment import Proposal
from trocar.reporting import vocabulary
from trocar.reporting.documents.facts import NERVES, Facts
from trocar.reporting.documents.sheet import Block, Field, Fields, Lines, Paragraph, Section
from trocar.reporting.words import structure_name, word

NEAR_mm = 20.0
NEAR = (*NERVES, Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.JOINT)


def sections(facts: Facts) -> tuple[Section, ...]:
    """The parts of the letter in the order of a French consultation letter."""
    return (
        _heading(facts),
        _reason(facts),
        _examination(facts),
        _proposal(facts),
        _benefit(facts),
        _risks(facts),
        _before(facts),
        _after(facts),
        _consent(facts),
    )


def _heading(facts: Facts) -> Section:
    language, decided = facts.language, facts.gathered.case.clinical.decision
    fields = (
        *facts.blank(language("To"), language("Copies")),
        facts.known_or_blank(language("Consultation date"), facts.date(decided.consultation_date)),
        facts.known_or_blank(language("Tumor board"), facts.date(decided.tumor_board_date)),
    )
    return Section("heading", language("Addressees"), (Fields(fields, columns=2),))


def _reason(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Primary tumor"), facts.chosen("primary", clinical.oncology.primary)),
        facts.known(language("Worst pain (0 to 10)"), facts.entered(clinical.pain.worst_nrs)),
        facts.known(language("Type of pain"), facts.several("pain_character", clinical.pain.character)),
        facts.known_or_blank(language("Systemic treatments"), facts.systemic_treatments()),
        facts.known_or_blank(language("Morphine equivalent per day"), facts.morphine()),
        *facts.blank(language("History and treatments"), language("Drugs against pain, per day")),
    )
    return Section("reason", language("Reason and history"), (Fields(fields, columns=2),))


def _examination(facts: Facts) -> Section:
    language, case = facts.language, facts.gathered.case
    deficit = case.context(facts.lesion).neurological_deficit
    fields = (
        facts.known(language("Neurological deficit"), facts.chosen("neurological_deficit", deficit)),
        facts.known(language("Size on the planning CT"), facts.size()),
        facts.known(language("Planning CT"), facts.date(case.planning_ct_date)),
        *facts.blank(language("Where it hurts; strength, sensation, walking")),
    )
    return Section("examination", language("Examination and imaging"), (Fields(fields, columns=2),))


def _proposal(facts: Facts) -> Section:
    language = facts.language
    first = facts.options()[:1]
    fields = facts.blank(language("Anesthesia (local, regional, general)"), language("Decided by the team on"))
    blocks: list[Block] = []
    if facts.techniques():
        blocks += [*facts.sentences("proposal"), *(facts.sentences("partial") if _partial(first) else ())]
    else:
        said = getattr(first[0].summary, language.code) if first else language("There is no proposal yet.")
        blocks += [Paragraph(said, "design")]
    return Section("proposal", language("What is proposed for discussion"), (*blocks, Fields(fields, columns=2)))


def _partial(options: tuple[Proposal, ...]) -> bool:
    return any(option.intent == "protected" for option in options)


def _benefit(facts: Facts) -> Section:
    language = facts.language
    goals = facts.cited("goal")
    blocks = ((goals,) if goals.items else ()) + facts.sentences("benefit") + facts.sentences("alternative")
    return Section("benefit", language("What each treatment is for, benefit, alternatives"), blocks)


def _risks(facts: Facts) -> Section:
    language = facts.language
    near = {name: mm for name, mm in facts.near(NEAR) if mm <= NEAR_mm}
    fields = tuple(Field(structure_name(name, language), facts.distance(mm)) for name, mm in near.items())
    blocks: list[Block] = [facts.cited("risk")]
    if fields:
        blocks += [*facts.sentences("near"), Fields(fields, columns=3)]
    if not any(name in near for name, _ in facts.near(NERVES)):
        blocks += facts.sentences("no_nerve")
    return Section("risks", language("Risks"), tuple(blocks))


def _before(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    fields = (
        facts.known(language("Anticoagulants"), facts.several("takes_anticoagulant", clinical.drugs.anticoagulants)),
        facts.known(language("Antiplatelets"), facts.several("takes_antiplatelet", clinical.drugs.antiplatelets)),
        facts.known(language("Allergies"), facts.allergies()),
        facts.known(language("Implanted devices"), facts.implants()),
        facts.known(language("Blood tests"), facts.date(clinical.laboratory.date)),
        *facts.blank(
            language("Drugs to stop, date; to restart, date"),
            language("Anesthetic consultation"),
            language("Fasting from"),
        ),
        facts.known_or_blank(language("Day of the procedure"), facts.date(clinical.decision.planned_date)),
    )
    stay = facts.blank(language("Expected stay"))
    positions = facts.gathered.case.clinical.patient.positions_tolerated
    said = None if positions is None else ", ".join(word(vocabulary.POSITIONS, key, language) for key in positions)
    tolerated = facts.known(language("Positions tolerated"), said)
    return Section("before", language("Before the procedure"), (Fields((*fields, tolerated, *stay), columns=2),))


def _after(facts: Facts) -> Section:
    return Section("after", facts.language("After the procedure"), facts.sentences("after"))


def _consent(facts: Facts) -> Section:
    language = facts.language
    fields = facts.blank(
        language("Information given, informed consent signed on"), language("Physician, date, signature")
    )
    return Section("consent", language("Informed consent"), (Fields(fields, columns=2), Lines(1)))
