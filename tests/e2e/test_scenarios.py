"""The acceptance scenarios A1 to A8 on disk, by the commands: options, clock, trace, and what cannot be approved."""

import json
import sys
from pathlib import Path

import pytest

from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit/proposal"))
import proposal_cases as cases

SCENARIOS = {
    "A1": (cases.a1(), "discuss"),
    "A2": (cases.a2(), "discuss"),
    "A3 before the surgeon": (cases.a3(opinion=None), "missing"),
    "A3": (cases.a3(opinion="percutaneous_agreed"), "discuss"),
    "A4": (cases.a4(), "discuss"),
    "A5": (cases.a5(), "discuss"),
    "A6 fit": (cases.a6(opinion=None), "refer"),
    "A6 declined": (cases.a6(opinion="declined"), "discuss"),
    "A7a": (cases.a7a(), "stop"),
    "A7b": (cases.a7b(), "stop"),
    "A7c": (cases.a7c(), "missing"),
    "A8": (cases.a8(), "none"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_from_its_dossier_to_its_clock(name, tmp_path, capsys):
    scenario, verdict = SCENARIOS[name]
    made = Dossier.create(tmp_path / "d", scenario.case())
    made.write("assessment", scenario.assessment())
    folder = str(made.folder)

    def told(*arguments):
        code = run_command([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    _, written = told("propose", folder, "--trace")
    assert {row["outcome"] for row in written["rules"]} >= {"true", "false"}
    proposals = json.loads((made.folder / "proposals.json").read_text())["proposals"]
    assert proposals[0]["verdict"] == verdict
    assert all(option["counterfactuals"] for option in proposals if option["techniques"] or option["gates"])
    if any(option["verdict"] in ("stop", "missing") for option in proposals):
        blocked = [
            gate
            for option in proposals
            for gate in option["gates"]
            if gate["outcome"] in ("stop", "missing", "require")
        ]
        assert blocked or any(option["missing"] for option in proposals)
    code, clock = told("schedule", folder)
    order = [step["id"] for step in proposals[0]["sequence"]]
    assert code == 0 and [step["id"] for step in clock["steps"]] == order
    assert run_command(["approve", folder, "--by", "a test"]) == 3  # nothing is planned, so nothing can be approved
    assert Dossier.open(folder).approvals() == ()
