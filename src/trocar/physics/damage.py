"""What the cold leaves behind: the coldest moment, time spent below temperatures, freezes, and closed vessels."""

from dataclasses import dataclass, field

import numpy as np
from numba import njit, prange
from scipy import ndimage

from trocar.physics.enthalpy import COMPILED, Law
from trocar.physics.medium import Array
from trocar.physics.spans import Rows

THRESHOLDS_DEGC = (0.0, -20.0, -40.0)


@dataclass(slots=True, eq=False)
class Damage:
    """Flat float32 arrays per cell, brought up to date after every step.

    `open_frac`: the share of perfusion left; it follows the ice down and never recovers (stasis after freezing).
    `freezes`: how often the cell fell below the middle of the freezing interval. `below_s`: (thresholds, cells).
    """

    minimum_degC: Array
    open_frac: Array
    freezes: Array
    below_s: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @classmethod
    def fresh(cls, cells: int, rest_degC: float) -> "Damage":
        """Tissue that nothing has happened to."""
        return cls(
            minimum_degC=np.full(cells, rest_degC, np.float32),
            open_frac=np.ones(cells, np.float32),
            freezes=np.zeros(cells, np.float32),
            below_s=np.zeros((len(THRESHOLDS_DEGC), cells), np.float32),
        )

    def record(self, before_degC: Array, now_degC: Array, step_s: float, law: Law, rows: Rows) -> None:
        """Take in a step that led from one temperature to another (flat) on the active rows."""
        thresholds = np.array(THRESHOLDS_DEGC, np.float32)
        _record(
            before_degC, now_degC, np.float32(step_s), thresholds, law, rows,
            self.minimum_degC, self.open_frac, self.freezes, self.below_s,
        )  # fmt: skip


@njit(parallel=True, **COMPILED)
def _record(before, now, step_s, thresholds, law, rows, minimum, open_frac, freezes, below_s):  # type: ignore[no-untyped-def]
    middle = law.liquidus - np.float32(0.5) * law.interval
    zero, one = np.float32(0), np.float32(1)
    for part in prange(rows.bounds.size - 1):
        for row in range(rows.bounds[part], rows.bounds[part + 1]):
            for k in range(rows.length[row]):
                p = rows.start[row] + np.uint64(k)
                a, b = before[p], now[p]
                minimum[p] = min(minimum[p], b)
                thawed = one - min(max((law.liquidus - b) * law.inverse_interval, zero), one)
                open_frac[p] = min(open_frac[p], thawed)
                if a >= middle and b < middle:
                    freezes[p] += one
                for n in range(thresholds.size):
                    # the share of the step below, with the temperature linear in time between its ends
                    low, high = min(a, b), max(a, b)
                    if high <= thresholds[n]:
                        below_s[n, p] += step_s
                    elif low < thresholds[n]:
                        below_s[n, p] += step_s * (thresholds[n] - low) / (high - low)


def zone_m3(values: Array, level: float, spacing_m: float, *, finer: int = 4) -> float:
    """The volume where trilinear `values` [i, j, k] lie below `level`, by samples `finer` to a spacing."""
    below = values < level
    if not below.any():
        return 0.0
    box = tuple(
        slice(max(0, int(line[0]) - 2), int(line[-1]) + 3)
        for line in (np.flatnonzero(below.any(axis=tuple(b for b in range(3) if b != a))) for a in range(3))
    )
    part = values[box].astype(np.float32)
    shape = tuple((n - 1) * finer for n in part.shape)
    matrix = np.full(3, 1.0 / finer)
    fine = ndimage.affine_transform(part, matrix, offset=0.5 / finer, output_shape=shape, order=1, mode="nearest")
    return float(np.count_nonzero(fine < level)) * (spacing_m / finer) ** 3
