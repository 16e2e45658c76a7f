"""The electric field against closed forms: resistance, power and current, independence of pose and spacing."""

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.electric import (
    Bipolar,
    ElectricField,
    Electrode,
    GroundedFaces,
    conductivity_S_per_m,
)
from trocar.physics.lines import Line

BONE_S_PER_M = 0.0866
NaCl_MADELUNG = 1.74756  # images of a point in a grounded cube alternate as ions do in salt
RADIUS_M, LENGTH_M = 0.75e-3, 20e-3
UPRIGHT = np.array([0.0, 0.0, 1.0])


def electrode(center_m, *, direction=UPRIGHT, length_m=LENGTH_M, radius_m=RADIUS_M):
    half = 0.5 * length_m * np.asarray(direction)
    return Electrode(lines=(Line(tip_m=center_m - half, tail_m=center_m + half, radius_m=radius_m),))


def cube_field(count, spacing_m, *, offset_m=(0.0, 0.0, 0.0), path=None, **line):
    middle = np.full(3, (count - 1) / 2 * spacing_m) + offset_m
    tissue = np.full((count,) * 3, BONE_S_PER_M)
    return ElectricField(tissue, spacing_m, (electrode(middle, **line),), path or GroundedFaces())


def in_cube_ohm(endless_ohm, side_m):
    return endless_ohm - NaCl_MADELUNG / side_m / (4 * np.pi * BONE_S_PER_M)


def cylinder_ohm(length_m, radius_m):
    """A slender cylinder in endless tissue, third order in 1 / ln(length / radius) (Jackson 2000)."""
    log = np.log(length_m / radius_m)
    b = 1 - np.log(2)
    return log / (2 * np.pi * BONE_S_PER_M * length_m * (1 + b / log + (1 + b * b - np.pi**2 / 12) / log**2))


def test_a_sphere_of_metal_has_its_textbook_resistance():
    count, spacing_m, radius_m = 64, 0.25e-3, 1.5e-3
    axis = (np.arange(count) - (count - 1) / 2) * spacing_m
    inside = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2 < radius_m**2
    tissue = np.where(inside, 1e4, 1.0) * BONE_S_PER_M
    middle = np.full(3, (count - 1) / 2 * spacing_m)
    field = ElectricField(tissue, spacing_m, (electrode(middle, length_m=1e-3, radius_m=0.2e-3),), GroundedFaces())
    endless_ohm = 1 / (4 * np.pi * BONE_S_PER_M * radius_m)
    assert endless_ohm == pytest.approx(612.6, abs=0.1)
    assert field.resistance_ohm == pytest.approx(in_cube_ohm(endless_ohm, count * spacing_m), rel=0.03)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
@pytest.mark.parametrize("length_mm", [20.0, 30.0])
def test_a_needle_has_a_slender_cylinders_resistance(length_mm, spacing_mm):
    field = cube_field(round(80 / spacing_mm), 1e-3 * spacing_mm, length_m=1e-3 * length_mm)
    known = in_cube_ohm(cylinder_ohm(1e-3 * length_mm, RADIUS_M), 80e-3)
    assert field.resistance_ohm == pytest.approx(known, rel=0.02)


def test_resistance_is_the_same_at_1_and_2_mm():
    fine, coarse = (cube_field(round(80 / h), 1e-3 * h).resistance_ohm for h in (1.0, 2.0))
    assert coarse == pytest.approx(fine, rel=0.02)


def test_resistance_does_not_depend_on_the_pose():
    random = np.random.default_rng(5)
    found = []
    for _ in range(20):
        direction = random.standard_normal(3)
        direction /= np.linalg.norm(direction)
        offset_m = random.uniform(-1e-3, 1e-3, 3)
        found.append(cube_field(40, 2e-3, offset_m=offset_m, direction=direction).resistance_ohm)
    assert np.ptp(found) < 0.02 * np.mean(found)


def test_layers_in_series_add_up():
    """A needle of metal fills a plane: current flows straight through two layers to the grounded face."""
    count, spacing_m = 32, 1e-3
    tissue = np.full((count,) * 3, 0.1)
    tissue[24:] = 0.4
    tissue[:16] = 1e2
    middle = np.array([8.0, 15.5, 15.5]) * spacing_m
    path = GroundedFaces(faces=("x+",))
    field = ElectricField(tissue, spacing_m, (electrode(middle, length_m=10e-3),), path, tolerance=1e-6)
    area_m2 = (count * spacing_m) ** 2
    assert field.resistance_ohm == pytest.approx((8e-3 / 0.1 + 8e-3 / 0.4) / area_m2, rel=0.01)


def test_the_heat_is_the_power_and_the_current_what_the_resistance_says():
    field = cube_field(40, 2e-3, direction=np.array([0.6, 0.0, 0.8]))
    heat = field.joule_W_per_m3(30.0)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert float(heat.sum(dtype=float)) * 2e-3**3 == pytest.approx(30.0, rel=1e-5)
    assert field.voltage_V(30.0) * field.currents_A(30.0)[0] == pytest.approx(30.0, rel=2e-3)
    assert field.joule_W_per_m3(0.0).max() == 0


