"""The command line: exit codes, one JSON object, `error:` and `hint:` lines, light start."""

import json
import resource
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.dossier import samples

from trocar.cli.commands import _one_value_each, app, run_command
from trocar.cli.summary import case_lines
from trocar.errors import PlanningError
from trocar.io.arrays import write_nifti
from trocar.io.dossier import Dossier
from trocar.model.case import GeometryFinding, Severity


@pytest.fixture
def folder(tmp_path):
    dossier = Dossier.create(tmp_path / "d", samples.case())
    dossier.write("assessment", samples.assessment())
    dossier.write("proposals", (samples.proposal(),))
    dossier.write("plan", samples.plan())
    return str(dossier.folder)


def call(capsys, *arguments):
    """(exit code, standard output, standard error) of a command line."""
    code = run_command(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_status_tells_what_is_there(folder, capsys):
    code, out, err = call(capsys, "status", folder)
    assert (code, err) == (0, "")
    rows = {
        line.split()[0]: line.split()[1] for line in out.splitlines() if line and not line.startswith("assessment:")
    }
    assert rows["plan"] == "fresh" and rows["simulation"] == "missing"
    assert "FAIL" in out and "nerve_minimum_temperature" in out


def test_what_the_reader_says_of_a_structure_names_it():
    lies_out = GeometryFinding(
        subject="hip_left", finding="outside_body", severity=Severity.NOTED, value=0.2, limit=0.05, unit="fraction",
        message="part of the structure lies outside the patient's body",
    )  # fmt: skip
    lines = list(case_lines(replace(samples.case(), geometry=(lies_out,))))
    assert "noted: hip_left: part of the structure lies outside the patient's body" in lines


@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "a0, a1: no unit"), (4, "a0, a1, a2, a3: no unit"), (60, "a0, a1, a2 and 57 others: no unit")],
)
def test_what_the_reader_says_of_many_is_told_once(count, said):
    findings = tuple(
        GeometryFinding(
            subject=f"a{n}",
            finding="length_unit",
            severity=Severity.NOTED,
            value=0,
            limit=0,
            unit="1",
            message="no unit",
        )
        for n in range(count)
    )
    lines = [line for line in case_lines(replace(samples.case(), geometry=findings)) if "no unit" in line]
    assert lines == [f"noted: {said}"]


def test_status_json_is_one_object_with_the_failed_checks(folder, capsys):
    code, out, err = call(capsys, "status", folder, "--json")
    values = json.loads(out)
    assert (code, err) == (0, "")
    entries = {entry["name"]: entry for entry in values["entries"]}
    assert entries["assessment"]["failed"][0]["verdict"] == "FAIL"
    assert entries["plan"]["state"] == "fresh" and len(entries["plan"]["digest"]) == 64


def test_strict_fails_on_a_failed_check_and_on_staleness(folder, capsys):
    assert call(capsys, "status", "--strict", folder)[0] == 1
    dossier = Dossier.open(folder)
    dossier.write("assessment", type(samples.assessment())(lesions=()))
    assert call(capsys, "status", folder)[0] == 0
    assert call(capsys, "status", "--strict", folder)[0] == 1  # proposals are stale now
    dossier.write("proposals", (samples.proposal(),))
    dossier.write("plan", samples.plan())
    assert call(capsys, "status", "--strict", folder)[0] == 0


def test_damage_exits_5(folder, capsys):
    with (Dossier.open(folder).folder / "plan.json").open("a") as stream:
        stream.write(" ")
    code, out, err = call(capsys, "status", folder)
    assert (code, out) == (5, "")
    assert err.startswith("error: ") and "\nhint: " in err


def test_a_run_that_has_nothing_to_make_sees_damage_too(folder, capsys):
    dossier = Dossier.open(folder)
    dossier.write("simulation", samples.simulation())
    dossier.write("report", "<p>")
    assert call(capsys, "run", folder)[0] == 0
    with (dossier.folder / "structures.nii.gz").open("ab") as stream:
        stream.write(b" ")
    code, _, err = call(capsys, "run", folder)
    assert code == 5 and "structures.nii.gz" in err and "\nhint: " in err
    assert (dossier.folder / "report.html").read_text() == "<p>"


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("status",),
        ("status", "--nonsense", "x"),
        ("schema", "x"),
        ("devices", "no-such-device"),
        ("demo", "elbow"),
        ("new", "d", "--ct", "ct.nii.gz", "--structure", "lesion_1"),
        ("new", "d"),
        ("simulate", "d", "--spacing-mm", "99"),
        ("verify", "d", "--series", "1.2.3"),
    ],
)
def test_misuse_exits_2_with_a_hint(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and "\nhint: " in err and "Traceback" not in err
    code, out, err = call(capsys, *arguments, "--json")
    assert json.loads(out)["error"]["exit_code"] == code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Dossier, "open", full)
    code, _, err = call(capsys, "run", str(tmp_path))
    assert code == 2 and "No space left" in err and "\nhint: " in err


def test_without_a_command_the_help_is_shown(capsys):
    code, out, _ = call(capsys)
    assert code == 0 and "Commands:" in out


def test_a_missing_dossier_exits_5(capsys, tmp_path):
    for command in ("assess", "propose", "plan", "simulate", "verify", "report", "run", "status"):
        code, _, err = call(capsys, command, str(tmp_path / "absent"))
        assert code == 5 and "there is no" in err, command


