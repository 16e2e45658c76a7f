"""The sheet for the tumor board: the question, what is known, the ranked options with their reasons; no decision."""

from collections.abc import Iterator

from trocar.model.finding import Score
from trocar.model.treatment import Proposal, Reason, TechniqueOption, TechniqueStatus
from trocar.reporting import vocabulary
from trocar.reporting.documents import terms
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Block, Boxes, Bullets, Field, Fields, Paragraph, Section, Table
from trocar.reporting.scores import score_items, score_name, score_total
from trocar.reporting.words import structure_name, word

CHOSEN = (TechniqueStatus.INDICATED, TechniqueStatus.OPTIONAL)
COUNTERFACTUALS = 2
FOR_MOST = 4  # reasons for in full; a page holds so many. Reasons against are never left out


def sections(facts: Facts) -> tuple[Section, ...]:
    """The parts of the sheet, in the order in which a meeting reads them."""
    return (
        _meeting(facts),
        _patient(facts),
        _lesion(facts),
        _options(facts),
        _reasons(facts),
        _unknowns(facts),
        _decision(facts),
    )


def _meeting(facts: Facts) -> Section:
    language, decided = facts.language, facts.gathered.case.clinical.decision
    fields = (
        facts.known_or_blank(language("Meeting date"), facts.date(decided.tumor_board_date)),
        *facts.blank(language("Meeting, requester, presenter")),
        *facts.blank(language("Question asked"), language("Quorum met (surgeon, oncologist, radiation oncologist)")),
    )
    present = facts.several("tumor_board_participants", decided.tumor_board_participants)
    who = Fields((facts.known_or_blank(language("Specialties present"), present),), columns=1)
    return Section("meeting", language("Meeting and question"), (Fields(fields, columns=2), who))


