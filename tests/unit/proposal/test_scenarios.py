"""The acceptance scenarios A1 to A8: what is offered, in what order, what is refused, and what must not be said."""

import datetime
from dataclasses import replace

import proposal_cases as cases
import pytest
from proposal_cases import fired, held, steps

from trocar.cli.summary import missing_values
from trocar.errors import PlanningError
from trocar.model.case import Clinical, Role
from trocar.model.treatment import Plan, ProposalVerdict, Technique, TechniqueStatus
from trocar.proposal.propose import propose
from trocar.proposal.schedule import schedule
from trocar.workflow import plan


def option_for(proposal, technique):
    return next(option for option in proposal.techniques if option.technique is technique)


def in_order(sequence, *names):
    """Whether these step types appear in this order, each after the one before."""
    places = [sequence.index(name) for name in names]
    return places == sorted(places)


# shows: R38, R52, R78, R86
def test_A1_offers_biopsy_then_cryoablation_then_screw_then_cement():
    first = cases.a1().proposals()[0]
    assert first.verdict is ProposalVerdict.DISCUSS
    assert held(first) == {Technique.BIOPSY, Technique.CRYOABLATION, Technique.SCREW, Technique.CEMENT}
    assert first.variant == "screw_then_cement"
    assert in_order(
        steps(first),
        "PLAN_CT", "BIOPSY", "APPLICATOR_PLACE", "CONTROL", "ABLATE", "THAW", "APPLICATOR_REMOVE", "K_WIRE", "SCREW",
        "CEMENT_MIX", "CEMENT_INJECT", "CEMENT_SET", "FINAL_CT",
    )  # fmt: skip
    ids = [step.id for step in first.sequence]
    assert {"biopsy-1", "cryoablation-1", "screw-1", "cement-1"} <= set(ids)
    assert {"E4", "E9", "E10", "E11", "E13"} <= {edge for step in first.sequence for edge in step.edges}


def test_A1_says_why_not_embolization_and_gives_its_risk_factors_as_information():
    first = cases.a1().proposals()[0]
    embolization = option_for(first, Technique.EMBOLIZATION)
    assert embolization.status is TechniqueStatus.NOT_INDICATED
    (reason,) = embolization.reasons_against
    assert reason.rule == "T8" and "lung" in reason.text.en and "poumon" in reason.text.fr
    risks = [r for r in option_for(first, Technique.CRYOABLATION).reasons_against if r.rule == "T20"]
    assert len(risks) == 2 and {r.strength for r in risks} == {"INFO"}
    assert any("7.1" in r.text.en for r in risks) and any("2.5" in r.text.en for r in risks)
    assert fired(first, "stop", "refer", "missing", "require") == set()


def test_A1_would_hold_embolization_with_another_primary_and_radiofrequency_without_soft_tissue():
    changes = {item.change.en: item.effect.en for item in cases.a1().proposals()[0].counterfactuals}
    assert "embolization" in changes["With primary tumor: kidney"]
    assert "radiofrequency" in changes["With soft-tissue part of the lesion below 0.25"]


# shows: R4
def test_A1_lists_other_ways_and_a_comparator():
    proposals = cases.a1().proposals()
    assert [proposal.rank for proposal in proposals] == list(range(1, len(proposals) + 1))
    ablation_only = next(p for p in proposals if held(p) == {Technique.BIOPSY, Technique.CRYOABLATION})
    warnings = option_for(ablation_only, Technique.CRYOABLATION).reasons_against
    assert "T24" in {reason.rule for reason in warnings if reason.strength == "WARN"}
    comparator = proposals[-1]
    assert comparator.verdict is ProposalVerdict.REFER and not comparator.techniques
    assert "radiotherapy" in comparator.summary.en and "radiothérapie" in comparator.summary.fr


