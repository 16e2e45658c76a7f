"""The fold on a small case: what each step does to the tissue, what is checked, and what must always hold."""

from dataclasses import replace

import numpy as np
import pytest
from slab import (
    ANY_DURATION,
    SHAPE,
    SPACING_MM,
    cement,
    cryoablation,
    embolization,
    heater,
    heating,
    planned,
    probe,
    synthetic_case,
)

from trocar.catalog import limit
from trocar.errors import CaseError, CatalogError
from trocar.model.case import Role, Side, Structure
from trocar.model.finding import Verdict
from trocar.model.forecast import AfterEmbolization
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Duration, Placement, ProtocolPhase, Step, Technique
from trocar.physics.stepping import LONGEST_S
from trocar.simulation.preview import predict
from trocar.simulation.refinement import surface_shift_mm
from trocar.simulation.resume import last_state
from trocar.simulation.simulate import simulate, thaw_waits_s
from trocar.simulation.zones import ice_mesh

COARSE_MM = 3.0
DOUBLE = (
    ProtocolPhase(phase="freeze", duration_s=240.0, setting=1.0),
    ProtocolPhase(phase="thaw_passive", duration_s=120.0),
    ProtocolPhase(phase="freeze", duration_s=240.0, setting=1.0),
    ProtocolPhase(phase="thaw_active", duration_s=120.0),
)
HEATED = (ProtocolPhase(phase="heat", duration_s=60.0, setting=20.0, unit="W"),)


@pytest.fixture(scope="module")
def case():
    return synthetic_case()


def run(case, *steps, spacing_mm=COARSE_MM):
    return simulate(case, planned(*steps), spacing_mm=spacing_mm)


def nerve_minimum_degC(simulation):
    return next(e for e in simulation.states[-1].structures if e.role == "nerve").minimum_degC


def check(simulation, name):
    return next(found for found in simulation.checks if found.name == name)


@pytest.fixture(scope="module")
def double(case):
    return run(case, cryoablation(protocol=DOUBLE), spacing_mm=2.0)


# shows: R46
def test_every_phase_leaves_a_state(double):
    assert [state.moment for state in double.states] == ["freeze_1", "thaw_1", "freeze_2", "thaw_2", "after"]
    assert [state.time_s for state in double.states[:4]] == pytest.approx([240.0, 360.0, 600.0, 720.0])


# shows: R44
def test_colder_zones_lie_within_warmer_ones_and_only_grow(double):
    for state in double.states:
        volumes = [state.zones[key].volume_ml for key in ("-40_degC", "-20_degC", "0_degC")]
        covers = [state.zones[key].coverage_frac.lesion for key in ("-40_degC", "-20_degC", "0_degC")]
        margins = [state.zones[key].minimal_margin_mm for key in ("-40_degC", "-20_degC", "0_degC")]
        assert volumes == sorted(volumes) and volumes[0] > 0
        assert covers == sorted(covers) and covers[0] > 0
        assert margins == sorted(margins)
    grown = [state.zones["0_degC"].volume_ml for state in double.states]
    assert grown == sorted(grown)


# shows: R2, R35, R92
def test_coverage_is_that_of_the_lesions_compartments(double):
    cover = double.states[-1].zones["-20_degC"].coverage_frac
    assert min(cover.bone, cover.soft_tissue) <= cover.lesion <= max(cover.bone, cover.soft_tissue)


def test_fields_and_histories_tell_of_the_same_freeze(double, case):
    lowest = double.fields["cryoablation-1/minimum_degC"]
    at_end = double.fields["cryoablation-1/temperature_end_freeze_degC"]
    visible = double.fields["cryoablation-1/ice_visible_frac"]
    assert np.all(lowest.values <= at_end.values + 1e-3)
    assert visible.values.min() >= 0 and visible.values.max() <= 1
    bone = visible.grid.to_ijk([[49.0, 64.0, 49.0]]).round().astype(int)[0]
    assert visible.values[tuple(bone)] == 0.0
    history = next(h for h in double.histories if h.name == "sciatic_nerve_left")
    assert max(np.diff(history.time_s)) <= LONGEST_S
    assert min(history.minimum_degC) == pytest.approx(nerve_minimum_degC(double), abs=0.1)


