"""Heating steps on a small case: what they leave, what is checked, what is refused, and what must always hold."""

from dataclasses import replace

import numpy as np
import pytest
from slab import cryoablation, embolization, heater, heating, planned, synthetic_case

from trocar.catalog import device as catalog_device
from trocar.catalog import limit
from trocar.errors import CaseError, CatalogError, TrocarError
from trocar.io.dossier import Dossier
from trocar.model.case import Role, Structure
from trocar.model.finding import Verdict
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.shield import Layer, Shield
from trocar.model.space import Grid, Volume
from trocar.model.treatment import HeatingProgram, ProtocolPhase, Step, Technique
from trocar.simulation.heatpreview import forecast_heat, predict_heat
from trocar.simulation.resume import last_state
from trocar.simulation.simulate import simulate

STRAIGHT, BIPOLAR, ARRAY, ANTENNA = (
    "rf-straight-generic-20mm", "rf-bipolar-generic-20mm", "rf-array-30mm", "mw-antenna-2450mhz-100w",
)  # fmt: skip
COARSE_MM = 3.0
WAIT = ProtocolPhase(phase="wait", duration_s=60.0)
LADDER = HeatingProgram(
    generator="rf-generator-impedance-200w", start_W=40.0, step_W=20.0, step_every_s=30.0, ceiling_W=100.0,
    rise_factor=1.3, collapse_frac=0.1,
)  # fmt: skip


def at(setting, unit="W", *, seconds=120.0, **others):
    return ProtocolPhase(phase="heat", duration_s=seconds, setting=setting, unit=unit, **others)


def run(case, *steps, spacing_mm=COARSE_MM):
    return simulate(case, planned(*steps), spacing_mm=spacing_mm)


def check(simulation, name, subject=None):
    return next(c for c in simulation.checks if c.name == name and subject in (None, c.subject))


@pytest.fixture(scope="module")
def case():
    return synthetic_case()


@pytest.fixture(scope="module")
def current(case):
    return run(case, heating(heater(49.0, device=STRAIGHT), protocol=(at(15.0), WAIT)), spacing_mm=2.0)


@pytest.fixture(scope="module")
def waves(case):
    step = heating(heater(49.0, device=ANTENNA), technique=Technique.MICROWAVE, protocol=(at(40.0), WAIT))
    return run(case, step)


# shows: R32, R43
def test_a_radiofrequency_step_leaves_its_moments_zones_and_trace(current):
    assert [state.moment for state in current.states] == ["heat_1", "wait_1", "after"]
    assert [state.time_s for state in current.states] == pytest.approx([120.0, 180.0, 180.0])
    last = current.states[-1]
    assert last.zones["omega_1"].volume_ml > last.zones["60_degC"].volume_ml > 1.0
    assert all(zone.refinement_mm is not None for zone in last.zones.values())
    assert "0_degC" not in last.zones and 0 < last.heat_kill_frac.lesion <= 1
    (trace,) = current.traces
    assert trace.name == "electrode-1" and len(trace.time_s) == len(trace.resistance_ohm) == len(trace.power_W)
    assert trace.energy_J == pytest.approx(15.0 * 120.0, rel=1e-6)
    assert max(np.diff(trace.time_s)) <= 5.0
    assert trace.resistance_ohm[5] < trace.resistance_ohm[0]  # warm tissue conducts better


# shows: R33
def test_a_microwave_step_gives_its_share_of_the_power_to_tissue(waves, case):
    (trace,) = waves.traces
    assert trace.energy_J == pytest.approx(40.0 * 120.0, rel=1e-6) and trace.resistance_ohm == ()
    assert waves.states[-1].zones["omega_1"].volume_ml > 1.0
    assert "antenna_prior" in waves.caveats


@pytest.mark.parametrize("which", ["current", "waves"])
def test_energy_is_accounted_for(which, request):
    found = check(request.getfixturevalue(which), "energy_residual")
    assert found.verdict is Verdict.PASS and found.value < 1e-3


def test_zones_only_grow_and_the_lesion_is_covered_as_they_do(current):
    for name in ("omega_1", "cem43_240", "60_degC"):
        zones = [state.zones[name] for state in current.states]
        assert [z.volume_ml for z in zones] == sorted(z.volume_ml for z in zones)
        assert [z.coverage_frac.lesion for z in zones] == sorted(z.coverage_frac.lesion for z in zones)
        assert [z.minimal_margin_mm for z in zones] == sorted(z.minimal_margin_mm for z in zones)


