"""One super-step on the active rows of a lattice: every stage of it runs here, compiled, on all threads."""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.enthalpy import Curve, Flat, Law
from trocar.physics.memory import apart, place
from trocar.physics.source import draw, heat_cells, kirchhoff_at, mean_drives

_temperature, _boiling = CELL.cell_temperature, CELL.boiling_temperature
_ice_integral, _open_share, _flow = CELL.ice_integral, CELL.open_share, CELL.face_flow

UPDATES = 3  # how often in a super-step the vessels that the ice has closed are looked at anew


class Fields(NamedTuple):
    """The moving arrays, twice each: reduced enthalpy, temperature and its ice integral, flat float32.

    Outside the active rows both copies are the same.
    """

    u: tuple[Flat, Flat]
    t: tuple[Flat, Flat]
    ice: tuple[Flat, Flat]


def fields_of(u: Flat, curve: Curve, law: Law) -> Fields:
    """Both copies of flat fields that have this reduced enthalpy."""
    u, t, ice = apart(u), place(u.size), place(u.size)
    _settle(u, curve, law, t, ice)
    return Fields((u, apart(u)), (t, apart(t)), (ice, apart(ice)))


class Blood(NamedTuple):
    """Perfusion: Pennes' coefficient, the share of vessels still open, and the product of this moment (flat).

    `sink`, if any, is added to the product: what flows into held parts of coarse cells.
    """

    coefficient: Flat
    open_frac: Flat
    now: Flat
    sink: Flat


class Gates(NamedTuple):
    """Faces through which the heat of a super-step is counted: the cells within and beyond, and the face itself."""

    within: Flat
    beyond: Flat
    face: Flat
    axis: Flat
    heat: Flat  # J/m3 into the cell within, two rows: of the latest stage and of the one before


_NONE = np.zeros(0, np.int64)
NO_GATES = Gates(_NONE, _NONE, _NONE, _NONE, np.zeros((2, 0), np.float32))


@njit(parallel=True, **COMPILED)
def super_step(  # type: ignore[no-untyped-def]
    fields, start_degC, faces, curve, law, blood, source, rows, counted, stages, pieces, needles, gates,
    per_cell, strides,
):  # fmt: skip
    """All stages of a super-step: the newest fields end in the second copies after an odd number of stages.

    `stages`: (n, 2) float32 (`stepping.stages`). `source`: W/m3 in every cell.
    `start_degC` receives the temperatures before the step. Of the rows, the first `counted` parts enter the balance.
    Returns the joules that blood and held cells brought (first) and each needle drew, summed in a fixed order.
    """
    ax, ay, az, bx, by, bz = faces
    start, length, bounds = rows
    sx, sy = strides
    parts = bounds.size - 1
    heat = np.zeros(parts)
    watts = np.zeros(pieces.strength_m.size, np.float32)
    moved = np.zeros((3, 1 + needles.kind.size))
    before, after = 0, 1
    count = stages.shape[0]
    boils = curve.vapor.size > 0
    drive = np.empty(pieces.cells.size, np.float32)
    means = np.zeros_like(watts)
    gates.heat[:] = 0
    at_start = fields.t[0]
    for part in prange(parts):
        _copy(at_start, start_degC, start, length, bounds, part)
    kirchhoff_at(pieces, at_start, fields.ice[0], drive)
    for s in range(count):
        beyond, weight_s = stages[s, 0], stages[s, 1]
        u, u_new = fields.u[before], fields.u[after]
        t, t_new = fields.t[before], fields.t[after]
        ice, ice_new = fields.ice[before], fields.ice[after]
        if looks(s, count):
            for part in prange(parts):
                _perfuse(
                    t, blood.coefficient, blood.open_frac, blood.sink, blood.now, start, length, bounds, part, sx, sy,
                    law.liquidus, law.inverse_interval,
                )  # fmt: skip
        for part in prange(parts):
            mean_drives(pieces, drive, means, part, parts)
            if boils:
                heat[part] = _heat_rows(
                    u, u_new, t, ice, t_new, ice_new, ax, ay, az, bx, by, bz, curve.mush, curve.frozen, curve.inverse,
                    curve.vapor, blood.now, source, start, length, bounds, part, beyond, weight_s, sx, sy, law.rest,
                    law.liquidus, law.interval, law.half_inverse, law.half_slope, law.boil, law.boil_interval,
                )  # fmt: skip
            else:
                heat[part] = _freeze_rows(
                    u, u_new, t, ice, t_new, ice_new, ax, ay, az, bx, by, bz, curve.mush, curve.frozen, curve.inverse,
                    blood.now, source, start, length, bounds, part, beyond, weight_s, sx, sy, law.rest,
                    law.liquidus, law.interval, law.half_inverse, law.half_slope,
                )  # fmt: skip
        _pass(gates, t, ice, ax, ay, az, bx, by, bz, beyond, weight_s)
        moved[2, 0] = 0.0
        for part in range(counted):
            moved[2, 0] += heat[part] / per_cell
        if watts.size:
            draw(pieces, needles, means, law, watts, moved[2])
            weight = weight_s * per_cell
            for part in prange(parts):
                heat_cells(pieces, watts, drive, u_new, t_new, ice_new, curve, law, weight, part, parts)
        for n in range(moved.shape[1]):
            newest = moved[0, n] + beyond * (moved[0, n] - moved[1, n]) + weight_s * moved[2, n]
            moved[1, n] = moved[0, n]
            moved[0, n] = newest
        before, after = after, before
    return moved[0]