def test_the_heat_of_a_converged_field_needs_no_scaling():
    """The heat of the faces and of the unresolved profile, found apart, is what the current brings in."""
    tissue = np.full((32,) * 3, BONE_S_PER_M)
    tissue[:, :14] *= 5
    middle = np.full(3, 15.5 * 2e-3)
    field = ElectricField(tissue, 2e-3, (electrode(middle),), GroundedFaces(), tolerance=1e-6)
    volts = field.potential_V(10.0).astype(float)
    watts = 0.0
    for axis in range(3):
        c, v = np.moveaxis(tissue, axis, 0), np.moveaxis(volts, axis, 0)
        watts += float((2 * c[1:] * c[:-1] / (c[1:] + c[:-1]) * np.diff(v, axis=0) ** 2).sum()) * 2e-3
        watts += float((2 * 2e-3 * c[[0, -1]] * v[[0, -1]] ** 2).sum())
    near = 10.0 - watts
    assert 0 < near < 10.0
    lost = field._strengths_S @ field._drop**2 * 10.0 / field._watts
    assert near == pytest.approx(lost, rel=1e-3)


@pytest.mark.parametrize("far", [(), ("x-", "x+", "y-", "y+", "z-", "z+")])
def test_what_leaves_one_pole_enters_the_other(far):
    tissue = np.full((40,) * 3, BONE_S_PER_M)
    tissue[20:] *= 3
    poles = tuple(electrode(np.array([x, 39e-3, 39e-3]), length_m=12e-3) for x in (30e-3, 48e-3))
    field = ElectricField(tissue, 2e-3, poles, Bipolar(far_faces=far), tolerance=1e-5)
    out, into = field.currents_A(20.0)
    assert out > 0
    assert into == pytest.approx(-out, rel=1e-3)
    assert field.voltage_V(20.0) * out == pytest.approx(20.0, rel=2e-3)
    assert float(field.joule_W_per_m3(20.0).sum(dtype=float)) * 2e-3**3 == pytest.approx(20.0, rel=1e-5)


def test_an_array_of_tines_resists_less_than_one_and_more_than_its_share():
    tissue, middle = np.full((40,) * 3, BONE_S_PER_M), np.full(3, 39e-3)
    lines = [electrode(middle + np.array([x, 0, 0])).lines[0] for x in (-8e-3, 8e-3)]
    both = ElectricField(tissue, 2e-3, (Electrode(lines=tuple(lines)),), GroundedFaces()).resistance_ohm
    one = ElectricField(tissue, 2e-3, (Electrode(lines=(lines[0],)),), GroundedFaces()).resistance_ohm
    assert 0.5 * one < both < 0.85 * one


def test_refreshing_is_as_good_as_starting_anew():
    field = cube_field(32, 2e-3)
    tissue = np.full((32,) * 3, BONE_S_PER_M)
    tissue[10:22, 10:22, 10:22] *= 1.5
    field.refresh(tissue)
    anew = ElectricField(tissue, 2e-3, (electrode(np.full(3, 31e-3)),), GroundedFaces(), tolerance=1e-6)
    assert field.resistance_ohm == pytest.approx(anew.resistance_ohm, rel=1e-3)


def test_conductivity_follows_warmth_vapor_and_ice():
    base = np.full((2, 2, 2), 0.1)
    assert conductivity_S_per_m(base, base * 0 + 37.0) == pytest.approx(0.1)
    assert conductivity_S_per_m(base, base * 0 + 47.0) == pytest.approx(0.12)
    assert conductivity_S_per_m(base, base * 0 + 37.0, 1.0, vapor_factor=0.01) == pytest.approx(0.001)
    assert conductivity_S_per_m(base, base * 0 + 37.0, 0.0, 1.0, ice_factor=0.02) == pytest.approx(0.002)


@pytest.mark.parametrize("value", [np.nan, 0.0, -0.1, np.inf])
def test_impossible_conductivities_are_refused(value):
    tissue = np.full((24,) * 3, 0.1)
    tissue[3, 3, 3] = value
    with pytest.raises(SolverError) as refused:
        ElectricField(tissue, 2e-3, (electrode(np.full(3, 23e-3), length_m=10e-3),), GroundedFaces())
    assert refused.value.hint


def test_fields_without_a_return_or_with_an_electrode_outside_are_refused():
    tissue, inside = np.full((24,) * 3, 0.1), electrode(np.full(3, 23e-3), length_m=10e-3)
    for poles, path in (
        ((inside,), GroundedFaces(faces=())),
        ((inside,), Bipolar()),
        ((), GroundedFaces()),
        ((electrode(np.full(3, 46e-3)),), GroundedFaces()),
        ((inside,), GroundedFaces(faces=("top",))),
    ):
        with pytest.raises(SolverError) as refused:
            ElectricField(tissue, 2e-3, poles, path)
        assert refused.value.hint


@pytest.mark.parametrize("power_W", [-1.0, np.nan, np.inf])
def test_impossible_powers_are_refused(power_W):
    with pytest.raises(SolverError):
        cube_field(24, 2e-3, length_m=10e-3).joule_W_per_m3(power_W)
