"""Moduli of voxels: laws, calibration, cement, and screws that bend as rods do."""

import numpy as np
import pytest

from trocar.catalog.mechanics import as_density, mechanics
from trocar.errors import CaseError
from trocar.materials.density import phantom_scale, rods_of, tissue_scale
from trocar.materials.stiffness import native_modulus, rod_frac, screw_modulus_MPa, with_cement, with_screw
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Grid, Segment, Volume, as_vector
from trocar.model.treatment import Placement
from trocar.physics.elastic import ElasticSystem, Load


def grid_of(shape, spacing_mm=1.0):
    return Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(spacing_mm,) * 3, shape=shape)


def test_laws_give_the_figures_of_the_reference():
    apparent = np.array([0.30])
    qct = (0.6 * apparent - 0.079) / 0.877
    laws = {law.id: law for law in mechanics().law}
    for name, modulus in (("dalstra-1993-pelvis", 104), ("morgan-2003-vertebra", 723), ("morgan-2003-neck", 1139)):
        assert laws[name].modulus_MPa(qct)[0] == pytest.approx(modulus, rel=0.01)
    assert laws["kopperdahl-2002-vertebra"].strength_MPa(np.array([0.1]))[0] == pytest.approx(37.4 * 0.1**1.39)


def test_densities_convert_there_and_back():
    qct = np.linspace(0.01, 1.2, 20)
    assert (0.6 * as_density(qct, "apparent") - 0.079) / 0.877 == pytest.approx(qct)
    assert as_density(np.array([-0.1]), "ash")[0] == 0


def test_every_law_rises_and_is_capped():
    qct = np.linspace(0, 3, 200)
    for law in mechanics().law:
        modulus = law.modulus_MPa(qct)
        assert (np.diff(modulus) >= 0).all() and modulus[0] == 0 and modulus.max() <= 20000


def test_a_phantom_gives_its_line():
    scale = phantom_scale({0.0: 5.0, 100.0: 130.0, 200.0: 255.0})
    assert scale(np.array([130.0])) == pytest.approx([0.1])
    with pytest.raises(CaseError, match="two rods"):
        phantom_scale({100.0: 130.0})
    with pytest.raises(CaseError, match="a HU"):
        phantom_scale({5.0: 0.0, 130.0: 10.0, 255.0: 20.0})


def test_rods_are_told_as_density_and_hu():
    assert rods_of("0=1.5, 100=124,200=246") == {0.0: 1.5, 100.0: 124.0, 200.0: 246.0}


@pytest.mark.parametrize("text", ["", "100", "100=1=2", "a=b", "0=1,0=2", "0=nan,100=120"])
def test_rods_in_another_form_are_refused(text):
    with pytest.raises(CaseError):
        rods_of(text)


def slab_case(*, contrast, muscle_HU=55.0):
    rng = np.random.default_rng(0)
    grid = grid_of((40, 40, 20))
    hu = np.full(grid.shape, -1000.0) + rng.normal(0, 8, grid.shape)
    hu[12:20] += 900.0
    hu[20:] += 1000.0 + muscle_HU
    muscle = np.zeros(grid.shape, bool)
    muscle[20:] = True
    return Case(
        case_id="slab", ct=Volume(grid=grid, values=hu.astype(np.float32), unit="HU"), contrast_enhanced=contrast,
        structures=(Structure(name="gluteus", role=Role.MUSCLE, inside=muscle),),
    )  # fmt: skip


def test_air_fat_and_muscle_scale_a_plain_ct():
    scale = tissue_scale(slab_case(contrast=False))
    assert scale.origin == "air+fat+muscle" and "density_scale_prior" in scale.caveats
    assert scale(np.array([-1000.0, -100.0, 55.0])) == pytest.approx([-0.84, -0.08, 0.03], abs=0.02)


def test_contrast_leaves_muscle_out_and_says_so():
    plain, bright = tissue_scale(slab_case(contrast=False)), tissue_scale(slab_case(contrast=True, muscle_HU=95.0))
    assert "contrast_enhanced_no_muscle" in bright.caveats and bright.origin == "air+fat"
    assert bright(np.array([500.0])) == pytest.approx(plain(np.array([500.0])), rel=0.06)
    assert "contrast_unknown_no_muscle" in tissue_scale(slab_case(contrast=None)).caveats


def test_a_ct_without_air_and_fat_is_refused():
    case = slab_case(contrast=True)
    flat = Volume(grid=case.grid, values=np.full(case.grid.shape, 40.0, np.float32), unit="HU")
    with pytest.raises(CaseError, match="too little air"):
        tissue_scale(Case(case_id="flat", ct=flat, structures=case.structures))


