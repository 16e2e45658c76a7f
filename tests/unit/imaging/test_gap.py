"""Distances between structures against analytic shapes."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from trocar.imaging.distance import boundary_voxels, distance_field
from trocar.imaging.gap import gap, gaps
from trocar.imaging.surface import bounds
from trocar.model.case import Role, Structure
from trocar.model.space import Grid, as_matrix4


def grid_of(spacing_mm, shape, *, oblique=False):
    turn = Rotation.from_euler("xyz", (10, 25, -40), degrees=True).as_matrix() if oblique else np.eye(3)
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.asarray(spacing_mm, dtype=float)
    matrix[:3, 3] = -matrix[:3, :3] @ (np.asarray(shape) - 1) / 2
    return Grid(shape=shape, lps_from_ijk=as_matrix4(matrix))


def ball(grid, center, radius_mm, name="ball"):
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    inside = np.linalg.norm(points - np.asarray(center), axis=-1) < radius_mm
    return Structure(name=name, role=Role.ORGAN, inside=inside)


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("spacing_mm, limit_mm", [((1, 1, 1), 0.5), ((1, 1, 2), 0.8)])
@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 0, 1), (0.6, -0.48, 0.64)])
def test_the_gap_of_two_balls(oblique, spacing_mm, limit_mm, direction):
    grid = grid_of(spacing_mm, tuple(int(70 / s) for s in spacing_mm), oblique=oblique)
    way = np.asarray(direction)
    first, second = ball(grid, -12 * way, 9.3), ball(grid, 12 * way, 6.4)
    distance, on_first, on_second = gap(first, second, grid)
    assert distance == pytest.approx(24 - 9.3 - 6.4, abs=limit_mm)
    assert np.linalg.norm(on_first - on_second) == pytest.approx(distance, abs=1e-6)
    assert on_first == pytest.approx(-12 * way + 9.3 * way, abs=4.0)


def test_a_nerve_given_as_a_curve_is_exact_and_a_mask_cannot_hide_it():
    grid = grid_of((1.5, 1.5, 1.5), (50, 50, 50))
    lesion = ball(grid, (0, 0, 0), 12)
    empty = np.zeros(grid.shape, dtype=bool)
    nerve = Structure(
        name="nerve", role=Role.NERVE, inside=empty, centerline_lps_mm=((20, -30, 0), (20, 30, 0)), diameter_mm=4.0
    )
    assert gap(lesion, nerve, grid)[0] == pytest.approx(20 - 2 - 12, abs=0.5)
    crossing = Structure(
        name="nerve", role=Role.NERVE, inside=empty, centerline_lps_mm=((5, -30, 0), (5, 30, 0)), diameter_mm=4.0
    )
    distance, here, there = gap(lesion, crossing, grid)
    assert distance == 0 and np.linalg.norm(here) < 12 and np.array_equal(here, there)


def test_overlap_is_zero_and_an_empty_structure_is_infinitely_far():
    grid = grid_of((1, 1, 1), (40, 40, 40))
    lesion, host = ball(grid, (0, 0, 0), 6), ball(grid, (3, 0, 0), 12)
    empty = Structure(name="empty", role=Role.ORGAN, inside=np.zeros(grid.shape, dtype=bool))
    found = gaps(lesion, (host, empty), grid)
    assert found[0].distance_mm == 0 and np.isinf(found[1].distance_mm)


def test_the_nearest_part_of_a_far_and_large_thin_shell():
    grid = grid_of((1, 1, 1), (100, 100, 100))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    radius = np.linalg.norm(points, axis=-1)
    skin = Structure(name="skin", role=Role.SKIN, inside=(radius < 46) & (radius > 44))
    lesion = ball(grid, (0, 14, 0), 10)
    distance, _, on_skin = gap(lesion, skin, grid)
    assert distance == pytest.approx(44 - 24, abs=0.6)
    assert on_skin == pytest.approx((0, 44, 0), abs=9)


def test_a_plane_is_exact_in_the_distance_field_at_any_spacing():
    grid = grid_of((0.7, 1.3, 3.0), (12, 12, 12))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[:, :, :5] = True
    along = np.arange(12) * 3.0 - 4.5 * 3.0
    assert distance_field(inside, grid)[6, 6] == pytest.approx(along, abs=1e-4)


def test_bounds_and_boundary_voxels():
    inside = np.zeros((9, 8, 7), dtype=bool)
    inside[2:6, 3:7, 1:5] = True
    assert bounds(inside) == ((2, 6), (3, 7), (1, 5))
    assert len(boundary_voxels(inside)) == 4**3 - 2**3