# shows: R96, R97, R99
def test_A2_embolizes_first_protects_the_root_and_mounts_two_screws_on_cement():
    first = cases.a2().proposals()[0]
    assert first.verdict is ProposalVerdict.DISCUSS
    assert (first.variant, first.intent) == ("screw_mounted_on_cement", "protected")
    assert held(first) == set(Technique) - {Technique.RADIOFREQUENCY, Technique.MICROWAVE}
    assert in_order(
        steps(first),
        "ANGIO", "EMBOLISE", "ACCESS_CLOSE", "POSITION", "PLAN_CT", "BIOPSY", "PROTECT", "APPLICATOR_PLACE", "ABLATE",
        "THAW", "TROCAR_PLACE", "CEMENT_MIX", "CEMENT_INJECT", "K_WIRE", "SCREW", "CEMENT_SET", "FINAL_CT",
    )  # fmt: skip
    ids = [step.id for step in first.sequence]
    assert in_order(
        ids,
        "trocar-2",
        "cement-mix-1",
        "cement-1",
        "wire-1",
        "screw-1",
        "cement-mix-2",
        "cement-2",
        "wire-2",
        "screw-2",
    )
    assert {"G12"} <= fired(first, "info")


# shows: R23, R38
def test_A2_ablates_before_the_cement_even_when_the_pain_is_mechanical_only():
    first = cases.a2().having("pain", character=("mechanical",)).proposals()[0]
    reasons = option_for(first, Technique.CRYOABLATION).reasons_for
    assert {"T4", "T5", "E8"} <= {reason.rule for reason in reasons}
    assert held(first) == held(cases.a2().proposals()[0])


# shows: R38
def test_ablation_before_the_cement_is_a_reason_only_in_an_option_that_holds_cement():
    near = cases.neighbor("femoral_nerve_left", Role.NERVE, 9.0)  # T4 for leaks too
    scenario = cases.a1().measured(neighbors=(*cases.a1().measure.neighbors, near))
    allergic = scenario.having("patient", allergies=("pmma",))
    for proposal in (*scenario.proposals(), *allergic.proposals()):
        if proposal.indicates(Technique.CRYOABLATION):
            rules = [reason.rule for reason in option_for(proposal, Technique.CRYOABLATION).reasons_for]
            assert rules.count("T4") == (2 if proposal.indicates(Technique.CEMENT) else 0)
    assert any(p.indicates(Technique.CEMENT) for p in scenario.proposals())
    assert any(p.indicates(Technique.CRYOABLATION) for p in allergic.proposals())


def test_an_ablation_that_only_prepares_for_cement_is_no_option_without_it():
    scenario = cases.a2().having("pain", character=("mechanical",))
    assert [held(p) & {Technique.CRYOABLATION, Technique.CEMENT} for p in scenario.proposals() if p.techniques] == [
        {Technique.CRYOABLATION, Technique.CEMENT},
        {Technique.CEMENT},
    ]
    allergic = scenario.having("patient", allergies=("pmma",)).proposals()
    assert not any(p.indicates(Technique.CRYOABLATION) for p in allergic)


def test_what_decides_on_cement_is_asked_for_where_an_ablation_waits_for_it():
    first = cases.a2().having("pain", character=("mechanical",)).having("patient", allergies=None).proposals()[0]
    needed = {item.field: set(item.rules) for item in first.missing}
    assert "patient.allergies" in needed and not any("cement_planned" in field for field in needed)
    unknown = cases.a2().having("pain", character=None).proposals()[0]
    assert {item.field: set(item.rules) for item in unknown.missing}["pain.character"] >= {"T2", "T4"}


# shows: R54
def test_a_nerve_is_monitored_within_20_mm_and_protected_within_15():
    for distance_mm, monitored, protected in ((20.1, False, False), (20.0, True, False), (15.0, True, True)):
        nerve = cases.neighbor("femoral_nerve_left", Role.NERVE, distance_mm)
        first = cases.a1().measured(neighbors=(*cases.a1().measure.neighbors[2:], nerve)).proposals()[0]
        rules = {reason.rule for reason in option_for(first, Technique.CRYOABLATION).reasons_for}
        assert ("E8" in rules) == monitored
        assert first.indicates(Technique.PROTECTION) == protected


# shows: R30, R68
def test_A2_declares_partial_coverage_and_conflicting_evidence():
    first = cases.a2().proposals()[0]
    assert "knowingly partial" in first.summary.en and "volontairement partielle" in first.summary.fr
    assert "T26" in {reason.rule for reason in option_for(first, Technique.CRYOABLATION).reasons_against}
    embolization = option_for(first, Technique.EMBOLIZATION)
    said = " ".join(reason.text.en for reason in (*embolization.reasons_for, *embolization.reasons_against))
    assert "conflict" in said and "extrapolated" in said
    assert {"T8", "E1", "E2", "E5"} <= {reason.rule for reason in embolization.reasons_for}


