"""Corridors keep clear of what labels hold and masks show, say what nobody looked at, and how they are reached."""

from dataclasses import replace

import numpy as np
import pytest

import trocar
from trocar import phantoms
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Grid, Segment, Volume
from trocar.planning.foramina import sacral_channels
from trocar.planning.guidance import guidance
from trocar.planning.hardlimits import Anatomy
from trocar.planning.safecorridor import safe_corridors
from trocar.planning.wayin import ways_in

RADIUS_MM = 10.0


def lattice(shape, spacing_mm):
    origin = tuple(-(n - 1) / 2 * spacing_mm for n in shape)
    grid = Grid.aligned(origin_lps_mm=origin, spacing_mm=(spacing_mm,) * 3, shape=shape)
    return grid, np.moveaxis(grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)


def rod(*more, spacing_mm=1.0):
    """A thick rod of bone along z in a body, and what else is given as (name, role, mask of x, y, z)."""
    grid, (x, y, z) = lattice((121, 121, 141), spacing_mm)
    inside = (np.hypot(x, y) < RADIUS_MM) & (np.abs(z) < 35.0)
    structures = [
        Structure(name="tibia_left", role=Role.BONE, inside=inside),
        Structure(name="body", role=Role.BODY, inside=(np.hypot(x, y) < 50.0) & (np.abs(z) < 60.0)),
    ]
    structures += [Structure(name=name, role=role, inside=where(x, y, z)) for name, role, where in more]
    return Anatomy(structures=tuple(structures), grid=grid, bones=("tibia_left",))


def found_in(around, **options):
    return safe_corridors(around, lesion=None, guidance=guidance("navigated"), anchor_mm=20.0, **options)


def nerve(x, y, z):
    return (np.hypot(x - 6.0, y) < 1.6) & (np.abs(z) < 60.0)


def test_a_labelled_nerve_in_the_bone_makes_the_corridor_narrower():
    bare, beside = found_in(rod()), found_in(rod(("sciatic_nerve_left", Role.NERVE, nerve)))
    assert 2 * RADIUS_MM - 2.1 <= bare.found[0].corridor.diameter_mm <= 2 * RADIUS_MM
    widest = beside.found[0].corridor
    # the widest circle between the far side of the rod and 2 mm from the nerve: from x = -10 to x = 6 - 1.6 - 2
    assert 12.4 - 2.1 <= widest.diameter_mm <= 12.4  # a voxel at each side is what masks may lack
    free = np.hypot(*(widest.axis.at(np.linspace(0, widest.axis.length_mm, 200))[:, :2] - (6.0, 0.0)).T).min()
    assert free - 1.6 - widest.diameter_mm / 2 >= 2.0 - 0.5  # half a voxel, which a mask leaves open
    assert beside.found[0].nearest[0][0] == "sciatic_nerve_left"
    assert beside.limits.looked_at["nerves"] == ("sciatic_nerve_left",)


@pytest.mark.parametrize("role", [Role.JOINT, Role.IMPLANT, Role.CORD])
def test_joints_implants_and_the_canal_are_hard_limits_too(role):
    wall = found_in(rod(("thing", role, lambda x, y, z: (x > 2.0) & (np.abs(z) < 60.0)))).found[0].corridor
    clearance = 2.0 if role is Role.CORD else 0.0
    assert wall.diameter_mm <= RADIUS_MM + 2.0 - clearance + 0.6
    at_most = wall.axis.at(np.linspace(0, wall.axis.length_mm, 50))[:, 0].max() + wall.diameter_mm / 2
    assert at_most <= 2.5 - clearance + 0.5


def test_what_nobody_labelled_is_said():
    skinless = rod()
    skinless = replace(skinless, structures=skinless.structures[:1])
    said = " ".join(found_in(skinless).not_looked_at)
    assert "nerves" in said and "joints" in said and "skin" in said and "foramina" not in said
    unnamed = replace(skinless, structures=(replace(skinless.structures[0], name="mask"),), bones=("mask",))
    said = " ".join(found_in(unnamed).not_looked_at)
    assert "foramina (the bone's name is not known)" in said and "canal" in said
    assert found_in(unnamed).found[0].ways == ()


