"""A run makes what is missing or stale, in order, and nothing else; refusals end in a report that says so.

The stages are replaced by small ones that answer with hand-made nouns, so that only the order is tested here.
"""

import itertools
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.dossier import samples

from trocar import workflow
from trocar.errors import CaseError, InputError, PlanningError, SolverError
from trocar.io.dossier import Dossier, State
from trocar.model.edits import Edits
from trocar.model.treatment import GateOutcome, ProposalVerdict
from trocar.workflow import placing

BEFORE_CONTROL = ("assessment", "proposals", "plan", "simulation", "report")


class Stages:
    """Fake stages that record their calls."""

    def __init__(self, monkeypatch):
        self.calls = []
        self.proposals = (samples.proposal(), samples.proposal(2))
        self.refuse = None
        self.waits_s = {}
        self.as_placed = samples.plan()
        self.counter = itertools.count()
        for module, name in {
            "assessment.assess": "assess",
            "proposal.propose": "propose",
            "planning.plan": "plan",
            "simulation.simulate": "simulate",
            "simulation.preview": "predict",
            "simulation.heatpreview": "predict_heat",
            "assessment.strength": "strength",
            "verification.verify": "verify",
            "reporting.report": "report",
        }.items():
            fake = types.ModuleType(f"trocar.{module}")
            setattr(fake, name, getattr(self, name))
            if name == "simulate":
                fake.thaw_waits_s = lambda case, plan: self.waits_s
            monkeypatch.setitem(sys.modules, f"trocar.{module}", fake)

    def called(self):
        calls, self.calls = self.calls, []
        return calls

    def assess(self, case):
        self.calls.append("assess")
        return samples.assessment()

    def propose(self, case, assessment):
        self.calls.append("propose")
        return self.proposals

    def plan(self, case, proposal, *, predictor, seed, on_progress, **how):
        assert set(how) == {"heat_predictor", "effort", "guidance", "samples"}
        self.calls.append(("plan", proposal.rank, seed, predictor))
        if self.refuse:
            raise self.refuse
        return samples.plan(alternatives=(samples.TEXT,) * (proposal.rank + seed))

    def strength(self, case, plan, **how):
        self.calls.append(("strength", how["spacing_mm"]))
        return samples.strength()

    def predict(self):
        raise AssertionError("only handed on")

    predict_heat = predict

    def simulate(self, case, plan, *, spacing_mm, on_progress):
        self.calls.append(("simulate", spacing_mm))
        return samples.simulation(int(spacing_mm * 10))

    def verify(self, case, plan, control, *, simulation, on_progress):
        self.calls.append(("verify", simulation is not None))
        return replace(samples.verification(), as_placed=self.as_placed)

    def report(self, case, *findings, source_digests):
        self.calls.append(("report", [type(finding).__name__ for finding in findings]))
        return types.SimpleNamespace(html=f"<p>{sorted(source_digests.items())}")


@pytest.fixture
def stages(monkeypatch):
    return Stages(monkeypatch)


@pytest.fixture
def dossier(tmp_path):
    return Dossier.create(tmp_path / "d", samples.case())


def test_a_run_makes_every_stage_once_and_then_nothing(dossier, stages):
    assert workflow.run(dossier).made == BEFORE_CONTROL
    assert [call if isinstance(call, str) else call[0] for call in stages.called()] == [
        "assess", "propose", "plan", "simulate", "report",
    ]  # fmt: skip
    assert workflow.run(dossier).made == ()
    assert stages.called() == []


def test_a_plan_waits_for_warm_tissue_before_its_cement(dossier, stages):
    workflow.run(dossier, until="plan")
    before = dossier.read("plan").steps
    last = before[-1]
    stages.waits_s = {last.id: 1200.0}
    workflow.run(dossier, until="plan", again=True)
    *others, delayed = dossier.read("plan").steps
    assert others == list(before[:-1])
    wait, *rest = delayed.protocol
    assert wait.phase == "wait" and wait.duration_s >= 1200.0 and rest == list(last.protocol)
    assert delayed.duration_min.typical == pytest.approx(last.duration_min.typical + wait.duration_s / 60)
    assert len(delayed.notes) == len(last.notes) + 1