# shows: R32, R41, R73, R74
def test_A3_asks_for_a_surgical_opinion_then_offers_bipolar_radiofrequency_and_cement():
    before = cases.a3(opinion=None).proposals()[0]
    assert before.verdict is ProposalVerdict.MISSING
    assert fired(before, "require") == {"G5"}
    after = cases.a3(opinion="percutaneous_agreed").proposals()[0]
    assert after.verdict is ProposalVerdict.DISCUSS
    assert {Technique.RADIOFREQUENCY, Technique.CEMENT} <= held(after)
    assert Technique.SCREW not in held(after)
    assert in_order(steps(after), "ABLATE", "CEMENT_INJECT")
    assert "limited evidence" in " ".join(r.text.en for r in option_for(after, Technique.RADIOFREQUENCY).reasons_for)
    preferred = cases.a3(opinion="surgery_preferred").proposals()
    assert all(proposal.verdict is ProposalVerdict.REFER for proposal in preferred)


@pytest.mark.parametrize("scenario", [cases.a1(), cases.a2(), cases.a3(opinion="percutaneous_agreed"), cases.a4()])
def test_what_an_option_leaves_out_is_said_to_be_left_out_and_by_no_rule_that_would_have_brought_it(scenario):
    proposals = [p for p in scenario.proposals() if p.techniques]
    whole, *others = proposals
    left = [(p, technique) for p in others for technique in held(whole) - held(p) - {Technique.PROTECTION}]
    assert left
    for proposal, technique in left:
        said = option_for(proposal, technique)
        assert said.reasons_for
        (reason,) = said.reasons_against
        assert reason.text.en.startswith("Left out in this option") and reason.text.fr.startswith("Écarté")
        assert reason.rule in ("ablation_only", "consolidation_only", "cement_alone")


def test_a_means_of_ablation_that_is_not_taken_names_the_one_that_is():
    proposals = cases.a3(opinion="percutaneous_agreed").proposals()
    for proposal in (p for p in proposals if p.techniques):
        (reason,) = option_for(proposal, Technique.CRYOABLATION).reasons_against
        assert reason.rule == "T13" and "radiofrequency" in reason.text.en and "radiofréquence" in reason.text.fr
    (reason,) = option_for(cases.a1().proposals()[0], Technique.MICROWAVE).reasons_against
    assert reason.rule == "T19" and "not sclerotic" in reason.text.en


@pytest.mark.parametrize("allergies", [(), ("pmma",)])
def test_no_technique_has_reasons_that_affirm_and_deny_a_mechanical_problem(allergies):
    for proposal in cases.a1().having("patient", allergies=allergies).proposals():
        for option in proposal.techniques:
            against = " ".join(reason.text.en for reason in option.reasons_against)
            affirmed = any(reason.text.en.startswith("Mechanical problem") for reason in option.reasons_for)
            assert not (affirmed and "No mechanical problem" in against), option.technique


# shows: R75
def test_A4_offers_screws_with_cement_and_warns_of_cement_alone():
    proposals = cases.a4().proposals()
    assert {Technique.CRYOABLATION, Technique.SCREW, Technique.CEMENT} <= held(proposals[0])
    alone = next(p for p in proposals if held(p) == {Technique.BIOPSY, Technique.CEMENT})
    assert alone.rank > 1
    against = option_for(alone, Technique.CEMENT).reasons_against
    assert "T2" in {reason.rule for reason in against if reason.strength == "WARN"}
    assert any("surgery" in p.summary.en for p in proposals if not p.techniques)


# shows: R37
def test_A5_protects_the_skin_looks_for_a_cord_artery_and_fixes_nothing():
    first = cases.a5().proposals()[0]
    assert {Technique.CRYOABLATION, Technique.PROTECTION, Technique.EMBOLIZATION} <= held(first)
    assert not {Technique.SCREW, Technique.CEMENT} & held(first)
    warnings = " ".join(reason.text.en for reason in option_for(first, Technique.EMBOLIZATION).reasons_against)
    assert "spinal cord" in warnings
    assert in_order(steps(first), "PROTECT", "ABLATE")


