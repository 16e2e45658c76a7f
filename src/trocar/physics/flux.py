"""Conduction between neighbors and blood's heat: the kernel that every stage of every step runs."""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from trocar.physics.enthalpy import COMPILED, Curve, Flat, cell_temperature, ice_integral, thawed_share
from trocar.physics.medium import Array, Medium

_ZERO = np.float32(0)


class Faces(NamedTuple):
    """Conductances / spacing^2 of the faces below each cell along i, j, k (flat, W/m3K).

    The flux is unfrozen (T_j - T_i) + freezing (G_j - G_i), G the integral of the freezing curve: the harmonic mean
    of two tissues where both are thawed or both frozen, and Kirchhoff's exact mean within one tissue.
    """

    unfrozen: tuple[Flat, Flat, Flat]
    freezing: tuple[Flat, Flat, Flat]


def faces_of(medium: Medium) -> Faces:
    """The face conductances of a medium."""
    unfrozen: list[Flat] = []
    freezing: list[Flat] = []
    for axis in range(3):
        warm = _harmonic(medium.unfrozen_W_per_mK, axis)
        cold = _harmonic(medium.frozen_W_per_mK, axis) - warm
        if medium.outside is not None:
            below, above = _pair(medium.outside, axis)
            skin = below != above
            warm[skin], cold[skin] = medium.exchange_W_per_m2K * medium.spacing_m, 0.0
        for values, found in ((warm, unfrozen), (cold, freezing)):
            found.append(_placed(values / medium.spacing_m**2, axis, medium))
    return Faces((unfrozen[0], unfrozen[1], unfrozen[2]), (freezing[0], freezing[1], freezing[2]))


def explicit_limit_s(faces: Faces, curve: Curve, medium: Medium, *, coldest_degC: float = -150.0) -> float:
    """The longest stable explicit step (Gershgorin), with ice as conductive as at `coldest_degC`."""
    shape = medium.shape
    highest = max(1.0, float(medium.freezing.share(coldest_degC)))
    total = np.zeros(shape, np.float32)
    for axis in range(3):
        sides = faces.unfrozen[axis].reshape(shape) + highest * np.maximum(faces.freezing[axis].reshape(shape), 0)
        low, high = (tuple(slice(*cut) if a == axis else slice(None) for a in range(3)) for cut in ((0, -1), (1, None)))
        total += sides
        total[low] += sides[high]
    fastest = np.maximum(np.maximum(curve.unfrozen, curve.frozen), curve.mush).reshape(shape)
    return float(1.0 / (total * fastest).max())


def _pair(values: Array, axis: int) -> tuple[Array, Array]:
    low = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    return values[low], values[high]


def _harmonic(values: Array, axis: int) -> Array:
    below, above = _pair(values.astype(float), axis)
    return 2 * below * above / (below + above)


def _placed(values: Array, axis: int, medium: Medium) -> Flat:
    """Faces at the index of the cell above them, 0 on the lattice's rim and through insulated ends."""
    placed = np.zeros(medium.shape, np.float32)
    placed[tuple(slice(1, None) if a == axis else slice(None) for a in range(3))] = values
    if axis in medium.insulated:
        for index in (1, -1):
            placed[tuple(index if a == axis else slice(None) for a in range(3))] = 0
    return placed.reshape(-1)


@njit(parallel=True, **COMPILED)
def stage(y, y_new, t, ice, t_new, ice_new, faces, curve, law, blood, open_frac, rows, mu, nu, weight_s, sx, sy, heat):  # type: ignore[no-untyped-def]
    """One stage on the active rows: y_new = mu y + nu y_new + weight_s L(y), and T and its ice integral of it.

    `heat` receives the blood's heat of each share of the work, W/m3 summed over its cells. Offsets are unsigned, so
    that the compiler need not think of wrapping and can use whole vectors.
    """
    ax, ay, az = faces.unfrozen
    bx, by, bz = faces.freezing
    c_unfrozen, c_mush, c_frozen, c_liquidus, c_latent = curve
    rest, liquidus, interval, inverse, slope = law
    start, length, bounds = rows
    one, half, two = np.uint64(1), np.float32(0.5), np.float32(2)
    for part in prange(bounds.size - 1):
        total = np.float64(0)
        for row in range(bounds[part], bounds[part + 1]):
            first = start[row]
            row_heat = _ZERO
            for k in range(length[row]):
                p = first + np.uint64(k)
                here, g = t[p], ice[p]
                rate = (
                    ax[p] * (t[p - sx] - here) + bx[p] * (ice[p - sx] - g)
                    + ax[p + sx] * (t[p + sx] - here) + bx[p + sx] * (ice[p + sx] - g)
                    + ay[p] * (t[p - sy] - here) + by[p] * (ice[p - sy] - g)
                    + ay[p + sy] * (t[p + sy] - here) + by[p + sy] * (ice[p + sy] - g)
                    + az[p] * (t[p - one] - here) + bz[p] * (ice[p - one] - g)
                    + az[p + one] * (t[p + one] - here) + bz[p + one] * (ice[p + one] - g)
                )  # fmt: skip
                middle = thawed_share(here, liquidus, inverse)
                around = (
                    thawed_share(half * (here + t[p - sx]), liquidus, inverse)
                    + thawed_share(half * (here + t[p + sx]), liquidus, inverse)
                    + thawed_share(half * (here + t[p - sy]), liquidus, inverse)
                    + thawed_share(half * (here + t[p + sy]), liquidus, inverse)
                    + thawed_share(half * (here + t[p - one]), liquidus, inverse)
                    + thawed_share(half * (here + t[p + one]), liquidus, inverse)
                )
                thawed = max(half * around - two * middle, _ZERO)  # the mean over the cell: the front lies within it
                blood_heat = blood[p] * min(open_frac[p], thawed) * (rest - here)
                row_heat += blood_heat
                h = mu * y[p] + nu * y_new[p] + weight_s * (rate + blood_heat)
                y_new[p] = h
                here = cell_temperature(h, c_unfrozen[p], c_mush[p], c_frozen[p], c_liquidus[p], c_latent[p], rest)
                t_new[p] = here
                ice_new[p] = ice_integral(here, liquidus, interval, inverse, slope)
            total += row_heat
        heat[part] = total


def serial_sum(heat: NDArray[np.float64], cell_m3: float) -> float:
    """Watts of the parts, added in their order so that a run repeats itself to the bit."""
    return float(np.add.reduce(heat)) * cell_m3
