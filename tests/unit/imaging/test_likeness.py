"""Left and right of a registered pair, told by all that the images show."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from trocar import phantoms
from trocar.imaging.likeness import likeness
from trocar.imaging.register import register_bone
from trocar.model.space import Grid, Volume, as_matrix4


@pytest.fixture(scope="module", params=["ilium", "sacrum"])
def case(request):
    return getattr(phantoms, request.param)(spacing_mm=(4.0, 4.0, 4.0))


def moved(volume, *, turn_deg=(2.0, -3.0, 2.0), shift_mm=(5.0, -8.0, 4.0), seed=3):
    """The volume as another scan has it: turned, shifted, with noise of its own; and control_from_plan."""
    transform = np.eye(4)
    transform[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    transform[:3, 3] = shift_mm
    grid = Grid(shape=volume.grid.shape, lps_from_ijk=as_matrix4(transform @ volume.grid.matrix))
    noise = np.random.default_rng(seed).normal(scale=15.0, size=grid.shape)
    return Volume(grid=grid, values=volume.values + noise, unit="HU"), transform


def flipped(volume):
    """Left and right exchanged in the array, the header kept: as a wrong export does."""
    return replace(volume, values=volume.values[::-1].copy())


def test_a_control_is_more_like_its_plan_than_like_the_mirror_image(case):
    control, transform = moved(case.ct)
    found = likeness(case.ct, control, transform)
    assert found.as_it_is > 0.95 and found.as_it_is > found.mirrored + 0.005


def test_a_flipped_control_is_more_like_the_mirror_image_though_bone_fits_it(case):
    control = flipped(moved(case.ct, turn_deg=(0.0, 0.0, 0.0))[0])
    bone = next(s for s in case.structures if s.name in ("hip_left", "sacrum") and s.inside.any())
    fit = register_bone(case.ct, control, bone.inside)
    assert fit.residual_mm < 2.0  # which is why the residual does not tell
    found = likeness(case.ct, control, fit.control_from_plan)
    assert found.mirrored > found.as_it_is + 0.005


def test_images_that_share_too_little_tell_nothing(case):
    apart = np.eye(4)
    apart[:3, 3] = (0.0, 0.0, 5000.0)
    assert likeness(case.ct, case.ct, apart) is None