@njit(**COMPILED)
def _settle(u, curve, law, t, ice):  # type: ignore[no-untyped-def]
    for p in range(u.size):
        if curve.vapor.size:
            t[p] = _boiling(
                u[p], curve.mush[p], curve.frozen[p], law.liquidus, law.interval, law.boil, curve.vapor[p],
                law.boil_interval,
            )  # fmt: skip
        else:
            t[p] = _temperature(u[p], curve.mush[p], curve.frozen[p], law.liquidus, law.interval)
        ice[p] = _ice_integral(t[p], law.liquidus, law.interval, law.half_inverse, law.half_slope)


@njit(**COMPILED)
def looks(s, count):  # type: ignore[no-untyped-def]
    """Whether stage s of `count` is one at which the open vessels are looked at: equal parts of the step's time."""
    if s == 0:
        return True
    now, last = UPDATES * s * (s + 1) // (count * (count + 1)), UPDATES * s * (s - 1) // (count * (count + 1))
    return now > last


@njit(**KERNEL)
def _copy(values, into, start, length, bounds, part):  # type: ignore[no-untyped-def]
    for row in range(bounds[part], bounds[part + 1]):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            into[p] = values[p]


@njit(**COMPILED)
def _pass(gates, t, ice, ax, ay, az, bx, by, bz, beyond, weight_s):  # type: ignore[no-untyped-def]
    """The heat through the gates, by the same recursion as the fields'."""
    for g in range(gates.within.size):
        within, other, face = gates.within[g], gates.beyond[g], gates.face[g]
        if gates.axis[g] == 0:
            a, b = ax[face], bx[face]
        elif gates.axis[g] == 1:
            a, b = ay[face], by[face]
        else:
            a, b = az[face], bz[face]
        now = _flow(a, b, t[within], t[other], ice[within], ice[other])
        newest = gates.heat[0, g] + beyond * (gates.heat[0, g] - gates.heat[1, g]) + weight_s * now
        gates.heat[1, g] = gates.heat[0, g]
        gates.heat[0, g] = newest


@njit(**KERNEL)
def _perfuse(t, coefficient, open_frac, sink, now, start, length, bounds, part, sx, sy, liquidus, inverse):  # type: ignore[no-untyped-def]
    one = np.uint64(1)
    for row in range(bounds[part], bounds[part + 1]):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            share = _open_share(
                t[p], t[p - sx], t[p + sx], t[p - sy], t[p + sy], t[p - one], t[p + one], liquidus, inverse
            )
            now[p] = coefficient[p] * min(open_frac[p], share)
        if sink.size:
            for k in range(length[row]):
                p = start[row] + np.uint64(k)
                now[p] += sink[p]


