"""Shapes have the distances and volumes that geometry gives them."""

import numpy as np
import pytest

from trocar.phantoms.shapes import Shape, column, ellipsoid, grown, halfspace, intersect, ribbon, subtract, tube, union


def _axes(shape: Shape, step_mm: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y, z = np.ix_(
        *[np.arange(low - 3.13, high + 3, step_mm) for low, high in zip(shape.low, shape.high, strict=True)]
    )
    return x, y, z


def _volume_mm3(shape: Shape, step_mm: float = 0.5) -> float:
    return float((shape.at(*_axes(shape, step_mm)) < 0).sum()) * step_mm**3


def _at(shape: Shape, *point: float) -> float:
    return float(shape.distance(*(np.full((1, 1, 1), value) for value in point))[0, 0, 0])


def test_a_sphere_has_its_exact_distances() -> None:
    sphere = ellipsoid((1, 2, 3), (10, 10, 10))
    assert _at(sphere, 14, 2, 3) == pytest.approx(3, abs=1e-4)
    assert _at(sphere, 1, 2, 8) == pytest.approx(-5, abs=1e-4)


def test_an_ellipsoid_holds_its_volume() -> None:
    assert _volume_mm3(ellipsoid((0, 0, 0), (12, 8, 6))) == pytest.approx(4 / 3 * np.pi * 12 * 8 * 6, rel=0.01)


def test_a_turned_ellipsoid_reaches_along_its_own_axis() -> None:
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert _at(ellipsoid((0, 0, 0), (20, 5, 5), axes=turn), 0, 20, 0) == pytest.approx(0, abs=1e-4)


def test_a_straight_tube_is_a_capsule() -> None:
    capsule = tube([(0, 0, 0, 4), (0, 0, 30, 4)])
    assert _at(capsule, 6, 0, 15) == pytest.approx(2, abs=0.01)
    assert _volume_mm3(capsule) == pytest.approx(np.pi * 16 * 30 + 4 / 3 * np.pi * 64, rel=0.02)


def test_a_sloping_plate_keeps_its_true_thickness() -> None:
    """A ribbon is drawn per height; a plate tilted by 45 degrees must still be 6 mm thick across, not along y."""
    plate = ribbon([(z, [(x, 30 + z, 3 * np.sqrt(2)) for x in (0, 20, 40)]) for z in (-30, 0, 30)])
    x, y, z = np.ix_(np.arange(10, 30, 0.5), np.arange(5, 55, 0.5), np.arange(-20, 20, 0.5))
    distance = plate.at(x, y, z)
    line = distance[20, :, 40]
    assert line[np.argmin(np.abs(np.arange(5, 55, 0.5) - 40))] == pytest.approx(10 / np.sqrt(2) - 3, abs=0.3)
    assert (line < 0).sum() * 0.5 == pytest.approx(6 * np.sqrt(2), abs=0.6)


def test_a_column_of_equal_radii_is_a_cylinder() -> None:
    cylinder = column([(z, 0, 0, [10.0] * 12) for z in (-20, 20)])
    assert _volume_mm3(cylinder) == pytest.approx(np.pi * 100 * 40, rel=0.02)


def test_union_subtraction_and_intersection_divide_the_volume() -> None:
    a, b = ellipsoid((0, 0, 0), (8, 8, 8)), ellipsoid((6, 0, 0), (8, 8, 8))
    both, rest, shared = union(a, b), subtract(a, b), intersect(a, b)
    assert _volume_mm3(rest) + _volume_mm3(shared) == pytest.approx(_volume_mm3(a), rel=0.01)
    assert _volume_mm3(both) + _volume_mm3(shared) == pytest.approx(2 * _volume_mm3(a), rel=0.01)


def test_a_rounded_union_only_adds() -> None:
    a, b = ellipsoid((0, 0, 0), (8, 8, 8)), ellipsoid((12, 0, 0), (8, 8, 8))
    x, y, z = _axes(union(a, b))
    assert np.all(union(a, b, blend_mm=4).at(x, y, z) <= union(a, b).at(x, y, z) + 1e-5)


def test_growing_moves_the_surface() -> None:
    assert _at(grown(ellipsoid((0, 0, 0), (8, 8, 8)), 3.0), 11, 0, 0) == pytest.approx(0, abs=1e-4)


def test_a_halfspace_is_negative_behind_its_plane() -> None:
    assert _at(halfspace((0, 0, 5), (0, 0, 2)), 3, 4, 1) == pytest.approx(-4, abs=1e-5)
