"""From the clinical file and the measurements to the named inputs of the rules; None is unknown."""

import datetime
import math
import re
from collections.abc import Iterable
from dataclasses import fields

from trocar.catalog.conditions import NOT_APPLICABLE, Value
from trocar.catalog.facts import limit
from trocar.catalog.sites import Site, sites
from trocar.model.case import Case, Clinical, LesionContext, Patient, Role, Side
from trocar.model.finding import Assessment, LesionMeasure

_DECLARABLE = {  # fields that may be declared to be without a meaning -> the input that they answer
    "patient.pregnant": "pregnancy_possible",
    "infection.dental_sepsis": "dental_sepsis",
    "decision.arterial_access": "arterial_access",
    "decision.neuromonitoring_planned": "neuromonitoring_planned",
    "decision.nerve_block_planned": "nerve_block_planned",
    "lesion.subchondral_plate": "subchondral_plate",
    "lesion.articular_extension": "articular_extension",
    "lesion.foraminal_extension": "foraminal_extension",
    "lesion.dangerous_anastomosis": "dangerous_anastomosis",
    "lesion.spinal_artery_shared": "spinal_artery_shared",
}
_UNNUMBERED = frozenset({"vertebrae", "vertebrae_body", "vertebrae_bodies"})  # bones that tell no level
CHILDBEARING_AGE_MAX_YEARS = 60  # software default


def inputs_of(case: Case, assessment: Assessment, lesion: str) -> dict[str, Value]:
    """Every input that the rules may ask for, for one lesion: a value, None when unknown, or not applicable."""
    context, measure = case.context(lesion), assessment.lesion(lesion)
    declared = _declared(case.clinical, context)
    name = context.site or measure.site
    site = sites().get(name) if name else None
    known: dict[str, Value] = {
        **_patient_inputs(case, measure),
        **_disease_inputs(case),
        "worst_nrs": case.clinical.pain.worst_nrs if context.worst_nrs is None else context.worst_nrs,
        **_safety_inputs(case),
        **_decision_inputs(case, measure, context, site),
        "site": name if site else None,
        "lesions_planned": len(assessment.lesions),
        **_site_inputs(site, context),
        **_lesion_inputs(context, site),
        **_geometry_inputs(measure, site),
        "sins": _score(assessment, "SINS", lesion, applies=site.spinal if site else None),
        "mirels": _score(assessment, "Mirels", lesion, applies=site.long_bone if site else None),
    }
    return known | {name: NOT_APPLICABLE for name in declared if known[name] is None}


def _declared(clinical: Clinical, context: LesionContext) -> set[str]:
    """The inputs that the clinical file declares to be without a meaning for this patient or lesion."""
    groups = {item.name: getattr(clinical, item.name) for item in fields(clinical)} | {"lesion": context}
    named = {f"{group}.{name}" for group, record in groups.items() for name in record.not_applicable}
    return {name for field, name in _DECLARABLE.items() if field in named}


def _patient_inputs(case: Case, measure: LesionMeasure) -> dict[str, Value]:
    patient = case.clinical.patient
    return {
        "age_years": patient.age_years,
        "ecog": patient.ecog,
        "asa": patient.asa,
        "cardiopulmonary_disease": patient.cardiopulmonary_disease,
        "severe_osteopenia": patient.severe_osteopenia,
        "allergies": patient.allergies,
        "has_allergy": None if patient.allergies is None else bool(patient.allergies),
        "implants": _implants(patient, measure),
        "cold_disorder": patient.cold_disorder,
        "pregnancy_possible": _pregnancy_possible(patient, case.clinical.laboratory.pregnancy_test_positive),
    }


def _disease_inputs(case: Case) -> dict[str, Value]:
    oncology, pain = case.clinical.oncology, case.clinical.pain
    return {
        "primary": oncology.primary,
        "intent": oncology.intent,
        "metastases_total": oncology.metastases_total,
        "metastases_painful": oncology.metastases_painful,
        "expected_survival_months": oncology.expected_survival_months,
        "biopsy_requested": oncology.biopsy_requested,
        "biopsy_available": oncology.biopsy_available,
        "prior_radiotherapy_at_site": oncology.prior_radiotherapy_at_site,
        "radiotherapy_planned": oncology.radiotherapy_planned,
        "pain_character": pain.character,
        "pain_concordant": pain.concordant_with_lesion,
    }


