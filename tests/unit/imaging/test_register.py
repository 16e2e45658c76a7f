"""Registration recovers known motions of a bone among soft tissue, on another grid and with noise."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from trocar.errors import GeometryError
from trocar.imaging.register import register_bone
from trocar.imaging.resample import resample
from trocar.model.space import Grid, Volume, as_matrix4


@pytest.fixture(scope="module")
def scene():
    """A bent plate of bone with a bump in uneven soft tissue; (CT, bone)."""
    grid = Grid.aligned(origin_lps_mm=(-60, -60, -60), spacing_mm=(2, 2, 2.5), shape=(61, 61, 49))
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    plate = np.abs(y - 0.008 * (x - 6) ** 2 + 0.1 * z) < 6
    bone = (plate & (np.hypot(x, z - 3) < 30)) | (np.hypot(np.hypot(x - 14, y - 8), z + 9) < 12)
    rng = np.random.default_rng(0)
    soft = ndimage.gaussian_filter(rng.normal(size=grid.shape), 3)
    values = np.where(np.sqrt(x**2 + y**2 + (z / 1.3) ** 2) < 56, 40 + 25 * soft / soft.std(), -1000)
    marrow = ndimage.binary_erosion(bone, iterations=1)
    values = np.where(bone, np.where(marrow, 250, 900), values)
    return Volume(grid=grid, values=ndimage.gaussian_filter(values, 0.5).astype(np.float32), unit="HU"), bone


def moved(plan, angles_deg, shift_mm, *, noise_HU=12.0):
    """The plan's CT after a rigid motion, on an oblique grid of another spacing; (CT, control_from_plan)."""
    control_from_plan = np.eye(4)
    control_from_plan[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix()
    control_from_plan[:3, 3] = shift_mm
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", 12, degrees=True).as_matrix() * (1.7, 1.7, 3.0)
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array([110, 110, 62]) / 2) + shift_mm
    grid = Grid(shape=(110, 110, 62), lps_from_ijk=as_matrix4(matrix))
    carried = Grid(shape=plan.grid.shape, lps_from_ijk=as_matrix4(control_from_plan @ plan.grid.matrix))
    values = resample(Volume(grid=carried, values=plan.values, unit="HU"), grid, outside=-1000.0).values
    noise = np.random.default_rng(1).normal(scale=noise_HU, size=grid.shape).astype(np.float32)
    return Volume(grid=grid, values=values + noise, unit="HU"), control_from_plan


def target_errors_mm(plan, bone, found, truth):
    points = plan.grid.to_lps(np.argwhere(bone)[::7])
    return np.linalg.norm(points @ (found - truth)[:3, :3].T + (found - truth)[:3, 3], axis=1)


@pytest.mark.parametrize(
    "angles_deg, shift_mm", [((0, 0, 0), (0, 0, 0)), ((4, -6, 3), (8, -5, 12)), ((-12, 8, 14), (-18, 20, 10))]
)
def test_a_known_motion_is_recovered(scene, angles_deg, shift_mm):
    plan, bone = scene
    control, truth = moved(plan, angles_deg, shift_mm)
    fit = register_bone(plan, control, bone)
    assert target_errors_mm(plan, bone, fit.control_from_plan, truth).max() < 0.5
    assert fit.residual_mm < 1.0 and fit.compared_frac > 0.5


def test_ice_and_metal_beside_the_bone_do_not_pull_it(scene):
    plan, bone = scene
    control, truth = moved(plan, (3, 2, -4), (6, 4, -3))
    points = control.grid.to_lps(np.moveaxis(np.indices(control.grid.shape), 0, -1))
    at = truth[:3, :3] @ np.array([18, -14, 0]) + truth[:3, 3]
    values = control.values - 70 * (np.linalg.norm(points - at, axis=-1) < 15)
    values = np.where(np.hypot(*(points - at)[..., :2].transpose(3, 0, 1, 2)) < 2, 3000, values).astype(np.float32)
    fit = register_bone(plan, Volume(grid=control.grid, values=values, unit="HU"), bone)
    assert target_errors_mm(plan, bone, fit.control_from_plan, truth).max() < 0.8


def test_the_residual_tells_of_another_bone(scene):
    """The residual is honest: an image without this bone cannot pass for a fit."""
    plan, bone = scene
    control, _ = moved(plan, (0, 0, 0), (0, 0, 0))
    blurred = ndimage.gaussian_filter(control.values[::-1, :, ::-1], 4).astype(np.float32)
    fit = register_bone(plan, Volume(grid=control.grid, values=np.ascontiguousarray(blurred), unit="HU"), bone)
    assert fit.residual_mm is None or fit.residual_mm > 1.0 or fit.compared_frac < 0.4


def test_the_same_images_give_the_same_numbers(scene):
    plan, bone = scene
    control, _ = moved(plan, (4, -6, 3), (8, -5, 12))
    first, second = (register_bone(plan, control, bone) for _ in range(2))
    assert np.array_equal(first.control_from_plan, second.control_from_plan)
    assert first.residual_mm == second.residual_mm


def test_no_bone_is_refused(scene):
    plan, bone = scene
    with pytest.raises(GeometryError):
        register_bone(plan, plan, np.zeros_like(bone))


def test_an_image_without_contrast_is_refused(scene):
    plan, bone = scene
    with pytest.raises(GeometryError, match="shows nothing"):
        register_bone(plan, Volume(grid=plan.grid, values=np.full(plan.grid.shape, 40.0), unit="HU"), bone)
