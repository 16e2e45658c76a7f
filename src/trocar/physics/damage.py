"""What the cold leaves behind: the coldest moment, time spent below temperatures, freezes, and closed vessels."""

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from scipy import ndimage

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.enthalpy import Law
from trocar.physics.medium import Array
from trocar.physics.spans import Rows
from trocar.physics.threads import share, together

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

    def record(self, before_degC: Array, now_degC: Array, step_s: float, law: Law, rows: Rows) -> tuple[float, float]:
        """Take in a step that led from one temperature to another (flat) on the active rows.

        Returns the lowest and the highest temperature there now.
        """
        thresholds = np.array(THRESHOLDS_DEGC, np.float32)
        extremes = np.empty((rows.bounds.size - 1, 2), np.float32)
        together(
            _record, before_degC, now_degC, np.float32(step_s), thresholds, law, rows,
            self.minimum_degC, self.open_frac, self.freezes, self.below_s, extremes,
        )  # fmt: skip
        return float(extremes[:, 0].min()), float(extremes[:, 1].max())


@njit(**COMPILED)
def _record(  # type: ignore[no-untyped-def]
    number, threads, before, now, step_s, thresholds, law, rows, minimum, open_frac, freezes, below_s, extremes
):
    start, length, bounds, _ = rows
    begin, end = share(bounds.size - 1, number, threads)
    for part in range(begin, end):
        low, high, lowest = _rows_cold(
            before, now, minimum, open_frac, freezes, law.liquidus, law.interval, start, length, bounds, part
        )
        extremes[part, 0], extremes[part, 1] = low, high
        for n in range(thresholds.size):
            if lowest < thresholds[n]:
                _rows_below(before, now, below_s[n], step_s, thresholds[n], start, length, bounds, part)


@njit(**KERNEL)
def _rows_cold(before, now, minimum, open_frac, freezes, liquidus, interval, start, length, bounds, part):  # type: ignore[no-untyped-def]
    """The coldest moment, the vessels it closed, and the passages through the middle of the freezing interval."""
    middle, inverse = liquidus - np.float32(0.5) * interval, np.float32(1) / interval
    zero, one = np.float32(0), np.float32(1)
    low, high, lowest = np.float32(1e9), np.float32(-1e9), np.float32(1e9)
    for row in range(bounds[part], bounds[part + 1]):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            a, b = before[p], now[p]
            low, high, lowest = min(low, b), max(high, b), min(lowest, a)
            minimum[p] = min(minimum[p], b)
            open_frac[p] = min(open_frac[p], one - min(max((liquidus - b) * inverse, zero), one))
            freezes[p] += one if (a >= middle and b < middle) else zero
    return low, high, min(low, lowest)


@njit(**KERNEL)
def _rows_below(before, now, below_s, step_s, threshold, start, length, bounds, part):  # type: ignore[no-untyped-def]
    """The share of the step below a threshold, with the temperature linear in time between its ends."""
    zero, one, tiny = np.float32(0), np.float32(1), np.float32(1e-6)
    for row in range(bounds[part], bounds[part + 1]):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            low, high = min(before[p], now[p]), max(before[p], now[p])
            below_s[p] += step_s * min(max((threshold - low) / max(high - low, tiny), zero), one)


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
