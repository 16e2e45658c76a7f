"""A control CT of a synthetic case: the patient has moved, probes are in, ice has formed; with its truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from trocar.imaging.resample import resample
from trocar.model.case import Case
from trocar.model.record import Matrix4, Record
from trocar.model.space import Array, Grid, Segment, Volume, as_matrix4, as_vector
from trocar.model.treatment import Placement
from trocar.phantoms.scanner import BLUR_MM, NOISE_HU, correlated_noise

# HU and water by volume: fat, muscle and tumor, marrow, cortex; ice lowers HU in proportion (thermal.md, section 8).
WATER_FRAC = (
    (-400.0, 0.0),
    (-160.0, 0.13),
    (-70.0, 0.13),
    (0.0, 1.0),
    (20.0, 0.86),
    (80.0, 0.79),
    (200.0, 0.32),
    (600.0, 0.26),
    (1200.0, 0.2),
)
ICE_DROP_HU = 83.0  # of pure water, all frozen: its density falls from 1000 to 917 kg/m3
METAL_HU, CEMENT_HU = 9000.0, 1900.0
OUTSIDE_SKIN_MM = 45.0  # what stands out of the skin
MARGIN_MM = 12.0  # by how much the control is shorter than the planning CT, head and foot
FRESH_FRAC = 0.8  # resampling between voxels leaves about 0.6 of the planning CT's noise; 0.8 fills it up
_IMPLANTS = ("screw",)


@dataclass(frozen=True, kw_only=True)
class Control(Record):
    """A control CT (`case`, without structures) and what is true of it.

    `placed_in_plan` and `placed_in_control` are the placements as they really lie, in each frame; `planned` as asked.
    """

    case: Case
    control_from_plan: Matrix4
    planned: tuple[Placement, ...]
    placed_in_plan: tuple[Placement, ...]
    placed_in_control: tuple[Placement, ...]
    ice: Volume | None = None


def control(
    case: Case,
    placements: Sequence[Placement] = (),
    ice: Volume | None = None,
    *,
    seed: int = 0,
    shift_mm: float = 5.0,
    turn_deg: float = 2.5,
    placement_sd_mm: float = 1.2,
    noise_HU: float = NOISE_HU,
) -> Control:
    """The same patient scanned again during treatment.

    He has moved by `shift_mm` and turned by `turn_deg` about random axes; each tip and entry lies off its plan by a
    normal error of `placement_sd_mm` per axis. `ice` is the frozen fraction (0..1) of the water, in the plan's frame
    on any grid. The tissue is the planning CT resampled, with fresh noise on what the resampling leaves of the old.
    """
    rng = np.random.default_rng([seed, 7919])
    control_from_plan = _moved(case.grid, rng, shift_mm, turn_deg)
    placed = tuple(_misplaced(placement, rng, placement_sd_mm) for placement in placements)
    frozen = _frozen(case.ct, ice)
    on = _control_grid(case.grid, rng)
    values = _resampled(frozen, case.grid, on, control_from_plan)
    there = tuple(_transformed(placement, control_from_plan) for placement in placed)
    values = _with_devices(values, on, there)
    values += correlated_noise(on, rng, noise_HU * FRESH_FRAC)
    scan = Case(
        case_id=f"{case.case_id}-control",
        ct=Volume(grid=on, values=np.clip(np.round(values), -1024, 3071).astype(np.int16), unit="HU"),
        structures=(),
        acquired=case.clinical.decision.planned_date,
        contrast_enhanced=False,
        synthetic=True,
    )
    return Control(
        case=scan,
        control_from_plan=as_matrix4(control_from_plan),
        planned=tuple(placements),
        placed_in_plan=placed,
        placed_in_control=there,
        ice=ice,
    )


def water_frac(values_HU: Array) -> Array:
    """Water by volume (0..1) that tissue of these HU holds, piecewise linear between `WATER_FRAC`."""
    levels, fractions = np.array(WATER_FRAC).T
    return np.interp(values_HU, levels, fractions).astype(np.float32)


def _moved(grid: Grid, rng: np.random.Generator, shift_mm: float, turn_deg: float) -> Array:
    axis, way = rng.normal(size=3), rng.normal(size=3)
    turn = Rotation.from_rotvec(np.radians(turn_deg) * axis / np.linalg.norm(axis)).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = grid.center_lps_mm - turn @ grid.center_lps_mm + shift_mm * way / np.linalg.norm(way)
    return matrix


def _misplaced(placement: Placement, rng: np.random.Generator, sd_mm: float) -> Placement:
    """The placement as the hand put it: its depth is kept, so that the error is one of aim."""
    entry = np.asarray(placement.entry_lps_mm) + rng.normal(scale=sd_mm / 2, size=3)
    target = np.asarray(placement.target_lps_mm) + rng.normal(scale=sd_mm, size=3)
    way = (target - entry) / np.linalg.norm(target - entry)
    outside = float(np.linalg.norm(np.subtract(placement.entry_lps_mm, placement.skin_lps_mm)))
    return replace(
        placement,
        entry_lps_mm=as_vector(entry),
        target_lps_mm=as_vector(target),
        skin_lps_mm=as_vector(entry - outside * way),
        length_mm=float(np.linalg.norm(target - entry)),
    )


def _transformed(placement: Placement, matrix: Array) -> Placement:
    entry, target, skin = (
        as_vector(matrix[:3, :3] @ np.asarray(point) + matrix[:3, 3])
        for point in (placement.entry_lps_mm, placement.target_lps_mm, placement.skin_lps_mm)
    )
    return replace(placement, entry_lps_mm=entry, target_lps_mm=target, skin_lps_mm=skin)


def _frozen(ct: Volume, ice: Volume | None) -> Array:
    """[i, j, k] the planning CT's HU with the drop that the ice brings."""
    values = ct.values.astype(np.float32)
    if ice is None:
        return values
    fraction = np.clip(resample(ice, ct.grid, outside=0.0).values, 0.0, 1.0)
    calm = ndimage.gaussian_filter(values, 0.8 / ct.grid.spacing_mm)
    frozen: Array = values - np.float32(ICE_DROP_HU) * water_frac(calm) * fraction.astype(np.float32)
    return frozen


