"""What holds whatever the patient: invariants I1, I2, I8 and I10, and the wording."""

import os
import re
import time
from dataclasses import fields, replace

import proposal_cases as cases
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trocar.catalog.conditions import holds
from trocar.catalog.ruleset import SCHEDULE_INPUTS, SESSION_FINDINGS, ruleset
from trocar.model.case import Role, Side
from trocar.model.finding import Check, Verdict
from trocar.model.treatment import Duration, Plan, ProposalVerdict, Step, Technique
from trocar.planning.order import technique_steps
from trocar.proposal.inputs import inputs_of
from trocar.proposal.options import options
from trocar.proposal.propose import proposals_for, propose
from trocar.proposal.rules import MODALITIES
from trocar.proposal.schedule import schedule
from trocar.proposal.schedulechecks import ancestors
from trocar.proposal.sequence import sequence
from trocar.proposal.wording import NAMES

RULES = ruleset()
SCENARIOS = [
    cases.a1(), cases.a2(), cases.a3(opinion=None), cases.a3(opinion="percutaneous_agreed"), cases.a4(), cases.a5(),
    cases.a6(opinion=None), cases.a6(opinion="declined"), cases.a7a(), cases.a7b(), cases.a7c(), cases.a8(),
]  # fmt: skip
DERIVED = {name for name, label in RULES.inputs.items() if label.derived} - SCHEDULE_INPUTS


def inputs_for(scenario):
    return inputs_of(scenario.case(), scenario.assessment(), "lesion_1")


BASES = [inputs_for(scenario) for scenario in SCENARIOS]
CHANGES = {
    "inr": st.sampled_from([0.9, 1.5, 1.6, 1.8, 1.81, 2.5]),
    "platelets_giga_per_l": st.sampled_from([15, 20, 38, 49, 50, 51, 300]),
    "lab_age_d": st.sampled_from([0.0, 7.0, 8.0]),
    "primary": st.sampled_from(["lung", "kidney", "thyroid", "unknown"]),
    "intent": st.sampled_from([("palliative",), ("curative",), ("palliative", "stabilization")]),
    "metastases_total": st.sampled_from([1, 5, 6, 30]),
    "metastases_painful": st.sampled_from([1, 5, 6]),
    "biopsy_requested": st.booleans(),
    "prior_radiotherapy_at_site": st.booleans(),
    "pain_character": st.sampled_from([(), ("mechanical",), ("inflammatory",), ("mechanical", "neuropathic")]),
    "pain_concordant": st.booleans(),
    "cold_disorder": st.booleans(),
    "implants": st.sampled_from([(), ("pacemaker",), ("metal_near_target",)]),
    "allergies": st.sampled_from([(), ("pmma",), ("iodinated_contrast",)]),
    "matrix": st.sampled_from(["lytic", "mixed", "sclerotic"]),
    "vascularity_grade": st.integers(0, 3),
    "fracture": st.sampled_from(["none", "impending", "undisplaced", "displaced"]),
    "neurological_deficit": st.sampled_from(["none", "radicular", "motor"]),
    "surgical_opinion": st.sampled_from(["surgery_preferred", "percutaneous_agreed", "unfit", "declined"]),
    "systemic_infection": st.booleans(),
    "side_conflict": st.booleans(),
    "soft_tissue_frac": st.sampled_from([0.0, 0.2, 0.25, 0.8]),
    "nerve_distance_mm": st.sampled_from([0.0, 1.9, 2.0, 20.0, 21.0]),
    "skin_distance_mm": st.sampled_from([10.0, 25.0, 60.0]),
    "egfr_ml_per_min": st.sampled_from([20, 90]),
    "age_years": st.sampled_from([17, 50, 75]),
    "neuromonitoring_planned": st.booleans(),
    "nerve_block_planned": st.booleans(),
    "radiotherapy_planned": st.booleans(),
    "arterial_access": st.sampled_from(["femoral", "radial"]),
    "dangerous_anastomosis": st.booleans(),
    "spinal_artery_shared": st.booleans(),
    "consent": st.booleans(),
    "fever": st.booleans(),
    "anesthesia": st.sampled_from(["local", "sedation", "general"]),
    "new_symptom_since_ct": st.booleans(),
    "crp_mg_per_l": st.sampled_from([4, 10, 60]),
    "crp_explained": st.booleans(),
    "worst_nrs": st.sampled_from([0, 8]),
    "expected_survival_months": st.sampled_from([0.1, 0.92, 12]),
    "ecog": st.sampled_from([1, 4]),
    "planning_ct_age_d": st.sampled_from([10.0, 28.0, 29.0]),
}  # fmt: skip


