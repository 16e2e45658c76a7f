"""Microwave zones against a public table: 100 W, ellipsoids after 5, 7.5 and 10 min (S7).

The zone is where Omega of the liver set has reached 1, at 2 mm. The table does not state its medium: perfused liver is
taken. Efficiency and length are fitted to the first row, the others are forecast. docs/theory/microwave.md says more.
"""

import numpy as np
import pytest

from trocar.catalog import device
from trocar.catalog.tissues import tissues
from trocar.physics.antenna import (
    Antenna,
    antenna_heat_W_per_m3,
    attenuation_per_m,
    hot_conductivity_S_per_m,
    hot_permittivity,
)
from trocar.physics.damage import zone_m3
from trocar.physics.dose import HeatDose
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.physics.medium import Medium

CELLS, SPACING_M = 49, 2e-3
MIDDLE_M = (CELLS - 1) / 2 * SPACING_M
EFFICIENCY_FRAC, LENGTH_M, RADIUS_M = 0.30, 40.4e-3, 1.2e-3
LIVER_PERMITTIVITY, LIVER_S_PER_M = 43.0, 1.686  # at 2.45 GHz
EVAPORATION_J_PER_KG = 2.26e6
TISSUE = np.pad(np.ones((CELLS - 4,) * 3, bool), 2)  # the two outer layers are the wall, which takes no heat


def liver():
    """Liver of the catalog on a cube."""
    tissue, shape = tissues()["liver"], (CELLS,) * 3
    numbers = {
        "unfrozen_W_per_mK": tissue.conductivity_W_per_mK,
        "frozen_W_per_mK": tissue.frozen_W_per_mK(-20.0),
        "unfrozen_J_per_m3K": tissue.unfrozen_J_per_m3K,
        "frozen_J_per_m3K": tissue.frozen_J_per_m3K,
        "latent_J_per_m3": tissue.latent_J_per_m3,
        "perfusion_W_per_m3K": tissue.perfusion_W_per_m3K,
        "held_degC": 37.0,
        "vapor_J_per_m3": tissue.water_kg_per_m3 * EVAPORATION_J_PER_KG,
    }
    arrays = {name: np.full(shape, value) for name, value in numbers.items()}
    return Medium(spacing_m=SPACING_M, held=np.zeros(shape, bool), **arrays)


class Ablation:
    """An antenna at 100 W in the middle of liver."""

    def __init__(self, direction=(0, 0, 1), offset_m=(0, 0, 0)):
        axis = 0.5 * LENGTH_M * np.asarray(direction, float) / np.linalg.norm(direction)
        center = MIDDLE_M + np.asarray(offset_m)
        line = Line(tip_m=center - axis, tail_m=center + axis, radius_m=RADIUS_M)
        self.antenna = Antenna(line=line, efficiency_frac=EFFICIENCY_FRAC)
        self.dose = HeatDose.fresh(CELLS**3, 37.0)
        self.solver = HeatSolver(liver(), dose=self.dose)

    def play(self, until_s):
        self.solver.advance(until_s - self.solver.time_s, heating=self.heat, longest_s=10.0)

    def heat(self, solver, step_s):
        degC = solver.temperature_degC
        damping = attenuation_per_m(
            hot_permittivity(LIVER_PERMITTIVITY, degC), hot_conductivity_S_per_m(LIVER_S_PER_M, degC), 2.45e9
        )
        return antenna_heat_W_per_m3(self.antenna, 100.0, damping, SPACING_M, TISSUE)

    @property
    def log_omega(self):
        return np.log(np.maximum(self.dose.omega, 1e-30)).reshape((CELLS,) * 3)

    def extent_mm(self, axis):
        """Of the zone along an axis of the lattice, between its outermost points."""
        found = self.log_omega.max(axis=tuple(a for a in range(3) if a != axis))
        inside = np.flatnonzero(found >= 0)
        first, last = inside[0], inside[-1]
        low = first - found[first] / (found[first] - found[first - 1])
        high = last + found[last] / (found[last] - found[last + 1])
        return 1e3 * SPACING_M * (high - low)


def test_zones_of_100_W_against_the_table(agree):
    """Lengths are forecast within 1.5 mm. Widths are not: measured ones hardly grow, computed ones do."""
    ablation = Ablation()
    zones = device("mw-antenna-2450mhz-100w").zones
    for zone, allowed_mm, too_wide in zip(zones, (0.5, 1.5, 1.5), (0.02, 0.16, 0.26), strict=True):
        ablation.play(zone.time_s)
        row = f"microwave {zone.power_W:.0f} W {zone.time_s / 60:g} min, Omega 1, 2 mm"
        agree(row, "length", known=zone.length_mm, found=ablation.extent_mm(2), tolerance=allowed_mm, unit="mm")
        width_mm = ablation.extent_mm(0)
        agree(row, "width", known=zone.width_mm, found=width_mm, tolerance=too_wide * zone.width_mm, unit="mm")
    balance = ablation.solver.balance()
    assert balance.residual_frac < 1e-3
    assert balance.heated_J == pytest.approx(EFFICIENCY_FRAC * 100 * 600, rel=1e-5)
    assert ablation.solver.temperature_degC.max() > 100  # it has boiled
    assert 0 < ablation.solver.vapor_frac.max() <= 1


def test_the_zone_does_not_depend_on_where_the_antenna_lies_between_cells():
    rng = np.random.default_rng(3)
    volumes = []
    for direction, offset in (
        ((0, 0, 1), (0, 0, 0)),
        ((1, 1, 1), (1e-3, 1e-3, 0)),
        (rng.normal(size=3), (7e-4, 0, 3e-4)),
    ):
        ablation = Ablation(direction, offset)
        ablation.play(120.0)
        volumes.append(zone_m3(-ablation.log_omega, 0.0, SPACING_M))
    assert np.ptp(volumes) < 0.02 * np.mean(volumes)


def test_coagulated_tissue_no_longer_cools_itself():
    ablation = Ablation()
    ablation.play(60.0)
    dead = ablation.dose.omega >= 1
    assert dead.any() and not dead.all()
    assert (ablation.solver.damage.open_frac == np.where(dead, 0, 1)).all()