def _safety_inputs(case: Case) -> dict[str, Value]:
    clinical = case.clinical
    laboratory, drugs = clinical.laboratory, clinical.drugs
    return {
        "platelets_giga_per_l": laboratory.platelets_giga_per_l,
        "inr": laboratory.inr,
        "laboratory_date": _iso(laboratory.date),
        "lab_age_d": _days(laboratory.date, clinical.decision.planned_date),
        "egfr_ml_per_min": laboratory.egfr_ml_per_min,
        "crp_mg_per_l": laboratory.crp_mg_per_l,
        "takes_anticoagulant": None if drugs.anticoagulants is None else bool(drugs.anticoagulants),
        "antiangiogenic": drugs.antiangiogenic,
        "takes_antiplatelet": None if drugs.antiplatelets is None else bool(drugs.antiplatelets),
        "systemic_infection": clinical.infection.systemic,
        "local_infection": clinical.infection.local,
        "fever": clinical.infection.fever,
        "dental_sepsis": clinical.infection.dental_sepsis,
        "crp_explained": clinical.infection.crp_explained,
    }


def _decision_inputs(case: Case, measure: LesionMeasure, context: LesionContext, site: Site | None) -> dict[str, Value]:
    decision = case.clinical.decision
    return {
        "tumor_board_date": _iso(decision.tumor_board_date),
        "tumor_board_participants": decision.tumor_board_participants,
        "consultation_date": _iso(decision.consultation_date),
        "surgical_opinion": decision.surgical_opinion,
        "planning_ct_age_d": _days(case.planning_ct_date, decision.planned_date),
        "consent": decision.consent,
        "anesthesia": decision.anesthesia,
        "guidance": decision.guidance,
        "arterial_access": decision.arterial_access,
        "new_symptom_since_ct": decision.new_symptom_since_ct,
        "later_surgery_expected": decision.later_surgery_expected,
        "neuromonitoring_planned": decision.neuromonitoring_planned,
        "nerve_block_planned": decision.nerve_block_planned,
        "side_conflict": _sides_differ(decision.side, context.side, measure.side, site),
        "level_conflict": _levels_differ(measure, context, site),
    }


def _site_inputs(site: Site | None, context: LesionContext) -> dict[str, Value]:
    if site is None:
        names = ("mechanical_class", "weight_bearing", "spinal", "long_bone", "chest_wall", "pelvic", "cervical")
        return dict.fromkeys(names)
    level = context.level or None
    return {
        "mechanical_class": site.mechanical_class,
        "weight_bearing": site.weight_bearing,
        "spinal": site.spinal,
        "long_bone": site.long_bone,
        "chest_wall": site.chest_wall,
        "pelvic": site.pelvic,
        "cervical": NOT_APPLICABLE if not site.spinal else None if level is None else level.upper().startswith("C"),
    }


def _lesion_inputs(context: LesionContext, site: Site | None) -> dict[str, Value]:
    spinal = site is None or site.spinal
    return {
        "matrix": context.matrix,
        "vascularity_grade": context.vascularity_grade,
        "fracture": context.fracture,
        "neurological_deficit": context.neurological_deficit,
        "subchondral_plate": context.subchondral_plate,
        "articular_extension": context.articular_extension,
        "foraminal_extension": context.foraminal_extension,
        "dangerous_anastomosis": context.dangerous_anastomosis,
        "spinal_artery_shared": context.spinal_artery_shared,
        "epidural_grade": context.epidural_grade if spinal else NOT_APPLICABLE,
        "posterior_wall": context.posterior_wall if spinal else NOT_APPLICABLE,
    }


