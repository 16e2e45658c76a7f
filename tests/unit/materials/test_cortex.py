"""A cortex thinner than the CT resolves keeps its mineral and its stiffness along itself."""

import numpy as np
import pytest
from scipy import ndimage

from trocar.catalog.mechanics import mechanics
from trocar.materials.cortex import cortex_of, peak_HU
from trocar.materials.density import phantom_scale
from trocar.materials.stiffness import Overlay, native_modulus
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Grid, Volume

SCALE = phantom_scale({0.0: 0.0, 800.0: 1000.0})
SPONGY_HU, CORTEX_HU, SOFT_HU, NOISE_HU = 150.0, 1350.0, -60.0, 12.0
RADIUS_MM, HALF_MM, FWHM_MM, FINE_MM = 12.0, 20.0, 1.0, 0.1
OFFSETS = np.random.default_rng(0).uniform(-0.7, 0.7, (3, 2))
LAWS = {law.id: law for law in mechanics().law}
STEEP, FLAT = LAWS["dalstra-1993-pelvis"], LAWS["kopperdahl-2002-vertebra"]


def scanned(hu_of, spacing_mm, *, seed=0):
    """HU [i, j, k], the mask and the grid of a prism: painted at 0.1 mm, blurred by 1 mm FWHM, averaged over voxels."""
    voxels, parts = round(2 * HALF_MM / spacing_mm), round(spacing_mm / FINE_MM)
    x = (np.arange(voxels * parts) + 0.5) * spacing_mm / parts - voxels * spacing_mm / 2
    hu, inside = hu_of(x[:, None], x[None, :])
    blurred = ndimage.gaussian_filter(hu, FWHM_MM / 2.3548 * parts / spacing_mm)
    flat, mask = (
        field.reshape(voxels, parts, voxels, parts).mean(axis=(1, 3)) for field in (blurred, inside.astype(float))
    )
    count = max(5, int(np.ceil(16 / spacing_mm)))
    noise = np.random.default_rng(seed).normal(0, NOISE_HU, (voxels, voxels, count))
    low = (1 - voxels) / 2 * spacing_mm
    grid = Grid.aligned(
        origin_lps_mm=(low, low, -(count - 1) / 2 * spacing_mm), spacing_mm=(spacing_mm,) * 3, shape=noise.shape
    )
    return (flat[:, :, None] + noise).astype(np.float32), np.repeat((mask >= 0.5)[:, :, None], count, 2), grid


def tube(wall_mm, offset):
    def painted(x, y):
        radius = np.hypot(x - offset[0], y - offset[1])
        return np.where(radius < RADIUS_MM, np.where(radius < RADIUS_MM - wall_mm, SPONGY_HU, CORTEX_HU), SOFT_HU), (
            radius < RADIUS_MM
        )

    return painted


def moduli(law, hu, bone, grid, lattice, *, other=None, corrected=True):
    none = np.zeros_like(bone)
    case = Case(case_id="scan", ct=Volume(grid=grid, values=hu, unit="HU"), structures=())
    cortex = cortex_of(hu, grid, bone, none if other is None else other, none, peak_HU=CORTEX_HU)
    return native_modulus(case, bone, none, law, SCALE, lattice, filled_MPa=None, cortex=cortex if corrected else None)[
        0
    ].astype(float)


def pure(law, hu):
    return float(law.modulus_MPa(SCALE(np.array([hu])))[0])


def rigidity(law, wall_mm, ct_mm, lattice_mm, offset, *, corrected=True):
    """A tube's axial and bending stiffness on a lattice, over the exact ones."""
    hu, bone, grid = scanned(tube(wall_mm, offset), ct_mm)
    count = int(36 / lattice_mm)
    low = (1 - count) / 2 * lattice_mm + 0.13
    lattice = Grid.aligned(origin_lps_mm=(low, low, -lattice_mm), spacing_mm=(lattice_mm,) * 3, shape=(count, count, 3))
    section = moduli(law, hu, bone, grid, lattice, corrected=corrected)[:, :, 1]
    away = low + np.arange(count)[:, None] * lattice_mm - offset[0]
    cortex, spongy, inner = pure(law, CORTEX_HU), pure(law, SPONGY_HU), RADIUS_MM - wall_mm
    axial = np.pi * (cortex * (RADIUS_MM**2 - inner**2) + spongy * inner**2)
    bending = np.pi / 4 * (cortex * (RADIUS_MM**4 - inner**4) + spongy * inner**4)
    return section.sum() * lattice_mm**2 / axial, (section * away**2).sum() * lattice_mm**2 / bending


@pytest.mark.parametrize("lattice_mm", [1.0, 2.0])
@pytest.mark.parametrize("wall_mm", [0.8, 1.0, 1.5])
@pytest.mark.parametrize(("ct_mm", "band"), [(0.5, 0.05), (1.0, 0.05), (1.5, 0.15), (2.0, 0.15)])
def test_a_thin_walled_tube_keeps_its_stiffness_on_any_ct(ct_mm, band, wall_mm, lattice_mm):
    found = np.array([rigidity(STEEP, wall_mm, ct_mm, lattice_mm, offset) for offset in OFFSETS])
    assert np.abs(found[:, 0] - 1).max() <= band  # along its axis
    assert found[:, 1].min() >= 0.85 and found[:, 1].max() <= 1.05  # in bending: lattice voxels lie off its surface
    blurred = rigidity(STEEP, wall_mm, ct_mm, lattice_mm, OFFSETS[0], corrected=False)
    assert max(blurred) < 0.7


