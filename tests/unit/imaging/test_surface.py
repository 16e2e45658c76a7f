"""Boxes around masks, and surfaces that look outward on any grid."""

import numpy as np
import pytest

from trocar.imaging.surface import grown_bounds, mask_surface, slices, window
from trocar.model.space import Grid, as_matrix4

SHAPE = (30, 28, 26)


def test_a_box_grows_to_the_border_and_no_farther():
    inside = np.zeros(SHAPE, bool)
    inside[2:5, 10:12, 20:25] = True
    low, high = grown_bounds(inside, (3, 4, 5))
    assert low.tolist() == [0, 6, 15] and high.tolist() == [8, 16, 26]
    assert slices(low, high) == (slice(0, 8), slice(6, 16), slice(15, 26))


def test_a_window_goes_a_distance_and_a_voxel_beyond():
    inside = np.zeros(SHAPE, bool)
    inside[15, 14, 13] = True
    grid = Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(1.0, 2.0, 4.0), shape=SHAPE)
    box, cropped = window(inside, grid, 3.0)
    assert box == (slice(11, 20), slice(11, 18), slice(11, 16))
    assert cropped.to_lps([4, 3, 2]) == pytest.approx(grid.to_lps([15, 14, 13]))


@pytest.mark.parametrize("turned", [False, True])
def test_a_surface_looks_outward_on_right_and_left_handed_grids(turned):
    random = np.random.default_rng(1)
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if turned else 1)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * (0.7, 1.1, 1.6)
    grid = Grid(shape=SHAPE, lps_from_ijk=as_matrix4(matrix))
    inside = np.zeros(SHAPE, bool)
    inside[8:20, 6:20, 5:18] = True
    assert mask_surface(inside, grid).volume_ml == pytest.approx(inside.sum() * grid.voxel_ml, rel=0.03)
