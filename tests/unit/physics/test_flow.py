"""Cement through a porous medium: against Darcy's law in closed form, with every volume accounted for."""

import numpy as np
import pytest

from trocar.errors import SolverError
from trocar.physics.flow import Injection, fill
from trocar.physics.porous import Porous

H_M, K_M2, PHI = 1e-3, 4e-8, 0.8
OPENING_M = 1.5e-3


def medium(shape, permeability_m2=K_M2, porosity_frac=PHI, outlet=0, spacing_m=H_M):
    return Porous(
        spacing_m=spacing_m,
        permeability_m2=np.broadcast_to(np.asarray(permeability_m2, float), shape).copy(),
        porosity_frac=np.broadcast_to(np.asarray(porosity_frac, float), shape).copy(),
        outlet=np.broadcast_to(outlet, shape).copy(),
    )


def at(*cell, opening_m=OPENING_M):
    return Injection(cells=(cell,), opening_m=opening_m)


def stored_m3(porous, filling):
    return float((filling.saturation_frac * porous.capacity_m3).sum())


def distance_m(shape, cell):
    return H_M * np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - cell, axis=-1)


def radius_m(volume_m3):
    return np.cbrt(3 * volume_m3 / (4 * np.pi * PHI))


@pytest.fixture(scope="module")
def sphere():
    porous = medium((33, 33, 33))
    return porous, fill(porous, at(16, 16, 16), 5e-6)


def test_from_a_point_the_front_is_a_sphere_of_the_injected_volume(sphere):
    porous, filling = sphere
    from_point = distance_m(porous.outlet.shape, (16, 16, 16))
    seen = np.isfinite(filling.arrival_m3) & (from_point > 3 * H_M)
    error_m = radius_m(filling.arrival_m3[seen]) - from_point[seen]
    assert abs(error_m.mean()) < 0.02 * radius_m(5e-6)
    assert np.abs(error_m).max() < 0.5 * H_M  # in every direction
    assert from_point[filling.saturation_frac > 0.5].max() == pytest.approx(radius_m(5e-6), abs=0.7 * H_M)


def test_the_pressure_at_the_opening_is_that_of_a_sphere_in_a_sphere(sphere):
    _, filling = sphere
    front_m = radius_m(filling.volumes_m3)
    expected = (1 / OPENING_M - 1 / front_m) / (4 * np.pi * K_M2)
    assert filling.resistance_per_m3[front_m > 3e-3] == pytest.approx(expected[front_m > 3e-3], rel=0.02)


def test_along_a_column_the_front_and_the_pressure_grow_in_proportion():
    shape, cells = (4, 4, 40), tuple((i, j, 0) for i in range(4) for j in range(4))
    area_m2 = 16 * H_M**2
    volume_m3 = area_m2 * PHI * 20.25 * H_M
    filling = fill(medium(shape), Injection(cells=cells), volume_m3)
    expected = np.clip(20.25 - np.arange(40), 0, 1)
    assert filling.saturation_frac.sum(axis=(0, 1)) / 16 == pytest.approx(expected, abs=1e-4)
    length_m = filling.volumes_m3 / (area_m2 * PHI) - 0.5 * H_M  # from the middle of the entries
    assert filling.resistance_per_m3 == pytest.approx(length_m / (K_M2 * area_m2), rel=1e-3)


def test_a_second_layer_adds_its_own_resistance():
    shape, cells = (4, 4, 40), tuple((i, j, 0) for i in range(4) for j in range(4))
    permeability = np.where(np.arange(40) < 10, K_M2, K_M2 / 5)[None, None, :]
    area_m2 = 16 * H_M**2
    filling = fill(medium(shape, permeability), Injection(cells=cells), area_m2 * PHI * 30 * H_M)
    front_m = filling.volumes_m3 / (area_m2 * PHI)
    first_m, second_m = np.minimum(front_m, 10 * H_M) - 0.5 * H_M, np.maximum(front_m - 10 * H_M, 0)
    assert filling.resistance_per_m3 == pytest.approx((first_m + 5 * second_m) / (K_M2 * area_m2), rel=2e-3)