def test_half_a_millimeter_is_kept_to_a_fifth_and_a_linear_law_too():
    for ct_mm in (0.5, 1.0, 1.5, 2.0):
        for law in (STEEP, FLAT):
            axial, _ = rigidity(law, 0.5, ct_mm, 1.0, OFFSETS[1])
            assert axial == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("wall_mm", [0.8, 1.0, 1.5])
@pytest.mark.parametrize("turned_deg", [0.0, 12.0, 31.0])
def test_a_plate_blurred_by_a_millimeter_keeps_its_stiffness_within_a_tenth(turned_deg, wall_mm):
    """The reference's acceptance: walls of 0.8, 1.0 and 1.5 mm, a point spread of 1 mm FWHM."""
    law, turned = STEEP, np.radians(turned_deg)
    for shift in (0.0, 0.27, 0.61):

        def painted(x, y, shift=shift):
            away = np.abs(np.cos(turned) * x + np.sin(turned) * y - shift)
            return np.where(away < 5, np.where(away < 5 - wall_mm, SPONGY_HU, CORTEX_HU), SOFT_HU), away < 5

        hu, bone, grid = scanned(painted, 1.0)
        rows = slice(12, -12)
        section = moduli(law, hu, bone, grid, grid)[:, rows, 8]
        exact = 2 * wall_mm * pure(law, CORTEX_HU) + (10 - 2 * wall_mm) * pure(law, SPONGY_HU)
        assert section.sum(axis=0).mean() * np.cos(turned) == pytest.approx(exact, rel=0.10)


def test_shares_of_cortex_hold_its_mineral():
    for ct_mm, wall_mm in ((0.5, 0.8), (1.0, 1.0), (1.0, 1.5)):
        hu, bone, grid = scanned(tube(wall_mm, (0.2, -0.3)), ct_mm)
        none = np.zeros_like(bone)
        share = cortex_of(hu, grid, bone, none, none, peak_HU=CORTEX_HU).share
        area = np.nansum(share[:, :, bone.shape[2] // 2]) * ct_mm**2
        assert area == pytest.approx(np.pi * (RADIUS_MM**2 - (RADIUS_MM - wall_mm) ** 2), rel=0.06)


def test_spongy_bone_without_cortex_is_left_as_it_is():
    def painted(x, y):
        inside = np.hypot(x, y) < RADIUS_MM
        return np.where(inside, SPONGY_HU + 40 * np.sin(x), SOFT_HU), inside

    hu, bone, grid = scanned(painted, 1.0)
    plain, found = (moduli(STEEP, hu, bone, grid, grid, corrected=corrected) for corrected in (False, True))
    assert found[bone].mean() == pytest.approx(plain[bone].mean(), rel=0.02)


def test_the_blur_of_a_neighboring_bone_is_not_taken():
    def painted(x, y, both=True):
        one = (x > -8) & (x < 0) & (np.abs(y) < 12)
        two = (x > 3) & (x < 11) & (np.abs(y) < 12) & both
        core = (np.abs(y) < 11) & (((x > -7) & (x < -1)) | ((x > 4) & (x < 10) & both))
        return np.where(core, SPONGY_HU, np.where(one | two, CORTEX_HU, SOFT_HU)), one | two

    hu, bones, grid = scanned(painted, 1.0)
    lone_hu, lone, _ = scanned(lambda x, y: painted(x, y, both=False), 1.0)
    beside = moduli(STEEP, hu, lone, grid, grid, other=bones & ~lone)
    alone = moduli(STEEP, lone_hu, lone, grid, grid)
    assert beside.sum() == pytest.approx(alone.sum(), rel=0.03)


def test_nothing_is_corrected_within_the_lesion():
    hu, bone, grid = scanned(tube(1.0, (0.0, 0.0)), 1.0)
    lesion = bone.copy()
    lesion[: bone.shape[0] // 2] = False
    cortex = cortex_of(hu, grid, bone, np.zeros_like(bone), lesion, peak_HU=CORTEX_HU)
    assert np.isnan(cortex.share[lesion]).all() and np.isfinite(cortex.share[bone & ~lesion]).any()


def test_the_peak_is_that_of_the_thickest_cortex_and_metal_is_left_out():
    hu, bone, grid = scanned(tube(5.0, (0.0, 0.0)), 1.0)
    hu[18:22, 18:22] = 3000.0
    case = Case(
        case_id="shaft",
        ct=Volume(grid=grid, values=hu, unit="HU"),
        structures=(Structure(name="femur_left", role=Role.BONE, inside=bone),),
    )
    assert peak_HU(case) == pytest.approx(CORTEX_HU, rel=0.04)


def test_a_lattice_keeps_all_that_lies_under_it_wherever_a_thin_plate_lies():
    grid = Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(0.5,) * 3, shape=(40, 40, 40))
    plate = np.zeros(grid.shape, bool)
    plate[:, :, 20:22] = True
    for shift in np.linspace(0.0, 1.9, 9):
        lattice = Grid.aligned(origin_lps_mm=(-1.0, -1.0, shift - 1.0), spacing_mm=(2.0,) * 3, shape=(12, 12, 12))
        overlay = Overlay.of(plate, grid, lattice)
        held = overlay.mean(np.ones(len(overlay.under)))
        assert held.sum() * 8.0 == pytest.approx(plate.sum() * 0.125, rel=1e-5)
        assert overlay.inside.any(axis=2).sum() >= 81 and (held[~overlay.inside] == 0).all()
