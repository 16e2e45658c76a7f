"""From coarse cells to fine ones and back, so that heat is kept: kernels of `nesting`."""

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, HELD
from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.enthalpy import LEAST_MUSH_K
from trocar.physics.threads import share

_temperature, _ice_integral, _reduced = CELL.cell_temperature, CELL.ice_integral, CELL.reduced_enthalpy
_boiling = CELL.boiling_temperature


@njit(**COMPILED)
def restrict(  # type: ignore[no-untyped-def]
    number, threads, u, tissue, low, high, fields, curve, law, shape
):
    """The state of coarse cells within spans from the fine cells under them, by their heat."""
    nx, _, nz = shape
    begin, end = share(nx, number, threads)
    _restrict_rows(
        u, tissue.warm_J.reshape(-1), tissue.held.reshape(-1), tissue.held.shape, low, high, begin, end, *fields.u,
        *fields.t, *fields.ice, curve.mush, curve.frozen, curve.inverse, curve.vapor, shape, law,
        np.empty(2 * nz, np.float32),
    )  # fmt: skip


@njit(**KERNEL)
def _restrict_rows(  # type: ignore[no-untyped-def]
    u, warm_J, held, fine, low, high, begin, end, u_a, u_b, t_a, t_b, ice_a, ice_b, mush, frozen, inverse, vapor, shape,
    law, heat,
):  # fmt: skip
    zero, eighth, rest = np.float32(0), np.float32(0.125), law.rest - law.liquidus
    for i in range(begin, end):
        for j in range(shape[1]):
            first, past = low[i, j], high[i, j]
            if past <= first:
                continue
            heat[: 2 * (past - first)] = 0
            count = min(2 * past, fine[2]) - 2 * first
            for x in range(2 * i, min(2 * i + 2, fine[0])):
                for y in range(2 * j, min(2 * j + 2, fine[1])):
                    row = np.uint64((x * fine[1] + y) * fine[2] + 2 * first)
                    for k in range(count):
                        p = row + np.uint64(k)
                        heat[k] += (u[p] - rest) * warm_J[p] if held[p] == FREE else zero
            start = np.uint64((i * shape[1] + j) * shape[2] + first)
            for k in range(past - first):
                c = start + np.uint64(k)
                if inverse[c] > 0:
                    v = rest + eighth * (heat[2 * k] + heat[2 * k + 1]) * inverse[c]
                    if vapor.size and v > law.boil:
                        t = _boiling(
                            v, mush[c], frozen[c], law.liquidus, law.interval, law.boil, vapor[c], law.boil_interval
                        )
                    else:
                        t = _temperature(v, mush[c], frozen[c], law.liquidus, law.interval)
                    ice = _ice_integral(t, law.liquidus, law.interval, law.half_inverse, law.half_slope)
                    u_a[c], u_b[c] = v, v
                    t_a[c], t_b[c] = t, t
                    ice_a[c], ice_b[c] = ice, ice


@njit(**COMPILED)
def refine(  # type: ignore[no-untyped-def]
    number, threads, u, t, lowest, inverse, shape, low, high, without_low, without_high, tissue, law, fine_u, fine_t,
    fine_lowest,
):  # fmt: skip
    """The state of fine cells under coarse spans (but not under others): linear in a coarse cell, its heat kept."""
    nx, ny, nz = shape
    fx, fy, fz = tissue.held.shape
    rest, zero, quarter = law.rest - law.liquidus, np.float32(0), np.float32(0.25)
    begin, end = share(nx, number, threads)
    for i in range(max(begin, 1), min(end, nx - 1)):
        for j in range(1, ny - 1):
            for k in range(max(low[i, j], 1), min(high[i, j], nz - 1)):
                if without_low[i, j] <= k < without_high[i, j]:
                    continue
                c = (i * ny + j) * nz + k
                if inverse[c] == 0:
                    continue
                sx = quarter * limited(t[c] - t[c - ny * nz], t[c + ny * nz] - t[c])
                sy = quarter * limited(t[c] - t[c - nz], t[c + nz] - t[c])
                sz = quarter * limited(t[c] - t[c - 1], t[c + 1] - t[c])
                kept, capacity = zero, zero
                for x in range(2 * i, min(2 * i + 2, fx)):
                    for y in range(2 * j, min(2 * j + 2, fy)):
                        for z in range(2 * k, min(2 * k + 2, fz)):
                            if tissue.held[x, y, z] == FREE:
                                there = t[c] + sx * _side(x) + sy * _side(y) + sz * _side(z)
                                mush, frozen = curve_at(tissue, law, x, y, z)
                                v = _reduced(there, mush, frozen, law.liquidus, law.interval)
                                fine_u[(x * fy + y) * fz + z] = v
                                kept += (v - rest) * tissue.warm_J[x, y, z]
                                capacity += tissue.warm_J[x, y, z]
                shift = (np.float32(8) * (u[c] - rest) / inverse[c] - kept) / capacity
                for x in range(2 * i, min(2 * i + 2, fx)):
                    for y in range(2 * j, min(2 * j + 2, fy)):
                        for z in range(2 * k, min(2 * k + 2, fz)):
                            if tissue.held[x, y, z] == FREE:
                                p = (x * fy + y) * fz + z
                                v = fine_u[p] + shift
                                now = temperature_at(tissue, law, x, y, z, v)
                                fine_u[p], fine_t[p] = v, now
                                fine_lowest[p] = min(fine_lowest[p], lowest[c] + (now - t[c]))


