"""The lattice without needles: Neumann's front, its convergence, and nothing at rest."""

import numpy as np
import pytest
from problems import planar_front_m, soft_tissue, water

from trocar.physics.heat import HeatSolver

WALL_CELLS = 3


def frozen_depth_m(spacing_m, wall_degC, far_degC, time_s, *, length_m=0.11):
    """Depth of ice beyond a cold wall, from the share of ice in each cell."""
    shape = (round(length_m / spacing_m), 3, 3)
    medium = water(shape, spacing_m, rest_degC=far_degC, insulated=(1, 2))
    medium.held[:WALL_CELLS] = True
    medium.held_degC[:WALL_CELLS] = wall_degC
    solver = HeatSolver(medium)
    solver.advance(time_s)
    ice = solver.ice_frac[WALL_CELLS:-2, 1, 1]
    return (ice.sum() + 0.5) * spacing_m


@pytest.mark.parametrize(("wall_degC", "far_degC"), [(-40.0, 20.0), (-40.0, 37.0), (-100.0, 37.0), (-150.0, 37.0)])
def test_planar_front(agree, wall_degC, far_degC):
    for time_s in (60.0, 300.0, 600.0):
        agree(
            f"planar freezing of water, wall {wall_degC:g}, far {far_degC:g} degC, 0.5 mm lattice",
            f"front at {time_s:g} s",
            known=1e3 * planar_front_m(wall_degC, far_degC, time_s),
            found=1e3 * frozen_depth_m(0.5e-3, wall_degC, far_degC, time_s),
            tolerance=0.1,
            unit="mm",
        )


def test_the_front_converges_with_the_lattice():
    """The mean error over several times (fronts fall differently into cells) falls at least in proportion."""
    errors = []
    for spacing_m in (2e-3, 1e-3, 0.5e-3):
        found = [
            abs(frozen_depth_m(spacing_m, -100.0, 37.0, t) - planar_front_m(-100.0, 37.0, t))
            for t in (200, 350, 500, 650)
        ]
        errors.append(np.mean(found))
    rate = np.polyfit(np.log([2e-3, 1e-3, 0.5e-3]), np.log(errors), 1)[0]
    assert rate > 0.9, (rate, errors)


def test_tissue_at_rest_stays_at_rest():
    solver = HeatSolver(soft_tissue((9, 9, 9), 1e-3, perfusion_W_per_m3K=40e3))
    solver.advance(600.0)
    assert np.all(solver.temperature_degC == 37.0)
    assert solver.balance().residual_frac == 0.0