def test_energy_is_accounted_for(double):
    found = check(double, "energy_residual")
    assert found.verdict is Verdict.PASS and 0 < found.value < 2e-5


def test_a_probe_nearer_the_nerve_never_warms_it(case):
    one = run(case, cryoablation(probe(49.0)))
    nearer = run(case, cryoablation(probe(49.0), probe(57.0, name="probe-2")))
    assert nerve_minimum_degC(nearer) <= nerve_minimum_degC(one) - 1.0


# shows: R35, R48, R93
def test_a_cold_nerve_fails_and_says_when(case):
    simulation = run(case, cryoablation(probe(57.0)))
    found = check(simulation, "nerve_minimum_temperature")
    assert found.verdict is Verdict.FAIL and found.source == "V26" and found.value < 10.0
    assert 0 < simulation.states[-1].structures[0].first_crossing_s < 300.0
    assert "min" in found.message


def test_no_nerve_segmented_is_unknown_never_safe():
    simulation = run(synthetic_case(nerve=False), cryoablation())
    found = check(simulation, "nerve_minimum_temperature")
    assert found.verdict is Verdict.UNKNOWN and found.value is None and "not segmented" in found.message


def left_of_the_body(*nerves):
    """The synthetic case as a left hip, with other nerves than its own."""
    bare = synthetic_case(nerve=False)
    sided = (replace(item, side=Side.LEFT if item.role is Role.BONE else None) for item in bare.structures)
    return replace(bare, structures=(*sided, *nerves))


def nerve_at(*, side, x_mm=96.0, empty=False):
    inside = np.zeros(SHAPE, dtype=bool)
    inside[round(x_mm / SPACING_MM), 24:26] = not empty
    return Structure(name=f"nerve_{side}", role=Role.NERVE, inside=inside, side=side)


@pytest.mark.parametrize(
    ("nerve", "verdict"),
    [
        (nerve_at(side=Side.RIGHT), Verdict.UNKNOWN),
        (nerve_at(side=Side.LEFT, empty=True), Verdict.UNKNOWN),
        (nerve_at(side=Side.LEFT), Verdict.PASS),
        (nerve_at(side=None), Verdict.PASS),
    ],
    ids=["other side", "empty", "own side", "no side"],
)
@pytest.mark.parametrize(
    ("step", "name"),
    [
        (cryoablation(), "nerve_minimum_temperature"),
        (heating(heater(49.0, device="rf-straight-generic-20mm"), protocol=HEATED), "nerve_maximum_temperature"),
        (cement(), "cement_leak_foramen"),
    ],
    ids=["cold", "heat", "cement"],
)
def test_another_nerve_does_not_make_those_that_nobody_drew_safe(nerve, verdict, step, name):
    """Absent is not safe: neither an empty mask nor the other side's nerve tells of the nerves beside the lesion."""
    found = [each for each in run(left_of_the_body(nerve), step).checks if each.name == name]
    if verdict is Verdict.PASS and name == "cement_leak_foramen":
        assert not found
    else:
        (only,) = found
        assert only.verdict is verdict and (only.value is None) is (verdict is Verdict.UNKNOWN)


# shows: R56
def test_embolization_makes_more_ice(case):
    plain = run(case, cryoablation())
    embolized = run(case, embolization(0.1), cryoablation())
    assert embolized.states[-1].zones["0_degC"].volume_ml > 1.02 * plain.states[-1].zones["0_degC"].volume_ml
    with pytest.raises(CaseError, match="perfusion"):
        run(case, embolization(None), cryoablation())
    with pytest.raises(CaseError, match="30 of the perfusion"):  # a percentage
        run(case, embolization(30), cryoablation())


def test_cement_right_after_freezing_fails_and_after_a_wait_lies_in_bone(case):
    rushed = run(case, cryoablation(), cement())
    found = check(rushed, "cavity_temperature_for_cement")
    assert found.verdict is Verdict.FAIL and found.value < 20.0 and "passive thaw" in found.message
    screw = Placement(
        device="screw-6.5", role="screw", name="screw", entry_lps_mm=(49, 64, 20), target_lps_mm=(49, 64, 80),
        skin_lps_mm=(49, 64, 0), length_mm=60.0, diameter_mm=6.5,
    )  # fmt: skip
    slow = Step(
        id="screw-1", technique=Technique.SCREW, action="SCREW", lesion="lesion_1",
        duration_min=Duration(low=60, typical=90, high=120), placements=(screw,),
    )  # fmt: skip
    patient = run(case, cryoablation(), slow, cement())
    assert check(patient, "cavity_temperature_for_cement").verdict is Verdict.PASS
    (deposit,) = patient.deposits
    assert deposit.volume_ml + sum(leak.volume_ml for leak in deposit.leaks) == pytest.approx(2.0, rel=1e-3)
    filled = patient.fields["cement_frac"]
    assert filled.values.sum() * filled.grid.voxel_ml == pytest.approx(deposit.volume_ml, rel=1e-3)
    assert deposit.volume_ml > 1.8


