"""Corridors get the names of the bones they run through; a breach gets its grade."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Verdict
from trocar.model.space import Grid, Segment, Volume
from trocar.model.treatment import Placement
from trocar.planning.breach import breach_check, grade
from trocar.planning.naming import corridor_name


@pytest.fixture(scope="module")
def pelvis():
    """Blocks where a pelvis has its bones: x to the left, y to the back, z to the head."""
    shape = (110, 60, 80)
    grid = Grid.aligned(origin_lps_mm=tuple(-(n - 1.0) for n in shape), spacing_mm=(2.0,) * 3, shape=shape)
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    masks = {
        "sacrum": (np.abs(x) < 40) & (y > 10) & (z > 0),
        "vertebrae_S1": (np.abs(x) < 40) & (y > 10) & (z > 30),
        "hip_left": (x > 42) & (x < 70),
        "hip_right": (x < -42) & (x > -70),
        "femur_left": (x > 72) & (x < 100) & (np.abs(y) < 15) & (z < -10),
    }
    structures = tuple(Structure(name=name, role=Role.BONE, inside=mask) for name, mask in masks.items())
    ct = Volume(grid=grid, values=np.zeros(shape, np.float32), unit="HU")
    return Case(case_id="blocks", ct=ct, structures=structures)


@pytest.mark.parametrize(
    ("start", "end", "name"),
    [
        ((68, 30, 40), (-68, 30, 40), "trans_sacral_s1"),
        ((68, 30, 40), (10, 30, 40), "iliosacral_s1"),
        ((55, -50, 0), (55, 50, 0), "supra_acetabular"),
        ((55, -50, 60), (55, 50, 60), "iliac_wing"),
        ((55, 30, -70), (55, 30, 10), "posterior_column"),
        ((80, 0, -30), (80, 0, -60), ""),
        ((68, 0, -30), (98, 0, -30), "femoral_neck"),
    ],
)
def test_an_axis_is_called_by_what_it_runs_through(pelvis, start, end, name):
    axis = Segment(start_lps_mm=tuple(map(float, start)), end_lps_mm=tuple(map(float, end)))
    assert corridor_name(pelvis, axis) == name


def test_without_landmarks_there_is_no_name(pelvis):
    blind = replace(pelvis, structures=tuple(s for s in pelvis.structures if not s.name.startswith("femur")))
    axis = Segment(start_lps_mm=(55.0, -50.0, 0.0), end_lps_mm=(55.0, 50.0, 0.0))
    assert corridor_name(blind, axis) == ""
    only = replace(pelvis, structures=tuple(s for s in pelvis.structures if s.name != "vertebrae_S1"))
    across = Segment(start_lps_mm=(68.0, 30.0, 40.0), end_lps_mm=(10.0, 30.0, 40.0))
    assert corridor_name(only, across) == "iliosacral"


def test_breaches_are_graded():
    assert [grade(value) for value in (-1.0, 0.0, 0.5, 2.0, 2.5, 4.0, 5.0, 6.0, 7.0)] == list("AABBCCDDE")
    end = (0.0, 0.0, 60.0)
    screw = Placement(
        device="screw-6.5", role="screw", name="screw-1", entry_lps_mm=(0.0, 0.0, 0.0), target_lps_mm=end,
        skin_lps_mm=(0.0, 0.0, -30.0), length_mm=60.0, diameter_mm=6.5,
    )  # fmt: skip
    verdicts = [breach_check(screw, clearance, 2.0).verdict for clearance in (2.0, 0.5, -1.0)]
    assert verdicts == [Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    assert "B (1.5 mm)" in breach_check(screw, 0.5, 2.0).message
