"""Where a bone of the planning CT lies in the control CT: a rigid transform, and how well the bone's edges agree.

First a search over all translations (masked correlation by Fourier transform) for a set of rotations, then
Gauss-Newton with Huber weights on the two images near the bone's surface, from several starts. Nothing is random.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from trocar.errors import GeometryError
from trocar.imaging.distance import distance_field
from trocar.imaging.resample import box_grid, resample, sample, shrunk
from trocar.imaging.surface import mask_surface, slices, window
from trocar.model.space import Array, Grid, Volume

SOFTEST_HU, HARDEST_HU = -150.0, 900.0  # gas and metal say nothing of where the bone is
COARSE_MM, MEDIUM_MM = 5.0, 2.0
TURNS_DEG = (-10.0, 0.0, 10.0)
STARTS = 4
BAND_MM = 4.0
POINTS = 12_000
HUBER_HU = 120.0
EDGE_HU = 150.0  # a bone's edge is one that steps by this much across 8 mm


@dataclass(frozen=True, slots=True, eq=False)
class RigidFit:
    """`control_from_plan` (4, 4); `residual_mm` is the root mean square shift of the bone's edge along its normal.

    The shift is what best lays the control's profile across the edge on the plan's, within 4 mm, so it does not
    see slip along a flat surface. `compared_frac` is the share of the surface where both images show an edge.
    """

    control_from_plan: Array
    residual_mm: float | None
    compared_frac: float


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """A clipped and blurred CT on a box, with its gradient in HU per mm along LPS."""

    values: Array
    gradient: tuple[Array, Array, Array]
    grid: Grid

    def at(self, points_lps_mm: Array) -> Array:
        return sample(self.values, self.grid, points_lps_mm, outside=SOFTEST_HU)

    def slope_at(self, points_lps_mm: Array) -> Array:
        """(n, 3) gradient at points."""
        along = [sample(part, self.grid, points_lps_mm, outside=0.0) for part in self.gradient]
        return np.stack(along, axis=-1) @ self.grid.ijk_from_lps[:3, :3]


def register_bone(plan: Volume, control: Volume, bone: Array, *, ignored: Array | None = None) -> RigidFit:
    """The rigid transform that lays a bone of the plan (mask [i, j, k]) on the same bone of the control.

    `ignored` is a mask of the plan whose surroundings may have changed (tumor, ice, metal). Found for shifts that keep
    the bone in the image and turns up to about 15 degrees. Raises `GeometryError` for an empty bone.
    """
    if not bone.any():
        raise GeometryError("there is no bone to register on", hint="segment the bone that holds the lesion")
    ignored = np.zeros_like(bone) if ignored is None else ignored
    points = _band_points(bone, ignored, plan.grid)
    pivot = points.mean(axis=0)
    starts = _coarse_starts(plan, control, bone, pivot)
    coarse = shrunk(clipped(plan), MEDIUM_MM), shrunk(clipped(control), MEDIUM_MM)
    fits = [_refine(*coarse, points[::4], pivot, start, blur_mm=2.5, reach_mm=25.0) for start in starts]
    _, best = min(fits, key=lambda fit: fit[0])
    _, best = _refine(*coarse, points[::2], pivot, best, blur_mm=1.2, reach_mm=12.0)
    _, best = _refine(plan, control, points, pivot, best, blur_mm=0.7, reach_mm=4.0)
    residual_mm, compared_frac = edge_residual(plan, control, bone, ignored, best)
    return RigidFit(best, residual_mm, compared_frac)


def _band_points(bone: Array, ignored: Array, grid: Grid) -> Array:
    """(n, 3) voxel centers within a few mm of the bone's surface and out of what is ignored, evenly thinned."""
    cut, around = window(bone, grid, BAND_MM + 1)
    band = (np.abs(distance_field(bone[cut], around)) <= BAND_MM) & ~ignored[cut]
    points = around.to_lps(np.argwhere(band))
    if len(points) < 200:
        raise GeometryError("too little of the bone is left to register on", hint="give a larger bone of interest")
    return points[:: max(1, len(points) // POINTS)]


# --- the search


def _coarse_starts(plan: Volume, control: Volume, bone: Array, pivot: Array) -> list[Array]:
    """The best few rigid transforms (4, 4) of the search over turns and all translations."""
    cut, around = window(bone, plan.grid, 10.0)
    near = distance_field(bone[cut], around) <= 10.0
    corners = around.to_lps(np.array(list(product((0, 1), repeat=3))) * (np.asarray(around.shape) - 1))
    template_grid = box_grid(corners - pivot, margin_mm=0.0, spacing_mm=COARSE_MM)
    small_plan, small_control = shrunk(clipped(plan), COARSE_MM), shrunk(clipped(control), COARSE_MM)
    control_corners = control.grid.to_lps(
        np.array(list(product((0, 1), repeat=3))) * (np.asarray(control.grid.shape) - 1)
    )
    search_grid = box_grid(control_corners, margin_mm=0.0, spacing_mm=COARSE_MM)
    target = resample(small_control, search_grid, outside=SOFTEST_HU).values - SOFTEST_HU
    mask = shrunk(Volume(grid=around, values=near.astype(np.float32), unit="1"), COARSE_MM)
    search = _Search(target, search_grid)
    found = [search.best(small_plan, mask, template_grid, pivot, turn) for turn in _turns()]
    found.sort(key=lambda candidate: -candidate[0])
    return [transform for _, transform in found[:STARTS]]


def _turns() -> Iterator[Array]:
    for angles in product(TURNS_DEG, repeat=3):
        if 0.0 not in angles:
            continue  # a turn about all three axes at once is within reach of its neighbors
        yield Rotation.from_euler("xyz", angles, degrees=True).as_matrix()


class _Search:
    """Masked normalized correlation of turned templates with one target, over all translations."""

    def __init__(self, target: Array, grid: Grid) -> None:
        self.grid, self.target = grid, target
        self.spectra: dict[tuple[int, ...], tuple[Array, Array]] = {}

    def best(self, plan: Volume, mask: Volume, template_grid: Grid, pivot: Array, turn: Array) -> tuple[float, Array]:
        """The highest correlation for one turn about the pivot, and its control_from_plan (4, 4)."""
        points = template_grid.to_lps(np.moveaxis(np.indices(template_grid.shape), 0, -1))
        in_plan = points @ turn + pivot  # rows: turn.T @ point
        weight = (sample(mask.values, mask.grid, in_plan, outside=0.0) >= 0.5).astype(np.float32)
        values = (sample(plan.values, plan.grid, in_plan, outside=SOFTEST_HU) - SOFTEST_HU) * weight
        correlation = self._correlation(values, weight)
        where = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
        offset = np.asarray(where) - (np.asarray(template_grid.shape) - 1)
        moved = self.grid.to_lps(offset) - template_grid.to_lps((0, 0, 0))
        control_from_plan = np.eye(4)
        control_from_plan[:3, :3] = turn
        control_from_plan[:3, 3] = moved - turn @ pivot
        return float(correlation[where]), control_from_plan

    def _correlation(self, values: Array, weight: Array) -> Array:
        full = tuple(a + b - 1 for a, b in zip(self.target.shape, values.shape, strict=True))
        fast = tuple(fft.next_fast_len(n, real=True) for n in full)
        if fast not in self.spectra:
            self.spectra[fast] = (fft.rfftn(self.target, fast), fft.rfftn(self.target**2, fast))
        target, squares = self.spectra[fast]
        flipped, mask = fft.rfftn(values[::-1, ::-1, ::-1], fast), fft.rfftn(weight[::-1, ::-1, ::-1], fast)
        window = tuple(slice(0, n) for n in full)
        count = max(float(weight.sum()), 1.0)
        cross, total, power = (
            fft.irfftn(part, fast)[window] for part in (target * flipped, target * mask, squares * mask)
        )
        spread = np.maximum(power - total**2 / count, 1.0)
        own = max(float((values**2).sum() - values.sum() ** 2 / count), 1.0)
        return np.asarray((cross - total * values.sum() / count) / np.sqrt(spread * own))


def clipped(volume: Volume) -> Volume:
    """The volume without what is softer or harder than tells where bone is; float32."""
    values = np.clip(volume.values, SOFTEST_HU, HARDEST_HU).astype(np.float32)
    return Volume(grid=volume.grid, values=values, unit=volume.unit)


# --- the refinement


def _image(volume: Volume, points_lps_mm: Array, *, reach_mm: float, blur_mm: float) -> _Image:
    """The part of a CT around points, clipped and blurred."""
    ijk = volume.grid.to_ijk(points_lps_mm)
    reach = np.ceil((reach_mm + 3 * blur_mm) / volume.grid.spacing_mm).astype(int) + 1
    shape = np.asarray(volume.grid.shape)
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int) - reach, 0, shape - 3)
    high = np.clip(np.ceil(ijk.max(axis=0)).astype(int) + reach, low + 3, shape)
    values = volume.values[slices(low, high)]
    values = np.clip(values, SOFTEST_HU, HARDEST_HU).astype(np.float32)
    values = ndimage.gaussian_filter(values, blur_mm / volume.grid.spacing_mm, mode="nearest")
    d_i, d_j, d_k = np.gradient(values)
    return _Image(values, (d_i, d_j, d_k), volume.grid.cropped(low, high))


