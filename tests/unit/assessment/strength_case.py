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


def _structure(name, role, inside, side=None):
    return Structure(name=name, role=role, inside=inside, side=side)


def _of_70_kg(case_id, grid, hu, *structures):
    return Case(
        case_id=case_id, ct=Volume(grid=grid, values=hu, unit="HU"), contrast_enhanced=False,
        clinical=Clinical(patient=Patient(weight_kg=70.0)), structures=structures,
    )  # fmt: skip


def hip_case(side):
    """A slanting plate as hip bone, a sacrum medial of its top, a femoral head below; the right one is its mirror."""
    shape = (40, 30, 60)
    grid = Grid.aligned(origin_lps_mm=(-39.0, -29.0, -59.0), spacing_mm=(2.0, 2.0, 2.0), shape=shape)
    sign = -1.0 if side is Side.RIGHT else 1.0
    at = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) * [sign, 1, 1]
    x, y, z = np.moveaxis(at, -1, 0)
    bone = (np.abs(x - 0.15 * z) < 8) & (np.abs(y) < 20) & (np.abs(z) < 52)
    lesion = bone & (np.linalg.norm(at - [0.0, 5.0, 5.0], axis=-1) < 9)
    sacrum = (x < 0.15 * z - 9) & (x > -30) & (z > 30) & (np.abs(y) < 12) & (z < 50)
    head = (np.linalg.norm(at - [12.0, 0.0, -30.0], axis=-1) < 14) & ~bone
    gluteus = (x > 0.15 * z + 9) & (x < 0.15 * z + 16) & (z > 10) & (np.abs(y) < 20)
    hu = np.where(lesion, 40.0, np.where(bone, 400.0, -100.0)).astype(np.float32)
    name = side.value
    return _of_70_kg(
        "hip", grid, hu,
        _structure("lesion_1", Role.LESION, lesion, side), _structure(f"hip_{name}", Role.BONE, bone, side),
        _structure("sacrum", Role.BONE, sacrum), _structure(f"femur_{name}", Role.BONE, head, side),
        _structure(f"gluteus_medius_{name}", Role.MUSCLE, gluteus, side),
    )  # fmt: skip


def femur_case(side):
    """The upper end of a femur: shaft, trochanter, neck with a lesion, head under a cup; the right is its mirror."""
    shape = (44, 30, 56)
    grid = Grid.aligned(origin_lps_mm=(-43.0, -29.0, -69.0), spacing_mm=(2.0, 2.0, 2.0), shape=shape)
    sign = -1.0 if side is Side.RIGHT else 1.0
    at = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) * [sign, 1, 1] - [8.0, 0.0, 0.0]
    x, y, z = np.moveaxis(at, -1, 0)
    middle = np.array([-22.0, 0.0, 24.0])  # of the head, medial of the shaft

    def away(point):
        return np.linalg.norm(at - point, axis=-1)

    along = np.clip(((x * middle[0] + z * middle[2]) / (middle @ middle))[..., None], 0, 1) * middle
    neck = away(along) < 9
    shaft = (np.hypot(x, y) < 10) & (z < 4)
    bone = shaft | neck | (away(np.array([4.0, 4.0, 4.0])) < 14) | (away(middle) < 13)
    cup = (away(middle) >= 13) & (away(middle) < 18) & (z > 22) & ~bone
    lesion = bone & (away(0.5 * middle) < 7)
    hu = np.where(lesion, 40.0, np.where(bone, 500.0, -100.0)).astype(np.float32)
    name = side.value
    return _of_70_kg(
        "femur", grid, hu,
        _structure("lesion_1", Role.LESION, lesion, side), _structure(f"femur_{name}", Role.BONE, bone, side),
        _structure(f"hip_{name}", Role.BONE, cup, side),
    )  # fmt: skip


def processes_case():
    """A vertebral body with two processes behind it that reach 10 mm above and below its endplates."""
    shape = (50, 60, 52)
    grid = Grid.aligned(origin_lps_mm=(-24.5, -19.5, -25.5), spacing_mm=(1.0, 1.0, 1.0), shape=shape)
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    body = (np.abs(x) < 21) & (np.abs(y) < 15) & (np.abs(z) < 12)
    pedicles = (np.abs(np.abs(x) - 13) < 4) & (y > 10) & (y < 28) & (np.abs(z) < 7)
    facets = (np.abs(np.abs(x) - 13) < 5) & (np.abs(y - 28) < 5) & (np.abs(z) < 22)
    bone = body | pedicles | facets
    hu = np.where(bone, 300.0, -100.0).astype(np.float32)
    return Case(
        case_id="processes", ct=Volume(grid=grid, values=hu, unit="HU"), contrast_enhanced=False,
        structures=(_structure("vertebrae_L3", Role.BONE, bone),),
    )  # fmt: skip


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


def ring_case(side=Side.LEFT, gap_mm=3.0):
    """Two slanting hip plates that meet in front, a sacrum between them behind, a disc on it, femoral heads below."""
    shape = (84, 56, 52)
    grid = Grid.aligned(origin_lps_mm=(-83.0, -55.0, -51.0), spacing_mm=(2.0, 2.0, 2.0), shape=shape)
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    across = np.abs(x)
    wing = (np.abs(across - 42 + 0.3 * y - 0.1 * z) < 9) & (np.abs(y) < 48) & (np.abs(z) < 44) & (y > -20)
    ramus = (across > gap_mm / 2) & (across < 50) & (y > -46) & (y < -16) & (z > -44) & (z < -18)
    hips = wing | ramus
    limit = 42 - 0.3 * y + 0.1 * z - 9 - gap_mm
    sacrum = (across < limit) & (y > 20) & (y < 48) & (z > -10) & (z < 30)
    disc = (across < 18) & (y > 20) & (y < 46) & (z >= 30) & (z < 36)
    heads = np.linalg.norm(np.stack([across - 62, y + 4, z + 26], axis=-1), axis=-1) < 16
    gluteus = (across > 42 - 0.3 * y + 0.1 * z + 9) & (across < 66) & (z > 4) & (z < 40) & (y > -16) & (y < 30)
    own = (x > 0) if side is Side.LEFT else (x < 0)
    lesion = hips & own & (np.linalg.norm(np.stack([across - 42, y - 4, z - 2], axis=-1), axis=-1) < 12)
    hu = np.where(hips | sacrum, 400.0, -100.0)
    hu = np.where(lesion, 40.0, hu).astype(np.float32)
    structures = [
        _structure("lesion_1", Role.LESION, lesion, side), _structure("sacrum", Role.BONE, sacrum),
        _structure("disc_l5_s1", Role.ORGAN, disc),
    ]  # fmt: skip
    for one, half in ((Side.LEFT, x > 0), (Side.RIGHT, x < 0)):
        structures += [
            _structure(f"hip_{one.value}", Role.BONE, hips & half, one),
            _structure(f"femur_{one.value}", Role.BONE, heads & half & ~hips, one),
            _structure(f"gluteus_medius_{one.value}", Role.MUSCLE, gluteus & half & ~hips, one),
        ]
    return _of_70_kg("ring", grid, hu, *structures)
