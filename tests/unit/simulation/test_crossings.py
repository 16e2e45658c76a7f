"""When a limit is crossed is told between two looks, not at the later one."""

import numpy as np
import pytest

from trocar.model.case import Role
from trocar.simulation.exposure import Watched


def nerve() -> Watched:
    return Watched(
        name="nerve", role=Role.NERVE, points_lps_mm=np.zeros((1, 3)), corners=np.zeros((1, 8), int),
        weights=np.full((1, 8), 1 / 8), minimum_degC=np.full(1, 37.0), highest_degC=np.full(1, 37.0), limit_degC=10.0,
        hot_limit_degC=42.0,
    )  # fmt: skip


def seen(watched: Watched, *looks: tuple[float, float]) -> Watched:
    for time_s, degC in looks:
        watched.see(np.full((1, 8), degC), time_s)
    return watched


def test_a_limit_is_crossed_where_the_line_between_two_looks_meets_it():
    cold = seen(nerve(), (60.0, 30.0), (120.0, 14.0), (180.0, 6.0), (240.0, 2.0))
    assert cold.first_crossing_s == pytest.approx(150.0)
    assert cold.first_hot_crossing_s is None
    hot = seen(nerve(), (10.0, 37.0), (20.0, 47.0), (30.0, 60.0))
    assert hot.first_hot_crossing_s == pytest.approx(15.0)
    assert hot.first_crossing_s is None


def test_what_is_past_its_limit_at_the_first_look_is_crossed_then():
    assert seen(nerve(), (5.0, 9.0), (10.0, 3.0)).first_crossing_s == 5.0