def _refine(
    plan: Volume, control: Volume, points: Array, pivot: Array, start: Array, *, blur_mm: float, reach_mm: float
) -> tuple[float, Array]:
    """The mean robust misfit in HU and the transform (4, 4) it belongs to, from one start."""
    fixed = _image(plan, points, reach_mm=1.0, blur_mm=blur_mm).at(points)
    moving = _image(control, _moved(start, points), reach_mm=reach_mm, blur_mm=blur_mm)
    transform, misfit = start.copy(), np.inf
    for _ in range(40):
        at = _moved(transform, points)
        difference = moving.at(at) - fixed
        weight = HUBER_HU / np.maximum(np.abs(difference), HUBER_HU)
        misfit = float(np.mean(weight * difference**2))
        slope = moving.slope_at(at)
        lever = at - _moved(transform, pivot[None])[0]
        jacobian = np.concatenate([np.cross(lever, slope), slope], axis=1)
        normal = (jacobian * weight[:, None]).T @ jacobian
        if not (np.isfinite(normal).all() and np.diag(normal).min() > 0):
            raise GeometryError("the control shows nothing where the bone should be", hint="is it a CT in HU?")
        step = -np.linalg.solve(normal + 1e-6 * np.diag(np.diag(normal)), (jacobian * weight[:, None]).T @ difference)
        transform = _turned(transform, step, pivot)
        if np.linalg.norm(step[:3]) < 2e-5 and np.linalg.norm(step[3:]) < 2e-3:
            break
    return misfit, transform