def test_a_thin_cortex_keeps_its_stiffness_on_coarse_voxels():
    grid = grid_of((24, 24, 24), 0.5)
    hu = np.full(grid.shape, 100.0, np.float32)
    hu[:, :, 10:12] = 1300.0
    every = np.ones(grid.shape, bool)
    case = Case(case_id="plate", ct=Volume(grid=grid, values=hu, unit="HU"), structures=())
    law, scale = mechanics().laws_of("pelvis")[0], phantom_scale({0.0: 0.0, 800.0: 1000.0})
    none = np.zeros(grid.shape, bool)
    fine, _ = native_modulus(case, every, none, law, scale, grid, filled_MPa=None)
    coarse_grid = Grid.aligned(origin_lps_mm=(0.25, 0.25, 0.25), spacing_mm=(1.0,) * 3, shape=(12, 12, 12))
    coarse, _ = native_modulus(case, every, none, law, scale, coarse_grid, filled_MPa=None)
    inner = (slice(1, -1),) * 3
    assert coarse[inner].mean() == pytest.approx(fine[2:-2, 2:-2, 2:-2].mean(), rel=0.01)


def test_cement_never_softens():
    modulus = np.array([0.0, 5.0, 500.0, 2200.0, 12000.0])
    for share in (0.0, 0.3, 1.0):
        assert (with_cement(modulus, np.full(5, share)) >= modulus).all()
    assert with_cement(modulus, np.ones(5))[1] == 2200.0


def test_a_rods_share_has_its_volume_wherever_it_lies():
    grid, rng = grid_of((40, 40, 40)), np.random.default_rng(1)
    for _ in range(4):
        start = 12 + 4 * rng.random(3)
        axis = Segment(start_lps_mm=as_vector(start), end_lps_mm=as_vector(start + 10 * rng.random(3) + 4))
        exact = np.pi * (6.5**2 - 2.8**2) / 4 * axis.length_mm
        assert rod_frac(axis, 6.5, grid, cannula_mm=2.8).sum() == pytest.approx(exact, rel=0.02)


def bending_error(diameter_mm, direction, offset):
    """Relative error of a titanium rod's bending stiffness on voxels of 1 mm, by its curvature under end rotations."""
    direction = np.asarray(direction) / np.linalg.norm(direction)
    length = 12 * diameter_mm
    span = np.abs(direction) * length + 2 * diameter_mm
    shape = tuple(int(n) for n in np.ceil(span) + 2)
    grid = grid_of(shape)
    middle = grid.center_lps_mm + offset
    axis = Segment(
        start_lps_mm=as_vector(middle - direction * length / 2), end_lps_mm=as_vector(middle + direction * length / 2)
    )
    screw = Placement(
        device="screw", role="screw", name="s", entry_lps_mm=axis.start_lps_mm, target_lps_mm=axis.end_lps_mm,
        skin_lps_mm=axis.start_lps_mm, length_mm=length, diameter_mm=diameter_mm,
    )  # fmt: skip
    modulus, _ = with_screw(np.zeros(shape), screw, grid)
    assert modulus.max() == pytest.approx(screw_modulus_MPa(axis, diameter_mm, grid))
    nodes = grid.to_lps(np.moveaxis(np.indices([n + 1 for n in shape]), 0, -1) - 0.5) - middle
    along = nodes @ direction
    held = np.repeat((np.abs(along) > length / 2 - diameter_mm)[..., None], 3, axis=3)
    across = np.cross(direction, [0.3, 0.5, 0.8])
    across /= np.linalg.norm(across)
    turn = np.cross(across, nodes) * 1e-3 * np.sign(along)[..., None] * 1e-3
    found = ElasticSystem(modulus * 1e6, held, spacing_m=1e-3).solve_one(Load(displacement_m=turn), tolerance=1e-9)
    u, force = found.displacement_m(), found.force_N()
    low = along < 0
    moment = abs((np.cross(nodes[low] * 1e-3, force[low] * held[low]) @ across).sum())
    down = np.cross(across, direction)
    system = found.system
    stored = (system.dense(np.ones(3 * system.rows.node_count)) > 0)[..., 0]
    inner = (
        stored
        & (np.abs(along) < 3 * diameter_mm)
        & (np.linalg.norm(nodes - along[..., None] * direction, axis=-1) < 1.5)
    )
    curvature = 2 * abs(np.polyfit(along[inner] * 1e-3, u[inner] @ down, 2)[0])
    exact = 110e9 * np.pi * (diameter_mm * 1e-3) ** 4 / 64
    return moment / curvature / exact - 1


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 1), (1, 1, 1), (2, 1, 0)])
@pytest.mark.parametrize("diameter_mm", [4.0, 6.5])
def test_a_screw_of_voxels_bends_as_a_rod(diameter_mm, direction):
    error = bending_error(diameter_mm, direction, np.array([0.2, -0.35, 0.1]))
    assert abs(error) < (0.05 if diameter_mm == 4.0 else 0.03)
