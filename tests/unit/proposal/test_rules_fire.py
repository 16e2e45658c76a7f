"""Every rule fires for some patient: the scenarios, and one change of a scenario for each rule they leave out."""

import proposal_cases as cases
import pytest

from trocar.catalog.conditions import holds
from trocar.catalog.ruleset import ruleset
from trocar.model.treatment import Technique
from trocar.proposal.inputs import inputs_of
from trocar.proposal.options import options

RULES = ruleset()
SCENARIOS = [
    cases.a1(), cases.a2(), cases.a3(opinion=None), cases.a3(opinion="surgery_preferred"), cases.a4(), cases.a5(),
    cases.a6(opinion=None), cases.a6(opinion="declined"), cases.a7a(), cases.a7b(), cases.a7c(), cases.a8(),
]  # fmt: skip


def inputs_for(scenario):
    return inputs_of(scenario.case(), scenario.assessment(), "lesion_1")


ILIUM, SACRUM = inputs_for(cases.a1()), inputs_for(cases.a2())
SPINE, FEMUR = inputs_for(cases.a3(opinion=None)), inputs_for(cases.a6(opinion="declined"))
SOFT = {**ILIUM, "site": "soft_tissue", "mechanical_class": "none", "pain_character": (), "inr": 1.0}
CHANGED = {
    ("G1", ""): (ILIUM, {"tumor_board_date": None}, "missing"),
    ("G1", "participants"): (ILIUM, {"tumor_board_participants": ("surgeon",)}, "warn"),
    ("G2", ""): (ILIUM, {"consultation_date": None}, "missing"),
    ("G4", ""): (SPINE, {"sins": 13}, "refer"),
    ("G6", "borderline"): (FEMUR, {"mirels": 8}, "warn"),
    ("G8", ""): (ILIUM, {"inr": 1.6}, "warn"),
    ("G10", ""): (SOFT, {"platelets_giga_per_l": 30}, "warn"),
    ("G10", "floor"): (SOFT, {"platelets_giga_per_l": 19}, "stop"),
    ("G11", ""): (SACRUM, {"inr": 1.8}, "stop"),
    ("G13", "age"): (ILIUM, {"lab_age_d": 8.0}, "missing"),
    ("G14", ""): (ILIUM, {"local_infection": True}, "stop"),
    ("G6", "displaced"): (ILIUM, {"fracture": "displaced"}, "refer"),
    ("G14", "crp"): (ILIUM, {"crp_mg_per_l": 40, "crp_explained": False}, "hold"),
    ("G15", "no_pain"): (ILIUM, {"worst_nrs": 0}, "warn"),
    ("G17", ""): (ILIUM, {"ecog": 4}, "warn"),
    ("G18", ""): (ILIUM, {"pregnancy_possible": True}, "stop"),
    ("G19", "any"): (ILIUM, {"has_allergy": True}, "warn"),
    ("G19", "cement"): (ILIUM, {"allergies": ("pmma",)}, "warn"),
    ("G19", "contrast"): (SACRUM, {"allergies": ("iodinated_contrast",)}, "warn"),
    ("G20", ""): (SPINE, {"implants": ("pacemaker",)}, "warn"),
    ("G21", ""): (ILIUM, {"cold_disorder": True}, "warn"),
    ("G22", ""): (SACRUM, {"egfr_ml_per_min": 25}, "warn"),
    ("G23", ""): (ILIUM, {"age_years": 17}, "stop"),
    ("G24", ""): (ILIUM, {"side_conflict": True}, "stop"),
    ("G25", ""): (SPINE, {"cervical": True}, "warn"),
    ("G27", ""): (ILIUM, {"planning_ct_age_d": 29.0}, "missing"),
    ("E8", "baseline"): (ILIUM, {"neuromonitoring_planned": True}, None),
    ("E22", ""): (ILIUM, {"neuromonitoring_planned": True, "nerve_block_planned": True}, None),
    ("E24", ""): (ILIUM, {"radiotherapy_planned": True}, None),
    ("E25", ""): (ILIUM, {"lesions_planned": 2}, None),
    ("G2", "consent"): (ILIUM, {"consent": False}, "hold"),
    ("G14", "fever"): (ILIUM, {"fever": True}, "hold"),
    ("G27", "new_symptom"): (ILIUM, {"new_symptom_since_ct": True}, "hold"),
    ("C1", ""): (ILIUM, {"cardiopulmonary_disease": "severe"}, None),
    ("C2", ""): (ILIUM, {"primary": "sarcoma"}, "require"),
    ("C3", ""): (ILIUM, {"matrix": "sclerotic"}, None),
    ("C4", ""): (SPINE, {"posterior_wall": "breached", "soft_tissue_frac": 0.1, "nerve_distance_mm": 30.0}, None),
    ("C5", ""): (ILIUM, {"matrix": "sclerotic", "soft_tissue_frac": 0.1, "cold_disorder": True}, None),
    ("C6", ""): (ILIUM, {"subchondral_plate": "breached"}, None),
    ("C7", ""): (SACRUM, {"foraminal_extension": True}, None),
    ("C8", ""): (SPINE, {"anesthesia": "general"}, None),
    ("T8", "anastomosis"): (SACRUM, {"dangerous_anastomosis": True}, None),
    ("C9", ""): ({**ILIUM, "volume_ml": 99.9}, {"volume_ml": 100.0}, None),
    ("C10", ""): (
        ILIUM,
        {"cold_disorder": True, "matrix": "lytic", "site": "vertebra", "posterior_wall": "intact"},
        None,
    ),
    ("C11", ""): (SPINE, {"lesions_planned": 4}, None),
    ("C12", ""): (ILIUM, {"severe_osteopenia": True}, None),
    ("C13", ""): (ILIUM, {"later_surgery_expected": True}, None),
    ("C14", ""): ({**SPINE, "nerve_distance_mm": 20.1}, {"nerve_distance_mm": 20.0}, None),
    ("T8", "cord_artery"): (SACRUM, {"spinal_artery_shared": True}, "warn"),
    ("T8", "no_access"): (SACRUM, {"arterial_access": "none"}, "hold"),
    ("X7", ""): (ILIUM, {"neuromonitoring_planned": True, "anesthesia": "regional"}, None),
    ("X4", ""): (ILIUM, {"guidance": ("mr",)}, None),
    ("X5", ""): (ILIUM, {"antiangiogenic": True}, None),
    ("X6", ""): (ILIUM, {"anesthesia": "general", "ecog": 3}, None),
    ("EM1", ""): (SACRUM, {"spinal_artery_shared": True}, None),
    ("EM2", ""): (SACRUM, {"dangerous_anastomosis": True}, None),
    ("EM5", ""): (SACRUM, {"allergies": ("cyanoacrylate",)}, None),
    ("P-NEURO", ""): (ILIUM, {"pain_character": ("neuropathic",)}, None),
    ("T9", ""): (ILIUM, {"pain_character": ("neuropathic",)}, None),
    ("T10", "unknown_primary"): (ILIUM, {"primary": "unknown"}, None),
    ("T11", ""): (ILIUM, {"intent": ("curative",)}, None),
    ("T12", ""): (SACRUM, {"intent": ("curative",)}, None),
    ("T14", ""): (ILIUM, {"fracture": "impending"}, None),
    ("T15", ""): (FEMUR, {"mechanical_class": "bending", "site": "long_bone"}, None),
    ("T17", ""): (ILIUM, {"prior_radiotherapy_at_site": True}, None),
    ("T20", "ecog"): (ILIUM, {"ecog": 3}, None),
    ("T20", "long_bone"): (FEMUR, {"soft_tissue_frac": 0.5}, None),
    ("T23", ""): (ILIUM, {"implants": ("metal_near_target",)}, None),
    ("T23", "microwave"): (ILIUM, {"implants": ("metal_near_target",)}, None),
}