def _moved(transform: Array, points: Array) -> Array:
    return np.asarray(points @ transform[:3, :3].T + transform[:3, 3])


def _turned(transform: Array, step: Array, pivot: Array) -> Array:
    """The transform followed by a small turn about the moved pivot and a shift; limited so that no step runs away."""
    angle, shift = np.linalg.norm(step[:3]), np.linalg.norm(step[3:])
    scale = min(1.0, 0.1 / max(float(angle), 1e-12), 8.0 / max(float(shift), 1e-12))
    turn = Rotation.from_rotvec(step[:3] * scale).as_matrix()
    center = _moved(transform, pivot[None])[0]
    result = np.eye(4)
    result[:3, :3] = turn @ transform[:3, :3]
    result[:3, 3] = turn @ (transform[:3, 3] - center) + center + step[3:] * scale
    return result


# --- how well it fits


def edge_residual(
    plan: Volume, control: Volume, bone: Array, ignored: Array, control_from_plan: Array
) -> tuple[float | None, float]:
    """The root mean square shift in mm of the bone's edge along its normal, and the share of the surface compared.

    None where fewer than a fifth of the surface shows an edge in both images.
    """
    cut, around = window(bone, plan.grid, 3.0)
    mesh = mask_surface(bone[cut], around)
    corner = mesh.vertices_lps_mm[mesh.faces]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    centers = corner.mean(axis=1)
    changed = sample(ignored[cut].astype(np.float32), around, centers, outside=0.0) > 0
    keep = np.flatnonzero((np.linalg.norm(normals, axis=1) > 0) & ~changed)
    keep = keep[:: max(1, len(keep) // 3000)]
    centers, normals = centers[keep], normals[keep] / np.linalg.norm(normals[keep], axis=1, keepdims=True)
    if not len(centers):
        return None, 0.0
    fixed = _profiles(_image(plan, centers, reach_mm=9.0, blur_mm=0.7), centers, normals, np.arange(-4, 4.1, 0.5))
    turned = normals @ control_from_plan[:3, :3].T
    moved = _moved(control_from_plan, centers)
    image = _image(control, moved, reach_mm=9.0, blur_mm=0.7)
    moving = _profiles(image, moved, turned, np.arange(-8, 8.1, 0.5))
    has_edge = (np.ptp(fixed, axis=1) >= EDGE_HU) & (np.ptp(moving[:, 8:-8], axis=1) >= EDGE_HU)
    compared_frac = float(has_edge.mean())
    if compared_frac < 0.2:
        return None, compared_frac
    shifts = _best_shift(fixed[has_edge], moving[has_edge]) * 0.5
    return float(np.sqrt(np.mean(shifts**2))), compared_frac


def _profiles(image: _Image, centers: Array, normals: Array, offsets_mm: Array) -> Array:
    """(n, m) values across a surface."""
    return image.at(centers[:, None] + offsets_mm[None, :, None] * normals[:, None])


def _best_shift(fixed: Array, moving: Array) -> Array:
    """(n,) shifts in samples, sub-sample by a parabola, that lay each moving profile best on its fixed one."""
    width, reach = fixed.shape[1], (moving.shape[1] - fixed.shape[1]) // 2
    misfit = np.stack([np.mean((moving[:, s : s + width] - fixed) ** 2, axis=1) for s in range(2 * reach + 1)], axis=1)
    best = np.clip(np.argmin(misfit, axis=1), 1, 2 * reach - 1)
    rows = np.arange(len(best))
    before, at, after = misfit[rows, best - 1], misfit[rows, best], misfit[rows, best + 1]
    bend = before - 2 * at + after
    fraction = np.where(bend > 0, 0.5 * (before - after) / np.maximum(bend, 1e-9), 0.0)
    return np.asarray(best - reach + np.clip(fraction, -1, 1))
