"""The run sheet: what the schedule fails or does not know, every step with its kit, looks, stops, nerve limits."""

import datetime
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import reporting_case as made
from pdf_text import page_texts
from trocar.catalog import limit
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sheets import sheet_lines
from trocar.model.finding import Check, Verdict
from trocar.model.schedule import SIMULATED
from trocar.planning.kit import kit
from trocar.proposal.schedule import schedule
from trocar.reporting.documents.documents import documents, sheet
from trocar.reporting.gathered import gather
from trocar.reporting.language import Language
from trocar.reporting.words import check_name

sys.path.append(str(Path(__file__).resolve().parents[1] / "proposal"))
import proposal_cases as cases

DAY = datetime.date(2026, 11, 26)
CODES = ("en", "fr")


def planned():
    """A plan by hand for the option of scenario A1, its kit counted by the planner, one nerve foreseen at 14 degC."""
    nerve = Check(
        name="nerve_minimum_temperature_planned",
        subject="sciatic_nerve_left",
        value=14.0,
        limit=10.0,
        unit="degC",
        verdict=Verdict.PASS,
        source="V26",
    )
    steps = tuple(
        replace(step, checks=(*step.checks, nerve)) if step.id == "cryoablation-1" else step
        for step in made.plan().steps
    )
    return replace(made.plan(), steps=steps, kit=kit(steps))


def run_sheet(code="en", *, scenario=None, plan=None, change=None, **clock):
    """The sheet and the schedule behind it."""
    scenario = scenario or cases.a1()
    options = scenario.proposals()
    timed = schedule(options[0], plan, **clock)
    timed = change(timed) if change else timed
    given = (scenario.assessment(), *options, *([plan] if plan else []), timed)
    return sheet(gather(scenario.case(), given, None), "run-sheet", code, DAY), timed


def section(said, key):
    return next(one for one in said.sections if one.key == key)


# --- the schedule's own checks


@pytest.mark.parametrize(("code", "fail"), [("en", "FAIL"), ("fr", "ÉCHEC")])
def test_a_mix_that_is_too_short_fails_above_everything_and_first_among_the_checks(code, fail):
    said, timed = run_sheet(code, scenario=cases.a2(), room_degC=30.0)
    failed = [check for check in timed.failed if check.name == "cement_clock"]
    assert failed, "a warm room sets cement sooner than two screws need"
    assert any(alarm.startswith(fail) for alarm in said.alarms)
    items = section(said, "checks").blocks[0].items
    assert items[0].startswith(f"✖ {fail}")
    assert f"{failed[0].value:.0f}" in items[0] and f"{failed[0].limit:.0f}" in items[0]


def test_only_the_sheets_of_the_room_cry_out_for_the_schedule():
    scenario = cases.a2()
    options = scenario.proposals()
    timed = schedule(options[0], room_degC=30.0)
    gathered = gather(scenario.case(), (scenario.assessment(), *options, timed), None)
    cried = {kind for kind in ("tumor-board", "consultation-letter", "checklist", "run-sheet")
             if any("FAIL" in alarm for alarm in sheet(gathered, kind, "en", DAY).alarms)}  # fmt: skip
    assert cried == {"checklist", "run-sheet"}


@pytest.mark.parametrize(("code", "unknown"), [("en", "unknown"), ("fr", "inconnu")])
def test_an_unknown_setting_time_and_an_unknown_cavity_are_said(code, unknown):
    said, timed = run_sheet(code)
    assert timed.batches[0].set_at_s is None
    doubtful = [item for item in section(said, "checks").blocks[0].items if item.startswith("? ")]
    assert len(doubtful) == 2
    assert all(unknown in item for item in doubtful)
    known, timed = run_sheet(code, tissue_degC=37.0)
    assert timed.batches[0].set_at_s is not None
    assert not [item for item in section(known, "checks").blocks[0].items if item.startswith("? ")]


