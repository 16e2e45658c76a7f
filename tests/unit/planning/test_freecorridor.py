"""Free corridors of bone masks: nothing better is found by trying everything, and they move with the bone."""

import numpy as np
import pytest

from trocar.errors import PlanningError
from trocar.model.space import Grid, as_matrix4
from trocar.planning.freecorridor import bone_of_labels, free_corridors

ANCHOR_MM = 12.0


def lattice(shape, spacing_mm):
    origin = tuple(-(n - 1) / 2 * spacing_mm for n in shape)
    grid = Grid.aligned(origin_lps_mm=origin, spacing_mm=(spacing_mm,) * 3, shape=shape)
    return grid, np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)


@pytest.fixture(scope="module")
def plate():
    """A plate that bends, with a hole and an eccentric tumor: its best corridor is oblique and none of the axes."""
    grid, (x, y, z) = lattice((28, 44, 60), 1.5)
    bent = x + 0.004 * (z + 8) ** 2 - 0.15 * y
    inside = (np.abs(bent) < 8.0 - 0.05 * np.abs(z)) & (np.abs(y) < 28) & (np.abs(z) < 41)
    inside &= (y + 12) ** 2 + (z - 22) ** 2 > 7.0**2
    lesion = inside & ((x - 1) ** 2 + (y - 3) ** 2 + (z - 2) ** 2 < 9.0**2)
    return grid, inside, lesion


def tried_everywhere(bone, seeds, ways):
    """The widest radius over all lines, by plain numpy: both ends anchored, the least depth between them."""
    best = 0.0
    along = np.arange(0.0, 70.0, 0.75)
    for seed in seeds:
        half = []
        for turn in (1.0, -1.0):
            points = seed + turn * along[None, :, None] * ways[:, None]
            depth = bone.at(bone.depth_mm, points, outside=-9.0)
            core = bone.at(bone.in_lesion, points, outside=0.0) >= 0.5
            healthy = bone.at(bone.healthy, points, outside=0.0) >= 0.5
            held = np.cumsum(healthy * 0.75, axis=1)
            held -= np.maximum.accumulate(np.where(core, held, 0.0), axis=1)
            done = held - 0.75 / 2 >= ANCHOR_MM  # bone begins halfway between two samples
            end = np.where(done.any(axis=1), done.argmax(axis=1), -1)
            least = np.minimum.accumulate(depth, axis=1)[np.arange(len(ways)), end]
            half.append(np.where(end >= 0, least, -9.0))
        best = max(best, float(np.minimum(*half).max()))
    return best


def test_nothing_better_is_found_by_trying_everything(plate):
    grid, inside, lesion = plate
    bone = bone_of_labels(inside, grid, lesion=lesion)
    found = free_corridors(bone, anchor_mm=ANCHOR_MM)
    index = np.arange(900) + 0.5
    z = 1 - index / 900
    turn = np.pi * (1 + 5**0.5) * index
    ways = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1)
    best_mm = tried_everywhere(bone, grid.to_lps(np.argwhere(lesion)[::30]), ways)
    assert best_mm > 3.0
    assert found[0].diameter_mm >= 0.98 * 2 * best_mm


def test_a_corridor_lies_in_bone_and_both_its_ends_are_anchored(plate):
    grid, inside, lesion = plate
    found = free_corridors(bone_of_labels(inside, grid, lesion=lesion), anchor_mm=ANCHOR_MM, gap_mm=1.0, count=3)
    assert found and [item.diameter_mm for item in found] == sorted((i.diameter_mm for i in found), reverse=True)
    rng = np.random.default_rng(3)
    for item in found:
        along, turn = rng.uniform(0, item.axis.length_mm, 20_000), rng.uniform(0, 2 * np.pi, 20_000)
        side = np.cross(item.axis.direction, [0.3, 0.5, 0.81])
        side /= np.linalg.norm(side)
        ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(item.axis.direction, side)
        surface = item.axis.at(along) + (item.diameter_mm / 2 - 0.75) * ring  # half a voxel: what a mask can know
        index = np.rint(grid.to_ijk(surface)).astype(int)
        assert inside[tuple(index.T)].all()
        assert min(item.anchor_start_mm, item.anchor_end_mm) >= ANCHOR_MM
        axis = np.rint(grid.to_ijk(item.axis.at(np.array([0.0, item.axis.length_mm])))).astype(int)
        assert not lesion[tuple(axis.T)].any() and item.crossing_mm > 0


