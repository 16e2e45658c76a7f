"""A shield as a step of the treatment: later steps see it, physics decides what it is worth, a bad one is refused."""

from dataclasses import replace

import numpy as np
import pytest
from slab import ANY_DURATION, cement, cryoablation, planned, probe, synthetic_case

from trocar.errors import CaseError
from trocar.materials import REST_DEGC
from trocar.materials.layers import layer_cells
from trocar.materials.native import native_tissue
from trocar.model.finding import Verdict
from trocar.model.shield import UNSHIELDED, Layer, Shield
from trocar.model.space import Grid
from trocar.model.treatment import Step, Technique
from trocar.simulation.resume import last_state
from trocar.simulation.simulate import simulate

NERVE = "sciatic_nerve_left"
COARSE_MM = 3.0
FREEZING = cryoablation(probe(54.0))


@pytest.fixture(scope="module")
def case():
    return synthetic_case()


def protection(*layers, skin_W_per_m2K=None):
    return Step(
        id="protection-1", technique=Technique.PROTECTION, action="PROTECT", lesion="lesion_1",
        duration_min=ANY_DURATION, shield=Shield(layers=layers, skin_W_per_m2K=skin_W_per_m2K),
    )  # fmt: skip


def water(**how):
    return Layer(structure=NERVE, fluid="water", thickness_mm=6.0, **how)


def coldest(simulation):
    return next(e.minimum_degC for e in simulation.states[-1].structures if e.name == NERVE)


@pytest.fixture(scope="module")
def nerve_degC(case):
    """The nerve's lowest temperature by how it is protected."""
    ways = {
        "none": (),
        "bolus": (protection(water()),),
        "cold bolus": (protection(water(temperature_degC=20.0)),),
        "flowing": (protection(water(flowing=True)),),
        "gas": (protection(Layer(structure=NERVE, fluid="gas", thickness_mm=6.0)),),
    }
    return {
        name: coldest(simulate(case, planned(*steps, FREEZING), spacing_mm=COARSE_MM)) for name, steps in ways.items()
    }


def test_each_way_keeps_the_nerve_warmer_flowing_most_and_a_cold_bolus_least(nerve_degC):
    assert nerve_degC["none"] < nerve_degC["cold bolus"] < nerve_degC["bolus"] < nerve_degC["flowing"]
    assert nerve_degC["none"] < nerve_degC["gas"]
    assert nerve_degC["flowing"] > REST_DEGC - 3.0  # as warm as what flows around it


def volume(case, layer, *later):
    done = simulate(case, planned(protection(layer), *later), spacing_mm=COARSE_MM)
    assert "layer_even_around_its_structure" in done.caveats
    (check,) = [c for c in done.checks if c.name == "protection_layer_volume"]
    return check


def test_the_volume_is_a_sleeve(case):
    check = volume(case, water(), cement())  # whose room reaches the nerve
    sleeve_ml = np.pi * ((2.0 + 6.0) ** 2 - 2.0**2) * 40.0 / 1000  # some 40 mm of the nerve lie in the box
    assert check.verdict is Verdict.PASS and 0.4 * sleeve_ml < check.value < 1.6 * sleeve_ml


def test_a_layer_without_room_fails_and_one_beyond_the_box_is_unknown(case):
    bone, *others = case.structures
    walled = replace(case, structures=(replace(bone, inside=np.ones_like(bone.inside)), *others))
    none = volume(walled, water(), cement())
    assert none.verdict is Verdict.FAIL and none.value == 0.0
    assert volume(case, water()).verdict is Verdict.UNKNOWN  # the lesion's box alone


def test_a_layer_leaves_bone_lesion_and_the_needle_alone(case):
    grid = Grid.aligned(origin_lps_mm=(20.0,) * 3, spacing_mm=(2.0,) * 3, shape=(30, 30, 30))
    native = native_tissue(case, grid)
    free, clear = (layer_cells(case, grid, native, water(clear_of=lines)) for lines in ((), (probe(60.0).axis,)))
    assert not (free & (native.bone | native.lesion)).any()
    assert clear.sum() < free.sum() and not (clear & ~free).any()
    distance_mm = probe(60.0).axis.distance_mm(grid.to_lps(np.argwhere(clear)))
    assert distance_mm.min() > 2.0


def test_going_on_from_a_shielded_state_is_going_through(case):
    plan = planned(protection(water(flowing=True)), FREEZING)
    through = simulate(case, plan, spacing_mm=COARSE_MM)
    grid = through.fields["state/temperature_degC"].grid
    first = simulate(case, replace(plan, steps=plan.steps[:1]), spacing_mm=COARSE_MM)
    start = last_state(case, replace(plan, steps=plan.steps[:1]), first)
    assert start.shield.layers[0].structure == NERVE and start.shield.layers[0].flowing
    again = last_state(case, plan, through)
    assert again.shield.layers[0].clear_of and again.grid == grid
    assert again.shield != UNSHIELDED


@pytest.mark.parametrize(
    "layer",
    [
        Layer(structure="nobody", fluid="water", thickness_mm=5.0),
        Layer(structure=NERVE, fluid="honey", thickness_mm=5.0),
        Layer(structure=NERVE, fluid="water", thickness_mm=0.0),
        Layer(structure=NERVE, fluid="water", thickness_mm=5.0, temperature_degC=90.0),
    ],
)
def test_a_layer_that_cannot_be_is_refused(case, layer):
    with pytest.raises(CaseError):
        simulate(case, planned(protection(layer)), spacing_mm=COARSE_MM)


def test_a_later_layer_takes_the_place_of_one_at_the_same_structure():
    first, second = Shield(layers=(water(),)), Shield(layers=(water(flowing=True),), skin_W_per_m2K=300.0)
    both = first.with_more(second)
    assert both == second and second.with_more(Shield()) == second
