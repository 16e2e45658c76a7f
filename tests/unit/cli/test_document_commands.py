"""`trocar documents`: files written whole, in the languages and for the names that were asked."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import reporting_case
from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier
from trocar.model.finding import Check, Verdict
from trocar.planning.kit import kit

sys.path.append(str(Path(__file__).resolve().parents[1] / "proposal"))
import proposal_cases as cases


@pytest.fixture
def dossier(tmp_path):
    made = Dossier.create(tmp_path / "d", cases.a2().case())
    made.write("assessment", cases.a2().assessment())
    return made.folder


def call(capsys, *arguments):
    code = run_command([str(item) for item in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_all_documents_in_both_languages_beside_the_dossiers_entries(dossier, capsys):
    code, out, _ = call(capsys, "documents", dossier, "--json")
    rows = json.loads(out)["documents"]
    assert code == 0 and len(rows) == 12
    for row in rows:
        assert Path(row["pdf"]).read_bytes().startswith(b"%PDF-")
        assert f'lang="{row["language"]}"' in Path(row["html"]).read_text(encoding="utf-8")
        assert Path(row["pdf"]).parent == dossier / "documents"
    assert call(capsys, "status", dossier)[0] == 0


def test_one_document_in_one_language_elsewhere(dossier, tmp_path, capsys):
    code, out, _ = call(
        capsys, "documents", dossier, "--only", "run-sheet", "--language", "fr", "--output", tmp_path / "o"
    )
    assert code == 0 and "run-sheet-fr.pdf" in out
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["run-sheet-fr.html", "run-sheet-fr.pdf"]


@pytest.mark.parametrize("wrong", [("--only", "poem"), ("--language", "de")])
def test_what_does_not_exist_is_refused(dossier, capsys, wrong):
    code, out, _ = call(capsys, "documents", dossier, *wrong, "--json")
    assert code == 2 and json.loads(out)["error"]["class"] == "InputError"
    assert not (dossier / "documents").exists()


@pytest.fixture
def planned(tmp_path):
    scenario = cases.a1()
    made = Dossier.create(tmp_path / "planned", scenario.case())
    made.write("assessment", scenario.assessment())
    made.write("proposals", scenario.proposals())
    steps = reporting_case.plan().steps
    made.write("plan", replace(reporting_case.plan(), kit=kit(steps)))
    return made


def test_the_run_sheet_of_a_dossier_with_a_plan_has_its_kit_and_the_schedules_checks(planned, tmp_path, capsys):
    code, _, _ = call(capsys, "documents", planned.folder, "--only", "run-sheet", "--output", tmp_path / "o")
    assert code == 0
    for language, unknown in (("en", "UNKNOWN"), ("fr", "INCONNU")):
        said = (tmp_path / "o" / f"run-sheet-{language}.html").read_text(encoding="utf-8").replace("\u00a0", " ")
        assert "2 × IceFORCE 2.1 CX (+1)" in said and f"? {unknown}" in said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("min (model prior)", "a prior of the model")),
        ("fr", ("min (a priori du modèle)", "a priori du modèle ;")),
    ],
)
def test_the_simulated_setting_time_is_on_the_run_sheet_as_a_prior(planned, tmp_path, capsys, language, said):
    setting = Check(name="cement_setting_time", subject="cement-1", value=29.0, limit=30.0, unit="min",
                    verdict=Verdict.PASS, source="software default")  # fmt: skip
    planned.write("simulation", replace(reporting_case.simulation(), checks=(setting,)))
    (batch,) = json.loads(call(capsys, "schedule", planned.folder, "--json")[1])["batches"]
    assert batch["set_source"] == "model prior" and batch["set_at_s"] > 29 * 60
    assert "set " in call(capsys, "schedule", planned.folder)[1] + call(capsys, "schedule", planned.folder)[2]
    call(capsys, "documents", planned.folder, "--only", "run-sheet", "--output", tmp_path / "o")
    page = (tmp_path / "o" / f"run-sheet-{language}.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert all(page.count(part) == 1 for part in said)


def test_the_clock_knows_the_simulated_cavity_and_not_when_the_cement_has_set_where_that_is_not_told(planned, capsys):
    def checks(*arguments):
        return {item["name"]: item for item in json.loads(call(capsys, *arguments, "--json")[1])["checks"]}

    before = checks("schedule", planned.folder)
    assert before["cement_into_cold_tissue"]["verdict"] == "UNKNOWN"
    cavities = [
        Check(name="cavity_temperature_for_cement", subject=name, value=degC, limit=20.0, unit="degC",
              verdict=Verdict.PASS, source="design")
        for name, degC in (("cement-1", 31.0), ("cement-2", 12.5))
    ]  # fmt: skip
    planned.write("simulation", replace(reporting_case.simulation(), checks=tuple(cavities)))
    after = checks("schedule", planned.folder)
    assert (after["cement_into_cold_tissue"]["value"], after["cement_into_cold_tissue"]["verdict"]) == (12.5, "FAIL")
    assert {name: item for name, item in after.items() if "cold" not in name} == {
        name: item for name, item in before.items() if "cold" not in name
    }
    given = checks("schedule", planned.folder, "--tissue-degc", "30")
    assert given["cement_into_cold_tissue"]["value"] == 30.0
