"""The box of tissue that is simulated, and the needles in it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from trocar.catalog import device
from trocar.catalog.applicators import heating_segments
from trocar.errors import CaseError, CatalogError
from trocar.imaging.resample import box_grid
from trocar.model.case import Case, Structure
from trocar.model.device import Cryoprobe
from trocar.model.space import Array, Grid, Segment, as_matrix4, as_vector
from trocar.model.treatment import Placement, Plan, Step
from trocar.physics.lines import Line
from trocar.physics.source import Ramp

NEEDLE_PAD_MM = 45.0  # ice of 20 mm around a needle, and 25 mm beyond it where the tissue is at rest
LESION_PAD_MM = 4.0
RASTER_MM = 24.0  # like needles share one box, and with it one tissue
CEMENT_PAD_MM = 20.0  # twice a deposit's volume, and its heat


def probes(step: Step) -> tuple[Placement, ...]:
    """The step's cryoprobes."""
    return tuple(placement for placement in step.placements if placement.role == "probe")


def cryoprobe(placement: Placement) -> Cryoprobe:
    """The placement's device. Raises `CatalogError` when it is no cryoprobe or its cold end is unknown."""
    found = device(placement.device)
    if not isinstance(found, Cryoprobe):
        raise CatalogError(f"{placement.device!r} is not a cryoprobe", hint="a probe of a freezing step must be one")
    for name in ("active_length_mm", "surface_degC"):
        if getattr(found, name) is None:
            raise CatalogError(
                f"{found.id}: {name} is unknown, so its ice cannot be simulated",
                hint="transcribe it from the manufacturer's table, or plan with cryoprobe-17g-generic",
            )
    return found


def active_segment(placement: Placement) -> Segment:
    """The freezing part of a probe, from its distal to its proximal end."""
    probe = cryoprobe(placement)
    shaft = np.subtract(placement.entry_lps_mm, placement.target_lps_mm)
    length = float(np.linalg.norm(shaft))
    if not length > 0:
        raise CaseError(f"probe {placement.name!r} has no direction", hint="its entry and target are one point")
    tip = np.asarray(placement.target_lps_mm) + shaft / length * (probe.tip_offset_mm or 0.0)
    end = tip + shaft / length * float(probe.active_length_mm or 0.0)
    return Segment(start_lps_mm=as_vector(tip), end_lps_mm=as_vector(end))


def line(placement: Placement, grid: Grid) -> Line:
    """The probe as the physics knows it, in meters from the center of the grid's first cell."""
    spacing_m = float(grid.spacing_mm[0]) / 1000.0
    segment = active_segment(placement)
    return Line(
        tip_m=grid.to_ijk(segment.start_lps_mm) * spacing_m,
        tail_m=grid.to_ijk(segment.end_lps_mm) * spacing_m,
        radius_m=placement.diameter_mm / 2000.0,
    )


def cooling(placement: Placement, *, from_degC: float, duty: float) -> Ramp:
    """A probe's surface temperature once gas flows."""
    probe = cryoprobe(placement)
    return Ramp(start_degC=from_degC, end_degC=float(probe.surface_degC or 0.0), time_s=probe.ramp_s or 0.0, duty=duty)


def needles_of(plan: Plan) -> tuple[Segment, ...]:
    """Where the plan freezes and heats."""
    return tuple(piece for step in plan.steps if step.technique.ablates for piece in working_segments(step))


def working_segments(step: Step) -> tuple[Segment, ...]:
    """Where a step freezes or heats."""
    if step.technique.heats:
        return tuple(piece for probe in probes(step) for piece in heating_segments(probe))
    return tuple(active_segment(probe) for probe in probes(step))


