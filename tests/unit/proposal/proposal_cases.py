"""The acceptance scenarios A1 to A8 as cases and hand-made assessments: a clinical file and what was measured."""

import datetime
from dataclasses import dataclass, replace

import numpy as np

from trocar.model.case import (
    Case,
    Clinical,
    Decision,
    Drugs,
    Infection,
    Laboratory,
    LesionContext,
    Oncology,
    Pain,
    Patient,
    Role,
    Side,
    Structure,
)
from trocar.model.finding import Assessment, Compartments, LesionMeasure, Neighbor, Score, ScoreItem
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Proposal, Technique
from trocar.proposal.propose import propose

ORIGIN = (0.0, 0.0, 0.0)
AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PARTICIPANTS = ("oncologist", "radiation_oncologist", "surgeon", "pain_physician", "interventional_radiologist")


@dataclass(frozen=True)
class Scenario:
    """A clinical file and an assessment, easy to vary."""

    clinical: Clinical
    measure: LesionMeasure
    scores: tuple[Score, ...] = ()

    def proposals(self) -> tuple[Proposal, ...]:
        return propose(self.case(), self.assessment())

    def case(self) -> Case:
        grid = small_grid()
        inside = np.zeros(grid.shape, dtype=bool)
        inside[1, 1, 1] = True
        return Case(
            case_id="scenario",
            ct=Volume(grid=grid, values=np.zeros(grid.shape, dtype=np.float32), unit="HU"),
            structures=(Structure(name="lesion_1", role=Role.LESION, inside=inside),),
            clinical=self.clinical,
            acquired=datetime.date(2026, 11, 13),
        )

    def assessment(self) -> Assessment:
        return Assessment(lesions=(self.measure,), scores=self.scores)

    def lesion(self, **changes: object) -> "Scenario":
        context = replace(self.clinical.lesion[0], **changes)
        return replace(self, clinical=replace(self.clinical, lesion=(context,)))

    def having(self, group: str, **changes: object) -> "Scenario":
        """The scenario with fields of one group of the clinical file changed."""
        record = replace(getattr(self.clinical, group), **changes)
        return replace(self, clinical=replace(self.clinical, **{group: record}))

    def measured(self, **changes: object) -> "Scenario":
        return replace(self, measure=replace(self.measure, **changes))


def small_grid() -> Grid:
    return Grid(shape=(3, 3, 3), lps_from_ijk=tuple(map(tuple, np.eye(4).tolist())))


def neighbor(name: str, role: Role, distance_mm: float) -> Neighbor:
    return Neighbor(name=name, role=role, distance_mm=distance_mm, nearest_lps_mm=ORIGIN, on_lesion_lps_mm=ORIGIN)


def measure(
    diameters_mm: tuple[float, float, float],
    *,
    side: Side | None,
    soft_tissue_frac: float,
    skin_distance_mm: float | None,
    neighbors: tuple[Neighbor, ...],
    breach_mm2: float = 200.0,
    host_bones: tuple[str, ...] = (),
) -> LesionMeasure:
    volume_ml = float(np.prod(diameters_mm)) * np.pi / 6.0 / 1000.0
    return LesionMeasure(
        name="lesion_1",
        site=None,
        side=side,
        volume_ml=volume_ml,
        diameters_mm=diameters_mm,
        diameter_axes=AXES,
        center_lps_mm=ORIGIN,
        compartments=Compartments(
            bone_ml=volume_ml * (1.0 - soft_tissue_frac), soft_tissue_ml=volume_ml * soft_tissue_frac
        ),
        lytic_frac=0.9,
        cortical_breach_mm2=breach_mm2,
        skin_distance_mm=skin_distance_mm,
        host_bones=host_bones,
        neighbors=neighbors,
    )


def score(name: str, total: float | None, maximum: float) -> Score:
    items = (ScoreItem(item="total", points=total, origin="entered"),)
    return Score(name=name, lesion="lesion_1", total=total, maximum=maximum, items=items, source="V58")