def test_a_way_in_tells_the_skin_what_it_crosses_and_what_refuses_it():
    vessel = ("popliteal_artery", Role.VESSEL, lambda x, y, z: (np.hypot(x, z - 48.0) < 3.0) & (np.abs(y) < 40.0))
    muscle = (
        "quadriceps_femoris_left",
        Role.MUSCLE,
        lambda x, y, z: (np.hypot(x, y) < 30.0) & (z < -40.0) & (z > -52.0),
    )
    around = rod(vessel, muscle)
    axis = Segment(start_lps_mm=(0.0, 0.0, -30.0), end_lps_mm=(0.0, 0.0, 30.0))
    start, end = ways_in(around, axis, diameter_mm=6.0, guidance=guidance("navigated"))
    assert start.free and start.skin_lps_mm == pytest.approx((0.0, 0.0, -60.0), abs=1.0)
    assert start.skin_to_bone_mm == pytest.approx(25.0, abs=1.0)  # skin at 60, bone to 35
    assert dict(start.crosses)["quadriceps_femoris_left"] == pytest.approx(11.5, abs=1.0)
    assert not end.free and end.refused[0].constraint == "vessel_clearance"
    assert end.refused[0].structure == "popliteal_artery"
    beside = (
        "popliteal_artery",
        Role.VESSEL,
        lambda x, y, z: (np.hypot(x - 12.0, z - 48.0) < 3.0) & (np.abs(y) < 40.0),
    )
    away = ways_in(rod(beside), axis, diameter_mm=6.0, guidance=guidance("navigated", placement_error_mm=4.0))[1]
    assert away.free  # 12 - 3 - 3 = 6 mm free
    near = ways_in(rod(beside), axis, diameter_mm=6.0, guidance=guidance("navigated", placement_error_mm=7.0))[1]
    assert near.refused[0].value_mm == pytest.approx(6.0, abs=0.6) and near.refused[0].limit_mm == 7.0


def test_a_bone_in_the_way_and_an_image_that_ends_are_told():
    other = ("femur_left", Role.BONE, lambda x, y, z: (np.hypot(x, y) < 9.0) & (z > 42.0) & (z < 50.0))
    axis = Segment(start_lps_mm=(0.0, 0.0, -30.0), end_lps_mm=(0.0, 0.0, 30.0))
    around = rod(other)
    _, end = ways_in(around, axis, diameter_mm=6.0, guidance=guidance("navigated"))
    assert [(item.constraint, item.structure) for item in end.refused] == [("bone_crossed", "femur_left")]
    endless = tuple(
        replace(item, inside=np.ones_like(item.inside)) if item.role is Role.BODY else item
        for item in around.structures
    )
    start, _ = ways_in(replace(around, structures=endless), axis, diameter_mm=6.0, guidance=guidance("navigated"))
    assert start.skin_lps_mm is None and start.refused[0].constraint == "field_of_view" and not start.free


def block_with_channels(*, cavity=False):
    """A slab named sacrum with a canal along z and one foramen to each side, or with a closed cavity alone."""
    grid, (x, y, z) = lattice((81, 41, 81), 1.0)
    inside = (np.abs(x) < 35) & (np.abs(y) < 15) & (np.abs(z) < 35)
    if cavity:
        return grid, inside & (np.hypot(np.hypot(x, y), z) > 6.0), inside
    canal = np.hypot(x, y) < 6.0
    foramina = (np.hypot(np.abs(x) - 20.0, z) < 4.0) & (y < 30)
    return grid, inside & ~canal & ~foramina, inside


def test_channels_of_a_sacrum_are_found_and_a_cavity_is_none():
    grid, bone, whole = block_with_channels()
    found = {item.name: item for item in sacral_channels(bone, grid)}
    assert set(found) == {"sacral_canal", "sacral_foramina_left", "sacral_foramina_right"}
    lumen = whole & ~bone
    held = np.any([item.inside for item in found.values()], axis=0)
    assert not (held & bone).any()
    assert (held & lumen).sum() >= 0.9 * lumen.sum()
    assert grid.to_lps(np.argwhere(found["sacral_foramina_left"].inside))[:, 0].min() > 0  # the patient's left is +x
    grid, bone, _ = block_with_channels(cavity=True)
    assert sacral_channels(bone, grid) == ()


def test_the_phantoms_roots_run_through_the_foramina_that_are_found():
    case = phantoms.sacrum(spacing_mm=(2.0, 2.0, 2.0))
    sacrum = case.structure("sacrum").inside
    left, right = (item for item in sacral_channels(sacrum, case.grid) if item.role is Role.NERVE)
    for level in ("s1", "s2", "s3"):
        for side, own in (("left", left), ("right", right)):
            root = case.structure(f"nerve_root_{level}_{side}").inside
            assert (root & own.inside).any()
    assert not (left.inside & sacrum).any()


