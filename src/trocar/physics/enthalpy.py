"""Temperature and enthalpy of whole lattices: H is conserved, 0 at the resting temperature, and T follows from it.

Kernels work on the reduced enthalpy u = (rest - liquidus) + H / C (see `cells`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trocar.physics.medium import Array, Medium
from trocar.physics.memory import apart, places

Flat = NDArray[Any]
LEAST_MUSH_K = 1e-6


class Curve(NamedTuple):
    """T(u) per cell, flat float32 arrays."""

    mush: Flat  # width of the mush in u, K
    frozen: Flat  # unfrozen over frozen heat capacity
    inverse: Flat  # 1 / unfrozen heat capacity, m3K/J; 0 where the temperature is held
    vapor: Flat  # width of boiling in u, K; empty where nothing boils


class Law(NamedTuple):
    """Scalars that are common to all cells, float32."""

    rest: np.float32
    liquidus: np.float32
    interval: np.float32
    inverse_interval: np.float32
    half_inverse: np.float32
    half_slope: np.float32
    boil: np.float32  # start of boiling above the liquidus
    boil_interval: np.float32


def curve_of(medium: Medium) -> Curve:
    """The T(u) curve of every cell; mush and boiling carry the latent heats and the capacities between their ends."""
    warm = medium.unfrozen_J_per_m3K.astype(np.float32, copy=False).reshape(-1)
    cold = medium.frozen_J_per_m3K.astype(np.float32, copy=False).reshape(-1)
    latent = medium.latent_J_per_m3.astype(np.float32, copy=False).reshape(-1)
    mush, frozen, inverse = places(3, warm.size)
    np.divide(1, warm, out=inverse)
    np.multiply(inverse, latent + np.float32(0.5 * medium.freezing.interval_K) * (warm + cold), out=mush)
    np.maximum(mush, np.float32(LEAST_MUSH_K), out=mush)
    np.divide(warm, cold, out=frozen)
    vapor: Flat = np.zeros(0, np.float32)
    if medium.vapor_J_per_m3 is not None:
        between = np.float32(medium.boiling_degC[1] - medium.boiling_degC[0])
        vapor = apart(medium.vapor_J_per_m3.astype(np.float32, copy=False).reshape(-1) * inverse + between)
    inverse[medium.held.reshape(-1)] = 0
    return Curve(mush, frozen, inverse, vapor)


def law_of(medium: Medium) -> Law:
    """The scalars of a medium for the kernels."""
    freezing = medium.freezing
    interval, boiling = freezing.interval_K, medium.boiling_degC
    numbers = (
        medium.rest_degC, freezing.liquidus_degC, interval, 1 / interval, 0.5 / interval,
        0.5 * freezing.ice_slope_per_K, boiling[0] - freezing.liquidus_degC, boiling[1] - boiling[0],
    )  # fmt: skip
    return Law(*(np.float32(number) for number in numbers))


def reduced(temperature_degC: Array, curve: Curve, law: Law) -> Array:
    """Flat float32 u of flat temperatures."""
    t = temperature_degC.astype(np.float32, copy=False).reshape(-1)
    above = np.maximum(t - law.liquidus, 0)
    below = np.clip(law.liquidus - t, 0, law.interval)
    deep = np.maximum(law.liquidus - t - law.interval, 0)
    u = above - below * (curve.mush / law.interval) - deep / curve.frozen
    if curve.vapor.size:
        boiling = np.clip(above - law.boil, 0, law.boil_interval)
        u += boiling * (curve.vapor / law.boil_interval) - boiling
    return u.astype(np.float32, copy=False)


def temperature(u: Array, curve: Curve, law: Law) -> Array:
    """Flat float32 degC of flat u."""
    liquid = np.minimum(u, law.boil) if curve.vapor.size else u
    t = law.liquidus + np.maximum(liquid, 0)
    t += np.clip(u, -curve.mush, 0) * (law.interval / curve.mush) + np.minimum(u + curve.mush, 0) * curve.frozen
    if curve.vapor.size:
        beyond = np.maximum(u - law.boil, 0)
        t += np.minimum(beyond, curve.vapor) * (law.boil_interval / curve.vapor) + np.maximum(beyond - curve.vapor, 0)
    return t.astype(np.float32, copy=False)


def enthalpy_of(u: Array, medium: Medium) -> Array:
    """Flat float32 J/m3 from rest of flat u."""
    rest = np.float32(medium.rest_degC - medium.freezing.liquidus_degC)
    return ((u - rest) * medium.unfrozen_J_per_m3K.reshape(-1)).astype(np.float32, copy=False)


def ice_share_of(u: Array, medium: Medium) -> Array:
    """Flat share of each cell's water that is ice, 0..1, from the latent heat it has given off."""
    found = np.zeros_like(u)
    cold = np.flatnonzero(u < 0)
    warm_J, cold_J, latent_J = (
        values.reshape(-1)[cold]
        for values in (medium.unfrozen_J_per_m3K, medium.frozen_J_per_m3K, medium.latent_J_per_m3)
    )
    found[cold] = np.clip(-u[cold] / _mush(warm_J, cold_J, latent_J, medium.freezing.interval_K), 0, 1)
    return found


def vapor_share_of(u: Array, medium: Medium) -> Array:
    """Flat share of each cell's water that has boiled off, 0..1."""
    found = np.zeros_like(u)
    if medium.vapor_J_per_m3 is not None:
        law = law_of(medium)
        hot = np.flatnonzero(u > law.boil)
        vapor_J, warm_J = medium.vapor_J_per_m3.reshape(-1)[hot], medium.unfrozen_J_per_m3K.reshape(-1)[hot]
        found[hot] = np.clip((u[hot] - law.boil) / (vapor_J / warm_J + law.boil_interval), 0, 1)
    return found


def _mush(warm_J: Array, cold_J: Array, latent_J: Array, interval_K: float) -> Array:
    """The width of the mush in u, K."""
    half = np.float32(0.5 * interval_K)
    return np.maximum((latent_J + half * (warm_J + cold_J)) / warm_J, np.float32(LEAST_MUSH_K))
