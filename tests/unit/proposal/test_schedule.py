"""The session on the clock: order, resources, the cement's window, and what it says when a constraint is violated."""

from dataclasses import replace
from itertools import combinations

import proposal_cases as cases
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trocar.catalog import device
from trocar.catalog.read import CATALOG
from trocar.catalog.ruleset import ruleset
from trocar.catalog.timing import controls, read_timings, timings
from trocar.errors import CatalogError
from trocar.model.finding import Verdict
from trocar.model.schedule import SIMULATED
from trocar.model.treatment import (
    Duration,
    Placement,
    Plan,
    Proposal,
    ProposalVerdict,
    ProtocolPhase,
    Step,
    Technique,
    Text,
)
from trocar.proposal.cementclock import setting_time_s, working_times_s
from trocar.proposal.inputs import inputs_of
from trocar.proposal.lesions import lesion_order
from trocar.proposal.rules import MODALITIES
from trocar.proposal.schedule import schedule
from trocar.proposal.sequence import sequence

RULES = ruleset()
CEMENT = device("cement-pmma-generic")
CASES = ("low", "typical", "high")
A1, A2 = cases.a1().proposals()[0], cases.a2().proposals()[0]


def check(found, name, subject=None):
    return next(item for item in found.checks if item.name == name and subject in (None, item.subject))


def drafted(techniques, variant, screws):
    inputs = inputs_of(cases.a2().case(), cases.a2().assessment(), "lesion_1")
    inputs = {**inputs, "session": techniques, "high_bleeding_risk": True}
    ordered = sequence(RULES, inputs, techniques, variant=variant, screws=screws)
    return Proposal(
        rank=1,
        lesion="lesion_1",
        verdict=ProposalVerdict.DISCUSS,
        variant=variant,
        summary=Text(en="a", fr="b"),
        sequence=ordered.steps,
        yielded=ordered.broken,
    )


sessions = st.builds(
    drafted,
    st.builds(
        lambda others, modality: tuple(t for t in Technique if t in others or t is modality),
        st.sets(st.sampled_from(sorted(set(Technique) - set(MODALITIES)))),
        st.sampled_from([None, *MODALITIES]),
    ),
    st.sampled_from(["screw_then_cement", "screw_mounted_on_cement"]),
    st.integers(1, 3),
)


@settings(max_examples=40, deadline=None)
@given(sessions, st.floats(15.0, 30.0))
def test_steps_follow_their_predecessors_and_no_resource_is_held_twice(proposal, room_degC):
    found = schedule(proposal, room_degC=room_degC)
    times = {step.id: step for step in found.steps}
    for step in found.steps:
        assert step.start_min.low <= step.start_min.typical <= step.start_min.high
        assert all(getattr(step.start_min, case) <= getattr(step.end_min, case) for case in CASES)
        item = next(item for item in proposal.sequence if item.id == step.id)
        for earlier in (times[name] for name in item.after if name in times):
            assert all(getattr(earlier.end_min, case) <= getattr(step.start_min, case) for case in CASES)
    for one, two in combinations(found.steps, 2):
        if set(one.resources) & set(two.resources):
            apart = one.end_min.typical <= two.start_min.typical or two.end_min.typical <= one.start_min.typical
            assert apart, (one.id, two.id)


# shows: R1, R15, R95
def test_A1_is_variant_A_and_A2_variant_B_in_the_articles_order():
    one, two = schedule(A1), schedule(A2)
    assert (one.sequence_variant, two.sequence_variant) == ("screw_then_cement", "screw_mounted_on_cement")

    def starts(found, *names):
        return [found.step(name).start_min.typical for name in names]

    order_a = starts(one, "biopsy-1", "cryoablation-1", "thaw-1", "screw-1", "cement-mix-1", "cement-1", "cement-set-1")
    assert order_a == sorted(order_a)
    chain = [f"{name}-{n}" for n in (1, 2) for name in ("cement", "wire", "trocar-removal", "screw", "wire-removal")]
    order_b = starts(two, "embolization-1", "access-closure-1", "position-1", "biopsy-1", "cryoablation-1", *chain)
    assert order_b == sorted(order_b)


# shows: R79
def test_injection_waits_for_the_paste_phase_of_its_own_batch():
    found = schedule(A2)
    for batch in found.batches:
        injected = found.step(batch.steps[0])
        waited_s = 60 * (injected.start_min.typical - batch.mixed_at_min.typical)
        assert waited_s >= batch.liquid_until_s - 1e-6
        assert {found.step(name).batch for name in batch.steps} == {batch.id}


