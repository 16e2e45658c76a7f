"""The letter after the consultation: what is proposed, in words a patient and a colleague both understand."""

from trocar.model.treatment import Technique
from trocar.reporting import vocabulary
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Bullets, Fields, Lines, Paragraph, Section
from trocar.reporting.words import structure_name, word

NEAR_mm = 20.0
SOURCES = {  # of what the letter says of each technique's risks
    Technique.EMBOLIZATION: "V22",
    Technique.CRYOABLATION: "V38",
    Technique.RADIOFREQUENCY: "V8",
    Technique.MICROWAVE: "V72a",
    Technique.SCREW: "V9, V11, V67",
    Technique.CEMENT: "V50, V52",
}


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
    nrs = facts.number(clinical.pain.worst_nrs, "", digits=0) or language("unknown")
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Primary tumor"), facts.chosen("primary", clinical.oncology.primary)),
        facts.known(language("Worst pain (0 to 10)"), nrs),
        facts.known(language("Type of pain"), facts.several("pain_character", clinical.pain.character)),
        *facts.blank(language("History and treatments"), language("Drugs against pain, per day")),
    )
    return Section("reason", language("Reason and history"), (Fields(fields, columns=2),))


def _examination(facts: Facts) -> Section:
    language, case = facts.language, facts.gathered.case
    deficit = case.context(facts.lesion).neurological_deficit
    fields = (
        facts.known(language("Neurological deficit"), facts.chosen("neurological_deficit", deficit)),
        facts.known(language("Size on the planning CT"), facts.size()),
        facts.known(language("Planning CT"), facts.date(case.acquired)),
        *facts.blank(language("Where it hurts; strength, sensation, walking")),
    )
    return Section("examination", language("Examination and imaging"), (Fields(fields, columns=2),))


def _proposal(facts: Facts) -> Section:
    language = facts.language
    option = facts.options()[0] if facts.options() else None
    summary = getattr(option.summary, language.code) if option else language("There is no proposal yet.")
    guidance = language("Under CT guidance, through incisions of less than one centimeter.")
    fields = facts.blank(language("Anesthesia (local, regional, general)"), language("Decided by the team on"))
    return Section(
        "proposal",
        language("What is proposed for discussion"),
        (Paragraph(summary), Paragraph(guidance), Fields(fields, columns=2)),
    )


def _benefit(facts: Facts) -> Section:
    language = facts.language
    words_of = {
        Technique.EMBOLIZATION: language("embolization: reduce the blood supply of the lesion, and bleeding"),
        Technique.BIOPSY: language("biopsy: take tissue, to adapt the treatment of the cancer"),
        Technique.PROTECTION: language("protection: keep nerves and organs away from cold or heat"),
        Technique.CRYOABLATION: language("cryoablation: freeze the lesion, to relieve pain and slow its growth here"),
        Technique.RADIOFREQUENCY: language("radiofrequency: heat the lesion, to relieve pain"),
        Technique.MICROWAVE: language("microwave: heat the lesion, to relieve pain"),
        Technique.SCREW: language("screw: hold the bone together"),
        Technique.CEMENT: language("cement: fill and support the bone"),
    }
    option = facts.options()[0] if facts.options() else None
    goals = tuple(text for technique, text in words_of.items() if option and option.indicates(technique))
    others = language(
        "Alternatives to discuss: radiotherapy, surgery, drugs against pain, treatment of the cancer, or waiting."
    )
    sure = language("Pain may fall, and it may not change. Nobody can promise a result.")
    return Section(
        "benefit",
        language("Goals, expected benefit, alternatives"),
        (Bullets(goals), Paragraph(sure), Paragraph(others)),
    )


def _risks(facts: Facts) -> Section:
    language = facts.language
    general = language(
        "For any of these: bleeding, infection, fracture, more pain for some days, seeding of the tract."
    )
    nerves = tuple(
        language("{name} at {distance} from the lesion", name=structure_name(name, language), distance=near)
        for name, mm in facts.near_nerves(4)
        if mm <= NEAR_mm
        for near in [language.number(mm, "mm", digits=0)]
    )
    known = (
        Bullets(nerves, columns=2)
        if nerves
        else Paragraph(language("No nerve is measured within 20 mm; a nerve that is not drawn is not excluded."))
    )
    specific = _specific(facts)
    near = language("Because of what lies near (numbness, weakness):")
    return Section(
        "risks", language("Risks"), (Paragraph(f"{general} [V38]"), Bullets(specific), Paragraph(near), known)
    )


def _specific(facts: Facts) -> tuple[str, ...]:
    language = facts.language
    risks = {
        Technique.EMBOLIZATION: language(
            "embolization: fever and pain, damage to skin or nerves, hematoma of the groin"
        ),
        Technique.CRYOABLATION: language("cryoablation: nerve palsy, frostbite of the skin, fall of blood pressure"),
        Technique.RADIOFREQUENCY: language("radiofrequency: burn of a nerve or of the skin"),
        Technique.MICROWAVE: language("microwave: burn of a nerve or of the skin"),
        Technique.SCREW: language("screw: wrong position, loosening, nerve injury"),
        Technique.CEMENT: language("cement: leak towards a nerve, a joint or a vein, cement embolism"),
    }
    option = facts.options()[0] if facts.options() else None
    return tuple(
        f"{text} [{SOURCES[technique]}]" for technique, text in risks.items() if option and option.indicates(technique)
    )


def _before(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    fields = (
        facts.known(language("Anticoagulants"), facts.several("takes_anticoagulant", clinical.drugs.anticoagulants)),
        facts.known(language("Antiplatelets"), facts.several("takes_antiplatelet", clinical.drugs.antiplatelets)),
        facts.known(language("Allergies"), facts.several("allergies", clinical.patient.allergies)),
        facts.known(language("Blood tests"), facts.date(clinical.laboratory.date)),
        *facts.blank(
            language("Drugs to stop, date; to restart, date"),
            language("Anesthetic consultation"),
            language("Fasting from"),
        ),
        facts.known_or_blank(language("Day of the procedure"), facts.date(clinical.decision.planned_date)),
    )
    positions = facts.gathered.case.clinical.patient.positions_tolerated
    said = None if positions is None else ", ".join(word(vocabulary.POSITIONS, key, language) for key in positions)
    tolerated = facts.known(language("Positions tolerated"), said)
    return Section("before", language("Before the procedure"), (Fields((*fields, tolerated), columns=2),))


def _consent(facts: Facts) -> Section:
    language = facts.language
    fields = facts.blank(
        language("Information given, informed consent signed on"), language("Physician, date, signature")
    )
    return Section("consent", language("Informed consent"), (Fields(fields, columns=2), Lines(1)))
