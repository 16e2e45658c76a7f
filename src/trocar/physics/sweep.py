"""One stage on rows of cells: the loops that take most of the time, written so that they become vectors.

Offsets are unsigned: the compiler need not think of wrapping. Heat of blood and held cells is W/m3 summed over cells.
"""

import numpy as np
from numba import njit

from trocar.physics.compiled import CELL, COMPILED, IN_ORDER, KERNEL
from trocar.physics.threads import share

_temperature, _boiling = CELL.cell_temperature, CELL.boiling_temperature
_ice_integral, _open_share = CELL.ice_integral, CELL.open_share
F = np.float32


@njit(**IN_ORDER)
def step_rows(  # type: ignore[no-untyped-def]
    u, u_new, t, t_new, ice, ice_new, ax, ay, az, bx, by, bz, thawed, freezing, mush, frozen, inverse, vapor, blood,
    source, start, length, bounds, passed, warm, part, beyond, weight_s, beside, rest, liquidus, interval, half_inverse,
    half_slope, boil, boil_interval, boils, multiple, brought,
):  # fmt: skip
    """One stage on one part of the rows: u_new = u + beyond (u - u_new) + weight_s rate(u), and T from it.

    Faces are `PackedFaces`. Returns the heat of blood and of held cells; `brought` is scratch as long as the longest
    row. In `warm` rows nothing freezes or boils: T follows from u alone. In the others a second loop finds T: in one,
    the processor waits for it. Rows are gone through as if a `multiple` of cells long: those beyond their end must not
    move.
    """
    one = np.uint64(1)
    total = 0.0
    for row in range(bounds[part], bounds[part + 1]):
        first, count = start[row], (length[row] + multiple - 1) // multiple * multiple
        west, east, south, north = beside[row, 0], beside[row, 1], beside[row, 2], beside[row, 3]
        if warm[row]:
            for k in range(count):
                p = first + np.uint64(k)
                here = t[p]
                along_i = F(ax[p]) * (t[p + west] - here) + F(ax[p + east]) * (t[p + east] - here)
                along_j = F(ay[p]) * (t[p + south] - here) + F(ay[p + north]) * (t[p + north] - here)
                along_k = F(az[p]) * (t[p - one] - here) + F(az[p + one]) * (t[p + one] - here)
                flow = thawed * ((along_i + along_j) + along_k)
                warmed = blood[p] * (rest - here)
                brought[k] = warmed if inverse[p] > 0 else -flow  # what keeps a held cell's temperature
                v = (u[p] + beyond * (u[p] - u_new[p])) + weight_s * inverse[p] * (flow + (warmed + source[p]))
                u_new[p] = v
                t_new[p] = liquidus + v
        else:
            for k in range(count):
                p = first + np.uint64(k)
                here, g = t[p], ice[p]
                along_i = F(ax[p]) * (t[p + west] - here) + F(ax[p + east]) * (t[p + east] - here)
                along_j = F(ay[p]) * (t[p + south] - here) + F(ay[p + north]) * (t[p + north] - here)
                along_k = F(az[p]) * (t[p - one] - here) + F(az[p + one]) * (t[p + one] - here)
                ice_i = F(bx[p]) * (ice[p + west] - g) + F(bx[p + east]) * (ice[p + east] - g)
                ice_j = F(by[p]) * (ice[p + south] - g) + F(by[p + north]) * (ice[p + north] - g)
                ice_k = F(bz[p]) * (ice[p - one] - g) + F(bz[p + one]) * (ice[p + one] - g)
                flow = thawed * ((along_i + along_j) + along_k) + freezing * ((ice_i + ice_j) + ice_k)
                warmed = blood[p] * (rest - here)
                brought[k] = warmed if inverse[p] > 0 else -flow
                u_new[p] = (u[p] + beyond * (u[p] - u_new[p])) + weight_s * inverse[p] * (flow + (warmed + source[p]))
            if boils:
                for k in range(count):
                    p = first + np.uint64(k)
                    now = _boiling(u_new[p], mush[p], frozen[p], liquidus, interval, boil, vapor[p], boil_interval)
                    t_new[p] = now
                    ice_new[p] = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
            else:
                for k in range(count):
                    p = first + np.uint64(k)
                    now = _temperature(u_new[p], mush[p], frozen[p], liquidus, interval)
                    t_new[p] = now
                    ice_new[p] = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
        total += _sum(brought, 0, passed[row, 0]) + _sum(brought, passed[row, 1], length[row])
    return total