def test_beside_each_other_fronts_advance_as_the_root_of_the_permeability():
    """dx/dt ~ k / x under one pressure, so x ~ sqrt(k t)."""
    shape = (5, 2, 40)
    permeability = np.zeros(shape)
    permeability[:2], permeability[3:] = K_M2, K_M2 / 4
    permeability[:, :, 0] = 1e4 * K_M2  # a cavity that feeds both
    porous = medium(shape, permeability)
    filling = fill(porous, at(0, 0, 0, opening_m=None), 70 * PHI * H_M**3)
    fast, slow = (filling.saturation_frac[rows, :, 1:].sum() / 4 for rows in (slice(0, 2), slice(3, 5)))
    assert fast > 8 and fast / slow == pytest.approx(2.0, rel=0.05)


def random_medium(seed=0):
    rng = np.random.default_rng(seed)
    shape = (24, 26, 28)
    permeability = K_M2 * np.exp(rng.normal(size=shape))
    permeability[rng.random(shape) < 0.2] = 0
    permeability[12, 13, 14] = K_M2
    outlet = np.zeros(shape, int)
    outlet[:, :, :8], outlet[:4] = 1, 2
    return medium(shape, permeability, rng.uniform(0.1, 0.9, shape), outlet)


def test_every_volume_is_kept_and_no_cell_holds_more_than_it_can():
    porous = random_medium()
    filling = fill(porous, at(12, 13, 14), 4e-6)
    lost_m3 = sum(way.volume_m3 for way in filling.exits.values())
    assert lost_m3 > 0.1e-6 and set(filling.exits) == {1, 2}
    assert stored_m3(porous, filling) + lost_m3 == pytest.approx(filling.injected_m3, rel=1e-6)
    assert filling.injected_m3 == pytest.approx(4e-6, rel=1e-6)
    assert filling.saturation_frac.min() >= 0 and filling.saturation_frac.max() <= 1
    assert not filling.saturation_frac[~porous.open].any()


def test_a_mirrored_medium_fills_as_the_mirror_image():
    porous = random_medium()
    there = fill(porous, at(12, 13, 14), 3e-6)
    parts = [np.flip(part, 0) for part in (porous.permeability_m2, porous.porosity_frac, porous.outlet)]
    mirrored = medium(parts[0].shape, *parts)
    back = fill(mirrored, at(23 - 12, 13, 14), 3e-6)
    apart = np.abs(np.flip(back.saturation_frac, 0) - there.saturation_frac)
    assert apart.sum() < 0.005 * there.saturation_frac.sum()  # steps are cut at other moments: not a bit more
    for number, way in there.exits.items():
        assert back.exits[number].first_m3 == pytest.approx(way.first_m3, rel=0.01)
        assert back.exits[number].volume_m3 == pytest.approx(way.volume_m3, rel=0.005)


def test_in_an_even_medium_a_sphere_is_its_own_mirror_image(sphere):
    _, filling = sphere
    for axis in range(3):
        assert np.flip(filling.saturation_frac, axis) == pytest.approx(filling.saturation_frac, abs=1e-3)


def test_less_permeable_bone_fills_alike_at_a_higher_pressure(sphere):
    _, filling = sphere
    dense = fill(medium((33, 33, 33), K_M2 / 3), at(16, 16, 16), 5e-6)
    assert dense.saturation_frac == pytest.approx(filling.saturation_frac, abs=1e-4)
    assert dense.resistance_per_m3 == pytest.approx(3 * filling.resistance_per_m3, rel=1e-4)