def fired_rules(inputs):
    return {
        (rule.id, rule.part)
        for option in options(RULES, inputs)
        for rule in RULES.rules
        if holds(rule.when, option.inputs)
    }


# shows: R7, R10, R17, R18, R26, R27, R29, R33, R51
@pytest.mark.parametrize("key", list(CHANGED), ids="-".join)
def test_one_change_fires_the_rule(key):
    base, change, outcome = CHANGED[key]
    assert key not in fired_rules(base)
    after = {**base, **change}
    assert key in fired_rules(after)
    if outcome is not None:
        leading = next(option for option in options(RULES, after) if not option.rule.comparator)
        judged = [item for item in leading.judgments if (item.gate.id, item.gate.part) == key]
        assert [item.outcome for item in judged] == [outcome]


def test_no_rule_is_left_out():
    fired = set(CHANGED).union(*(fired_rules(inputs_for(scenario)) for scenario in SCENARIOS))
    assert {(rule.id, rule.part) for rule in RULES.rules} <= fired


@pytest.mark.parametrize(
    ("base", "change", "technique"),
    [
        (ILIUM, {"allergies": ("pmma",)}, Technique.CEMENT),
        (SACRUM, {"allergies": ("iodinated_contrast",)}, Technique.EMBOLIZATION),
        (SPINE, {"cervical": True}, Technique.RADIOFREQUENCY),
        (ILIUM, {"cold_disorder": True}, Technique.CRYOABLATION),
        (SACRUM, {"spinal_artery_shared": True}, Technique.EMBOLIZATION),
    ],
)
def test_what_a_gate_excludes_is_in_no_option(base, change, technique):
    assert any(technique in option.techniques for option in options(RULES, base))
    assert not any(technique in option.techniques for option in options(RULES, {**base, **change}))
