"""Every fine cell's state, made from coarse cells where those carry it when it is read; and divided up again."""

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, HELD
from trocar.physics.compiled import CELL, COMPILED
from trocar.physics.threads import share
from trocar.physics.transfer import _side, curve_at, limited, temperature_at

_reduced = CELL.reduced_enthalpy
NEAR_REST_K = 0.01


@njit(**COMPILED)
def known(number, threads, heat_J, tissue, law, u, t):  # type: ignore[no-untyped-def]
    """Flat u and T of every cell from its enthalpy (J/m3, flat; empty: at rest); held cells keep their temperature."""
    nx, ny, nz = tissue.held.shape
    rest = law.rest - law.liquidus
    begin, end = share(nx, number, threads)
    for i in range(begin, end):
        for j in range(ny):
            for k in range(nz):
                p = (i * ny + j) * nz + k
                u[p], t[p] = rest, law.rest
                if (tissue.held[i, j, k] == FREE and heat_J.size == 0) or tissue.held[i, j, k] > HELD:
                    continue
                if tissue.held[i, j, k] == HELD:
                    mush, frozen = curve_at(tissue, law, i, j, k)
                    t[p] = tissue.held_degC[i, j, k]
                    u[p] = _reduced(t[p], mush, frozen, law.liquidus, law.interval)
                    continue
                u[p] = rest + heat_J[p] / tissue.warm_J[i, j, k]
                t[p] = temperature_at(tissue, law, i, j, k, u[p])


@njit(**COMPILED)
def divide(number, threads, u, t, tissue, law, between, coarse_kept, away, uncomfortable):  # type: ignore[no-untyped-def]
    """The heat of coarse cells (J/m3 from rest), and whether any fine cell is away from rest or beyond a range."""
    nx, ny, nz = tissue.held.shape
    rest = law.rest - law.liquidus
    low, high = between
    near = np.float32(NEAR_REST_K)
    begin, end = share(away.shape[0], number, threads)
    for i in range(begin, end):
        for j in range(away.shape[1]):
            for k in range(away.shape[2]):
                kept = np.float32(0)
                moved, beyond = False, False
                for x in range(2 * i, min(2 * i + 2, nx)):
                    for y in range(2 * j, min(2 * j + 2, ny)):
                        for z in range(2 * k, min(2 * k + 2, nz)):
                            p = (x * ny + y) * nz + z
                            now = t[p]
                            moved |= abs(now - law.rest) > near
                            if tissue.held[x, y, z] == FREE:
                                kept += (u[p] - rest) * tissue.warm_J[x, y, z]
                                beyond |= now < low or now > high
                coarse_kept[i, j, k] = np.float32(0.125) * kept
                away[i, j, k], uncomfortable[i, j, k] = moved, beyond


@njit(**COMPILED)
def opened(number, threads, open_frac, tissue, found):  # type: ignore[no-untyped-def]
    """Pennes' coefficient of coarse cells with the vessels that are open."""
    nx, ny, nz = tissue.held.shape
    begin, end = share(found.shape[0], number, threads)
    for i in range(begin, end):
        for j in range(found.shape[1]):
            for k in range(found.shape[2]):
                total = np.float32(0)
                for x in range(2 * i, min(2 * i + 2, nx)):
                    for y in range(2 * j, min(2 * j + 2, ny)):
                        for z in range(2 * k, min(2 * k + 2, nz)):
                            if tissue.held[x, y, z] == FREE:
                                total += tissue.perfusion_W[x, y, z] * open_frac[(x * ny + y) * nz + z]
                found[i, j, k] = np.float32(0.125) * total


@njit(**COMPILED)
def unfold(number, threads, coarse_u, coarse_t, lowest, inverse, spans, inner, tissue, law, u, t, minimum):  # type: ignore[no-untyped-def]
    """The fine cells under coarse spans, but not those of `inner`: linear within a coarse cell, its heat kept.

    Nothing freezes or boils there. `minimum` may be empty.
    """
    nx, ny, nz = inverse.shape
    low, high = spans
    inner_low, inner_high = inner
    fx, fy, fz = tissue.held.shape
    rest, quarter = law.rest - law.liquidus, np.float32(0.25)
    begin, end = share(nx, number, threads)
    for i in range(max(begin, 1), min(end, nx - 1)):
        for j in range(1, ny - 1):
            for k in range(max(low[i, j], 1), min(high[i, j], nz - 1)):
                if inner_low[i, j] <= k < inner_high[i, j] or inverse[i, j, k] == 0:
                    continue
                middle = coarse_t[i, j, k]
                sx = quarter * limited(middle - coarse_t[i - 1, j, k], coarse_t[i + 1, j, k] - middle)
                sy = quarter * limited(middle - coarse_t[i, j - 1, k], coarse_t[i, j + 1, k] - middle)
                sz = quarter * limited(middle - coarse_t[i, j, k - 1], coarse_t[i, j, k + 1] - middle)
                kept, capacity = np.float32(0), np.float32(0)
                for x in range(2 * i, min(2 * i + 2, fx)):
                    for y in range(2 * j, min(2 * j + 2, fy)):
                        for z in range(2 * k, min(2 * k + 2, fz)):
                            if tissue.held[x, y, z] == FREE:
                                there = middle + sx * _side(x) + sy * _side(y) + sz * _side(z)
                                kept += (there - law.rest) * tissue.warm_J[x, y, z]
                                capacity += tissue.warm_J[x, y, z]
                shift = (np.float32(8) * (coarse_u[i, j, k] - rest) / inverse[i, j, k] - kept) / capacity
                for x in range(2 * i, min(2 * i + 2, fx)):
                    for y in range(2 * j, min(2 * j + 2, fy)):
                        for z in range(2 * k, min(2 * k + 2, fz)):
                            if tissue.held[x, y, z] == FREE:
                                p = (x * fy + y) * fz + z
                                now = middle + sx * _side(x) + sy * _side(y) + sz * _side(z) + shift
                                u[p], t[p] = now - law.liquidus, now
                                if minimum.size > 0:
                                    minimum[p] = min(minimum[p], lowest[i, j, k] + (now - middle))
