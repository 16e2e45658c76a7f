"""What names say: the side, however it is written, and the role."""

import pytest

from trocar.io.anatomy import named, role_of, side_in_name
from trocar.model.case import Role, Side


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hip_left", "hip_left"),
        ("Hip_Left", "hip_left"),
        ("HIP_LEFT", "hip_left"),
        ("hip-L", "hip_left"),
        ("left hip", "hip_left"),
        ("L_hip", "L_hip"),  # a letter in front may be a level
        ("os_coxae_R", "os_coxae_right"),
        ("RIGHT_rib_3", "rib_right_3"),
        ("rib_left_3", "rib_left_3"),
        ("nerve_root_s1_left", "nerve_root_s1_left"),
        ("vertebrae_L5", "vertebrae_L5"),
        ("Sacrum", "sacrum"),
        ("Lesion", "lesion_1"),
        ("Cage_A", "Cage_A"),
    ],
)
def test_a_name_is_written_so_that_its_side_is_known(written, name):
    assert named(written) == name
    assert named(name) == name


def test_the_side_and_the_role_follow():
    assert side_in_name(named("HIP_R")) is Side.RIGHT and role_of(named("HIP_R")) is Role.BONE
    assert side_in_name(named("os_coxae_L")) is Side.LEFT
    assert side_in_name(named("vertebrae_L5")) is None
