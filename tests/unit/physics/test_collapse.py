"""Bodies loaded until they give way, against the law they are given, energies, and what screws are for."""

from dataclasses import replace

import numpy as np
import pytest
from collapse_cases import BOND, BONE, CEMENT, METAL, QUICK, THROUGH, across, foam, pulled, stiffness
from elastic_cases import GPa, nodes_of

from trocar.assessment.collapse import MARCH
from trocar.errors import SolverError
from trocar.physics.collapse import March, collapse
from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.elastic_rows import Rows
from trocar.physics.interface import Interface
from trocar.physics.softening import Limits, Softening


@pytest.mark.parametrize(("sign", "limit"), [(1, 0.0073), (-1, 0.0104)])
def test_a_voxel_follows_the_law_in_tension_and_in_compression(sign, limit):
    course, _ = pulled(np.full((1, 1, 1), GPa), sign, march=THROUGH)
    strain = course.path / 1e-3
    law = np.where(strain <= limit, strain, limit * (1 - (strain / limit - 1) / 20)) * GPa * 1e-6
    assert course.load == pytest.approx(law, rel=1e-3)
    assert course.peak_load == pytest.approx(GPa * limit * 1e-6, rel=5e-3)
    assert course.past_peak


@pytest.mark.parametrize(("sign", "limit"), [(1, 0.0073), (-1, 0.0104)])
@pytest.mark.parametrize("by_force", [False, True])
def test_a_bar_breaks_in_its_weakest_slice_and_there_only(sign, limit, by_force):
    modulus = np.full((12, 2, 2), GPa)
    modulus[6] *= 0.9
    course, _ = pulled(modulus, sign, by_force=by_force)
    assert course.peak_load == pytest.approx(0.9 * GPa * limit * 4e-6, rel=5e-3)
    assert course.past_peak and course.at_end[6].max() < 0.95
    assert np.delete(course.at_end, 6, axis=0).min() == 1.0


def test_a_metal_flows_at_its_limit():
    course, _ = pulled(np.full((1, 1, 1), 110 * GPa), march=March(steps=12, softest_frac=0.2), limits=(METAL,))
    assert course.load == pytest.approx(803.0, rel=1e-5) and not course.past_peak


def test_what_is_lost_is_lost_for_either_direction():
    rows = Rows.around(np.ones((1, 1, 1), bool), 1)
    softening = Softening(rows, np.ones((1, 1, 1)), (BONE,), spacing_m=1e-3, poisson=0.0)
    stretch = nodes_of((1, 1, 1), 1e-3)[..., 0].ravel()
    u = np.concatenate([stretch, 0 * stretch, 0 * stretch])
    assert softening.attempt(2 * 0.0073 * u) == pytest.approx(2.0)
    softening.keep()
    left = float(softening.kept[0])
    assert left == pytest.approx(0.95 / 2, rel=1e-6)  # 5 % below the limit at twice its strain
    for strain in (0.001, -0.005, 0.0):
        softening.attempt(strain * u)
        softening.keep()
    assert softening.kept[0] == np.float32(left)
    softening.attempt(-2 * 0.0104 * u)
    assert softening.now[0] <= left


