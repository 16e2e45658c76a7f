"""Metal on the control CT: straight probes found near where they were planned, and matched to the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, linear_sum_assignment
from scipy.special import ndtr

from trocar.imaging.resample import sample
from trocar.imaging.surface import slices
from trocar.model.space import Array, Segment, Volume, as_vector
from trocar.model.treatment import Placement
from trocar.model.verification import FoundSegment, PlacementError

METAL_HU = 1500.0  # software default: above most cortex; a thin probe keeps this after partial volume
SHAFT_HU = 1000.0  # what counts for the axis once a probe is known to be there
REACH_MM = 30.0  # how far from its plan a probe is looked for
TURN_DEG = 25.0
SHORTEST_MM = 15.0
RADIUS_MM = 2.0
SCALE_END_HU = 3071.0  # of a 12-bit scanner


@dataclass(frozen=True, slots=True, eq=False)
class FoundLine:
    """A straight piece of metal: its deep end to a fraction of a voxel, and its unit direction towards that end."""

    tip_lps_mm: Array
    direction: Array
    length_mm: float


def find_probes(ct: Volume, planned: Sequence[Placement], *, seed: int = 0) -> tuple[FoundLine, ...]:
    """The straight metal lines of a CT (already in the plan's frame) near planned probes, longest first.

    Lines are drawn through pairs of metal voxels and the one with the longest unbroken run is taken, again and again.
    """
    points = _metal_points(ct, planned)
    directions = np.array([p.axis.direction for p in planned])
    diameter_mm = float(np.median([p.diameter_mm for p in planned]))
    rng = np.random.default_rng(seed)
    found: list[FoundLine] = []
    while len(points) >= 10 and len(found) < len(planned) + 3:
        line = _longest_line(points, directions, rng)
        if line is None:
            break
        point, direction = _fitted(ct, points, *line)
        point, direction = _fitted(ct, points, point, direction)
        along, across = _coordinates(points, point, direction)
        low, high = _extended(ct, point, direction, *_run(along[across <= RADIUS_MM]))
        if high - low >= SHORTEST_MM:
            tip = _tip(ct, point, direction, low, high, diameter_mm)
            found.append(FoundLine(point + tip * direction, direction, tip - low))
        keep = (across > RADIUS_MM + 1.5) | (along < low - 3) | (along > high + 3)
        if keep.all():
            break
        points = points[keep]
    return tuple(sorted(found, key=lambda line: -line.length_mm))


def match_probes(planned: Sequence[Placement], found: Sequence[FoundLine]) -> tuple[PlacementError, ...]:
    """Each planned probe with the line that is it, at the least sum of tip distances; unmatched ones without."""
    errors = np.full((len(planned), len(found)), 1e6)
    for row, placement in enumerate(planned):
        for column, line in enumerate(found):
            tip_mm = float(np.linalg.norm(line.tip_lps_mm - placement.target_lps_mm))
            if tip_mm <= REACH_MM and _angle_deg(placement.axis, line) <= TURN_DEG:
                errors[row, column] = tip_mm
    rows, columns = linear_sum_assignment(errors)
    matched = {int(r): found[int(c)] for r, c in zip(rows, columns, strict=True) if errors[r, c] < 1e6}
    return tuple(_error(placement, matched.get(row)) for row, placement in enumerate(planned))


def _error(placement: Placement, line: FoundLine | None) -> PlacementError:
    planned = FoundSegment(entry_lps_mm=placement.entry_lps_mm, target_lps_mm=placement.target_lps_mm)
    if line is None:
        return PlacementError(name=placement.name, planned=planned, found=None, tip_error_mm=None, angle_error_deg=None)
    entry = line.tip_lps_mm - placement.axis.length_mm * line.direction
    return PlacementError(
        name=placement.name,
        planned=planned,
        found=FoundSegment(entry_lps_mm=as_vector(entry), target_lps_mm=as_vector(line.tip_lps_mm)),
        tip_error_mm=float(np.linalg.norm(line.tip_lps_mm - placement.target_lps_mm)),
        angle_error_deg=_angle_deg(placement.axis, line),
    )


def _angle_deg(axis: Segment, line: FoundLine) -> float:
    return float(np.degrees(np.arccos(np.clip(axis.direction @ line.direction, -1.0, 1.0))))


def _metal_points(ct: Volume, planned: Sequence[Placement]) -> Array:
    """(n, 3) centers of metal voxels within reach of a planned axis."""
    ends = np.array([end for p in planned for end in (p.entry_lps_mm, p.target_lps_mm)])
    grid = ct.grid
    ijk = grid.to_ijk(ends)
    reach = REACH_MM / grid.spacing_mm
    low = np.clip(np.floor(ijk.min(axis=0) - reach), 0, grid.shape).astype(int)
    high = np.clip(np.ceil(ijk.max(axis=0) + reach) + 1, 0, grid.shape).astype(int)
    window = ct.values[slices(low, high)]
    points = grid.to_lps(np.argwhere(window >= METAL_HU) + low)
    if not len(points):
        return points
    nearest = np.min([p.axis.distance_mm(points) for p in planned], axis=0)
    return np.asarray(points[nearest <= REACH_MM])


def _longest_line(points: Array, directions: Array, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """The point and direction of the line through two metal voxels with the longest unbroken run of metal."""
    pairs = rng.integers(0, len(points), size=(1500, 2))
    offsets = points[pairs[:, 1]] - points[pairs[:, 0]]
    lengths = np.linalg.norm(offsets, axis=1)
    units = offsets / np.maximum(lengths, 1e-9)[:, None]
    cosines = units @ directions.T
    nearest = np.argmax(np.abs(cosines), axis=1)
    chosen = cosines[np.arange(len(pairs)), nearest]
    usable = (lengths >= 0.6 * SHORTEST_MM) & (np.abs(chosen) >= np.cos(np.radians(TURN_DEG)))
    thinned = points[:: max(1, len(points) // 3000)]
    best_length, best = 0.0, None
    for pair in np.flatnonzero(usable)[:300]:
        start, unit = points[pairs[pair, 0]], units[pair] * np.sign(chosen[pair])
        along, across = _coordinates(thinned, start, unit)
        low, high = _run(along[across <= RADIUS_MM])
        if high - low > best_length:
            best_length, best = high - low, (start, unit)
    return best if best_length >= SHORTEST_MM else None


def _coordinates(points: Array, point: Array, direction: Array) -> tuple[Array, Array]:
    offset = points - point
    along = offset @ direction
    return along, np.linalg.norm(offset - along[:, None] * direction, axis=1)


def _run(along: Array, *, gap_mm: float = 6.0) -> tuple[float, float]:
    """The ends of the longest run of positions without a gap."""
    if not len(along):
        return 0.0, 0.0
    ordered = np.sort(along)
    breaks = np.flatnonzero(np.diff(ordered) > gap_mm)
    starts = ordered[np.concatenate([[0], breaks + 1])]
    ends = ordered[np.concatenate([breaks, [len(ordered) - 1]])]
    best = int(np.argmax(ends - starts))
    return float(starts[best]), float(ends[best])


def _extended(ct: Volume, point: Array, direction: Array, low: float, high: float) -> tuple[float, float]:
    """The run of metal lengthened over what is still bright on its axis, where partial volume thinned it."""
    along = np.arange(low - 40.0, high + 40.0, 0.5)
    values = sample(ct.values.astype(np.float32), ct.grid, point + along[:, None] * direction, outside=-1000.0)
    dark = along[values < SHAFT_HU]
    middle = (low + high) / 2
    before, after = dark[dark < middle], dark[dark > middle]
    return (
        min(low, float(before[-1])) if len(before) else float(along[0]),
        max(high, float(after[0])) if len(after) else float(along[-1]),
    )


def _fitted(ct: Volume, points: Array, point: Array, direction: Array) -> tuple[Array, Array]:
    """The axis through the HU-weighted centers of slices across the metal."""
    along, across = _coordinates(points, point, direction)
    low, high = _run(along[across <= RADIUS_MM])
    side = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    side /= np.linalg.norm(side)
    other = np.cross(direction, side)
    offsets = np.arange(-4.0, 4.01, 0.5)
    u, v = (part.ravel() for part in np.meshgrid(offsets, offsets, indexing="ij"))
    disk = u**2 + v**2 <= 16.0
    plane = u[disk, None] * side + v[disk, None] * other
    steps = np.arange(low + 1.0, high - 1.0, 1.0)
    if len(steps) < 5:
        return point, direction
    grid_points = point + steps[:, None, None] * direction + plane[None]
    weight = np.clip(sample(ct.values.astype(np.float32), ct.grid, grid_points, outside=-1000.0) - SHAFT_HU, 0, None)
    total = weight.sum(axis=1)
    seen = total > 0
    centers = (weight[seen, :, None] * grid_points[seen]).sum(axis=1) / total[seen, None]
    middle = centers.mean(axis=0)
    axis = np.linalg.svd(centers - middle, full_matrices=False)[2][0]
    return middle, axis * np.sign(axis @ direction)


def _tip(ct: Volume, point: Array, direction: Array, low: float, high: float, diameter_mm: float) -> float:
    """Where along the axis the metal ends, by fitting a blurred cylinder of known diameter to its last centimeter.

    The scanner's scale ends below metal's HU, so that the bright blob is longer than the probe: the fit models the
    cut and recovers the blur from the flanks.
    """
    side = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    side /= np.linalg.norm(side)
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * np.cross(direction, side)
    along = np.arange(max(low + 1.0, high - 8.0), high + 6.0, 0.5)
    radii = np.arange(0.0, 5.01, 0.5)
    places = point + along[:, None, None, None] * direction + radii[:, None, None] * ring
    measured = sample(ct.values.astype(np.float32), ct.grid, places, outside=-1000.0).mean(axis=2)
    ceiling = float(min(measured.max(), SCALE_END_HU))
    background = float(np.median(measured[along > high + 4.0]))

    def misfit(values: Array) -> Array:
        end, blur_mm, height_HU = values
        flank = np.exp(-(radii**2) / (2 * (blur_mm**2 + diameter_mm**2 / 16)))
        model = background + height_HU * flank * ndtr((end - along) / blur_mm)[:, None]
        return np.asarray((np.minimum(model, ceiling) - np.minimum(measured, ceiling)).ravel() / 100.0)

    start = (high, 1.0, 2 * ceiling)
    bounds = ((high - 5.0, 0.3, 0.5 * ceiling), (high + 5.0, 3.0, 20 * ceiling))
    fit = least_squares(misfit, start, bounds=bounds, loss="soft_l1", x_scale=(1.0, 0.3, 2000.0))
    return float(fit.x[0])