def _control_grid(plan: Grid, rng: np.random.Generator) -> Grid:
    """Another field of view: same spacing, off by a fraction of a voxel, shorter at head and foot."""
    trim = np.round(MARGIN_MM / plan.spacing_mm[2]).astype(int) if plan.shape[2] > 60 else 1
    shape = (plan.shape[0], plan.shape[1], plan.shape[2] - 2 * int(trim))
    matrix = plan.matrix.copy()
    matrix[:3, 3] = plan.to_lps(np.array([0, 0, trim]) + rng.uniform(0.2, 0.8, size=3))
    return Grid(shape=shape, lps_from_ijk=as_matrix4(matrix))


def _resampled(values: Array, plan: Grid, on: Grid, control_from_plan: Array) -> Array:
    plan_ijk_from_ijk = plan.ijk_from_lps @ np.linalg.inv(control_from_plan) @ on.matrix
    moved: Array = ndimage.affine_transform(
        values,
        plan_ijk_from_ijk[:3, :3],
        plan_ijk_from_ijk[:3, 3],
        output_shape=on.shape,
        order=1,
        mode="constant",
        cval=-1000.0,
        prefilter=False,
    )
    return moved


def _with_devices(values: Array, grid: Grid, placed: Sequence[Placement]) -> Array:
    """The values with metal and cement, blurred as the scanner blurs them."""
    for placement in placed:
        low, high, distance = _device_distance(placement, grid)
        if distance.size == 0:
            continue
        cover = np.clip(0.5 - distance / float(grid.spacing_mm.mean()), 0.0, 1.0)
        # A probe thinner than a voxel keeps its cross-section.
        thin = min(1.0, (placement.diameter_mm / float(grid.spacing_mm[:2].mean())) ** 2)
        cover = ndimage.gaussian_filter(
            cover * (thin if placement.role != "cement" else 1.0), BLUR_MM / grid.spacing_mm
        )
        cut = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        device_HU = CEMENT_HU if placement.role == "cement" else METAL_HU
        values[cut] += cover.astype(np.float32) * (np.float32(device_HU) - values[cut])
    return values


def _device_distance(placement: Placement, grid: Grid) -> tuple[Array, Array, Array]:
    """(low, high, distance): the box of indices around a device and the signed distances (mm) to it there."""
    start, end = _extent(placement)
    radius = placement.diameter_mm / 2
    if placement.role == "cement" and placement.volume_ml is not None:
        radius = float(np.cbrt(placement.volume_ml * 1000 * 3 / (4 * np.pi)))
    ends = grid.to_ijk(np.stack([start, end]))
    reach = (radius + 4.0) / grid.spacing_mm
    low = np.clip(np.floor(ends.min(axis=0) - reach).astype(int), 0, grid.shape)
    high = np.clip(np.ceil(ends.max(axis=0) + reach).astype(int) + 1, low, grid.shape)
    indices = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    points = grid.to_lps(np.stack(np.meshgrid(*indices, indexing="ij"), -1))
    if np.allclose(start, end):
        return low, high, np.linalg.norm(points - end, axis=-1) - radius
    return low, high, Segment(start_lps_mm=as_vector(start), end_lps_mm=as_vector(end)).distance_mm(points) - radius


def _extent(placement: Placement) -> tuple[Array, Array]:
    """Both ends of the metal: an implant's axis, a point of cement, or a needle from outside the skin to its tip."""
    entry, target, skin = (
        np.asarray(p, dtype=float) for p in (placement.entry_lps_mm, placement.target_lps_mm, placement.skin_lps_mm)
    )
    if placement.role == "cement":
        return target, target
    if placement.role in _IMPLANTS:
        return entry, target
    way = target - skin
    length = float(np.linalg.norm(way))
    return skin - way * (OUTSIDE_SKIN_MM / length) if length > 0 else skin, target