@pytest.mark.parametrize(("code", "zero"), [("en", "start of mixing"), ("fr", "début du malaxage")])
def test_when_cement_has_set_is_told_in_minutes_and_from_when_they_count(code, zero):
    mixed = {"set_at_s": 1964.0, "set_source": SIMULATED}
    said, _ = run_sheet(
        code,
        plan=planned(),
        change=lambda timed: replace(timed, batches=tuple(replace(mix, **mixed) for mix in timed.batches)),
    )
    line = next(item for item in section(said, "checks").blocks[0].items if "33\u00a0min" in item)
    assert zero in line
    assert "33\u00a0min" in section(said, "sequence").blocks[1].items[0]
    language = Language(code)
    assert check_name("cement_setting_time", language) != check_name("cement_set_from_mixing", language)


@pytest.mark.parametrize("code", CODES)
def test_an_order_rule_that_gave_way_is_said_with_what_it_asks_for(code):
    said, _ = run_sheet(code, change=lambda timed: replace(timed, yielded=("E2", "E11")))
    items = section(said, "checks").blocks[0].items
    for rule in (rule for rule in ruleset().order if rule.id in ("E2", "E11")):
        assert any(rule.id in item and getattr(rule.text, code) in item for item in items)


@pytest.mark.parametrize("code", CODES)
def test_every_kind_of_check_of_a_schedule_has_its_words(code):
    checks = (
        Check(name="order_of_steps", subject="cement-1", value=1.0, limit=0.0, unit="count", verdict=Verdict.FAIL,
              source="design", message="must come after thaw-1 (E10)"),
        Check(name="session_time", subject="session", value=237.0, limit=180.0, unit="min", verdict=Verdict.FAIL,
              source="design (the budget that was given)", message="164 to 381 min"),
    )  # fmt: skip
    said, _ = run_sheet(code, change=lambda timed: replace(timed, checks=checks))
    shown = " ".join(section(said, "checks").blocks[0].items[:2])
    assert "237" in shown and "180" in shown and "E10" in shown
    assert "cement-1" not in shown and "thaw-1" not in shown
    if code == "fr":
        assert not {"must", "come", "after", "Session", "order_of_steps", "budget"} & set(
            shown.replace(":", " ").split()
        )


@pytest.mark.parametrize(
    ("code", "stop", "none"), [("en", "STOP G", "no schedule:"), ("fr", "ARRÊT G", "pas d'horloge")]
)
def test_a_case_that_a_gate_stops_has_every_sheet_without_a_schedule(code, stop, none):
    scenario = cases.a2().lesion(neurological_deficit="motor")
    options = scenario.proposals()
    timed = schedule(options[0])
    assert timed.steps == ()
    given = (scenario.assessment(), *options, timed)
    for document in documents(scenario.case(), *given, made=DAY, languages=(code,)):
        assert any(alarm.startswith(stop) for alarm in document.sheet.alarms), document.stem
    said = sheet(gather(scenario.case(), given, None), "run-sheet", code, DAY)
    assert section(said, "session").blocks[0].fields[1].value == "–"
    for key in ("checks", "sequence", "controls"):
        assert none in section(said, key).blocks[0].text


# --- with a plan