def test_fields_tell_of_the_same_heat_as_the_zones(current):
    hottest, omega = (current.fields[f"heat-1/{name}"] for name in ("maximum_degC", "omega"))
    volume_ml = (hottest.values > 60).sum() * hottest.grid.voxel_ml
    assert current.states[-1].zones["60_degC"].volume_ml == pytest.approx(volume_ml, rel=0.15)
    assert (omega.values[hottest.values > 70] > 1).all() and omega.values[
        hottest.values < 40
    ].max() < 0.2  # three minutes near 40 degC


# shows: R35
def test_a_hot_nerve_fails_and_says_when(case):
    simulation = run(case, heating(heater(58.0, device=STRAIGHT), protocol=(at(15.0, seconds=180.0), WAIT)))
    found = check(simulation, "nerve_maximum_temperature")
    nerve = next(e for e in simulation.states[-1].structures if e.role == "nerve")
    assert found.verdict is Verdict.FAIL and found.limit == 45.0 and found.value == nerve.maximum_degC > 45
    assert 0 < nerve.first_hot_crossing_s < 180.0 and "is crossed at" in found.message
    assert nerve.first_crossing_s is None and nerve.maximum_lps_mm[0] < 68.0
    history = next(h for h in simulation.histories if h.name == "sciatic_nerve_left")
    assert max(history.maximum_degC) == pytest.approx(nerve.maximum_degC, abs=0.01)
    unsegmented = run(synthetic_case(nerve=False), heating(heater(58.0, device=STRAIGHT), protocol=(at(5.0),)))
    assert check(unsegmented, "nerve_maximum_temperature").verdict is Verdict.UNKNOWN


def test_dextrose_around_a_nerve_keeps_heat_and_current_from_it(case):
    step = heating(heater(55.0, device=STRAIGHT), protocol=(at(12.0, seconds=120.0), WAIT))
    layer = Layer(structure="sciatic_nerve_left", fluid="water", thickness_mm=6.0, temperature_degC=20.0)
    before = Step(
        id="protection-1", technique=Technique.PROTECTION, action="PROTECT", lesion="lesion_1",
        duration_min=step.duration_min, shield=Shield(layers=(layer,)),
    )  # fmt: skip
    bare, shielded = run(case, step), run(case, before, step)
    hottest = [check(made, "nerve_maximum_temperature").value for made in (bare, shielded)]
    assert hottest[1] < hottest[0] - 1.0
    assert shielded.traces[0].resistance_ohm[0] > bare.traces[0].resistance_ohm[0]  # dextrose carries no current


def test_a_temperature_is_kept_by_a_bipolar_probe(case):
    step = heating(heater(49.0, device=BIPOLAR), protocol=(at(90.0, "degC", seconds=240.0),))
    simulated = [run(case, step, spacing_mm=spacing_mm) for spacing_mm in (1.5, 2.0)]
    for simulation in simulated:
        (trace,) = simulation.traces
        settled = np.array(trace.temperature_degC)[np.array(trace.time_s) > 60]
        assert settled == pytest.approx(90.0, abs=2.0)
        assert max(trace.power_W) <= 20.0 and trace.power_W[-1] < 0.7 * max(trace.power_W)
        assert {"heat", "dwell"} == set(trace.phase)
    fine, coarse = (s.states[-1].zones["omega_1"].volume_ml for s in simulated)
    assert coarse == pytest.approx(fine, rel=0.1)  # the sensor reads the metal, not the cells


def test_a_program_ramps_rolls_off_pauses_and_ends_its_phase(case):
    step = heating(
        heater(49.0, device=ARRAY, tip_mm=46.0), program=LADDER,
        protocol=(ProtocolPhase(phase="heat", duration_s=900.0),),
    )  # fmt: skip
    simulation = run(case, step)
    (trace,) = simulation.traces
    phases = list(dict.fromkeys(trace.phase))
    assert phases[:3] == ["ramp", "pause", "second"] and trace.power_W[0] == 40.0
    power, phase = np.array(trace.power_W), np.array(trace.phase)
    rolled_off_W = power[phase == "ramp"][-1]
    assert power[phase == "pause"].max() <= 0.7 * rolled_off_W
    assert power[phase == "second"] == pytest.approx(0.7 * rolled_off_W)
    resistance = np.array(trace.resistance_ohm)
    assert resistance[phase == "pause"][0] > 1.3 * resistance[phase == "ramp"].min()
    assert simulation.states[-1].time_s < 900.0
    assert {"array_shape_prior", "dispersive_pad_far_away"} <= set(simulation.caveats)