def test_a_more_viscous_cement_takes_a_pressure_in_proportion(sphere):
    _, filling = sphere
    flow = 0.05e-6
    thin, thick = (filling.pressure_Pa(np.full(filling.volumes_m3.size, mu), flow) for mu in (100.0, 700.0))
    assert thick == pytest.approx(7 * thin)
    last = radius_m(filling.volumes_m3[-1])
    assert thin[-1] == pytest.approx(100.0 * flow * (1 / OPENING_M - 1 / last) / (4 * np.pi * K_M2), rel=0.02)


def shell(radius_cells, hole):
    """A closed shell; with a hole, an outlet where it meets the first axis."""
    shape = (31, 31, 31)
    inside = distance_m(shape, (15, 15, 15)) <= radius_cells * H_M
    outlet = np.zeros(shape, int)
    outlet[15 + radius_cells + 1, 15, 15] = 7 if hole else 0
    return medium(shape, np.where(inside, K_M2, 0.0), PHI, outlet)


@pytest.mark.parametrize("radius_cells", [7, 10])
def test_through_a_hole_of_a_shell_cement_leaks_at_the_volume_that_reaches_it(radius_cells):
    porous = shell(radius_cells, hole=True)
    reach_m3 = 4 / 3 * np.pi * (radius_cells * H_M) ** 3 * PHI
    before = fill(porous, at(15, 15, 15), 0.9 * reach_m3)
    assert not before.exits
    after = fill(porous, at(15, 15, 15), 1.5 * reach_m3)
    assert after.exits.keys() == {7}
    assert after.exits[7].first_m3 == pytest.approx(reach_m3, rel=0.03)
    assert after.exits[7].cell == (15 + radius_cells + 1, 15, 15)
    assert after.exits[7].volume_m3 == pytest.approx(1.5 * reach_m3 - porous.capacity_m3.sum(), rel=0.02)


def test_a_frozen_shell_holds_and_takes_no_more_than_its_room():
    porous = shell(8, hole=False)
    filling = fill(porous, at(15, 15, 15), 5e-6)
    assert filling.injected_m3 == pytest.approx(porous.capacity_m3.sum(), rel=1e-9) and filling.injected_m3 < 5e-6
    assert filling.saturation_frac[porous.open] == pytest.approx(1.0) and not filling.exits
    thawed = fill(medium(porous.outlet.shape), at(15, 15, 15), 5e-6)
    assert thawed.injected_m3 == pytest.approx(5e-6)


def test_a_drop_smaller_than_a_cell_stays_in_it():
    filling = fill(medium((4, 4, 4)), at(1, 1, 1), 0.4 * PHI * H_M**3)
    assert filling.saturation_frac[1, 1, 1] == pytest.approx(0.4) and np.count_nonzero(filling.saturation_frac) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"permeability_m2": -1e-9}, "permeability is negative"),
        ({"permeability_m2": np.nan}, "permeability is negative or not a number"),
        ({"porosity_frac": 1.2}, "porosity is outside"),
        ({"spacing_m": 0.0}, "spacing"),
    ],
)
def test_an_impossible_medium_is_refused(change, said):
    with pytest.raises(SolverError, match=said) as refused:
        medium((4, 4, 4), **change)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("injection", "volume_m3", "said"),
    [
        (at(1, 1, 1), 0.0, "volume"),
        (at(1, 1, 1), -1e-6, "volume"),
        (at(1, 1, 1), np.nan, "volume"),
        (at(0, 1, 1), 1e-6, "closed cell"),
        (at(9, 1, 1), 1e-6, "outside the lattice"),
        (at(1, 1, 1, opening_m=0.0), 1e-6, "radius"),
        (Injection(cells=((1, 1, 1), (2, 2, 2)), opening_m=1e-3), 1e-6, "one cell"),
    ],
)
def test_an_impossible_injection_is_refused(injection, volume_m3, said):
    permeability = np.full((4, 4, 4), K_M2)
    permeability[0] = 0  # frozen
    with pytest.raises(SolverError, match=said) as refused:
        fill(medium((4, 4, 4), permeability), injection, volume_m3)
    assert refused.value.hint
