"""Runge-Kutta-Legendre super-steps of first order: many explicit steps' length for the square root of their cost."""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, sqrt

import numpy as np

from trocar.physics.medium import Array

SAFETY = 0.95
LONGEST_S = 32.0
LAST_SHARE = 0.5  # of the longest step, for the last one of a phase
AFTER_SWITCH_S = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0)  # first, what is switched is followed closely
SETTLED_STAGES = 10  # a step of more settles what it stirred up,
SETTLING_SHARE = 0.05  # in this last part of it
LOOKS = 3  # how often in a step, settling aside, the vessels that the ice has closed are looked at anew


def stages(step_s: float, explicit_s: float) -> Array:
    """(n, 3) float32: one super-step, stable for this explicit limit.

    Each stage is Y_new = Y + beyond (Y - Y_before) + weight L(Y): a row has beyond, weight in s, and whether the open
    vessels are looked at first. What is constant stays so to the last bit. The array is not to be written.

    A step with many stages ends with a short one of its own, whose first stage forgets Y_before. Between stages a cell
    moves on like a mass with little friction; where its mush ends, it stiffens twentyfold and rings. Left alone, tissue
    that freezes all at once between needles came out 100 K too cold in places.
    """
    count = _stage_count(step_s, explicit_s)
    if count <= SETTLED_STAGES:
        return _super_step(((step_s, count),))
    settling_s = SETTLING_SHARE * step_s
    parts = (step_s - settling_s, settling_s)
    return _super_step(tuple((part_s, _stage_count(part_s, explicit_s)) for part_s in parts))


def _stage_count(step_s: float, explicit_s: float) -> int:
    """The least number of stages that is stable for a step, given the explicit limit (Meyer et al. 2014)."""
    return max(3, ceil(0.5 * (sqrt(1 + 8 * step_s / (SAFETY * explicit_s)) - 1)))


@lru_cache(maxsize=512)
def _super_step(parts: tuple[tuple[float, int], ...]) -> Array:
    """The stages of some lengths in s, each with its number: RKL1, monotone for every number of stages."""
    return np.concatenate([_part(part_s, count, 1 if n else LOOKS) for n, (part_s, count) in enumerate(parts)])


def _part(part_s: float, count: int, looks: int) -> Array:
    j = np.arange(1, count + 1, dtype=float)
    weight = 2.0 / (count * count + count)
    past = np.floor(looks * weight * j * (j - 1) / 2 + 1e-9)  # of the part's looks, when a stage begins
    looking = np.diff(past, prepend=-1.0) > 0
    return np.stack([(j - 1) / j, (2.0 * j - 1) / j * weight * part_s, looking], axis=1).astype(np.float32)


def schedule(duration_s: float, *, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Super-steps that fill a phase: short after the switch that opens it, then equal ones, a short one at its end.

    The end of a long step runs ahead of the heat, in deep ice most; a short one after it puts a part of that right.
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
