"""The patient as trocar knows him: the planning CT, the structures on it, and the clinical context."""

import datetime
from dataclasses import dataclass, field, fields
from enum import StrEnum

from trocar.errors import CaseError
from trocar.model.record import Record, Vector, bounded
from trocar.model.space import Array, Grid, Volume, frozen_array

LARGEST_LESION_ML = 5000


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


class Role(StrEnum):
    """What a structure is to a planner."""

    LESION = "lesion"
    BONE = "bone"
    NERVE = "nerve"
    CORD = "cord"
    VESSEL = "vessel"
    BOWEL = "bowel"
    BLADDER = "bladder"
    URETER = "ureter"
    ORGAN = "organ"
    LUNG = "lung"
    PLEURA = "pleura"
    JOINT = "joint"
    SKIN = "skin"
    MUSCLE = "muscle"
    FAT = "fat"
    FLUID = "fluid"
    IMPLANT = "implant"
    CEMENT = "cement"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure(Record):
    """One named region of the planning grid; `inside` is boolean [i, j, k].

    A nerve given as a curve keeps it (`centerline_lps_mm`, `diameter_mm`), so that distances to it do not depend
    on the voxels. Structures may overlap: a lesion lies inside a bone.
    """

    name: str
    role: Role
    inside: Array = field(repr=False)
    side: Side | None = None
    centerline_lps_mm: tuple[Vector, ...] = ()
    diameter_mm: float | None = None
    origin: str = ""  # where it came from: the file, and whether it was resampled

    def __post_init__(self) -> None:
        super(Structure, self).__post_init__()
        if self.inside.dtype != bool:
            raise CaseError(f"structure {self.name!r} is not a boolean mask")
        frozen_array(self.inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient(Record):
    age_years: float | None = bounded(0, 120)
    sex: str | None = None
    weight_kg: float | None = bounded(2, 400)
    ecog: int | None = bounded(0, 4)
    asa: int | None = bounded(1, 6)
    positions_tolerated: tuple[str, ...] | None = None
    implants: tuple[str, ...] | None = None
    allergies: tuple[str, ...] | None = None
    cold_disorder: bool | None = None
    pregnant: bool | None = None
    kps: int | None = bounded(0, 100)
    mobility: str | None = None
    anesthesia_fitness: str | None = None
    prone_min: float | None = bounded(0, 1440)
    supine_min: float | None = bounded(0, 1440)
    lateral_min: float | None = bounded(0, 1440)
    implant_distance_mm: float | None = bounded(0, 2000)
    cardiopulmonary_disease: str | None = None
    severe_osteopenia: bool | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Oncology(Record):
    primary: str | None = None
    intent: tuple[str, ...] | None = None
    metastases_total: int | None = bounded(0, 1000)
    metastases_painful: int | None = bounded(0, 1000)
    expected_survival_months: float | None = bounded(0, 600)
    biopsy_requested: bool | None = None
    biopsy_purpose: tuple[str, ...] | None = None
    prior_radiotherapy_at_site: bool | None = None
    radiotherapy_planned: bool | None = None
    histology: str | None = None
    molecular_need: bool | None = None
    biopsy_available: bool | None = None
    metastases_bone: int | None = bounded(0, 1000)
    progression: str | None = None
    survival_tool: str | None = None
    systemic_therapies: tuple[str, ...] | None = None
    systemic_last_date: datetime.date | None = None
    systemic_next_date: datetime.date | None = None
    bone_agents: tuple[str, ...] | None = None
    radiotherapy_dose_Gy: float | None = bounded(0, 200)
    radiotherapy_fractions: int | None = bounded(0, 60)
    radiotherapy_date: datetime.date | None = None
    radiotherapy_planned_date: datetime.date | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Pain(Record):
    worst_nrs: float | None = bounded(0, 10)
    character: tuple[str, ...] | None = None
    concordant_with_lesion: bool | None = None
    average_nrs: float | None = bounded(0, 10)
    rest_nrs: float | None = bounded(0, 10)
    movement_nrs: float | None = bounded(0, 10)
    morphine_mg_per_d: float | None = bounded(0, 5000)
    analgesics_failed: bool | None = None
    radiotherapy_failed: bool | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory(Record):
    date: datetime.date | None = None
    platelets_giga_per_l: float | None = bounded(0, 3000)
    inr: float | None = bounded(0.5, 20)
    egfr_ml_per_min: float | None = bounded(0, 250)
    crp_mg_per_l: float | None = bounded(0, 1000)
    hemoglobin_g_per_l: float | None = bounded(20, 250)
    fibrinogen_g_per_l: float | None = bounded(0, 20)
    creatinine_umol_per_l: float | None = bounded(5, 3000)
    white_cells_giga_per_l: float | None = bounded(0, 1000)
    calcium_mmol_per_l: float | None = bounded(0.5, 6)
    pregnancy_test_positive: bool | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Drugs(Record):
    anticoagulants: tuple[str, ...] | None = None
    antiplatelets: tuple[str, ...] | None = None
    antiangiogenic: bool | None = None
    anticoagulant_last_dose_h: float | None = bounded(0, 8760)
    antiplatelet_last_dose_h: float | None = bounded(0, 8760)
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Infection(Record):
    systemic: bool | None = None
    local: bool | None = None
    fever: bool | None = None
    dental_sepsis: bool | None = None
    crp_explained: bool | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """What the team decided, and when; `side` is the side it decided on."""

    tumor_board_date: datetime.date | None = None
    tumor_board_participants: tuple[str, ...] | None = None
    consultation_date: datetime.date | None = None
    planned_date: datetime.date | None = None
    planning_ct_date: datetime.date | None = None  # where the image has none
    side: Side | None = None
    surgical_opinion: str | None = None  # surgery_preferred, percutaneous_agreed, unfit, declined
    neuromonitoring_planned: bool | None = None
    nerve_block_planned: bool | None = None
    meeting_type: str | None = None
    consent: bool | None = None
    guidance: tuple[str, ...] | None = None
    anesthesia: str | None = None
    arterial_access: str | None = None
    antibiotic_decided: bool | None = None
    new_symptom_since_ct: bool | None = None
    later_surgery_expected: bool | None = None
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionContext(Record):
    """What is known of one lesion beyond its shape; `name` is that of its structure."""

    name: str
    site: str | None = None
    level: str | None = None
    side: Side | None = None
    matrix: str | None = None
    vascularity_grade: int | None = bounded(0, 3)
    fracture: str | None = None
    neurological_deficit: str | None = None
    epidural_grade: int | None = bounded(0, 3)  # ESCC
    posterior_wall: str | None = None  # intact, breached
    alignment: str | None = None  # normal, de_novo_deformity, subluxation (SINS)
    vertebral_collapse: str | None = None  # none, none_body_above_half, below_half, above_half (SINS)
    posterolateral_involvement: str | None = None  # none, unilateral, bilateral (SINS)
    bones: tuple[str, ...] | None = None
    diameters_mm: tuple[float, ...] | None = None
    volume_ml: float | None = bounded(0, LARGEST_LESION_ML)
    lytic_frac: float | None = bounded(0, 1)
    soft_tissue_ml: float | None = bounded(0, LARGEST_LESION_ML)
    soft_tissue_frac: float | None = bounded(0, 1)
    cortical_breach_mm2: float | None = bounded(0, 100000)
    cortex_destroyed_frac: float | None = bounded(0, 1)
    axial_cortical_mm: float | None = bounded(0, 600)
    subchondral_plate: str | None = None
    medial_wall: str | None = None
    lateral_cortex: str | None = None
    acetabular_roof: str | None = None
    anterior_column: str | None = None
    posterior_column: str | None = None
    solitary_for_cure: bool | None = None
    arterial_enhancement: str | None = None
    articular_extension: bool | None = None
    foraminal_extension: bool | None = None
    dangerous_anastomosis: bool | None = None
    spinal_artery_shared: bool | None = None
    embolized_with: tuple[str, ...] | None = None  # forms of agents in it before the planning CT: glue, oil ...
    worst_nrs: float | None = bounded(0, 10)
    from_imaging: tuple[str, ...] = ()  # fields that trocar filled from the image
    not_applicable: tuple[str, ...] = ()  # fields without a meaning for this patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinical(Record):
    """The clinical context. `None` is unknown, never normal; an empty tuple is a known absence."""

    patient: Patient = Patient()
    oncology: Oncology = Oncology()
    pain: Pain = Pain()
    laboratory: Laboratory = Laboratory()
    drugs: Drugs = Drugs()
    infection: Infection = Infection()
    decision: Decision = Decision()
    lesion: tuple[LesionContext, ...] = ()


def unknown_fields(clinical: Clinical) -> tuple[str, ...]:
    """Every field that is neither known nor declared not applicable, as `group.field`; a lesion's when any lacks it."""
    found: dict[str, None] = {}
    for group in fields(clinical):
        held = getattr(clinical, group.name)
        for record in (held or (LesionContext(name=""),)) if isinstance(held, tuple) else (held,):
            for item in fields(record):
                absent = getattr(record, item.name) is None and item.name not in record.not_applicable
                found.update({f"{group.name}.{item.name}": None} if absent else {})
    return tuple(found)


class Severity(StrEnum):
    """How far a geometric finding lies from what was expected."""

    NOTED = "noted"  # above the first threshold: said
    REPAIRED = "repaired"  # resampled explicitly, and said


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryFinding(Record):
    """One thing the reader met in an image's geometry and what it did about it."""

    subject: str  # the file or series
    finding: str  # slice_spacing, gantry_tilt, label_resampled ...
    severity: Severity
    value: float
    limit: float
    unit: str
    message: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Case(Record):
    """One patient's planning CT with structures on its grid, and what is known clinically. Pseudonymous."""

    case_id: str
    ct: Volume
    structures: tuple[Structure, ...]
    clinical: Clinical = Clinical()
    phases: dict[str, Volume] = field(default_factory=dict)
    acquired: datetime.date | None = None  # shifted on reading
    geometry: tuple[GeometryFinding, ...] = ()
    contrast_enhanced: bool | None = None
    synthetic: bool = False

    def __post_init__(self) -> None:
        super(Case, self).__post_init__()
        names = [structure.name for structure in self.structures]
        if len(set(names)) != len(names):
            raise CaseError(f"two structures share a name: {sorted({n for n in names if names.count(n) > 1})}")
        for structure in self.structures:
            if structure.inside.shape != self.grid.shape:
                raise CaseError(f"structure {structure.name!r} is not on the CT's grid")

    @property
    def grid(self) -> Grid:
        return self.ct.grid

    @property
    def planning_ct_date(self) -> datetime.date | None:
        """The day of the planning CT: the image's own or the one stated, the earlier where they differ."""
        known = [date for date in (self.acquired, self.clinical.decision.planning_ct_date) if date is not None]
        return min(known, default=None)

    @property
    def lesions(self) -> tuple[Structure, ...]:
        return self.with_role(Role.LESION)

    def with_role(self, *roles: Role) -> tuple[Structure, ...]:
        """The structures of these roles, in the case's order."""
        return tuple(structure for structure in self.structures if structure.role in roles)

    def structure(self, name: str) -> Structure:
        """The structure of this name. Raises `CaseError` when there is none."""
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise CaseError(
            f"no structure is named {name!r}", hint=f"there are: {', '.join(s.name for s in self.structures)}"
        )

    def context(self, lesion: str) -> LesionContext:
        """What is known of a lesion; all unknown when the clinical file does not speak of it."""
        for known in self.clinical.lesion:
            if known.name == lesion:
                return known
        return LesionContext(name=lesion)
