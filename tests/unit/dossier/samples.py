"""Small nouns of every kind, made by hand."""

import numpy as np

from trocar.model.case import Case, Clinical, Patient, Role, Side, Structure
from trocar.model.finding import (
    Assessment,
    Check,
    Compartments,
    Exposure,
    LesionMeasure,
    Simulation,
    State,
    Verdict,
    Zone,
    ZoneCoverage,
)
from trocar.model.space import Grid, Volume
from trocar.model.strength import Interval, LoadedState, Strength
from trocar.model.treatment import (
    Duration,
    Placement,
    Plan,
    Proposal,
    ProposalVerdict,
    ProtocolPhase,
    Reason,
    Step,
    Technique,
    TechniqueOption,
    TechniqueStatus,
    Text,
)
from trocar.model.verification import FoundSegment, PlacementError, Registration, SeenIce, Verification

OBLIQUE = Grid(
    shape=(12, 10, 8),
    lps_from_ijk=(
        (0.8 * np.cos(0.3), -0.9 * np.sin(0.3), 0.0, -101.1),
        (0.8 * np.sin(0.3), 0.9 * np.cos(0.3), 0.0, 33.3),
        (0.0, 0.0, 1.7, -512.75),
        (0.0, 0.0, 0.0, 1.0),
    ),
)
TEXT = Text(en="Freeze, then cement", fr="Congeler, puis cimenter (métastase)")
CHECK = Check(
    name="nerve_minimum_temperature",
    subject="l5",
    value=8.5,
    limit=10.0,
    unit="degC",
    verdict=Verdict.FAIL,
    source="V26",
)


def case(seed: int = 0, *, grid: Grid = OBLIQUE) -> Case:
    random = np.random.default_rng(seed)
    inside = np.zeros(grid.shape, bool)
    inside[2:9, 2:8, 2:6] = True
    lesion = np.zeros(grid.shape, bool)
    lesion[4:7, 4:7, 3:5] = True
    return Case(
        case_id="sample",
        ct=Volume(grid=grid, values=random.integers(-1000, 1500, grid.shape).astype(np.float32), unit="HU"),
        structures=(
            Structure(name="hip_left", role=Role.BONE, inside=inside, side=Side.LEFT),
            Structure(name="lesion_1", role=Role.LESION, inside=lesion, side=Side.LEFT, origin="tumor.nii.gz"),
            Structure(
                name="sciatic_nerve_left",
                role=Role.NERVE,
                inside=~inside,
                centerline_lps_mm=((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)),
                diameter_mm=8.0,
            ),
        ),
        clinical=Clinical(patient=Patient(age_years=74.0, allergies=())),
        phases={"arterial": Volume(grid=grid, values=random.normal(size=grid.shape).astype(np.float32), unit="HU")},
    )


def assessment() -> Assessment:
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    lesion = LesionMeasure(
        name="lesion_1", site="iliac_wing", side=Side.LEFT, volume_ml=12.5, diameters_mm=(30.0, 28.0, 25.0),
        diameter_axes=axes, center_lps_mm=(1.0, 2.0, 3.0), compartments=Compartments(bone_ml=5.0, soft_tissue_ml=7.5),
        lytic_frac=None, cortical_breach_mm2=None, skin_distance_mm=33.25,
    )  # fmt: skip
    return Assessment(lesions=(lesion,), checks=(CHECK,))


def proposal(rank: int = 1, verdict: ProposalVerdict = ProposalVerdict.DISCUSS) -> Proposal:
    reason = Reason(rule="T1", strength="should", grade="C", text=TEXT, source="V26")
    option = TechniqueOption(
        technique=Technique.CRYOABLATION, status=TechniqueStatus.INDICATED, reasons_for=(reason,), reasons_against=()
    )
    return Proposal(rank=rank, lesion="lesion_1", verdict=verdict, summary=TEXT, techniques=(option,))


def plan(**changes: object) -> Plan:
    placement = Placement(
        device="cryoprobe-17g-icerod", role="probe", name="probe-1", entry_lps_mm=(0.0, 0.0, 0.0),
        target_lps_mm=(0.0, 0.0, 40.1), skin_lps_mm=(0.0, 0.0, -60.0), length_mm=40.1, diameter_mm=1.5,
    )  # fmt: skip
    step = Step(
        id="cryoablation-1", technique=Technique.CRYOABLATION, action="ABLATE", lesion="lesion_1",
        duration_min=Duration(low=25, typical=30, high=40), placements=(placement,),
        protocol=(ProtocolPhase(phase="freeze", duration_s=600, setting=1.0),),
    )  # fmt: skip
    return Plan(**{"lesion": "lesion_1", "steps": (step,), **changes})


def simulation(seed: int = 0) -> Simulation:
    random = np.random.default_rng(seed)
    coverage = ZoneCoverage(lesion=0.9, bone=0.8, soft_tissue=1.0)
    state = State(
        step="cryoablation-1", moment="after", time_s=1800.0, lesion="lesion_1",
        zones={"-20_degC": Zone(volume_ml=9.5, coverage_frac=coverage, minimal_margin_mm=-1.5)},
        structures=(
            Exposure(name="l5", role=Role.NERVE, minimum_degC=8.5, maximum_degC=37.0, minimum_lps_mm=(0.0, 1.0, 2.0),
                     distance_to_ice_mm=2.5),
        ),
    )  # fmt: skip
    minimum_degC = random.uniform(-150, 37, OBLIQUE.shape).astype(np.float32)
    minimum_degC[0, 0, 0] = np.nan
    fields = {
        "cryoablation-1/minimum_degC": Volume(grid=OBLIQUE, values=minimum_degC, unit="degC"),
        "cement_frac": Volume(grid=OBLIQUE, values=random.uniform(size=OBLIQUE.shape).astype(np.float32), unit="1"),
        "ice": Volume(grid=OBLIQUE, values=minimum_degC < 0, unit="1"),
    }
    return Simulation(states=(state,), checks=(CHECK,), fields=fields)


def strength() -> Strength:
    row = LoadedState(
        state="before", load="walking", bone=Interval(low_frac=0.2, median_frac=0.4, high_frac=1.1),
        fails_first="bone: tension", where_lps_mm=(1.5, -2.0, 3.0),
    )  # fmt: skip
    return Strength(
        lesion="lesion_1", bone="hip_left", site="pelvis", weight_kg=70.0, spacing_mm=2.0, laws=("a",),
        catalog_version="1", density_scale="air+fat", loads=("walking",), rows=(row,), worst_residual_frac=1e-3,
        most_iterations=30, checks=(CHECK,),
    )  # fmt: skip


def verification() -> Verification:
    segment = FoundSegment(entry_lps_mm=(0.0, 0.0, 0.0), target_lps_mm=(0.0, 0.0, 40.0))
    identity = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
    return Verification(
        registration=Registration(control_from_plan=identity, residual_mm=0.3, method="rigid"),
        placements=(
            PlacementError(name="probe-1", planned=segment, found=None, tip_error_mm=None, angle_error_deg=None),
        ),
        ice=SeenIce(volume_ml=20.0, visible_frac=0.9, dice_with_prediction=0.85),
        as_placed=plan(),
    )
