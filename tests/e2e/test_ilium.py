"""Case A1 all the way: the tutorial as it is printed, and what its `trocar demo ilium` leaves behind."""

import math
from dataclasses import replace

import numpy as np
import pytest

import trocar
from trocar import phantoms
from trocar.model.space import as_vector

from . import sampler
from .conftest import DEMO_MM, TUTORIALS, assert_all_the_way

TUTORIAL = "ilium"


@pytest.fixture(scope="module")
def dossier(tutorial):
    """The one that the tutorial's `trocar demo ilium` left."""
    return trocar.Dossier.open(tutorial.folder / "demo/ilium")


@pytest.fixture(scope="module")
def way(dossier):
    """Every noun of the way, by name, and where the control's probes truly are."""
    nouns = {
        name: dossier.read(name) for name in ("case", "assessment", "plan", "simulation", "verification", "as_done")
    }
    frozen = nouns["plan"].of(trocar.Technique.CRYOABLATION)
    probes = [item for step in frozen for item in step.placements if item.role == "probe"]
    return nouns | {"proposal": dossier.read("proposals")[0], "truth": phantoms.control(nouns["case"], probes)}


def test_there_is_a_tutorial_per_case():
    assert sorted(path.stem for path in TUTORIALS.glob("*.md")) == ["ilium", "sacrum"]


def test_the_tutorial_runs_and_its_numbers_hold(tutorial):
    assert tutorial.assertions >= 3


def test_the_demo_goes_all_the_way(dossier):
    assert_all_the_way(dossier)


def test_the_lesion_is_measured(way):
    (lesion,) = way["assessment"].lesions
    assert lesion.side is trocar.Side.LEFT
    assert lesion.volume_ml == pytest.approx(lesion.compartments.bone_ml + lesion.compartments.soft_tissue_ml, rel=1e-6)
    assert lesion.volume_ml == pytest.approx(math.pi / 6 * math.prod(lesion.diameters_mm) / 1000, rel=0.25)


# shows: R89
def test_the_plan_is_the_combination_in_its_order(way):
    steps = [step.id for step in way["plan"].steps]
    assert steps == ["biopsy-1", "cryoablation-1", *[s for s in steps if s.startswith(("screw", "cement"))]]
    assert steps.index("screw-1") < steps.index("cement-1")
    assert way["plan"].approvable == (not way["plan"].failed and not way["plan"].blocked_by)
    for step in way["plan"].steps:
        for placement in step.placements:
            length = math.dist(placement.entry_lps_mm, placement.target_lps_mm)
            assert placement.length_mm == pytest.approx(length, abs=0.1)
            assert placement.target_lps_mm[0] > 0  # the patient's left


def test_no_point_of_an_instrument_breaks_a_hard_constraint_and_a_bad_one_would_be_caught(way):
    case, plan = way["case"], way["plan"]
    assert sampler.roles(plan) >= {"probe", "biopsy", "screw", "trocar"}
    assert sampler.violations(case, plan) == []
    (freezing,) = plan.of(trocar.Technique.CRYOABLATION)
    artery, bowel = (case.structure(name) for name in ("superior_gluteal_artery_left", "colon"))
    bad = [
        replace(probe, target_lps_mm=as_vector(case.grid.to_lps(np.argwhere(wrong.inside)[0])))
        for probe, wrong in zip(freezing.placements, (artery, bowel), strict=False)
    ]
    told = sampler.violations(case, replace(plan, steps=(replace(freezing, placements=tuple(bad)),)))
    assert any("superior_gluteal_artery_left" in each for each in told)
    assert any("colon" in each for each in told)


def test_colder_zones_lie_inside_warmer_ones(way):
    after = [state for state in way["simulation"].states if state.step == "cryoablation-1" and state.zones][-1]
    volumes = [after.zones[zone].volume_ml for zone in ("0_degC", "-20_degC", "-40_degC")]
    assert volumes == sorted(volumes, reverse=True) and volumes[-1] > 0
    coverage = [after.zones[zone].coverage_frac.lesion for zone in ("0_degC", "-20_degC", "-40_degC")]
    assert coverage == sorted(coverage, reverse=True) and coverage[0] > 0.5


def test_the_control_is_registered_and_the_probes_are_found(way):
    truth, verification = way["truth"], way["verification"]
    found, true = np.array(verification.registration.control_from_plan), np.array(truth.control_from_plan)
    lesion = np.array([*way["assessment"].lesions[0].center_lps_mm, 1.0])
    assert np.linalg.norm((found - true) @ lesion) < DEMO_MM
    placed = {placement.name: placement for placement in truth.placed_in_plan}
    seen = [error for error in verification.placements if error.found is not None]
    assert len(seen) >= len(placed) / 2
    for error in seen:
        axis = placed[error.name].axis
        assert axis.distance_mm(error.found.target_lps_mm) < 2 * DEMO_MM  # on its needle, not on the neighbor's


def test_the_treatment_as_placed_is_simulated_and_reported(way, tmp_path):
    case, as_done = way["case"], way["as_done"]
    report = trocar.report(case, way["assessment"], way["proposal"], way["plan"], as_done, way["verification"])
    path = report.save(tmp_path / "left-ilium.html")
    assert path.read_text() == report.html
    assert 'lang="fr"' in report.html and 'lang="en"' in report.html and "webgl2" in report.html