# shows: R12, R82
def test_A6_puts_surgery_first_unless_it_is_declined():
    fit = cases.a6(opinion=None).proposals()
    assert fit[0].techniques == () and "surgery" in fit[0].summary.en
    assert fit[1].verdict is ProposalVerdict.REFER and "G6" in fired(fit[1], "refer")
    declined = cases.a6(opinion="declined").proposals()[0]
    assert declined.verdict is ProposalVerdict.DISCUSS
    assert held(declined) == {Technique.EMBOLIZATION, Technique.BIOPSY, Technique.SCREW, Technique.CEMENT}
    assert in_order(steps(declined), "EMBOLISE", "BIOPSY", "SCREW", "CEMENT_INJECT")


def test_A7a_stops_for_cord_compression_and_drafts_nothing():
    (only,) = cases.a7a().proposals()
    assert only.verdict is ProposalVerdict.STOP
    assert fired(only, "stop") == {"G3"}
    assert not only.techniques and not only.sequence
    assert "emergency" in only.summary.en and "urgence" in only.summary.fr


# shows: R24
def test_A7b_stops_for_bleeding_and_says_what_to_correct():
    proposals = cases.a7b().proposals()
    assert all(p.verdict is not ProposalVerdict.DISCUSS for p in proposals)
    assert fired(proposals[0], "stop") == {"G7", "G9"}
    assert proposals[0].verdict is ProposalVerdict.STOP
    together = proposals[0].counterfactuals[0]
    assert "INR of 1.8 or less" in together.change.en and "platelets of 50 ×10⁹/L or more" in together.change.en
    assert "option to discuss" in together.effect.en
    assert "plaquettes de 50 ×10⁹/L ou plus" in together.change.fr


def test_A7c_shows_the_draft_without_the_INR_but_not_for_discussion():
    proposals = cases.a7c().proposals()
    assert all(p.verdict is not ProposalVerdict.DISCUSS for p in proposals)
    first = proposals[0]
    assert first.verdict is ProposalVerdict.MISSING
    assert "G13" in fired(first, "missing")
    assert [item.field for item in first.missing] == ["laboratory.inr"]
    assert first.sequence and held(first)


# shows: R11, R21
def test_A8_has_no_option_and_says_what_would_change_it():
    proposals = cases.a8().proposals()
    first = proposals[0]
    assert first.verdict is ProposalVerdict.NONE
    assert held(first) == set() and not first.sequence
    assert first.summary.en.startswith("No interventional option to discuss now")
    assert "G15" in fired(first, "stop") and "G16" in fired(first, "refer")
    cement = option_for(first, Technique.CEMENT)
    assert any("cannot fill" in reason.text.en for reason in cement.reasons_against)
    assert first.counterfactuals and "radiotherapy" in proposals[1].summary.en


@pytest.mark.parametrize(
    ("scenario", "rule"),
    [
        (cases.a1().having("decision", side="right"), "G24"),
        (cases.a1().lesion(side="right"), "G24"),
        (cases.a3(opinion="percutaneous_agreed").lesion(level="L2"), "G24"),
        (cases.a2().lesion(level="L4"), "G24"),
        (cases.a1().lesion(level="L4"), "G24"),
        (cases.a3(opinion="percutaneous_agreed").measured(host_bones=("sacrum",)), "G24"),
        (cases.a1().having("patient", age_years=16), "G23"),
        (cases.a2().having("laboratory", inr=1.8), "G11"),
        (cases.a1().having("patient", sex="female", age_years=40, pregnant=True), "G18"),
    ],
)
def test_a_gate_stops_every_option(scenario, rule):
    proposals = scenario.proposals()
    assert rule in fired(proposals[0], "stop")
    assert all(p.verdict in (ProposalVerdict.STOP, ProposalVerdict.REFER) for p in proposals)


def test_an_infection_stops_every_option_with_an_implant():
    for proposal in cases.a1().having("infection", systemic=True).proposals():
        implanted = {Technique.SCREW, Technique.CEMENT} & held(proposal)
        assert ("G14" in fired(proposal, "stop")) == bool(implanted)


@pytest.mark.parametrize(
    ("group", "change", "technique", "rule"),
    [
        ("patient", {"cold_disorder": True}, Technique.CRYOABLATION, "G21"),
        ("patient", {"allergies": ("pmma",)}, Technique.CEMENT, "G19"),
    ],
)
def test_a_contraindication_takes_its_technique_out(group, change, technique, rule):
    first = cases.a1().having(group, **change).proposals()[0]
    option = option_for(first, technique)
    assert option.status is TechniqueStatus.CONTRAINDICATED
    assert rule in {reason.rule for reason in option.reasons_against}
    assert technique not in held(first)