def test_a_mirrored_case_has_mirrored_corridors_names_and_ways():
    case = phantoms.sacrum(spacing_mm=(3.0, 3.0, 3.0))
    one = trocar.corridors(case, bone=("sacrum", "hip_left"), count=2)
    two = trocar.corridors(phantoms.mirrored(case), bone=("sacrum", "hip_right"), count=2)
    assert [each.called.name for each in one.told] == [each.called.name for each in two.told]
    assert one.told[0].called.name.startswith("iliosacral") and one.told[0].called.side == "left"
    assert two.told[0].called.side == "right"
    for here, there in zip(one.told, two.told, strict=True):
        assert there.corridor.diameter_mm == pytest.approx(here.corridor.diameter_mm, abs=0.05)
        for end in ("start_lps_mm", "end_lps_mm"):
            mirrored = np.multiply(getattr(here.corridor.axis, end), (-1, 1, 1))
            assert getattr(there.corridor.axis, end) == pytest.approx(mirrored, abs=0.2)
        assert [way.free for way in here.ways] == [way.free for way in there.ways]
        for way, other in zip(here.ways, there.ways, strict=True):
            assert (way.skin_lps_mm is None) == (other.skin_lps_mm is None)
            if way.skin_lps_mm and other.skin_lps_mm:
                assert np.multiply(way.skin_lps_mm, (-1, 1, 1)) == pytest.approx(other.skin_lps_mm, abs=0.7)


def test_an_iliosacral_corridor_of_the_phantom_keeps_clear_of_roots_canal_and_foramina():
    case = phantoms.sacrum(spacing_mm=(2.0, 2.0, 2.0))
    found = trocar.corridors(case, bone=("sacrum", "hip_left"))
    assert set(found.looked_at) >= {"nerves", "canal", "foramina", "joints"}
    rng = np.random.default_rng(5)
    nerves = [item for item in case.structures if item.role in (Role.NERVE, Role.CORD)]
    for each in found.told:
        axis, radius = each.corridor.axis, each.corridor.diameter_mm / 2
        along, turn = rng.uniform(0, axis.length_mm, 100_000), rng.uniform(0, 2 * np.pi, 100_000)
        side = np.cross(axis.direction, [0.3, 0.5, 0.81])
        side /= np.linalg.norm(side)
        ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(axis.direction, side)
        # one voxel less than the 2 mm kept: a curve may lie anywhere in its voxels
        index = np.rint(case.grid.to_ijk(axis.at(along) + (radius + 1.0) * ring)).astype(int)
        assert not any(item.inside[tuple(index.T)].any() for item in nerves)
        assert min(each.corridor.anchor_start_mm, each.corridor.anchor_end_mm) >= 15.0


def test_one_search_of_a_hip_bone_tells_its_named_corridors():
    case = phantoms.sacrum(spacing_mm=(2.0, 2.0, 2.0))
    named = {
        (each.called.name, each.called.side)
        for each in trocar.corridors(case, bone="hip_left", anchor_mm=25, count=8).told
    }
    assert named >= {(name, "left") for name in ("supra_acetabular", "posterior_column", "iliac_wing", "pubic_ramus")}


def test_a_corridor_of_3_mm_admits_a_needle_of_1_5_and_refuses_a_screw_of_3_5():
    grid, (x, y, z) = lattice((61, 61, 161), 0.5)
    inside = (np.abs(x) < 1.5) & (np.abs(y) < 14.0) & (np.abs(z) < 38.0)
    case = Case(
        case_id="plate",
        ct=Volume(grid=grid, values=np.where(inside, 400.0, 0.0).astype(np.float32), unit="HU"),
        structures=(Structure(name="tibia_left", role=Role.BONE, inside=inside),),
    )
    widest = trocar.corridors(case, bone="tibia_left", anchor_mm=20.0).told[0]
    assert 1.5 < widest.corridor.diameter_mm < 3.5
    assert widest.corridor.diameter_mm == pytest.approx(3.0, abs=0.51)  # a voxel
    assert widest.screw is None and widest.corridor.screw_diameter_mm == 0.0  # with 2 mm to the cortex nothing fits
