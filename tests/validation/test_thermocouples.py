"""A measured needle: the IceSphere's thermocouples in a shallow dish, its start, and the size its maker states.

The dish leaks heat to what is below and above it, which a radial model does not hold: one leak is fitted, and what it
then does and does not reproduce is asserted in numbers.
"""

from itertools import pairwise

import numpy as np
import pytest
from problems import BESIDE_NEEDLE, FRONTS, ON_NEEDLE
from scipy import optimize

from trocar.catalog import device
from trocar.catalog.media import table_medium
from trocar.physics.axisymmetric import Axisymmetric, Bath
from trocar.physics.source import Ramp

ICESPHERE = device("cryoprobe-17g-icesphere")
SALINE = table_medium("gel").substance(1.0)
START_DEGC = 29.5
PROBLEM = "IceSphere in a shallow dish of saline (S1), needle's thermocouple given, one leak fitted"


def in_the_dish(leak_W_per_m3K, *, surface=ON_NEEDLE):
    """(temperatures at 1.8 and 2.8 mm by time, front in mm by time) with the surface as it was measured."""
    bath = Bath(rest_degC=START_DEGC, leak_W_per_m3K=leak_W_per_m3K, reach_m=0.015)
    model = Axisymmetric(SALINE, bath, 0.75e-3, None, 0.15e-3)
    times, degC = np.array(surface, dtype=float).T
    stops = np.unique([*times, *BESIDE_NEEDLE, *FRONTS])
    beside, fronts = {}, {}
    for start_s, stop_s in pairwise(stops):
        at_degC = float(np.interp((start_s + stop_s) / 2, times, degC))
        model.advance(stop_s - start_s, Ramp(start_degC=at_degC, end_degC=at_degC))
        if stop_s in BESIDE_NEEDLE:
            beside[stop_s] = np.interp((1.8e-3, 2.8e-3), model.radii_m, model.temperature_degC[0])
        if stop_s in FRONTS:
            fronts[stop_s] = 500 * model.width_m(0.0)
    return beside, fronts


def misfit_K(leak_W_per_m3K, **given):
    """Root mean square over the six readings beside the needle."""
    beside, _ = in_the_dish(leak_W_per_m3K, **given)
    return float(np.sqrt(np.mean([(beside[t] - known) ** 2 for t, known in BESIDE_NEEDLE.items()])))


@pytest.fixture(scope="module")
def leak():
    return float(optimize.minimize_scalar(misfit_K, bounds=(1e5, 1e6), method="bounded", options={"xatol": 2e4}).x)


def test_thermocouples_beside_the_needle(agree, leak):
    beside, _ = in_the_dish(leak)
    for time_s, known in BESIDE_NEEDLE.items():
        for place, degC, found in zip((1.8, 2.8), known, beside[time_s], strict=True):
            agree(PROBLEM, f"{place:g} mm at {time_s:g} s", known=degC, found=float(found), tolerance=13.0, unit="degC")
    agree(PROBLEM, "root mean square of the six", known=0.0, found=misfit_K(leak), tolerance=7.5, unit="K")


def test_the_front_in_the_dish(agree, leak):
    """A leak that acts at once lets the ice come too early: 1 mm too wide at 1 min, right at 3 min."""
    _, fronts = in_the_dish(leak)
    for (time_s, known), tolerance in zip(FRONTS.items(), (1.2, 0.8, 0.4), strict=True):
        agree(PROBLEM, f"front at {time_s:g} s", known=known, found=fronts[time_s], tolerance=tolerance, unit="mm")


def test_without_the_leak_the_dish_is_not_reproduced():
    assert misfit_K(0.0) > 20.0
    _, fronts = in_the_dish(0.0)
    assert all(fronts[time_s] > known + 2.0 for time_s, known in FRONTS.items())


def test_the_dish_does_not_tell_the_needles_own_temperature(agree, leak):
    """A surface 40 K colder than its thermocouple, with more leak, fits even better: the dish calibrates no needle."""
    colder = tuple((t, degC if t < 5 else degC - 40.0) for t, degC in ON_NEEDLE)
    found = optimize.minimize_scalar(
        lambda leak: misfit_K(leak, surface=colder), bounds=(1e5, 3e6), method="bounded", options={"xatol": 1e5}
    )
    agree(PROBLEM, "the same with a surface 40 K colder", known=0.0, found=float(found.fun), tolerance=7.5, unit="K")
    assert found.x > 1.5 * leak


def test_the_start_is_the_catalogs_ramp(agree):
    """Exponential with the catalog's time constant down to the first plateau, then a slow creep that is left out."""
    plateau_degC = -75.0
    for time_s, known in ON_NEEDLE[1:7]:
        found = plateau_degC + (START_DEGC - plateau_degC) * np.exp(-time_s / ICESPHERE.ramp_s)
        agree(
            "IceSphere's start (S1)", f"surface at {time_s:g} s", known=known, found=float(found), tolerance=6.0,
            unit="degC",
        )  # fmt: skip


def needle_of_the_stated_size(bath_degC, guess_degC):
    """The surface and the active length in mm that give 32 x 37 mm of ice after 10 minutes."""

    def off_mm(x):
        model = Axisymmetric(SALINE, Bath(rest_degC=bath_degC), 0.75e-3, x[1] / 1e3, 1e-3)
        model.advance(600.0, Ramp(start_degC=bath_degC, end_degC=x[0], time_s=2.5))
        return 1e3 * model.width_m(0.0) - 32.0, 1e3 * model.length_m_of(0.0) - 37.0

    found = optimize.root(off_mm, (guess_degC, 17.0), options={"eps": 1e-3, "xtol": 1e-3})
    assert found.success
    return found.x


def test_the_stated_size_calibrates_nothing_while_its_bath_is_not_stated(agree):
    """37 +/- 4 x 32 +/- 3 mm is met by needles 20 K and more apart; the review's own two are -150 and -125 degC."""
    surfaces = []
    for bath_degC, known in ((37.0, -150.0), (22.0, -125.0)):
        surface_degC, active_mm = needle_of_the_stated_size(bath_degC, known)
        problem = f"needle that makes the IceSphere's stated 32 x 37 mm (S1) in gel at {bath_degC:g} degC"
        agree(problem, "surface", known=known, found=surface_degC, tolerance=20.0, unit="degC")
        agree(problem, "active length", known=17.0, found=active_mm, tolerance=1.5, unit="mm")
        surfaces.append(surface_degC)
    assert surfaces[1] > surfaces[0] + 20.0


def test_the_catalogs_prior_is_near_the_stated_size(agree):
    """-140 degC over 22 mm, as the catalog has it, in gel at 37 degC: within the stated spread, though barely."""
    model = Axisymmetric(SALINE, Bath(rest_degC=37.0), 0.75e-3, ICESPHERE.active_length_mm / 1e3)
    model.advance(600.0, Ramp(start_degC=37.0, end_degC=ICESPHERE.surface_degC, time_s=ICESPHERE.ramp_s))
    problem = "IceSphere's stated size (S1), the catalog's prior in gel at 37 degC"
    agree(problem, "width", known=32.0, found=1e3 * model.width_m(0.0), tolerance=3.0, unit="mm")
    agree(problem, "length", known=37.0, found=1e3 * model.length_m_of(0.0), tolerance=4.0, unit="mm")
