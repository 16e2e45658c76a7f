"""Super-steps of damped Chebyshev polynomials, first order: many explicit steps' length for the root of their cost."""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, sqrt, tanh

import numpy as np

from trocar.physics.medium import Array

SAFETY = 0.95
LONGEST_S = 60.0
LAST_SHARE = 0.5  # of the longest step, for the last one of a phase
FIRST_S = 1.0  # step of a phase: what is switched is followed closely, then steps double
LEAST_STAGES = 3
DAMPING, DAMPING_PER_S = 2.0, 0.04  # of a step: enough that nothing rings, and what keeps long ones accurate
MOST_DAMPING = 30.0  # beyond it nothing is left to damp
LOOKS = 3  # how often in a step the vessels that the ice has closed are looked at anew


def stages(step_s: float, explicit_s: float) -> Array:
    """(n, 3) float32: one super-step, stable for this explicit limit.

    Each stage is Y_new = Y + beyond (Y - Y_before) + weight L(Y): a row has beyond, weight in s, and whether the open
    vessels are looked at first. What is constant stays so to the last bit. The array is not to be written.

    Of what decays at a rate r is left T(w0 - w1 r step) / T(w0), with Chebyshev's polynomial T of n stages and
    w0 = cosh(damping / n): 1 / cosh(damping) at most of what decays fast (van der Houwen & Sommeijer 1980). That is
    friction: from stage to stage a cell moves on like a mass, and rings where its mush ends and it stiffens twentyfold.
    The second term of the series is 1 - 1 / damping of what it should be, or a little more.
    """
    return _super_step(step_s, _stage_count(step_s, explicit_s))


def damping_of(step_s: float) -> float:
    """The natural logarithm of about twice what a step divides by whatever decays fast."""
    return min(DAMPING + DAMPING_PER_S * step_s, MOST_DAMPING)


def _stage_count(step_s: float, explicit_s: float) -> int:
    """The least number of stages that is stable for a step, given the explicit limit."""
    damping = damping_of(step_s)
    return max(LEAST_STAGES, ceil(sqrt(damping / tanh(damping) * step_s / (SAFETY * explicit_s))))


@lru_cache(maxsize=512)
def _super_step(step_s: float, count: int) -> Array:
    damping, j = damping_of(step_s), np.arange(count + 1)
    polynomial = np.cosh(j * damping / count)  # T_j(w0)
    slope = np.sinh(damping / count) / (count * np.tanh(damping))  # w1
    beyond = np.concatenate([[0.0], polynomial[:-2] / polynomial[2:]])
    weight = np.concatenate([[1.0], np.full(count - 1, 2.0)]) * slope * step_s * polynomial[:-1] / polynomial[1:]
    begun = j[:-1] / count * np.tanh(j[:-1] * damping / count) / np.tanh(damping)  # of the step, when a stage begins
    looking = np.diff(np.floor(LOOKS * begun + 1e-9), prepend=-1.0) > 0
    return np.stack([beyond, weight, looking], axis=1).astype(np.float32)


def schedule(duration_s: float, *, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Super-steps that fill a phase: short after the switch that opens it, then equal ones, a short one at its end.

    The end of a long step runs ahead of the heat, in deep ice most; a short one after it puts a part of that right.
    """
    left, next_s = duration_s, FIRST_S
    while next_s < longest_s and left > 2 * next_s:
        yield next_s
        left -= next_s
        next_s *= 2
    last_s = LAST_SHARE * longest_s if left > longest_s else 0.0
    count = ceil((left - last_s) / min(next_s, longest_s) - 1e-9)
    for _ in range(count):
        yield (left - last_s) / count
    if last_s > 0:
        yield last_s
