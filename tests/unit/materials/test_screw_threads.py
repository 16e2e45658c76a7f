"""What a thread holds: which voxels, in which direction, and all of them together the closed form's force."""

import numpy as np
import pytest

from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import BONE, CEMENT
from trocar.materials.screw_threads import shape_factor, threaded
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Grid
from trocar.model.treatment import Placement
from trocar.physics.elastic import ElasticSystem, Load

OBLIQUE = (-13.0, -4.0, -5.0), (12.0, 6.0, 3.0)
OFF_NODES = (-12.0, 0.3, 0.2), (12.0, 0.3, 0.2)  # along i, through the whole lattice


def screw(start, end, diameter_mm=6.5):
    length = float(np.linalg.norm(np.subtract(end, start)))
    return Placement(
        device="screw", role="screw", name="screw-1", entry_lps_mm=start, target_lps_mm=end, skin_lps_mm=start,
        length_mm=length, diameter_mm=diameter_mm,
    )  # fmt: skip


def lattice(spacing_mm=1.0, half=12):
    count = round(2 * half / spacing_mm)
    first = -half + spacing_mm / 2
    return Grid.aligned(origin_lps_mm=(first,) * 3, spacing_mm=(spacing_mm,) * 3, shape=(count,) * 3)


def held_by(screws, grid, *, modulus_MPa=400.0, label=None, cannula_mm=0.0, cannulated=False):
    metal = np.max([rod_frac(each.axis, each.diameter_mm, grid, cannula_mm=cannula_mm) for each in screws], axis=0)
    label = np.full(grid.shape, BONE) if label is None else label
    sound = np.full(grid.shape, modulus_MPa)
    return threaded(label, metal, sound, [(each, cannulated) for each in screws], grid), metal


def closed_form_N(one, *, modulus_MPa=400.0):
    """Chapman's, of a solid screw."""
    known = mechanics()
    shear_MPa = known.thread.shear_per_compression_frac * known.yield_strain.compression_frac * modulus_MPa
    return shear_MPa * np.pi * one.diameter_mm * one.length_mm * shape_factor(cannulated=False)


