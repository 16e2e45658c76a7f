"""Edits from JSON and from lines drawn in 3D Slicer."""

import json

import pytest

from trocar.errors import CaseError, ReadError
from trocar.io.edits import read_edits
from trocar.model.edits import Edits, MovedPath

MOVED = MovedPath(name="probe-2", target_lps_mm=(1.0, 2.0, 3.0), skin_lps_mm=(80.0, 2.0, 3.0))


def line(name, points, *, system="LPS", description="", kind="Line"):
    return {
        "type": kind,
        "coordinateSystem": system,
        "name": name,
        "description": description,
        "controlPoints": [{"position": list(point)} for point in points],
    }


def written(path, content):
    path.write_text(json.dumps(content))
    return path


def test_json_says_what_stays_what_moves_and_what_goes(tmp_path):
    path = written(
        tmp_path / "edits.json",
        {
            "schema": "trocar/edits/1",
            "fixed": ["screw-1"],
            "moved": [{"name": "probe-2", "target_lps_mm": [1, 2, 3], "skin_lps_mm": [80, 2, 3]}],
            "deleted": ["probe-3"],
        },
    )
    assert read_edits(path) == Edits(fixed=("screw-1",), moved=(MOVED,), deleted=("probe-3",))


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_slicer_line_is_the_new_path_from_skin_to_tip(tmp_path, system):
    sign = -1.0 if system == "RAS" else 1.0
    points = [(80.0 * sign, 2.0 * sign, 3.0), (1.0 * sign, 2.0 * sign, 3.0)]
    markups = [line("probe-2", points, system=system), line("probe-3", points, system=system, description="delete")]
    path = written(tmp_path / "edits.mrk.json", {"markups": markups})
    assert read_edits(path) == Edits(moved=(MOVED,), deleted=("probe-3",))


@pytest.mark.parametrize(
    "content", [{"removed": ["probe-1"]}, {"deleted": "probe-1"}, {"moved": [{"name": "probe-1"}]}, []]
)
def test_json_that_does_not_describe_edits_is_refused(tmp_path, content):
    with pytest.raises(ReadError):
        read_edits(written(tmp_path / "edits.json", content))


@pytest.mark.parametrize("schema", ["trocar/plan/1", "trocar/edits/99", 1, None])
def test_another_kind_of_document_is_refused(tmp_path, schema):
    with pytest.raises(ReadError, match="trocar/edits/1"):
        read_edits(written(tmp_path / "edits.json", {"schema": schema, "deleted": ["probe-1"]}))


def test_numbers_that_are_none_are_refused(tmp_path):
    path = tmp_path / "edits.json"
    path.write_text('{"moved": [{"name": "probe-2", "target_lps_mm": [NaN, 2, 3], "skin_lps_mm": [80, 2, 3]}]}')
    with pytest.raises(ReadError):
        read_edits(path)
    path.write_text('{"shield": {"skin_W_per_m2K": 99999}}')
    with pytest.raises(ReadError, match="skin_W_per_m2K"):
        read_edits(path)


def test_a_curve_is_no_path(tmp_path):
    markup = line("probe-2", [(0, 0, 0), (5, 5, 0), (9, 0, 0)], kind="Curve")
    with pytest.raises(CaseError):
        read_edits(written(tmp_path / "edits.mrk.json", {"markups": [markup]}))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReadError, match=r"none\.json"):
        read_edits(tmp_path / "none.json")
