"""What heat flows through: a lattice of cells, each with its own tissue."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trocar.errors import SolverError

Array = NDArray[Any]

BOILING_DEGC = (99.0, 101.0)  # the range over which tissue water is taken to boil


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Freezing:
    """The curve g(T) by which conductivity goes from unfrozen to frozen, and perfusion stops; one for all tissues.

    k(T) = k_unfrozen + (k_frozen - k_unfrozen) g(T): g is 0 above the liquidus, rises linearly to 1 at the solidus
    and by `ice_slope_per_K` below it (the conductivity of ice rises as it cools). Being common to all tissues it
    makes the flux between two of them vanish at equal temperatures and be exact (Kirchhoff) in each.
    """

    solidus_degC: float = -8.0
    liquidus_degC: float = -1.0
    ice_slope_per_K: float = 0.0

    @property
    def interval_K(self) -> float:
        return self.liquidus_degC - self.solidus_degC

    def share(self, temperature_degC: Array | float) -> Array:
        """g(T)."""
        interval = self.interval_K
        below = self.liquidus_degC - np.asarray(temperature_degC, dtype=float)
        return np.clip(below / interval, 0, 1) + self.ice_slope_per_K * np.maximum(below - interval, 0)

    def integral(self, temperature_degC: Array | float) -> Array:
        """The integral of g from the liquidus to T, K; 0 above the liquidus, negative below."""
        interval = self.interval_K
        below = self.liquidus_degC - np.asarray(temperature_degC, dtype=float)
        mush, deep = np.clip(below, 0, interval), np.maximum(below - interval, 0)
        return -(mush**2 / (2 * interval) + deep + self.ice_slope_per_K * deep**2 / 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Medium:
    """Tissue on a lattice of cubic cells: arrays [i, j, k] in SI units; `spacing_m` is the cell's edge.

    `perfusion_W_per_m3K` is Pennes' coefficient (blood density x its heat capacity x flow). Metabolic heat is in the
    resting temperature: with arterial blood at T_a, tissue rests at T_a + Q_m / W, and Q_m stops where perfusion
    does. `held` cells keep `held_degC` (vessels, an outer wall); an axis in `insulated` has no flux
    through its two ends, the others are held at the resting temperature.
    """

    spacing_m: float
    unfrozen_W_per_mK: Array
    frozen_W_per_mK: Array
    unfrozen_J_per_m3K: Array
    frozen_J_per_m3K: Array
    latent_J_per_m3: Array
    perfusion_W_per_m3K: Array
    held: Array
    held_degC: Array
    rest_degC: float = 37.0
    freezing: Freezing = Freezing()
    exchange_W_per_m2K: float = 0.0  # through faces between tissue and `outside` cells
    outside: Array | None = None
    vapor_J_per_m3: Array | None = None  # latent heat of boiling, taken up over `boiling_degC`; None: never boils
    boiling_degC: tuple[float, float] = BOILING_DEGC
    insulated: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if min(self.shape) < 3:
            raise SolverError(f"a medium of shape {self.shape} has no inner cell", hint="use a larger or finer grid")
        for name in ("unfrozen_W_per_mK", "frozen_W_per_mK", "unfrozen_J_per_m3K", "frozen_J_per_m3K"):
            self._require(name, positive=True)
        for name in ("latent_J_per_m3", "perfusion_W_per_m3K"):
            self._require(name, positive=False)
        if self.vapor_J_per_m3 is not None:
            self._require("vapor_J_per_m3", positive=False)
        if not self.freezing.interval_K > 0:
            raise SolverError("the solidus must lie below the liquidus", hint="half a kelvin stands for a sharp front")

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.unfrozen_W_per_mK.shape

    @property
    def cell_m3(self) -> float:
        return self.spacing_m**3

    def _require(self, name: str, *, positive: bool) -> None:
        values = getattr(self, name)
        if values.shape != self.shape:
            raise SolverError(f"{name} has shape {values.shape}, not {self.shape}")
        if not np.isfinite(values).all():
            raise SolverError(f"{name} is not finite everywhere", hint="check the tissue table and the image")
        if positive and (values <= 0).any():
            raise SolverError(f"{name} is not positive everywhere", hint="check the tissue table")
