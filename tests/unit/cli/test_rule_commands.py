"""`trocar rules` and `trocar propose --trace`: every rule with what it asks, and what it was answered."""

import json
import sys
from pathlib import Path

import pytest

from trocar.catalog.ruleset import ruleset
from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier

sys.path.append(str(Path(__file__).resolve().parents[1] / "proposal"))
import proposal_cases as cases

RULES = ruleset()


def call(capsys, *arguments):
    code = run_command(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def dossier(tmp_path):
    made = Dossier.create(tmp_path / "d", cases.a2().case())
    made.write("assessment", cases.a2().assessment())
    return str(made.folder)


def test_rules_lists_every_rule_with_the_rule_sets_digest(capsys):
    code, out, _ = call(capsys, "rules", "--json")
    values = json.loads(out)
    assert code == 0 and values["ruleset"] == RULES.version
    assert [(row["id"], row["part"]) for row in values["rules"]] == [(rule.id, rule.part) for rule in RULES.rules]
    assert all(row["source"] and row["grade"] and row["text"]["fr"] and row["last_reviewed"] for row in values["rules"])


def test_a_rule_is_explained_with_its_condition_its_source_and_both_languages(capsys):
    code, out, _ = call(capsys, "rules", "T2")
    assert code == 0
    for said in ("SHOULD", "grade B", "P-MECH is true", "torsion_shear", "speaks for screw", "V12:", "vis et ciment"):
        assert said in out, said
    assert "nerve_distance_mm at most 15 (limit nerve_protect_below_mm)" in call(capsys, "rules", "e6")[1]
    code, _, err = call(capsys, "rules", "T99")
    assert code == 2 and "T99" in err and "G1" in err


def test_a_trace_shows_each_rules_inputs_and_outcome(dossier, capsys):
    code, out, _ = call(capsys, "propose", dossier, "--trace", "--json")
    rows = json.loads(out)["rules"]
    assert code == 0 and len(rows) == len(RULES.rules)
    found = {(row["rule"], row["part"]): row for row in rows}
    assert found["G9", ""]["outcome"] == "pass"
    assert found["G9", ""]["inputs"]["platelets_giga_per_l"] == "250"
    assert found["T8", ""]["outcome"] == "true" and found["T8", ""]["inputs"]["P-BLEED"] == "true"
    assert found["T1", ""]["outcome"] == "false" and found["T1", ""]["deciding"] == ["mechanical_class"]
    assert found["G5", ""]["inputs"]["sins"] == "unknown" or found["G5", ""]["outcome"] == "pass"
    text = call(capsys, "propose", dossier, "--trace")[1]
    assert "inr = 1" in text and "lesion_1" in text


def test_a_schedule_is_told_and_nothing_is_written(dossier, capsys):
    call(capsys, "propose", dossier, "--trace")
    before = (Path(dossier) / "trocar.json").read_bytes()
    code, out, _ = call(capsys, "schedule", dossier, "--room-degc", "8", "--tissue-degc", "5", "--json")
    values = json.loads(out)
    assert code == 0 and values["sequence_variant"] == "screw_mounted_on_cement"
    assert [batch["id"] for batch in values["batches"]] == ["cement-mix-1"]
    assert {check["name"]: check["verdict"] for check in values["checks"]}["cement_into_cold_tissue"] == "FAIL"
    text = call(capsys, "schedule", dossier)[1]
    assert "in all" in text and "cement-mix-2" in text and "UNKNOWN" in text
    assert call(capsys, "schedule", dossier, "--proposal", "99")[0] == 2
    assert (Path(dossier) / "trocar.json").read_bytes() == before


def test_a_trace_says_what_is_unknown(tmp_path, capsys):
    made = Dossier.create(tmp_path / "d", cases.a7c().case())
    made.write("assessment", cases.a7c().assessment())
    rows = json.loads(call(capsys, "propose", str(made.folder), "--trace", "--json")[1])["rules"]
    found = {(row["rule"], row["part"]): row for row in rows}
    assert found["G13", ""]["outcome"] == "missing"
    assert found["G7", ""]["inputs"]["inr"] == "unknown" and found["G7", ""]["outcome"] == "missing"


def test_a_stopped_case_has_nothing_to_schedule_and_all_its_sheets(tmp_path, capsys):
    scenario = cases.a2().lesion(neurological_deficit="motor")
    made = Dossier.create(tmp_path / "d", scenario.case())
    made.write("assessment", scenario.assessment())
    code, out, _ = call(capsys, "schedule", str(made.folder))
    assert code == 0 and "nothing to schedule" in out and "in all" not in out
    assert call(capsys, "documents", str(made.folder))[0] == 0
    assert len(list((made.folder / "documents").glob("*.pdf"))) == 12