def test_the_same_plan_gives_the_same_bytes(case):
    first, second = (run(case, cryoablation()) for _ in range(2))
    assert first.states == second.states and first.checks == second.checks
    for key, volume in first.fields.items():
        assert volume.values.tobytes() == second.fields[key].values.tobytes()


def test_what_is_assumed_is_said(case):
    caveats = run(case, cryoablation()).caveats
    assert {"model_prior", "tumor_perfusion_prior", "bone_conductivity_uncertain"} <= set(caveats)


def test_a_step_that_is_not_simulated_is_unknown(case):
    heat = Step(
        id="rf-1", technique=Technique.RADIOFREQUENCY, action="ABLATE", lesion="lesion_1",
        duration_min=Duration(low=5, typical=10, high=20),
    )  # fmt: skip
    assert check(run(case, heat), "step_simulated").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("missing", ["placements", "protocol"])
@pytest.mark.parametrize(
    "step",
    [cryoablation(), heating(heater(49.0, device="rf-straight-generic-20mm"), protocol=HEATED)],
    ids=["cold", "heat"],
)
def test_an_ablation_that_found_no_place_is_unknown_and_the_rest_is_played(case, step, missing):
    unplaced = replace(step, **{missing: ()})
    simulation = run(case, embolization(0.1), unplaced, cement())
    found = check(simulation, "step_simulated")
    assert found.verdict is Verdict.UNKNOWN and found.subject == step.id
    assert [state.step for state in simulation.states] == ["embolization-1", step.id, "cement-1"]
    assert simulation.deposits and not any("coverage" in each.name for each in simulation.checks)


def test_a_protocol_that_only_waits_still_says_what_it_covers(case):
    simulation = run(case, cryoablation(protocol=(ProtocolPhase(phase="wait", duration_s=60.0),)))
    assert check(simulation, "visible_ice_coverage").value == 0.0


def test_cement_that_found_no_place_is_unknown(case):
    simulation = run(case, replace(cement(), placements=()), cement())
    assert check(simulation, "step_simulated").subject == "cement-1"
    assert len(simulation.deposits) == 1


# shows: R25, R36
def test_the_curative_intent_asks_for_minus_40_and_a_margin():
    simulation = run(synthetic_case(intent=("curative",)), cryoablation())
    whole = limit("coverage_curative_frac")
    found = check(simulation, "lethal_coverage")
    assert (found.limit, found.source) == (whole.value, whole.source) and found.verdict is Verdict.FAIL
    assert check(simulation, "minimal_ice_margin").verdict is Verdict.FAIL
    unknown = run(synthetic_case(intent=None), cryoablation())
    assert check(unknown, "lethal_coverage").verdict is Verdict.UNKNOWN


def test_the_forecast_agrees_with_the_simulation(case):
    step = cryoablation()
    (forecast,) = predict(case, (step,), spacing_mm=2.0)
    simulation = run(case, step, spacing_mm=2.0)
    assert forecast.exposures["sciatic_nerve_left"] == pytest.approx(nerve_minimum_degC(simulation), abs=1.0)


def test_the_forecast_after_an_embolization_is_the_simulation_after_it():
    """In cells that freeze in part, blood is what embolization left of it times the vessels that ice left open."""
    case = synthetic_case(vascularity_grade=3)
    step = cryoablation()
    (forecast,) = predict(case, (step,), spacing_mm=2.0, embolized=AfterEmbolization(perfusion_left_frac=0.4))
    simulation = run(case, embolization(0.4), step, spacing_mm=2.0)
    simulated = simulation.fields["cryoablation-1/minimum_degC"]
    ice, bare = (ice_mesh(v.values, v.grid, 0.0).volume_ml for v in (forecast.minimum_degC, simulated))
    assert ice == pytest.approx(bare, rel=0.005)
    (supplied,) = predict(case, (step,), spacing_mm=2.0)
    assert ice_mesh(supplied.minimum_degC.values, supplied.minimum_degC.grid, 0.0).volume_ml < 0.95 * ice


