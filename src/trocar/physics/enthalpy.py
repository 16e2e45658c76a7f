"""Temperature and enthalpy: H is conserved, 0 at the resting temperature, and T follows from it cell by cell.

Scalar functions in plain Python, compiled into every kernel that needs them.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.physics.medium import HELD_J_PER_M3K, Array, Freezing, Medium

Flat = NDArray[Any]
COMPILED = {"fastmath": True, "error_model": "numpy", "cache": True}
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


class Curve(NamedTuple):
    """T(H) per cell, flat float32 arrays: kelvin per J/m3 in the three ranges, and where the ranges end."""

    unfrozen: Flat  # 1 / C above the liquidus
    mush: Flat
    frozen: Flat
    liquidus: Flat  # enthalpy lost from rest to the liquidus, J/m3
    latent: Flat  # enthalpy lost from the liquidus to the solidus, J/m3


class Law(NamedTuple):
    """Scalars of the freezing law as float32, and the resting temperature."""

    rest: np.float32
    liquidus: np.float32
    interval: np.float32
    inverse_interval: np.float32
    slope: np.float32


def curve_of(medium: Medium) -> Curve:
    """The T(H) curve of every cell; the mushy range carries the latent heat and the mean of both capacities."""
    warm, cold = medium.unfrozen_J_per_m3K.astype(float), medium.frozen_J_per_m3K.astype(float)
    latent = medium.latent_J_per_m3.astype(float)
    interval = (medium.liquidus_degC - medium.solidus_degC).astype(float)
    mush = latent + 0.5 * (warm + cold) * interval
    held = medium.held
    warm, cold = np.where(held, HELD_J_PER_M3K, warm), np.where(held, HELD_J_PER_M3K, cold)
    mush = np.where(held, HELD_J_PER_M3K * interval, mush)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(mush > 0, interval / mush, 0.0)
    arrays = (1 / warm, slope, 1 / cold, warm * (medium.rest_degC - medium.liquidus_degC), mush)
    return Curve(*(np.ascontiguousarray(values, dtype=np.float32).reshape(-1) for values in arrays))


def law_of(freezing: Freezing, rest_degC: float) -> Law:
    """The freezing law for the kernels."""
    interval = freezing.liquidus_degC - freezing.solidus_degC
    numbers = (rest_degC, freezing.liquidus_degC, interval, 1 / interval, freezing.ice_slope_per_K)
    return Law(*(np.float32(number) for number in numbers))


def enthalpy(temperature_degC: Array, curve: Curve, law: Law) -> Array:
    """Flat float32 J/m3 of flat temperatures. At a sharp melting point (no interval) the unfrozen side is meant."""
    lost = float(law.rest) - temperature_degC.astype(float).reshape(-1)
    above = curve.liquidus.astype(float) * curve.unfrozen  # kelvin from rest to the liquidus
    within = curve.latent.astype(float) * curve.mush
    warm = np.minimum(lost, above) / curve.unfrozen
    mush = np.divide(np.clip(lost - above, 0, within), curve.mush, out=np.zeros_like(lost), where=curve.mush > 0)
    cold = np.maximum(lost - above - within, 0) / curve.frozen
    sharp = np.where((curve.mush == 0) & (lost > above), curve.latent, 0.0)
    return -(warm + mush + cold + sharp).astype(np.float32)


def temperature(enthalpy_J_per_m3: Array, curve: Curve, law: Law) -> Array:
    """Flat float32 degC of flat enthalpies."""
    h = enthalpy_J_per_m3.reshape(-1)
    below = h + curve.liquidus
    warm = np.maximum(h, -curve.liquidus) * curve.unfrozen
    mush = np.clip(below, -curve.latent, 0) * curve.mush
    return (law.rest + warm + mush + np.minimum(below + curve.latent, 0) * curve.frozen).astype(np.float32)


def ice_share(enthalpy_J_per_m3: Array, curve: Curve) -> Array:
    """Flat share of each cell's water that is ice, 0..1, from the latent heat it has given off."""
    lost = -(enthalpy_J_per_m3.reshape(-1) + curve.liquidus)
    return np.clip(np.divide(lost, curve.latent, out=(lost > 0).astype(np.float32), where=curve.latent > 0), 0, 1)


@njit(inline="always", **COMPILED)
def cell_temperature(h, unfrozen, mush, frozen, liquidus, latent, rest):  # type: ignore[no-untyped-def]
    """T of one cell's H, by clamps."""
    below = h + liquidus
    warm = max(h, -liquidus) * unfrozen
    middle = min(max(below, -latent), _ZERO) * mush
    return rest + warm + middle + min(below + latent, _ZERO) * frozen


@njit(inline="always", **COMPILED)
def ice_integral(t, liquidus, interval, inverse_interval, slope):  # type: ignore[no-untyped-def]
    """The integral of g from the liquidus to T (see `Freezing.integral`)."""
    below = liquidus - t
    mush = min(max(below, _ZERO), interval)
    deep = max(below - interval, _ZERO)
    return -(_HALF * inverse_interval * mush * mush + deep + _HALF * slope * deep * deep)


@njit(inline="always", **COMPILED)
def thawed_share(t, liquidus, inverse_interval):  # type: ignore[no-untyped-def]
    """The share of a cell's vessels that the cold leaves open: 1 above the liquidus, 0 below the solidus."""
    return _ONE - min(max((liquidus - t) * inverse_interval, _ZERO), _ONE)
