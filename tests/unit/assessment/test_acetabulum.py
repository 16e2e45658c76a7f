"""The walls around a femoral head: where they lie, on which side, and what a lesion of a known place takes."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.assessment import acetabulum
from trocar.assessment.assess import assess
from trocar.assessment.prefill import prefilled
from trocar.model.case import Case, Clinical, LesionContext, Role, Side, Structure
from trocar.model.space import Grid, Volume

ON = Grid.aligned(origin_lps_mm=(-140, -60, -60), spacing_mm=(2.0, 2.0, 2.0), shape=(141, 61, 61))
POINTS = ON.to_lps(np.moveaxis(np.indices(ON.shape), 0, -1))
HEAD_MM, SOCKET_MM, OUTER_MM, OUT_MM = 24.0, 28.0, 44.0, 80.0


def around(side_sign):
    """Distances from a hip's center, and the offsets to the patient's left, front and top."""
    offsets = POINTS - np.array([side_sign * OUT_MM, 0.0, 0.0])
    return np.linalg.norm(offsets, axis=-1), offsets


def pelvis(direction, *, radius_mm=14.0, sign=1, site="acetabulum", femur=True, **known):
    """Two sockets around two heads; a ball of tumor in the middle of the bone, this way from the left head's center."""
    structures = []
    for side, s in (("left", 1), ("right", -1)):
        distance, offsets = around(s)
        socket = (distance > SOCKET_MM) & (distance < OUTER_MM) & (s * offsets[..., 0] < 20)
        structures.append(Structure(name=f"hip_{side}", role=Role.BONE, inside=socket, side=Side(side)))
        if femur:
            head = distance < HEAD_MM
            structures.append(Structure(name=f"femur_{side}", role=Role.BONE, inside=head, side=Side(side)))
    way = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    center = np.array([sign * OUT_MM, 0, 0]) + way * (SOCKET_MM + OUTER_MM) / 2
    lesion = np.linalg.norm(POINTS - center, axis=-1) < radius_mm
    structures.append(Structure(name="lesion_1", role=Role.LESION, inside=lesion))
    return Case(
        case_id="hips",
        ct=Volume(grid=ON, values=np.where(lesion, 40.0, 300.0).astype(np.float32), unit="HU"),
        structures=tuple(structures),
        clinical=Clinical(lesion=(LesionContext(name="lesion_1", site=site, **known),)),
    )


def states(case):
    hip = case.structure("hip_left" if case.structure("lesion_1").inside[70:].any() else "hip_right")
    return {wall.name: wall.state for wall in acetabulum.walls(case, case.structure("lesion_1"), hip)}


def test_the_head_is_found_where_it_lies_within_half_a_voxel():
    case = pelvis((0, 0, 1))
    head = acetabulum.femoral_head(case, case.structure("hip_left"))
    assert np.linalg.norm(head.center_lps_mm - (OUT_MM, 0, 0)) < 1.0
    assert abs(head.radius_mm - HEAD_MM) < 1.0


# LPS: +x left, +y to the back, +z up
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("direction", "taken"),
    [
        ((0, 0, 1), "acetabular_roof"),
        ((-1, 0, -0.2), "medial_wall"),
        ((-0.4, -1, -0.2), "anterior_column"),
        ((-0.4, 1, -0.2), "posterior_column"),
    ],
)
def test_a_lesion_takes_the_wall_that_it_lies_in_on_either_side(sign, direction, taken):
    found = states(pelvis((sign * direction[0], *direction[1:]), sign=sign, radius_mm=20.0))
    assert found[taken] == "deficient"
    opposite = {"anterior_column": "posterior_column", "posterior_column": "anterior_column"}
    assert found.get(opposite.get(taken, "")) in (None, "intact")


def test_a_wall_partly_taken_is_for_a_reader_and_one_out_of_reach_is_intact():
    assert states(pelvis((0, 0, 1), radius_mm=9.0))["acetabular_roof"] is None
    assert states(pelvis((0, 0, 1), radius_mm=5.0)) == dict.fromkeys(acetabulum.WALLS, "intact")


def test_without_a_femur_or_a_joint_no_wall_is_measured():
    assert states(pelvis((0, 0, 1), femur=False)) == {}


def test_the_score_names_what_was_measured_and_what_was_entered_and_the_entered_stays():
    case = pelvis((0, 0, 1), radius_mm=20.0, medial_wall="deficient", lateral_cortex="intact", solitary_for_cure=False)
    found = {score.name: score for score in assess(case).scores}
    origins = {item.item: item.origin for item in found["MAC"].items}
    assert origins["acetabular_roof"] == "measured" and origins["medial_wall"] == "entered"
    assert found["MAC"].grade == "2"  # the columns are intact, the wall was entered, the roof alone would be 1
    unknown = {score.name: score for score in assess(pelvis((0, 0, 1), femur=False)).scores}["MAC"]
    assert unknown.total is None and {item.origin for item in unknown.items} == {"unknown"}


def test_a_new_case_is_filled_with_the_walls_and_an_iliac_wing_is_not():
    at_the_roof = pelvis((0, 0, 1), radius_mm=20.0, site=None)
    context = prefilled(at_the_roof)[0].context("lesion_1")
    assert context.acetabular_roof == "deficient" and "acetabular_roof" in context.from_imaging
    wing = replace(at_the_roof, clinical=Clinical(lesion=(LesionContext(name="lesion_1", site="iliac_wing"),)))
    assert prefilled(wing)[0].context("lesion_1").acetabular_roof is None