@njit(**COMPILED)
def curve_at(tissue, law, i, j, k):  # type: ignore[no-untyped-def]
    """Width of the mush, and unfrozen over frozen heat capacity, of one cell (`enthalpy.curve_of`)."""
    warm, cold = tissue.warm_J[i, j, k], tissue.cold_J[i, j, k]
    mush = (tissue.latent_J[i, j, k] + np.float32(0.5) * law.interval * (warm + cold)) / warm
    return max(mush, np.float32(LEAST_MUSH_K)), warm / cold


@njit(**COMPILED)
def temperature_at(tissue, law, i, j, k, u):  # type: ignore[no-untyped-def]
    """T of one cell from its reduced enthalpy."""
    mush, frozen = curve_at(tissue, law, i, j, k)
    if tissue.vapor_J.size > 0:
        vapor = tissue.vapor_J[i, j, k] / tissue.warm_J[i, j, k] + law.boil_interval
        return _boiling(u, mush, frozen, law.liquidus, law.interval, law.boil, vapor, law.boil_interval)
    return _temperature(u, mush, frozen, law.liquidus, law.interval)


@njit(**COMPILED)
def _side(x):  # type: ignore[no-untyped-def]
    """Below or above the middle of a coarse cell."""
    return np.float32(2 * (x % 2) - 1)


@njit(**COMPILED)
def limited(before, after):  # type: ignore[no-untyped-def]
    """The mean of two slopes of one sign, at most twice the smaller; else none."""
    if before * after <= 0:
        return np.float32(0)
    mean, most = np.float32(0.5) * (before + after), np.float32(2) * min(abs(before), abs(after))
    return min(max(mean, -most), most)


@njit(**COMPILED)
def lower(number, threads, lowest, t, low, high, shape):  # type: ignore[no-untyped-def]
    """Bring the coldest so far up to date within spans."""
    nx, ny, nz = shape
    begin, end = share(nx, number, threads)
    for i in range(begin, end):
        for j in range(ny):
            for k in range(low[i, j], high[i, j]):
                c = (i * ny + j) * nz + k
                lowest[c] = min(lowest[c], t[c])


@njit(**COMPILED)
def rows_sum(values, rows):  # type: ignore[no-untyped-def]
    """The sum over the cells of rows that count."""
    start, length, _, passed = rows
    total = 0.0
    for row in range(length.size):
        for k in range(length[row]):
            if not passed[row, 0] <= k < passed[row, 1]:
                total += values[start[row] + np.uint64(k)]
    return total


@njit(**COMPILED)
def heat_in(u, inverse, law):  # type: ignore[no-untyped-def]
    """The heat of all cells that move, from rest: the sum of J/m3."""
    total, rest = 0.0, law.rest - law.liquidus
    for p in range(u.size):
        if inverse[p] > 0:
            total += np.float64(u[p] - rest) / np.float64(inverse[p])
    return total


@njit(**COMPILED)
def look_up(cells, tissue, coarse_t, shape, inner, fine_t, found):  # type: ignore[no-untyped-def]
    """The temperature of fine cells (flat indices): their own where fine cells are in use, else linear in coarse ones.

    `fine_t` is empty where none are.
    """
    ny, nz = tissue.held.shape[1], tissue.held.shape[2]
    low, high = inner
    for n in range(cells.size):
        i, j, k = cells[n] // (ny * nz), (cells[n] // nz) % ny, cells[n] % nz
        a, b, c = i // 2, j // 2, k // 2
        if fine_t.size and low[a, b] <= c < high[a, b]:
            found[n] = fine_t[cells[n]]
        elif tissue.held[i, j, k] == HELD:
            found[n] = tissue.held_degC[i, j, k]
        else:
            found[n] = (
                coarse_t[(a * shape[1] + b) * shape[2] + c]
                + _toward(coarse_t, shape, a, b, c, 0, i) + _toward(coarse_t, shape, a, b, c, 1, j)
                + _toward(coarse_t, shape, a, b, c, 2, k)
            )  # fmt: skip


@njit(**COMPILED)
def _toward(t, shape, i, j, k, axis, fine):  # type: ignore[no-untyped-def]
    """What a quarter of the slope along an axis adds in one half of a coarse cell."""
    stride = shape[1] * shape[2] if axis == 0 else (shape[2] if axis == 1 else 1)
    at, here = (i, j, k)[axis], (i * shape[1] + j) * shape[2] + k
    before = t[here] - t[here - stride] if at > 0 else np.float32(0)
    after = t[here + stride] - t[here] if at < shape[axis] - 1 else np.float32(0)
    slope = np.float32(0.25) * limited(before, after)
    return slope if fine % 2 else -slope
