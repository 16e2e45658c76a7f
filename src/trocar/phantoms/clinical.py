"""The clinical contexts of the phantoms: the inputs of acceptance scenarios A1, A2, A3 and A6 (synthetic values)."""

import datetime
from dataclasses import replace

from trocar.model.case import (
    Clinical,
    Decision,
    Drugs,
    Infection,
    Laboratory,
    LesionContext,
    Oncology,
    Pain,
    Patient,
    Side,
)

ACQUIRED = datetime.date(2026, 11, 13)
_BOARD = ("oncologist", "radiation_oncologist", "surgeon", "pain_physician", "interventional_radiologist")


def _decision(side: Side, arterial_access: str | None = None) -> Decision:
    return Decision(
        tumor_board_date=datetime.date(2026, 11, 12),
        tumor_board_participants=_BOARD,
        consultation_date=datetime.date(2026, 11, 16),
        planned_date=datetime.date(2026, 11, 25),
        side=side,
        consent=True,
        new_symptom_since_ct=False,
        arterial_access=arterial_access,
    )


def _laboratory(platelets: float, inr: float, egfr: float) -> Laboratory:
    return Laboratory(
        date=datetime.date(2026, 11, 20),
        platelets_giga_per_l=platelets,
        inr=inr,
        egfr_ml_per_min=egfr,
        crp_mg_per_l=4,
    )


def _patient(age: float, sex: str, weight_kg: float, ecog: int, asa: int) -> Patient:
    return Patient(
        age_years=age,
        sex=sex,
        weight_kg=weight_kg,
        ecog=ecog,
        asa=asa,
        positions_tolerated=("supine", "lateral", "prone"),
        implants=(),
        allergies=(),
        cold_disorder=False,
        pregnant=False,
    )


_NO_DRUGS = Drugs(anticoagulants=(), antiplatelets=(), antiangiogenic=False)
_NO_INFECTION = Infection(systemic=False, local=False, fever=False, dental_sepsis=False)

ILIUM = Clinical(
    patient=_patient(74, "male", 78, 1, 3),
    oncology=Oncology(
        primary="lung",
        intent=("palliative",),
        metastases_total=3,
        metastases_painful=1,
        expected_survival_months=12,
        biopsy_requested=True,
        biopsy_purpose=("molecular",),
        prior_radiotherapy_at_site=False,
    ),
    pain=Pain(worst_nrs=8, character=("mechanical", "inflammatory"), concordant_with_lesion=True),
    laboratory=_laboratory(210, 1.1, 85),
    drugs=_NO_DRUGS,
    infection=_NO_INFECTION,
    decision=_decision(Side.LEFT),
    lesion=(
        LesionContext(
            name="lesion_1",
            site="iliac_wing",
            side=Side.LEFT,
            matrix="lytic",
            vascularity_grade=0,
            fracture="none",
            neurological_deficit="none",
        ),
    ),
)

SACRUM = Clinical(
    patient=_patient(69, "male", 78, 1, 2),
    oncology=Oncology(
        primary="kidney",
        intent=("palliative",),
        metastases_total=2,
        metastases_painful=1,
        expected_survival_months=24,
        biopsy_requested=True,
        biopsy_purpose=("diagnosis", "molecular"),
        prior_radiotherapy_at_site=False,
    ),
    pain=Pain(worst_nrs=7, character=("mechanical", "inflammatory"), concordant_with_lesion=True),
    laboratory=_laboratory(250, 1.0, 70),
    drugs=_NO_DRUGS,
    infection=_NO_INFECTION,
    decision=_decision(Side.LEFT, arterial_access="femoral"),
    lesion=(
        LesionContext(
            name="lesion_1",
            site="sacral_ala",
            level="S1",
            side=Side.LEFT,
            matrix="lytic",
            vascularity_grade=3,
            fracture="none",
            neurological_deficit="none",
        ),
    ),
)

FEMUR = Clinical(
    patient=_patient(71, "female", 68, 2, 4),
    oncology=Oncology(
        primary="thyroid",
        intent=("palliative", "stabilization"),
        metastases_total=3,
        metastases_painful=1,
        expected_survival_months=18,
        biopsy_requested=True,
        biopsy_purpose=("diagnosis",),
        prior_radiotherapy_at_site=False,
    ),
    pain=Pain(worst_nrs=8, character=("mechanical",), concordant_with_lesion=True),
    laboratory=_laboratory(220, 1.0, 75),
    drugs=_NO_DRUGS,
    infection=_NO_INFECTION,
    decision=replace(_decision(Side.LEFT, arterial_access="femoral"), surgical_opinion="declined"),
    lesion=(
        LesionContext(
            name="lesion_1",
            site="proximal_femur",
            side=Side.LEFT,
            matrix="lytic",
            vascularity_grade=3,
            fracture="impending",
            neurological_deficit="none",
        ),
    ),
)

VERTEBRA = Clinical(
    patient=_patient(58, "female", 66, 1, 2),
    oncology=Oncology(
        primary="breast",
        intent=("palliative",),
        metastases_total=4,
        metastases_painful=1,
        expected_survival_months=24,
        biopsy_requested=False,
        biopsy_purpose=(),
        prior_radiotherapy_at_site=False,
    ),
    pain=Pain(worst_nrs=8, character=("mechanical",), concordant_with_lesion=True),
    laboratory=_laboratory(230, 1.0, 80),
    drugs=_NO_DRUGS,
    infection=_NO_INFECTION,
    decision=_decision(Side.LEFT),
    lesion=(
        LesionContext(
            name="lesion_1",
            site="vertebra",
            level="L3",
            side=Side.LEFT,
            matrix="lytic",
            vascularity_grade=0,
            fracture="impending",
            neurological_deficit="none",
            epidural_grade=0,
            posterior_wall="intact",
            alignment="normal",
            vertebral_collapse="below_half",
            posterolateral_involvement="none",
        ),
    ),
)
