"""The axisymmetric solver against the published references, and the lattice against it where nothing is published."""

import numpy as np
import pytest
from problems import GEL, NEEDLES, RADIAL, soft_tissue, soft_tissue_tables
from scipy import special
from test_needles import LEVELS_DEGC, mean_radius_mm, reach_mm

from trocar.catalog.media import table_medium
from trocar.physics.axisymmetric import Axisymmetric, Bath
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.physics.source import Ramp


@pytest.mark.parametrize("name", RADIAL)
def test_radial_references(agree, name):
    """The published perfused case lets perfusion stop at the liquidus; with that law the same ice is found."""
    radius_m, surface_degC, rest_degC, perfusion, early, late, watts_per_m = RADIAL[name]
    tissue = soft_tissue_tables(shut_at_liquidus=True)
    model = Axisymmetric(tissue, Bath(rest_degC=rest_degC, perfusion_W_per_m3K=perfusion), radius_m, None)
    problem = f"long needle {name}, axisymmetric solver"
    for radii in (early, late):
        model.advance(300.0, Ramp(start_degC=rest_degC, end_degC=surface_degC))
        for level, known in zip(LEVELS_DEGC, radii, strict=True):
            agree(
                problem, f"radius of {level:g} degC at {model.time_s:g} s", known=known,
                found=500 * model.width_m(level), tolerance=0.15, unit="mm",
            )  # fmt: skip
    agree(problem, "power", known=watts_per_m, found=model.power_W, tolerance=0.01 * watts_per_m, unit="W/m")


@pytest.mark.parametrize("name", NEEDLES)
def test_axisymmetric_references(agree, name):
    radius_m, length_m, sizes, volumes, watts = NEEDLES[name]
    model = Axisymmetric(soft_tissue_tables(), Bath(rest_degC=37.0), radius_m, length_m)
    model.advance(600.0, Ramp(start_degC=37.0, end_degC=-140.0))
    problem = f"needle {name}, axisymmetric solver, 600 s"
    for level, (width, length), volume in zip(LEVELS_DEGC, sizes, volumes, strict=True):
        agree(
            problem, f"width of {level:g} degC", known=width, found=1e3 * model.width_m(level), tolerance=0.3, unit="mm"
        )
        along = 1e3 * model.length_m_of(level)
        agree(problem, f"length of {level:g} degC", known=length, found=along, tolerance=0.3, unit="mm")
        ml = 1e6 * model.volume_m3(level)
        agree(problem, f"volume of {level:g} degC", known=volume, found=ml, tolerance=0.06 * volume + 0.05, unit="cm3")
    agree(problem, "power", known=watts, found=model.power_W, tolerance=0.02 * watts, unit="W")


@pytest.mark.parametrize(("surface_degC", "bath_degC", "sizes", "watts"), GEL)
def test_gel(agree, surface_degC, bath_degC, sizes, watts):
    model = Axisymmetric(table_medium("gel").substance(1.0), Bath(rest_degC=bath_degC), 0.75e-3, 0.022)
    model.advance(600.0, Ramp(start_degC=bath_degC, end_degC=surface_degC))
    problem = f"gel at {bath_degC:g} degC, needle at {surface_degC:g} degC, axisymmetric solver, 600 s"
    for level, (width, length) in zip(LEVELS_DEGC, sizes, strict=True):
        found = 1e3 * model.width_m(level), 1e3 * model.length_m_of(level)
        agree(problem, f"width of {level:g} degC", known=width, found=found[0], tolerance=0.4, unit="mm")
        agree(problem, f"length of {level:g} degC", known=length, found=found[1], tolerance=0.4, unit="mm")
    agree(problem, "power", known=watts, found=model.power_W, tolerance=0.02 * watts, unit="W")


def test_dead_tissue_begins_a_centimeter_within_the_ice(agree):
    """Gel at body temperature (S4): -40 degC about 1 cm within 0 degC, and not far from half way at -20 degC."""
    model = Axisymmetric(table_medium("gel").substance(1.0), Bath(rest_degC=37.0), 0.75e-3, 0.040)
    model.advance(600.0, Ramp(start_degC=37.0, end_degC=-140.0))
    edge, half, core = (500 * model.width_m(level) for level in LEVELS_DEGC)
    agree(
        "gel at 37 degC, 17 G at -140 degC, 600 s",
        "-40 degC within 0 degC",
        known=10.0,
        found=edge - core,
        tolerance=1.5,
        unit="mm",
    )
    assert 0.5 < (edge - half) / (edge - core) < 0.75


