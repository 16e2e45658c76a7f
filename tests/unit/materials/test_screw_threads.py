"""What a thread holds: which voxels, in which direction, and all of them together the closed form's force."""

import numpy as np
import pytest

from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import BONE, CEMENT
from trocar.materials.screw_threads import shape_factor, threaded
from trocar.materials.slipping import Slip
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Grid
from trocar.model.treatment import Placement

OBLIQUE = (-13.0, -4.0, -5.0), (12.0, 6.0, 3.0)
OBLIQUE_INSIDE = (-9.0, -4.0, -5.0), (9.0, 5.0, 3.0)
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
@pytest.mark.parametrize("ends", [OFF_NODES, OBLIQUE_INSIDE])
def test_at_most_all_that_a_thread_holds_bears_the_closed_forms_force(spacing_mm, diameter_mm, ends):
    """Metal moves along itself by more and more, bone follows as it does; each voxel softens by the bond's law."""
    grid, one = lattice(spacing_mm), screw(*ends, diameter_mm=diameter_mm)
    found, metal = held_by([one], grid)
    slip = Slip.beside(metal > 0)
    order = {tuple(voxel): n for n, voxel in enumerate(slip.voxels)}
    slip = slip.at(np.array([order[tuple(voxel)] for voxel in found.voxels]))
    steep = np.linalg.norm(np.cross(slip.slope, found.along), axis=1) / (spacing_mm / 1000)  # per meter of movement
    shear_modulus_Pa = 400e6 / (2 * 1.3)
    forces_N = []
    for moved_m in np.linspace(0.0, 1e-4, 201)[1:]:
        ratio = shear_modulus_Pa * moved_m * steep / found.shear_Pa
        reach = found.parting_m * shear_modulus_Pa / (found.shear_Pa * spacing_mm / 1000)
        share = np.where(ratio > 1, np.maximum((reach - ratio) / (reach - 1) / np.maximum(ratio, 1), 0), 1.0)
        forces_N.append(float((share * shear_modulus_Pa * moved_m * slip.borne).sum() * spacing_mm / 1000))
    assert max(forces_N) == pytest.approx(closed_form_N(one), rel=0.02)  # what is too flat to be judged adds a little


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
    assert cannulated.shear_Pa == pytest.approx(0.83 * solid.shear_Pa, rel=0.01)  # all let go a little more at once


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
