"""What the viewer is given: the CT as it is, within its size, and surfaces where things are."""

import gzip
from base64 import b64decode

import numpy as np
import pytest

import reporting_case as made
from trocar.imaging.resample import sample
from trocar.reporting.gathered import gather
from trocar.reporting.packing import Packer
from trocar.reporting.scene import lesion_center, region, scene, thinned
from trocar.reporting.staging import stages

TYPES = {"int8": np.int8, "int16": np.int16, "uint32": np.uint32}


def unpacked(packer: Packer, packed: dict) -> np.ndarray:
    return np.frombuffer(gzip.decompress(b64decode(packer.elements[packed["element"]])), TYPES[packed["type"]])


def volume(packer: Packer, packed: dict) -> tuple[np.ndarray, np.ndarray]:
    """[i, j, k] values and the 4 x 4 matrix, read as the viewer reads them."""
    i, j, k = packed["dims"]
    values = unpacked(packer, packed).reshape(k, j, i).transpose(2, 1, 0) * packed["scale"]
    return values, np.array(packed["lps_from_ijk"]).reshape(4, 4)


@pytest.fixture(scope="module", params=[made.GRID, made.OBLIQUE], ids=["aligned", "oblique"])
def packed(request):
    gathered = gather(made.case(grid=request.param), made.findings(), None)
    packer = Packer()
    return gathered, packer, scene(gathered, packer)


def test_the_ct_is_cut_and_not_changed(packed):
    gathered, packer, description = packed
    values, matrix = volume(packer, description["ct"])
    index = np.argwhere(np.ones(values.shape, dtype=bool))[::7]
    places = index @ matrix[:3, :3].T + matrix[:3, 3]
    ct = gathered.case.ct
    voxels = np.rint(ct.grid.to_ijk(places))
    assert np.abs(ct.grid.to_lps(voxels) - places).max() < 1e-4
    assert np.array_equal(values[tuple(index.T)], ct.values[tuple(voxels.astype(int).T)])


def test_the_temperature_keeps_a_tenth_of_a_degree(packed):
    _, packer, description = packed
    values, matrix = volume(packer, description["temperatures"]["cryoablation-1/minimum_degC"])
    index = np.argwhere(values < 30)[::53]
    places = index @ matrix[:3, :3].T + matrix[:3, 3]
    true = made.coldest()
    assert values[tuple(index.T)] == pytest.approx(sample(true.values, true.grid, places, outside=37.0), abs=0.11)


def test_outlines_are_signed_distances(packed):
    gathered, packer, description = packed
    values, matrix = volume(packer, description["lesion"])
    index = np.round(np.linalg.inv(matrix) @ [*made.LESION_MM, 1.0])[:3].astype(int)
    assert values[tuple(index)] < -9.0
    assert values.max() == pytest.approx(12.0)
    assert gathered.nerves and description["nerves"] is not None


def test_surfaces_lie_where_the_things_are(packed):
    _, packer, description = packed
    radius_mm = {0.0: 60 * 34 / 97, -20.0: 40 * 34 / 97, -40.0: 20 * 34 / 97}
    kinds = [surface["kind"] for surface in description["surfaces"]]
    assert {"bone", "lesion", "nerve", "ice"} <= set(kinds)
    for surface in description["surfaces"]:
        if surface["kind"] != "ice":
            continue
        vertices = unpacked(packer, surface["vertices"]).reshape(-1, 3) / 100 + surface["origin_lps_mm"]
        away = np.linalg.norm((vertices - made.LESION_MM) / (1.0, 0.9, 0.8), axis=1)
        assert away == pytest.approx(radius_mm[surface["level_degC"]], abs=0.9)


def test_the_region_holds_what_is_placed(packed):
    gathered, _, _ = packed
    box = region(gathered, stages(gathered))
    for stage in stages(gathered):
        for placement in stage.instruments:
            inside = gathered.case.grid.contains([placement.entry_lps_mm, placement.target_lps_mm])
            assert np.array_equal(box.contains([placement.entry_lps_mm, placement.target_lps_mm]), inside)
    assert box.contains(lesion_center(gathered))


def test_a_thinned_grid_has_the_same_outer_faces():
    full, grid = made.OBLIQUE, thinned(made.OBLIQUE, 20_000)
    assert 10_000 < np.prod(grid.shape) <= 20_000
    assert np.allclose(grid.to_lps([-0.5] * 3), full.to_lps([-0.5] * 3))
    assert np.allclose(grid.to_lps(np.asarray(grid.shape) - 0.5), full.to_lps(np.asarray(full.shape) - 0.5))
    assert thinned(made.GRID, 10**7) is made.GRID


def test_the_first_step_shown_is_the_first_with_ice(packed):
    _, _, description = packed
    assert description["first_step"] == "cryoablation-1"
    assert description["steps"][0]["id"] == "planning"


def test_without_nerves_there_is_no_nerve_outline():
    gathered = gather(made.case(nerves=False), (), None)
    description = scene(gathered, Packer())
    assert description["nerves"] is None
    assert description["first_step"] == "planning"