def test_steady_cylinder_in_perfused_tissue(agree):
    """Pennes without ice around an endless needle at 5 degC: K0 from its surface, whatever the spacing."""
    reach = np.sqrt(0.5 / 20e3)
    known = 2 * np.pi * 0.5 * 32.0 * 0.75e-3 / reach * special.k1(0.75e-3 / reach) / special.k0(0.75e-3 / reach)
    errors = []
    for spacing_m in (1e-3, 0.5e-3, 0.25e-3):
        bath = Bath(rest_degC=37.0, perfusion_W_per_m3K=20e3)
        model = Axisymmetric(soft_tissue_tables(), bath, 0.75e-3, None, spacing_m, growth=1.01)
        model.advance(3000.0, Ramp(start_degC=37.0, end_degC=5.0), longest_s=60.0)
        errors.append(abs(model.power_W - known) / known)
    agree(
        "steady perfused tissue around a needle at 5 degC, axisymmetric solver at 0.25 mm", "power", known=known,
        found=model.power_W, tolerance=0.002 * known, unit="W/m",
    )  # fmt: skip
    assert np.polyfit(np.log([4, 2, 1]), np.log(errors), 1)[0] > 1.0, errors


def both(ramp, *, duration_s=180.0, length_m=0.020, perfusion=0.0, spacing_m=1e-3):
    """The same freeze on the lattice and by the axisymmetric solver, in P1."""
    direction = np.array((0.3, 0.5, 0.8)) / np.linalg.norm((0.3, 0.5, 0.8))
    half = 0.024 + np.abs(direction) * length_m / 2
    shape = tuple(int(n) for n in 2 * np.ceil(half / spacing_m).astype(int) + 1)
    middle = (np.array(shape) // 2 + np.array((0.3, -0.2, 0.4))) * spacing_m
    ends = direction * length_m / 2
    solver = HeatSolver(
        soft_tissue(shape, spacing_m, perfusion_W_per_m3K=perfusion),
        (Line(tip_m=middle - ends, tail_m=middle + ends, radius_m=0.75e-3),),
    )
    bath = Bath(rest_degC=37.0, perfusion_W_per_m3K=perfusion)
    model = Axisymmetric(soft_tissue_tables(), bath, 0.75e-3, length_m, 0.25e-3)
    solver.advance(duration_s, (ramp,))
    model.advance(duration_s, ramp)
    return solver, middle, direction, model


@pytest.mark.parametrize(
    ("name", "ramp", "perfusion"),
    [
        ("isothermal", {"end_degC": -120.0}, 0.0),
        ("ramped, 20 s", {"end_degC": -120.0, "time_s": 20.0}, 0.0),
        ("fluid at -160 degC, 2 kW/m2K", {"end_degC": -160.0, "exchange_W_per_m2K": 2000.0}, 0.0),
        ("at most 12 W", {"end_degC": -140.0, "power_limit_W": 12.0}, 0.0),
        ("isothermal, 20 kW/m3K", {"end_degC": -120.0}, 20e3),
    ],
)
def test_the_lattice_agrees_with_the_axisymmetric_solver(agree, name, ramp, perfusion):
    solver, middle, direction, model = both(Ramp(start_degC=37.0, **ramp), perfusion=perfusion)
    problem = f"oblique 17 G, 20 mm, 180 s, {name}: 1 mm lattice (found) and axisymmetric solver (known)"
    for level in (0.0, -20.0):
        width = 2 * mean_radius_mm(solver, middle, direction, level)
        agree(
            problem, f"width of {level:g} degC", known=1e3 * model.width_m(level), found=width, tolerance=0.4, unit="mm"
        )
        along = sum(reach_mm(solver, middle, sign * direction, level) for sign in (-1, 1))
        agree(
            problem,
            f"length of {level:g} degC",
            known=1e3 * model.length_m_of(level),
            found=along,
            tolerance=0.5,
            unit="mm",
        )
    agree(problem, "power", known=model.power_W, found=solver.power_W[0], tolerance=0.02 * model.power_W, unit="W")
    heat = 1e-3 * model.drawn_J, 1e-3 * solver.balance().drawn_J[0]
    agree(problem, "heat drawn", known=heat[0], found=heat[1], tolerance=0.02 * heat[0], unit="kJ")
