"""A uniform substance that freezes: its heat content and conduction as tables over the enthalpy.

Any laws k(T) and C(T) are allowed, so gels and water can be given their own; the lattice's solver knows two levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trocar.errors import SolverError
from trocar.physics.medium import Array

TABLE_DEGC = (-240.0, 150.0)  # from below every cryogen to above every bath
TABLE_ROWS = 4096
_STEP_K = 0.02

Law = Callable[[Array], Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Substance:
    """Tables over evenly spaced enthalpies H from `first_J_per_m3` by `step_J_per_m3`; H is 0 at the liquidus.

    `kirchhoff_W_per_m` is the integral of k from the liquidus to T, `unfrozen_frac` the share of water not frozen.
    """

    solidus_degC: float
    liquidus_degC: float
    latent_J_per_m3: float
    first_J_per_m3: float
    step_J_per_m3: float
    degC: Array
    kirchhoff_W_per_m: Array
    unfrozen_frac: Array
    diffusivities_m2_per_s: Array  # the greatest of what is at least so warm

    @classmethod
    def of(
        cls, *, conductivity_W_per_mK: tuple[Law, Law], capacity_J_per_m3K: tuple[Law, Law], latent_J_per_m3: float,
        solidus_degC: float, liquidus_degC: float,
    ) -> "Substance":  # fmt: skip
        """From laws of temperature, the frozen one first; in the mush both go linearly from one to the other.

        Raises `SolverError` for laws that are not positive and finite, or no freezing interval.
        """
        if not solidus_degC < liquidus_degC:
            raise SolverError("the solidus must lie below the liquidus", hint="half a kelvin stands for a sharp front")
        t = np.unique(np.concatenate([np.arange(*TABLE_DEGC, _STEP_K), [solidus_degC, liquidus_degC]]))
        frozen = np.clip((liquidus_degC - t) / (liquidus_degC - solidus_degC), 0, 1)
        k = frozen * conductivity_W_per_mK[0](t) + (1 - frozen) * conductivity_W_per_mK[1](t)
        capacity = frozen * capacity_J_per_m3K[0](t) + (1 - frozen) * capacity_J_per_m3K[1](t)
        for name, values in (("conductivity", k), ("heat capacity", capacity)):
            if not np.isfinite(values).all() or (values <= 0).any():
                raise SolverError(f"a substance's {name} is not positive and finite from -240 to 150 degC")
        h = _integral(capacity, t, liquidus_degC) - latent_J_per_m3 * frozen
        even, step = np.linspace(h[0], h[-1], TABLE_ROWS, retstep=True)
        return cls(
            solidus_degC=solidus_degC, liquidus_degC=liquidus_degC, latent_J_per_m3=latent_J_per_m3,
            first_J_per_m3=float(even[0]), step_J_per_m3=float(step), degC=_at(even, h, t),
            kirchhoff_W_per_m=_at(even, h, _integral(k, t, liquidus_degC)),
            unfrozen_frac=_at(even, h, 1 - frozen),
            diffusivities_m2_per_s=_at(even, h, np.maximum.accumulate((k / capacity)[::-1])[::-1]),
        )  # fmt: skip

    def enthalpy_J_per_m3(self, degC: Array | float) -> Array:
        """H at temperatures."""
        return _at(degC, self.degC, self._enthalpies)

    def kirchhoff_at(self, degC: Array | float) -> Array:
        """The integral of k from the liquidus, W/m."""
        return _at(degC, self.degC, self.kirchhoff_W_per_m)

    def temperature_degC(self, enthalpy_J_per_m3: Array) -> Array:
        return _at(enthalpy_J_per_m3, self._enthalpies, self.degC)

    def ice_frac(self, enthalpy_J_per_m3: Array) -> Array:
        """The share of the water that is ice."""
        return 1 - _at(enthalpy_J_per_m3, self._enthalpies, self.unfrozen_frac)

    def diffusivity_m2_per_s(self, coldest_degC: float) -> float:
        """The greatest of what is at least so warm: what stability depends on."""
        return float(np.interp(coldest_degC, self.degC, self.diffusivities_m2_per_s))

    @property
    def sharp(self) -> bool:
        """Whether the front is better read from the ice than from a temperature."""
        return self.liquidus_degC - self.solidus_degC <= 1.0

    @property
    def _enthalpies(self) -> Array:
        return self.first_J_per_m3 + self.step_J_per_m3 * np.arange(self.degC.size)


def constant(value: float) -> Law:
    """A law that does not depend on temperature."""
    return lambda t: np.full_like(np.asarray(t, dtype=float), value)


def _integral(values: Array, t: Array, zero_degC: float) -> Array:
    """The running integral of a law, 0 at a temperature."""
    running = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(t))])
    return running - np.interp(zero_degC, t, running)


def _at(places: Array | float, known: Array, values: Array) -> Array:
    """Linear interpolation."""
    return np.asarray(np.interp(places, known, values))