def test_perfusion_that_embolization_took_no_longer_cools(case):
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(10.0, seconds=180.0), WAIT))
    plain, embolized = run(case, step), run(case, embolization(0.05), step)
    grown = [s.states[-1].zones["omega_1"].volume_ml for s in (plain, embolized)]
    assert grown[1] > 1.02 * grown[0]


def test_two_steps_add_up_their_dose_and_a_restart_goes_on_with_it(case):
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(10.0, seconds=60.0), WAIT))
    again = replace(step, id="heat-2")
    both = run(case, step, again)
    first_plan = planned(step)
    first = simulate(case, planned(step, replace(again, protocol=())), spacing_mm=COARSE_MM)
    resumed = simulate(
        case, planned(again), spacing_mm=COARSE_MM, start=last_state(case, first_plan, first)
    )  # fmt: skip
    for name in ("omega", "maximum_degC"):
        one, two = (s.fields[f"heat-2/{name}"].values for s in (both, resumed))
        np.testing.assert_allclose(one, two, rtol=0.02, atol=0.05)
    volumes = [s.states[-1].zones["omega_1"].volume_ml for s in (first, both)]
    assert volumes[1] > 1.2 * volumes[0]


def test_frozen_tissue_hardly_conducts(case):
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(2.0, seconds=10.0),))
    warm, cold = (run(case, *before, step).traces[0] for before in ((), (cryoablation(),)))
    assert cold.resistance_ohm[0] > 5 * warm.resistance_ohm[0]


def fluid_beside(case, x_mm):
    """The case with a bag of fluid, of which nobody knows what it conducts."""
    inside = np.zeros(case.grid.shape, bool)
    inside[round(x_mm / 2) : round(x_mm / 2) + 3, 20:30, 20:30] = True
    return replace(case, structures=(*case.structures, Structure(name="fluid", role=Role.FLUID, inside=inside)))


def test_tissue_of_unknown_conductivity_is_refused_nearby_and_told_further_off(case):
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(5.0, seconds=10.0),))
    with pytest.raises(CatalogError, match="water, whose electrical values are unknown"):
        run(fluid_beside(case, 54.0), step)
    found = check(run(fluid_beside(case, 66.0), step), "tissue_electrical_values")
    assert found.verdict is Verdict.UNKNOWN and "water" in found.message and found.value > 0


def test_an_electrode_outside_the_body_fails_its_check(case):
    air = np.array(case.ct.values)
    air[:, :, 30:] = -1000.0
    thin = replace(case, ct=replace(case.ct, values=air))
    found = check(run(thin, heating(heater(30.0, device=STRAIGHT, tip_mm=48.0), protocol=(at(5.0, seconds=10.0),))),
                  "probe_in_tissue")  # fmt: skip
    assert found.verdict is Verdict.FAIL and found.value < 0.97


def test_where_the_ct_ends_the_current_goes_on_and_in_gas_it_does_not(case):
    """The same step in a box that reaches beyond the CT on all sides, and in a piece of tissue hanging in the air."""
    short, long = (
        heating(heater(49.0, device=STRAIGHT, tip_mm=z), protocol=(at(5.0, seconds=10.0),)) for z in (38, 46)
    )
    one, two = (run(case, step).traces[0].resistance_ohm[0] for step in (short, long))
    assert two == pytest.approx(one, rel=0.1)
    air = np.full(case.grid.shape, -1000.0, np.float32)
    air[10:40, 10:40, 10:40] = 50.0
    wide = Grid.aligned(origin_lps_mm=(-50, -50, -50), spacing_mm=(2.0,) * 3, shape=(100, 100, 100))
    values = np.pad(air, 25, constant_values=-1000.0)
    (lesion,) = case.lesions
    structures = (replace(lesion, inside=np.pad(lesion.inside, 25)),)
    hanging = replace(case, ct=Volume(grid=wide, values=values, unit="HU"), structures=structures)
    with pytest.raises(CaseError, match="no way to its pad"):
        run(hanging, short)


