"""Applicators of heat: gentle enough and strong enough, nerves within their limit, the catalog's own reasons."""

from dataclasses import replace

import numpy as np
import pytest
from hotline import hot_line
from scipy import ndimage

from trocar.catalog.applicators import heating_segments
from trocar.catalog.ladders import rungs
from trocar.model.case import Role, Structure
from trocar.model.finding import Verdict
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.treatment import Technique
from trocar.planning.heat import warm
from trocar.planning.heaters import heaters
from trocar.planning.hotoutlook import HotForesight
from trocar.planning.outlook import Aim
from trocar.planning.plan import plan
from trocar.planning.position import upward
from trocar.planning.surroundings import surroundings
from trocar.simulation.simulate import simulate


def by(technique, proposal):
    """The whole combination's biopsy and ablation, by heat."""
    kept = [step for step in proposal.sequence if step.step in ("BIOPSY", "ABLATE")]
    sequence = tuple(
        replace(step, technique=technique, id=f"{technique}-1") if step.step == "ABLATE" else step for step in kept
    )
    return replace(proposal, sequence=sequence)


def surround(case):
    return surroundings(case, case.structure("lesion_1"))


def heated(around, predictor, intent="palliative"):
    """The step for the lesion alone, the patient on his side."""
    found = warm(
        around, upward("lateral", around), Technique.MICROWAVE,
        intent=intent, predictor=predictor, embolized=NOT_EMBOLIZED,
    )  # fmt: skip
    assert found.step is not None
    return found.step


def check(step, name):
    return next(check for check in step.checks if check.name == name)


@pytest.fixture(scope="module")
def around(case):
    return surround(case)


@pytest.fixture(scope="module")
def waves(case, proposal):
    made = plan(case, by(Technique.MICROWAVE, proposal), heat_predictor=hot_line(case, radius_mm=15.0))
    return made, next(step for step in made.steps if step.technique is Technique.MICROWAVE)


def test_the_middle_of_the_heat_lies_in_the_lesion_and_the_tip_hardly_leaves_it(case, waves):
    _, step = waves
    inside = case.structure("lesion_1").inside
    points = case.grid.to_lps(np.argwhere(inside))
    for placement in step.placements:
        (piece,) = heating_segments(placement)
        for point, beyond_mm in ((piece.at(piece.length_mm / 2), 2.0), (placement.target_lps_mm, 6.0)):
            assert np.linalg.norm(points - point, axis=1).min() <= beyond_mm
        skin = np.asarray(placement.skin_lps_mm)
        assert (skin[0] / 96) ** 2 + (skin[1] / 74) ** 2 == pytest.approx(1.0, abs=0.15)


# shows: R32
def test_the_setting_is_the_gentlest_of_the_console_that_suffices(case, around, waves):
    _, step = waves
    foresight = HotForesight(Aim.of(around, "palliative"), hot_line(case, radius_mm=15.0), NOT_EMBOLIZED)
    settings = [
        replace(step, protocol=(replace(step.protocol[0], duration_s=rung.duration_s, setting=rung.setting),))
        for rung in rungs(step.placements[0].device)
    ]
    enough = [seen.sufficient("palliative") for seen in foresight.outlooks(settings, spacing_mm=3.0)]
    assert settings[enough.index(True)].protocol[0] == step.protocol[0] and all(enough[enough.index(True) :])
    assert check(step, "coverage_planned_coagulated").verdict is Verdict.PASS
    (in_all,) = [note.en for note in step.notes if note.en.startswith("Coagulated in all")]
    assert float(in_all.split(": ")[1].split()[0]) > float(in_all.split("tumor of ")[1].split()[0])
    assert not [c for c in step.checks if c.verdict is Verdict.FAIL]


def test_a_curative_heat_kills_the_whole_tumor_and_its_whole_margin(case, around, waves):
    _, step = waves
    foresight = HotForesight(Aim.of(around, "curative"), hot_line(case, radius_mm=40.0), NOT_EMBOLIZED)
    (seen,) = foresight.outlooks([step], spacing_mm=3.0)
    whole = replace(seen, excess_degC=0.0)
    assert (whole.lethal_frac, whole.shell_frac) == (1.0, 1.0) and whole.sufficient("curative")
    for left in ({"lethal_frac": 0.9995}, {"shell_frac": 0.97}, {"excess_degC": 0.1}):
        assert not replace(whole, **left).sufficient("curative"), left
    assert replace(whole, lethal_frac=0.85, border_frac=0.85, shell_frac=0.0).sufficient("palliative")


def test_a_margin_that_a_limit_leaves_alive_is_warned_of_where_the_intent_is_curative_only(around, case):
    strong = hot_line(case, radius_mm=40.0)
    made = {intent: heated(around, strong, intent) for intent in ("curative", "palliative")}
    margin = check(made["curative"], "margin_planned_coagulated")
    assert margin.limit == 1.0 and 0.5 < margin.value < 1.0 and margin.verdict is Verdict.WARN
    assert not [found for found in made["palliative"].checks if found.name == "margin_planned_coagulated"]


