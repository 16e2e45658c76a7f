"""Rigidities of sections against the closed forms of a tube."""

import numpy as np
import pytest

from trocar.assessment.sections import rigidities, section_check
from trocar.model.case import Role, Structure
from trocar.model.space import Grid

GRID = Grid.aligned(origin_lps_mm=(-19.5, -19.5, -29.5), spacing_mm=(1.0, 1.0, 1.0), shape=(40, 40, 60))
AT = GRID.to_lps(np.moveaxis(np.indices(GRID.shape), 0, -1))


def tube(outer_mm, inner_mm, modulus_MPa=1000.0):
    away = np.linalg.norm(AT[..., :2], axis=-1)
    return np.where((away < outer_mm) & (away >= inner_mm), modulus_MPa, 0.0)


def test_a_hollow_cylinder_has_the_rigidities_of_its_section():
    field = tube(14.0, 9.0)
    solid = field > 0
    found = rigidities(field[solid], AT[solid], np.array([0.0, 0.0, 1.0]), 1.0, np.array([-8.0, 0.0, 8.0]))
    area, second = np.pi * (14.0**2 - 9.0**2), np.pi * (14.0**4 - 9.0**4) / 4
    expected = [1000 * area, 1000 * second, 1000 / 2.6 * 2 * second]
    assert found == pytest.approx(np.array([expected, expected]), rel=0.02)


def test_a_lost_quadrant_is_found_where_it_is_and_flagged():
    whole = tube(14.0, 9.0)
    lost = (AT[..., 0] > 0) & (AT[..., 1] > 0) & (AT[..., 2] > 8) & (AT[..., 2] < 16)
    bone = Structure(name="femur_left", role=Role.BONE, inside=whole > 0)
    found = section_check(np.where(lost, 0.0, whole), whole, GRID, bone, lost & (whole > 0), against="intact_estimate")
    assert found.axial_frac == pytest.approx(0.75, abs=0.02)
    assert found.bending_frac < 0.65 and found.flagged
    assert 8 <= found.where_lps_mm[2] <= 16
    kept = section_check(whole, whole, GRID, bone, lost & (whole > 0), against="intact_estimate")
    assert (kept.axial_frac, kept.bending_frac, kept.torsion_frac, kept.flagged) == (1.0, 1.0, 1.0, False)
