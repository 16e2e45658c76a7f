"""Predictions of many steps at a time are those of each alone; changes of the tissue do what physics says."""

import gc
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
from slab import cryoablation, synthetic_case

from trocar.errors import CaseError
from trocar.model.forecast import TissueChange
from trocar.model.shield import Layer, Shield
from trocar.model.treatment import ProtocolPhase
from trocar.simulation.domain import shared_grid
from trocar.simulation.preview import predict

NERVE = "sciatic_nerve_left"


@pytest.fixture(scope="module")
def case():
    return synthetic_case()


def coldest(case, step, change):
    (forecast,) = predict(case, (step,), spacing_mm=3.0, changes=(change,))
    return forecast


def test_steps_predicted_together_are_as_predicted_alone(case):
    step = cryoablation()
    weak = replace(
        step, protocol=tuple(replace(p, setting=0.5 if p.phase == "freeze" else None) for p in step.protocol)
    )
    together = predict(case, (step, weak), spacing_mm=3.0)
    for each, forecast in zip((step, weak), together, strict=True):
        (alone,) = predict(case, (each,), spacing_mm=3.0)
        assert np.array_equal(alone.minimum_degC.values, forecast.minimum_degC.values)
        assert alone.exposures == forecast.exposures
    assert together[1].minimum_degC.values.min() > together[0].minimum_degC.values.min()


def test_few_cases_outlive_their_use():
    """A study looks at hundreds: a box keeps none of them alive, a prediction those of its last four scenes at most."""
    boxed, predicted = [], []
    for _ in range(7):
        made = synthetic_case()
        shared_grid(made, (cryoablation(),), 3.0)
        boxed.append(ref(made))
        made = synthetic_case()
        predict(made, (cryoablation(protocol=(ProtocolPhase(phase="freeze", duration_s=1.0),)),), spacing_mm=6.0)
        predicted.append(ref(made))
        del made
    gc.collect()
    assert not any(case() for case in boxed)
    assert sum(case() is not None for case in predicted) <= 4


def test_a_change_of_nothing_changes_nothing_and_more_blood_warms(case):
    step = cryoablation()
    (plain,) = predict(case, (step,), spacing_mm=3.0)
    assert np.array_equal(plain.minimum_degC.values, coldest(case, step, TissueChange()).minimum_degC.values)
    bloody = coldest(case, step, TissueChange(blood_scale=3.0))
    assert (bloody.minimum_degC.values < 0).sum() < (plain.minimum_degC.values < 0).sum()


def test_gas_around_a_nerve_keeps_it_warmer_and_takes_the_volume_of_a_sleeve(case):
    step = cryoablation()
    (plain,) = predict(case, (step,), spacing_mm=3.0)
    layers = [Layer(structure=NERVE, fluid="gas", thickness_mm=mm) for mm in (5.0, 10.0)]
    thin, thick = (coldest(case, step, TissueChange(shield=Shield(layers=(layer,)))) for layer in layers)
    assert plain.exposures[NERVE] < thin.exposures[NERVE]
    assert 2.0 < thick.volumes_ml[NERVE] / thin.volumes_ml[NERVE] < 5.0  # a sleeve of 5 and of 10 mm around a thin tube


@pytest.mark.parametrize(
    "changes",
    [
        (TissueChange(), TissueChange()),
        (TissueChange(shield=Shield(layers=(Layer(structure=NERVE, fluid="honey", thickness_mm=5.0),))),),
    ],
)
def test_changes_that_make_no_sense_are_refused(case, changes):
    with pytest.raises(CaseError):
        predict(case, (cryoablation(),), spacing_mm=3.0, changes=changes)


def test_no_steps_have_no_forecasts(case):
    assert predict(case, (), spacing_mm=3.0) == ()