@st.composite
def patients(draw):
    """The named inputs of a scenario with some changed and some made unknown."""
    base = dict(draw(st.sampled_from(BASES)))
    for name in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=6, unique=True)):
        base[name] = draw(CHANGES[name])
    for name in draw(st.lists(st.sampled_from(sorted(base.keys() - DERIVED)), max_size=2, unique=True)):
        base[name] = None
    return base


def permitted(inputs):
    """What may be discussed, and what may be approved: the techniques of the options that are for discussion."""
    open_to = [option for option in options(RULES, inputs) if option.verdict is ProposalVerdict.DISCUSS]
    free = [option for option in open_to if all(judgment.outcome != "hold" for judgment in option.judgments)]
    return {("discuss", technique) for option in open_to for technique in option.techniques} | {
        ("approve", technique) for option in free for technique in option.techniques
    }


EXAMPLES = int(os.environ.get("TROCAR_EXAMPLES", "0"))  # 10000 by hand; a few hundred in the suite


def examples(count):
    """The settings of a property: so many examples, or as many as TROCAR_EXAMPLES asks for."""
    return settings(max_examples=EXAMPLES or count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


quick = examples(100)


@quick
@given(patients())
def test_I1_nothing_is_for_discussion_with_a_stop_or_something_missing(inputs):
    for proposal in proposals_for(RULES, "lesion_1", inputs):
        if proposal.verdict is ProposalVerdict.DISCUSS:
            assert {gate.outcome for gate in proposal.gates} <= {"pass", "warn", "info", "hold"}
            assert proposal.missing == ()
            assert proposal.techniques and proposal.sequence


# shows: R71
@quick
@given(
    st.sampled_from(BASES),
    st.sets(st.sampled_from(sorted(set(Technique) - set(MODALITIES)))),
    st.sampled_from([None, *MODALITIES]),
    st.sampled_from(["screw_then_cement", "screw_mounted_on_cement", ""]),
    st.integers(1, 4),
)
def test_I2_hard_edges_hold_in_any_sequence(base, others, modality, variant, screws):
    techniques = tuple(t for t in Technique if t in others or t is modality)
    inputs = {**base, "session": techniques, "high_bleeding_risk": True}
    plan = sequence(RULES, inputs, techniques, variant=variant, screws=screws)
    place = {step.id: number for number, step in enumerate(plan.steps)}
    assert len(place) == len(plan.steps)
    assert all(place[earlier] < place[step.id] for step in plan.steps for earlier in step.after)
    kind = {step.id: step.step for step in plan.steps}
    firsts = {name: min(place[i] for i in place if kind[i] == name) for name in set(kind.values())}
    lasts = {name: max(place[i] for i in place if kind[i] == name) for name in set(kind.values())}
    for rule in RULES.order:
        if rule.hard and not rule.variant and holds(rule.when, inputs) is not False:
            for earlier in rule.before:
                for later in rule.after:
                    if earlier in lasts and later in firsts and not {earlier, later} & _repeated(RULES, variant):
                        assert lasts[earlier] < firsts[later], rule.id


def _repeated(rules, variant):
    return {step.step for step in rules.steps if variant in step.per_implant} | {"CONTROL"}


@examples(300)
@given(patients(), st.data())
def test_I8_an_input_made_unknown_never_permits_more(inputs, data):
    name = data.draw(st.sampled_from(sorted(inputs.keys() - DERIVED - SESSION_FINDINGS)))
    before, after = permitted(inputs), permitted({**inputs, name: None})
    later = {("discuss", technique) for technique in Technique} if name in SCHEDULE_INPUTS else set()
    assert after - later <= before, name


def test_I8_a_technique_that_may_be_taken_is_undecided_when_its_rule_is_unknown():
    """A fever that nobody asked for holds back screws (G14); they may not leave with their own rule (T16) open."""
    inputs = {**inputs_for(cases.a6(opinion="declined")), "matrix": "sclerotic", "fever": None}
    assert ("approve", Technique.EMBOLIZATION) not in permitted(inputs)
    assert ("approve", Technique.EMBOLIZATION) not in permitted({**inputs, "mirels": None})


def test_I8_no_single_field_of_the_clinical_file_is_taken_for_granted():
    """Removing any field of a complete file leaves at most what was permitted."""
    complete = cases.a2()
    allowed = permitted(inputs_for(complete))
    for group in fields(complete.clinical):
        if group.name == "lesion":
            continue
        for item in fields(getattr(complete.clinical, group.name)):
            if item.name == "not_applicable":
                continue
            thinner = complete.having(group.name, **{item.name: None})
            assert permitted(inputs_for(thinner)) <= allowed, f"{group.name}.{item.name}"
    for item in fields(complete.clinical.lesion[0]):
        if item.name not in ("name", "not_applicable"):
            assert permitted(inputs_for(complete.lesion(**{item.name: None}))) <= allowed, item.name


@quick
@given(patients())
def test_I10_the_same_inputs_give_the_same_proposals(inputs):
    assert proposals_for(RULES, "lesion_1", inputs) == proposals_for(RULES, "lesion_1", dict(reversed(inputs.items())))


SIDES = st.sampled_from([None, Side.LEFT, Side.RIGHT])
FRENCH = {Side.LEFT: "gauche", Side.RIGHT: "droit"}


@examples(60)
@given(SIDES, SIDES, SIDES, st.sampled_from([cases.a1(), cases.a2(), cases.a4(), cases.a5()]))
def test_I9_one_side_everywhere_or_a_stop(decided, stated, measured, scenario):
    given_sides = {side for side in (decided, stated, measured) if side}
    proposals = scenario.having("decision", side=decided).lesion(side=stated).measured(side=measured).proposals()
    for proposal in proposals:
        if not proposal.techniques and not proposal.gates:
            continue  # a comparator names no side
        if len(given_sides) > 1:
            assert proposal.verdict is ProposalVerdict.STOP and "G24" in cases.fired(proposal, "stop")
        elif None in (decided, measured):
            assert proposal.verdict is not ProposalVerdict.DISCUSS
        elif measured:
            other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}[measured]
            assert f"{measured.value} side" in proposal.summary.en and FRENCH[measured] in proposal.summary.fr
            assert f"{other.value} side" not in proposal.summary.en and FRENCH[other] not in proposal.summary.fr


