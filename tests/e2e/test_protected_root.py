"""Case A2: the S1 root stays warm in a simulation of the plan, and what is left of the tumor is named."""

from dataclasses import replace

import pytest

from trocar.catalog import limit
from trocar.io.dossier import Dossier
from trocar.model.finding import Verdict
from trocar.model.treatment import Technique
from trocar.simulation.simulate import simulate

from .conftest import DEMO_MM

ROOT = "nerve_root_s1_left"
pytestmark = pytest.mark.xdist_group("sacrum")


@pytest.fixture(scope="module")
def planned(sacrum_demo):
    """The demo's case, and its plan up to the freeze."""
    dossier = Dossier.open(sacrum_demo[0])
    plan = dossier.read("plan")
    (freezing,) = plan.of(Technique.CRYOABLATION)
    return dossier.read("case"), replace(plan, steps=plan.steps[: plan.steps.index(freezing) + 1])


@pytest.mark.slow
def test_no_nerve_of_case_a2_gets_colder_than_its_limit_when_simulated(planned):
    simulation = simulate(*planned, spacing_mm=DEMO_MM)
    nerves = {each.name: each.minimum_degC for each in simulation.states[-1].structures if each.role == "nerve"}
    assert ROOT in nerves
    assert min(nerves.values()) >= limit("nerve_min_degC").value


def test_the_part_of_case_a2_that_stays_uncovered_is_named(planned):
    step = planned[1].steps[-1]
    (left,) = [note.en for note in step.notes if note.en.startswith("Left outside")]
    assert "nerve root s1 left" in left and "ml" in left
    coverage = [check for check in step.checks if check.name == "coverage_planned_-20_degC"]
    assert [check.verdict for check in coverage] == [Verdict.WARN]
    assert any("Partial coverage by choice" in note.en for note in step.notes)
