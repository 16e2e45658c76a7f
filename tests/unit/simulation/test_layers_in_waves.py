"""What a protective layer does to the heat of a microwave antenna: gas takes none, dextrose some, and both shade."""

import numpy as np
import pytest
from slab import heater, heating, synthetic_case

from trocar.materials import tissue_map
from trocar.materials.layers import layer_cells
from trocar.materials.native import native_tissue
from trocar.model.shield import UNSHIELDED, Layer, Shield
from trocar.model.space import Grid
from trocar.model.treatment import ProtocolPhase, Technique
from trocar.physics.antenna import antenna_heat_W_per_m3, attenuation_per_m
from trocar.simulation.session import untouched
from trocar.simulation.sources import channels

GRID = Grid.aligned(origin_lps_mm=(9, 9, 9), spacing_mm=(2.0,) * 3, shape=(41, 41, 41))
STEP = heating(
    heater(49.0, device="mw-antenna-2450mhz-100w", tip_mm=30.0, diameter_mm=2.1), technique=Technique.MICROWAVE,
    protocol=(ProtocolPhase(phase="heat", duration_s=60.0, setting=50.0, unit="W"),),
)  # fmt: skip


def layer(fluid):
    return Layer(structure="sciatic_nerve_left", fluid=fluid, thickness_mm=6.0)


def deposited(case, shield):
    """[i, j, k] W/m3 of one watt, in cold tissue with a shield."""
    tissue = tissue_map(case, GRID, shield=shield, boils=True)
    (wave,) = channels(case, tissue, STEP, untouched(GRID).after(shield=shield))
    damping = attenuation_per_m(wave.permittivity, wave.conductivity_S_per_m, wave.frequency_Hz)
    return antenna_heat_W_per_m3(wave.antenna, 1.0, damping, wave.spacing_m, wave.free)


@pytest.fixture(scope="module")
def found():
    case = synthetic_case()
    inside = layer_cells(case, GRID, native_tissue(case, GRID), layer("gas"))
    x_mm = GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))[..., 0]
    heat = {
        name: deposited(case, shield)
        for name, shield in (
            ("bare", UNSHIELDED), ("gas", Shield(layers=(layer("gas"),))), ("water", Shield(layers=(layer("water"),))),
        )
    }  # fmt: skip
    heated = heat["bare"] > 0  # beside the stretch that radiates
    return inside & (x_mm < 66.0) & heated, (x_mm > 72.0) & (x_mm < 82.0) & ~inside & heated, heat


def test_gas_takes_no_heat_and_dextrose_less_than_muscle(found):
    near, _, heat = found
    assert near.any()
    assert (heat["gas"][near] < 1e-4 * heat["bare"][near]).all()
    assert (heat["water"][near] > 0.2 * heat["bare"][near]).all()
    assert heat["water"][near].mean() < 0.8 * heat["bare"][near].mean()


def test_what_lies_behind_gas_gets_more(found):
    """A wave is not damped by gas: the shield of a microwave is distance, and what its layer insulates."""
    near, beyond, heat = found
    behind = np.zeros_like(beyond)
    rows = np.argwhere(near)
    behind[:, rows[:, 1].min() : rows[:, 1].max() + 1, rows[:, 2].min() : rows[:, 2].max() + 1] = True
    behind &= beyond
    means = {name: float(values[behind].mean()) for name, values in heat.items()}
    assert means["gas"] > means["water"] > means["bare"] > 0


def test_the_power_stays_what_it_was(found):
    *_, heat = found
    totals = [float(values.sum(dtype=float)) for values in heat.values()]
    assert totals == pytest.approx([totals[0]] * 3, rel=1e-4)
