"""Means of voxels over the cells of another lattice: nothing is lost, nothing moves, whatever the offset."""

import numpy as np
import pytest

from trocar.imaging.resample import averaged, resample, resample_mask
from trocar.model.space import Grid, Volume, as_matrix4

RNG = np.random.default_rng(5)
SPACING_MM = (0.9, 1.1, 1.7)


def blob():
    grid = Grid.aligned(origin_lps_mm=(-3.0, 4.0, 10.0), spacing_mm=SPACING_MM, shape=(40, 36, 24))
    values = np.zeros(grid.shape, np.float32)
    values[12:25, 10:24, 7:15] = RNG.uniform(0.5, 1.5, (13, 14, 8))
    return values, grid


def moments(values, grid):
    """What a field adds up to in mm3, and its middle in LPS mm."""
    whole = values.sum(dtype=float)
    points = grid.to_lps(np.argwhere(values > 0))
    return whole * grid.voxel_ml * 1000, (values[values > 0][:, None] * points).sum(axis=0) / whole


@pytest.mark.parametrize("shift_mm", [0.0, 0.25, 0.5, 0.83])
@pytest.mark.parametrize("spacing_mm", [0.7, 1.0, 2.0, 3.1])
def test_a_fields_sum_and_middle_stay(spacing_mm, shift_mm):
    values, grid = blob()
    shape = tuple(int(n) for n in np.ceil(60.0 / spacing_mm) * np.ones(3))
    cells = Grid.aligned(
        origin_lps_mm=tuple(np.array((-8.0, -2.0, 5.0)) + shift_mm), spacing_mm=(spacing_mm,) * 3, shape=shape
    )
    whole, middle = moments(values, grid)
    found, where = moments(averaged(values, grid, cells, outside=0.0), cells)
    assert found == pytest.approx(whole, rel=1e-5)
    assert where == pytest.approx(middle, abs=0.1)  # in cells of up to 3.1 mm


def test_cells_that_are_voxels_keep_them_and_flipped_ones_take_their_own():
    values, grid = blob()
    assert np.array_equal(averaged(values, grid, grid, outside=-1.0), values)
    matrix = grid.matrix.copy()
    matrix[:3, 3] = grid.to_lps((39, 0, 0))
    matrix[:3, 0] *= -1
    flipped = Grid(shape=grid.shape, lps_from_ijk=as_matrix4(matrix))
    assert averaged(values, grid, flipped, outside=-1.0) == pytest.approx(values[::-1])


def test_a_cell_that_reaches_beyond_takes_what_there_is_and_one_beyond_the_value_asked_for():
    grid = Grid.aligned(origin_lps_mm=(0, 0, 0), spacing_mm=(1, 1, 1), shape=(6, 6, 6))
    cells = Grid.aligned(origin_lps_mm=(-3.0, 2.0, 2.0), spacing_mm=(2, 2, 2), shape=(2, 1, 1))
    found = averaged(np.full(grid.shape, 7.0), grid, cells, outside=-1000.0)
    assert found.ravel().tolist() == [-1000.0, 7.0]


def test_turned_grids_get_the_trilinear_value():
    values, grid = blob()
    c, s = np.cos(0.1), np.sin(0.1)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:3, 3] = (6.0, 14.0, 20.0)
    turned = Grid(shape=(20, 20, 12), lps_from_ijk=as_matrix4(matrix))
    assert averaged(np.full_like(values, 3.0), grid, turned, outside=0.0) == pytest.approx(np.full((20, 20, 12), 3.0))


def turned(degrees):
    """A finer lattice around the blob, its axes turned about the third one."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[:3, :3] = 0.8 * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:3, 3] = (-2.0, 2.0, 11.0)
    return Grid(shape=(50, 48, 40), lps_from_ijk=as_matrix4(matrix))


@pytest.mark.parametrize("degrees", [0.0, 25.0, 180.0])
def test_a_mask_resampled_in_its_own_box_is_the_mask_resampled(degrees):
    values, grid = blob()
    onto = turned(degrees)
    whole = resample(Volume(grid=grid, values=(values > 0).astype(np.float32), unit="1"), onto, outside=0.0)
    assert np.array_equal(resample_mask(values > 0, grid, onto), whole.values >= 0.5)
    assert whole.values.any() == (degrees < 180.0)


def test_a_mask_keeps_its_voxels_at_the_end_of_the_image():
    """A bone cut off by the image's last slice: a lattice of the same centers has that slice too."""
    grid = Grid.aligned(origin_lps_mm=(-0.1, 0.3, 0.7), spacing_mm=(0.7, 0.7, 1.3), shape=(12, 12, 9))
    inside = np.zeros(grid.shape, bool)
    inside[3:8, 2:, :] = True
    assert np.array_equal(resample_mask(inside, grid, grid), inside)
    assert not resample_mask(np.zeros(grid.shape, bool), grid, grid).any()
