"""What a plan says of the embolic that it is drawn up with, and of nerves that nobody drew."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.model.case import Role, Side, Structure
from trocar.model.finding import Verdict
from trocar.model.treatment import AgentChoice, Proposal, ProposalVerdict, Reason, Text
from trocar.planning.notices import agent_check
from trocar.planning.plan import plan

STOP = Reason(rule="EM1", strength="STOP", grade="D", text=Text(en="a", fr="b"), source="R-h")
PROPOSAL = Proposal(rank=1, lesion="lesion_1", verdict=ProposalVerdict.DISCUSS, summary=Text(en="a", fr="b"))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("allowed", Verdict.PASS), ("to_confirm", Verdict.UNKNOWN), ("refused", Verdict.FAIL)],
)
def test_a_refused_agent_fails_and_an_unconfirmed_one_is_unknown(status, verdict):
    choice = AgentChoice(device="microspheres-300-500", status=status, reasons=(STOP,) if status == "refused" else ())
    found = agent_check(replace(PROPOSAL, agents=(choice,)), "microspheres-300-500")
    assert found.verdict is verdict
    assert ("EM1" in found.message) == (status == "refused")


def test_an_agent_that_nobody_judged_is_unknown():
    assert agent_check(PROPOSAL, "microspheres-300-500").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("side", "empty", "known"),
    [(Side.RIGHT, False, False), (Side.LEFT, True, False), (Side.LEFT, False, True), (None, False, True)],
)
def test_another_nerve_does_not_stand_for_those_that_nobody_drew(
    no_nerve_no_vessel, protected_proposal, side, empty, known
):
    """Far from the lesion lies the other side's nerve, an empty mask, or one of its own side."""
    case = no_nerve_no_vessel
    inside = np.zeros(case.grid.shape, dtype=bool)
    inside[40, 45] = not empty
    nerve = Structure(name="nerve", role=Role.NERVE, inside=inside, side=side)
    case = replace(case, structures=(*case.structures, nerve))
    steps = tuple(
        replace(item, after=()) for item in protected_proposal.sequence if item.id in ("protection-1", "biopsy-1")
    )
    made = plan(case, replace(protected_proposal, sequence=steps))
    (to_protect,) = (check for check in made.all_checks() if check.name == "nerve_to_protect")
    unknown = [c for c in made.all_checks() if c.name == "nerve_clearance" and c.verdict is Verdict.UNKNOWN]
    assert (to_protect.verdict is Verdict.PASS) is known and bool(unknown) is not known