@pytest.mark.parametrize("spacing_mm", [0.75, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("diameter_mm", [4.0, 6.5])
def test_all_that_a_thread_holds_bears_the_closed_forms_force(spacing_mm, diameter_mm):
    """Metal moves along itself, nothing beyond the voxels that it holds does, and each bears what it may."""
    grid, one = lattice(spacing_mm), screw(*OFF_NODES, diameter_mm=diameter_mm)
    found, metal = held_by([one], grid)
    nodes = np.zeros([n + 1 for n in grid.shape], bool)
    for corner in np.ndindex(2, 2, 2):
        nodes[tuple(slice(c, c + n) for c, n in zip(corner, grid.shape, strict=True))] |= metal > 0
    moved = np.zeros((*nodes.shape, 3))
    moved[..., 0] = nodes
    low = [nodes[:-1, :-1], nodes[:-1, 1:], nodes[1:, :-1], nodes[1:, 1:]]
    corners = np.stack([part[..., k : part.shape[2] - 1 + k] for part in low for k in (0, 1)], axis=-1).astype(float)
    slope = np.stack([corners @ sign for sign in ((-1, -1, 1, 1, -1, -1, 1, 1), (-1, 1) * 4)], axis=-1) / 4
    steep = np.linalg.norm(slope, axis=-1)[tuple(found.voxels.T)] / (spacing_mm / 1000)  # per meter that metal moves
    modulus_Pa = np.zeros(grid.shape)
    modulus_Pa[tuple(found.voxels.T)] = 2 * found.shear_Pa / steep  # Poisson's ratio 0
    system = ElasticSystem(modulus_Pa, np.ones(moved.shape, bool), spacing_m=spacing_mm / 1000, poisson=0.0)
    force_N = system.solve_one(Load(displacement_m=moved)).force_N()[..., 0][nodes].sum()
    assert force_N == pytest.approx(closed_form_N(one), rel=1e-3)


def test_a_thread_holds_bone_around_it_across_its_axis():
    one, grid = screw(*OBLIQUE), lattice()
    found, metal = held_by([one], grid, cannula_mm=3.2)
    axis = one.axis.direction
    assert np.allclose(found.along, axis) and np.allclose(np.linalg.norm(found.normals, axis=1), 1.0)
    assert np.abs(found.normals @ axis).max() < 1e-9
    away = grid.to_lps(found.voxels) - np.asarray(one.entry_lps_mm)
    deep = away @ axis
    across = away - deep[:, None] * axis
    far = np.linalg.norm(across, axis=1)
    assert far.min() > one.diameter_mm / 2  # none in the cannula, none under the tip
    assert far.max() < one.diameter_mm / 2 + np.sqrt(3) * 2
    assert (metal[tuple(found.voxels.T)] == 0).all()
    assert np.allclose((found.normals * across).sum(axis=1), far)  # they look away from the axis
    assert np.ptp(found.shear_Pa * far) < 1e-6 * found.shear_Pa.max()  # as the traction falls


def test_no_axis_of_the_lattice_is_another():
    """Turned by a quarter about each axis, the same screw is held by the turned voxels."""
    start, end = OBLIQUE
    first, _ = held_by([screw(start, end)], lattice())
    for roll in (1, 2):
        turned, _ = held_by([screw(tuple(np.roll(start, roll)), tuple(np.roll(end, roll)))], lattice())
        order, other = (np.lexsort(each.T) for each in (np.roll(first.voxels, roll, axis=1), turned.voxels))
        assert (np.roll(first.voxels, roll, axis=1)[order] == turned.voxels[other]).all()
        assert turned.shear_Pa[other] == pytest.approx(first.shear_Pa[order], rel=1e-9)


def test_strength_follows_bone_and_a_cannula_takes_its_part():
    one, grid = screw(*OBLIQUE), lattice()
    solid, _ = held_by([one], grid)
    denser, _ = held_by([one], grid, modulus_MPa=800.0)
    cannulated, _ = held_by([one], grid, cannulated=True)
    assert denser.shear_Pa == pytest.approx(2 * solid.shear_Pa)
    assert cannulated.shear_Pa == pytest.approx(0.83 * solid.shear_Pa)


def test_cement_and_void_are_not_held_by_a_thread_and_nothing_is_without_a_screw():
    one, grid = screw(*OBLIQUE), lattice()
    label = np.full(grid.shape, BONE)
    label[12:] = CEMENT
    label[:4] = 0
    found, _ = held_by([one], grid, label=label)
    whole, _ = held_by([one], grid)
    assert found.voxels[:, 0].min() >= 4 and found.voxels[:, 0].max() < 12
    kept = (whole.voxels[:, 0] >= 4) & (whole.voxels[:, 0] < 12)
    assert found.shear_Pa == pytest.approx(whole.shear_Pa[kept])  # what is elsewhere changes nothing here
    none = threaded(label, np.zeros(grid.shape), np.ones(grid.shape), [], grid)
    assert len(none.voxels) == len(none.shear_Pa) == 0


def test_a_screw_that_leaves_the_lattice_is_held_as_firmly_by_what_is_in_it():
    """An iliosacral screw on the lattice of a sacrum."""
    grid, inside, through = (
        lattice(),
        screw((-8.0, 0.3, 0.2), (8.0, 0.3, 0.2)),
        screw((-8.0, 0.3, 0.2), (60.0, 0.3, 0.2)),
    )
    firm = [held_by([one], grid)[0] for one in (inside, through)]
    middle = [part.shear_Pa[np.abs(part.voxels[:, 0] - 11.5) < 4].mean() for part in firm]
    assert middle[1] == pytest.approx(middle[0], rel=0.15)  # one end fewer, which bears more than its length


def test_a_screw_outside_the_lattice_holds_nothing():
    found, _ = held_by([screw((40.0, 0.0, 0.0), (80.0, 0.0, 0.0))], lattice())
    assert len(found.voxels) == 0


def test_of_two_screws_each_holds_what_is_nearer():
    grid = lattice()
    pair = [screw((-12.0, -5.0, 0.0), (12.0, -5.0, 0.0)), screw((-5.0, 7.0, -12.0), (-5.0, 7.0, 12.0), 4.0)]
    found, _ = held_by(pair, grid)
    distance = np.stack([one.axis.distance_mm(grid.to_lps(found.voxels)) for one in pair])
    own = np.array([one.axis.direction for one in pair])[distance.argmin(axis=0)]
    assert (found.along == own).all()
    assert len(np.unique(found.voxels, axis=0)) == len(found.voxels)
