"""How probably a cell has died: of cold by its coldest moment, of heat by its dose."""

import numpy as np

from trocar.physics.dose import HeatDose, Recovery
from trocar.physics.medium import Array

HALF_DIE_DEGC, NEARLY_ALL_DIE_DEGC = -10.0, -24.7  # AD50 and AD95 of a cell line in vitro (S1, figure 5a)


def cold_kill_frac(minimum_degC: Array, freezes: Array | None = None, *, gain_per_cycle_K: float = 0.0) -> Array:
    """The probability that cold has killed, 0..1: logistic in the coldest temperature, 1/2 and 0.95 at AD50 and AD95.

    Measured on one lung cancer cell line with an ICEfx needle (S1): evidence of its kind, not of tissue, where vessels
    close too. `gain_per_cycle_K` shifts the curve towards warmer for each freeze after the first; its size is a prior
    without a source, so none is assumed. Cells that never froze (`freezes` 0) are alive whatever the curve says.
    """
    slope = np.log(0.95 / 0.05) / (HALF_DIE_DEGC - NEARLY_ALL_DIE_DEGC)
    shift = 0.0 if freezes is None else gain_per_cycle_K * np.maximum(freezes - 1, 0)
    share = 1 / (1 + np.exp(np.clip(slope * (minimum_degC - shift - HALF_DIE_DEGC), -60, 60)))
    return share if freezes is None else np.where(freezes > 0, share, 0.0)


def heat_kill_frac(dose: HeatDose) -> Array:
    """The share of cells that Arrhenius damage (liver set) has killed: 1 - exp(-Omega), flat."""
    return -np.expm1(-dose.omega)


def heat_dead(dose: HeatDose) -> Array:
    """Flat: whether the three-state model has counted the tissue as dead at any time."""
    return dose.least_alive < Recovery().dead_below
