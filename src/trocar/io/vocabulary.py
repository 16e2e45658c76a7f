"""The words of the clinical file: what the rules and scores read may not be misspelt, for they would pass it over."""

import re
from difflib import get_close_matches

from trocar.catalog import devices
from trocar.catalog.sites import sites
from trocar.errors import CaseError
from trocar.model.device import Embolic

CLOSED: dict[str, frozenset[str]] = {
    "patient.sex": frozenset({"male", "female", "other"}),
    "patient.positions_tolerated": frozenset({"supine", "prone", "lateral"}),
    "oncology.primary": frozenset(
        "adrenal bile_duct bladder bone brain breast cervix colorectal esophagus head_and_neck hemangiopericytoma "
        "kidney liver lung lymphoma melanoma myeloma neuroendocrine other ovary pancreas prostate sarcoma skin "
        "stomach testis thyroid unknown uterus".split()
    ),
    "oncology.intent": frozenset({"curative", "palliative", "stabilization", "preoperative"}),
    "pain.character": frozenset({"mechanical", "inflammatory", "neuropathic", "mixed"}),
    "decision.surgical_opinion": frozenset({"surgery_preferred", "percutaneous_agreed", "unfit", "declined"}),
    "lesion.matrix": frozenset({"lytic", "mixed", "sclerotic"}),
    "lesion.fracture": frozenset({"none", "impending", "undisplaced", "displaced"}),
    "lesion.neurological_deficit": frozenset(
        {"none", "radicular", "sensory", "paresthesia", "motor", "paraparesis", "sphincter", "cauda_equina"}
    ),
    "lesion.posterior_wall": frozenset({"intact", "breached"}),
    "lesion.alignment": frozenset({"normal", "de_novo_deformity", "subluxation"}),
    "lesion.vertebral_collapse": frozenset({"none", "none_body_above_half", "below_half", "above_half"}),
    "lesion.posterolateral_involvement": frozenset({"none", "unilateral", "bilateral"}),
    "patient.mobility": frozenset({"walking", "walking_with_aid", "wheelchair", "bedridden"}),
    "patient.anesthesia_fitness": frozenset({"any", "sedation", "local_only", "unfit"}),
    "patient.cardiopulmonary_disease": frozenset({"none", "moderate", "severe"}),
    "oncology.progression": frozenset({"responding", "stable", "progressing"}),
    "decision.meeting_type": frozenset({"rcp", "staff"}),
    "decision.guidance": frozenset({"ct", "cbct", "fluoroscopy", "ultrasound", "mr", "navigation"}),
    "decision.anesthesia": frozenset({"local", "sedation", "general", "regional"}),
    "decision.arterial_access": frozenset({"femoral", "radial", "none"}),
    "lesion.subchondral_plate": frozenset({"intact", "breached"}),
    "lesion.medial_wall": frozenset({"intact", "deficient"}),
    "lesion.lateral_cortex": frozenset({"intact", "deficient"}),
    "lesion.acetabular_roof": frozenset({"intact", "deficient"}),
    "lesion.anterior_column": frozenset({"intact", "deficient"}),
    "lesion.posterior_column": frozenset({"intact", "deficient"}),
    "lesion.arterial_enhancement": frozenset({"none", "weak", "marked", "intense"}),
    "patient.not_applicable": frozenset(("implant_distance_mm lateral_min pregnant prone_min supine_min").split()),
    "oncology.not_applicable": frozenset(
        (
            "biopsy_purpose molecular_need radiotherapy_date radiotherapy_dose_Gy radiotherapy_fractions "
            "radiotherapy_planned_date survival_tool systemic_last_date systemic_next_date"
        ).split()
    ),
    "pain.not_applicable": frozenset(("analgesics_failed morphine_mg_per_d radiotherapy_failed").split()),
    "laboratory.not_applicable": frozenset(("pregnancy_test_positive").split()),
    "drugs.not_applicable": frozenset(("anticoagulant_last_dose_h antiplatelet_last_dose_h").split()),
    "infection.not_applicable": frozenset(("dental_sepsis").split()),
    "decision.not_applicable": frozenset(
        ("antibiotic_decided arterial_access nerve_block_planned neuromonitoring_planned").split()
    ),
    "lesion.not_applicable": frozenset(
        (
            "acetabular_roof alignment anterior_column articular_extension axial_cortical_mm bones "
            "cortex_destroyed_frac dangerous_anastomosis epidural_grade foraminal_extension lateral_cortex "
            "level lytic_frac medial_wall posterior_column posterior_wall posterolateral_involvement side "
            "spinal_artery_shared subchondral_plate vertebral_collapse"
        ).split()
    ),
}
OPEN: dict[str, frozenset[str]] = {  # these words are known, others may stand beside them
    "patient.implants": frozenset({"pacemaker", "icd", "neurostimulator", "metal_near_target"}),
    "patient.allergies": frozenset(
        {"pmma", "methacrylate", "iodinated_contrast", "contrast", "gadolinium", "cyanoacrylate", "antibiotic", "latex"}
    ),
    "decision.tumor_board_participants": frozenset({"oncologist", "radiation_oncologist", "surgeon", "pain_physician"}),
}
_NEAR = 0.8  # of the letters shared: a slip of the pen


def closed_words() -> dict[str, frozenset[str]]:
    """Every field that takes only the words listed; sites and forms of embolic agents are those of the catalog."""
    agents = frozenset(item.form for item in devices().values() if isinstance(item, Embolic) and item.form)
    return {**CLOSED, "lesion.site": frozenset(sites()), "lesion.embolized_with": agents}


def require_word(field: str, word: object, where: str) -> None:
    """Raises `CaseError` for a word that the field does not take, or that is nearly one the rules read.

    A field without a vocabulary takes anything.
    """
    closed = closed_words().get(field)
    if closed is not None and word not in closed:
        raise CaseError(f"{where}: {field} = {word!r} is unknown", hint=f"one of: {', '.join(sorted(closed))}")
    if field in OPEN and isinstance(word, str):
        _require_unlike(field, word, OPEN[field], where)


def _require_unlike(field: str, word: str, known: frozenset[str], where: str) -> None:
    """Raises `CaseError` for a word that is not known but meant to be: in capitals, misspelt, shortened, lengthened."""
    if word in known:
        return
    hint = f"known words: {', '.join(sorted(known))}"
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", word):
        raise CaseError(f"{where}: {field} = {word!r} is not written in lower_case_with_underscores", hint=hint)
    parts = set(word.split("_"))
    near = get_close_matches(word, sorted(known), n=1, cutoff=_NEAR) or sorted(
        item for item in known if parts < set(item.split("_")) or parts > set(item.split("_"))
    )
    if near:
        raise CaseError(
            f"{where}: {field} = {word!r} is unknown, but like {near[0]!r}, which the rules know", hint=hint
        )
