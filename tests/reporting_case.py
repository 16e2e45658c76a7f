"""A small left-right asymmetric case with every finding, made by hand from the records, for the tests of the report."""

import datetime

import numpy as np

from trocar.model.case import Case, Clinical, Decision, LesionContext, Patient, Role, Side, Structure
from trocar.model.finding import (
    Assessment,
    CementDeposit,
    Check,
    Compartments,
    Exposure,
    History,
    LesionMeasure,
    Neighbor,
    Simulation,
    State,
    Verdict,
    Zone,
    ZoneCoverage,
)
from trocar.model.space import Grid, Volume, as_matrix4, as_vector
from trocar.model.strength import Interval, LoadedState, MeshCheck, ScrewHold, Strength
from trocar.model.treatment import (
    Counterfactual,
    Duration,
    GateOutcome,
    KitItem,
    Missing,
    Placement,
    Plan,
    Proposal,
    ProposalVerdict,
    ProtocolPhase,
    Reason,
    Rejection,
    SequenceStep,
    Step,
    Technique,
    TechniqueOption,
    TechniqueStatus,
    Text,
)
from trocar.model.verification import FoundSegment, Margin, PlacementError, Registration, SeenIce, Verification

GRID = Grid.aligned(origin_lps_mm=(-90.0, -70.0, -60.0), spacing_mm=(2.0, 2.0, 2.5), shape=(91, 71, 49))


def oblique_grid() -> Grid:
    """The same box turned by 12 degrees about the body's axis and 8 about the left-right one."""
    a, b = np.radians([12.0, 8.0])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_x @ np.diag([2.0, 2.0, 2.5])
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(GRID.shape) - 1) / 2
    return Grid(shape=GRID.shape, lps_from_ijk=as_matrix4(matrix))


LESION_MM = np.array([52.0, 8.0, 4.0])
MARKER_MM = np.array([30.0, -26.0, 4.0])  # a dense ball that only the left front holds
MARKER_HU = 1500.0
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


OBLIQUE = oblique_grid()


def points(grid: Grid = GRID) -> np.ndarray:
    """(i, j, k, 3) voxel centers."""
    return grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))


def ball(places: np.ndarray, center: np.ndarray, radii: tuple[float, float, float]) -> np.ndarray:
    return (((places - center) / radii) ** 2).sum(axis=-1) <= 1.0


def case(
    *,
    nerves: bool = True,
    clinical: Clinical | None = None,
    case_id: str = "P-0001",
    grid: Grid = GRID,
    mirrored: bool = False,
) -> Case:
    """A trunk with two hip bones, a lesion in the left one, two nerves, and a dense ball in the left front.

    `mirrored` exchanges left and right of everything, names included.
    """
    rng = np.random.default_rng(7)
    places = points(grid) * ([-1.0, 1.0, 1.0] if mirrored else [1.0, 1.0, 1.0])
    near, far = ("right", "left") if mirrored else ("left", "right")
    body = ball(places, np.array([0.0, 0.0, 0.0]), (86.0, 66.0, 400.0))
    host, other = (ball(places, np.array([sign * 50.0, 5.0, 0.0]), (14.0, 42.0, 52.0)) for sign in (1, -1))
    lesion = ball(places, LESION_MM, (22.0, 18.0, 16.0))
    values = np.full(grid.shape, -1000.0)
    values[body] = 45.0
    values[host | other] = 420.0
    values[lesion] = 60.0
    values[ball(places, MARKER_MM, (9.0, 9.0, 9.0))] = MARKER_HU
    values += rng.normal(0.0, 12.0, grid.shape)
    structures = [
        Structure(name="body", role=Role.BODY, inside=body),
        Structure(name=f"hip_{near}", role=Role.BONE, inside=host, side=Side(near)),
        Structure(name=f"hip_{far}", role=Role.BONE, inside=other, side=Side(far)),
        Structure(name="lesion_1", role=Role.LESION, inside=lesion, side=Side(near)),
    ]
    if nerves:
        structures += [
            nerve(places, f"sciatic_nerve_{near}", 30.0, 44.0, 7.0),
            nerve(places, f"nerve_root_s1_{near}", 18.0, 22.0, 5.0),
        ]
    return Case(
        case_id=case_id,
        ct=Volume(grid=grid, values=np.rint(values).astype(np.int16), unit="HU"),
        structures=tuple(structures),
        clinical=clinical or known_clinical(side=Side(near)),
        acquired=datetime.date(2026, 11, 2),
        synthetic=True,
    )