@njit(**COMPILED)
def _sum(values, first, past):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for k in range(first, past):
        total += values[np.uint64(k)]
    return total


@njit(**KERNEL)
def perfuse(t, coefficient, open_frac, sink, now, start, length, bounds, warm, part, beside, liquidus, inverse):  # type: ignore[no-untyped-def]
    """The perfusion of this moment, on one part of the rows; in `warm` ones no vessel is cold enough to close."""
    one = np.uint64(1)
    for row in range(bounds[part], bounds[part + 1]):
        west, east, south, north = beside[row, 0], beside[row, 1], beside[row, 2], beside[row, 3]
        if warm[row]:
            for k in range(length[row]):
                p = start[row] + np.uint64(k)
                now[p] = coefficient[p] * open_frac[p]
        else:
            for k in range(length[row]):
                p = start[row] + np.uint64(k)
                share = _open_share(
                    t[p], t[p + west], t[p + east], t[p + south], t[p + north], t[p - one], t[p + one], liquidus,
                    inverse,
                )  # fmt: skip
                now[p] = coefficient[p] * min(open_frac[p], share)
        if sink.size:
            for k in range(length[row]):
                p = start[row] + np.uint64(k)
                now[p] += sink[p]


@njit(**COMPILED)
def warm_rows(number, threads, t, others, start, length, bounds, along, coldest, hottest, warm, extremes):  # type: ignore[no-untyped-def]
    """Which rows of a box lie between these temperatures, the cells beside them too, in both copies.

    `along`: how far the next cells along i and j are. `extremes` (parts, 2): the lowest is that of the cells beside the
    rows too, which may rest: no cell can become colder than these.
    """
    for part in range(*share(bounds.size - 1, number, threads)):
        extremes[part, 0], extremes[part, 1] = _warm_rows(
            t, others, start, length, along[0], along[1], coldest, hottest, warm, bounds[part], bounds[part + 1]
        )


@njit(**KERNEL)
def _warm_rows(t, others, start, length, sx, sy, coldest, hottest, warm, begin, end):  # type: ignore[no-untyped-def]
    one, least_of_all, most_of_all = np.uint64(1), np.float32(1e9), np.float32(-1e9)
    for row in range(begin, end):
        least, beside, most = np.float32(1e9), np.float32(1e9), np.float32(-1e9)
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            least = min(least, t[p])
            beside = min(beside, min(min(t[p - sx], t[p + sx]), min(t[p - sy], t[p + sy])))
            beside = min(beside, min(min(t[p - one], t[p + one]), others[p]))
            most = max(most, max(t[p], others[p]))
        least = min(least, beside)
        least_of_all, most_of_all = min(least_of_all, least), max(most_of_all, most)
        warm[row] = least > coldest and most < hottest
    return least_of_all, most_of_all


@njit(**KERNEL)
def temperatures(u, mush, frozen, vapor, law, boils, t, ice):  # type: ignore[no-untyped-def]
    """T and its ice integral of cells side by side."""
    if boils:
        for c in range(u.size):
            t[c] = _boiling(u[c], mush[c], frozen[c], law.liquidus, law.interval, law.boil, vapor[c], law.boil_interval)
    else:
        for c in range(u.size):
            t[c] = _temperature(u[c], mush[c], frozen[c], law.liquidus, law.interval)
    for c in range(u.size):
        ice[c] = _ice_integral(t[c], law.liquidus, law.interval, law.half_inverse, law.half_slope)
