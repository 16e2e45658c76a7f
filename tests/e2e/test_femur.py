"""Case A6 by the commands: a femoral neck that gives way, surgery declined, down to the strength of each option."""

import contextlib
import io
import json
from functools import cache

import pytest

from trocar import phantoms
from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier

STANCE = ("walking", "stairs")
LOADS = (*STANCE, "fall", "torsion", "shear")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(Dossier.create(tmp_path_factory.mktemp("a6") / "d", _case()).folder)


@cache
def _case():
    return phantoms.femur(spacing_mm=(2.0, 2.0, 2.0))


@pytest.fixture(scope="module")
def told(folder):
    """What each command wrote, in the order of the workflow."""

    made = {}
    for command in (["assess"], ["propose"], ["plan"], ["strength", "--spacing-mm", "2"]):
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            code = run_command([command[0], folder, *command[1:], "--json"])
        assert code == 0, command
        made[command[0]] = json.loads(written.getvalue())
    return made


def test_the_score_is_the_highest_and_the_percutaneous_branch_is_open(told):
    scores = {score["name"]: score for score in told["assess"]["scores"]}
    assert scores["Mirels"]["total"] == scores["Mirels"]["maximum"] == 12
    first = told["propose"]["proposals"][0]
    status = {item["technique"]: item["status"] for item in first["techniques"]}
    assert first["verdict"] == "discuss"
    assert status["embolization"] == status["biopsy"] == status["screw"] == status["cement"] == "indicated"


def test_screws_hold_on_both_sides_of_the_neck_and_cement_is_never_alone(told):
    placed = [item for step in told["plan"]["steps"] for item in step["placements"]]
    screws = [item for item in placed if item["role"] == "screw"]
    assert len(screws) >= 2 and any(item["role"] == "cement" for item in placed)
    anchors = [
        check["value"]
        for step in told["plan"]["steps"]
        for check in step["checks"]
        if check["name"] in ("screw_anchor_head", "screw_anchor_tip")
    ]
    assert len(anchors) == 2 * len(screws) and min(anchors) >= 15


def test_the_neck_is_weak_and_the_construct_not_cement_alone_restores_it(told):
    found = told["strength"]
    assert (found["site"], found["bone"], tuple(found["loads"])) == ("femur", "femur_left", LOADS)
    rows = {(row["state"], row["load"]): row for row in found["rows"]}
    for load in STANCE:
        ratio = {state: rows[state, load]["against_before"] for state in ("cement", "screws", "planned")}
        stiffer = {state: rows[state, load]["stiffness_against_before"]["low_frac"] for state in ratio}
        assert rows["intact_estimate", load]["against_before"]["high_frac"] < 0.8
        assert ratio["planned"]["high_frac"] < 0.85 and ratio["screws"]["high_frac"] < 0.85
        assert ratio["cement"]["median_frac"] > 0.9
        assert stiffer["planned"] > 1.2 > stiffer["cement"]
    assert found["worst_imbalance_frac"] < 0.01


def test_the_neck_is_weakest_in_a_fall_and_screws_not_cement_help_there_and_against_torsion_and_shear(told):
    rows = {(row["state"], row["load"]): row for row in told["strength"]["rows"]}
    for load in ("fall", "torsion", "shear"):
        cement, planned = (rows[state, load]["against_before"]["median_frac"] for state in ("cement", "planned"))
        assert planned < 0.8 < cement
    before = {load: rows["before", load]["bone"]["median_frac"] for load in (*STANCE, "fall")}
    assert before["fall"] == max(before.values())
    planned = {load: rows["planned", load]["bone"]["high_frac"] for load in (*STANCE, "fall")}
    (checked,) = (each for each in told["strength"]["checks"] if each["name"] == "load_to_strength")
    assert checked["value"] == pytest.approx(max(planned[load] for load in STANCE), abs=2e-3)
    assert checked["value"] < planned["fall"]  # which is shown, and no verdict rests on it


def test_sections_and_pull_out_stand_beside_it(told):
    found = told["strength"]
    assert 0.4 < found["sections"]["bending_frac"] < 0.95
    assert all(600 < screw["pull_out_N"] < 2500 for screw in found["screws"])
    assert "strength_not_validated_here" in found["caveats"]
