"""Case A2: the S1 root stays warm in a simulation of the plan, and what is left of the tumor is named."""

import pytest

from trocar import phantoms
from trocar.catalog import limit
from trocar.model.finding import Verdict
from trocar.model.treatment import Proposal, ProposalVerdict, SequenceStep, Technique, Text
from trocar.simulation.simulate import simulate
from trocar.workflow import plan

VOXEL_MM = 2.0
ROOT = "nerve_root_s1_left"
ORDER = (
    ("embolization-1", "EMBOLISE", Technique.EMBOLIZATION),
    ("cryoablation-1", "ABLATE", Technique.CRYOABLATION),
)


@pytest.fixture(scope="module")
def sacrum():
    return phantoms.sacrum(spacing_mm=(VOXEL_MM, VOXEL_MM, VOXEL_MM))


@pytest.fixture(scope="module")
def protected(sacrum):
    steps = [SequenceStep(id=name, step=step, technique=technique) for name, step, technique in ORDER]
    return plan(
        sacrum,
        Proposal(
            rank=1,
            lesion="lesion_1",
            verdict=ProposalVerdict.DISCUSS,
            intent="protected",
            summary=Text(en="freeze beside the root", fr="congeler près de la racine"),
            sequence=tuple(steps),
        ),
    )


@pytest.mark.slow
def test_no_nerve_of_case_a2_gets_colder_than_its_limit_when_simulated(sacrum, protected):
    simulation = simulate(sacrum, protected, spacing_mm=VOXEL_MM)
    nerves = {each.name: each.minimum_degC for each in simulation.states[-1].structures if each.role == "nerve"}
    assert ROOT in nerves
    assert min(nerves.values()) >= limit("nerve_min_degC").value


@pytest.mark.slow
def test_the_part_of_case_a2_that_stays_uncovered_is_named(protected):
    step = protected.step("cryoablation-1")
    (left,) = [note.en for note in step.notes if note.en.startswith("Left outside")]
    assert "nerve root s1 left" in left and "ml" in left
    coverage = [check for check in step.checks if check.name == "coverage_planned_-20_degC"]
    assert [check.verdict for check in coverage] == [Verdict.WARN]
    assert any("Partial coverage by choice" in note.en for note in step.notes)
