"""Case A3 with the rules' own option: a bipolar probe in L3, planned and then played within the limits of heat."""

from dataclasses import replace

import numpy as np
import pytest

from trocar import phantoms, workflow
from trocar.assessment.assess import assess
from trocar.model.finding import Verdict
from trocar.model.treatment import Technique
from trocar.proposal.propose import propose
from trocar.simulation.simulate import simulate

AS_PLANNED_FRAC = 0.12  # share of the lesion: a lattice of 2 mm against itself in a larger box


@pytest.fixture(scope="module")
def case():
    made = phantoms.vertebra(spacing_mm=(2.5, 2.5, 2.5))
    agreed = replace(made.clinical.decision, surgical_opinion="percutaneous_agreed")
    return replace(made, clinical=replace(made.clinical, decision=agreed))


@pytest.fixture(scope="module")
def made(case):
    option = propose(case, assess(case))[0]
    kept = tuple(step for step in option.sequence if step.step == "ABLATE")
    return workflow.plan(case, replace(option, sequence=kept))


@pytest.fixture(scope="module")
def step(made):
    (found,) = made.of(Technique.RADIOFREQUENCY)
    return found


@pytest.fixture(scope="module")
def simulation(case, made):
    return simulate(case, made, spacing_mm=2.0)


def check(checks, name):
    return next(found for found in checks if found.name == name)


# shows: R32, R42
def test_the_probe_lies_in_the_lesion_and_its_setting_says_how_sure_it_is(case, step):
    points = case.grid.to_lps(np.argwhere(case.structure("lesion_1").inside))
    for placement in step.placements:
        assert placement.device == "rf-bipolar-generic-20mm"
        assert np.linalg.norm(points - placement.target_lps_mm, axis=1).min() < 6.5
    assert check(step.checks, "heating_setting_sure").verdict is Verdict.WARN
    assert not [found for found in step.checks if found.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]


def test_what_was_planned_is_what_is_simulated(step, simulation):
    assert not [found for found in simulation.checks if found.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]
    last = simulation.states[-1]
    both = min(last.zones[zone].coverage_frac.lesion for zone in ("omega_1", "cem43_240"))
    assert both == pytest.approx(check(step.checks, "coverage_planned_coagulated").value, abs=AS_PLANNED_FRAC)
    assert both > 0.7
    nerves = [found for found in last.structures if found.role in ("nerve", "cord")]
    assert len(nerves) > 5 and max(found.maximum_degC for found in nerves) < 42.0
    assert max(found.maximum_degC for found in last.structures if found.role == "organ") < 45.0


def test_the_console_reaches_and_keeps_its_temperature(step, simulation):
    heat = step.protocol[0]
    for trace in simulation.traces:
        settled = np.array(trace.temperature_degC)[np.array(trace.time_s) > 0.5 * heat.duration_s]
        assert settled == pytest.approx(heat.setting, abs=2.5)
        assert trace.phase[-1] in ("dwell", "done") and max(trace.power_W) <= 20.0