@pytest.mark.parametrize(
    ("device", "phases", "program", "error", "said"),
    [
        (STRAIGHT, (at(0.0),), None, CaseError, "more than 0|with 0 W"),
        (STRAIGHT, (at(-5.0),), None, CaseError, "-5 W"),
        (STRAIGHT, (at(np.nan),), None, CaseError, "nan"),
        (STRAIGHT, (at(10.0, "A"),), None, CaseError, "'A'"),
        (STRAIGHT, (WAIT,), None, CaseError, "never heats"),
        (STRAIGHT, (at(10.0, seconds=0.0),), None, CaseError, "0 s"),
        (STRAIGHT, (at(10.0, probes=("other",)),), None, CaseError, "other"),
        (STRAIGHT, (ProtocolPhase(phase="freeze", duration_s=60.0),), None, CaseError, "never heats"),
        (STRAIGHT, (ProtocolPhase(phase="heat", duration_s=60.0),), None, CaseError, "no power is stated"),
        (STRAIGHT, (at(70.0, "degC"),), None, CatalogError, "no power limit"),
        (BIPOLAR, (at(30.0),), None, CaseError, "30 W is more than"),
        (ARRAY, (ProtocolPhase(phase="heat", duration_s=60.0),), replace(LADDER, step_W=None), CatalogError, "step_W"),
        (ARRAY, (ProtocolPhase(phase="heat", duration_s=60.0),), replace(LADDER, ceiling_W=300.0), CaseError, "200 W"),
        ("rf-straight-cooled-17g", (at(10.0),), None, CatalogError, "active_length_mm is unknown"),
        ("rf-bipolar-cooled-10mm", (at(10.0),), None, CatalogError, "is unknown"),
        (ANTENNA, (at(10.0),), None, CatalogError, "no RF electrode"),
        ("cryoprobe-17g-icesphere", (at(10.0),), None, CatalogError, "no RF electrode"),
    ],
)
def test_bad_input_is_named(case, device, phases, program, error, said):
    with pytest.raises(error, match=said) as refused:
        run(case, heating(heater(49.0, device=device), protocol=phases, program=program))
    assert isinstance(refused.value, TrocarError) and refused.value.hint


def test_an_antenna_without_its_zones_and_a_lattice_too_coarse_are_refused(case):
    step = heating(
        heater(49.0, device="mw-antenna-17g-65w"), technique=Technique.MICROWAVE, protocol=(at(40.0),)
    )  # fmt: skip
    with pytest.raises(CatalogError, match="efficiency_frac is unknown"):
        run(case, step)
    small = heating(heater(49.0, device=BIPOLAR), protocol=(at(5.0, seconds=10.0),))
    found = check(run(case, small, spacing_mm=3.0), "lattice_resolves_probe")
    assert found.verdict is Verdict.WARN and found.value == pytest.approx(4 / 3, abs=0.01) and found.unit == ""
    assert check(run(case, small, spacing_mm=3.0), "grid_refinement").verdict is Verdict.UNKNOWN
    with pytest.raises(CaseError, match="too coarse a lattice"):
        forecast_heat(case, small, spacing_mm=5.0, embolized=NOT_EMBOLIZED)


def test_a_heating_step_without_a_protocol_is_unknown(case):
    step = replace(heating(heater(49.0, device=STRAIGHT), protocol=()), protocol=())
    assert check(run(case, step), "step_simulated").verdict is Verdict.UNKNOWN


def test_a_curative_intent_asks_for_the_whole_lesion_and_a_margin():
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(5.0, seconds=60.0),))
    simulation = run(synthetic_case(intent=("curative",)), step)
    whole, found = limit("coverage_curative_frac"), check(simulation, "lethal_coverage")
    assert (found.limit, found.source) == (whole.value, whole.source)
    assert check(simulation, "minimal_heat_margin").verdict is Verdict.FAIL
    assert check(run(synthetic_case(intent=None), step), "lethal_coverage").verdict is Verdict.UNKNOWN


def test_a_dossier_keeps_program_traces_and_dose(case, tmp_path):
    step = heating(
        heater(49.0, device=ARRAY, tip_mm=46.0), program=LADDER,
        protocol=(ProtocolPhase(phase="heat", duration_s=150.0),),
    )  # fmt: skip
    plan, simulation = planned(step), run(case, step)
    dossier = Dossier.create(tmp_path / "dossier", case)
    dossier.write("plan", plan)
    dossier.write("simulation", simulation)
    assert dossier.read("plan").steps[0].program == LADDER
    found = dossier.read("simulation")
    assert found.traces == simulation.traces and found.states == simulation.states
    omega, kept = (s.fields["heat-1/omega"].values for s in (simulation, found))
    np.testing.assert_allclose(kept, omega, rtol=1e-3, atol=1e-6)