def random_plan(proposal, order):
    """A plan with the technique-bearing steps of a proposal in some order."""
    steps = {item.id: item for item in technique_steps(proposal)}
    return Plan(
        lesion=proposal.lesion,
        steps=tuple(
            Step(
                id=name,
                technique=steps[name].technique,
                action=steps[name].step,
                lesion=proposal.lesion,
                duration_min=Duration(low=1, typical=2, high=3),
            )
            for name in order
        ),
    )


LEADING = [p for p in (s.proposals()[0] for s in (cases.a1(), cases.a2(), cases.a4(), cases.a5())) if p.sequence]


@quick
@given(st.data())
def test_I2_a_random_plan_that_breaks_an_edge_is_never_free_of_a_failed_check(data):
    proposal = data.draw(st.sampled_from(LEADING))
    ids = [item.id for item in technique_steps(proposal)]
    order = data.draw(st.permutations(ids))
    before = ancestors(proposal)
    broken = {name for name in order if before[name] & set(order[order.index(name) + 1 :])}
    checks = [item for item in schedule(proposal, random_plan(proposal, order)).checks if item.name == "order_of_steps"]
    assert {item.subject for item in checks} == broken
    hard = {item.id for item in proposal.sequence if item.hard}
    assert {item.subject for item in checks if item.verdict is Verdict.FAIL} == broken & hard


@quick
@given(
    st.lists(st.sampled_from(["G1", "G3", "G9", "G13", "G24"]), max_size=2),
    st.lists(st.sampled_from(list(Verdict)), max_size=4),
)
def test_I1_a_plan_with_a_stop_or_something_missing_is_never_approvable(blocked_by, verdicts):
    checks = tuple(Check(name="x", value=1, limit=1, unit="mm", verdict=item, source="design") for item in verdicts)
    plan = replace(random_plan(LEADING[0], ()), blocked_by=tuple(blocked_by), checks=checks)
    assert plan.approvable == (not blocked_by and Verdict.FAIL not in verdicts)


@quick
@given(patients())
def test_I1_what_blocks_a_proposal_is_in_its_gates_or_its_missing_inputs(inputs):
    for proposal in proposals_for(RULES, "lesion_1", inputs):
        blocking = {gate.rule for gate in proposal.gates if gate.outcome in ("stop", "refer", "missing", "require")}
        if proposal.verdict in (ProposalVerdict.STOP, ProposalVerdict.MISSING):
            assert blocking or proposal.missing
        if proposal.verdict is ProposalVerdict.STOP:
            assert "stop" in {gate.outcome for gate in proposal.gates}