def test_old_blood_tests_keep_an_option_from_discussion():
    first = cases.a1().having("laboratory", date=datetime.date(2026, 11, 10)).proposals()[0]
    assert first.verdict is ProposalVerdict.MISSING and "G13" in fired(first, "missing")
    unplanned = cases.a1().having("decision", planned_date=None).proposals()[0]
    assert unplanned.verdict is ProposalVerdict.DISCUSS and {"G13", "G27"} <= fired(unplanned, "hold")


def test_a_nerve_that_was_not_segmented_is_missing_and_never_far():
    bowel = tuple(item for item in cases.a1().measure.neighbors if item.name == "colon")
    first = cases.a1().measured(neighbors=bowel).proposals()[0]
    assert first.verdict is ProposalVerdict.MISSING
    assert "structures.nerve" in {item.field for item in first.missing}


# shows: R5
def test_an_empty_clinical_file_is_all_missing():
    first = replace(cases.a1(), clinical=Clinical()).proposals()[0]
    assert first.verdict is ProposalVerdict.MISSING
    assert held(first) == set()
    assert {"lesion.site", "pain.character", "oncology.primary"} <= {item.field for item in first.missing}
    assert all(item.why.en and item.why.fr for item in first.missing)


def test_A1_must_not_embolize_first_claim_a_cure_nor_cement_before_the_thaw():
    for proposal in cases.a1().proposals():
        assert "EMBOLISE" not in steps(proposal)
        assert "curative" not in proposal.summary.en and proposal.intent != "curative"
        if "CEMENT_INJECT" in steps(proposal) and "ABLATE" in steps(proposal):
            assert in_order(steps(proposal), "ABLATE", "THAW", "APPLICATOR_REMOVE", "CEMENT_MIX", "CEMENT_INJECT")


def test_A2_must_not_put_a_screw_before_its_cement_nor_claim_full_coverage():
    first = cases.a2().proposals()[0]
    ids = [step.id for step in first.sequence]
    for number in (1, 2):
        assert in_order(ids, f"cement-{number}", f"wire-{number}", f"trocar-removal-{number}", f"screw-{number}")
    assert first.intent == "protected"
    assert "E21" in next(step for step in first.sequence if step.step == "POSITION").edges
    assert schedule(first).sequence_variant == "screw_mounted_on_cement"


def test_A3_must_not_take_a_lumbar_level_for_a_cervical_one():
    lumbar = cases.a3(opinion="percutaneous_agreed").proposals()[0]
    assert "G25" not in fired(lumbar, "warn", "stop")
    cervical = cases.a3(opinion="percutaneous_agreed").lesion(level="C5").measured(host_bones=("vertebrae_C5",))
    assert not any(p.indicates(Technique.RADIOFREQUENCY) for p in cervical.proposals())
    assert option_for(cervical.proposals()[0], Technique.RADIOFREQUENCY).status is TechniqueStatus.CONTRAINDICATED


def test_A4_lists_radiotherapy_alone_and_its_time_meets_the_published_band():
    proposals = cases.a4().proposals()
    assert any("radiotherapy" in p.summary.en for p in proposals if not p.techniques)
    assert held(proposals[0]) != {Technique.CEMENT} and proposals[0].techniques
    total = schedule(proposals[0]).total_min
    assert total.low <= 193 and total.high >= 148  # V101: 167 (148 to 193)


def test_A5_requires_protection_before_ablation_and_never_screws():
    for proposal in cases.a5().proposals():
        assert not proposal.indicates(Technique.SCREW) and not proposal.indicates(Technique.CEMENT)
        if proposal.indicates(Technique.CRYOABLATION):
            ablation = next(step for step in proposal.sequence if step.step == "ABLATE")
            assert "E6" in ablation.edges and ablation.hard


def test_A6_never_offers_cement_alone():
    for opinion in (None, "declined"):
        assert all(held(p) & {Technique.SCREW, Technique.CEMENT} != {Technique.CEMENT}
                   for p in cases.a6(opinion=opinion).proposals())  # fmt: skip


