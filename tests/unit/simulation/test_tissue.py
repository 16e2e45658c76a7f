"""From CT and structures to fields: what lies where, whatever the grid's axes, and what was stated comes through."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from slab import SHAPE, ball, synthetic_case

from trocar.catalog.tissues import tissues
from trocar.materials import tissue_map
from trocar.materials.native import native_tissue
from trocar.materials.placing import EVERYWHERE, nearest, shaft_frac, tube
from trocar.model.case import Role, Structure
from trocar.model.shield import Shield
from trocar.model.space import Grid, Segment, Volume, as_matrix4
from trocar.model.treatment import Placement


def box(spacing_mm=2.0, shape=(40, 40, 40), low_mm=9.0):
    return Grid.aligned(origin_lps_mm=(low_mm,) * 3, spacing_mm=(spacing_mm,) * 3, shape=shape)


def turned(grid, angle_rad):
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    matrix = grid.matrix.copy()
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ matrix[:3, :3]
    return Grid(shape=grid.shape, lps_from_ijk=as_matrix4(matrix))


def test_the_quick_way_along_common_axes_gives_what_the_general_one_gives():
    inside = ball((47.3, 51.1, 48.7), 13.0)
    source = Grid.aligned(origin_lps_mm=(0, 0, 0), spacing_mm=(2.0,) * 3, shape=SHAPE)
    target = box(spacing_mm=1.3, shape=(60, 55, 50), low_mm=9.13)  # no cell on a voxel's border
    quick = nearest(inside, source, target, EVERYWHERE, outside=False)
    general = nearest(inside, source, turned(target, 1e-7), EVERYWHERE, outside=False)
    assert quick.sum() > 1000 and np.array_equal(quick, general)


@pytest.mark.parametrize("shift_mm", [(0, 0, 0), (1, 1, 1), (0.5, -0.5, 0.7)])
@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
def test_the_lesion_stays_where_it_is_whatever_the_lattices_offset(spacing_mm, shift_mm):
    """Half a voxel of offset once moved a lesion half a voxel, which changed the radius of ice by 0.5 mm."""
    case = synthetic_case()
    inside = case.structure("lesion_1").inside
    middle_mm = case.grid.to_lps(np.argwhere(inside)).mean(axis=0)
    shape = (round(40 / spacing_mm),) * 3
    grid = Grid.aligned(origin_lps_mm=tuple(29.0 + np.array(shift_mm)), spacing_mm=(spacing_mm,) * 3, shape=shape)
    native = native_tissue(case, grid)
    blood = native.blood_frac("lesion_1") * native.fields["perfusion_W_per_m3K"]
    found_mm = (blood[..., None] * grid.to_lps(np.moveaxis(np.indices(shape), 0, -1))).sum(axis=(0, 1, 2)) / blood.sum()
    assert found_mm == pytest.approx(middle_mm, abs=0.02)
    supplied = tissues()["soft_metastasis"].perfusion_W_per_m3K
    assert blood.max() > 0.5 * supplied
    assert blood.sum() * grid.voxel_ml == pytest.approx(blood.max() * inside.sum() * case.grid.voxel_ml, rel=0.01)


def test_thick_slices_are_no_steps():
    """HU that rise along z on slices of 5 mm: cells of 1 mm rise evenly."""
    grid = Grid.aligned(origin_lps_mm=(0, 0, 0), spacing_mm=(2.0, 2.0, 5.0), shape=(30, 30, 20))
    hu = np.full(grid.shape, 0.0, np.float32) + np.linspace(200.0, 1200.0, 20, dtype=np.float32)
    bone = Structure(name="hip_left", role=Role.BONE, inside=np.ones(grid.shape, dtype=bool))
    case = replace(synthetic_case(), ct=Volume(grid=grid, values=hu, unit="HU"), structures=(bone,))
    fine = Grid.aligned(origin_lps_mm=(20, 20, 20), spacing_mm=(1.0,) * 3, shape=(10, 10, 50))
    found = native_tissue(case, fine).fields["unfrozen_W_per_mK"][5, 5]
    steps = np.diff(found)
    assert (steps > 0).all() and steps.max() < 1.6 * steps.min()


def test_an_embolization_takes_the_lesions_own_blood_only():
    case, grid = synthetic_case(), box(spacing_mm=1.5, low_mm=20.3)
    before, after = (
        tissue_map(case, grid, perfusion_left_frac=left).medium.perfusion_W_per_m3K for left in ({}, {"lesion_1": 0.2})
    )
    own = native_tissue(case, grid).blood_frac("lesion_1")
    assert np.mean((own > 0) & (own < 1)) > 0.005 and own.max() == pytest.approx(1.0)
    assert after == pytest.approx(before * (1 - 0.8 * own))
    assert np.array_equal(after[own == 0], before[own == 0])


def test_a_screw_has_its_volume_wherever_it_lies():
    axis = Segment(start_lps_mm=(30.3, 35.2, 30.1), end_lps_mm=(60.7, 61.4, 57.9))
    _, share = shaft_frac(axis, 3.25, box(spacing_mm=1.0, shape=(80, 80, 80)))
    capsule_mm3 = np.pi * 3.25**2 * axis.length_mm + 4 / 3 * np.pi * 3.25**3
    assert share.sum() == pytest.approx(capsule_mm3, rel=0.03)


def test_a_screws_cells_conduct_as_titanium():
    screw = Placement(
        device="screw-6.5", role="screw", name="screw", entry_lps_mm=(49, 64, 20), target_lps_mm=(49, 64, 80),
        skin_lps_mm=(49, 64, 0), length_mm=60.0, diameter_mm=6.5,
    )  # fmt: skip
    medium = tissue_map(synthetic_case(), box(), implants=(screw,)).medium
    cell = tuple(box().to_ijk((49.0, 64.0, 49.0)).round().astype(int))
    assert medium.unfrozen_W_per_mK[cell] == pytest.approx(tissues()["titanium"].conductivity_W_per_mK, rel=1e-5)


def test_tissue_boils_only_where_it_holds_water_and_only_when_asked():
    case = synthetic_case()
    assert tissue_map(case, box()).medium.vapor_J_per_m3 is None
    found = tissue_map(case, box(), boils=True)
    assert found.medium.vapor_J_per_m3 == pytest.approx(found.water_frac * 1000 * 2.26e6, rel=1e-4)


def test_a_warm_pack_is_an_exchange_of_its_own():
    assert tissue_map(synthetic_case(), box()).medium.exchange_W_per_m2K == 10.0
    assert tissue_map(synthetic_case(), box(), shield=Shield(skin_W_per_m2K=300.0)).medium.exchange_W_per_m2K == 300.0


def test_cerebrospinal_fluid_flows_and_other_fluid_does_not_though_the_cases_are_alike():
    cell = tuple(box().to_ijk((30.0, 30.0, 30.0)).round().astype(int))

    def perfusion(name):
        fluid = Structure(name=name, role=Role.FLUID, inside=ball((30.0, 30.0, 30.0), 8.0))
        case = synthetic_case()
        return tissue_map(replace(case, structures=(*case.structures, fluid)), box()).medium.perfusion_W_per_m3K[cell]

    assert perfusion("csf_lumbar") == pytest.approx(10e3, rel=0.01)
    assert perfusion("ascites") == 0.0


@pytest.mark.parametrize("spacing_mm", [1.0, 3.0])
def test_a_nerve_thinner_than_a_cell_is_not_interrupted(spacing_mm):
    grid = box(spacing_mm=spacing_mm, shape=(30, 30, 30))
    line = np.array([[12.0, 13.0, 11.0], [21.3, 26.1, 19.7], [33.0, 30.5, 35.2]])
    where, cells = tube(line, 0.25, grid)
    inside = np.zeros(grid.shape, dtype=bool)
    inside[where] = cells
    along = np.concatenate([np.linspace(a, b, 400) for a, b in pairwise(line)])
    nearest_cell = np.rint(grid.to_ijk(along)).astype(int)
    assert inside[tuple(nearest_cell.T)].all()