def plan_grid(case: Case, plan: Plan, *, spacing_mm: float) -> Grid:
    """The simulated box: all needles with room for their ice, the lesion, and what is implanted."""
    needles = [end for piece in needles_of(plan) for end in _ends(piece)]
    lasting = [
        end
        for step in plan.steps
        for placement in step.placements
        if placement.role in ("screw", "cement")
        for end in (placement.entry_lps_mm, placement.target_lps_mm)
    ]
    lesions = [lesion_points(case, name) for name in sorted({plan.lesion, *(step.lesion for step in plan.steps)})]
    cement = [p.target_lps_mm for step in plan.steps for p in step.placements if p.role == "cement"]
    others = np.concatenate([*lesions, np.reshape(lasting, (-1, 3)), _around(np.reshape(cement, (-1, 3)), case)])
    return _box(needles, others, case, spacing_mm)


def shared_grid(case: Case, steps: Sequence[Step], spacing_mm: float) -> Grid:
    """One box for alternative steps on one lesion, its edges on a raster from the CT's first voxel, always the same."""
    axes = case.grid.directions
    first = case.grid.to_lps([0, 0, 0]) @ axes
    low, high = (
        first + RASTER_MM * rounded((edge - first) / RASTER_MM)
        for rounded, edge in zip((np.floor, np.ceil), _steps_box(case, steps), strict=True)
    )
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes * spacing_mm, axes @ low
    i, j, k = (int(n) for n in np.rint((high - low) / spacing_mm).astype(int) + 1)
    return Grid(shape=(i, j, k), lps_from_ijk=as_matrix4(matrix))


def _steps_box(case: Case, steps: Sequence[Step]) -> tuple[Array, Array]:
    """(3,) lowest and highest place along the CT's axes, in mm, of tissue around alternative steps."""
    needles = [end for step in steps for piece in working_segments(step) for end in _ends(piece)]
    low, high = _lesion_extent(case.structure(steps[0].lesion), case.grid)
    if not needles:
        return low, high
    along = np.stack(needles) @ case.grid.directions
    return np.minimum(low, along.min(axis=0) - NEEDLE_PAD_MM), np.maximum(high, along.max(axis=0) + NEEDLE_PAD_MM)


@lru_cache(maxsize=2)
def _lesion_extent(lesion: Structure, grid: Grid) -> tuple[Array, Array]:
    """What is kept of a lesion keeps its mask alive, not its case."""
    along = _points(lesion, grid) @ grid.directions
    return along.min(axis=0) - LESION_PAD_MM, along.max(axis=0) + LESION_PAD_MM


def lesion_points(case: Case, name: str) -> Array:
    """(n, 3) centers of a lesion's voxels. Raises `CaseError` when the case has no such lesion, or it is empty."""
    return _points(case.structure(name), case.grid)


def _points(lesion: Structure, grid: Grid) -> Array:
    if not lesion.inside.any():
        raise CaseError(f"lesion {lesion.name!r} is empty", hint="check its mask")
    return grid.to_lps(np.argwhere(lesion.inside))


def _ends(segment: Segment) -> tuple[Array, Array]:
    return np.asarray(segment.start_lps_mm), np.asarray(segment.end_lps_mm)


def _around(targets_lps_mm: Array, case: Case) -> Array:
    """(6 n, 3) what a box must reach, but for its pad, for the cement that is injected at the targets (n, 3)."""
    axes = case.grid.directions.T * (CEMENT_PAD_MM - LESION_PAD_MM)
    return (targets_lps_mm[:, None] + np.concatenate([axes, -axes])).reshape(-1, 3)


def _box(needles: Sequence[Array], others: Array, case: Case, spacing_mm: float) -> Grid:
    """A grid around both, each with its own pad, along the CT's axes from a voxel's center."""
    axes = case.grid.directions
    padded = [others @ axes + side * LESION_PAD_MM for side in (-1, 1)]
    if len(needles):
        padded += [np.stack(needles) @ axes + side * NEEDLE_PAD_MM for side in (-1, 1)]
    along = np.concatenate(padded)
    first = case.grid.to_lps([0, 0, 0]) @ axes
    low = first + np.floor((along.min(axis=0) - first) / case.grid.spacing_mm) * case.grid.spacing_mm
    corners = np.stack([low, along.max(axis=0)]) @ axes.T
    return box_grid(corners, margin_mm=0.0, spacing_mm=spacing_mm, like=case.grid)