@pytest.mark.parametrize("scenario", [cases.a7a(), cases.a7b(), cases.a7c()])
def test_A7_never_ends_in_something_that_can_be_approved(scenario):
    for proposal in scenario.proposals():
        blocked = tuple(gate.rule for gate in proposal.gates if gate.forbids_approval)
        assert blocked or not proposal.techniques
        assert not Plan(lesion="lesion_1", steps=(), blocked_by=blocked).approvable or not proposal.techniques
        if proposal.verdict is ProposalVerdict.STOP:
            with pytest.raises(PlanningError, match="stop"):
                plan(scenario.case(), proposal, predict_ice=False)


@pytest.mark.parametrize(
    ("group", "known", "unknown", "rule"),
    [
        ("decision", {"consent": False}, {"consent": None}, "G2"),
        ("decision", {"new_symptom_since_ct": True}, {"new_symptom_since_ct": None}, "G27"),
        ("infection", {"fever": True}, {"fever": None}, "G14"),
        ("laboratory", {"crp_mg_per_l": 40.0}, {"crp_mg_per_l": None}, "G14"),
        ("decision", {"planned_date": None}, {"planned_date": None}, "G13"),
    ],
)
def test_what_is_settled_after_the_discussion_holds_back_approval_only(group, known, unknown, rule):
    for change in (known, unknown):
        first = cases.a1().having(group, **change).proposals()[0]
        assert first.verdict is ProposalVerdict.DISCUSS and fired(first, "hold") >= {rule}
        assert rule in first.summary.en.split("Not to be approved yet: ")[1]
        assert {gate.rule for gate in first.gates if gate.forbids_approval} == fired(first, "hold")
    assert not any(gate.forbids_approval for gate in cases.a1().proposals()[0].gates)


def test_a_shared_cord_artery_takes_embolization_out_and_unknown_allows_no_agent():
    shared = cases.a2().lesion(spinal_artery_shared=True).proposals()
    assert not any(Technique.EMBOLIZATION in held(proposal) for proposal in shared)
    unknown = cases.a2().proposals()[0]
    assert Technique.EMBOLIZATION in held(unknown) and unknown.agents
    assert not any(choice.status == "allowed" for choice in unknown.agents)


def test_cement_seen_near_the_lesion_counts_as_metal_near_the_target():
    def near(distance_mm):
        seen = cases.neighbor("cement_1", Role.CEMENT, distance_mm)
        scenario = cases.a1()
        return scenario.measured(neighbors=(*scenario.measure.neighbors, seen)).proposals()[0]

    said = {d: {r.rule for r in option_for(near(d), Technique.RADIOFREQUENCY).reasons_against} for d in (20.0, 20.1)}
    assert "T23" in said[20.0] and "T23" not in said[20.1]


# shows: R70
def test_a_radial_access_raises_the_bound_of_an_arterial_step():
    def stops(inr, access):
        scenario = cases.a2().having("laboratory", inr=inr).having("decision", arterial_access=access)
        return "G11" in fired(scenario.proposals()[0], "stop")

    assert [stops(1.8, access) for access in (None, "femoral", "radial")] == [True, True, False]
    assert [stops(2.2, access) for access in (None, "femoral", "radial")] == [True, True, True]


def test_a_positive_pregnancy_test_stops_whatever_else_is_said():
    scenario = cases.a1().having("laboratory", pregnancy_test_positive=True)
    assert "G18" in fired(scenario.proposals()[0], "stop")


@pytest.mark.parametrize("patient", [{"sex": "male"}, {"sex": "female", "age_years": 74}, {"sex": "female"}])
def test_a_stated_pregnancy_stops_whatever_sex_and_age_would_let_expect(patient):
    scenario = cases.a1().having("patient", **patient, pregnant=True)
    assert "G18" in fired(scenario.proposals()[0], "stop")
    assert "G18" in fired(scenario.having("laboratory", pregnancy_test_positive=False).proposals()[0], "stop")
    assert "G18" not in fired(cases.a1().having("patient", **patient, pregnant=False).proposals()[0], "stop")


