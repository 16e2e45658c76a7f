"""The whole way, in Python and on the command line, on the coarse synthetic iliac wing."""

import json
import math

import numpy as np
import pytest

import trocar
from trocar import phantoms

from .conftest import DEMO_MM

SPACING_MM = 3.0
STAGES = ("case", "assessment", "proposals", "plan", "simulation", "control", "verification", "as_done", "report")
on_the_demo = pytest.mark.parametrize(
    "tutorial", [pytest.param("ilium", marks=pytest.mark.xdist_group("ilium"))], indirect=True
)


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


@on_the_demo
def test_the_lesion_is_measured(way):
    (lesion,) = way["assessment"].lesions
    assert lesion.side is trocar.Side.LEFT
    assert lesion.volume_ml == pytest.approx(lesion.compartments.bone_ml + lesion.compartments.soft_tissue_ml, rel=1e-6)
    assert lesion.volume_ml == pytest.approx(math.pi / 6 * math.prod(lesion.diameters_mm) / 1000, rel=0.25)


# shows: R89
@on_the_demo
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


@on_the_demo
def test_colder_zones_lie_inside_warmer_ones(way):
    after = [state for state in way["simulation"].states if state.step == "cryoablation-1" and state.zones][-1]
    volumes = [after.zones[zone].volume_ml for zone in ("0_degC", "-20_degC", "-40_degC")]
    assert volumes == sorted(volumes, reverse=True) and volumes[-1] > 0
    coverage = [after.zones[zone].coverage_frac.lesion for zone in ("0_degC", "-20_degC", "-40_degC")]
    assert coverage == sorted(coverage, reverse=True) and coverage[0] > 0.5


@on_the_demo
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


@on_the_demo
def test_the_treatment_as_placed_is_simulated_and_reported(way, tmp_path):
    case, as_done = way["case"], way["as_done"]
    report = trocar.report(case, way["assessment"], way["proposal"], way["plan"], as_done, way["verification"])
    path = report.save(tmp_path / "left-ilium.html")
    assert path.read_text() == report.html
    assert 'lang="fr"' in report.html and 'lang="en"' in report.html and "webgl2" in report.html


def test_on_the_command_line(given, trocar_command, tmp_path):
    folder = tmp_path / "left-ilium"
    nerves = [str(path) for name, path in given.items() if name.startswith("nerve")]
    made = trocar_command(
        "new", folder, "--ct", given["dicom"], "--structures", given["structures"], "--labels", given["labels"],
        "--structure", f"lesion_1={given['lesion']}", "--markups", *nerves, "--clinical", given["clinical"], "--json",
        check=0,
    )  # fmt: skip
    assert json.loads(made.stdout)["schema"] == "trocar/case/1"
    stages = {
        "assess": "assessment", "propose": "proposals", "plan": "plan", "simulate": "simulation", "report": "report",
    }  # fmt: skip
    for command, schema in stages.items():
        options = ("--spacing-mm", SPACING_MM) if command == "simulate" else ()
        done = trocar_command(command, folder, *options, "--json", check=0)
        assert json.loads(done.stdout)["schema"] == f"trocar/{schema}/1"
        assert done.stderr == ""
    run = json.loads(trocar_command("run", folder, "--json", check=0).stdout)
    assert run["made"] == [] and run["refusal"] is None  # each command made its own stage, with its settings kept
    status = json.loads(trocar_command("status", folder, "--json", check=0).stdout)
    assert {entry["name"] for entry in status["entries"] if entry["state"] == "stale"} == set()
    failed = [check for entry in status["entries"] for check in entry["failed"]]
    assert trocar_command("status", "--strict", folder).returncode == (1 if failed else 0)


def assert_all_the_way(dossier):
    fresh = [status.name for status in dossier.status() if dossier.is_fresh(status.name)]
    assert fresh == list(STAGES)
    dossier.verify()
    assert (dossier.folder / "report.html").stat().st_size > 100_000


@on_the_demo
def test_the_demo_of_the_ilium_goes_all_the_way(dossier):
    assert_all_the_way(dossier)


@pytest.mark.xdist_group("sacrum")
def test_the_demo_of_the_sacrum_goes_all_the_way_and_is_not_overwritten(sacrum_demo, trocar_command):
    folder, printed = sacrum_demo
    assert [entry["name"] for entry in printed["status"]["entries"] if entry["state"] == "fresh"] == list(STAGES)
    assert_all_the_way(trocar.Dossier.open(folder))
    again = trocar_command("demo", "sacrum", "--no-open", cwd=folder.parent.parent)
    assert again.returncode == 2 and "--force" in again.stderr
