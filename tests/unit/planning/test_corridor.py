"""Corridors in bones whose answer is known."""

import numpy as np
import pytest

from trocar.imaging.distance import distance_field
from trocar.model.device import Screw
from trocar.model.space import Grid, Segment
from trocar.planning.bonefield import BoneField
from trocar.planning.corridor import corridors
from trocar.planning.directions import sphere
from trocar.planning.gap import axis_gap_mm


def bone_of(inside, lesion, grid):
    depth = -distance_field(inside, grid)
    return BoneField(
        grid=grid,
        names=("bone",),
        bridged=frozenset(),
        side_x=1.0,
        depth_mm=depth,
        room_mm=depth,
        in_lesion=lesion.astype(np.float32),
        healthy=(inside & ~lesion).astype(np.float32),
    )


def lattice(shape, spacing):
    origin = tuple(-(n - 1) / 2 * spacing for n in shape)
    grid = Grid.aligned(origin_lps_mm=origin, spacing_mm=(spacing,) * 3, shape=shape)
    return grid, np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)


def screw(diameter):
    return Screw(id=f"screw-{diameter}", name="", diameter_mm=diameter, lengths_mm=tuple(range(30, 125, 5)))


@pytest.fixture(scope="module")
def rod():
    """A cylinder of radius 9 mm along z, 110 mm long, a ball of tumor in its middle."""
    grid, (x, y, z) = lattice((41, 41, 131), 1.0)
    inside = (np.hypot(x, y) < 9.0) & (np.abs(z) < 55.0)
    return bone_of(inside, x**2 + y**2 + z**2 < 12.0**2, grid)


def test_the_corridor_of_a_cylinder_is_its_axis(rod):
    best = corridors(rod, (screw(6.5),))[0]
    start, end = np.asarray(best.axis.start_lps_mm), np.asarray(best.axis.end_lps_mm)
    along = best.axis.at(np.linspace(2.4 * 5.25, best.axis.length_mm, 60))
    clearance = 9.0 - np.hypot(along[:, 0], along[:, 1]).max() - 6.5 / 2
    assert best.clearance_mm == pytest.approx(clearance, abs=0.8)
    assert clearance >= 2.0 - 0.7
    assert abs(start[2]) > 12.0 and abs(end[2]) > 12.0 and start[2] * end[2] < 0
    assert best.anchor_head_mm == pytest.approx(abs(start[2]) - 12.0, abs=2.5)
    assert best.anchor_tip_mm == pytest.approx(abs(end[2]) - 12.0, abs=2.5)
    assert best.crossing_mm == pytest.approx(24.0, abs=2.0)


def test_anchors_are_lengths_from_border_to_border():
    grid, (x, y, z) = lattice((33, 33, 261), 0.5)
    inside = (np.hypot(x, y) < 7.0) & (np.abs(z) < 50.3)
    found = corridors(bone_of(inside, inside & (np.abs(z) < 11.1), grid), (screw(5.0),))[:200]
    border_mm = 11.25  # half way between two voxels
    for end, point in (("head", "start_lps_mm"), ("tip", "end_lps_mm")):
        held = np.array([getattr(item, f"anchor_{end}_mm") for item in found])
        ends = [(getattr(item.axis, point)[2], item.axis.direction[2]) for item in found]
        true = np.array([(abs(z) - border_mm) / abs(slope) for z, slope in ends])
        assert len(held) > 50 and np.abs(held - true).max() < 0.3  # half a step, and what interpolation bends
        assert abs(np.mean(held - true)) < 0.08  # a count of samples is 0.25 mm too long


def test_a_screw_too_thick_for_its_clearance_finds_none(rod):
    assert corridors(rod, (screw(15.0),)) == []  # with 2 mm at both sides 19, in a bone of 18
    assert corridors(rod, (screw(14.0),), clearance_mm=1.0)


def test_a_corridor_of_3_mm_admits_a_pin_of_1_5_and_refuses_a_screw_of_3_5():
    grid, (x, y, z) = lattice((61, 61, 161), 0.5)
    inside = (np.abs(x) < 1.5) & (np.abs(y) < 14.0) & (np.abs(z) < 38.0)
    lesion = (y**2 + z**2 < 6.0**2) & inside
    plate = bone_of(inside, lesion, grid)
    assert corridors(plate, (screw(1.5),), clearance_mm=0.0)
    assert corridors(plate, (screw(3.5),), clearance_mm=0.0) == []


def test_lengths_come_from_the_catalog_and_never_leave_the_bone(rod):
    sizes = (screw(5.0), screw(6.5))
    for found in corridors(rod, sizes)[:50]:
        assert min(abs(found.axis.length_mm - length) for length in sizes[0].lengths_mm) < 1e-6
        assert abs(found.axis.end_lps_mm[2]) < 55.0


@pytest.mark.parametrize("seed", range(20))
def test_the_gap_of_two_axes_is_that_of_their_sampled_points(seed):
    rng = np.random.default_rng(seed)
    ends = rng.uniform(-50, 50, (4, 3))
    one = Segment(start_lps_mm=tuple(ends[0]), end_lps_mm=tuple(ends[1]))
    two = Segment(start_lps_mm=tuple(ends[2]), end_lps_mm=tuple(ends[3]))
    sampled = two.distance_mm(one.at(np.linspace(0, one.length_mm, 4001))).min()
    assert axis_gap_mm(one, two) == pytest.approx(sampled, abs=0.05)


def test_directions_are_even_and_symmetric():
    ways = sphere(1000)
    assert np.allclose(np.linalg.norm(ways, axis=1), 1.0)
    mirrored = ways * (-1, 1, 1)
    assert {tuple(np.round(way, 9)) for way in ways} == {tuple(np.round(way, 9)) for way in mirrored}
    anywhere = np.random.default_rng(1).normal(size=(200, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)
    assert np.degrees(np.arccos((anywhere @ ways.T).max(axis=1))).max() < 8.0