def clinical(side: Side, **lesion: object) -> Clinical:
    """A complete file: everything known, nothing that stops."""
    known = {
        "matrix": "lytic",
        "vascularity_grade": 0,
        "fracture": "none",
        "neurological_deficit": "none",
        "side": side,
    }
    return Clinical(
        patient=Patient(
            age_years=60, sex="male", weight_kg=78.0, ecog=1, asa=3, implants=(), allergies=(), cold_disorder=False
        ),
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
        laboratory=Laboratory(
            date=datetime.date(2026, 11, 20), platelets_giga_per_l=210, inr=1.1, egfr_ml_per_min=85, crp_mg_per_l=4
        ),
        drugs=Drugs(anticoagulants=(), antiplatelets=(), antiangiogenic=False),
        infection=Infection(systemic=False, local=False, fever=False, dental_sepsis=False),
        decision=Decision(
            tumor_board_date=datetime.date(2026, 11, 12),
            tumor_board_participants=PARTICIPANTS,
            consultation_date=datetime.date(2026, 11, 16),
            planned_date=datetime.date(2026, 11, 24),
            side=side,
            consent=True,
            new_symptom_since_ct=False,
            arterial_access="femoral",
        ),
        lesion=(LesionContext(name="lesion_1", **{**known, **lesion}),),
    )


def a1() -> Scenario:
    """Left iliac wing, lung cancer, large soft-tissue part."""
    return Scenario(
        clinical=clinical(Side.LEFT, site="iliac_wing"),
        measure=measure(
            (78.0, 55.0, 48.0),
            side=Side.LEFT,
            soft_tissue_frac=0.6,
            skin_distance_mm=28.0,
            neighbors=(
                neighbor("lumbosacral_trunk_left", Role.NERVE, 24.0),
                neighbor("sciatic_nerve_left", Role.NERVE, 26.0),
                neighbor("colon", Role.BOWEL, 31.0),
            ),
            host_bones=("hip_left",),
        ),
    ).having("patient", age_years=74)


def a2() -> Scenario:
    """Left sacral ala in contact with left S1, renal cancer, blush of grade 3."""
    scenario = Scenario(
        clinical=clinical(Side.LEFT, site="sacral_ala", vascularity_grade=3),
        measure=measure(
            (38.0, 32.0, 30.0),
            side=Side.LEFT,
            soft_tissue_frac=0.1,
            skin_distance_mm=45.0,
            neighbors=(
                neighbor("nerve_root_s1_left", Role.NERVE, 0.0),
                neighbor("nerve_root_l5_left", Role.NERVE, 6.0),
                neighbor("thecal_sac", Role.CORD, 15.0),
                neighbor("rectum", Role.BOWEL, 40.0),
            ),
            host_bones=("sacrum",),
        ),
    )
    return (
        scenario.having("oncology", primary="kidney", biopsy_purpose=("confirm_origin", "molecular"))
        .having("patient", age_years=69)
        .having("laboratory", inr=1.0, platelets_giga_per_l=250)
    )


def a3(*, opinion: str | None) -> Scenario:
    """L3, breast, SINS 9."""
    scenario = Scenario(
        clinical=clinical(Side.MIDLINE, site="vertebra", level="L3", epidural_grade=0, posterior_wall="intact"),
        measure=measure(
            (22.0, 20.0, 18.0),
            side=Side.MIDLINE,
            soft_tissue_frac=0.0,
            skin_distance_mm=70.0,
            neighbors=(neighbor("thecal_sac", Role.CORD, 6.0), neighbor("nerve_root_l3_left", Role.NERVE, 12.0)),
            breach_mm2=0.0,
            host_bones=("vertebrae_L3",),
        ),
        scores=(score("SINS", 9, 18),),
    )
    return (
        scenario.having("oncology", primary="breast", biopsy_requested=False)
        .having("patient", age_years=58, sex="female", pregnant=False)
        .having("decision", surgical_opinion=opinion)
    )


