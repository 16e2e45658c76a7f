"""The search for probes with the real simulation of every candidate, on the torso."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from coldline import cold_line

from by_rule import grids_by_rule
from trocar.catalog import limit
from trocar.model.finding import Verdict
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.space import as_vector
from trocar.model.treatment import Remedy, Technique, Text
from trocar.planning.array import spaced
from trocar.planning.bundles import approaches
from trocar.planning.canal import with_canal
from trocar.planning.coverage import chosen_probe, cover, search_for
from trocar.planning.outlook import Aim, Foresight, worth
from trocar.planning.position import upward
from trocar.planning.refine import Effort, Scout
from trocar.planning.remedies import remedies, remedy_texts
from trocar.planning.robust import robustness
from trocar.planning.surroundings import surroundings
from trocar.simulation.preview import predict

EFFORT = Effort(predictions=16, batch=8)
NERVE = "sciatic_nerve_left"


def scene(case):
    case = with_canal(case)
    around = surroundings(case, case.structure("lesion_1"))
    return around, upward("lateral", around)


@pytest.fixture(scope="module")
def here(case):
    return scene(case)


def searched(place_, predictor=predict):
    around, up = place_
    return cover(around, up, intent="palliative", predictor=predictor, embolized=NOT_EMBOLIZED, effort=EFFORT)


@pytest.fixture(scope="module")
def found(here):
    return searched(here)


def foresight(around, predictor=predict):
    return Foresight(Aim.of(around, "palliative"), predictor, NOT_EMBOLIZED)


def value_of(around, step):
    (seen,) = foresight(around).outlooks([step])
    return worth(seen, "palliative")


def probe_search(place_, predictor):
    around, up = place_
    return search_for(around, chosen_probe(around)[0], up, "palliative", predictor, NOT_EMBOLIZED, EFFORT)


def test_the_search_beats_a_parallel_grid_placed_by_rule(here, found):
    around, up = here
    grids = list(islice(grids_by_rule(around, up, found.step), 3))
    assert grids
    assert all(value_of(around, found.step) > value_of(around, grid) for grid in grids)


def test_the_probes_found_keep_the_rules_of_spacing_and_every_limit(here, found):
    assert spaced([item.axis for item in found.step.placements])
    (seen,) = foresight(here[0]).outlooks([found.step], spacing_mm=2.0)
    assert not seen.crossings


def test_one_probe_less_is_worse_and_is_told(found):
    (told,) = [text.en for text in found.alternatives if "dropped" in text.en]
    assert all(f"without {item.name}" in told for item in found.step.placements)


def test_the_mirrored_case_gets_the_mirrored_probes(found, mirror_image):
    other = searched(scene(mirror_image))
    assert other.step.protocol == found.step.protocol
    for left, right in zip(found.step.placements, other.step.placements, strict=True):
        for key in ("skin_lps_mm", "target_lps_mm"):
            assert np.allclose(np.multiply(getattr(left, key), (-1, 1, 1)), getattr(right, key), atol=1e-2)


def test_a_search_never_ends_worse_than_it_began(here, found):
    search = probe_search(here, cold_line(here[0].case))
    probes = [search.scout.see([start])[0] for start in starts(here, 3)]
    for start in probes:
        assert search.best(start).value >= start.value


def starts(place_, count):
    from trocar.planning.array import Probes

    around, up = place_
    tool, _ = chosen_probe(around)
    paths, directions = approaches(around, tool, up)
    return [Probes.fresh(tool, (paths.segment(index),)) for index in directions[:count]]


def test_a_limit_that_is_crossed_is_kept_by_turning_down_or_moving_away(here):
    search = probe_search(here, cold_line(here[0].case, degC_per_mm=2.6))
    start = min(search.scout.see(starts(here, 6)), key=lambda each: each.value)
    assert start.outlook.crossings
    after = search.best(start, budget=60)
    assert after.outlook.excess_degC < start.outlook.excess_degC


def test_remedies_are_simulated_and_one_opens_only_what_stays_warm(case, here):
    search = probe_search(here, predict)
    beside_nerve = np.add(case.structure(NERVE).centerline_lps_mm[1], (16.0, 0.0, 0.0))
    probes = starts(here, 1)[0]
    path = probes.paths[0]
    near = type(path)(
        start_lps_mm=as_vector(beside_nerve - 80 * path.direction),
        end_lps_mm=as_vector(beside_nerve + 20 * path.direction),
    )
    (beside,) = search.scout.see([probes.with_paths({0: near})])
    assert {each.structure for each in beside.outlook.crossings} >= {NERVE}
    made = {each.kind: each for each in remedies(search, beside)}
    assert {"hydrodissection", "carbon_dioxide", "lower_duty", "shorter_freeze", "thermocouple"} <= set(made)
    hard = limit("nerve_min_degC").value
    for each in made.values():
        if each.simulated:
            assert not each.opens or each.after_degC >= hard
    assert made["lower_duty"].after_degC > made["lower_duty"].before_degC
    assert made["shorter_freeze"].after_degC > made["shorter_freeze"].before_degC
    for kind in ("hydrodissection", "carbon_dioxide"):
        assert made[kind].after_degC > made[kind].before_degC + 5.0  # pushed away by 10 mm of 14
    assert made["hydrodissection"].volume_ml > 5.0
    assert made["thermocouple"].opens is None and not made["thermocouple"].simulated


def test_missed_probes_cover_no_more_than_planned_in_the_worst_of_samples(here, found):
    around, _ = here
    (nominal,) = foresight(around).outlooks([found.step])
    first = robustness(foresight(around, cold_line(around.case)), found.step, samples=4, seed=1)
    again = robustness(foresight(around, cold_line(around.case)), found.step, samples=4, seed=1)
    assert first == again
    real = robustness(foresight(around), found.step, samples=6)
    assert real.lethal_frac <= nominal.lethal_frac + 0.01
    assert 0.0 <= real.within_limits_frac <= 1.0


def test_what_stays_uncovered_is_named(here):
    around, up = here
    weak = cold_line(around.case, cold_degC=-25.0)
    made = cover(around, up, intent="curative", predictor=weak, embolized=NOT_EMBOLIZED, effort=Effort(predictions=0))
    assert any("Left outside the lethal zone" in note.en and "next to" in note.en for note in made.step.notes)
    lethal = next(check for check in made.step.checks if check.name == "coverage_planned_-40_degC")
    assert lethal.verdict is Verdict.WARN
    assert made.step.technique is Technique.CRYOABLATION


def test_without_a_predictor_nothing_is_called_a_temperature(here):
    scout = Scout(here[0], here[0].lesion_points_lps_mm, "palliative", None)
    assert scout.see(starts(here, 1))[0].outlook is None


def test_a_remedy_of_a_refused_placement_says_that_it_is_none_of_the_plan():
    tried = Remedy(
        kind="carbon_dioxide",
        structure="nerve_root_s1_left",
        text=Text(en="carbon dioxide", fr="du CO2"),
        simulated=True,
        before_degC=4.0,
        after_degC=-5.2,
        lethal_before_frac=0.36,
        lethal_after_frac=0.38,
        opens=False,
    )
    (text,) = remedy_texts((tried,), refused=True)
    assert text.en.startswith(
        "At the refused placement, with carbon dioxide: the left S1 root at \u22125 instead of 4 °C"
    )
    assert text.fr.startswith("À la position refusée, avec du CO2 : la racine S1 gauche à \u22125 au lieu de 4 °C")
    held = replace(tried, after_degC=27.0, opens=True)
    (text,) = remedy_texts((held,), refused=True)
    assert "opens the plan" not in text.en and "keep every limit there" in text.en
    (text,) = remedy_texts((held,))
    assert text.en.startswith("With carbon dioxide") and text.en.endswith("opens the plan.")