def test_how_far_surfaces_move_does_not_cancel():
    """A sphere that grows by 0.3 mm, and one that only moves by 0.3 mm: the mean radius would call the second right."""

    def sphere(spacing_mm, radius_mm, x_mm):
        count = round(60 / spacing_mm) + 1
        grid = Grid.aligned(origin_lps_mm=(-30,) * 3, spacing_mm=(spacing_mm,) * 3, shape=(count,) * 3)
        points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)) - np.array((x_mm, 0, 0))
        return Volume(grid=grid, values=5 * (np.linalg.norm(points, axis=-1) - radius_mm), unit="degC")

    fine = sphere(1.0, 15.0, 0.0)
    assert surface_shift_mm(fine, sphere(2.0, 15.0, 0.0), 0.0) < 0.1  # what trilinear values lack
    assert surface_shift_mm(fine, sphere(2.0, 15.3, 0.0), 0.0) == pytest.approx(0.3, abs=0.1)
    assert surface_shift_mm(fine, sphere(2.0, 15.0, 0.3), 0.0) == pytest.approx(0.95 * 0.3, abs=0.1)
    nowhere = sphere(2.0, -5.0, 0.0)
    assert surface_shift_mm(fine, nowhere, 0.0) > 10 and surface_shift_mm(nowhere, nowhere, 0.0) == 0.0


def test_the_forecast_follows_the_nerve_into_the_thaw(case):
    (forecast,) = predict(case, (cryoablation(protocol=DOUBLE),), spacing_mm=2.0)
    simulation = run(case, cryoablation(protocol=DOUBLE), spacing_mm=2.0)
    through_thaw, frozen = nerve_minimum_degC(simulation), simulation.states[2]
    assert frozen.moment == "freeze_2"
    assert through_thaw < next(e for e in frozen.structures if e.role == "nerve").minimum_degC - 0.3
    assert forecast.exposures["sciatic_nerve_left"] == pytest.approx(through_thaw, abs=0.3)


@pytest.mark.parametrize("ends_after", [1, 2, 3, 4])
def test_the_forecast_follows_the_nerve_on_wherever_the_protocol_ends(case, ends_after):
    step = cryoablation(protocol=DOUBLE[:ends_after])
    (forecast,) = predict(case, (step,), spacing_mm=2.0)
    simulated = nerve_minimum_degC(run(case, step, spacing_mm=2.0))
    assert forecast.exposures["sciatic_nerve_left"] == pytest.approx(simulated, abs=0.3)


def test_structures_are_followed_on_until_they_get_no_colder(case):
    """Cold reaches a nerve minutes after the probe has stopped, as if the protocol had gone on with a passive thaw."""
    freeze, thaw = (ProtocolPhase(phase=kind, duration_s=s) for kind, s in (("freeze", 300.0), ("thaw_passive", 900.0)))
    short, whole = (run(case, cryoablation(protocol=phases), spacing_mm=2.0) for phases in ((freeze,), (freeze, thaw)))
    at_end = next(e for e in short.states[0].structures if e.role == "nerve").minimum_degC
    assert nerve_minimum_degC(short) == pytest.approx(nerve_minimum_degC(whole), abs=0.05)
    assert nerve_minimum_degC(short) < at_end - 1.0
    history = next(h for h in short.histories if h.name == "sciatic_nerve_left")
    assert np.argmin(history.minimum_degC) < len(history.minimum_degC) - 1
    assert min(history.minimum_degC) == pytest.approx(nerve_minimum_degC(short), abs=0.1)
    assert short.states[-1].time_s == 300.0 and short.fields["state/temperature_degC"].values.min() < -50