# shows: R35
def test_a_nerve_within_reach_of_the_heat_keeps_its_limit_and_what_is_left_is_named(case, waves):
    near = replace(
        case.structure("sciatic_nerve_left"),
        inside=np.roll(case.structure("sciatic_nerve_left").inside, 7, axis=0),
        centerline_lps_mm=tuple((x + 14.0, y, z) for x, y, z in case.structure("sciatic_nerve_left").centerline_lps_mm),
    )
    moved = replace(case, structures=tuple(near if s.name == near.name else s for s in case.structures))
    step = heated(surround(moved), hot_line(moved, radius_mm=15.0))
    kept = check(step, "nerve_maximum_temperature_planned")
    assert kept.verdict is Verdict.PASS and kept.value <= 42.0
    free = check(waves[1], "coverage_planned_coagulated")
    held = check(step, "coverage_planned_coagulated")
    assert held.value < free.value
    assert any("Left outside the lethal zone" in note.en for note in step.notes)


def test_a_mirrored_case_gives_the_mirrored_applicators(case, around, mirror_image):
    here = heated(around, hot_line(case, radius_mm=15.0))
    there = heated(surround(mirror_image), hot_line(mirror_image, radius_mm=15.0))
    assert [p.device for p in there.placements] == [p.device for p in here.placements]
    assert there.protocol == here.protocol
    for one, other in zip(here.placements, there.placements, strict=True):
        assert np.allclose(np.asarray(one.target_lps_mm) * (-1, 1, 1), other.target_lps_mm, atol=0.1)
        assert np.allclose(np.asarray(one.skin_lps_mm) * (-1, 1, 1), other.skin_lps_mm, atol=0.1)


def test_more_applicators_only_where_one_does_not_suffice(case, around):
    strong, weak = (heated(around, hot_line(case, radius_mm=radius)) for radius in (24.0, 11.0))
    assert len(strong.placements) == 1 < len(weak.placements)


def test_a_nerve_that_is_not_segmented_is_unknown(no_nerve_no_vessel):
    step = heated(surround(no_nerve_no_vessel), hot_line(no_nerve_no_vessel, radius_mm=15.0))
    assert check(step, "nerve_maximum_temperature_planned").verdict is Verdict.UNKNOWN


def test_without_a_prediction_its_effect_is_unknown(around):
    step = heated(around, None)
    assert step.placements and step.protocol
    for name in ("coverage_planned_coagulated", "nerve_maximum_temperature_planned"):
        assert check(step, name).verdict is Verdict.UNKNOWN
    assert check(step, "heating_setting_sure").verdict is Verdict.WARN


def test_a_planned_step_is_played_with_nothing_left_open(case, waves):
    made, step = waves
    only = replace(made, steps=(step,))
    oncology = replace(case.clinical.oncology, intent=("palliative",))
    clinical = replace(case.clinical, oncology=oncology)
    known = replace(case, clinical=clinical, structures=(*case.structures, skin_of(case)))
    simulation = simulate(known, only, spacing_mm=3.0)
    assert {state.step for state in simulation.states} == {step.id}
    assert not [c for c in simulation.checks if c.verdict is Verdict.UNKNOWN]
    for trace in simulation.traces:
        assert trace.energy_J == pytest.approx(step.protocol[0].setting * step.protocol[0].duration_s, rel=1e-6)


def skin_of(case):
    body = case.structure("body").inside
    return Structure(name="skin", role=Role.SKIN, inside=body & ~ndimage.binary_erosion(body))


def chosen(case):
    suited, left_out = heaters(surround(case), Technique.RADIOFREQUENCY)
    return [heater.tool.device for heater in suited], " ".join(text.en for text in left_out)


def test_electrodes_suit_the_size_the_site_and_the_metal_and_the_others_say_why_not(case):
    devices, why = chosen(case)
    assert devices == ["rf-array-40mm"]  # 34 x 38 x 48 mm
    assert why.count("another size suits") == 6 and why.count("its heat cannot be simulated") == 5
    spinal = replace(
        case, structures=tuple(replace(s, name="vertebrae_L3") if s.name == "hip_left" else s for s in case.structures)
    )
    assert chosen(spinal)[0] == ["rf-bipolar-generic-20mm"] and "canal" in chosen(spinal)[1]
    plate = Structure(name="plate", role=Role.IMPLANT, inside=np.roll(case.structure("lesion_1").inside, 30, axis=2))
    metal = replace(case, structures=(*case.structures, plate))
    assert chosen(metal)[0] == ["rf-bipolar-generic-20mm"] and "metal or cement" in chosen(metal)[1]
