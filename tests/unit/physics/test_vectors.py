"""Eight numbers at a time, against numpy."""

import numpy as np
import pytest
from numba import njit

from trocar.physics.vectors import LANES, add_scaled, dot_pairs


@njit
def dotted(values, first, more, others, place, beside):
    return dot_pairs(values, first, more, first + 1, others, place, beside, place + 2)


@njit
def added(into, place, factor, values, first):
    add_scaled(into, place, factor, values, first)


@pytest.mark.parametrize("first", [0, 3, 9])
def test_two_dot_products_of_eight(first):
    a, b, c, d = np.random.default_rng(1).random((4, 20)).astype(np.float32)
    eight = [np.asarray(values[n : n + LANES], float) for values, n in ((a, first), (b, first + 1), (c, 5), (d, 7))]
    known = float(eight[0] @ eight[2] + eight[1] @ eight[3])
    assert dotted(a, first, b, c, 5, d) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize("place", [0, 1, 12])
def test_eight_are_added_and_no_others(place):
    into, values = np.random.default_rng(2).random((2, 20)).astype(np.float32)
    known = into.copy()
    known[place : place + LANES] += np.float32(-1.7) * values[4 : 4 + LANES]
    added(into, place, np.float32(-1.7), values, 4)
    assert into == pytest.approx(known, abs=1e-6)
