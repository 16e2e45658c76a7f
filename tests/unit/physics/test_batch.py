"""Many plans at a time are the same plans."""

import numpy as np
import pytest
from test_nesting import COLD, SHAPE, needles, textured

from trocar.errors import SolverError
from trocar.physics.batch import Job, play_many
from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.source import Ramp


def coldest(solver):
    return solver.damage.minimum_degC.reshape(SHAPE).copy()


def test_a_batch_finds_what_each_plan_finds_alone():
    prepared = Prepared.of(textured())
    both, one = needles(), needles()[:1]
    phases = ((60.0, (COLD, COLD)), (30.0, (None, COLD)))
    found = play_many(
        prepared, [Job(lines=both, phases=phases), Job(lines=one, phases=((60.0, (COLD,)),))] * 2, coldest
    )
    alone = HeatSolver(textured(), both)
    for duration_s, drives in phases:
        alone.advance(duration_s, drives)
    assert np.array_equal(found[0], coldest(alone))
    assert np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[3])
    assert found[1].min() > found[0].min() - 5.0 and (found[1] < 0).sum() < (found[0] < 0).sum()


def test_what_a_plan_of_a_batch_raises_is_raised():
    beyond = Job(lines=tuple(needles()), phases=((10.0, (COLD,)),))
    with pytest.raises(SolverError, match="1 drives for 2 needles"):
        play_many(Prepared.of(textured()), [beyond], coldest)


@pytest.mark.parametrize("bad", [{"duty": 1.5}, {"end_degC": np.nan}, {"time_s": -1.0}, {"power_limit_W": 0.0}])
def test_a_drive_that_makes_no_sense_is_refused(bad):
    with pytest.raises(SolverError):
        Ramp(**({"start_degC": 37.0, "end_degC": -140.0} | bad))