def test_a_refused_plan_exits_3_and_still_tells_the_status_in_one_object(folder, capsys, monkeypatch):
    from trocar import workflow

    refusal = PlanningError("no corridor", hint="choose another option")
    monkeypatch.setattr(workflow, "run", lambda *_, **__: workflow.Outcome(made=("report",), refusal=refusal))
    code, out, err = call(capsys, "run", folder, "--json")
    values = json.loads(out)
    assert code == 3 and values["refusal"]["message"] == "no corridor" and values["made"] == ["report"]
    assert err == "error: no corridor\nhint: choose another option\n"


def test_approving_is_recorded_and_revoked(folder, capsys):
    code, out, _ = call(capsys, "approve", folder, "--by", "Dr. A", "--json")
    assert code == 0 and json.loads(out)["digests"].keys() == {"case", "proposals", "plan"}
    assert "stands" in call(capsys, "status", folder)[1]
    Dossier.open(folder).write("plan", samples.plan(blocked_by=("G1",)))
    assert "revoked" in call(capsys, "status", folder)[1]
    code, _, err = call(capsys, "approve", folder, "--by", "Dr. A")
    assert code == 3 and "G1" in err


def test_devices_come_with_their_sources(capsys):
    code, out, _ = call(capsys, "devices", "--json")
    listed = json.loads(out)["devices"]
    assert code == 0 and {"cryoprobe-17g-icerod", "screw-7.3"} <= {device["id"] for device in listed}
    code, out, _ = call(capsys, "devices", "cryoprobe-17g-icerod", "--json")
    assert json.loads(out)["sources"]
    assert "diameter_mm" in call(capsys, "devices", "cryoprobe-17g-icerod")[1]


def test_several_values_may_follow_one_option():
    given = ("new", "d", "--ct", "x", "--markups", "a", "b", "--structure", "l=1", "n=2", "m=3", "--json")
    spelled = [
        "new",
        "d",
        "--ct",
        "x",
        "--markups",
        "a",
        "--markups",
        "b",
        "--structure",
        "l=1",
        "--structure",
        "n=2",
        "--structure",
        "m=3",
        "--json",
    ]
    assert _one_value_each(given) == spelled
    assert _one_value_each(("new", "--markups", "a", "d")) == ["new", "--markups", "a", "d"]


def test_a_schema_is_json(capsys):
    code, out, _ = call(capsys, "schema", "clinical")
    assert code == 0
    assert json.loads(out)["$defs"]["Pain"]["properties"]["worst_nrs"]["maximum"] == 10


def test_every_command_takes_json():
    for command in app.registered_commands:
        assert "as_json" in command.callback.__annotations__, command.callback.__name__


def cpu_s(*arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", "from trocar.cli import main; main()", *arguments], capture_output=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_is_quick():
    assert min(cpu_s("--help") for _ in range(3)) < 0.5


TABLE = """medium,bath_degC,time_min,isotherm_degC,width_mm,width_sd_mm,length_mm,length_sd_mm,source
gel,37,10,0,28.9,1,35.1,1,invented
gel,37,10,-40,12.1,1,21.9,1,invented
"""


def test_a_probe_is_calibrated_on_its_table(tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    code, out, err = call(capsys, "devices", "cryoprobe-17g-icesphere", "--calibrate", str(path), "--json")
    values = json.loads(out)
    assert (code, err, values["schema"]) == (0, "", "trocar/calibration/1")
    found = {row["name"]: row for row in values["estimates"]}
    assert found["active_length_mm"]["identifiability"] == "identified"
    assert found["tip_shift_mm"]["identifiability"] == "not identified"
    assert len(values["sizes"]) == 4 and values["toml"].startswith("[[device]]")


def test_a_table_without_its_bath_is_refused(tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text(TABLE.replace(",bath_degC", "").replace(",37,", ","))
    code, out, err = call(capsys, "devices", "cryoprobe-17g-icesphere", "--calibrate", str(path))
    assert (code, out) == (2, "") and "bath" in err and "hint: " in err
    assert call(capsys, "devices", "screw-6.5", "--calibrate", str(path))[0] == 2
    assert call(capsys, "devices", "--calibrate", str(path))[0] == 2


def test_a_control_that_cannot_be_verified_leaves_the_one_before(folder, capsys, tmp_path):
    dossier = Dossier.open(folder)
    dossier.write("control", samples.case(5))
    kept = dossier.digest("control")
    flat = samples.case(6)
    values = np.full(flat.grid.shape, 40, np.int16)
    values[0], values[1], values[2] = -1000, -90, 600
    path = tmp_path / "control.nii.gz"
    write_nifti(path, values, flat.grid)
    code, _, err = call(capsys, "verify", folder, "--control", str(path))
    assert code != 0 and "hint:" in err
    assert Dossier.open(folder).digest("control") == kept


def test_a_damaged_control_can_be_replaced(folder, capsys, tmp_path):
    dossier = Dossier.open(folder)
    dossier.write("control", samples.case(5))
    damaged = dossier.digest("control")
    (dossier.folder / "control/case.json").write_text("{}")
    path = tmp_path / "control.nii.gz"
    write_nifti(path, samples.case(6).ct.values, samples.case(6).grid)
    call(capsys, "verify", folder, "--control", str(path))
    assert Dossier.open(folder).digest("control") != damaged
