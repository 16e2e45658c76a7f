"""The carved lesions in real CT: their clinical files, and the commands that make a dossier of one."""

from pathlib import Path

CLINICAL = """
[patient]
age_years = 66
sex = "female"
ecog = 1
asa = 2
positions_tolerated = ["supine", "lateral", "prone"]
implants = []
allergies = []
cold_disorder = false
[oncology]
primary = "lung"
intent = ["palliative"]
metastases_total = 3
metastases_painful = 1
expected_survival_months = 12
biopsy_requested = true
biopsy_purpose = ["molecular"]
prior_radiotherapy_at_site = false
[pain]
worst_nrs = 8
character = ["mechanical", "inflammatory"]
concordant_with_lesion = true
[laboratory]
date = 2026-11-20
platelets_giga_per_l = 210
inr = 1.1
egfr_ml_per_min = 85
crp_mg_per_l = 4
[drugs]
anticoagulants = []
antiplatelets = []
antiangiogenic = false
[infection]
systemic = false
local = false
[decision]
tumor_board_date = 2026-11-12
tumor_board_participants = ["oncologist", "radiation_oncologist", "surgeon", "pain_physician"]
consultation_date = 2026-11-16
planned_date = 2026-11-24
side = "{side}"
[[lesion]]
name = "lesion_1"
site = "{site}"
level = "{level}"
side = "{side}"
matrix = "lytic"
vascularity_grade = 0
fracture = "none"
neurological_deficit = "none"
"""
CASES = {
    "right_iliac_lytic_softtissue": {"side": "right", "site": "iliac_wing", "level": ""},
    "L4_body_lytic": {"side": "midline", "site": "vertebra", "level": "L4"},
}


def run(name: str, shared_data: Path, trocar_command, place: Path) -> Path:
    """The dossier of a carved case after `trocar new` and `trocar run`."""
    folder = shared_data / "totalseg_carved_dev"
    (place / "clinical.toml").write_text(CLINICAL.format(**CASES[name]))
    trocar_command(
        "new", place / "dossier", "--ct", folder / f"{name}_ct.nii.gz",
        "--structures", folder / "labels_1p5mm.nii.gz", "--structure", f"lesion_1={folder / f'{name}_lesion.nii.gz'}",
        "--clinical", place / "clinical.toml", check=0,
    )  # fmt: skip
    trocar_command("run", place / "dossier", "--spacing-mm", "3", check=0)
    return place / "dossier"
