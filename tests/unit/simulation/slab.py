"""A small synthetic case: muscle with a slab of bone, a lesion in both, and a nerve beside it."""

import numpy as np

from trocar.model.case import Case, Clinical, LesionContext, Oncology, Role, Structure
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Duration, Placement, Plan, ProtocolPhase, Step, Technique

SHAPE, SPACING_MM = (50, 50, 50), 2.0
CENTER_MM = np.array([49.0, 49.0, 49.0])
NERVE_X_MM = 66.0
ANY_DURATION = Duration(low=5, typical=10, high=20)


def ball(center_mm, radius_mm):
    points = np.moveaxis(np.indices(SHAPE), 0, -1) * SPACING_MM
    return np.linalg.norm(points - center_mm, axis=-1) <= radius_mm


def synthetic_case(*, nerve=True, intent=("palliative",), vascularity_grade=2):
    grid = Grid.aligned(origin_lps_mm=(0, 0, 0), spacing_mm=(SPACING_MM,) * 3, shape=SHAPE)
    hu = np.full(SHAPE, 50.0, np.float32)
    bone = np.zeros(SHAPE, dtype=bool)
    bone[:, 28:36] = True
    lesion = ball(CENTER_MM, 10.0)
    hu[bone & ~lesion] = 600.0
    structures = [
        Structure(name="hip_left", role=Role.BONE, inside=bone),
        Structure(name="lesion_1", role=Role.LESION, inside=lesion),
    ]
    if nerve:
        line = tuple((NERVE_X_MM, 49.0, float(z)) for z in range(10, 90, 10))
        tube = np.zeros(SHAPE, dtype=bool)
        tube[33, 24:26] = True
        structures.append(
            Structure(name="sciatic_nerve_left", role=Role.NERVE, inside=tube, centerline_lps_mm=line, diameter_mm=4.0)
        )
    return Case(
        case_id="synthetic",
        ct=Volume(grid=grid, values=hu, unit="HU"),
        structures=tuple(structures),
        clinical=Clinical(
            oncology=Oncology(intent=intent),
            lesion=(LesionContext(name="lesion_1", vascularity_grade=vascularity_grade),),
        ),
        synthetic=True,
    )


def probe(x_mm, *, name="probe-1", device="cryoprobe-17g-icesphere"):
    """A probe along z through the lesion's middle, at an x."""
    return Placement(
        device=device, role="probe", name=name, entry_lps_mm=(x_mm, 49.0, 85.0), target_lps_mm=(x_mm, 49.0, 38.0),
        skin_lps_mm=(x_mm, 49.0, 95.0), length_mm=47.0, diameter_mm=1.5,
    )  # fmt: skip


def cryoablation(*probes, protocol=None):
    return Step(
        id="cryoablation-1", technique=Technique.CRYOABLATION, action="ABLATE", lesion="lesion_1",
        duration_min=ANY_DURATION, placements=probes or (probe(49.0),),
        protocol=protocol or (ProtocolPhase(phase="freeze", duration_s=300.0, setting=1.0),),
    )  # fmt: skip


def planned(*steps):
    return Plan(lesion="lesion_1", steps=steps)


def cement(*, duration=ANY_DURATION):
    bead = Placement(
        device="cement-pmma-generic", role="cement", name="bead", entry_lps_mm=(49, 49, 60), target_lps_mm=(49, 52, 49),
        skin_lps_mm=(49, 49, 95), length_mm=11.0, diameter_mm=3.0, volume_ml=2.0,
    )  # fmt: skip
    return Step(
        id="cement-1", technique=Technique.CEMENT, action="CEMENT_INJECT", lesion="lesion_1", duration_min=duration,
        placements=(bead,),
    )  # fmt: skip


def embolization(scale):
    return Step(
        id="embolization-1", technique=Technique.EMBOLIZATION, action="EMBOLISE", lesion="lesion_1",
        duration_min=ANY_DURATION, perfusion_scale=scale,
    )  # fmt: skip


def heater(x_mm, *, device, name="electrode-1", tip_mm=40.0, diameter_mm=1.5):
    """An electrode or antenna along z through the lesion's middle, at an x."""
    return Placement(
        device=device, role="probe", name=name, entry_lps_mm=(x_mm, 49.0, 85.0), target_lps_mm=(x_mm, 49.0, tip_mm),
        skin_lps_mm=(x_mm, 49.0, 95.0), length_mm=85.0 - tip_mm, diameter_mm=diameter_mm,
    )  # fmt: skip


def heating(*placements, technique=Technique.RADIOFREQUENCY, protocol, program=None):
    return Step(
        id="heat-1", technique=technique, action="ABLATE", lesion="lesion_1", duration_min=ANY_DURATION,
        placements=placements, protocol=protocol, program=program,
    )  # fmt: skip