@pytest.mark.parametrize(
    ("scenario", "level", "bones"),
    [
        (cases.a2(), None, ("sacrum",)),
        (cases.a2(), "S1", ("sacrum",)),
        (cases.a2(), "s1-S2", ("sacrum",)),
        (cases.a2(), "L5", ("sacrum", "vertebrae_L5")),
        (cases.a2(), "S1", ("vertebrae_S1",)),
        (cases.a3(opinion="percutaneous_agreed"), "l3", ("vertebrae_L3",)),
        (cases.a5(), "T7", ("rib_left_7",)),
        (cases.a5(), "T7", ()),
    ],
)
def test_a_level_that_agrees_with_the_bone_stops_nothing(scenario, level, bones):
    first = scenario.lesion(level=level).measured(host_bones=bones).proposals()[0]
    assert "G24" not in fired(first, "stop", "missing")


def test_a_level_is_not_known_where_the_bones_of_the_spine_have_no_numbers():
    for scenario in (cases.a2(), cases.a3(opinion="percutaneous_agreed")):
        first = scenario.lesion(level="L3").measured(host_bones=("vertebrae",)).proposals()[0]
        assert "G24" in fired(first, "missing")


@pytest.mark.parametrize(
    ("image", "stated", "outcome"),
    [
        (None, None, "hold"),
        (None, 13, "pass"),
        (13, None, "pass"),
        (None, -5, "missing"),
        (-5, 13, "missing"),
        (13, -5, "missing"),
        (None, 25, "missing"),
    ],
)
def test_the_day_of_a_CT_that_tells_none_can_be_stated_and_the_earlier_counts(image, stated, outcome):
    def in_november(day):
        return None if day is None else datetime.date(2026, 10, 31) + datetime.timedelta(days=day)

    scenario = cases.a1().having("decision", planning_ct_date=in_november(stated))
    first = propose(replace(scenario.case(), acquired=in_november(image)), scenario.assessment())[0]
    assert [gate.outcome for gate in first.gates if gate.rule == "G27"] == [outcome, "pass"]
    assert any(gate.forbids_approval for gate in first.gates) == (outcome != "pass")


def test_the_day_of_the_CT_is_asked_for_only_where_the_image_tells_none():
    case = cases.a1().case()
    asked = {item["field"]: item["asked_by_rules"] for item in missing_values(replace(case, acquired=None))}
    assert asked["decision.planning_ct_date"]
    assert "decision.planning_ct_date" not in {item["field"] for item in missing_values(case)}


def test_a_pain_of_0_that_is_a_reason_to_treat_is_said_to_contradict_itself():
    def warned(scenario):
        return [gate for gate in scenario.proposals()[0].gates if (gate.rule, gate.outcome) == ("G15", "warn")]

    (gate,) = warned(cases.a1().having("pain", worst_nrs=0))
    assert gate.source == "design" and "0" in gate.message.en and "à 0" in gate.message.fr
    assert warned(cases.a4().having("pain", worst_nrs=0))  # mechanical pain only
    assert warned(cases.a1().lesion(worst_nrs=0))  # this lesion's own pain
    assert not warned(cases.a1()) and not warned(cases.a1().having("pain", worst_nrs=None))
    fracture = cases.a6(opinion="declined").having("pain", worst_nrs=0, character=())
    assert not warned(fracture)  # it is not pain that is treated


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ([("oncology", {"expected_survival_months": 0.1})], ["analgesics"]),
        ([("patient", {"ecog": 4}), ("oncology", {"expected_survival_months": 0.5})], ["analgesics"]),
        ([("patient", {"ecog": 4})], ["analgesics", "radiotherapy"]),
    ],
)
def test_a_short_life_ranks_the_simplest_first(changes, first):
    scenario = cases.a1()
    for group, change in changes:
        scenario = scenario.having(group, **change)
    proposals = scenario.proposals()
    ours = [len(held(p)) for p in proposals if p.techniques]
    assert ours == sorted(ours) and len(ours) == 3
    assert all(word in p.summary.en for word, p in zip(first, proposals, strict=False))
    assert proposals[len(first)].techniques and "G17" in fired(proposals[len(first)], "warn")
    assert sum("radiotherapy" in p.summary.en for p in proposals if not p.techniques) == 1
    assert all(p.verdict is ProposalVerdict.REFER for p in proposals if not p.techniques)


def test_a_longer_life_ranks_the_combination_first():
    for months in (0.92, 12, None):
        proposals = cases.a1().having("oncology", expected_survival_months=months).proposals()
        assert len(held(proposals[0])) == 4
        assert not any("analgesics" in p.summary.en for p in proposals)