def test_what_follows_a_step_sees_the_tissue_at_its_end(case):
    first, second = (
        replace(cryoablation(protocol=(ProtocolPhase(phase=kind, duration_s=300.0),)), id=f"cryoablation-{n}")
        for n, kind in enumerate(("freeze", "thaw_passive"), start=1)
    )
    apart = run(case, first, second)
    whole = run(case, replace(first, protocol=(*first.protocol, *second.protocol)))
    assert apart.states[-1].time_s == whole.states[-1].time_s == 600.0
    assert nerve_minimum_degC(apart) == nerve_minimum_degC(whole)
    starts = [h.time_s[0] for h in apart.histories if h.name == "sciatic_nerve_left"]
    assert starts[0] < 10.0 and 300.0 <= starts[1] < 310.0
    assert all(np.all(np.diff(h.time_s) > 0) for h in apart.histories)


def test_a_nerve_below_its_limit_is_followed_until_it_is_back_above(case):
    simulation = run(case, cryoablation(probe(53.0)))
    history = next(h for h in simulation.histories if h.name == "sciatic_nerve_left")
    assert min(history.minimum_degC) < 10.0 < history.minimum_degC[-1]


def test_the_wait_that_is_needed_is_the_wait_that_suffices(case):
    plan = planned(cryoablation(), cement())
    waits_s = thaw_waits_s(case, plan, spacing_mm=COARSE_MM)
    assert waits_s.keys() == {"cement-1"} and waits_s["cement-1"] > 0

    def verdict(wait_s):
        wait = ProtocolPhase(phase="wait", duration_s=wait_s)
        delayed = replace(cement(), protocol=(wait,))
        return check(run(case, cryoablation(), delayed), "cavity_temperature_for_cement").verdict

    assert verdict(waits_s["cement-1"]) is Verdict.PASS
    assert verdict(waits_s["cement-1"] - 600.0) is Verdict.FAIL  # found to five minutes, on a coarser lattice
    assert thaw_waits_s(case, planned(cement()), spacing_mm=COARSE_MM) == {}


@pytest.mark.parametrize("own_wait_s", [0.0, 1.0, 400.0, 900.0])
def test_a_cement_steps_own_time_passes_whether_it_waits_or_not(case, own_wait_s):
    """The second injection comes as long after the ice as both steps between take; what the first waited is in that."""
    wait = (ProtocolPhase(phase="wait", duration_s=own_wait_s),) if own_wait_s else ()
    first, second = replace(cement(), protocol=wait), replace(cement(), id="cement-2")
    freeze_s, takes_s = 300.0, 60.0 * ANY_DURATION.typical
    simulation = run(case, cryoablation(), first, second)
    assert simulation.states[-1].time_s == pytest.approx(freeze_s + max(takes_s, own_wait_s))


def test_the_wait_of_one_cement_step_leaves_the_next_its_own_time(case):
    two = planned(cryoablation(), cement(), replace(cement(), id="cement-2"))
    one = planned(cryoablation(), cement())
    needed_s = thaw_waits_s(case, one, spacing_mm=COARSE_MM)["cement-1"]
    assert needed_s > 0
    assert thaw_waits_s(case, two, spacing_mm=COARSE_MM) == {"cement-1": needed_s}
    waits = ProtocolPhase(phase="wait", duration_s=needed_s)
    takes = Duration(low=5, typical=10 + needed_s / 60, high=60)
    delayed = replace(cement(duration=takes), protocol=(waits,))
    simulation = run(case, cryoablation(), delayed, replace(cement(), id="cement-2"))
    assert simulation.states[-1].time_s == pytest.approx(300.0 + needed_s + 600.0)


def test_what_a_coarser_lattice_changes_is_said(case):
    found = [c for c in run(case, cryoablation()).checks if c.name == "grid_refinement"]
    assert [c.subject for c in found] == [
        f"cryoablation-1 {zone}" for zone in ("10_degC", "0_degC", "-20_degC", "-40_degC")
    ]
    for shift in found:
        assert shift.value is None or (shift.value <= shift.limit) == (shift.verdict is Verdict.PASS)


