"""The physics of one cell: scalar functions in plain Python, compiled into the kernels of processors and of GPUs alike.

The state of a cell is its reduced enthalpy u in kelvin: the heat it holds beyond its liquidus, over its unfrozen heat
capacity. T(u) is piecewise linear: frozen, mushy with the latent heat, unfrozen, boiling, vaporized.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import numpy as np

ZERO, ONE, HALF, TWO = np.float32(0), np.float32(1), np.float32(0.5), np.float32(2)


def cell_temperature(u, mush, frozen, liquidus, interval):
    """T in degC. `mush`: width of the mush in u; `frozen`: unfrozen over frozen heat capacity."""
    return liquidus + max(u, ZERO) + min(max(u, -mush), ZERO) * (interval / mush) + min(u + mush, ZERO) * frozen


def boiling_temperature(u, mush, frozen, liquidus, interval, boil, vapor, boil_interval):
    """T in degC of tissue that may also boil, from `boil` kelvin above the liquidus on; `vapor`: its width in u."""
    below = cell_temperature(min(u, boil), mush, frozen, liquidus, interval)
    beyond = max(u - boil, ZERO)
    return below + min(beyond, vapor) * (boil_interval / vapor) + max(beyond - vapor, ZERO)


def reduced_enthalpy(t, mush, frozen, liquidus, interval):
    """u of T, the inverse of `cell_temperature`."""
    below = max(liquidus - t, ZERO)
    return max(t - liquidus, ZERO) - min(below, interval) * (mush / interval) - max(below - interval, ZERO) / frozen


def ice_integral(t, liquidus, interval, half_inverse, half_slope):
    """The integral of the freezing curve g from the liquidus to T (`Freezing.integral`)."""
    below = max(liquidus - t, ZERO)
    mush = min(below, interval)
    deep = below - mush
    return -(half_inverse * mush * mush + deep + half_slope * deep * deep)


def ice_curve(t, liquidus, interval, inverse_interval, half_slope):
    """The freezing curve g(T) itself (`Freezing.share`)."""
    below = max(liquidus - t, ZERO)
    return min(below * inverse_interval, ONE) + TWO * half_slope * max(below - interval, ZERO)


def thawed_share(t, liquidus, inverse_interval):
    """The share of a cell's vessels that the cold leaves open: 1 above the liquidus, 0 below the solidus."""
    return ONE - min(max((liquidus - t) * inverse_interval, ZERO), ONE)


def open_share(t, west, east, south, north, low, high, liquidus, inverse_interval):
    """The mean of `thawed_share` over a cell whose neighbors have these temperatures: the front lies within it."""
    around = (
        thawed_share(HALF * (t + west), liquidus, inverse_interval)
        + thawed_share(HALF * (t + east), liquidus, inverse_interval)
        + thawed_share(HALF * (t + south), liquidus, inverse_interval)
        + thawed_share(HALF * (t + north), liquidus, inverse_interval)
        + thawed_share(HALF * (t + low), liquidus, inverse_interval)
        + thawed_share(HALF * (t + high), liquidus, inverse_interval)
    )
    return max(HALF * around - TWO * thawed_share(t, liquidus, inverse_interval), ZERO)


def face_flow(unfrozen, freezing, t, t_beyond, ice, ice_beyond):
    """Heat into a cell through one face, W/m3: Kirchhoff's exact mean within a tissue, the series mean between two."""
    return unfrozen * (t_beyond - t) + freezing * (ice_beyond - ice)
