"""Case A2 all the way: the tutorial, the demo, an S1 root that stays warm, and what is left of the tumor named."""

import json
from dataclasses import replace

import pytest

from trocar.catalog import limit
from trocar.io.dossier import Dossier
from trocar.model.finding import Verdict
from trocar.model.treatment import Technique
from trocar.simulation.simulate import simulate

from . import sampler
from .conftest import COARSE_MM, DEMO_MM, ENTRIES, assert_all_the_way

TUTORIAL = "sacrum"
ROOT = "nerve_root_s1_left"


@pytest.fixture(scope="module")
def demo(trocar_command, tmp_path_factory):
    """The folder of `trocar demo sacrum` and what the command printed as JSON."""
    place = tmp_path_factory.mktemp("demo")
    options = ("--voxel-mm", DEMO_MM, "--spacing-mm", COARSE_MM, "--no-open", "--json")
    done = trocar_command("demo", "sacrum", *options, check=0, cwd=place)
    assert done.stderr == ""
    return place / "demo/sacrum", json.loads(done.stdout)


@pytest.fixture(scope="module")
def planned(demo):
    """The demo's case, and its plan up to the freeze."""
    dossier = Dossier.open(demo[0])
    plan = dossier.read("plan")
    (freezing,) = plan.of(Technique.CRYOABLATION)
    return dossier.read("case"), replace(plan, steps=plan.steps[: plan.steps.index(freezing) + 1])


def test_the_tutorial_runs_and_its_numbers_hold(tutorial):
    assert tutorial.assertions >= 3


def test_the_demo_goes_all_the_way_and_is_not_overwritten(demo, trocar_command):
    folder, printed = demo
    assert [entry["name"] for entry in printed["status"]["entries"] if entry["state"] == "fresh"] == list(ENTRIES)
    assert_all_the_way(Dossier.open(folder))
    again = trocar_command("demo", "sacrum", "--no-open", cwd=folder.parent.parent)
    assert again.returncode == 2 and "--force" in again.stderr


def test_no_point_of_an_instrument_breaks_a_hard_constraint(demo):
    dossier = Dossier.open(demo[0])
    plan = dossier.read("plan")
    assert sampler.roles(plan) >= {"probe", "biopsy", "screw", "wire"}
    assert sampler.violations(dossier.read("case"), plan) == []


@pytest.mark.slow
def test_no_nerve_of_case_a2_gets_colder_than_its_limit_when_simulated(planned):
    simulation = simulate(*planned, spacing_mm=DEMO_MM)
    nerves = {each.name: each.minimum_degC for each in simulation.states[-1].structures if each.role == "nerve"}
    assert ROOT in nerves
    assert min(nerves.values()) >= limit("nerve_min_degC").value


def test_the_part_of_case_a2_that_stays_uncovered_is_named(planned):
    step = planned[1].steps[-1]
    (left,) = [note.en for note in step.notes if note.en.startswith("Left outside")]
    assert "left S1 root" in left and "ml" in left
    coverage = [check for check in step.checks if check.name == "coverage_planned_-20_degC"]
    assert [check.verdict for check in coverage] == [Verdict.WARN]
    assert any("Partial coverage by choice" in note.en for note in step.notes)