def nerve(places: np.ndarray, name: str, x_mm: float, y_mm: float, diameter_mm: float) -> Structure:
    away = np.linalg.norm(places[..., :2] - [x_mm, y_mm], axis=-1)
    return Structure(name=name, role=Role.NERVE, inside=away <= diameter_mm / 2, diameter_mm=diameter_mm)


def known_clinical(*, side: Side = Side.LEFT) -> Clinical:
    return Clinical(
        patient=Patient(age_years=74),
        decision=Decision(tumor_board_date=datetime.date(2026, 11, 12), side=side),
        lesion=(LesionContext(name="lesion_1", site="iliac_wing", side=side, matrix="lytic"),),
    )


def assessment() -> Assessment:
    measure = LesionMeasure(
        name="lesion_1",
        site="iliac_wing",
        side=Side.LEFT,
        volume_ml=26.5,
        diameters_mm=(44.0, 36.0, 32.0),
        diameter_axes=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        center_lps_mm=as_vector(LESION_MM),
        compartments=Compartments(bone_ml=10.6, soft_tissue_ml=15.9),
        lytic_frac=0.92,
        cortical_breach_mm2=812.0,
        skin_distance_mm=12.4,
        host_bones=("hip_left",),
        neighbors=(
            Neighbor(
                name="sciatic_nerve_left",
                role=Role.NERVE,
                distance_mm=18.25,
                nearest_lps_mm=(30.0, 40.5, 4.0),
                on_lesion_lps_mm=(45.0, 24.0, 4.0),
            ),
        ),
    )
    checks = (
        Check(name="voxel_size", value=2.5, limit=1.0, unit="mm", verdict=Verdict.WARN, source="design"),
        Check(
            name="structure_segmented",
            subject="bowel",
            value=None,
            limit=None,
            unit="",
            verdict=Verdict.UNKNOWN,
            source="software default",
            message="no structure of this role",
        ),
    )
    return Assessment(lesions=(measure,), checks=checks, absent_roles=(Role.BOWEL,))


def proposal() -> Proposal:
    reason = Reason(
        rule="T5",
        strength="SHOULD",
        grade="C",
        text=Text(en="Painful lytic lesion with a soft-tissue part.", fr="Lésion lytique douloureuse, parties molles."),
        source="V3",
    )
    against = Reason(rule="T8", strength="INFO", grade="D", text=Text(en="No blush.", fr="Pas de blush."), source="R-h")
    return Proposal(
        rank=1,
        lesion="lesion_1",
        verdict=ProposalVerdict.DISCUSS,
        variant="screw_then_cement",
        intent="palliative",
        summary=Text(en="Cryoablation, screw and cement", fr="Cryoablation, vis et ciment"),
        techniques=(
            TechniqueOption(technique=Technique.CRYOABLATION, status=TechniqueStatus.INDICATED, reasons_for=(reason,)),
            TechniqueOption(
                technique=Technique.EMBOLIZATION, status=TechniqueStatus.NOT_INDICATED, reasons_against=(against,)
            ),
        ),
        sequence=(
            SequenceStep(id="biopsy-1", step="BIOPSY", technique=Technique.BIOPSY),
            SequenceStep(id="cryoablation-1", step="ABLATE", after=("biopsy-1",), hard=True, edges=("E4",)),
        ),
        gates=(GateOutcome(rule="G2", outcome="pass", message=Text(en="INR known.", fr="INR connu."), source="V1"),),
        missing=(Missing(field="laboratory.inr", rules=("G2",), why=Text(en="Bleeding.", fr="Saignement.")),),
        counterfactuals=(
            Counterfactual(
                change=Text(en="Were it renal", fr="S'il était rénal"), effect=Text(en="embolize", fr="emboliser")
            ),
        ),
        ruleset="2026.1 abc",
    )


def placement(name: str, role: str, device: str, entry: tuple, target: tuple, diameter_mm: float, **more) -> Placement:
    return Placement(
        name=name,
        role=role,
        device=device,
        entry_lps_mm=entry,
        target_lps_mm=target,
        skin_lps_mm=more.pop("skin", entry),
        length_mm=float(np.linalg.norm(np.subtract(entry, target))),
        diameter_mm=diameter_mm,
        **more,
    )


