"""The widest straight cylinders through a region whose depth is known, between two anchors around a core."""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from trocar.imaging.rays import trilinear, within
from trocar.model.space import Array, Grid
from trocar.physics.compiled import COMPILED
from trocar.physics.threads import use_for

STEP_MM = 0.75
HELD_STEP_MM = 1.5
TURN_DEG, SHIFT_MM = 4.0, 2.0  # first moves of a refinement
HALVINGS = 6


class Solid(NamedTuple):
    """Fields [i, j, k] on one grid: depth below the surface in mm (float32), the core and what anchors (uint8)."""

    grid: Grid
    depth_mm: Array
    core: Array
    anchoring: Array


def widest(
    solid: Solid,
    seeds_ijk: Array,
    ways: Array,
    *,
    anchor_mm: float,
    reach_mm: float,
    least_mm: float,
    crossing_mm: float = 0.0,
) -> Array:
    """(seeds, ways) radius of the widest cylinder on each line through a seed, 0 where it is below `least_mm`.

    A cylinder ends where `anchor_mm` of anchoring lie beyond the core on both sides, both within `reach_mm`; between
    them lie `crossing_mm` of core at least.
    """
    steps = np.ascontiguousarray(ways @ solid.grid.ijk_from_lps[:3, :3].T * STEP_MM)
    found = np.empty((len(seeds_ijk), len(ways)), np.float32)
    use_for(50 * found.size)
    _widest(
        np.ascontiguousarray(seeds_ijk, dtype=float), steps, solid.depth_mm, solid.core, solid.anchoring,
        _sampled(anchor_mm), int(reach_mm / STEP_MM), np.float32(least_mm), np.float32(crossing_mm), found,
    )  # fmt: skip
    return found


def held_mm(solid: Solid, seeds_ijk: Array, ways: Array, *, need_mm: float, reach_mm: float) -> Array:
    """(seeds, ways) anchoring bone met from a voxel along each way while it stays `need_mm` deep, voxel by voxel."""
    steps = np.ascontiguousarray(ways @ solid.grid.ijk_from_lps[:3, :3].T * HELD_STEP_MM)
    found = np.empty((len(seeds_ijk), len(ways)), np.float32)
    use_for(20 * found.size)
    _held(
        np.ascontiguousarray(seeds_ijk, dtype=float), steps, solid.depth_mm, solid.anchoring, np.float32(need_mm),
        int(reach_mm / HELD_STEP_MM), found,
    )  # fmt: skip
    return found


def refined(
    solid: Solid, origins_lps_mm: Array, frames: Array, *, anchor_mm: float, reach_mm: float, crossing_mm: float = 0.0
) -> tuple[Array, Array, Array]:
    """Lines moved across and turned as long as their cylinders grow: (n, 3) origins, (n, 3) ways, (n,) radii.

    `frames` (n, 3, 3) holds the way and two unit vectors across it as rows; moves are tried in their order. None leaves
    less than `crossing_mm` of core between the anchors.
    """
    origins, ways = origins_lps_mm.astype(float).copy(), frames[:, 0].copy()
    radius = np.zeros(len(origins))
    _refine(
        origins, ways, np.ascontiguousarray(frames[:, 1]), np.ascontiguousarray(frames[:, 2]),
        np.ascontiguousarray(solid.grid.ijk_from_lps), solid.depth_mm, solid.core, solid.anchoring,
        _sampled(anchor_mm), int(reach_mm / STEP_MM), np.float32(crossing_mm), radius,
    )  # fmt: skip
    return origins, ways, radius


def _sampled(anchor_mm: float) -> np.float32:
    """What the samples of an anchor add up to at least: it begins halfway between two of them."""
    return np.float32(anchor_mm + STEP_MM / 2)


@njit(parallel=True, **COMPILED)
def _widest(  # type: ignore[no-untyped-def]
    seeds, steps, depth, core, anchoring, anchor_mm, count, least_mm, crossing_mm, found
):
    for seed in prange(seeds.shape[0]):
        x, y, z = seeds[seed, 0], seeds[seed, 1], seeds[seed, 2]
        for way in range(steps.shape[0]):
            dx, dy, dz = steps[way, 0], steps[way, 1], steps[way, 2]
            found[seed, way] = _whole(
                depth, core, anchoring, x, y, z, dx, dy, dz, anchor_mm, count, least_mm, crossing_mm
            )


