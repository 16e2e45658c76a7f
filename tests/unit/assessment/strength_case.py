"""A block vertebra with a lytic ball, in fat: small enough to be solved in a blink."""

import numpy as np

from trocar.materials.density import DensityScale
from trocar.model.case import Case, Clinical, Patient, Role, Side, Structure
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Duration, Placement, Plan, Step, Technique

SCALE = DensityScale(slope_g_per_cm3_HU=0.0008, offset_g_per_cm3=0.0, origin="test")


def block_case(center=(6.0, 0.0, 0.0), radius_mm=9.0, weight_kg=70.0):
    """48 x 40 x 30 mm of bone with a cortex of 2 mm; the lesion's center is given from the block's middle."""
    shape = (60, 52, 42)
    grid = Grid.aligned(origin_lps_mm=(-29.5, -25.5, -20.5), spacing_mm=(1.0, 1.0, 1.0), shape=shape)
    at = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1))
    half = np.array([24.0, 20.0, 15.0])
    bone = (np.abs(at) < half).all(axis=-1)
    core = (np.abs(at) < half - 2).all(axis=-1)
    lesion = np.linalg.norm(at - np.asarray(center), axis=-1) < radius_mm
    hu = np.where(bone, np.where(core, 180.0, 1200.0), -100.0)
    hu = np.where(lesion, 40.0, hu).astype(np.float32)
    return Case(
        case_id="block",
        ct=Volume(grid=grid, values=hu, unit="HU"),
        structures=(
            Structure(name="lesion_1", role=Role.LESION, inside=lesion, side=Side.LEFT),
            Structure(name="vertebrae_L3", role=Role.BONE, inside=bone),
        ),
        clinical=Clinical(patient=Patient(weight_kg=weight_kg)),
        contrast_enhanced=False,
    )


def screw(start, end, diameter_mm=6.5, name="screw_1"):
    """A screw between two points, LPS mm."""
    length = float(np.linalg.norm(np.subtract(end, start)))
    return Placement(
        device="screw-6.5", role="screw", name=name, entry_lps_mm=start, target_lps_mm=end, skin_lps_mm=start,
        length_mm=length, diameter_mm=diameter_mm,
    )  # fmt: skip


def bead(target, volume_ml):
    """A bead of cement."""
    return Placement(
        device="cement", role="cement", name="bead", entry_lps_mm=target, target_lps_mm=target, skin_lps_mm=target,
        length_mm=0.0, diameter_mm=3.0, volume_ml=volume_ml,
    )  # fmt: skip


def plan_of(*placements):
    """A plan of one step with these placements."""
    step = Step(
        id="S1", technique=Technique.CEMENT, action="CEMENT_INJECT", lesion="lesion_1",
        duration_min=Duration(low=1, typical=1, high=1), placements=placements,
    )  # fmt: skip
    return Plan(lesion="lesion_1", steps=(step,))
