"""A needle is found again from its own table, and what a table does not tell is said."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.catalog.media import table_medium
from trocar.errors import SolverError
from trocar.physics.calibration import Known, NeedleProblem, Prior, Reading, Unknown, calibrate

PRIORS = {
    Unknown.SURFACE: Prior(value=-140.0, spread=20.0, low=-185.8, high=-20.0),
    Unknown.LENGTH: Prior(value=0.022, spread=0.004, low=0.003, high=0.1),
    Unknown.SHIFT: Prior(value=0.0, spread=0.002, low=-0.015, high=0.015),
    Unknown.FROZEN: Prior(value=1.0, spread=0.15, low=0.5, high=1.6),
}
TRUTH = {Unknown.SURFACE: -118.0, Unknown.LENGTH: 0.018, Unknown.SHIFT: 0.0015, Unknown.FROZEN: 1.08}
LEVELS = (0.0, -20.0, -40.0)


def table(whats, levels=LEVELS, *, spread_m=0.5e-3):
    return tuple(
        Reading(what=what, level_degC=level, time_s=600.0, bath_degC=37.0, medium="gel", size_m=0.02, spread_m=spread_m)
        for level in levels
        for what in whats
    )


def problem(readings, *, noise=0.0, truth=TRUTH, priors=PRIORS):
    """A problem whose sizes are those of a known needle, with noise in units of their spreads."""
    blank = NeedleProblem(
        radius_m=0.75e-3, ramp_s=2.5, tip_m=0.011, media={"gel": table_medium("gel").substance}, priors=priors,
        readings=readings, spacing_m=1e-3,
    )  # fmt: skip
    random = np.random.default_rng(7)
    sizes = blank.sizes_m(truth) + noise * np.array([r.spread_m for r in readings]) * random.normal(size=len(readings))
    told = [replace(reading, size_m=float(size)) for reading, size in zip(readings, sizes, strict=True)]
    return replace(blank, readings=tuple(told))


def test_a_full_table_gives_the_needle_back():
    found = calibrate(problem(table(("width", "length", "tip")), noise=1.0))
    for estimate in found.estimates:
        assert estimate.known is Known.IDENTIFIED, estimate
        assert abs(estimate.value - TRUTH[estimate.unknown]) < 2.5 * estimate.standard_error, estimate
    assert found.of(Unknown.SURFACE).standard_error < 6.0
    assert found.fits
    assert found.correlation == pytest.approx(found.correlation.T)
    assert np.diag(found.correlation) == pytest.approx(np.ones(4))
    assert found.of(Unknown.FROZEN).value == pytest.approx(1.08, abs=0.1)


def test_one_width_tells_the_surface_and_nothing_else():
    found = calibrate(problem(table(("width",), (0.0,))))
    assert found.of(Unknown.FROZEN).known is Known.NOT_IDENTIFIED
    assert found.of(Unknown.FROZEN).value == 1.0
    assert found.of(Unknown.FROZEN).standard_error == pytest.approx(0.15)
    assert found.of(Unknown.LENGTH).known is Known.NOT_IDENTIFIED
    assert found.of(Unknown.SURFACE).known is Known.WEAKLY
    assert found.of(Unknown.SURFACE).value > -135.0  # it moved to the table
    assert any("frozen_scale: not identified" in sentence for sentence in found.statements())
    assert np.sum(found.singular_values > 1.0) == 1


def test_widths_and_lengths_do_not_tell_where_the_cold_lies_along_the_needle():
    found = calibrate(problem(table(("width", "length"))))
    shift = found.of(Unknown.SHIFT)
    assert (shift.known, shift.value) == (Known.NOT_IDENTIFIED, 0.0)
    assert found.of(Unknown.LENGTH).value == pytest.approx(0.018, abs=3e-4)
    assert found.singular_values[-1] == pytest.approx(0.0, abs=1e-9)
    assert abs(found.directions[-1][list(PRIORS).index(Unknown.SHIFT)]) == pytest.approx(1.0)


def test_a_fluid_and_its_exchange_trade_against_one_another():
    priors = {
        Unknown.FLUID: Prior(value=-160.0, spread=20.0, low=-185.8, high=-30.0),
        Unknown.EXCHANGE: Prior(value=3000.0, spread=1.0, low=50.0, high=1e5, logarithmic=True),
        **{unknown: prior for unknown, prior in PRIORS.items() if unknown is not Unknown.SURFACE},
    }
    truth = {**TRUTH, Unknown.FLUID: -150.0, Unknown.EXCHANGE: 2000.0}
    made = problem(table(("width",), (0.0, -40.0)), truth=truth, priors=priors)
    found = calibrate(made)
    assert found.correlation[0, 1] > 0.7
    assert found.of(Unknown.FLUID).known is not Known.IDENTIFIED
    assert found.fitted_m == pytest.approx([reading.size_m for reading in made.readings], abs=4e-4)


def test_a_table_of_another_needle_does_not_fit_and_says_so():
    made = problem(table(("width",)))
    wrong = [replace(reading, size_m=size) for reading, size in zip(made.readings, (0.030, 0.012, 0.011), strict=True)]
    found = calibrate(replace(made, readings=tuple(wrong)))
    assert not found.fits
    assert any("does not fit" in sentence for sentence in found.statements())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: problem(()),
        lambda: replace(problem(table(("width",), (0.0,))), media={}),
        lambda: replace(problem(table(("width",), (0.0,))), priors={Unknown.SURFACE: PRIORS[Unknown.SURFACE]}),
        lambda: table(("width",), spread_m=0.0),
        lambda: Prior(value=1.0, spread=0.0, low=0.0, high=2.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SolverError):
        wrong()
