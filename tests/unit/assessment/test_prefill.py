"""What the image answers in the clinical context, and what it never touches."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.assessment.prefill import prefilled
from trocar.model.case import Case, Clinical, LesionContext, Role, Side, Structure
from trocar.model.space import Grid, Volume

GRID = Grid(shape=(40, 40, 20), lps_from_ijk=((1.0, 0, 0, -20.0), (0, 1.0, 0, -20.0), (0, 0, 1.0, 0), (0, 0, 0, 1.0)))


def box(low, high):
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return inside


def case(bone="vertebrae_L3", *, rise_HU=None, contrast=False, clinical=None):
    inside, lesion = box((5, 5, 2), (35, 35, 18)), box((10, 12, 6), (20, 20, 12))
    values = np.full(GRID.shape, 300.0, dtype=np.float32)
    values[lesion] = 40.0
    phases = {}
    if rise_HU is not None:
        phases["arterial"] = Volume(grid=GRID, values=values + np.float32(rise_HU), unit="HU")
    return Case(
        case_id="box",
        ct=Volume(grid=GRID, values=values, unit="HU"),
        structures=(
            Structure(name=bone, role=Role.BONE, inside=inside),
            Structure(name="lesion_1", role=Role.LESION, inside=lesion),
        ),
        clinical=clinical or Clinical(),
        phases=phases,
        contrast_enhanced=contrast,
    )


def test_the_image_gives_site_level_size_and_matrix():
    filled, said = prefilled(case())
    lesion = filled.clinical.lesion[0]
    assert (lesion.name, lesion.site, lesion.level, lesion.bones) == ("lesion_1", "vertebra", "L3", ("vertebrae_L3",))
    assert lesion.volume_ml == pytest.approx(0.48)
    assert (lesion.soft_tissue_ml, lesion.soft_tissue_frac, lesion.cortical_breach_mm2) == (0.0, 0.0, 0.0)
    assert lesion.diameters_mm[0] >= lesion.diameters_mm[1] >= lesion.diameters_mm[2] > 0
    assert set(lesion.from_imaging) == {item.field for item in said}
    assert lesion.vascularity_grade is None


def test_a_hip_bone_does_not_tell_the_site():
    assert prefilled(case("hip_left"))[0].clinical.lesion[0].site is None


# shows: R56
@pytest.mark.parametrize(("rise_HU", "grade"), [(5, 0), (30, 1), (70, 2), (150, 3)])
def test_vascularity_comes_from_an_arterial_phase(rise_HU, grade):
    assert prefilled(case(rise_HU=rise_HU))[0].clinical.lesion[0].vascularity_grade == grade


@pytest.mark.parametrize("contrast", [None, True])
def test_no_vascularity_over_a_ct_that_may_be_enhanced(contrast):
    assert prefilled(case(rise_HU=100, contrast=contrast))[0].clinical.lesion[0].vascularity_grade is None


def test_what_was_stated_stays():
    stated = LesionContext(name="lesion_1", site="rib", side=Side.LEFT, vascularity_grade=0)
    filled, said = prefilled(case(rise_HU=150, clinical=Clinical(lesion=(stated,))))
    lesion = filled.clinical.lesion[0]
    assert (lesion.site, lesion.side, lesion.vascularity_grade) == ("rib", Side.LEFT, 0)
    assert not {"site", "side", "vascularity_grade"} & {item.field for item in said}
    assert replace(lesion, from_imaging=()) != stated  # the rest was filled