def _patient(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    who, cancer, pain, tests = clinical.patient, clinical.oncology, clinical.pain, clinical.laboratory
    sex = word(terms.SEXES, who.sex, language) if who.sex else None
    fields = (
        facts.known(language("Age"), facts.entered(who.age_years, "years")),
        facts.known(language("Sex"), language(terms.SEXES[who.sex]) if who.sex in terms.SEXES else sex),
        facts.known("ECOG", facts.entered(who.ecog)),
        facts.known("ASA", facts.entered(who.asa)),
        facts.known(language("Primary tumor"), facts.chosen("primary", cancer.primary)),
        facts.known(language("Intent"), facts.several("intent", cancer.intent)),
        facts.known(language("Metastases (painful)"), _metastases(facts)),
        facts.known(language("Life expectancy"), facts.entered(cancer.expected_survival_months, "months")),
        facts.known(language("Radiotherapy at this site"), facts.radiotherapy()),
        facts.known(language("Worst pain (0 to 10)"), facts.entered(pain.worst_nrs)),
        facts.known(language("Type of pain"), facts.several("pain_character", pain.character)),
        facts.known(language("Pain matches the lesion"), facts.yes_no(pain.concordant_with_lesion)),
        facts.known(language("Platelets"), facts.entered(tests.platelets_giga_per_l, "giga_per_l")),
        facts.known("INR", facts.entered(tests.inr, least=1)),
        facts.known(language("Anticoagulants"), facts.several("takes_anticoagulant", clinical.drugs.anticoagulants)),
        facts.known(language("Antiplatelets"), facts.several("takes_antiplatelet", clinical.drugs.antiplatelets)),
        facts.known(language("Allergies"), facts.allergies()),
        facts.known(language("Implanted devices"), facts.implants()),
        facts.known_or_blank(language("Histology"), cancer.histology),
        facts.known_or_blank(language("Morphine equivalent per day"), facts.morphine()),
    )
    told = (
        facts.known_or_blank(language("Systemic treatments"), facts.systemic_treatments()),
        facts.known_or_blank(language("Bone agents"), facts.several("bone_agents", cancer.bone_agents)),
        *facts.blank(language("Stage, earlier treatments")),
    )
    blocks = (Fields(fields, columns=4), Fields(told, columns=3))
    return Section("patient", language("Patient, cancer, pain"), blocks)


def _metastases(facts: Facts) -> str | None:
    cancer = facts.gathered.case.clinical.oncology
    if cancer.metastases_total is None:
        return None
    painful = "?" if cancer.metastases_painful is None else str(cancer.metastases_painful)
    return f"{cancer.metastases_total}\u00a0({painful})"


def _lesion(facts: Facts) -> Section:
    language, case, assessed = facts.language, facts.gathered.case, facts.gathered.assessment
    context = case.context(facts.lesion)
    measured = assessed.lesion(facts.lesion) if assessed else None
    soft = measured and measured.compartments
    soft_frac = soft.soft_tissue_ml / (soft.soft_tissue_ml + soft.bone_ml) if soft else None
    nerves = facts.language.listed(
        f"{structure_name(name, language)}{language.colon} {facts.distance(mm)}" for name, mm in facts.near_nerves(2)
    )
    fields: list[Field] = [
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Size"), facts.size()),
        facts.known(language("Matrix"), facts.chosen("matrix", context.matrix)),
        facts.known(language("Soft-tissue component"), facts.number(soft_frac, "frac")),
        facts.known(
            language("Cortical breach"), facts.number(measured.cortical_breach_mm2 if measured else None, "mm2")
        ),
        facts.known(language("Vascularity (0 to 3)"), facts.entered(context.vascularity_grade)),
        facts.known(language("Fracture"), facts.chosen("fracture", context.fracture)),
        facts.known(
            language("Neurological deficit"), facts.chosen("neurological_deficit", context.neurological_deficit)
        ),
        facts.known(language("Nearest nerves"), nerves or None),
        facts.known(
            language("Distance to the skin's surface"),
            facts.number(measured.skin_distance_mm if measured else None, "mm"),
        ),
        facts.known(language("Planning CT"), facts.date(case.planning_ct_date)),
    ]
    found = [score for score in (assessed.scores if assessed else ()) if score.lesion == facts.lesion]
    scores = (Fields(tuple(_score(facts, score) for score in found), columns=1),) if found else ()
    return Section("lesion", language("Lesion"), (Fields(tuple(fields), columns=3), *scores))


def _score(facts: Facts, score: Score) -> Field:
    """The total or the class, with the items that were measured, entered, or are missing."""
    language = facts.language
    total = score_total(score, language)
    said = f"{total or language('unknown')} ({score_items(score, language)})"
    return Field(score_name(score, language), said, "known" if total else "unknown")


def _options(facts: Facts) -> Section:
    language = facts.language
    rows = tuple(
        (
            f"{option.rank}. {_said(facts, option)}",
            word(vocabulary.PROPOSAL_VERDICTS, option.verdict.value, language),
            _rules(option, pro=True),
            _rules(option, pro=False),
            "",
        )
        for option in facts.options()
        if option.techniques
    )
    compared = tuple(
        Paragraph(f"{option.rank}. {_said(facts, option)}") for option in facts.options() if not option.techniques
    )
    head = (
        language("Option"), language("Status"), language("Rules for"), language("Rules against"),
        language("Team's notes"),
    )  # fmt: skip
    table = (Table(head, rows, widths=(3.4, 1.5, 2.9, 2.4, 1.4)),) if rows else ()
    blocks: tuple[Block, ...] = (*table, *compared) or (Paragraph(_none(facts)),)
    return Section("options", language("Options to discuss, ranked by the rules"), blocks)


def _none(facts: Facts) -> str:
    if facts.options():
        return facts.language("No option holds a technique.")
    return facts.language("There is no proposal yet.")


def _said(facts: Facts, option: Proposal) -> str:
    """The techniques and the variant of an option; a comparator's own sentence."""
    used = [facts.technique(item.technique) for item in option.techniques if item.status in CHOSEN]
    if not used:
        text: str = getattr(option.summary, facts.language.code)
        return text
    parts = [" + ".join(used)]
    parts += [word(vocabulary.VARIANTS, option.variant, facts.language)] if option.variant else []
    return facts.language.listed(parts)


def _rules(option: Proposal, *, pro: bool) -> str:
    """The ids of an option's rules with their grades; those of the order of steps (E) are the run sheet's matter."""
    reasons = [reason for _, reason in _reasons_of(option, pro=pro) if not reason.rule.startswith("E")]
    return ", ".join(dict.fromkeys(f"{reason.rule}\u00a0({reason.grade})" for reason in reasons)) or "–"


def _reasons_of(option: Proposal, *, pro: bool) -> Iterator[tuple[TechniqueOption, Reason]]:
    """The reasons of the techniques that an option holds."""
    for item in option.techniques:
        if item.status in CHOSEN:
            yield from ((item, reason) for reason in (item.reasons_for if pro else item.reasons_against))


def _reasons(facts: Facts) -> Section:
    """Every reason against any option, then those for the first."""
    language, options = facts.language, facts.options()
    title = language("Reasons: − against any option, all of them; + for the first; (A to D) grade")
    against, pro = [*_warned(facts), *_against(facts)], _pro(facts)
    if not against and not pro:
        return Section("reasons", title, (Paragraph(_none(facts)),))
    blocks: list[Block] = [Bullets((*against, *pro[:FOR_MOST]))]
    if len(pro) > FOR_MOST:
        blocks += [Paragraph(language("{count} more reasons for it are in the report.", count=len(pro) - FOR_MOST))]
    others = [text for option in options[:1] for text in _unused(facts, option)]
    blocks += [Paragraph(facts.language.listed(others) + ".")] if others else []
    return Section("reasons", title, tuple(blocks))


def _warned(facts: Facts) -> list[str]:
    """The gates that warn; those that do more are alarms above."""
    gates = {
        (gate.rule, gate.message.en): gate
        for option in facts.options()
        for gate in option.gates
        if gate.outcome == "warn"
    }
    return [f"− {facts.outcome(gate)} {gate.rule}{facts.language.colon} {facts.text(gate)}" for gate in gates.values()]


def _against(facts: Facts) -> list[str]:
    """Each reason against, with the options that it concerns where it does not concern all that are listed."""
    language = facts.language
    concerned: dict[tuple[str, str, str], list[int]] = {}
    for option in facts.options():
        for _, reason in _reasons_of(option, pro=False):
            key = (reason.rule, reason.grade, getattr(reason.text, language.code))
            ranks = concerned.setdefault(key, [])
            ranks += [option.rank] if option.rank not in ranks else []
    found = []
    for (rule, grade, text), ranks in concerned.items():
        listed = ", ".join(map(str, ranks))
        whose = language("option {rank}", rank=listed) if len(ranks) == 1 else language("options {ranks}", ranks=listed)
        found.append(f"− {rule} ({grade}), {whose}{facts.language.colon} {text}")
    return found


def _pro(facts: Facts) -> list[str]:
    """The reasons for the first option, those of the order of steps last."""
    found = [reason for option in facts.options()[:1] for _, reason in _reasons_of(option, pro=True)]
    found.sort(key=lambda reason: reason.rule.startswith("E"))
    code = facts.language.code
    said = (f"+ {reason.rule} ({reason.grade}){facts.language.colon} {getattr(reason.text, code)}" for reason in found)
    return list(dict.fromkeys(said))


def _unused(facts: Facts, option: Proposal) -> Iterator[str]:
    """The techniques that an option leaves out, with the rules against them."""
    for item in option.techniques:
        if item.status not in CHOSEN:
            status = word(vocabulary.STATUSES, item.status.value, facts.language)
            rules = ", ".join(dict.fromkeys(reason.rule for reason in item.reasons_against))
            yield f"{facts.technique(item.technique)}{facts.language.colon} {status}" + (f" ({rules})" if rules else "")


def _unknowns(facts: Facts) -> Section:
    language = facts.language
    items = [f"{facts.field_name(item.field)}{facts.language.colon} {language('unknown')}" for item in facts.missing()]
    for option in facts.options()[:1]:
        items += [
            f"{getattr(item.change, language.code)} → {getattr(item.effect, language.code)}"
            for item in option.counterfactuals[:COUNTERFACTUALS]
        ]
    blocks = (Bullets(tuple(items), columns=2),) if items else (Paragraph(language("nothing listed")),)
    return Section("unknowns", language("What is not known, and what would change the answer"), blocks)


def _decision(facts: Facts) -> Section:
    language = facts.language
    boxes = (
        *(language("option {rank}", rank=option.rank) for option in facts.options()),
        language("another treatment"),
        language("no treatment now"),
        language("clinical trial"),
        language("patient informed and agrees"),
    )
    fields = facts.blank(
        language("Treatment, intent, order, delay"),
        language("Reference used, or reason to depart from it"),
        language("Biopsy: requested by, for"),
        language("Next steps, responsible, date"),
    )
    return Section(
        "decision",
        language("Decision of the meeting, to be written by the team"),
        (Boxes(boxes, columns=4), Fields(fields, columns=2)),
    )
