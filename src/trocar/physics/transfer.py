"""From coarse cells to fine ones and back, so that heat is kept: kernels of `nesting`."""

import numpy as np
from numba import njit

from trocar.physics.arrays import HELD
from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.threads import share

_temperature, _ice_integral, _reduced = CELL.cell_temperature, CELL.ice_integral, CELL.reduced_enthalpy
_boiling = CELL.boiling_temperature


@njit(**COMPILED)
def restrict(  # type: ignore[no-untyped-def]
    number, threads, u, inverse, blood, open_frac, first, fine_shape, low, high, fields, curve, law, coarse_blood,
    coarse_open, shape,
):  # fmt: skip
    """The state of coarse cells within spans from the fine cells under them, by their heat.

    `first`: the coarse cell over fine cell 0.
    """
    fx, fy, fz = fine_shape
    nx, ny, nz = shape
    begin, end = share(nx, number, threads)
    held, opened = np.empty(2 * nz, np.float32), np.empty(2 * nz, np.float32)
    for i in range(begin, end):
        for j in range(ny):
            k, past = low[i, j], high[i, j]
            if past <= k:
                continue
            count = min(2 * (past - k), fz - 2 * (k - first[2]))
            for z in range(2 * (past - k)):
                held[z], opened[z] = 0, 0
            for x in range(2 * (i - first[0]), min(2 * (i - first[0]) + 2, fx)):
                for y in range(2 * (j - first[1]), min(2 * (j - first[1]) + 2, fy)):
                    p = (x * fy + y) * fz + 2 * (k - first[2])
                    _add_row(u, inverse, blood, open_frac, np.uint64(p), count, law.rest - law.liquidus, held, opened)
            c = np.uint64((i * ny + j) * nz + k)
            _mean_row(
                held, opened, *fields.u, *fields.t, *fields.ice, curve.mush, curve.frozen, curve.inverse, curve.vapor,
                coarse_blood, coarse_open, c, past - k, law.rest - law.liquidus, law.liquidus, law.interval,
                law.half_inverse, law.half_slope, law.boil, law.boil_interval,
            )  # fmt: skip


@njit(**KERNEL)
def _add_row(u, inverse, blood, open_frac, first, count, rest, held, opened):  # type: ignore[no-untyped-def]
    zero = np.float32(0)
    for k in range(count):
        p = first + np.uint64(k)
        held[k] += (u[p] - rest) / inverse[p] if inverse[p] > 0 else zero
        opened[k] += blood[p] * open_frac[p]


@njit(**KERNEL)
def _mean_row(  # type: ignore[no-untyped-def]
    held, opened, u_a, u_b, t_a, t_b, ice_a, ice_b, mush, frozen, inverse, vapor, blood, open_frac, first, count, rest,
    liquidus, interval, half_inverse, half_slope, boil, boil_interval,
):  # fmt: skip
    eighth = np.float32(0.125)
    for k in range(count):
        c = first + np.uint64(k)
        if inverse[c] > 0:
            v = rest + eighth * (held[2 * k] + held[2 * k + 1]) * inverse[c]
            if vapor.size and v > boil:
                t = _boiling(v, mush[c], frozen[c], liquidus, interval, boil, vapor[c], boil_interval)
            else:
                t = _temperature(v, mush[c], frozen[c], liquidus, interval)
            ice = _ice_integral(t, liquidus, interval, half_inverse, half_slope)
            u_a[c], u_b[c] = v, v
            t_a[c], t_b[c] = t, t
            ice_a[c], ice_b[c] = ice, ice
            if blood[c] > 0:
                open_frac[c] = eighth * (opened[2 * k] + opened[2 * k + 1]) / blood[c]