@njit(**COMPILED)
def _whole(  # type: ignore[no-untyped-def]
    depth, core, anchoring, x, y, z, dx, dy, dz, anchor_mm, count, least_mm, crossing_mm
):
    """The least depth between two anchors around a seed; 0 where one fails or too little core lies between them."""
    ahead, crossed = _half(depth, core, anchoring, x, y, z, dx, dy, dz, anchor_mm, count, least_mm)
    if ahead <= np.float32(0.0):
        return ahead
    behind, more = _half(depth, core, anchoring, x, y, z, -dx, -dy, -dz, anchor_mm, count, least_mm)
    return min(ahead, behind) if crossed + more >= crossing_mm else np.float32(0.0)


@njit(parallel=True, **COMPILED)
def _held(seeds, steps, depth, anchoring, need_mm, count, found):  # type: ignore[no-untyped-def]
    a, b, c = depth.shape
    for seed in prange(seeds.shape[0]):
        for way in range(steps.shape[0]):
            total = np.float32(0.0)
            for n in range(1, count):
                i = int(np.rint(seeds[seed, 0] + n * steps[way, 0]))
                j = int(np.rint(seeds[seed, 1] + n * steps[way, 1]))
                k = int(np.rint(seeds[seed, 2] + n * steps[way, 2]))
                if i < 0 or j < 0 or k < 0 or i >= a or j >= b or k >= c or depth[i, j, k] < need_mm:
                    break
                total += np.float32(HELD_STEP_MM) * anchoring[i, j, k]
            found[seed, way] = total


@njit(**COMPILED)
def _half(depth, core, anchoring, x, y, z, dx, dy, dz, anchor_mm, count, least_mm):  # type: ignore[no-untyped-def]
    """The least depth from a seed until enough anchoring lies beyond the core, and the core met; 0 where it fails."""
    none = np.float32(0.0)
    smallest, held, crossed = np.float32(1e3), none, none
    for n in range(count):
        px, py, pz = x + n * dx, y + n * dy, z + n * dz
        if not within(depth, px, py, pz):
            return none, none
        here = trilinear(depth, px, py, pz)
        if here < least_mm:
            return none, none
        smallest = min(smallest, here)
        i, j, k = int(px + 0.5), int(py + 0.5), int(pz + 0.5)
        if core[i, j, k]:
            held = none
            crossed += np.float32(STEP_MM)
        elif anchoring[i, j, k]:
            held += np.float32(STEP_MM)
        if held >= anchor_mm:
            return smallest, crossed
    return none, none


@njit(**COMPILED)
def _both(  # type: ignore[no-untyped-def]
    depth, core, anchoring, to, ox, oy, oz, wx, wy, wz, anchor_mm, count, least_mm, crossing_mm
):
    x = to[0, 0] * ox + to[0, 1] * oy + to[0, 2] * oz + to[0, 3]
    y = to[1, 0] * ox + to[1, 1] * oy + to[1, 2] * oz + to[1, 3]
    z = to[2, 0] * ox + to[2, 1] * oy + to[2, 2] * oz + to[2, 3]
    dx = (to[0, 0] * wx + to[0, 1] * wy + to[0, 2] * wz) * STEP_MM
    dy = (to[1, 0] * wx + to[1, 1] * wy + to[1, 2] * wz) * STEP_MM
    dz = (to[2, 0] * wx + to[2, 1] * wy + to[2, 2] * wz) * STEP_MM
    return _whole(depth, core, anchoring, x, y, z, dx, dy, dz, anchor_mm, count, least_mm, crossing_mm)


@njit(parallel=True, **COMPILED)
def _refine(  # type: ignore[no-untyped-def]
    origins, ways, first, second, to, depth, core, anchoring, anchor_mm, count, crossing_mm, radius
):
    for row in prange(origins.shape[0]):
        o, w = origins[row].copy(), ways[row].copy()
        best = _both(
            depth, core, anchoring, to, o[0], o[1], o[2], w[0], w[1], w[2], anchor_mm, count, np.float32(0.0),
            crossing_mm,
        )  # fmt: skip
        shift, turn = SHIFT_MM, TURN_DEG * np.pi / 180
        for _ in range(HALVINGS):
            moved = True
            while moved:
                moved = False
                for move in range(8):
                    side = first[row] if move % 4 < 2 else second[row]
                    way = 1.0 if move % 2 == 0 else -1.0
                    a, b = o.copy(), w.copy()
                    if move < 4:
                        a += way * shift * side
                    else:
                        b += way * turn * side
                        b /= np.sqrt(b[0] ** 2 + b[1] ** 2 + b[2] ** 2)
                    found = _both(
                        depth, core, anchoring, to, a[0], a[1], a[2], b[0], b[1], b[2], anchor_mm, count,
                        best + np.float32(1e-4), crossing_mm,
                    )  # fmt: skip
                    if found > best + np.float32(1e-4):
                        best, o, w, moved = found, a, b, True
            shift, turn = shift / 2, turn / 2
        origins[row], ways[row], radius[row] = o, w, best
