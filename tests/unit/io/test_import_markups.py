"""Slicer markups: a curve or line becomes a nerve of the stated diameter."""

import json

import asymmetric
import numpy as np
import pytest
from asymmetric import LEFT_BALL_LPS_MM
from drawn import expanded, voxels

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.dicom import read_dicom
from trocar.io.slicer import read_lines, read_markups
from trocar.model.case import Role, Side
from trocar.model.space import Grid


def written_markup(path, points, *, system="LPS", description="diameter_mm=5", kind="Curve", name="sciatic_nerve_left"):
    flip = np.array([-1, -1, 1]) if system == "RAS" else 1
    markup = {
        "type": kind,
        "coordinateSystem": system,
        "coordinateUnits": "mm",
        "name": name,
        "description": description,
        "controlPoints": [{"id": str(n), "position": list(p * flip)} for n, p in enumerate(np.asarray(points))],
    }
    path.write_text(json.dumps({"markups": [markup]}))
    return path


COURSE = np.array([LEFT_BALL_LPS_MM + np.array([0, 0, z]) for z in (-24.0, -8.0, 8.0, 16.0)])


@pytest.mark.parametrize("system", ["LPS", "RAS"])
@pytest.mark.parametrize("kind", ["Curve", "Line"])
def test_a_nerve_is_a_tube_of_the_stated_diameter(tmp_path, ct, system, kind):
    grid = Grid.aligned(
        origin_lps_mm=tuple(asymmetric.CENTER_LPS_MM - 40), spacing_mm=(0.7, 0.7, 0.7), shape=(115, 115, 115)
    )
    course = COURSE if kind == "Curve" else COURSE[[0, -1]]
    (region,), findings = read_markups(
        written_markup(tmp_path / "nerve.mrk.json", course, system=system, kind=kind), grid
    )
    structure = region.structure(grid)
    assert findings == ()
    assert (structure.role, structure.side, structure.diameter_mm) == (Role.NERVE, Side.LEFT, 5.0)
    np.testing.assert_allclose(structure.centerline_lps_mm[0], COURSE[0], atol=1e-9)
    np.testing.assert_allclose(structure.centerline_lps_mm[-1], COURSE[-1], atol=1e-9)
    volume_ml = structure.inside.sum() * grid.voxel_ml
    capsule_ml = (np.pi * 2.5**2 * 40 + 4 / 3 * np.pi * 2.5**3) / 1000
    assert volume_ml == pytest.approx(capsule_ml, rel=0.05)
    across = np.linalg.norm(voxels(grid)[structure.inside][:, :2] - LEFT_BALL_LPS_MM[:2], axis=1)
    assert across.max() <= 2.5 + 1e-6


def test_a_nerve_thinner_than_a_voxel_is_not_lost(tmp_path, ct):
    grid = read_dicom(ct).volume.grid
    path = written_markup(tmp_path / "nerve.mrk.json", COURSE, description="diameter_mm = 0.6")
    (region,), _ = read_markups(path, grid)
    assert expanded(region, grid).any(axis=(0, 1)).sum() >= 40 / 2.0


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"description": ""}, CaseError, "no diameter"),
        ({"description": "diameter_mm=400"}, CaseError, "impossible"),
        ({"description": "diameter_mm=5,5"}, CaseError, "'5,5' is not a plain number"),
        ({"description": "diameter_mm=1e9"}, CaseError, "'1e9' is not a plain number"),
        ({"description": "diameter_mm=5mm"}, CaseError, "not a plain number"),
        ({"description": "diameter_mm=-5"}, CaseError, "not a plain number"),
        ({"description": "diameter_mm: about 5"}, CaseError, "not a plain number"),
        ({"points": COURSE * [[1], [1], [1], [1e300]]}, CaseError, "mm away"),
        ({"name": "path_1"}, CaseError, "role of structure"),
        ({"name": "hip_left"}, CaseError, "only nerves"),
        ({"kind": "Plane"}, CaseError, "not a curve"),
        ({"points": COURSE[:1]}, CaseError, "fewer than two"),
        ({"points": COURSE * 3}, GeometryError, "outside the CT"),
    ],
)
def test_markup_refusals(tmp_path, ct, change, kind, reason):
    grid = read_dicom(ct).volume.grid
    path = written_markup(tmp_path / "nerve.mrk.json", change.pop("points", COURSE), **change)
    with pytest.raises(kind, match=reason) as caught:
        read_markups(path, grid)
    assert caught.value.hint


@pytest.mark.parametrize("description", ["diameter_mm=5; drawn on T2", "(diameter_mm = 5.0)", "diameter_mm: 5, twice"])
def test_a_diameter_may_stand_in_a_sentence(tmp_path, ct, description):
    path = written_markup(tmp_path / "nerve.mrk.json", COURSE, description=description)
    (region,), _ = read_markups(path, read_dicom(ct).volume.grid)
    assert region.diameter_mm == 5.0


@pytest.mark.parametrize("points", [5, "x", [[0, 0, 0], [1, 1, 1]], [{"position": 3}, {"position": 4}], {"a": 1}])
def test_damaged_control_points_are_refused(tmp_path, ct, points):
    path = written_markup(tmp_path / "nerve.mrk.json", COURSE)
    content = json.loads(path.read_text())
    content["markups"][0]["controlPoints"] = points
    path.write_text(json.dumps(content))
    for read in (lambda: read_markups(path, read_dicom(ct).volume.grid), lambda: read_lines(path)):
        with pytest.raises(ReadError, match="damaged control point") as caught:
            read()
        assert caught.value.hint


def test_json_nested_without_end_is_refused(tmp_path, ct):
    path = tmp_path / "nerve.mrk.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ReadError, match="not a Slicer markups file"):
        read_markups(path, read_dicom(ct).volume.grid)
