"""A small torso with everything a planner must mind: a plate of bone, a tumor, a nerve, a vessel and bowel."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from coldline import cold_line

from trocar.model.case import Case, Clinical, LesionContext, Patient, Role, Side, Structure
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Plan, Proposal, ProposalVerdict, SequenceStep, Technique, Text
from trocar.planning.plan import plan

SPACING_MM = 2.0
PLATE_MM = (42.0, 64.0)  # x of the two faces of the bone
NERVE = ((30.0, 16.0, -70.0), (32.0, 10.0, 0.0), (34.0, 18.0, 70.0))
NERVE_DIAMETER_MM = 5.0


def grid() -> Grid:
    shape = (110, 90, 90)
    origin = tuple(-(n - 1) / 2 * SPACING_MM for n in shape)
    return Grid.aligned(origin_lps_mm=origin, spacing_mm=(SPACING_MM,) * 3, shape=shape)


def torso() -> Case:
    """Lesion on the patient's left: half in the bone, half in the soft tissue lateral of it."""
    on = grid()
    x, y, z = np.moveaxis(on.to_lps(np.moveaxis(np.indices(on.shape), 0, -1)), -1, 0)
    body = (x / 96) ** 2 + (y / 74) ** 2 <= 1.0
    bone = (x > PLATE_MM[0]) & (x < PLATE_MM[1]) & (np.abs(y) < 42) & (np.abs(z) < 62)
    marrow = (x > 44) & (x < 62) & (np.abs(y) < 40) & (np.abs(z) < 60)
    lesion = ((x - 62) / 17) ** 2 + ((y + 4) / 19) ** 2 + ((z - 3) / 24) ** 2 <= 1.0
    bowel = (x + 20) ** 2 + (y + 10) ** 2 <= 26**2
    vessel = np.hypot(x - 20, y + 45) <= 5
    values = np.where(body, 40.0, -1000.0)
    values[bone], values[marrow], values[lesion] = 1200.0, 220.0, 45.0
    course = np.asarray(NERVE)
    nerve = np.zeros(on.shape, dtype=bool)
    for start, end in pairwise(course):
        for part in np.linspace(0, 1, 80):
            point = start + part * (end - start)
            nerve |= (x - point[0]) ** 2 + (y - point[1]) ** 2 + (z - point[2]) ** 2 <= (NERVE_DIAMETER_MM / 2) ** 2
    return Case(
        case_id="torso",
        ct=Volume(grid=on, values=values.astype(np.float32), unit="HU"),
        structures=(
            Structure(name="lesion_1", role=Role.LESION, inside=lesion, side=Side.LEFT),
            Structure(name="body", role=Role.BODY, inside=body),
            Structure(name="hip_left", role=Role.BONE, inside=bone, side=Side.LEFT),
            Structure(name="colon", role=Role.BOWEL, inside=bowel & body),
            Structure(name="iliac_artery_left", role=Role.VESSEL, inside=vessel & body, side=Side.LEFT),
            Structure(
                name="sciatic_nerve_left",
                role=Role.NERVE,
                inside=nerve,
                side=Side.LEFT,
                centerline_lps_mm=NERVE,
                diameter_mm=NERVE_DIAMETER_MM,
            ),
        ),
        clinical=Clinical(
            patient=Patient(age_years=74.0, positions_tolerated=("supine", "lateral", "prone")),
            lesion=(LesionContext(name="lesion_1", site="iliac_wing", side=Side.LEFT),),
        ),
        synthetic=True,
    )


def mirrored(case: Case) -> Case:
    """The same patient with left and right exchanged; the grid is symmetric about x = 0."""

    def turned(item: Structure) -> Structure:
        return replace(
            item,
            name=item.name.replace("left", "right"),
            inside=item.inside[::-1].copy(),
            side=Side.RIGHT if item.side is Side.LEFT else item.side,
            centerline_lps_mm=tuple((-x, y, z) for x, y, z in item.centerline_lps_mm),
        )

    return replace(
        case,
        ct=replace(case.ct, values=case.ct.values[::-1].copy()),
        structures=tuple(turned(item) for item in case.structures),
    )


def without(case: Case, *roles: Role) -> Case:
    """The case with structures of these roles not segmented."""
    return replace(case, structures=tuple(item for item in case.structures if item.role not in roles))


def proposed(*, intent: str = "palliative", variant: str = "screw_then_cement", screws: int = 1) -> Proposal:
    """A whole combination in its usual order."""
    order = [("biopsy-1", "BIOPSY", Technique.BIOPSY), ("cryoablation-1", "ABLATE", Technique.CRYOABLATION)]
    pairs = [
        [(f"screw-{n}", "SCREW", Technique.SCREW), (f"cement-{n}", "CEMENT_INJECT", Technique.CEMENT)]
        for n in range(1, screws + 1)
    ]
    if intent == "protected":
        order.insert(1, ("protection-1", "PROTECT", Technique.PROTECTION))
    if variant == "screw_mounted_on_cement":
        pairs = [pair[::-1] for pair in pairs]
    order += [step for pair in pairs for step in pair]
    names = [name for name, _, _ in order]
    return Proposal(
        rank=1,
        lesion="lesion_1",
        verdict=ProposalVerdict.DISCUSS,
        variant=variant,
        intent=intent,
        summary=Text(en="whole combination", fr="combinaison complète"),
        sequence=tuple(
            SequenceStep(id=name, step=step, technique=technique, after=tuple(names[:at][-1:]))
            for at, (name, step, technique) in enumerate(order)
        ),
    )


@pytest.fixture(scope="session")
def case() -> Case:
    return torso()


@pytest.fixture(scope="session")
def mirror_image(case: Case) -> Case:
    return mirrored(case)


@pytest.fixture(scope="session")
def proposal() -> Proposal:
    return proposed()


@pytest.fixture(scope="session")
def two_screws() -> Proposal:
    return proposed(screws=2)


@pytest.fixture(scope="session")
def protected_proposal() -> Proposal:
    return proposed(intent="protected", variant="screw_mounted_on_cement", screws=2)


@pytest.fixture(scope="session")
def no_nerve_no_vessel(case: Case) -> Case:
    return without(case, Role.NERVE, Role.VESSEL)


@pytest.fixture(scope="session")
def planned(case: Case, proposal: Proposal) -> Plan:
    return plan(case, proposal)


@pytest.fixture(scope="session")
def spared(case: Case, protected_proposal: Proposal) -> Plan:
    return plan(case, protected_proposal, predictor=cold_line(case))
