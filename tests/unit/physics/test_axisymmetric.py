"""The axisymmetric solver: exact where an answer is known, conservative, and refusing what makes no sense."""

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.axisymmetric import Axisymmetric, Bath
from trocar.physics.source import Ramp
from trocar.physics.substance import Substance, constant

SURFACE = Ramp(start_degC=37.0, end_degC=-100.0)


def substance(*, latent=250e6, interval=(-8.0, -1.0), unfrozen=0.5, frozen=2.0):
    return Substance.of(
        conductivity_W_per_mK=(constant(frozen), constant(unfrozen)),
        capacity_J_per_m3K=(constant(1.8e6), constant(3.6e6)),
        latent_J_per_m3=latent, solidus_degC=interval[0], liquidus_degC=interval[1],
    )  # fmt: skip


def needle(length_m=0.020, *, spacing_m=1e-3, made_of=None, **bath):
    return Axisymmetric(made_of or substance(), Bath(**{"rest_degC": 37.0} | bath), 0.75e-3, length_m, spacing_m)


def test_tables_invert_and_integrate():
    s = substance()
    t = np.array([-120.0, -8.0, -4.0, -1.0, 20.0])
    assert s.temperature_degC(s.enthalpy_J_per_m3(t)) == pytest.approx(t, abs=1e-3)
    assert s.ice_frac(s.enthalpy_J_per_m3(np.array([-9.0, -4.5, 5.0]))) == pytest.approx([1, 0.5, 0], abs=1e-3)
    assert float(s.kirchhoff_at(9.0)) == pytest.approx(5.0, rel=1e-3)
    mean = 7 * (0.5 + 2.0) / 2  # over the mush
    assert float(s.kirchhoff_at(-18.0)) == pytest.approx(-mean - 20.0, rel=1e-3)
    latent = float(s.enthalpy_J_per_m3(-1.0) - s.enthalpy_J_per_m3(-8.0))
    assert latent == pytest.approx(250e6 + 7 * (1.8e6 + 3.6e6) / 2, rel=2e-3)  # a row of the table is 0.1 K


def test_steady_heat_between_two_cylinders_is_exact():
    """Without freezing and far from the start: q = 2 pi k dT / ln(R / r)."""
    model = needle(None, reach_m=0.01)
    model.advance(2000.0, Ramp(start_degC=37.0, end_degC=10.0))
    assert model.power_W == pytest.approx(2 * np.pi * 0.5 * 27.0 / np.log(10.75 / 0.75), rel=2e-4)


def test_heat_is_conserved_through_a_freeze_and_a_thaw():
    model = needle(perfusion_W_per_m3K=20e3)
    model.advance(120.0, SURFACE)
    assert model.drawn_J > 500.0
    model.advance(120.0, None)
    model.advance(60.0, Ramp(start_degC=-20.0, end_degC=40.0, time_s=5.0))
    assert model.residual_frac < 1e-9


def test_a_closed_dish_keeps_its_heat_when_the_needle_is_off():
    model = needle(insulated=True, reach_m=0.01)
    model.advance(60.0, SURFACE)
    drawn, brought = model.drawn_J, model.brought_J
    model.advance(300.0, None)
    assert (model.drawn_J, model.power_W) == (drawn, 0.0)
    assert brought == model.brought_J == 0.0
    assert model.residual_frac < 1e-9
    assert np.ptp(model.temperature_degC) < 25.0


def test_half_a_needle_is_the_whole_one():
    half = needle()
    whole = Axisymmetric(half.substance, half.bath, 0.75e-3, 0.020, 1e-3, profile=(1.0, 1.0 + 1e-4))
    wet = Ramp(start_degC=37.0, end_degC=-150.0, exchange_W_per_m2K=3000.0)
    for model in (half, whole):
        model.advance(120.0, wet)
    assert whole.heights_m.size == 2 * half.heights_m.size
    assert whole.power_W == pytest.approx(half.power_W, rel=1e-3)
    for level in (0.0, -20.0, -40.0):
        assert whole.width_m(level) == pytest.approx(half.width_m(level), abs=2e-5)
        assert whole.length_m_of(level) == pytest.approx(half.length_m_of(level), abs=2e-5)