def test_an_edited_plan_waits_as_long_as_its_own_ice_asks_for(stages, monkeypatch):
    """Edits may let more ice grow or less: the wait planned before gives way to a new one."""
    plan = samples.plan()
    last, standing = plan.steps[-1], types.ModuleType("trocar.planning.editing")
    standing.Editor = types.SimpleNamespace(
        of=lambda case, plan, guidance: types.SimpleNamespace(
            replanned=lambda edits, **how: types.SimpleNamespace(plan=plan)
        )
    )
    monkeypatch.setitem(sys.modules, "trocar.planning.editing", standing)

    def edited(plan, waits_s):
        stages.waits_s = waits_s
        return placing.edit(samples.case(), plan, Edits(), proposal=samples.proposal())

    long = edited(plan, {last.id: 1200.0})
    short = edited(long, {last.id: 300.0})
    first, *rest = short.steps[-1].protocol
    assert first.phase == "wait" and first.duration_s == 300.0 + placing.THAW_MARGIN_S and rest == list(last.protocol)
    assert short.steps[-1].duration_min.typical == pytest.approx(last.duration_min.typical + first.duration_s / 60)
    assert len(short.steps[-1].notes) == len(last.notes) + 1 and "15 more minutes" in short.steps[-1].notes[-1].en
    assert edited(short, {}) == plan


def test_planning_is_handed_the_simulation_s_predictor(dossier, stages):
    workflow.run(dossier, until="plan")
    assert stages.called()[-1] == ("plan", 1, 0, stages.predict)


def test_a_control_adds_verification_the_treatment_as_done_and_a_new_report(dossier, stages):
    workflow.run(dossier, spacing_mm=2.0)
    dossier.write("control", samples.case(3))
    stages.called()
    assert workflow.run(dossier).made == ("verification", "as_done", "report")
    calls = stages.called()
    assert calls[:2] == [("verify", True), ("simulate", 2.0)]
    assert "Verification" in calls[2][1]


def test_without_any_instrument_found_there_is_no_treatment_as_done(dossier, stages):
    stages.as_placed = None
    workflow.run(dossier)
    dossier.write("control", samples.case(3))
    assert workflow.run(dossier).made == ("verification", "report")


def test_a_stage_command_makes_what_it_needs_and_itself_again(dossier, stages):
    assert workflow.run(dossier, until="plan", again=True).made == ("assessment", "proposals", "plan")
    assert workflow.run(dossier, until="plan", again=True).made == ("plan",)


def test_changed_settings_make_again_and_are_kept(dossier, stages):
    workflow.run(dossier)
    assert workflow.run(dossier, spacing_mm=1.0).made == ()
    assert workflow.run(dossier, spacing_mm=3.0).made == ("simulation", "report")
    assert workflow.run(dossier, proposal=2).made == ("plan", "simulation", "report")
    assert [call for call in stages.called() if call[0] == "simulate"][-1] == ("simulate", 3.0)
    assert workflow.run(dossier).made == ()
    assert dossier.settings("plan") == {
        "proposal": 2,
        "seed": 0,
        "full_search": 0,
        "samples": 0,
        "guidance": "",
        "placement_error_mm": 0.0,
    }


def test_a_changed_proposal_makes_all_after_it_again(dossier, stages):
    workflow.run(dossier)
    dossier.write("proposals", (samples.proposal(2),))
    assert workflow.run(dossier).made == ("plan", "simulation", "report")


def test_an_option_that_does_not_exist_is_an_input_error(dossier, stages):
    with pytest.raises(InputError, match="no option 3"):
        workflow.run(dossier, proposal=3)


@pytest.mark.parametrize("verdict", [ProposalVerdict.STOP, ProposalVerdict.REFER, ProposalVerdict.NONE])
def test_an_option_that_advises_against_treating_is_not_planned_but_reported(dossier, stages, verdict):
    stages.proposals = (samples.proposal(verdict=verdict),)
    outcome = workflow.run(dossier)
    assert isinstance(outcome.refusal, PlanningError) and verdict.value in str(outcome.refusal)
    assert outcome.made == ("assessment", "proposals", "report")
    assert stages.called()[-1] == ("report", ["Assessment", "Proposal"])
    assert workflow.run(dossier).refusal is not None
    with pytest.raises(PlanningError):
        workflow.run(dossier, until="plan")


