"""Eight numbers at a time, against numpy."""

import numpy as np
import pytest
from numba import njit

from trocar.physics.vectors import LANES, add_scaled, dot


@njit
def dotted(values, first, others, other_first):
    return dot(values, first, others, other_first)


@njit
def added(into, place, factor, values, first):
    add_scaled(into, place, factor, values, first)


@pytest.mark.parametrize("first", [0, 3, 9])
def test_a_dot_product_of_eight(first):
    a, b = np.random.default_rng(1).random((2, 20)).astype(np.float32)
    known = float(a[first : first + LANES].astype(float) @ b[5 : 5 + LANES].astype(float))
    assert dotted(a, first, b, 5) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize("place", [0, 1, 12])
def test_eight_are_added_and_no_others(place):
    into, values = np.random.default_rng(2).random((2, 20)).astype(np.float32)
    known = into.copy()
    known[place : place + LANES] += np.float32(-1.7) * values[4 : 4 + LANES]
    added(into, place, np.float32(-1.7), values, 4)
    assert into == pytest.approx(known, abs=1e-6)