def plan() -> Plan:
    minutes = Duration(low=10.0, typical=15.0, high=25.0)
    lateral = (84.0, 8.0, 4.0)
    biopsy = Step(
        id="biopsy-1",
        technique=Technique.BIOPSY,
        action="BIOPSY",
        lesion="lesion_1",
        duration_min=minutes,
        placements=(placement("biopsy-1", "biopsy", "needle-soft-tissue-18g", lateral, (60.0, 8.0, 4.0), 1.27),),
        position="supine",
    )
    probes = tuple(
        placement(f"probe-{n}", "probe", "cryoprobe-14g-iceforce", (84.0, y, 4.0), (44.0, y, 4.0), 2.1)
        for n, y in enumerate((2.0, 16.0), start=1)
    )
    freezing = Step(
        id="cryoablation-1",
        technique=Technique.CRYOABLATION,
        action="ABLATE",
        lesion="lesion_1",
        after=("biopsy-1",),
        duration_min=Duration(low=35.0, typical=40.0, high=55.0),
        placements=probes,
        protocol=(
            ProtocolPhase(phase="freeze", duration_s=600.0, setting=1.0),
            ProtocolPhase(phase="thaw_passive", duration_s=300.0),
            ProtocolPhase(phase="freeze", duration_s=600.0, setting=1.0),
        ),
        notes=(Text(en="Control every 3 minutes.", fr="Contrôle toutes les 3 minutes."),),
        checks=(
            Check(
                name="probe_spacing",
                subject="probe-1",
                value=14.0,
                limit=10.0,
                unit="mm",
                verdict=Verdict.PASS,
                source="V7",
            ),
        ),
    )
    screw = Step(
        id="screw-1",
        technique=Technique.SCREW,
        action="SCREW",
        lesion="lesion_1",
        after=("cryoablation-1",),
        duration_min=minutes,
        placements=(placement("screw-1", "screw", "screw-7.3", (50.0, -30.0, 10.0), (50.0, 40.0, -4.0), 7.3),),
    )
    cement = Step(
        id="cement-1",
        technique=Technique.CEMENT,
        action="CEMENT_INJECT",
        lesion="lesion_1",
        after=("screw-1",),
        duration_min=minutes,
        placements=tuple(
            placement(f"cement-{n}", "cement", "cement-pmma-generic", lateral, target, 3.4, volume_ml=3.0)
            for n, target in enumerate(((50.0, -26.0, 9.0), (50.0, 36.0, -3.0)), start=1)
        ),
    )
    return Plan(
        lesion="lesion_1",
        steps=(biopsy, freezing, screw, cement),
        kit=(KitItem(device="cryoprobe-14g-iceforce", quantity=2, spare=1, step="cryoablation-1"),),
        rejected=(
            Rejection(
                what="cryoprobe: 12 paths from posterior left, nearest miss from (1.00, 2.00, 3.00) "
                "to (4.00, 5.00, 6.00)",
                constraint="nerve_clearance",
                structure="sciatic_nerve_left",
                value_mm=1.2,
                limit_mm=5.0,
            ),
        ),
        alternatives=(Text(en="Three probes cover 61 %.", fr="Trois sondes couvrent 61 %."),),
        ruleset="2026.1 abc",
    )


def coldest() -> Volume:
    """An ice ball: -60 degC at the lesion's middle, 37 far away."""
    away = np.linalg.norm((points() - LESION_MM) / (1.0, 0.9, 0.8), axis=-1)
    return Volume(grid=GRID, values=np.clip(-60.0 + 97.0 * away / 34.0, -60.0, 37.0).astype(np.float32), unit="degC")


def simulation() -> Simulation:
    zones = {
        f"{degC}_degC": Zone(
            volume_ml=volume,
            coverage_frac=ZoneCoverage(lesion=lesion, bone=bone, soft_tissue=soft),
            minimal_margin_mm=margin,
            minimal_margin_lps_mm=(60.0, 20.0, 4.0),
        )
        for degC, volume, lesion, bone, soft, margin in (
            (0, 39.1, 0.99, 0.98, 1.0, -0.4),
            (-20, 11.2, 0.74, 0.71, 0.76, -5.1),
            (-40, 1.4, 0.21, 0.2, 0.22, -11.0),
        )
    }
    exposures = (
        Exposure(
            name="sciatic_nerve_left",
            role=Role.NERVE,
            minimum_degC=8.4,
            maximum_degC=37.0,
            minimum_lps_mm=(30.0, 40.5, 4.0),
            distance_to_ice_mm=6.2,
            first_crossing_s=1180.0,
        ),
    )
    time_s = tuple(float(t) for t in range(0, 1501, 60))
    history = History(
        step="cryoablation-1",
        name="sciatic_nerve_left",
        time_s=time_s,
        minimum_degC=tuple(37.0 - 28.6 * t / 1500.0 for t in time_s),
        maximum_degC=tuple(37.0 for _ in time_s),
    )
    check = Check(
        name="nerve_minimum_temperature",
        subject="sciatic_nerve_left",
        value=8.4,
        limit=10.0,
        unit="degC",
        verdict=Verdict.FAIL,
        source="V26",
        message="10 degC is crossed at 19.7 min",
    )
    return Simulation(
        states=(
            State(
                step="cryoablation-1",
                moment="after",
                time_s=1500.0,
                lesion="lesion_1",
                zones=zones,
                structures=exposures,
            ),
        ),
        histories=(history,),
        deposits=(CementDeposit(name="cement-1", center_lps_mm=(50.0, -26.0, 9.0), volume_ml=3.0, radius_mm=8.95),),
        model="enthalpy",
        fields={"cryoablation-1/minimum_degC": coldest()},
        checks=(check,),
    )


