"""Straight rays through fields on a grid, thousands at once: how far they run inside a mask, what they come near to."""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from trocar.model.space import Array, Grid
from trocar.physics.compiled import COMPILED
from trocar.physics.threads import use_for

SAMPLES = 50  # of a usual ray: what decides whether a second thread is worth waking
FAR_MM = 1e6  # stands for infinity in kernels compiled for finite numbers
UNEVEN_VOXELS = 2.75  # what interpolation (sqrt 3 at most) and a curve refined on the grid may add to a distance's fall


class Rays(NamedTuple):
    """(n, 3) origins and steps as fractional indices; the samples of ray n are `first` to `last[n]`."""

    origin: Array
    step: Array
    step_mm: float
    first: int
    last: Array
    length_mm: Array  # to where the ray leaves the mask; inf when it does not within its reach
    shown: Array  # whether `seen` holds there
    uneven_mm: float  # what interpolation may add to a distance's fall on this grid

    def of(self, rows: Array) -> "Rays":
        """Some of the rays."""
        return self._replace(
            origin=self.origin[rows],
            step=self.step[rows],
            last=self.last[rows],
            length_mm=self.length_mm[rows],
            shown=self.shown[rows],
        )


def leave(
    grid: Grid,
    origins_lps_mm: Array,
    directions: Array,
    inside: Array,
    seen: Array,
    *,
    step_mm: float,
    reach_mm: float,
    start_mm: float = 0.0,
) -> Rays:
    """Follow (n, 3) rays along unit vectors until they leave `inside` (uint8 [i, j, k], 1 within, as `seen`).

    Values are trilinear. What lies nearer than `start_mm` to an origin is left out by the functions that follow.
    """
    origin = np.ascontiguousarray(grid.to_ijk(origins_lps_mm))
    step = np.ascontiguousarray(np.asarray(directions, dtype=float) @ grid.ijk_from_lps[:3, :3].T) * step_mm
    count, first = int(np.ceil(reach_mm / step_mm - 1e-9)), int(np.ceil(start_mm / step_mm - 1e-9))
    last, length = np.empty(len(origin), np.int64), np.empty(len(origin))
    shown = np.empty(len(origin), bool)
    use_for(SAMPLES * len(origin))
    _leave(origin, step, count, step_mm, inside, seen, last, length, shown)
    length[length >= FAR_MM] = np.inf
    return Rays(origin, step, step_mm, first, last, length, shown, UNEVEN_VOXELS * float(grid.spacing_mm.max()))


def through_mm(rays: Rays, mask: Array) -> Array:
    """(n,) length of each ray within a float32 mask on the rays' grid."""
    found = np.empty(len(rays.origin))
    use_for(SAMPLES * len(found))
    _through(rays.origin, rays.step, rays.first, rays.last, rays.step_mm, mask, found)
    return found


def least(rays: Rays, distance_mm: Array, labels: Array, *, enough_mm: float) -> tuple[Array, Array]:
    """(n,) least of a float32 distance field along each ray, and its label there; inf from `enough_mm` on.

    It is looked up again only where it can have fallen below that and the least so far: a distance falls by no more
    than the way that is gone.
    """
    found, nearest = np.empty(len(rays.origin), np.float32), np.zeros(len(rays.origin), np.int64)
    use_for(SAMPLES * len(found))
    _least(
        rays.origin, rays.step, rays.first, rays.last, 1 / rays.step_mm, rays.uneven_mm, np.float32(enough_mm),
        distance_mm, labels, found, nearest,
    )  # fmt: skip
    found[nearest == 0] = np.inf
    return found, nearest


@njit(parallel=True, **COMPILED)
def _leave(origin, step, count, step_mm, inside, seen, last, length, shown):  # type: ignore[no-untyped-def]
    for row in prange(origin.shape[0]):
        x, y, z = origin[row, 0], origin[row, 1], origin[row, 2]
        dx, dy, dz = step[row, 0], step[row, 1], step[row, 2]
        last[row], length[row], shown[row] = count - 1, FAR_MM, False
        before = np.float32(1.0)
        for n in range(count):
            px, py, pz = x + n * dx, y + n * dy, z + n * dz
            held = within(inside, px, py, pz)
            here = trilinear(inside, px, py, pz) if held else np.float32(0.0)
            if here < np.float32(0.5):
                last[row] = n - 1
                if n > 0:
                    fall = before - here
                    part = (before - np.float32(0.5)) / fall if fall > np.float32(1e-6) else np.float32(0.0)
                    length[row] = (n - 1 + part) * step_mm
                    shown[row] = held and trilinear(seen, px, py, pz) > np.float32(0.99)
                break
            before = here


@njit(parallel=True, **COMPILED)
def _through(origin, step, first, last, step_mm, mask, found):  # type: ignore[no-untyped-def]
    for row in prange(origin.shape[0]):
        x, y, z = origin[row, 0], origin[row, 1], origin[row, 2]
        dx, dy, dz = step[row, 0], step[row, 1], step[row, 2]
        total = np.float32(0.0)
        for n in range(first, last[row] + 1):
            total += trilinear(mask, x + n * dx, y + n * dy, z + n * dz)
        found[row] = total * step_mm


@njit(parallel=True, **COMPILED)
def _least(origin, step, first, last, per_mm, uneven_mm, enough, distance, labels, found, nearest):  # type: ignore[no-untyped-def]
    for row in prange(origin.shape[0]):
        x, y, z = origin[row, 0], origin[row, 1], origin[row, 2]
        dx, dy, dz = step[row, 0], step[row, 1], step[row, 2]
        smallest, where, n = enough, first, first
        while n <= last[row]:
            value = trilinear(distance, x + n * dx, y + n * dy, z + n * dz)
            if value < smallest:
                smallest, where = value, n
            n += max(1, int((value - smallest - uneven_mm) * per_mm))
        found[row] = smallest
        if smallest < enough:
            i, j, k = round(x + where * dx), round(y + where * dy), round(z + where * dz)
            nearest[row] = labels[int(i), int(j), int(k)]


@njit(inline="always", **COMPILED)
def within(values, x, y, z):  # type: ignore[no-untyped-def]
    """Whether a fractional index lies within the outermost centers."""
    a, b, c = values.shape
    return x >= 0.0 and y >= 0.0 and z >= 0.0 and x <= a - 1 and y <= b - 1 and z <= c - 1


@njit(inline="always", **COMPILED)
def trilinear(values, x, y, z):  # type: ignore[no-untyped-def]
    """The value at a fractional index within the array, whose dimensions are 2 at least."""
    a, b, c = values.shape
    i, j, k = min(int(x), a - 2), min(int(y), b - 2), min(int(z), c - 2)
    u, v, w = np.float32(x - i), np.float32(y - j), np.float32(z - k)
    one, two = np.float32(values[i, j, k]), np.float32(values[i, j + 1, k])
    near = one + w * (np.float32(values[i, j, k + 1]) - one)
    near += v * (two + w * (np.float32(values[i, j + 1, k + 1]) - two) - near)
    one, two = np.float32(values[i + 1, j, k]), np.float32(values[i + 1, j + 1, k])
    far = one + w * (np.float32(values[i + 1, j, k + 1]) - one)
    far += v * (two + w * (np.float32(values[i + 1, j + 1, k + 1]) - two) - far)
    return near + u * (far - near)
