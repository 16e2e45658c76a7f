"""Runge-Kutta-Legendre super-steps of first order: many explicit steps' length for the square root of their cost."""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, sqrt

import numpy as np

from trocar.physics.medium import Array

SAFETY = 0.95
LONGEST_S = 30.0
LAST_SHARE = 0.5  # of the longest step, for the last one of a phase
AFTER_SWITCH_S = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)  # a switched probe is followed in shorter steps first


def stage_count(step_s: float, explicit_s: float) -> int:
    """The least odd number of stages that is stable for a step, given the explicit limit (Meyer et al. 2014)."""
    return max(3, ceil(0.5 * (sqrt(1 + 8 * step_s / (SAFETY * explicit_s)) - 1)) | 1)


@lru_cache(maxsize=512)
def stages(step_s: float, count: int) -> Array:
    """(count, 2) float32: beyond and weight in s of Y_new = Y + beyond (Y - Y_before) + weight L(Y), one super-step.

    RKL1, monotone for every number of stages; in this form what is constant stays so to the last bit. The array is kept
    for the next step of its kind, and not to be written.
    """
    j = np.arange(1, count + 1, dtype=float)
    weight = 2.0 / (count * count + count)
    return np.stack([(j - 1) / j, (2.0 * j - 1) / j * weight * step_s], axis=1).astype(np.float32)


def schedule(duration_s: float, *, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Super-steps that fill a phase: short after the switch that opens it, then equal ones, a short one at its end.

    The end of a long step runs ahead of the heat; a short one after it puts most of that right.
    """
    left = duration_s
    for short_s in AFTER_SWITCH_S:
        if short_s >= longest_s or left <= 2 * short_s:
            break
        yield short_s
        left -= short_s
    last_s = LAST_SHARE * longest_s if left > 2 * longest_s else 0.0
    count = ceil((left - last_s) / longest_s - 1e-9)
    for _ in range(count):
        yield (left - last_s) / count
    if last_s > 0:
        yield last_s
