"""Antennas: the heat adds up, does not depend on the pose, and decays as the table of attenuations says."""

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.antenna import (
    Antenna,
    antenna_heat_W_per_m3,
    attenuation_per_m,
    hot_conductivity_S_per_m,
    hot_permittivity,
)
from trocar.physics.lines import Line

SHAPE, SPACING_M = (41, 41, 41), 2e-3
LIVER_PER_M = 1 / (2 * 10.4e-3)


def antenna(center_m, direction, *, length_m=36e-3, efficiency_frac=0.6):
    half = 0.5 * length_m * np.asarray(direction, float) / np.linalg.norm(direction)
    line = Line(tip_m=np.asarray(center_m) - half, tail_m=np.asarray(center_m) + half, radius_m=1e-3)
    return Antenna(line=line, efficiency_frac=efficiency_frac)


def radii_and_heights(found, shape=SHAPE, spacing_m=SPACING_M):
    """Of every cell's center, in m from the antenna's axis and middle."""
    middle = 0.5 * (found.line.tip_m + found.line.tail_m)
    axis = (found.line.tail_m - found.line.tip_m) / np.linalg.norm(found.line.tail_m - found.line.tip_m)
    from_middle = np.moveaxis(np.indices(shape), 0, -1) * spacing_m - middle
    height = from_middle @ axis
    return np.sqrt(np.maximum((from_middle**2).sum(-1) - height**2, 0)), height


@pytest.mark.parametrize(
    ("permittivity", "conductivity", "depth_mm"),  # 1 / 2a at 2.45 GHz of the thermal review
    [(52.7, 1.739, 11.2), (43.0, 1.686, 10.4), (18.5, 0.805, 14.4), (11.4, 0.394, 22.9), (5.3, 0.096, 64)],
)
def test_attenuations_are_those_of_the_table(permittivity, conductivity, depth_mm):
    assert 1e3 / (2 * attenuation_per_m(permittivity, conductivity, 2.45e9)) == pytest.approx(depth_mm, rel=0.01)


def test_attenuation_at_915_MHz_and_without_loss():
    assert 1e3 / (2 * attenuation_per_m(55.0, 0.948, 915e6)) == pytest.approx(21.1, rel=0.01)
    assert attenuation_per_m(40.0, 0.0, 2.45e9) == pytest.approx(0, abs=1e-6)


def test_tissue_loses_its_dielectric_as_it_dries():
    degC = np.linspace(20, 140, 61)
    for values in (hot_permittivity(43.0, degC), hot_conductivity_S_per_m(1.686, degC)):
        assert (np.diff(values) < 0).all()
    assert hot_permittivity(43.0, 37.0) == pytest.approx(43.0)
    assert hot_conductivity_S_per_m(1.686, 37.0) == pytest.approx(1.686)
    half = 5.951 / 0.0697  # where the sigmoid of the source is at its middle
    full = 1 / (1 - 1 / (1 + np.exp(5.951 - 0.0697 * 37)))
    assert hot_conductivity_S_per_m(1.0, half) == pytest.approx(0.5 * full)
    assert hot_permittivity(43.0, 1e3) == pytest.approx(1.0)


def test_the_heat_adds_up_and_held_cells_take_none():
    found = antenna((40e-3,) * 3, (0, 0, 1))
    free = np.ones(SHAPE, bool)
    free[24:, :, :] = False
    for share in (np.ones(SHAPE, bool), free):
        heat = antenna_heat_W_per_m3(found, 100.0, np.full(SHAPE, LIVER_PER_M), SPACING_M, share)
        assert heat.sum(dtype=float) * SPACING_M**3 == pytest.approx(60.0, rel=1e-6)
        assert (heat[~share] == 0).all() and (heat >= 0).all()


def test_the_pattern_does_not_depend_on_the_pose():
    """Damped so strongly that no heat reaches the box's walls, whose corners would favor some directions."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(30):
        source = antenna(40e-3 + rng.uniform(-1e-3, 1e-3, 3), rng.normal(size=3))
        heat = antenna_heat_W_per_m3(source, 1.0, np.full(SHAPE, 3 * LIVER_PER_M), SPACING_M).astype(float)
        radius, height = radii_and_heights(source)
        share = heat * SPACING_M**3
        found.append(((share * radius).sum(), (share * height**2).sum(), share[radius < 8e-3].sum()))
    moments = np.array(found)
    assert (np.ptp(moments, axis=0) < 0.01 * moments.mean(axis=0)).all()


def test_it_decays_from_the_axis_as_the_medium_says():
    """Between shells of 8 and 16 mm the heat falls by the template's own ratio of volume means."""
    source = antenna((40e-3,) * 3, (1, 2, 3), length_m=50e-3)
    heat = antenna_heat_W_per_m3(source, 50.0, np.full(SHAPE, LIVER_PER_M), SPACING_M).astype(float)
    radius, height = radii_and_heights(source)
    near, far = (heat[(abs(radius - r) < 1e-3) & (abs(height) < 4e-3)].mean() for r in (8e-3, 16e-3))
    assert near / far == pytest.approx(2 * np.exp(2 * LIVER_PER_M * 8e-3), rel=0.05)


def test_rays_are_damped_by_what_they_cross():
    source = antenna((40e-3,) * 3, (0, 0, 1))
    attenuation = np.full(SHAPE, LIVER_PER_M)
    attenuation[23:27] *= 2  # a lossy layer, 5 to 13 mm from the axis
    heat = antenna_heat_W_per_m3(source, 50.0, attenuation, SPACING_M).astype(float)
    shadow = heat[30, 20, 20] / heat[10, 20, 20]  # 20 mm on either side
    assert shadow == pytest.approx(np.exp(-2 * LIVER_PER_M * 8e-3), rel=0.02)
    assert heat[24, 20, 20] > heat[16, 20, 20]


def test_what_cannot_be_is_refused():
    still = np.full(SHAPE, LIVER_PER_M)
    good = antenna((40e-3,) * 3, (0, 0, 1))
    for source, power, attenuation in (
        (antenna((0.5, 0, 0), (0, 0, 1)), 50.0, still),
        (good, -1.0, still),
        (good, np.nan, still),
        (good, 50.0, still * np.nan),
        (good, 50.0, still * 0),
    ):
        with pytest.raises(SolverError):
            antenna_heat_W_per_m3(source, power, attenuation, SPACING_M)
    with pytest.raises(SolverError):
        antenna((40e-3,) * 3, (0, 0, 1), efficiency_frac=1.1)