@pytest.mark.parametrize("scenario", [cases.a1(), cases.a2(), cases.a4()])
def test_I5_a_mirrored_case_has_the_mirrored_proposal(scenario):
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
    mirrored = (
        scenario.having("decision", side=other[scenario.measure.side])
        .lesion(side=other[scenario.measure.side])
        .measured(side=other[scenario.measure.side])
    )
    for one, two in zip(scenario.proposals(), mirrored.proposals(), strict=True):
        assert (one.verdict, one.techniques, one.sequence) == (two.verdict, two.techniques, two.sequence)


# shows: R3
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_option_gives_its_reasons_and_a_counterfactual_in_both_languages(scenario):
    for proposal in scenario.proposals():
        comparator = not proposal.techniques and not proposal.gates  # nothing may change where it stands
        assert proposal.counterfactuals or comparator
        texts = [proposal.summary]
        texts += [text for item in proposal.counterfactuals for text in (item.change, item.effect)]
        texts += [gate.message for gate in proposal.gates] + [item.why for item in proposal.missing]
        for option in proposal.techniques:
            reasons = (*option.reasons_for, *option.reasons_against)
            assert reasons, option.technique
            assert all(reason.source and reason.grade in "ABCD" for reason in reasons)
            if proposal.indicates(option.technique):
                assert option.reasons_for
            texts += [reason.text for reason in reasons]
        assert all(text.en.strip() and text.fr.strip() and text.en != text.fr for text in texts)


# shows: R49
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_called_a_treatment_to_give_nor_safe(scenario):
    for proposal in scenario.proposals():
        said = f"{proposal.summary.en} {proposal.summary.fr}".lower()
        assert not any(word in said for word in ("to give", "à réaliser", "safe", "sans risque", "complete margin"))
        if proposal.verdict is ProposalVerdict.DISCUSS:
            assert "option to discuss" in said and "option à discuter" in said


def test_counterfactuals_are_what_the_engine_answers():
    first = cases.a7b().proposals()[0]
    assert "option to discuss" in first.counterfactuals[0].effect.en
    corrected = cases.a7b().having("laboratory", inr=1.8, platelets_giga_per_l=50).proposals()[0]
    assert corrected.verdict is ProposalVerdict.DISCUSS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_counterfactuals_speak_of_their_own_option(scenario):
    for proposal in scenario.proposals():
        names = {NAMES[technique].en for technique in cases.held(proposal)}
        for item in proposal.counterfactuals:
            for part in item.effect.en.split("; "):
                if part.startswith("no longer held: "):
                    assert set(re.split(", | and ", part.removeprefix("no longer held: "))) <= names
                if part.startswith("added: "):
                    assert names.isdisjoint(re.split(", | and ", part.removeprefix("added: ")))


def test_a_comparator_says_what_would_change_its_rank():
    surgery, *_, radiotherapy = cases.a6(opinion=None).proposals()
    said = {item.change.en: item.effect.en for item in surgery.counterfactuals}
    assert said["With surgical opinion: unfit for surgery"] == "no longer ranked first"
    (only,) = radiotherapy.counterfactuals
    assert "ECOG" in only.change.en and only.effect.en == "now ranked first"
    after = cases.a6(opinion="unfit").proposals()
    assert after[0].techniques
    later = next(p for p in after if not p.techniques and "surgery" in p.summary.en)
    assert "now ranked first" in {item.effect.en for item in later.counterfactuals}


def test_unknown_structures_do_not_matter_where_they_are_not_watched():
    rib = cases.a5()
    assert Role.BOWEL not in {item.role for item in rib.measure.neighbors}
    assert rib.proposals()[0].verdict is ProposalVerdict.DISCUSS


def test_the_engine_answers_in_50_ms():
    inputs = inputs_for(cases.a2())
    proposals_for(RULES, "lesion_1", inputs)
    spent = []
    for _ in range(5):
        start = time.process_time()
        proposals_for(RULES, "lesion_1", inputs)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


def test_each_lesion_of_a_case_has_its_own_ranking():
    scenario = cases.a1()
    second = replace(scenario.measure, name="lesion_2")
    assessment = replace(scenario.assessment(), lesions=(scenario.measure, second))
    proposals = propose(scenario.case(), assessment)
    assert [p.lesion for p in proposals if p.rank == 1] == ["lesion_1", "lesion_2"]
