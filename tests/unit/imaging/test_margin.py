"""Surfaces and margins against analytic spheres and ellipsoids, in random positions on thin and thick slices."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from trocar.imaging.fair import fair_surface
from trocar.imaging.margin import cold_zone, mask_zone, surface_margin
from trocar.model.space import Grid, as_matrix4


def lattice(spacing_mm, half_mm, rng, *, oblique=False):
    """A grid around the origin at a random fraction of a voxel, and its points (i, j, k, 3)."""
    spacing = np.asarray(spacing_mm, dtype=float)
    shape = tuple(int(n) for n in np.ceil(2 * half_mm / spacing) + 4)
    turn = Rotation.from_euler("xyz", (20, -35, 15), degrees=True).as_matrix() if oblique else np.eye(3)
    matrix = np.eye(4)
    matrix[:3, :3] = turn * spacing
    matrix[:3, 3] = turn @ (-np.asarray(shape) * spacing / 2 + rng.uniform(0, 1, 3) * spacing)
    grid = Grid(shape=shape, lps_from_ijk=as_matrix4(matrix))
    return grid, grid.to_lps(np.moveaxis(np.indices(shape), 0, -1))


def ball(points, radius_mm, center=(0, 0, 0)):
    return np.linalg.norm(points - np.asarray(center), axis=-1) < radius_mm


@pytest.mark.parametrize("spacing_mm, limit_mm", [((1, 1, 1), 0.35), ((0.8, 0.8, 2), 0.4), ((1, 1, 3), 0.8)])
@pytest.mark.parametrize("oblique", [False, True])
def test_a_balls_surface_is_found_to_a_fraction_of_a_voxel(spacing_mm, limit_mm, oblique):
    rng = np.random.default_rng(4)
    for _ in range(2):
        grid, points = lattice(spacing_mm, 13, rng, oblique=oblique)
        surface = fair_surface(ball(points, 12), grid)
        errors = np.linalg.norm(surface.vertices_lps_mm, axis=1) - 12
        assert np.abs(errors).max() <= limit_mm
        assert abs(errors.mean()) <= 0.06
        assert surface.volume_ml == pytest.approx(4 / 3 * np.pi * 12**3 / 1000, rel=0.02)


def test_a_thin_shell_and_a_thin_rod_keep_a_surface():
    rng = np.random.default_rng(1)
    grid, points = lattice((1, 1, 1.5), 16, rng)
    shell = ball(points, 15) & ~ball(points, 13)
    rod = (np.hypot(points[..., 0], points[..., 1]) < 1.5) & (np.abs(points[..., 2]) < 12)
    assert fair_surface(shell, grid).volume_ml == pytest.approx(4 / 3 * np.pi * (15**3 - 13**3) / 1000, rel=0.15)
    assert fair_surface(rod, grid).volume_ml > 0.3 * np.pi * 1.5**2 * 24 / 1000


CASES = {
    "concentric": ((0, 0, 0), 6.0),
    "shifted across": ((5, 0, 0), 1.0),
    "shifted along the slices' normal": ((0, 0, 5), 1.0),
    "sticking out": ((0, 5, 6), 6 - np.hypot(5, 6)),
}


@pytest.mark.parametrize("spacing_mm, limit_mm", [((1, 1, 1), 0.3), ((1, 1, 3), 0.8)])
def test_minimal_margins_of_balls(spacing_mm, limit_mm):
    """The acceptance figures of the peers' reference, section 3.5."""
    rng = np.random.default_rng(7)
    held = []
    for center, truth_mm in CASES.values():
        for _ in range(3 if max(spacing_mm) < 2 else 1):
            grid, points = lattice(spacing_mm, 24, rng)
            zone = mask_zone(ball(points, 16, center), grid)
            found = surface_margin(ball(points, 10), grid, zone)
            assert abs(found.minimum_mm - truth_mm) <= limit_mm
            held.append(found.interval_mm[0] <= truth_mm <= found.interval_mm[1])
            assert found.minimum_mm <= found.p1_mm <= found.p5_mm
    assert np.mean(held) >= 0.9


def test_the_worst_point_and_the_areas_of_a_shifted_ball():
    grid, points = lattice((1, 1, 1), 24, np.random.default_rng(0))
    zone = mask_zone(ball(points, 16, (0, 0, 8)), grid)
    found = surface_margin(ball(points, 10), grid, zone)
    assert found.where_lps_mm == pytest.approx((0, 0, -10), abs=2.0)
    # On a ball of 10 about the origin, outside a ball of 16 about z = 8: the cap z < (100 + 64 - 256) / 16.
    cap_mm2 = 2 * np.pi * 10 * (10 - 5.75)
    assert found.below_0_mm2 == pytest.approx(cap_mm2, rel=0.12)
    assert found.below_5_mm2 > found.below_0_mm2


def test_the_zone_of_a_temperature_is_its_level():
    grid, points = lattice((2, 2, 2), 26, np.random.default_rng(0))
    temperature = 4.0 * (np.linalg.norm(points, axis=-1) - 18.0)
    lesion = ball(points, 10)
    for level, radius in ((0.0, 18.0), (-20.0, 13.0), (-40.0, 8.0)):
        found = surface_margin(lesion, grid, cold_zone(temperature, grid, level))
        assert found.minimum_mm == pytest.approx(radius - 10, abs=0.5)


def test_only_the_assessable_surface_counts():
    grid, points = lattice((1, 1, 1), 24, np.random.default_rng(0))
    zone, lesion = mask_zone(ball(points, 16, (0, 0, 8)), grid), ball(points, 10)
    upper = surface_margin(lesion, grid, zone, assessable=points[..., 2] > 0)
    # A point counts when it and the edge nearest to it (a voxel and a half beyond) lie where the zone can be judged.
    height = np.linspace(-10, 10, 20001)
    to_center = np.sqrt(10**2 + 8**2 - 2 * 8 * height)
    counts = (height > 0) & (8 + 17.5 * (height - 8) / to_center > 0)
    assert upper.assessable_frac == pytest.approx(counts.mean(), abs=0.05)
    assert upper.minimum_mm == pytest.approx((16 - to_center)[counts].min(), abs=0.8)
    assert surface_margin(lesion, grid, zone, assessable=np.zeros(grid.shape, dtype=bool)) is None
    assert surface_margin(lesion, grid, mask_zone(np.zeros(grid.shape, dtype=bool), grid)) is None


def test_a_worse_registration_widens_the_interval():
    grid, points = lattice((1, 1, 1), 20, np.random.default_rng(0))
    zone, lesion = mask_zone(ball(points, 14), grid), ball(points, 8)
    sure, unsure = (surface_margin(lesion, grid, zone, uncertainty_mm=mm) for mm in (0.0, 2.0))
    assert unsure.interval_mm[0] < sure.interval_mm[0] - 1 and unsure.interval_mm[1] > sure.interval_mm[1] + 1