# shows: R102
def test_a_second_screw_takes_a_second_mix_unless_the_window_holds_both():
    assert [batch.id for batch in schedule(A2).batches] == ["cement-mix-1", "cement-mix-2"]
    cold = schedule(A2, room_degC=8.0)  # slow cement: a window of 20 min holds both screws
    assert [batch.id for batch in cold.batches] == ["cement-mix-1"]
    assert {"screw-1", "screw-2"} <= set(cold.batches[0].steps)
    assert all(step.id != "cement-mix-2" for step in cold.steps)
    assert check(cold, "cement_clock").verdict is Verdict.PASS


# shows: R102
def test_a_warm_room_makes_the_window_too_short():
    assert check(schedule(A2), "cement_clock").verdict is Verdict.WARN  # 180 s typical of 204, 306 at most
    assert check(schedule(A2, room_degC=30.0), "cement_clock").verdict is Verdict.FAIL


def test_never_into_ice():
    assert check(schedule(A2), "cement_into_cold_tissue").verdict is Verdict.UNKNOWN
    assert check(schedule(A2, tissue_degC=5.0), "cement_into_cold_tissue").verdict is Verdict.FAIL
    assert check(schedule(A2, tissue_degC=30.0), "cement_into_cold_tissue").verdict is Verdict.PASS
    arriving = schedule(A2, cavity_degC=5.0)
    assert check(arriving, "cement_into_cold_tissue").verdict is Verdict.FAIL
    assert [batch.set_at_s for batch in arriving.batches] == [batch.set_at_s for batch in schedule(A2).batches]
    without_ice = schedule(cases.a6(opinion="declined").proposals()[0])
    assert not [item for item in without_ice.checks if item.name == "cement_into_cold_tissue"]


@pytest.mark.parametrize("proposal", [A1, A2], ids=["one mix", "two mixes"])
def test_where_the_tissue_is_unknown_the_simulated_setting_time_stands_in_as_a_prior(proposal):
    simulated = {"cement-1": 25.0, "cement-2": 29.0}
    found, without = schedule(proposal, simulated_set_min=simulated), schedule(proposal)
    ends = {step.id: step.end_min.typical for step in found.steps}
    for batch in found.batches:
        (injection,) = set(batch.steps) & set(simulated)
        counted_s = 60 * (ends[injection] + simulated[injection] - batch.mixed_at_min.typical)
        assert batch.set_at_s == pytest.approx(counted_s) and batch.set_source == SIMULATED
    last = max(ends[step] + simulated[step] for step in set(simulated) & set(ends))
    assert ends["cement-set-1"] == pytest.approx(last)
    assert found.total_min.typical > without.total_min.typical


def test_a_known_tissue_is_read_from_the_cements_table_and_a_missing_injection_stays_unknown():
    (table,) = {batch.set_at_s for batch in schedule(A2, tissue_degC=37.0).batches}
    known = schedule(A2, tissue_degC=37.0, simulated_set_min={"cement-1": 25.0, "cement-2": 29.0})
    assert {batch.set_at_s for batch in known.batches} == {table} == {660.0}
    assert all(batch.set_source.startswith("V48") for batch in known.batches)
    half = schedule(A2, simulated_set_min={"cement-1": 25.0})
    assert [batch.set_at_s is None for batch in half.batches] == [False, True]
    both = schedule(A2, room_degC=8.0, simulated_set_min={"cement-1": 25.0})  # one mix for both screws
    assert [(batch.set_at_s, batch.set_source) for batch in both.batches] == [(None, "")]


def test_the_cements_times_are_those_published_and_slow_in_the_cold():
    assert working_times_s(CEMENT, 22.0) == (306.0, 510.0)
    assert working_times_s(CEMENT, 0.0)[0] / 60 == pytest.approx(83.8, rel=0.01)  # V46, ice bath
    assert setting_time_s(CEMENT, 37.0) == 660.0
    assert setting_time_s(CEMENT, 25.0) > setting_time_s(CEMENT, 37.0)
    assert setting_time_s(CEMENT, None) is None
    unknown = replace(CEMENT, rate_frac_per_K=None)
    assert working_times_s(unknown, 22.0) == (306.0, 510.0)
    assert working_times_s(unknown, 20.0) == (None, None)


# shows: R70
def test_the_patient_is_turned_after_the_arterial_access_is_closed():
    found = schedule(A2)
    first = found.position_changes[0]
    assert found.step(first.step).step == "POSITION"
    assert found.step("access-closure-1").end_min.high <= found.step(first.step).start_min.high


# shows: R46, R91
def test_the_ice_is_looked_at_in_each_freeze():
    at = [point.at_min.typical for point in schedule(A1).controls if point.id == "C3"]
    start = schedule(A1).step("cryoablation-1").start_min.typical
    assert [round(moment - start, 6) for moment in at] == [4.0, 9.0, 21.0, 26.0]


