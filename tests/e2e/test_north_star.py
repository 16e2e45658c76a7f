"""The whole way, in Python and on the command line, on the coarse synthetic iliac wing."""

import json
import math

import numpy as np
import pytest

import trocar
from trocar import phantoms

SPACING_MM = 3.0
VOXEL_MM = 2.0  # coarser, a needle of 1.5 mm is not found on the control
STAGES = ("case", "assessment", "proposals", "plan", "simulation", "control", "verification", "as_done", "report")


@pytest.fixture(scope="module")
def case():
    return phantoms.ilium(spacing_mm=(VOXEL_MM, VOXEL_MM, VOXEL_MM))


@pytest.fixture(scope="module")
def way(case):
    """Every noun of the way, by name."""
    assessment = trocar.assess(case)
    proposal, *_ = trocar.propose(case, assessment)
    plan = trocar.plan(case, proposal)
    simulation = trocar.simulate(case, plan, spacing_mm=SPACING_MM)
    probes = [
        item for step in plan.of(trocar.Technique.CRYOABLATION) for item in step.placements if item.role == "probe"
    ]
    truth = phantoms.control(case, probes)
    verification = trocar.verify(case, plan, truth.case)
    return {
        "assessment": assessment,
        "proposal": proposal,
        "plan": plan,
        "simulation": simulation,
        "truth": truth,
        "verification": verification,
    }


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
    assert np.linalg.norm((found - true) @ lesion) < VOXEL_MM
    placed = {placement.name: placement for placement in truth.placed_in_plan}
    seen = [error for error in verification.placements if error.found is not None]
    assert len(seen) >= len(placed) / 2
    for error in seen:
        axis = placed[error.name].axis
        assert axis.distance_mm(error.found.target_lps_mm) < 2 * VOXEL_MM  # on its needle, not on the neighbor's


def test_the_treatment_as_placed_is_simulated_and_reported(way, case, tmp_path):
    as_done = trocar.simulate(case, way["verification"].as_placed, spacing_mm=SPACING_MM)
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
    run = json.loads(trocar_command("run", folder, "--spacing-mm", SPACING_MM, "--json", check=0).stdout)
    assert run["made"] == ["assessment", "proposals", "plan", "simulation", "report"] and run["refusal"] is None
    assert json.loads(trocar_command("run", folder, "--json", check=0).stdout)["made"] == []
    for command, schema in {
        "assess": "assessment", "propose": "proposals", "plan": "plan", "simulate": "simulation", "report": "report",
    }.items():  # fmt: skip
        done = trocar_command(command, folder, "--json", check=0)
        assert json.loads(done.stdout)["schema"] == f"trocar/{schema}/1"
        assert done.stderr == ""
    status = json.loads(trocar_command("status", folder, "--json", check=0).stdout)
    assert {entry["name"] for entry in status["entries"] if entry["state"] == "stale"} == set()
    failed = [check for entry in status["entries"] for check in entry["failed"]]
    assert trocar_command("status", "--strict", folder).returncode == (1 if failed else 0)


@pytest.mark.parametrize("case", ["ilium", "sacrum"])
def test_the_demo_goes_all_the_way(case, trocar_command, tmp_path):
    options = ("--voxel-mm", VOXEL_MM, "--spacing-mm", SPACING_MM, "--no-open", "--json")
    done = trocar_command("demo", case, *options, check=0, cwd=tmp_path)
    values = json.loads(done.stdout)
    assert done.stderr == ""
    assert [entry["name"] for entry in values["status"]["entries"] if entry["state"] == "fresh"] == list(STAGES)
    dossier = trocar.Dossier.open(tmp_path / "demo" / case)
    dossier.verify()
    assert (dossier.folder / "report.html").stat().st_size > 100_000
    again = trocar_command("demo", case, *options, cwd=tmp_path)
    assert again.returncode == 2 and "--force" in again.stderr