@pytest.mark.parametrize("turned", ["translated", "quarter turn", "any rotation"])
def test_moved_bone_moves_its_corridors(plate, turned):
    grid, inside, lesion = plate
    motion = np.eye(4)
    motion[:3, 3] = (31.0, -17.0, 250.5)
    if turned == "quarter turn":
        motion[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    if turned == "any rotation":
        motion[:3, :3] = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
        motion[:3, 0] *= np.linalg.det(motion[:3, :3])
    moved = Grid(shape=grid.shape, lps_from_ijk=as_matrix4(motion @ grid.matrix))
    before = free_corridors(bone_of_labels(inside, grid, lesion=lesion), anchor_mm=ANCHOR_MM)
    after = free_corridors(bone_of_labels(inside, moved, lesion=lesion), anchor_mm=ANCHOR_MM)
    assert len(before) == len(after)
    for one, two in zip(before, after, strict=True):
        for end in ("start_lps_mm", "end_lps_mm"):
            expected = motion[:3, :3] @ getattr(one.axis, end) + motion[:3, 3]
            assert np.allclose(expected, getattr(two.axis, end), atol=0.6)  # half a step of its length
        assert one.diameter_mm == pytest.approx(two.diameter_mm, abs=0.01)


def test_mirrored_bone_mirrors_its_corridors(plate):
    grid, inside, lesion = plate
    one = free_corridors(bone_of_labels(inside, grid, lesion=lesion), anchor_mm=ANCHOR_MM, count=1)[0]
    two = free_corridors(
        bone_of_labels(inside[::-1].copy(), grid, lesion=lesion[::-1].copy(), side_x=-1.0), anchor_mm=ANCHOR_MM, count=1
    )[0]
    assert two.diameter_mm == pytest.approx(one.diameter_mm, abs=1e-3)
    ends = {tuple(np.round(np.multiply(end, (-1, 1, 1)), 2)) for end in (one.axis.start_lps_mm, one.axis.end_lps_mm)}
    assert ends == {tuple(np.round(end, 2)) for end in (two.axis.start_lps_mm, two.axis.end_lps_mm)}


def test_a_label_map_without_a_lesion_gives_the_axis_of_a_rod():
    grid, (x, y, z) = lattice((30, 30, 90), 1.0)
    found = free_corridors(bone_of_labels((np.hypot(x, y) < 9.0) & (np.abs(z) < 42.0), grid), anchor_mm=30.0)
    assert 18.0 - 2.1 <= found[0].diameter_mm <= 18.0  # a voxel at each side is what a mask may lack
    assert abs(found[0].axis.direction[2]) > 0.995
    assert found[0].screw_diameter_mm == pytest.approx(found[0].diameter_mm - 4.0)


def test_a_corridor_stays_across_the_lesion_where_wider_bone_lies_beside_it():
    grid = Grid.aligned(origin_lps_mm=(-30.0, -30.0, -60.0), spacing_mm=(1.5,) * 3, shape=(41, 41, 81))
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    rod, head = np.hypot(x, y) < 7.0, x**2 + y**2 + (z - 32.0) ** 2 < 24.0**2
    inside = (rod & (np.abs(z) < 52.0)) | head
    lesion = rod & (np.abs(z - 4.0) < 6.0)
    for corridor in free_corridors(bone_of_labels(inside, grid, lesion=lesion), anchor_mm=12.0):
        assert corridor.crossing_mm >= 6.0 and corridor.diameter_mm <= 14.0
        assert min(corridor.anchor_start_mm, corridor.anchor_end_mm) >= 12.0


def test_no_bone_is_an_error_and_no_anchor_no_corridor(plate):
    grid, inside, lesion = plate
    with pytest.raises(PlanningError, match="empty"):
        bone_of_labels(np.zeros(grid.shape, dtype=bool), grid)
    assert free_corridors(bone_of_labels(inside, grid, lesion=lesion), anchor_mm=90.0) == []