def _geometry_inputs(measure: LesionMeasure, site: Site | None) -> dict[str, Value]:
    parts = measure.compartments
    watched = set(site.watch) if site else set(Role)
    distances = {
        "nerve_distance_mm": (Role.NERVE, Role.CORD),
        "bowel_distance_mm": (Role.BOWEL,),
        "bladder_distance_mm": (Role.BLADDER,),
    }
    return {
        "longest_diameter_mm": max(measure.diameters_mm),
        "volume_ml": measure.volume_ml,
        "expected_cryoprobes": math.ceil(min(measure.diameters_mm) / 10.0),  # V43: one 17 G needle per centimeter
        "soft_tissue_frac": parts.soft_tissue_ml / (parts.soft_tissue_ml + parts.bone_ml),
        "cortical_breach_mm2": measure.cortical_breach_mm2,
        "skin_distance_mm": measure.skin_distance_mm if Role.SKIN in watched else NOT_APPLICABLE,
        **{
            name: _nearest_mm(measure, roles) if watched.intersection(roles) else NOT_APPLICABLE
            for name, roles in distances.items()
        },
    }


def _nearest_mm(measure: LesionMeasure, roles: Iterable[Role]) -> float | None:
    """The distance to the nearest structure of these roles; unknown when the case has none of them."""
    wanted = set(roles)
    return min((item.distance_mm for item in measure.neighbors if item.role in wanted), default=None)


def _score(assessment: Assessment, name: str, lesion: str, *, applies: bool | None) -> Value:
    if applies is False:
        return NOT_APPLICABLE
    totals = [
        score.total for score in assessment.scores if (score.name.casefold(), score.lesion) == (name.casefold(), lesion)
    ]
    return totals[0] if totals else None


def _implants(patient: Patient, measure: LesionMeasure) -> tuple[str, ...] | None:
    """The implants on file, and metal or cement of an earlier session that the image shows near the lesion."""
    near_mm = _nearest_mm(measure, (Role.IMPLANT, Role.CEMENT))
    if patient.implants is None or near_mm is None or near_mm > limit("metal_near_mm").value:
        return patient.implants
    return tuple(dict.fromkeys((*patient.implants, "metal_near_target")))


def _pregnancy_possible(patient: Patient, test_positive: bool | None) -> bool | None:
    """Whether a pregnancy is stated, or is not excluded: no default and no negative test speaks against a statement."""
    if test_positive or patient.pregnant:
        return True
    if patient.sex == "male" or patient.pregnant is False or test_positive is False:
        return False
    if patient.age_years is not None and patient.age_years > CHILDBEARING_AGE_MAX_YEARS:
        return False
    return None


def _sides_differ(decided: Side | None, known: Side | None, measured: Side | None, site: Site | None) -> bool | None:
    """Whether two sides contradict each other; unknown unless both the decision's and the image's are known.

    In the spine, the midline does not contradict a side.
    """
    sides = {side for side in (decided, known, measured) if side is not None}
    if site is not None and site.spinal:
        sides.discard(Side.MIDLINE)
    if len(sides) > 1:
        return True
    return None if decided is None or measured is None else False


def _levels_differ(measure: LesionMeasure, context: LesionContext, site: Site | None) -> Value:
    """Whether a stated level is none of the bones that hold the lesion; unknown where either is, and a level is due."""
    if site is None:
        return None
    levels = re.findall(r"[A-Z]+\d+", (context.level or "").upper())  # more than one where `L4-L5` is stated
    if not (site.spinal or (levels and measure.host_bones)):
        return NOT_APPLICABLE
    if not context.level or not measure.host_bones or _UNNUMBERED.intersection(measure.host_bones):
        return None
    return not levels or any(_level_absent(level, measure.host_bones) for level in levels)


def _level_absent(level: str, bones: Iterable[str]) -> bool:
    """Sacral levels lie in the sacrum, and a rib has the level of its vertebra; any other bone has none."""
    held = {f"vertebrae_{level}"}
    if level.startswith("S"):
        held.add("sacrum")
    if level.startswith("T"):
        held |= {f"rib_{side}_{level[1:]}" for side in (Side.LEFT, Side.RIGHT)}
    return {name.casefold() for name in held}.isdisjoint(name.casefold() for name in bones)


def _days(start: datetime.date | None, end: datetime.date | None) -> float | None:
    return None if start is None or end is None else float((end - start).days)


def _iso(date: datetime.date | None) -> str | None:
    return None if date is None else date.isoformat()
