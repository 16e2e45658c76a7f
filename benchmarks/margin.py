"""The least margin of a ball in a ball: trocar's fair surfaces beside distances between border voxels."""

from pathlib import Path
from typing import Any

import numpy as np
from measure import timed, triad_GB_per_s
from page import Result
from scipy import ndimage

from trocar.imaging.fair import ROUNDS, fair_depth
from trocar.imaging.margin import mask_zone, surface_margin
from trocar.model.space import Grid, as_matrix4

Array = np.ndarray[Any, Any]

LESION_MM, ZONE_MM, HALF_MM, PHASES = 10.0, 16.0, 24.0, 6
SPACINGS_MM = ((1.0, 1.0, 1.0), (0.78, 0.78, 2.0), (0.78, 0.78, 3.0))
CASES = {"concentric": (0.0, 0.0), "shifted 3.5 to 5.5 mm": (3.5, 5.5)}  # at random, in a random direction


def border_margin_mm(lesion: Array, zone: Array, spacing_mm: tuple[float, ...]) -> float:
    """The method of published tools: from each border voxel of the lesion to the nearest border voxel of the zone."""
    cross = ndimage.generate_binary_structure(3, 1)
    lesion_border = lesion & ~ndimage.binary_erosion(lesion, cross)
    zone_border = zone & ~ndimage.binary_erosion(zone, cross)
    distance = ndimage.distance_transform_edt(~zone_border, sampling=spacing_mm)
    return float(np.where(zone, distance, -distance)[lesion_border].min())


def fair_margin_mm(lesion: Array, zone: Array, grid: Grid) -> tuple[float, tuple[float, float]]:
    """trocar's margin and its interval."""
    found = surface_margin(lesion, grid, mask_zone(zone, grid))
    if found is None:
        raise RuntimeError("no margin: the benchmark's balls are wrong")
    return found.minimum_mm, found.interval_mm


def run(*, quick: bool, folder: Path) -> Result:
    """Both methods on the same masks."""
    del folder
    rng = np.random.default_rng(20261124)
    rows: list[dict[str, Any]] = []
    for spacing_mm in SPACINGS_MM[1:2] if quick else SPACINGS_MM:
        for name, shifts_mm in CASES.items():
            rows += _compare(spacing_mm, name, shifts_mm, rng)
    return Result(
        name="margin",
        title="Least margin of a ball in a ball",
        task=f"A lesion of {LESION_MM:g} mm radius in a zone of {ZONE_MM:g} mm, as masks on the same grid at "
        f"{PHASES} random positions between the voxels; signed least distance between their surfaces in mm, error = "
        "found - true; the true margin is 6 mm for concentric balls, 0.5 to 2.5 mm for shifted "
        "ones. Wall s is the median of one margin from the two masks, one process.",
        rows=rows,
        ratios=_ratios(rows),
        limit=_limit(rng),
        notes=[
            "The balls are voxelized by their centers, without noise or segmentation error: real margins err more.",
            "Border voxels are those with a face on the outside, distances run between their centers: both layers lie "
            "within their balls, by up to a slice, so that the least distance is mostly too short.",
            "'held' is the share of phases whose interval holds the true margin; border voxels give no interval.",
        ],
    )


def _compare(
    spacing_mm: tuple[float, ...], name: str, shifts_mm: tuple[float, float], rng: Any
) -> list[dict[str, Any]]:
    found: dict[str, list[tuple[float, float, float]]] = {"trocar": [], "border voxels": []}
    held = []
    for _ in range(PHASES):
        grid, points = _lattice(spacing_mm, rng)
        shift_mm, direction = rng.uniform(*shifts_mm), rng.normal(size=3)
        truth_mm = ZONE_MM - LESION_MM - shift_mm
        center = shift_mm * direction / np.linalg.norm(direction)
        lesion = np.linalg.norm(points, axis=-1) < LESION_MM
        zone = np.linalg.norm(points - center, axis=-1) < ZONE_MM
        (mine, interval), mine_time = timed(lambda a=lesion, b=zone, g=grid: fair_margin_mm(a, b, g), runs=1)
        border, border_time = timed(lambda a=lesion, b=zone: border_margin_mm(a, b, spacing_mm), runs=1)
        held.append(interval[0] <= truth_mm <= interval[1])
        found["trocar"].append((mine - truth_mm, mine_time.wall_s, mine_time.cpu_s))
        found["border voxels"].append((border - truth_mm, border_time.wall_s, border_time.cpu_s))
    rows = []
    for method, values in found.items():
        errors, walls, cpus = np.array(values).T
        rows.append(
            {
                "voxels mm": " x ".join(f"{s:g}" for s in spacing_mm),
                "case": name,
                "method": method,
                "mean error mm": float(errors.mean()),
                "mean absolute error mm": float(np.abs(errors).mean()),
                "range of errors mm": f"{errors.min():+.2f} to {errors.max():+.2f}",
                "held": float(np.mean(held)) if method == "trocar" else None,
                "wall s": float(np.median(walls)),
                "CPU s": float(np.median(cpus)),
            }
        )
    return rows


def _limit(rng: Any) -> list[str]:
    """What fairing the zone on the thickest slices moves, beside what the memory could."""
    grid, points = _lattice(SPACINGS_MM[-1], rng)
    inside = np.linalg.norm(points, axis=-1) < ZONE_MM
    (depth, _), timing = timed(lambda: fair_depth(inside, grid), runs=3)
    moved_MB = ROUNDS * 2 * 3 * 2 * depth.nbytes / 1e6  # two filters a round, three axes each, read and written
    rate, triad = moved_MB / 1e3 / timing.wall_s, triad_GB_per_s(3 * depth.nbytes / 1e6, threads=1)
    return [
        f"Fairing the zone on {' x '.join(f'{s:g}' for s in SPACINGS_MM[-1])} mm takes {timing.wall_s:.2f} s: {ROUNDS} "
        f"rounds of two Gaussian filters on {depth.nbytes / 1e6:.1f} MB move about {moved_MB:.0f} MB = {rate:.1f} GB/s "
        f"(estimate), {rate / triad:.0%} of a numpy triad of as many bytes ({triad:.1f} GB/s, one thread): memory "
        "bandwidth is " + ("the limit." if rate / triad > 0.8 else "not the limit; the filters compute on one thread.")
    ]


def _lattice(spacing_mm: tuple[float, ...], rng: Any) -> tuple[Grid, Array]:
    spacing = np.asarray(spacing_mm)
    i, j, k = (int(n) for n in np.ceil(2 * HALF_MM / spacing) + 4)
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = -np.array((i, j, k)) * spacing / 2 + rng.uniform(0, 1, 3) * spacing
    grid = Grid(shape=(i, j, k), lps_from_ijk=as_matrix4(matrix))
    return grid, grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))


def _ratios(rows: list[dict[str, Any]]) -> list[str]:
    texts = []
    for mine, border in zip(rows[::2], rows[1::2], strict=True):
        own, other = mine["mean absolute error mm"], border["mean absolute error mm"]
        share = f"{own / other:.2f} x that" if other > 0 else "beside that"
        texts.append(
            f"{mine['voxels mm']} mm, {mine['case']}: trocar's mean absolute error is {share} of border voxels "
            f"({own:.2f} / {other:.2f} mm), its wall time {mine['wall s'] / border['wall s']:.0f} x."
        )
    return texts
