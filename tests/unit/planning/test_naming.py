"""Corridors get the names of the bones they run through; a breach gets its grade."""

from dataclasses import replace

import numpy as np
import pytest

from trocar import phantoms
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Verdict
from trocar.model.space import Grid, Segment, Volume, as_vector
from trocar.model.treatment import Placement
from trocar.planning.breach import breach_check, grade
from trocar.planning.naming import CorridorName, corridor_name


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
        ((55, -50, 72), (55, 50, 72), "iliac_crest"),
        ((68, 0, -30), (98, 0, -30), "femoral_neck"),
    ],
)
def test_an_axis_is_called_by_what_it_runs_through(pelvis, start, end, name):
    axis = Segment(start_lps_mm=tuple(map(float, start)), end_lps_mm=tuple(map(float, end)))
    assert corridor_name(pelvis.structures, pelvis.grid, axis).name == name


# Straight axes in the left bones of the phantom (`phantoms/bones.py`, `phantoms/spine.py`), ends in LPS millimeters.
COURSES = {
    "supra_acetabular": ((95, -17, 32), (53, 69, 94)),
    "iliac_wing": ((60, 40, 100), (122, -40, 90)),
    "iliac_crest": ((88, 33, 142), (118, 6, 138)),
    "posterior_column": ((57, 32, -54), (64, 44, 26)),
    "anterior_column": ((30, -44, -16), (76, -30, 26)),
    "pubic_ramus": ((13, -46, -27), (45, -38, -9)),
    "ischiopubic_ramus": ((11, -34, -44), (45, 14, -63)),
    "iliosacral_s1": ((70, 42, 84), (-10, 32, 92)),
    "iliosacral_s2": ((62, 66, 72), (-10, 66, 70)),
    "trans_sacral_s1": ((75, 40, 88), (-75, 40, 88)),
    "trans_sacral_s2": ((66, 62, 72), (-66, 62, 72)),
    "femoral_neck": ((127, 22, -28), (80, -2, 4)),
    "femoral_shaft": ((116, 17, -40), (114, 13, -95)),
}


@pytest.fixture(scope="module")
def phantom():
    return phantoms.sacrum(spacing_mm=(3.0, 3.0, 3.0))


@pytest.mark.parametrize("name", COURSES)
def test_known_courses_have_their_names_and_mirrored_ones_the_other_side(phantom, name):
    across = name.startswith("trans_sacral")
    turned = phantoms.mirrored(phantom)
    start, end = (np.array(point, dtype=float) for point in COURSES[name])
    for case, mirror, side in (
        (phantom, 1, "left"),
        (phantom, -1, "right"),
        (turned, 1, "left"),
        (turned, -1, "right"),
    ):
        ends = [as_vector(point * (mirror, 1, 1)) for point in (start, end)]
        for first, last in (ends, ends[::-1]):
            called = corridor_name(case.structures, case.grid, Segment(start_lps_mm=first, end_lps_mm=last))
            assert called == CorridorName(name, "" if across else side)
            assert (", left" in called.words.en, ", à gauche" in called.words.fr) == (called.side == "left",) * 2
    assert called.words.en and called.words.fr and called.words.en != called.words.fr


def test_the_shaft_of_a_long_bone_is_named_by_its_own_axis():
    grid = Grid.aligned(origin_lps_mm=(-60.0, -60.0, -150.0), spacing_mm=(3.0,) * 3, shape=(41, 41, 101))
    points = np.moveaxis(np.indices(grid.shape), 0, -1) * 3.0 + (-60.0, -60.0, -150.0)
    way = np.array([0.2, 0.1, 0.97]) / np.linalg.norm([0.2, 0.1, 0.97])
    along = points @ way
    inside = (np.linalg.norm(points - along[..., None] * way, axis=-1) < 12.0) & (np.abs(along) < 130.0)
    bone = (Structure(name="humerus_right", role=Role.BONE, inside=inside),)
    ends = [as_vector(way * mm) for mm in (-60.0, 60.0)]
    assert corridor_name(bone, grid, Segment(start_lps_mm=ends[0], end_lps_mm=ends[1])) == CorridorName(
        "humerus_shaft", "right"
    )
    across = Segment(start_lps_mm=(-10.0, 0.0, 0.0), end_lps_mm=(10.0, 0.0, 0.0))
    assert corridor_name(bone, grid, across).name == ""


def test_levels_are_not_named_without_a_segment_or_roots(phantom):
    rootless = tuple(item for item in phantom.structures if item.role is not Role.NERVE)
    start, end = (as_vector(np.array(point, dtype=float)) for point in COURSES["iliosacral_s1"])
    assert corridor_name(rootless, phantom.grid, Segment(start_lps_mm=start, end_lps_mm=end)).name == "iliosacral"


def test_without_landmarks_there_is_no_name(pelvis):
    blind = replace(pelvis, structures=tuple(s for s in pelvis.structures if not s.name.startswith("femur")))
    axis = Segment(start_lps_mm=(55.0, -50.0, 0.0), end_lps_mm=(55.0, 50.0, 0.0))
    assert corridor_name(blind.structures, blind.grid, axis).name == ""
    only = replace(pelvis, structures=tuple(s for s in pelvis.structures if s.name != "vertebrae_S1"))
    across = Segment(start_lps_mm=(68.0, 30.0, 40.0), end_lps_mm=(10.0, 30.0, 40.0))
    assert corridor_name(only.structures, only.grid, across).name == "iliosacral"


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
