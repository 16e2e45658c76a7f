"""Distances looked at in a box of their own: as on the whole lattice, whatever the mask."""

import numpy as np
import pytest
from scipy import ndimage

from trocar.imaging.distance import near

SPACING_MM = np.array((0.9, 1.1, 1.7))


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.02, 1.0])
@pytest.mark.parametrize("reach_mm", [0.0, 1.0, 4.5, 60.0])
def test_what_is_near_in_a_box_is_near_on_the_whole_lattice(share, reach_mm):
    inside = np.random.default_rng(3).uniform(size=(24, 20, 16)) < share
    away = (
        ndimage.distance_transform_edt(~inside, sampling=SPACING_MM) if inside.any() else np.full(inside.shape, np.inf)
    )
    assert np.array_equal(near(inside, SPACING_MM, reach_mm), away <= reach_mm)
