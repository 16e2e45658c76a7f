"""The lattice against solutions on paper: a line that draws, a warm sphere, a decaying mode, kept heat, order."""

import numpy as np
import pytest
from problems import line_sink_radius_m, soft_tissue, steady_warm_sphere_degC, water
from test_needles import across, frozen_by, reach_mm

from trocar.physics.damage import Damage, zone_m3
from trocar.physics.heat import HeatSolver, enthalpy_in
from trocar.physics.lines import Line
from trocar.physics.medium import Medium
from trocar.physics.source import Draw, Ramp


@pytest.mark.parametrize(("watts_per_m", "far_degC"), [(200.0, 20.0), (400.0, 37.0), (600.0, 37.0)])
def test_line_sink(agree, watts_per_m, far_degC):
    """Paterson's line heat sink in water: the flux path alone, without a surface temperature. From the share of ice."""
    spacing_m, length_m, radius_m = 1e-3, 0.070, 0.75e-3
    shape = (65, 65, 87)
    middle = np.array(shape) // 2 * spacing_m + np.array((0.31, -0.22, 0.1)) * spacing_m
    along = np.array((0, 0, length_m / 2))
    solver = HeatSolver(
        water(shape, spacing_m, rest_degC=far_degC),
        (Line(tip_m=middle - along, tail_m=middle + along, radius_m=radius_m),),
    )
    for time_s in (60.0, 300.0):
        solver.advance(time_s - solver.time_s, (Draw(power_W=watts_per_m * (length_m - radius_m)),), longest_s=5.0)
        ice = float(solver.ice_frac[:, :, shape[2] // 2].sum())
        agree(
            f"line sink of {watts_per_m:g} W/m in water at {far_degC:g} degC, 1 mm lattice", f"front at {time_s:g} s",
            known=1e3 * line_sink_radius_m(watts_per_m, far_degC, time_s), found=1e3 * spacing_m * np.sqrt(ice / np.pi),
            tolerance=0.2, unit="mm",
        )  # fmt: skip
    assert solver.power_W[0] == pytest.approx(watts_per_m * (length_m - radius_m), rel=1e-4)


def warm_sphere_error_K(spacing_m, perfusion, *, ball_m=5e-3, half_m=27e-3):
    """How far the mean temperature is off at 7.5 and 10 mm around a ball of held cells at 80 degC."""
    shape = (2 * round(half_m / spacing_m) + 1,) * 3
    distance = np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - shape[0] // 2, axis=-1) * spacing_m
    tissue = soft_tissue(shape, spacing_m, perfusion_W_per_m3K=perfusion)
    tissue.held[distance <= ball_m] = True
    tissue.held_degC[distance <= ball_m] = 80.0
    solver = HeatSolver(tissue)
    solver.advance(2400.0, longest_s=60.0)
    shells = [np.abs(distance - at_m) < 0.5 * spacing_m for at_m in (7.5e-3, 10e-3)]
    alike_m = (3 * float((distance <= ball_m).sum()) / (4 * np.pi)) ** (1 / 3) * spacing_m  # of as much volume
    return [
        float((solver.temperature_degC[s] - steady_warm_sphere_degC(alike_m, 80.0, perfusion, distance[s])).mean())
        for s in shells
    ]


@pytest.mark.parametrize("perfusion", [10e3, 40e3])
def test_steady_warm_sphere_converges(perfusion):
    """Held cells keep their temperature at their centers, within their faces: an error that falls with the spacing."""
    coarse, fine = (np.abs(warm_sphere_error_K(spacing_m, perfusion)) for spacing_m in (1.5e-3, 0.75e-3))
    assert (fine < 0.65 * coarse).all(), (coarse, fine)
    assert (fine < 2.0).all(), fine


def decay_error(spacing_m, *, length_m=0.048, time_s=120.0, perfusion=2e3):
    """How far the amplitude of a sine between held walls is off after a time, as a share."""
    shape = (round(length_m / spacing_m) + 3, 3, 3)
    tissue = soft_tissue(shape, spacing_m, perfusion_W_per_m3K=perfusion)
    tissue = Medium(**{name: getattr(tissue, name) for name in Medium.__slots__} | {"insulated": (1, 2)})
    x = (np.arange(shape[0]) - 1) * spacing_m
    wave = np.sin(np.pi * x / length_m)
    start = 37.0 + np.where((x >= 0) & (x <= length_m), 5.0 * wave, 0.0)[:, None, None] * np.ones(shape)
    solver = HeatSolver.restarted(
        tissue, (), enthalpy_J_per_m3=enthalpy_in(tissue, start), damage=Damage.fresh(start.size, 37.0), time_s=0.0
    )
    solver.advance(time_s, longest_s=0.5)
    rate = (0.5 * (np.pi / length_m) ** 2 + perfusion) / 3.6e6
    found = float((solver.temperature_degC[1:-1, 1, 1] - 37.0) @ wave[1:-1] / (wave[1:-1] @ wave[1:-1]))
    return abs(found / (5.0 * np.exp(-rate * time_s)) - 1)


def test_a_mode_decays_as_it_should_and_converges_with_the_square_of_the_spacing():
    spacings = np.array([8e-3, 4e-3, 2e-3])
    errors = [decay_error(spacing_m) for spacing_m in spacings]
    assert np.polyfit(np.log(spacings), np.log(errors), 1)[0] > 1.7, errors
    assert errors[-1] < 1e-3


def test_heat_is_kept_to_a_thousandth_through_freeze_thaw_and_freeze():
    shape, spacing_m = (61, 61, 61), 1e-3
    middle = np.array(shape) / 2 * spacing_m
    lines = tuple(
        Line(tip_m=middle + np.array((x, 0, -8e-3)), tail_m=middle + np.array((x, 1e-3, 8e-3)), radius_m=0.75e-3)
        for x in (-5e-3, 6e-3)
    )
    solver = HeatSolver(soft_tissue(shape, spacing_m, perfusion_W_per_m3K=8e3), lines)
    cold = Ramp(start_degC=37.0, end_degC=-140.0, time_s=2.5)
    for duration_s, drives in ((120.0, (cold, cold)), (90.0, (None, None)), (120.0, (cold, None))):
        solver.advance(duration_s, drives)
        assert solver.balance().residual_frac < 1e-3


def test_a_thaw_within_insulated_walls_keeps_its_heat():
    shape, spacing_m = (25, 25, 25), 1e-3
    tissue = soft_tissue(shape, spacing_m)
    tissue = Medium(**{name: getattr(tissue, name) for name in Medium.__slots__} | {"insulated": (0, 1, 2)})
    start = np.full(shape, 37.0)
    start[8:17, 8:17, 8:17] = -60.0
    held_J = enthalpy_in(tissue, start)
    solver = HeatSolver.restarted(
        tissue, (), enthalpy_J_per_m3=held_J, damage=Damage.fresh(start.size, 37.0), time_s=0.0
    )
    solver.advance(900.0)
    inner = (slice(1, -1),) * 3
    before, after = (float(h[inner].sum(dtype=np.float64)) for h in (held_J, solver.enthalpy_J_per_m3))
    assert after == pytest.approx(before, rel=2e-5)
    assert solver.temperature_degC[inner].min() > -10.0


def frozen_ml(*, perfusion=0.0, duration_s=150.0, spread_m=0.0):
    """Ice of one needle, or of two `spread_m` apart."""
    shape, spacing_m = (45, 45, 45), 1.5e-3
    middle = np.array(shape) / 2 * spacing_m
    lines = tuple(
        Line(tip_m=middle + np.array((x, 0, -6e-3)), tail_m=middle + np.array((x, 0, 6e-3)), radius_m=0.75e-3)
        for x in ((-spread_m / 2, spread_m / 2) if spread_m else (0.0,))
    )
    solver = HeatSolver(soft_tissue(shape, spacing_m, perfusion_W_per_m3K=perfusion), lines)
    solver.advance(duration_s, (Ramp(start_degC=37.0, end_degC=-140.0),) * len(lines))
    return 1e6 * zone_m3(solver.temperature_degC, 0.0, spacing_m)


def test_more_blood_is_less_ice_and_more_needles_or_time_are_more():
    assert frozen_ml() > frozen_ml(perfusion=10e3) > frozen_ml(perfusion=60e3)
    assert frozen_ml(duration_s=60.0) < frozen_ml() < frozen_ml(duration_s=300.0)
    assert frozen_ml(spread_m=8e-3) > 1.3 * frozen_ml()


def test_fifty_poses_between_the_cells(agree):
    """Volume within 1.5 % and front within 0.5 mm, at 1 mm, for radii of 0.75 to 1.25 mm, whatever the pose."""
    random = np.random.default_rng(20261126)
    off_volume, off_radius = [], []
    for radius_m in (0.75e-3, 0.9e-3, 1.0e-3, 1.1e-3, 1.25e-3):
        volumes, radii = [], []
        for _ in range(10):
            solver, middle, unit = frozen_by(
                1e-3, radius_m, 0.016, duration_s=90.0, direction=random.normal(size=3),
                offset=random.uniform(-0.5, 0.5, 3), pad_m=0.022,
            )  # fmt: skip
            volumes.append(1e6 * zone_m3(solver.temperature_degC, 0.0, 1e-3))
            radii += [reach_mm(solver, middle, sign * side, 0.0) for side in across(unit) for sign in (-1, 1)]
        off_volume.append(100 * np.abs(np.array(volumes) / np.mean(volumes) - 1).max())
        off_radius.append(np.abs(np.array(radii) - np.mean(radii)).max())
    problem = "50 poses of needles of 0.75 to 1.25 mm radius, 1 mm lattice, 90 s"
    agree(problem, "greatest deviation of the frozen volume", known=0.0, found=max(off_volume), tolerance=1.5, unit="%")
    agree(problem, "greatest deviation of the front", known=0.0, found=max(off_radius), tolerance=0.5, unit="mm")