def test_breaking_through_costs_the_same_energy_on_any_lattice():
    lost = []
    for spacing_mm, count in ((2.0, 3), (1.0, 6)):
        modulus = np.full((count, 1, 1), GPa)
        modulus[count // 2] *= 0.95
        course, _ = pulled(modulus, spacing_m=spacing_mm / 1000, march=THROUGH)
        area = (spacing_mm / 1000) ** 2
        lost.append(course.dissipated_J / area)
        assert course.lost_J[-1].sum() == pytest.approx(course.dissipated_J, rel=0.05)
        assert course.peak_load == pytest.approx(0.95 * GPa * 0.0073 * area, rel=5e-3)
    whole = 0.95 * GPa * 0.0073 * 153.3e-6 / 2
    assert lost == pytest.approx([lost[0]] * 2, rel=0.02)
    assert 0.6 * whole < lost[0] < whole  # stopped at 30 % of the peak


def notched(spacing_mm):
    """A plate of 8 x 6 x 2 mm with a notch of 2 mm from either side."""
    count = round(2 / spacing_mm)
    modulus = np.full((4 * count, 3 * count, count), GPa)
    middle = slice(2 * count - count // 2, 2 * count + count // 2)
    modulus[middle, :count], modulus[middle, -count:] = 0, 0
    return modulus


def test_a_notched_plates_strength_settles_and_it_breaks_symmetrically():
    peaks = []
    for spacing_mm in (1.0, 0.5):
        course, _ = pulled(notched(spacing_mm), spacing_m=spacing_mm / 1000, poisson=0.3, march=March(stop_frac=0.9))
        peaks.append(course.peak_load)
        for axis in (1, 2):
            assert course.at_end == pytest.approx(np.flip(course.at_end, axis), abs=0.02)
    net = GPa * 0.0073 * 4e-6
    assert all(0.6 * net < peak < 1.3 * net for peak in peaks)
    assert peaks[1] == pytest.approx(peaks[0], rel=0.1)


def test_load_and_path_control_agree_before_the_peak():
    """Half of the bar flows at half of the strain at which the other half breaks."""
    flowing = Limits(name="flowing", tension_frac=0.00365, compression_frac=0.00365)
    label = np.ones((2, 2, 2), int)
    label[:, 0] = 2
    body = {"by_force": True, "limits": (BONE, flowing), "label": label}
    path = March(tolerance=1e-4, loss_frac=0.03, steps=9)
    load = March(control="load", tolerance=1e-5, loss_frac=0.03, steps=2, passes=100)
    by_path, by_load = (pulled(np.full((2, 2, 2), GPa), march=march, **body)[0] for march in (path, load))
    assert by_load.load[-1] > 1.1 * by_load.load[0]
    assert by_load.path == pytest.approx(np.interp(by_load.load, by_path.load, by_path.path), rel=0.01)


TIGHT = March(steps=200, tolerance=2e-4, finest=1.005, passes=200)


@pytest.mark.parametrize("forcing", [0.05, MARCH.forcing, 0.9])
def test_a_strength_depends_neither_on_how_well_a_pass_is_solved_nor_on_the_steps(forcing, foam_strength_N):
    """Looser passes (tolerance 5e-3) find 2.5 % more."""
    course, _ = pulled(foam(), spacing_m=2e-3, poisson=0.3, march=replace(MARCH, forcing=forcing))
    assert course.passes.max() < MARCH.passes and course.past_peak
    assert course.peak_load == pytest.approx(foam_strength_N, rel=0.01)


@pytest.fixture(scope="module")
def foam_strength_N():
    return pulled(foam(), spacing_m=2e-3, poisson=0.3, march=TIGHT)[0].peak_load


def test_no_peak_is_stepped_over():
    march = March(tolerance=5e-3, haste=2.0, fastest=1.5, loss_frac=1.0, finest=1.02)
    course, _ = pulled(foam(), spacing_m=2e-3, poisson=0.3, march=march)
    load, longer = course.load, course.path[1:] / course.path[:-1]
    falls, at_stake = load[1:] < load[:-1] / march.finest, longer * load[:-1] > np.maximum.accumulate(load)[:-1]
    assert course.past_peak and (falls & at_stake).any()
    assert longer[falls & at_stake].max() < march.finest * (1 + 1e-9)
    assert np.max(course.path[1:] / course.path[:-1]) > 1.2  # where nothing is lost steps stay long


def test_the_first_break_is_the_highest_load_before_it_first_falls():
    course, _ = pulled(foam(), spacing_m=2e-3, poisson=0.3, march=March(tolerance=5e-3, haste=2.0, passes=8, steps=2))
    course = replace(course, load=np.array([1.0, 2.0, 1.85, 2.4, 2.1, 3.0, 1.0]))
    assert course.first_break(0.1) == 2.4  # not at the fall from 2, which is smaller, nor at the highest
    assert course.first_break(0.05) == 2.0 and course.first_break(0.5) == 3.0
    assert course.first_break(0.7) is None


def test_too_coarse_a_voxel_for_a_brittle_material_is_refused():
    with pytest.raises(SolverError, match="too coarse"):
        pulled(np.full((1, 1, 1), GPa), spacing_m=0.03)


# --- the bond of cement and bone


def bond_of_one(strain, *, kept=1.0, modulus_Pa=2.2e9):
    """A bonded voxel of 1 mm, normal to i, under nominal strains xx and xy; its interface."""
    rows = Rows.around(np.ones((1, 1, 1), bool), 1)
    bonds = [BOND.between(np.zeros((1, 3), int), np.array([[1.0, 0, 0]]))]
    interface = Interface(rows, bonds, np.full((1, 1, 1), modulus_Pa), spacing_m=1e-3, poisson=0.0)
    interface.kept = np.array([kept])
    x = nodes_of((1, 1, 1), 1e-3)
    u = np.stack([strain[0] * x[..., 0], strain[1] * x[..., 0], 0 * x[..., 0]])
    return interface, interface.attempt(u.reshape(-1))


def test_a_bond_is_stronger_in_shear_than_in_tension():
    limit = BOND.tension_Pa / 2.2e9
    assert bond_of_one((limit, 0.0))[1] == pytest.approx(1.0)
    shear = 2.5 * BOND.tension_Pa / (2.2e9 / 2)
    assert bond_of_one((0.0, shear))[1] == pytest.approx(1.0)
    assert bond_of_one((limit / np.sqrt(2), shear / np.sqrt(2)))[1] == pytest.approx(1.0)
    pressed, ratio = bond_of_one((-4 * limit, shear))
    assert ratio < 0.5  # friction bears part of it
    assert pressed.now[0] == 1.0


def test_a_parted_bond_bears_again_when_pressed_shut_and_slides_when_it_is_not():
    parted = 1e-3
    assert bond_of_one((1e-3, 0.0), kept=parted)[0].shares()[0] == pytest.approx(1e-3)
    assert bond_of_one((-1e-3, 0.0), kept=parted)[0].shares()[0] == pytest.approx(1.0)
    assert bond_of_one((0.0, 1e-3), kept=parted)[0].shares()[0] == pytest.approx(1e-3)
    sliding = bond_of_one((-1e-4, 1e-3), kept=parted)[0].shares()[0]
    assert 0.05 < sliding < 0.5


# --- cement alone, or screws too?


@pytest.mark.parametrize(("motion", "bonded", "opening"), [("torsion", 1.5, 1.8), ("shear", 1.35, 1.6)])
def test_screws_carry_torsion_and_shear_once_the_bond_has_opened(motion, bonded, opening):
    """A linear model, in which nothing opens, sees little of it."""
    linear = [stiffness(across(state, motion, bond=None, march=March(steps=0))) for state in ("cement", "planned")]
    assert 1.0 < linear[1] / linear[0] < bonded
    on = replace(QUICK, stop_frac=0.45, softest_frac=0.0, steps=25)
    cement, planned = across("cement", motion, march=on), across("planned", motion, march=on)
    assert cement.failed[-1][-1] > 0
    half = (np.arange(cement.path.size) > cement.peak) & (cement.load < cement.peak_load / 2)
    opened = cement.path[half.argmax()]
    assert half.any() and planned.path[-1] > opened
    assert np.interp(opened, planned.path, planned.load) > opening * cement.load[half.argmax()]
    assert planned.peak_load > 1.05 * cement.peak_load


def test_an_opening_bond_costs_its_own_energy_and_breaks_nothing_beside_it():
    """What has opened is no strain of the cement, which would break at a third of the opening."""
    shape, area_m2 = (3, 2, 2), 4e-6
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0] = held[-1] = True
    moved = np.zeros(held.shape)
    moved[-1, ..., 0] = 1.0
    modulus = np.full(shape, 2.2 * GPa)
    system = ElasticSystem(modulus, held, spacing_m=1e-3, poisson=0.0)
    softening = Softening(system.rows, np.full(shape, 2), (BONE, CEMENT), spacing_m=1e-3, poisson=0.0)
    voxels = np.argwhere(np.arange(12).reshape(shape) // 4 == 1)
    bonds = [BOND.between(voxels, np.tile([1.0, 0, 0], (4, 1)))]
    interface = Interface(system.rows, bonds, modulus, spacing_m=1e-3, poisson=0.0)
    course = collapse(system, Load(displacement_m=moved), softening, interface=interface, march=THROUGH)
    assert course.peak_load == pytest.approx(BOND.tension_Pa * area_m2, rel=0.02)
    opened_m = BOND.parting_m * (1 - course.load[-1] / course.peak_load)
    assert course.dissipated_J == pytest.approx(BOND.tension_Pa * opened_m / 2 * area_m2, rel=0.05)
    assert course.path[-1] > 1.5 * CEMENT.parting_m
    assert course.failed[-1].tolist() == [0, 0, 4]


def test_shear_confined_to_a_direction_counts_in_that_one_only():
    """A thread holds along its screw, on every plane that the screw's axis lies in."""
    rows = Rows.around(np.ones((1, 1, 1), bool), 1)
    whole = BOND.between(np.zeros((1, 3), int), np.array([[1.0, 0, 0]]))
    modulus, x = np.full((1, 1, 1), GPa), nodes_of((1, 1, 1), 1e-3)
    strained = 1e-3
    for along in range(3):
        thread = replace(whole, along=np.eye(3)[[along]], tension_Pa=np.array([np.inf]))
        interface = Interface(rows, [thread], modulus, spacing_m=1e-3, poisson=0.0)
        for moves, across_axis in ((1, 0), (2, 0), (2, 1)):  # the shears xy, xz, yz
            u = np.zeros((3, *x.shape[:3]))
            u[moves] = strained * x[..., across_axis]
            ratio = interface.attempt(u.reshape(-1))
            known = GPa / 2 * strained / BOND.shear_Pa if along in (moves, across_axis) else 0.0
            assert ratio == pytest.approx(known, abs=1e-9)


def test_cement_alone_pulls_off_at_the_strength_of_its_bond():
    course = across("cement", "tension")
    assert 1.0 < course.peak_load / (BOND.tension_Pa * 256e-6) < 1.35  # passes that end early leave it above
    assert across("planned", "tension", march=March(steps=6, tolerance=5e-3, passes=6)).peak_load > 3 * course.peak_load


def test_cement_never_lowers_stiffness_or_load_in_compression():
    few = March(steps=4, tolerance=5e-3, passes=6)
    before, cement = across("before", "compression", march=few), across("cement", "compression", march=few)
    assert stiffness(cement) > stiffness(before)
    common = np.linspace(0.2, 1, 5) * min(before.path[-1], cement.path[-1])
    loads = [np.interp(common, [0, *course.path], [0, *course.load]) for course in (before, cement)]
    assert (loads[1] > loads[0]).all()


def test_a_longer_anchor_never_weakens_and_one_in_the_lesion_holds_nothing():
    few = March(steps=7, tolerance=5e-3, haste=2.0, loss_frac=0.05, passes=6)
    peaks = [across("screws", "tension", anchored=(10, n), march=few).peak_load for n in (0, 3, 6)]
    assert peaks[1] > 1.5 * peaks[0] and peaks[2] > 1.05 * peaks[1]
