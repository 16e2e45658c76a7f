"""What the cold leaves behind: the coldest moment, time spent below temperatures, freezes, and closed vessels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from scipy import ndimage

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.enthalpy import Law
from trocar.physics.medium import Array
from trocar.physics.spans import Rows
from trocar.physics.threads import share

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

    def recording(
        self, before_degC: Array, now_degC: Array, step_s: float, law: Law, rows: Rows, there: Array
    ) -> tuple[Any, ...]:
        """What `record` takes to take in a step that led from one temperature to another (flat) on the active rows.

        `there`: where each row begins in `now_degC`. Last come the lowest and the highest temperature of each part.
        """
        thresholds = np.array(THRESHOLDS_DEGC, np.float32)
        extremes = np.empty((rows.bounds.size - 1, 2), np.float32)
        return (
            before_degC, now_degC, np.float32(step_s), thresholds, law, rows, there, self.minimum_degC, self.open_frac,
            self.freezes, self.below_s, extremes,
        )  # fmt: skip


@njit(**COMPILED)
def record(  # type: ignore[no-untyped-def]
    number, threads, before, now, step_s, thresholds, law, rows, there, minimum, open_frac, freezes, below_s, extremes
):
    """Row by row, so that what several laws look at is near; arrays that a row leaves as they are, are not written."""
    start, length, bounds, _ = rows
    middle, inverse = law.liquidus - np.float32(0.5) * law.interval, np.float32(1) / law.interval
    begin, end = share(bounds.size - 1, number, threads)
    for part in range(begin, end):
        low, high = np.float32(1e9), np.float32(-1e9)
        for row in range(bounds[part], bounds[part + 1]):
            p, q, count = start[row], there[row], length[row]
            least, most, coldest, warmest = _extremes(before, now, minimum, p, q, count)
            low, high = min(low, least), max(high, most)
            if least < law.liquidus:
                _close(now, open_frac, law.liquidus, inverse, p, q, count)
            if least < middle and warmest >= middle:
                _count(before, now, freezes, middle, p, q, count)
            for n in range(thresholds.size):
                if min(least, coldest) < thresholds[n]:
                    _time_below(before, now, below_s[n], step_s, thresholds[n], p, q, count)
        extremes[part, 0], extremes[part, 1] = low, high


@njit(**KERNEL)
def _extremes(before, now, minimum, p, q, count):  # type: ignore[no-untyped-def]
    """The coldest moments of a row; its lowest and highest temperature now, and before."""
    least, most, coldest, warmest = np.float32(1e9), np.float32(-1e9), np.float32(1e9), np.float32(-1e9)
    for k in range(count):
        a, b, m = before[p + np.uint64(k)], now[q + np.uint64(k)], minimum[p + np.uint64(k)]
        least, most, coldest, warmest = min(least, b), max(most, b), min(coldest, a), max(warmest, a)
        minimum[p + np.uint64(k)] = min(m, b)
    return least, most, coldest, warmest


@njit(**KERNEL)
def _close(now, open_frac, liquidus, inverse, p, q, count):  # type: ignore[no-untyped-def]
    """The vessels that the ice closes."""
    zero, one = np.float32(0), np.float32(1)
    for k in range(count):
        share = one - min(max((liquidus - now[q + np.uint64(k)]) * inverse, zero), one)
        open_frac[p + np.uint64(k)] = min(open_frac[p + np.uint64(k)], share)


@njit(**KERNEL)
def _count(before, now, freezes, middle, p, q, count):  # type: ignore[no-untyped-def]
    """The passages through the middle of the freezing interval."""
    zero, one = np.float32(0), np.float32(1)
    for k in range(count):
        passed = before[p + np.uint64(k)] >= middle and now[q + np.uint64(k)] < middle
        freezes[p + np.uint64(k)] += one if passed else zero


@njit(**KERNEL)
def _time_below(before, now, below_s, step_s, threshold, p, q, count):  # type: ignore[no-untyped-def]
    """The share of the step below a threshold, with the temperature linear in time between its ends."""
    zero, one, tiny = np.float32(0), np.float32(1), np.float32(1e-6)
    for k in range(count):
        a, b = before[p + np.uint64(k)], now[q + np.uint64(k)]
        low, high = min(a, b), max(a, b)
        below_s[p + np.uint64(k)] += step_s * min(max((threshold - low) / max(high - low, tiny), zero), one)


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
