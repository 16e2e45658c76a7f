"""What a sensor on a long electrode reads, against the heat equation around its axis solved in one dimension."""

import numpy as np
import pytest
from problems import uniform
from scipy.linalg import solve_banded

from trocar.physics.electric import ElectricField, Electrode, GroundedFaces
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.simulation.channels import Surface

RADIUS_M, LENGTH_M, SIDE_M = 0.75e-3, 50e-3, 88e-3
K, C, SIGMA = 0.5, 3.7e6, 0.35
SECONDS, STEP_S, POWER_W = 40.0, 2.0, 6.0


def along_the_axis_degC(current_A_per_m, seconds):
    """The metal's temperature: sigma E2 of an endless line outside insulating, massless metal; implicit, log radii."""
    edges = np.geomspace(RADIUS_M, 0.1, 401)
    middle = np.sqrt(edges[1:] * edges[:-1])
    area = np.diff(edges**2) / 2
    heat = (current_A_per_m / (2 * np.pi)) ** 2 / SIGMA * np.log(edges[1:] / edges[:-1]) / area
    through = K * edges[1:-1] / np.diff(middle)
    step = seconds / 800
    bands = np.zeros((3, area.size))
    bands[1] = C * area / step
    bands[1, :-1] += through
    bands[1, 1:] += through
    bands[0, 1:], bands[2, :-1] = -through, -through
    warmed = np.zeros(area.size)
    for _ in range(800):
        warmed = solve_banded((1, 1), bands, C * area / step * warmed + heat * area)
    return 37.0 + warmed[0]


def read_degC(spacing_m):
    """The reading at the middle of an electrode of 50 mm, and the reference for the current that leaves there."""
    count = round(SIDE_M / spacing_m) + 1
    shape = (count,) * 3
    full = np.full(shape, 1.0, np.float32)
    medium = uniform(shape, spacing_m, conductivity_W_per_mK=K, capacity_J_per_m3K=C)
    at = np.array([SIDE_M / 2 + 0.3e-3, SIDE_M / 2 - 0.2e-3, 0.0])
    ends = [np.add(at, (0, 0, (SIDE_M + side * LENGTH_M) / 2)) for side in (-1, 1)]
    metal = Electrode(lines=(Line(tip_m=ends[0], tail_m=ends[1], radius_m=RADIUS_M),))
    field = ElectricField(SIGMA * full, spacing_m, (metal,), GroundedFaces(faces=("x-", "x+", "y-", "y+")))
    solver = HeatSolver(medium)
    surface = Surface.of(field.pieces, solver, spacing_m)
    heat = field.joule_W_per_m3(POWER_W)

    def heating(now, step_s):
        surface.follow(field.unresolved_W(POWER_W), step_s)
        return heat

    solver.advance(SECONDS, longest_s=STEP_S, heating=heating)
    middle = len(field.pieces) // 2
    surface.pieces, surface.beyond_K = [field.pieces[middle]], surface.beyond_K[[middle]]
    unresolved_W = field.unresolved_W(POWER_W)[middle]
    strength_m = field.pieces[middle].strength_m
    piece_m = LENGTH_M / len(field.pieces)
    current_A_per_m = np.sqrt(unresolved_W * SIGMA * strength_m) / piece_m  # of a resistance 1 / (sigma strength)
    return surface.hottest_degC(solver.temperature_degC), along_the_axis_degC(current_A_per_m, SECONDS)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0, 3.0])
def test_a_sensor_reads_the_metal_within_6_percent_of_its_warming(spacing_mm):
    read, true = read_degC(spacing_mm * 1e-3)
    assert true > 45.0
    assert read - 37.0 == pytest.approx(true - 37.0, rel=0.06)
