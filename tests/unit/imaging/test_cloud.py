"""Points in clumps: the same nearest distance as by measuring to all, and a bound that never lies above it."""

import numpy as np
import pytest

from trocar.imaging.cloud import FEW, Cloud
from trocar.model.space import Segment, as_vector


@pytest.mark.parametrize("count", [1, FEW, 4 * FEW])
def test_nearest_is_that_of_all_points(count: int) -> None:
    random = np.random.default_rng(7)
    points = random.uniform(-60, 60, (count, 3))
    cloud = Cloud.of(points)
    for start, course in zip(random.uniform(-90, 90, (40, 3)), random.normal(scale=30, size=(40, 3)), strict=True):
        axis = Segment(start_lps_mm=as_vector(start), end_lps_mm=as_vector(start + course))
        exact = float(axis.distance_mm(points).min())
        assert cloud.distance_mm(axis) == exact
        assert cloud.at_least_mm(axis) <= exact + 1e-9


def test_segment_of_no_length_is_a_point() -> None:
    points = np.array([[3.0, 4.0, 0.0], [30.0, 0.0, 0.0]])
    axis = Segment(start_lps_mm=(0.0, 0.0, 0.0), end_lps_mm=(0.0, 0.0, 0.0))
    assert Cloud.of(points).distance_mm(axis) == pytest.approx(5.0)
    assert Cloud.of(points).at_least_mm(axis) <= 5.0