def a4() -> Scenario:
    """Right acetabular roof, lung, mechanical pain."""
    scenario = Scenario(
        clinical=clinical(Side.RIGHT, site="acetabulum"),
        measure=measure(
            (58.0, 45.0, 40.0),
            side=Side.RIGHT,
            soft_tissue_frac=0.3,
            skin_distance_mm=60.0,
            neighbors=(
                neighbor("femoral_nerve_right", Role.NERVE, 28.0),
                neighbor("colon", Role.BOWEL, 40.0),
                neighbor("urinary_bladder", Role.BLADDER, 35.0),
            ),
            host_bones=("hip_right",),
        ),
    )
    return scenario.having("pain", worst_nrs=9, character=("mechanical",)).having("patient", ecog=2)


def a5() -> Scenario:
    """Left seventh rib, liver cancer, chest wall."""
    scenario = Scenario(
        clinical=clinical(Side.LEFT, site="rib", vascularity_grade=2),
        measure=measure(
            (30.0, 28.0, 26.0),
            side=Side.LEFT,
            soft_tissue_frac=0.8,
            skin_distance_mm=14.0,
            neighbors=(neighbor("intercostal_nerve_left_7", Role.NERVE, 0.0), neighbor("pleura", Role.PLEURA, 0.0)),
        ),
    )
    return scenario.having("oncology", primary="liver").having("pain", character=("inflammatory",))


def a6(*, opinion: str | None) -> Scenario:
    """Left femoral neck, thyroid cancer, Mirels 12."""
    scenario = Scenario(
        clinical=clinical(Side.LEFT, site="proximal_femur", fracture="impending", vascularity_grade=3),
        measure=measure(
            (40.0, 34.0, 30.0),
            side=Side.LEFT,
            soft_tissue_frac=0.1,
            skin_distance_mm=50.0,
            neighbors=(neighbor("sciatic_nerve_left", Role.NERVE, 35.0),),
            host_bones=("femur_left",),
        ),
        scores=(score("Mirels", 12, 12),),
    )
    return (
        scenario.having("oncology", primary="thyroid")
        .having("pain", character=("mechanical",))
        .having("decision", surgical_opinion=opinion)
        .having("patient", asa=3 if opinion is None else 4)
    )


def a7a() -> Scenario:
    """T9, new paraparesis, cord compressed."""
    scenario = Scenario(
        clinical=clinical(
            Side.MIDLINE,
            site="vertebra",
            level="T9",
            epidural_grade=3,
            posterior_wall="breached",
            neurological_deficit="paraparesis",
        ),
        measure=measure(
            (30.0, 26.0, 24.0),
            side=Side.MIDLINE,
            soft_tissue_frac=0.3,
            skin_distance_mm=60.0,
            neighbors=(neighbor("spinal_cord", Role.CORD, 0.0),),
            host_bones=("vertebrae_T9",),
        ),
        scores=(score("SINS", 12, 18),),
    )
    return scenario


def a7b() -> Scenario:
    """Platelets 38, INR 2.1, apixaban."""
    return a1().having("laboratory", platelets_giga_per_l=38, inr=2.1).having("drugs", anticoagulants=("apixaban",))


def a7c() -> Scenario:
    """INR missing."""
    return a1().having("laboratory", inr=None)


def a8() -> Scenario:
    """Sclerotic prostate metastasis of the ilium, pain not concordant, many lesions."""
    scenario = Scenario(
        clinical=clinical(Side.LEFT, site="iliac_wing", matrix="sclerotic"),
        measure=measure(
            (25.0, 22.0, 20.0),
            side=Side.LEFT,
            soft_tissue_frac=0.0,
            skin_distance_mm=40.0,
            neighbors=(neighbor("sciatic_nerve_left", Role.NERVE, 40.0), neighbor("colon", Role.BOWEL, 50.0)),
            breach_mm2=0.0,
        ),
    )
    return scenario.having(
        "oncology", primary="prostate", metastases_total=14, metastases_painful=8, biopsy_requested=False
    ).having("pain", worst_nrs=3, character=("inflammatory",), concordant_with_lesion=False)


def steps(proposal: Proposal) -> list[str]:
    return [step.step for step in proposal.sequence]


def held(proposal: Proposal) -> set[Technique]:
    return {technique for technique in Technique if proposal.indicates(technique)}


def fired(proposal: Proposal, *outcomes: str) -> set[str]:
    """The rule ids of the gates with these outcomes."""
    return {gate.rule for gate in proposal.gates if gate.outcome in outcomes}
