"""A cooled electrode: its metal kept cold, its current heating the tissue, against one dimension around its axis.

Steady, between the metal at a and tissue held at b: T = A + B ln r - c/2 (ln r)^2, c = I'^2 / (4 pi^2 sigma k).
"""

import numpy as np
import pytest
from problems import uniform
from scipy.linalg import solve_banded

from trocar.physics.coolant import Coolant
from trocar.physics.electric import ElectricField, Electrode, GroundedFaces
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line

RADIUS_M, LENGTH_M, SIDE_M = 0.75e-3, 68e-3, 88e-3
K, C, SIGMA, REST_DEGC, COLD_DEGC = 0.5, 3.7e6, 0.35, 37.0, 15.0
SECONDS, STEP_S, POWER_W = 120.0, 2.0, 48.0


def around_the_axis(current_A_per_m, seconds, *, far_m=0.1, exchange=None, cells=600):
    """(radii m, degC, W/m drawn) outside metal at `COLD_DEGC`, or fluid behind an exchange; implicit, log radii."""
    edges = np.geomspace(RADIUS_M, far_m, cells + 1)
    middle = np.sqrt(edges[1:] * edges[:-1])
    area = np.diff(edges**2) / 2
    heat = (current_A_per_m / (2 * np.pi)) ** 2 / SIGMA * np.log(edges[1:] / edges[:-1])
    through = K / np.log(middle[1:] / middle[:-1])
    inner = 1 / (np.log(middle[0] / RADIUS_M) / K + (0 if exchange is None else 1 / (exchange * RADIUS_M)))
    outer = K / np.log(far_m / middle[-1])
    step = seconds / 800
    bands = np.zeros((3, area.size))
    bands[1] = C * area / step
    bands[1, :-1] += through
    bands[1, 1:] += through
    bands[1, 0] += inner
    bands[1, -1] += outer
    bands[0, 1:], bands[2, :-1] = -through, -through
    given = heat.copy()
    given[0] += inner * (COLD_DEGC - REST_DEGC)
    warmed = np.zeros(area.size)
    for _ in range(800):
        warmed = solve_banded((1, 1), bands, C * area / step * warmed + given)
    return middle, REST_DEGC + warmed, 2 * np.pi * inner * (REST_DEGC + warmed[0] - COLD_DEGC)


def steady_degC(current_A_per_m, radii_m, far_m):
    """The closed form between the cold metal and tissue held at rest."""
    c = (current_A_per_m / (2 * np.pi)) ** 2 / (SIGMA * K)
    x, whole = np.log(radii_m / RADIUS_M), np.log(far_m / RADIUS_M)
    slope = (REST_DEGC - COLD_DEGC) / whole + c / 2 * whole
    return COLD_DEGC + slope * x - c / 2 * x**2, 2 * np.pi * K * slope


def on_the_lattice(spacing_m, *, exchange=None, cooled=True):
    """(radii m, degC) of the plane at the middle of an electrode of 68 mm, solver, field, and A/m there."""
    shape = (round(SIDE_M / spacing_m) + 1,) * 3
    full = np.full(shape, 1.0, np.float32)
    medium = uniform(shape, spacing_m, conductivity_W_per_mK=K, capacity_J_per_m3K=C)
    at = np.array([SIDE_M / 2 + 0.3e-3, SIDE_M / 2 - 0.2e-3, 0.0])
    tip, tail = (np.add(at, (0, 0, (SIDE_M + side * LENGTH_M) / 2)) for side in (-1, 1))
    metal = Line(tip_m=tip, tail_m=tail, radius_m=RADIUS_M)
    faces = GroundedFaces(faces=("x-", "x+", "y-", "y+"))
    field = ElectricField(SIGMA * full, spacing_m, (Electrode(lines=(metal,)),), faces)
    coolant = Coolant(degC=COLD_DEGC, exchange_W_per_m2K=exchange) if cooled else None
    solver = HeatSolver(medium, (metal,) if cooled else ())
    taken = coolant and coolant.taken_frac(field.pieces, (metal,), medium.unfrozen_W_per_mK)
    heat = field.joule_W_per_m3(POWER_W, taken_frac=taken)
    drives = () if coolant is None else (coolant.drive,)
    solver.advance(SECONDS, drives, longest_s=STEP_S, heating=lambda now, step_s: heat)
    middle = len(field.pieces) // 2
    joule_W = field.unresolved_W(POWER_W)[middle]
    piece_m = LENGTH_M / len(field.pieces)
    current = np.sqrt(joule_W * SIGMA * field.pieces[middle].strength_m) / piece_m
    z = shape[2] // 2
    xy = np.moveaxis(np.indices(shape[:2]), 0, -1) * spacing_m - at[:2]
    radii = np.linalg.norm(xy, axis=-1).ravel()
    return radii, solver.temperature_degC[:, :, z].ravel(), solver, field, current


