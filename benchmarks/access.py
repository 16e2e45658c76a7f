"""A hundred thousand candidate paths through a whole pelvis at 1 mm: trocar's compiled rays beside scipy's sampling."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import Timing, timed
from page import Goal, Result
from scipy import ndimage

from trocar import phantoms
from trocar.imaging.rays import least, leave
from trocar.model.space import Array
from trocar.planning.access import instrument, trace
from trocar.planning.directions import sphere
from trocar.planning.paths import LONGEST_MM
from trocar.planning.surroundings import Surroundings, surroundings

PATHS, DIRECTIONS = 100_000, 2500
WANTED_S = 1.0
PEER_SHARE = 20  # the peer answers every twentieth path, its time is multiplied
CHUNK = 1000
ENOUGH_MM = 15.0
RUNS = 7


def run(*, quick: bool, folder: Path) -> Result:
    """Both on the same fields, the same samples."""
    del folder
    spacing_mm = 4.0 if quick else 1.0
    case = phantoms.ilium(spacing_mm=(spacing_mm,) * 3)
    around, built = timed(lambda: surroundings(case, case.lesions[0], spacing_mm=spacing_mm), runs=1)
    targets, ways = _candidates(around, PATHS // (50 if quick else 1))
    some = slice(None, None, 1 if quick else PEER_SHARE)
    tool = instrument("cryoprobe-17g-icesphere", "probe", what="cryoprobe")
    _ours(around, targets[:10], ways[:10])
    mine, rays_time = _best(lambda: _ours(around, targets, ways), 1 if quick else RUNS)
    whole, trace_time = _best(lambda: trace(around, targets, ways, tool, None), 1 if quick else RUNS)
    theirs, peer_time = timed(lambda: _sampled(around, targets[some], ways[some]), runs=1)
    share = len(targets) / len(targets[some])
    rows = [
        _row("trocar, skin and clearances", len(targets), rays_time, 1.0),
        _row("trocar, every constraint and the cost", len(targets), trace_time, 1.0),
        _row("scipy map_coordinates, skin and clearances", len(targets), peer_time, share),
    ]
    away = [_difference(one[some], two) for one, two in zip(mine, theirs, strict=True)]
    return Result(
        name="access",
        title="Candidate paths through a pelvis",
        task=f"{len(targets)} straight paths from points of the lesion of case A1 in {DIRECTIONS} directions to the "
        f"skin, on a grid of {spacing_mm:g} mm ({' x '.join(map(str, around.grid.shape))}), sampled every "
        f"{spacing_mm:g} mm: where each meets the skin, and its least clearance to {len(around.barriers)} kinds of "
        f"structures below {ENOUGH_MM:g} mm. Best of {RUNS} runs.",
        rows=rows,
        goals=[
            Goal(
                name="every constraint of 1e5 paths", measured=trace_time.wall_s, wanted=WANTED_S, unit="s (wall)"
            ),
            Goal(name="the same, CPU of 2 cores", measured=trace_time.cpu_s / 2, wanted=WANTED_S, unit="s"),
        ],
        ratios=[
            f"scipy takes {peer_time.cpu_s * share / rays_time.cpu_s:.0f} x the CPU time for the same answers: lengths "
            f"differ by {away[0]:.1e} mm at most, clearances by {max(away[1:]):.1e} mm."
        ],
        limit=[
            "A clearance is looked up again only where the distance can have fallen below the least so far; the way to "
            "the skin is looked up at every sample: about 60 loads of eight neighbors a path, which miss the cache."
        ],
        notes=[
            f"The fields are built once for a lesion in {built.wall_s:.1f} s ({built.cpu_s:.1f} s CPU) and are not in "
            "these times; a plan uses 2 mm, and measures what it takes exactly on the case's own voxels.",
            f"scipy answered every {share:.0f}th path; its time is multiplied.",
            f"{int(whole.admissible.sum())} of the paths are admissible.",
        ],
    )  # fmt: skip


def _candidates(around: Surroundings, count: int) -> tuple[Array, Array]:
    ways = sphere(DIRECTIONS)
    points = around.lesion_points_lps_mm
    tips = points[:: max(1, len(points) * len(ways) // count)]
    return np.repeat(tips, len(ways), axis=0)[:count], np.tile(ways, (len(tips), 1))[:count]


def _ours(around: Surroundings, targets: Array, ways: Array) -> list[Array]:
    step_mm = float(around.grid.spacing_mm.min())
    rays = leave(around.grid, targets, ways, around.body, around.seen, step_mm=step_mm, reach_mm=LONGEST_MM)
    clear = [least(rays, barrier.distance_mm, barrier.nearest, enough_mm=ENOUGH_MM)[0] for barrier in around.barriers]
    return [rays.length_mm, *clear]


def _sampled(around: Surroundings, targets: Array, ways: Array) -> list[Array]:
    """The same by sampling whole rays."""
    step_mm = float(around.grid.spacing_mm.min())
    along = np.arange(0.0, LONGEST_MM, step_mm)
    inside = around.body.astype(np.float32)
    parts = []
    for low in range(0, len(targets), CHUNK):
        cut = slice(low, low + CHUNK)
        points = targets[cut, None] + along[None, :, None] * ways[cut, None]
        ijk = np.moveaxis(around.grid.to_ijk(points), -1, 0)
        body = _at(inside, ijk, 0.0)
        out = body < 0.5
        first = np.argmax(out, axis=1)
        rows = np.arange(len(first))
        before, after = body[rows, np.maximum(first - 1, 0)], body[rows, first]
        part = np.clip((before - 0.5) / np.maximum(before - after, 1e-6), 0, 1)
        length = np.where(out.any(axis=1) & (first > 0), along[np.maximum(first - 1, 0)] + part * step_mm, np.inf)
        within = along[None] <= length[:, None]
        found = [length]
        for barrier in around.barriers:
            distance = np.where(within, _at(barrier.distance_mm, ijk, np.inf), np.inf).min(axis=1)
            found.append(np.where((distance < ENOUGH_MM) & bool(barrier.names), distance, np.inf))
        parts.append(found)
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _at(values: Array, ijk: Array, outside: float) -> Array:
    return ndimage.map_coordinates(values, ijk, order=1, mode="constant", cval=outside, prefilter=False)


def _best(run: Callable[[], Any], runs: int) -> tuple[Any, Timing]:
    run()
    found = [timed(run, runs=1) for _ in range(runs)]
    return found[-1][0], Timing(min(t.wall_s for _, t in found), min(t.cpu_s for _, t in found), runs)


def _difference(one: Array, two: Array) -> float:
    """The largest difference; inf where only one of both found something."""
    both = np.isfinite(one) & np.isfinite(two)
    if np.any(np.isfinite(one) != np.isfinite(two)):
        return float("inf")
    return float(np.abs(one[both] - two[both]).max(initial=0.0))


def _row(method: str, paths: int, timing: Timing, share: float) -> dict[str, Any]:
    return {
        "method": method,
        "paths": paths,
        "wall s": timing.wall_s * share,
        "CPU s": timing.cpu_s * share,
        "CPU us per path": timing.cpu_s * share / paths * 1e6,
    }