def verification() -> Verification:
    """A control in which one probe was found 3.2 mm off and the other was not found."""
    first, second = plan().step("cryoablation-1").placements
    found = FoundSegment(entry_lps_mm=first.entry_lps_mm, target_lps_mm=(44.0, 5.2, 4.0))
    planned = [FoundSegment(entry_lps_mm=p.entry_lps_mm, target_lps_mm=p.target_lps_mm) for p in (first, second)]
    return Verification(
        registration=Registration(
            control_from_plan=as_matrix4(np.eye(4)), residual_mm=0.62, method="rigid on hip_left", compared_frac=0.8
        ),
        placements=(
            PlacementError(name="probe-1", planned=planned[0], found=found, tip_error_mm=3.2, angle_error_deg=1.4),
            PlacementError(name="probe-2", planned=planned[1], found=None, tip_error_mm=None, angle_error_deg=None),
        ),
        ice=SeenIce(volume_ml=33.0, visible_frac=0.71, dice_with_prediction=0.88),
        margins=(
            Margin(
                zone="0_degC_seen",
                minimum_mm=-1.2,
                interval_mm=(-2.6, 0.3),
                p1_mm=-0.9,
                p5_mm=0.4,
                assessable_frac=0.58,
                where_lps_mm=(60.0, 20.0, 4.0),
            ),
        ),
        checks=(
            Check(
                name="tip_error",
                subject="probe-2",
                value=None,
                limit=5.0,
                unit="mm",
                verdict=Verdict.UNKNOWN,
                source="design",
                message="not found",
            ),
        ),
    )


def strength() -> Strength:
    """Two loads, three states, a screw; as a pelvis would give them."""

    def row(state: str, load: str, frac: float, against: float) -> LoadedState:
        around = Interval(low_frac=0.7 * frac, median_frac=frac, high_frac=2.4 * frac)
        gain = Interval(low_frac=against, median_frac=against, high_frac=against)
        return LoadedState(
            state=state, load=load, bone=around, against_before=gain, stiffness_against_before=gain,
            fails_first="bone: tension", where_lps_mm=(50.0, 8.0, 4.0),
        )  # fmt: skip

    return Strength(
        lesion="lesion_1", bone="hip_left", site="pelvis", weight_kg=70.0, spacing_mm=2.0,
        laws=("dalstra-1993-pelvis",), catalog_version="1", density_scale="air+fat", loads=("walking", "torsion"),
        rows=tuple(
            row(state, load, frac * share, frac / 0.6)
            for load, share in (("walking", 1.0), ("torsion", 0.3))
            for state, frac in (("intact_estimate", 0.4), ("before", 0.6), ("planned", 0.5))
        ),
        screws=(
            ScrewHold(
                name="screw-1", anchored_mm=40.0, pull_out_N=1500.0, pull_out_cemented_N=None, decay_length_mm=17.0,
                source="R-h",
            ),
        ),
        worst_residual_frac=1e-3, most_iterations=30, caveats=("strength_not_validated_here", "load_prior"),
        mesh=MeshCheck(
            coarse_spacing_mm=3.0, bone_change_frac=0.2, bone_where="before, walking", against_before_change_frac=0.05,
            against_before_where="planned, walking",
        ),
        checks=(
            Check(
                name="load_to_strength", subject="lesion_1", value=1.2, limit=1.0, unit="1", verdict=Verdict.WARN,
                source="software default",
                message="linear and bonded; absolute strength of this site is not validated: compare the ratios",
            ),
        ),
    )  # fmt: skip


def findings() -> tuple:
    return assessment(), proposal(), plan(), simulation(), strength()