def test_stopping_and_going_on_is_the_same_as_not_stopping(case):
    """Also what a dossier keeps of a state is enough: temperatures, not enthalpies."""
    freeze, thaw = (
        ProtocolPhase(phase="freeze", duration_s=240.0),
        ProtocolPhase(phase="thaw_passive", duration_s=120.0),
    )
    whole = run(case, cryoablation(protocol=(freeze, thaw)))
    first_plan = planned(cryoablation(protocol=(freeze,)))
    first = simulate(case, first_plan, spacing_mm=COARSE_MM)
    start = last_state(case, first_plan, first)
    again = simulate(case, planned(cryoablation(protocol=(thaw,))), start=start)
    assert again.states[-1].time_s == whole.states[-1].time_s
    for name in ("temperature_degC", "minimum_degC", "perfusion_frac", "freezes"):
        apart = np.abs(again.fields[f"state/{name}"].values - whole.fields[f"state/{name}"].values)
        assert apart.max() < 0.02, name
    with pytest.raises(CaseError, match="kept no state"):
        last_state(case, first_plan, replace(first, fields={}))


# shows: R47
def test_a_probe_added_later_adds_ice(case):
    first_plan = planned(cryoablation())
    start = last_state(case, first_plan, simulate(case, first_plan, spacing_mm=COARSE_MM))
    more = cryoablation(probe(43.0), probe(55.0, name="probe-2"))
    one, two = (
        simulate(case, planned(step), start=start).states[-1].zones["0_degC"].volume_ml
        for step in (cryoablation(), more)
    )
    assert two > 1.1 * one


# shows: R47
def test_probes_stop_and_are_throttled_one_by_one(case):
    """One of two probes stops after half the time: its side of the ice is smaller; a throttled one's too."""
    pair = probe(41.0), probe(57.0, name="probe-2")
    both = ProtocolPhase(phase="freeze", duration_s=150.0)
    only = replace(both, probes=("probe-1",))
    throttled = replace(both, settings={"probe-2": 0.3})

    def sides_ml(*protocol):
        minimum = run(case, cryoablation(*pair, protocol=protocol)).fields["state/minimum_degC"]
        x_mm = minimum.grid.to_lps(np.moveaxis(np.indices(minimum.grid.shape), 0, -1))[..., 0]
        return [float((minimum.values[side] < 0).sum()) for side in (x_mm < 49.0, x_mm > 49.0)]

    even, stopped, weak = sides_ml(both, both), sides_ml(both, only), sides_ml(throttled, throttled)
    assert even[1] == pytest.approx(even[0], rel=0.25)
    assert stopped[1] < 0.8 * even[1] and stopped[0] > 0.9 * even[0]
    assert weak[1] < 0.8 * even[1] and weak[0] > 0.9 * even[0]


def test_the_expected_kill_lies_between_the_zones(case):
    state = run(case, cryoablation()).states[-1]
    assert (
        state.zones["-40_degC"].coverage_frac.lesion
        <= state.kill_frac.lesion
        <= state.zones["0_degC"].coverage_frac.lesion
    )
    assert all(zone.refinement_mm is not None for zone in state.zones.values())


def test_needles_and_phases_that_make_no_sense(case):
    beside = replace(probe(49.0), entry_lps_mm=(49.0, 49.0, 140.0), target_lps_mm=(49.0, 49.0, 95.0))
    assert check(run(case, cryoablation(probe(49.0))), "probe_in_tissue").verdict is Verdict.PASS
    outside = [c for c in run(case, cryoablation(probe(49.0), beside)).checks if c.name == "probe_in_tissue"]
    assert outside[1].verdict is Verdict.FAIL
    for bad, said in (
        (ProtocolPhase(phase="freeze", duration_s=-5.0), "-5 s"),
        (ProtocolPhase(phase="freeze", duration_s=5.0, setting=3.0), "duty"),
        (ProtocolPhase(phase="freeze", duration_s=5.0, probes=("probe-9",)), "probe-9"),
    ):
        with pytest.raises(CaseError, match=said):
            run(case, cryoablation(protocol=(bad,)))
    with pytest.raises(CaseError, match="no direction"):
        run(case, cryoablation(replace(probe(49.0), entry_lps_mm=(49.0, 49.0, 38.0))))


def test_bad_plans_are_refused(case):
    with pytest.raises(CatalogError, match="not a cryoprobe"):
        run(case, cryoablation(probe(49.0, device="screw-6.5")))
    with pytest.raises(CaseError, match="phase"):
        run(case, cryoablation(protocol=(ProtocolPhase(phase="boil", duration_s=10.0),)))
    with pytest.raises(CaseError, match="spacing"):
        run(case, cryoablation(), spacing_mm=50.0)