def test_the_reference_in_one_dimension_is_the_closed_form_once_steady():
    radii, degC, drawn = around_the_axis(15.0, 40_000.0, far_m=0.02)
    known, known_drawn = steady_degC(15.0, radii, 0.02)
    assert np.abs(degC - known).max() < 0.05 and known.max() > 50.0
    assert drawn == pytest.approx(known_drawn, rel=1e-3)


@pytest.mark.parametrize("exchange", [None, 2000.0])
@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
def test_a_cooled_electrode_against_one_dimension(agree, spacing_mm, exchange):
    radii, degC, *_, current = on_the_lattice(spacing_mm * 1e-3, exchange=exchange)
    known_radii, known, _ = around_the_axis(current, SECONDS, exchange=exchange)
    how = "metal at 15 degC" if exchange is None else f"fluid at 15 degC behind {exchange:g} W/m2K"
    problem = f"cooled electrode of 68 mm, {how}, {SECONDS:g} s, {spacing_mm:g} mm lattice"
    warming, share = known.max() - REST_DEGC, {1.0: 0.05, 2.0: 0.1}[spacing_mm]
    assert warming > 15.0
    ring = radii > 2.0 * spacing_mm * 1e-3  # nearer the weights smear
    apart = np.abs(degC - np.interp(radii, known_radii, known))[ring]
    agree(problem, "greatest difference beyond 2 spacings", known=0.0, found=float(apart.max()),
          tolerance=share * warming, unit="K")  # fmt: skip
    agree(problem, "hottest", known=float(known.max()), found=float(degC.max()), tolerance=share * warming, unit="degC")


def test_the_hottest_point_leaves_a_cooled_electrode(agree):
    """Bare metal is hottest at its surface; a cooled one some millimeters away, where the reference says."""
    radii, degC, *_, current = on_the_lattice(1e-3)
    known_radii, known, _ = around_the_axis(current, SECONDS)
    bare_radii, bare, *_ = on_the_lattice(1e-3, cooled=False)
    place = 1e3 * float(radii[degC.argmax()])
    agree("cooled electrode of 68 mm, 1 mm lattice", "radius of the hottest point",
          known=1e3 * float(known_radii[known.argmax()]), found=place, tolerance=1.0, unit="mm")  # fmt: skip
    assert 1e3 * bare_radii[bare.argmax()] < 1.0 < 2.0 < place
    near = (bare_radii > 1e-3) & (bare_radii < 15e-3)
    assert (degC[near] < bare[near]).all()


def test_what_the_coolant_takes_is_counted(agree):
    """What flows in at the middle is the reference's; and what is deposited and taken at once is the power."""
    _, _, solver, field, current = on_the_lattice(1e-3)
    _, _, known = around_the_axis(current, SECONDS)
    coolant, metal = Coolant(degC=COLD_DEGC), solver.lines
    taken_W = coolant.taken_frac(field.pieces, metal, solver.medium.unfrozen_W_per_mK) * field.unresolved_W(POWER_W)
    middle, piece_m = len(field.pieces) // 2, LENGTH_M / len(field.pieces)
    piece = field.pieces[middle]
    around_degC = float(piece.weights @ solver.temperature_degC.reshape(-1)[piece.cells])
    found = (K * piece.strength_m * (around_degC - COLD_DEGC) + taken_W[middle]) / piece_m
    agree("cooled electrode of 68 mm, 1 mm lattice", "heat drawn at its middle", known=known, found=found,
          tolerance=0.04 * known, unit="W/m")  # fmt: skip
    balance = solver.balance()
    assert balance.residual_frac < 2e-3
    deposited_J = (POWER_W - taken_W.sum()) * SECONDS  # a little of it falls on the wall
    assert balance.heated_J == pytest.approx(deposited_J, rel=0.02)
    assert solver.power_W[0] > 0.8 * found * LENGTH_M
