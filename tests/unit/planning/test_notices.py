"""What a plan says of the embolic that it is drawn up with."""

from dataclasses import replace

import pytest

from trocar.model.finding import Verdict
from trocar.model.treatment import AgentChoice, Proposal, ProposalVerdict, Reason, Text
from trocar.planning.notices import agent_check

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