def test_exchange_along_the_needle_shifts_its_ice():
    model = Axisymmetric(substance(), Bath(rest_degC=37.0), 0.75e-3, 0.020, 1e-3, profile=(2.0, 0.2))
    model.advance(180.0, Ramp(start_degC=37.0, end_degC=-150.0, exchange_W_per_m2K=1000.0))
    tip, tail = model.ends_m(0.0)
    assert tip > tail + 1e-3


def test_a_strong_exchange_is_a_given_surface():
    given, wet = needle(), needle()
    given.advance(120.0, SURFACE)
    wet.advance(120.0, Ramp(start_degC=37.0, end_degC=-100.0, exchange_W_per_m2K=1e7))
    assert wet.power_W == pytest.approx(given.power_W, rel=1e-3)
    weak = needle()
    weak.advance(120.0, Ramp(start_degC=37.0, end_degC=-100.0, exchange_W_per_m2K=500.0))
    assert weak.power_W < 0.8 * given.power_W


def test_the_exchange_balances_at_the_wall():
    """Steady and unfrozen: wall and tissue are two resistances in series."""
    model = needle(None, reach_m=0.01)
    model.advance(2000.0, Ramp(start_degC=37.0, end_degC=10.0, exchange_W_per_m2K=400.0))
    wall, tissue = 1 / (2 * np.pi * 0.75e-3 * 400.0), np.log(10.75 / 0.75) / (2 * np.pi * 0.5)
    assert model.power_W == pytest.approx(27.0 / (wall + tissue), rel=1e-3)


def test_a_power_limit_is_kept():
    model = needle()
    model.advance(60.0, Ramp(start_degC=37.0, end_degC=-140.0, power_limit_W=6.0))
    assert model.power_W == pytest.approx(6.0, rel=1e-6)
    assert model.drawn_J == pytest.approx(360.0, rel=1e-6)


def test_a_leak_brings_heat_through_ice_and_perfusion_does_not():
    """The same exchange holds ice back more where ice does not stop it."""
    plain, blood, leaky = needle(), needle(perfusion_W_per_m3K=40e3), needle(leak_W_per_m3K=40e3)
    for model in (plain, blood, leaky):
        model.advance(300.0, SURFACE)
    assert leaky.width_m(0.0) < blood.width_m(0.0) < plain.width_m(0.0)


def test_spacing_changes_little_and_less_and_less():
    sizes = []
    for spacing_m in (2e-3, 1e-3, 0.5e-3, 0.25e-3):
        model = needle(None, spacing_m=spacing_m)
        model.advance(300.0, Ramp(start_degC=37.0, end_degC=-140.0))
        sizes.append([model.width_m(level) / 2 for level in (-20.0, -40.0)])
    errors = np.abs(np.array(sizes[:-1]) - sizes[-1]).mean(axis=1)
    assert errors[2] < 0.03e-3 and errors[1] < 0.06e-3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: needle(length_m=0.0),
        lambda: needle(spacing_m=float("nan")),
        lambda: needle(rest_degC=float("nan")),
        lambda: needle(perfusion_W_per_m3K=-1.0),
        lambda: Axisymmetric(substance(), Bath(rest_degC=37.0), 0.75e-3, 0.02, profile=()),
        lambda: substance(interval=(0.0, 0.0)),
        lambda: substance(frozen=-1.0),
        lambda: needle().advance(-1.0, None),
        lambda: needle().advance(1.0, Ramp(start_degC=37.0, end_degC=-100.0, duty=0.5)),
        lambda: needle(None).length_m_of(0.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SolverError):
        wrong()


def test_ice_that_fills_the_bath_is_refused():
    model = needle(None, reach_m=0.004, insulated=True)
    model.advance(600.0, SURFACE)
    with pytest.raises(SolverError, match="end of the simulated bath"):
        model.width_m(0.0)