def test_a_plan_that_fails_now_leaves_no_old_plan_in_the_report(dossier, stages):
    workflow.run(dossier)
    stages.proposals = (samples.proposal(2),)
    workflow.run(dossier, until="proposals", again=True)
    stages.refuse = PlanningError("no corridor", hint="")
    stages.called()
    outcome = workflow.run(dossier)
    assert outcome.made == ("report",) and outcome.refusal is stages.refuse
    assert stages.called()[-1] == ("report", ["Assessment", "Proposal"])
    assert dossier.state_of("plan").state is State.STALE


@pytest.mark.parametrize(
    ("outcome", "verdict"), [("missing", ProposalVerdict.MISSING), ("hold", ProposalVerdict.DISCUSS)]
)
def test_missing_information_gives_a_draft_that_cannot_be_approved(dossier, stages, outcome, verdict):
    gate = GateOutcome(rule="G7", outcome=outcome, message=samples.TEXT, source="V26")
    stages.proposals = (replace(samples.proposal(verdict=verdict), gates=(gate,)),)
    assert workflow.run(dossier).refusal is None
    assert dossier.read("plan").blocked_by == ("G7",)
    with pytest.raises(PlanningError, match="G7"):
        dossier.approve("Dr. A")


def test_an_error_ends_the_run_and_keeps_what_is_finished(dossier, stages, monkeypatch):
    def fail(*_, **__):
        raise SolverError("diverged")

    monkeypatch.setattr(sys.modules["trocar.simulation.simulate"], "simulate", fail)
    with pytest.raises(SolverError):
        workflow.run(dossier)
    again = Dossier.open(dossier.folder)
    again.verify()
    assert [name for name in BEFORE_CONTROL if again.is_fresh(name)] == ["assessment", "proposals", "plan"]


def test_a_case_without_a_lesion_is_refused(tmp_path, stages):
    case = samples.case()
    dossier = Dossier.create(tmp_path / "d", replace(case, structures=case.structures[:1]))
    with pytest.raises(CaseError, match="no lesion"):
        workflow.run(dossier)


def test_strength_is_made_when_asked_for_and_kept_fresh_from_then_on(dossier, stages):
    workflow.run(dossier)
    assert "strength" not in dossier
    stages.called()
    workflow.run(dossier, until="strength", strength_spacing_mm=3.0)
    assert stages.called() == [("strength", 3.0)]
    assert dossier.state_of("report").state is State.STALE or not dossier.is_fresh("report")
    workflow.run(dossier, proposal=2)
    assert ("strength", 3.0) in stages.called() and dossier.is_fresh("strength")


def test_verification_needs_a_control(dossier, stages):
    with pytest.raises(InputError, match="control"):
        workflow.run(dossier, until="verification")


def test_progress_rises_from_0_to_nearly_1(dossier, stages):
    told = []
    workflow.run(dossier, on_progress=lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[0] == 0 and 0.7 < fractions[-1] <= 1
    assert [text for _, text in told] == list(BEFORE_CONTROL)


def test_resuming_gives_the_same_bytes_as_one_run(tmp_path, stages):
    whole = Dossier.create(tmp_path / "whole", samples.case())
    workflow.run(whole)
    Dossier.create(tmp_path / "parts", samples.case())
    for entry in BEFORE_CONTROL:
        workflow.run(Dossier.open(tmp_path / "parts"), until=entry)
    parts = Dossier.open(tmp_path / "parts")
    assert {name: whole.digest(name) for name in BEFORE_CONTROL} == {n: parts.digest(n) for n in BEFORE_CONTROL}


def test_the_dossier_is_locked_during_a_run(dossier, stages, monkeypatch):
    other = Dossier.open(dossier.folder)

    def assess(case):
        with pytest.raises(Exception, match="another trocar"):
            workflow.run(other)
        return samples.assessment()

    monkeypatch.setattr(sys.modules["trocar.assessment.assess"], "assess", assess)
    assert np.array_equal(workflow.run(dossier, until="assessment").made, ["assessment"])