@njit(**COMPILED)
def refine(  # type: ignore[no-untyped-def]
    number, threads, u, t, lowest, inverse, shape, low, high, without_low, without_high, fine_u, fine_t, fine_lowest,
    curve, law, first, fine_shape,
):  # fmt: skip
    """The state of fine cells under coarse spans (but not under others): linear in a coarse cell, its heat kept."""
    nx, ny, nz = shape
    fx, fy, fz = fine_shape
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
                sx = quarter * _limited(t[c] - t[c - ny * nz], t[c + ny * nz] - t[c])
                sy = quarter * _limited(t[c] - t[c - nz], t[c + nz] - t[c])
                sz = quarter * _limited(t[c] - t[c - 1], t[c + 1] - t[c])
                kept, capacity = zero, zero
                for x in range(2 * (i - first[0]), min(2 * (i - first[0]) + 2, fx)):
                    for y in range(2 * (j - first[1]), min(2 * (j - first[1]) + 2, fy)):
                        for z in range(2 * (k - first[2]), min(2 * (k - first[2]) + 2, fz)):
                            p = (x * fy + y) * fz + z
                            if curve.inverse[p] > 0:
                                there = t[c] + sx * _side(x) + sy * _side(y) + sz * _side(z)
                                v = _reduced(there, curve.mush[p], curve.frozen[p], law.liquidus, law.interval)
                                fine_u[p] = v
                                kept += (v - rest) / curve.inverse[p]
                                capacity += np.float32(1) / curve.inverse[p]
                shift = (np.float32(8) * (u[c] - rest) / inverse[c] - kept) / capacity
                for x in range(2 * (i - first[0]), min(2 * (i - first[0]) + 2, fx)):
                    for y in range(2 * (j - first[1]), min(2 * (j - first[1]) + 2, fy)):
                        for z in range(2 * (k - first[2]), min(2 * (k - first[2]) + 2, fz)):
                            p = (x * fy + y) * fz + z
                            if curve.inverse[p] > 0:
                                v = fine_u[p] + shift
                                if curve.vapor.size:
                                    now = _boiling(
                                        v, curve.mush[p], curve.frozen[p], law.liquidus, law.interval, law.boil,
                                        curve.vapor[p], law.boil_interval,
                                    )  # fmt: skip
                                else:
                                    now = _temperature(v, curve.mush[p], curve.frozen[p], law.liquidus, law.interval)
                                fine_u[p], fine_t[p] = v, now
                                fine_lowest[p] = min(fine_lowest[p], lowest[c] + (now - t[c]))


@njit(**COMPILED)
def _side(x):  # type: ignore[no-untyped-def]
    """Below or above the middle of a coarse cell."""
    return np.float32(2 * (x % 2) - 1)


@njit(**COMPILED)
def _limited(before, after):  # type: ignore[no-untyped-def]
    """The smaller of two slopes of one sign, else none."""
    if before * after <= 0:
        return np.float32(0)
    return before if abs(before) < abs(after) else after


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
def look_up(cells, tissue, coarse_t, shape, inner, fine_t, first, fine_shape, found):  # type: ignore[no-untyped-def]
    """The temperature of fine cells (flat indices): from the window where it has them, else linear in coarse cells.

    `fine_t` is empty where there is no window; `first`: the coarse cell over its cell 0.
    """
    ny, nz = tissue.held.shape[1], tissue.held.shape[2]
    low, high = inner
    for n in range(cells.size):
        i, j, k = cells[n] // (ny * nz), (cells[n] // nz) % ny, cells[n] % nz
        a, b, c = i // 2, j // 2, k // 2
        if fine_t.size and low[a, b] <= c < high[a, b]:
            x, y, z = i - 2 * first[0], j - 2 * first[1], k - 2 * first[2]
            found[n] = fine_t[(x * fine_shape[1] + y) * fine_shape[2] + z]
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
    """What a quarter of the lesser slope to the two neighbors along an axis adds in one half of a coarse cell."""
    stride = shape[1] * shape[2] if axis == 0 else (shape[2] if axis == 1 else 1)
    at, here = (i, j, k)[axis], (i * shape[1] + j) * shape[2] + k
    before = t[here] - t[here - stride] if at > 0 else np.float32(0)
    after = t[here + stride] - t[here] if at < shape[axis] - 1 else np.float32(0)
    if before * after <= 0:
        return np.float32(0)
    slope = before if abs(before) < abs(after) else after
    return np.float32(0.25) * slope if fine % 2 else np.float32(-0.25) * slope