def planned(order):
    """A plan of A1 with four probes, in this order of step ids."""
    techniques = {
        "biopsy-1": (Technique.BIOPSY, "BIOPSY"),
        "cryoablation-1": (Technique.CRYOABLATION, "ABLATE"),
        "screw-1": (Technique.SCREW, "SCREW"),
        "cement-1": (Technique.CEMENT, "CEMENT_INJECT"),
    }
    phases = [("freeze", 600.0), ("thaw_passive", 300.0), ("freeze", 600.0), ("thaw_active", 900.0)]
    probe = Placement(
        device="cryoprobe-14g-iceforce",
        role="probe",
        name="probe",
        entry_lps_mm=(0.0, 0.0, 0.0),
        target_lps_mm=(0.0, 0.0, 50.0),
        skin_lps_mm=(0.0, 0.0, 0.0),
        length_mm=50.0,
        diameter_mm=2.1,
    )
    steps = [
        Step(
            id=name,
            technique=techniques[name][0],
            action=techniques[name][1],
            lesion="lesion_1",
            duration_min=Duration(low=5, typical=8, high=13),
            placements=(probe,) * 4 if name == "cryoablation-1" else (),
            protocol=tuple(ProtocolPhase(phase=phase, duration_s=time_s) for phase, time_s in phases)
            if name == "cryoablation-1"
            else (),
            position="lateral",
        )
        for name in order
    ]
    return Plan(lesion="lesion_1", steps=tuple(steps))


GOOD = ("biopsy-1", "cryoablation-1", "screw-1", "cement-1")


def test_a_plan_tells_the_probes_the_protocol_and_the_position():
    found = schedule(A1, planned(GOOD))
    assert found.step("applicator-placement-1").duration_min.typical == pytest.approx(20.0)
    assert found.step("cryoablation-1").duration_min.typical == pytest.approx(25.0)
    assert found.step("thaw-1").duration_min.low == pytest.approx(15.0)
    assert found.step("cryoablation-1").position == "lateral"
    assert [change.after for change in found.position_changes] == ["lateral", "supine"]
    assert not [item for item in found.checks if item.name == "order_of_steps"]


def test_a_plan_out_of_order_fails():
    wrong = schedule(A1, planned(("cryoablation-1", "biopsy-1", "screw-1", "cement-1")))
    assert check(wrong, "order_of_steps", "cryoablation-1").verdict is Verdict.FAIL


def test_a_budget_of_time_is_kept_or_said():
    total = schedule(A1).total_min
    assert check(schedule(A1, budget_min=total.high), "session_time").verdict is Verdict.PASS
    assert check(schedule(A1, budget_min=total.typical), "session_time").verdict is Verdict.WARN
    assert check(schedule(A1, budget_min=total.low), "session_time").verdict is Verdict.FAIL


def test_monitoring_brings_its_baseline_first_and_no_block_before_its_end():
    monitored = cases.a2().having("decision", neuromonitoring_planned=True, nerve_block_planned=True).proposals()[0]
    order = cases.steps(monitored)
    assert order.index("IONM_SETUP") < order.index("APPLICATOR_PLACE")
    assert order.index("APPLICATOR_REMOVE") < order.index("NERVE_BLOCK")
    assert "E22" in next(step for step in monitored.sequence if step.step == "NERVE_BLOCK").edges
    assert not {"IONM_SETUP", "NERVE_BLOCK"} & set(cases.steps(A2))


def test_the_least_stable_lesion_comes_first_then_the_most_painful():
    scenario = cases.a1()
    measures = tuple(replace(scenario.measure, name=f"lesion_{n}") for n in (1, 2, 3))
    context = scenario.clinical.lesion[0]
    contexts = tuple(
        replace(context, name=name, worst_nrs=pain)
        for name, pain in (("lesion_1", 2), ("lesion_2", 9), ("lesion_3", None))
    )
    unstable = replace(cases.score("SINS", 12, 18), lesion="lesion_3")
    case = replace(scenario.case(), clinical=replace(scenario.clinical, lesion=contexts))
    assert lesion_order(case, replace(scenario.assessment(), lesions=measures, scores=(unstable,))) == (
        "lesion_3",
        "lesion_2",
        "lesion_1",
    )


def test_every_step_type_is_timed_and_every_look_is_at_a_step():
    types = {step.step for step in RULES.steps}
    assert types <= set(timings())
    assert {control.step for control in controls()} <= types


def test_a_broken_timing_is_refused(tmp_path):
    text = (CATALOG / "timing.toml").read_text(encoding="utf-8")
    path = tmp_path / "timing.toml"
    path.write_text(text.replace("low = 45.0", "low = 450.0", 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"timing.toml: EMBOLISE: low, typical and high"):
        read_timings(path)