def test_freezing_what_was_heated_keeps_both_zones(case):
    step = heating(heater(49.0, device=STRAIGHT), protocol=(at(10.0, seconds=60.0),))
    both = run(case, step, cryoablation())
    last = both.states[-1]
    assert last.step == "cryoablation-1" and {"0_degC", "omega_1"} <= set(last.zones)
    assert last.zones["omega_1"].volume_ml >= both.states[0].zones["omega_1"].volume_ml > 0
    assert last.zones["0_degC"].volume_ml > 1.0 and check(both, "energy_residual", "cryoablation-1").verdict == "PASS"
    assert not [c for c in both.checks if c.name == "grid_refinement" and c.subject.startswith("cryo")]


COOLED = "rf-straight-cooled-17g-30mm"


def test_a_cooled_electrode_keeps_its_metal_cold_and_heats_away_from_it(case, monkeypatch):
    """The same electrode with and without its coolant, at one power."""
    made = catalog_device(COOLED)
    step = heating(heater(49.0, device=COOLED, tip_mm=34.0), protocol=(at(25.0, seconds=120.0),))
    cold = run(case, step, spacing_mm=2.0)
    monkeypatch.setattr("trocar.catalog.applicators.device", lambda name: replace(made, coolant_degC=None))
    bare = run(case, step, spacing_mm=2.0)
    assert "coolant_prior" in cold.caveats and "electrode_cooling_not_simulated" not in cold.caveats
    assert "electrode_cooling_not_simulated" in bare.caveats
    found = []
    for simulation in (cold, bare):
        end = simulation.fields["heat-1/temperature_end_heat_degC"]
        row = end.values.take(np.rint(end.grid.to_ijk((49.0, 49.0, 49.0))).astype(int)[2], axis=2)
        xy = np.moveaxis(np.indices(row.shape), 0, -1) * 2.0 + end.grid.matrix[:2, 3] - 49.0
        away = np.linalg.norm(xy, axis=-1)
        found.append((away.ravel()[row.argmax()], row.max(), row[away < 1.5].max()))
    (cold_at, _, cold_metal), (bare_at, _, bare_metal) = found
    assert bare_at < 1.5 < 2.5 < cold_at < 7.0
    assert cold_metal < bare_metal - 15.0
    assert check(cold, "energy_residual").verdict is Verdict.PASS
    assert cold.traces[0].temperature_degC[-1] > 50.0  # of the tissue, not of the metal


def test_a_cooled_electrode_needs_a_power_and_stops_cooling_with_its_phase(case):
    with pytest.raises(CaseError, match="reads the coolant") as refused:
        run(case, heating(heater(49.0, device=COOLED, tip_mm=34.0), protocol=(at(70.0, "degC"),)))
    assert refused.value.hint
    phases = (at(25.0, seconds=60.0), ProtocolPhase(phase="wait", duration_s=120.0))
    simulation = run(case, heating(heater(49.0, device=COOLED, tip_mm=34.0), protocol=phases))
    end = simulation.fields["state/temperature_degC"]
    on_axis = end.values[tuple(np.rint(end.grid.to_ijk((49.0, 49.0, 49.0))).astype(int))]
    assert on_axis > 38.0  # the metal warms once the coolant no longer flows


def test_structures_are_followed_on_until_they_get_no_warmer(case):
    """Heat reaches a nerve minutes after the generator has stopped; the forecast says the same."""
    heat, wait = at(15.0, seconds=180.0), ProtocolPhase(phase="wait", duration_s=600.0)
    short, whole = (heating(heater(49.0, device=STRAIGHT), protocol=phases) for phases in ((heat,), (heat, wait)))

    def nerve(state):
        return next(e for e in state.structures if e.role == "nerve").maximum_degC

    stopped, waited = (run(case, step, spacing_mm=2.0) for step in (short, whole))
    assert nerve(stopped.states[-1]) == pytest.approx(nerve(waited.states[-1]), abs=0.1)
    assert nerve(stopped.states[-1]) > nerve(stopped.states[0]) + 1.0
    history = next(h for h in stopped.histories if h.name == "sciatic_nerve_left")
    assert np.argmax(history.maximum_degC) < len(history.maximum_degC) - 1
    assert stopped.states[-1].time_s == pytest.approx(180.0)
    (forecast,) = predict_heat(case, (short,), spacing_mm=2.0)
    assert forecast.exposures["sciatic_nerve_left"] == pytest.approx(nerve(stopped.states[-1]), abs=0.3)
