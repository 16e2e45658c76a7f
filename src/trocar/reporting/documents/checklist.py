"""The checklist around a procedure: sign-in, time-out, sign-out, with what trocar knows beside what people tick."""

from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Boxes, Fields, Section


def sections(facts: Facts) -> tuple[Section, ...]:
    """The three pauses in their order, after what was told before the day."""
    language = facts.language
    signed = Fields(facts.blank(language("Time"), language("Name, signature")))
    return (
        _known(facts),
        Section("sign-in", language("Sign-in, before anesthesia"), (Boxes(facts.lines("sign_in")), signed)),
        Section("time-out", language("Time-out, before the first puncture"), (Boxes(facts.lines("time_out")), signed)),
        Section("sign-out", language("Sign-out, before leaving the room"), (Boxes(facts.lines("sign_out")), signed)),
    )


def _known(facts: Facts) -> Section:
    language, clinical = facts.language, facts.gathered.case.clinical
    tests, drugs = clinical.laboratory, clinical.drugs
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Planning CT"), facts.date(facts.gathered.case.planning_ct_date)),
        facts.known(language("Tumor board"), facts.date(clinical.decision.tumor_board_date)),
        facts.known(language("Blood tests"), facts.date(tests.date)),
        facts.known(language("Platelets"), facts.entered(tests.platelets_giga_per_l, "giga_per_l")),
        facts.known("INR", facts.entered(tests.inr, least=1)),
        facts.known(language("Anticoagulants"), facts.several("takes_anticoagulant", drugs.anticoagulants)),
        facts.known(language("Antiplatelets"), facts.several("takes_antiplatelet", drugs.antiplatelets)),
        facts.known(language("Allergies"), facts.allergies()),
        facts.known(language("Implanted devices"), facts.implants()),
    )
    return Section("known", language("What the file says, to be checked again"), (Fields(fields, columns=3),))
