"""Pictures lie where radiologists expect them: the patient's left on the right, the front on top."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trocar.reporting import planes

CENTER = np.array([10.0, -5.0, 30.0])
LEFT, BACK, HEAD = np.eye(3)


@pytest.mark.parametrize(
    ("make", "edges"),
    [
        (planes.axial, {"right": "L", "left": "R", "top": "A", "bottom": "P"}),
        (planes.coronal, {"right": "L", "left": "R", "top": "H", "bottom": "F"}),
        (planes.sagittal, {"right": "P", "left": "A", "top": "H", "bottom": "F"}),
    ],
)
def test_letters_on_the_edges(make, edges):
    assert make(CENTER, 100.0).edge_letters == edges


def test_axial_pictures_are_seen_from_the_feet():
    assert np.allclose(planes.axial(CENTER, 100.0).normal, -HEAD)


def test_a_point_to_the_left_is_drawn_on_the_right_by_as_many_millimeters():
    plane = planes.axial(CENTER, 100.0)
    (column, row), height = plane.to_picture(CENTER + 20 * LEFT + 7 * BACK + 3 * HEAD)
    assert (column, row) == pytest.approx((70.0, 57.0))
    assert height == pytest.approx(-3.0)


def test_pixels_and_points_agree():
    plane = planes.coronal(CENTER, 80.0)
    picture, height = plane.to_picture(plane.points(40))
    assert np.allclose(height, 0.0)
    assert np.allclose(picture[0, 0], [1.0, 1.0])
    assert np.allclose(picture[39, 5], [11.0, 79.0])


directions = arrays(float, 3, elements=st.floats(-1, 1)).filter(lambda v: np.linalg.norm(v) > 0.2)


@given(directions)
def test_an_oblique_plane_holds_its_instrument_and_keeps_left_on_the_right(direction):
    target = CENTER + 60.0 * direction / np.linalg.norm(direction)
    plane = planes.along(CENTER, target, 120.0)
    _, height = plane.to_picture(np.stack([CENTER, target]))
    assert np.abs(height).max() < 1e-6
    assert plane.right @ LEFT > -1e-9
    frame = np.stack([plane.right, plane.up])
    assert np.allclose(frame @ frame.T, np.eye(2), atol=1e-9)