@njit(**KERNEL)
def _freeze_rows(  # type: ignore[no-untyped-def]
    u, u_new, t, ice, t_new, ice_new, ax, ay, az, bx, by, bz, mush, frozen, inverse, blood, source,
    start, length, bounds, part, beyond, weight_s, sx, sy, rest, liquidus, interval, half_inverse, half_slope,
):  # fmt: skip
    """One stage on one part of the rows; returns the heat of blood and of held cells, W/m3 summed over cells.

    u_new = u + beyond (u - u_new) + weight_s rate(u). Offsets are unsigned: the compiler need not
    think of wrapping.
    """
    one = np.uint64(1)
    total = np.float64(0)
    for row in range(bounds[part], bounds[part + 1]):
        first = start[row]
        row_heat = np.float32(0)
        for k in range(length[row]):
            p = first + np.uint64(k)
            here, g = t[p], ice[p]
            flow = (
                _flow(ax[p], bx[p], here, t[p - sx], g, ice[p - sx])
                + _flow(ax[p + sx], bx[p + sx], here, t[p + sx], g, ice[p + sx])
                + _flow(ay[p], by[p], here, t[p - sy], g, ice[p - sy])
                + _flow(ay[p + sy], by[p + sy], here, t[p + sy], g, ice[p + sy])
                + _flow(az[p], bz[p], here, t[p - one], g, ice[p - one])
                + _flow(az[p + one], bz[p + one], here, t[p + one], g, ice[p + one])
            )
            warmed = blood[p] * (rest - here)
            row_heat += warmed if inverse[p] > 0 else -flow  # what keeps a held cell's temperature
            v = u[p] + beyond * (u[p] - u_new[p]) + weight_s * inverse[p] * (flow + warmed + source[p])
            u_new[p] = v
            now = _temperature(v, mush[p], frozen[p], liquidus, interval)
            t_new[p] = now
            ice_new[p] = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
        total += row_heat
    return total


@njit(**KERNEL)
def _heat_rows(  # type: ignore[no-untyped-def]
    u, u_new, t, ice, t_new, ice_new, ax, ay, az, bx, by, bz, mush, frozen, inverse, vapor, blood, source,
    start, length, bounds, part, beyond, weight_s, sx, sy,
    rest, liquidus, interval, half_inverse, half_slope, boil, boil_interval,
):  # fmt: skip
    """The same for tissue that may boil."""
    one = np.uint64(1)
    total = np.float64(0)
    for row in range(bounds[part], bounds[part + 1]):
        first = start[row]
        row_heat = np.float32(0)
        for k in range(length[row]):
            p = first + np.uint64(k)
            here, g = t[p], ice[p]
            flow = (
                _flow(ax[p], bx[p], here, t[p - sx], g, ice[p - sx])
                + _flow(ax[p + sx], bx[p + sx], here, t[p + sx], g, ice[p + sx])
                + _flow(ay[p], by[p], here, t[p - sy], g, ice[p - sy])
                + _flow(ay[p + sy], by[p + sy], here, t[p + sy], g, ice[p + sy])
                + _flow(az[p], bz[p], here, t[p - one], g, ice[p - one])
                + _flow(az[p + one], bz[p + one], here, t[p + one], g, ice[p + one])
            )
            warmed = blood[p] * (rest - here)
            row_heat += warmed if inverse[p] > 0 else -flow  # what keeps a held cell's temperature
            v = u[p] + beyond * (u[p] - u_new[p]) + weight_s * inverse[p] * (flow + warmed + source[p])
            u_new[p] = v
            now = _boiling(v, mush[p], frozen[p], liquidus, interval, boil, vapor[p], boil_interval)
            t_new[p] = now
            ice_new[p] = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
        total += row_heat
    return total
