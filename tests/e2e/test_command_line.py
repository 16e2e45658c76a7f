"""The whole way on the command line, from files, stage by stage."""

import json

SPACING_MM = 3.0


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