@pytest.mark.parametrize("code", CODES)
def test_each_step_shows_its_kit_with_spares(code):
    plan = planned()
    said, timed = run_sheet(code, plan=plan)
    table = section(said, "sequence").blocks[0]
    in_room = [step for step in timed.steps if step.step not in ("RECOVERY", "FOLLOWUP")]
    assert len(table.rows) == len(in_room)
    kit_of = {step.id: row[1] for step, row in zip(in_room, table.rows, strict=True)}
    length = {"en": "length", "fr": "longueur"}[code]
    assert kit_of["cryoablation-1"].endswith(f" – 2\u00a0×\u00a0IceFORCE 2.1 CX (+1) ({length} 175 mm)")
    assert all(f"{length} mm" in kit_of["screw-1"] or f"{length} " in kit_of["screw-1"] for length in (65, 70, 75))
    rows_of = {(item.device, item.step): "wire-1" if item.device == "wire-2.8" else item.step for item in plan.kit}
    assert "wire-1" in rows_of.values(), "a screw's wire stands where it is put in"
    for name in set(rows_of.values()):
        items = [item for item in plan.kit if rows_of[item.device, item.step] == name]
        assert all(f"{item.quantity}\u00a0×" in kit_of[name] for item in items)
        assert kit_of[name].count("(+") == sum(item.spare > 0 for item in items)
    starts = [int(row[0].removeprefix("+").replace(",", "")) for row in table.rows]
    assert starts == [round(step.start_min.typical) for step in in_room]
    assert all(row[-1] == "" for row in table.rows)


def test_a_technique_without_kit_and_kit_without_a_step_are_said():
    said, _ = run_sheet(scenario=cases.a2())
    words = [block.text for block in section(said, "sequence").blocks if block.kind == "paragraph"]
    assert any("embolization" in text and "screw" in text for text in words)
    plan = planned()
    stray = replace(plan.kit[0], step="elsewhere-1")
    said, _ = run_sheet(plan=replace(plan, kit=(*plan.kit, stray)))
    words = [block.text for block in section(said, "sequence").blocks if block.kind == "paragraph"]
    assert any("Soft-tissue core needle" in text for text in words)


@pytest.mark.parametrize("code", CODES)
def test_the_looks_stand_at_their_minutes(code):
    said, timed = run_sheet(code, plan=planned())
    items = section(said, "controls").blocks[0].items
    for point in timed.controls:
        text = getattr(point.text, code)
        line = next(item for item in items if text in item)
        assert f"+{round(point.at_min.typical)}" in line.split(text)[0]


@pytest.mark.parametrize("code", CODES)
def test_every_stop_criterion_of_the_sessions_techniques_and_no_other(code):
    plan = planned()
    said, _ = run_sheet(code, plan=plan)
    shown = section(said, "stops").blocks[0].items
    used = {step.technique for step in plan.steps}
    for line in (line for line in sheet_lines() if line.part == "stop"):
        there = any(getattr(line.text, code) in item and line.source.split(" ")[0] in item for item in shown)
        assert there == (line.technique is None or line.technique in used)


@pytest.mark.parametrize("code", CODES)
def test_the_nerves_stand_with_their_limits_distances_and_planned_cold(code):
    scenario = cases.a1()
    said, _ = run_sheet(code, scenario=scenario, plan=planned())
    rule, _, fields, blank = section(said, "limits").blocks
    assert f"{limit('nerve_min_degC').value:.0f}" in rule.text and f"{limit('nerve_max_degC').value:.0f}" in rule.text
    nerves = [item for item in scenario.measure.neighbors if item.role.value == "nerve"]
    assert [field.value.split("\u00a0")[0] for field in fields.fields] == [f"{item.distance_mm:.0f}" for item in nerves]
    assert any("14" in field.value for field in fields.fields) == any(n.name == "sciatic_nerve_left" for n in nerves)
    assert blank.fields[0].state == "blank"


@pytest.mark.parametrize(("code", "said"), [("en", "simulated"), ("fr", "simulé")])
def test_every_nerve_stands_with_what_the_simulation_gave_it(code, said):
    scenario, plan = cases.a1(), planned()
    nerves = {item.name: 30.0 - n for n, item in enumerate(scenario.measure.neighbors) if item.role.value == "nerve"}
    (known,) = made.simulation().states[0].structures
    before = tuple(replace(known, name=name, minimum_degC=degC + 5.0) for name, degC in nerves.items())
    after = tuple(replace(known, name=name, minimum_degC=degC) for name, degC in nerves.items())
    state = made.simulation().states[0]
    states = (replace(state, moment="freeze_1", structures=before), replace(state, structures=after))
    simulation = replace(made.simulation(), states=states)
    options = scenario.proposals()
    given = (scenario.assessment(), *options, plan, simulation)
    fields = section(sheet(gather(scenario.case(), given, None), "run-sheet", code, DAY), "limits").blocks[2].fields
    assert len(fields) == len(nerves) > 0
    for field, degC in zip(fields, nerves.values(), strict=True):
        assert f"{said} {degC:.0f}\u00a0°C" in field.value and "planned" not in field.value


