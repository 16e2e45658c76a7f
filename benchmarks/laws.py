"""Tissue that freezes, as plain numpy: temperature, enthalpy and Kirchhoff's variable. All peers share it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """Two phases and a mushy range between them; conductivity is linear in the mushy range."""

    unfrozen_W_per_mK: float
    frozen_W_per_mK: float
    unfrozen_J_per_m3K: float
    frozen_J_per_m3K: float
    latent_J_per_m3: float
    solidus_degC: float
    liquidus_degC: float

    @property
    def interval_K(self) -> float:
        return self.liquidus_degC - self.solidus_degC

    @property
    def mush_J_per_m3K(self) -> float:
        return self.latent_J_per_m3 / self.interval_K + 0.5 * (self.unfrozen_J_per_m3K + self.frozen_J_per_m3K)

    @property
    def slope_W_per_mK2(self) -> float:
        return (self.frozen_W_per_mK - self.unfrozen_W_per_mK) / self.interval_K

    @property
    def solidus_W_per_m(self) -> float:
        """Kirchhoff's variable at the solidus."""
        return -0.5 * (self.unfrozen_W_per_mK + self.frozen_W_per_mK) * self.interval_K

    def enthalpy(self, t: Array) -> Array:
        """H(T), J/m3, 0 at the liquidus."""
        d = t - self.liquidus_degC
        return (
            self.unfrozen_J_per_m3K * np.maximum(d, 0)
            + self.mush_J_per_m3K * np.clip(d, -self.interval_K, 0)
            + self.frozen_J_per_m3K * np.minimum(d + self.interval_K, 0)
        )

    def temperature(self, h: Array) -> Array:
        """T(H)."""
        frozen = -self.mush_J_per_m3K * self.interval_K
        return (
            self.liquidus_degC
            + np.maximum(h, 0) / self.unfrozen_J_per_m3K
            + np.clip(h, frozen, 0) / self.mush_J_per_m3K
            + np.minimum(h - frozen, 0) / self.frozen_J_per_m3K
        )

    def kirchhoff(self, t: Array) -> Array:
        """u(T): the integral of k from the liquidus, W/m."""
        d = t - self.liquidus_degC
        mush = np.clip(-d, 0, self.interval_K)
        return (
            self.unfrozen_W_per_mK * np.maximum(d, 0)
            - (self.unfrozen_W_per_mK * mush + 0.5 * self.slope_W_per_mK2 * mush**2)
            + self.frozen_W_per_mK * np.minimum(d + self.interval_K, 0)
        )

    def from_kirchhoff(self, u: Array) -> tuple[Array, Array]:
        """T(u), and dH/du = C / k there."""
        mush = np.clip(-u, 0, -self.solidus_W_per_m)
        depth = (
            np.sqrt(self.unfrozen_W_per_mK**2 + 2 * self.slope_W_per_mK2 * mush) - self.unfrozen_W_per_mK
        ) / self.slope_W_per_mK2
        t = self.liquidus_degC + np.maximum(u, 0) / self.unfrozen_W_per_mK - depth
        t += np.minimum(u - self.solidus_W_per_m, 0) / self.frozen_W_per_mK
        within = self.mush_J_per_m3K / (self.unfrozen_W_per_mK + self.slope_W_per_mK2 * depth)
        slope = np.where(u > 0, self.unfrozen_J_per_m3K / self.unfrozen_W_per_mK, within)
        return t, np.where(u < self.solidus_W_per_m, self.frozen_J_per_m3K / self.frozen_W_per_mK, slope)

    def ice_frac(self, t: Array) -> Array:
        """The share of the water that is ice."""
        return np.clip((self.liquidus_degC - t) / self.interval_K, 0, 1)


# Property set P1: soft tissue. P2: water, its sharp front spread over a fifth of a kelvin (0.04 mm in the benchmark).
SOFT_TISSUE = Tissue(
    unfrozen_W_per_mK=0.5, frozen_W_per_mK=2.0, unfrozen_J_per_m3K=3.6e6, frozen_J_per_m3K=1.7964e6,
    latent_J_per_m3=250e6, solidus_degC=-8.0, liquidus_degC=-1.0,
)  # fmt: skip
WATER = Tissue(
    unfrozen_W_per_mK=0.6, frozen_W_per_mK=2.2, unfrozen_J_per_m3K=4.18e6, frozen_J_per_m3K=1.9e6,
    latent_J_per_m3=334e6, solidus_degC=-0.2, liquidus_degC=0.0,
)  # fmt: skip