@pytest.mark.parametrize(
    ("code", "planned_ml", "stop", "none"),
    [
        ("en", "3.0\u00a0ml planned", "stop at 2.2 ml: it leaves the bone", "not simulated"),
        ("fr", "3,0\u00a0ml prévus", "arrêter à 2,2 ml : le ciment sort de l'os", "non simulé"),
    ],
)
def test_the_cement_stands_with_its_volume_at_each_site_and_where_to_stop(code, planned_ml, stop, none):
    check = Check(
        name="cement_stop_volume",
        subject="cement-1",
        value=2.2,
        limit=3.0,
        unit="ml",
        verdict=Verdict.WARN,
        source="design",
        message="stop at 2.2 ml: it leaves the bone through a breach of the cortex",
    )
    scenario, plan = cases.a1(), planned()
    options = scenario.proposals()
    given = (scenario.assessment(), *options, plan, schedule(options[0], plan))
    simulation = replace(made.simulation(), checks=(check,))
    said = sheet(gather(scenario.case(), (*given, simulation), None), "run-sheet", code, DAY)
    lines = section(said, "sequence").blocks[1].items
    (head,) = [line for line in lines if line.startswith("cement-1")]
    (tip,) = [line for line in lines if line.startswith("cement-2")]
    assert planned_ml in head and planned_ml in tip
    assert stop in head and stop not in tip and none in tip and none not in head


def test_a_nerve_just_below_its_limit_does_not_stand_at_it():
    scenario, plan = cases.a1(), planned()
    (known,) = made.simulation().states[0].structures
    nerve = next(item.name for item in scenario.measure.neighbors if item.role.value == "nerve")
    state = replace(made.simulation().states[0], structures=(replace(known, name=nerve, minimum_degC=9.7),))
    given = (scenario.assessment(), *scenario.proposals(), plan, replace(made.simulation(), states=(state,)))
    fields = section(sheet(gather(scenario.case(), given, None), "run-sheet", "en", DAY), "limits").blocks[2].fields
    assert any("9.7\u00a0°C" in field.value for field in fields)


def test_the_position_is_said_where_it_changes_and_never_guessed():
    said, timed = run_sheet(plan=planned())
    rows = section(said, "sequence").blocks[0].rows
    assert rows[0][1].endswith("(supine)")
    assert sum(bool(re.search(r"\((supine|prone|lateral)\)", row[1])) for row in rows) == 1 + sum(
        change.step in {step.id for step in timed.steps if step.step not in ("RECOVERY", "FOLLOWUP")}
        for change in timed.position_changes
    )
    unplanned, _ = run_sheet()
    assert any("position unknown" in row[1] for row in section(unplanned, "sequence").blocks[0].rows)


def test_the_whole_sheet_with_a_plan_reaches_the_paper():
    scenario, plan = cases.a1(), planned()
    options = scenario.proposals()
    timed = schedule(options[0], plan)
    given = (scenario.assessment(), *options, plan, timed)
    for document in documents(scenario.case(), *given, made=DAY, kinds=("run-sheet",)):
        paper = " ".join(page_texts(document.pdf)).replace("\u00a0", " ")
        assert "2 × IceFORCE 2.1 CX (+1)" in paper
        assert ("UNKNOWN" if document.sheet.language == "en" else "INCONNU") in paper
        assert len(page_texts(document.pdf)) == 1
