"""`trocar access` and `trocar corridors`: what they print, as tables and as JSON, and how they end."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest

import reporting_case as made
import trocar
from trocar.catalog import devices
from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier
from trocar.model.device import BiopsyNeedle, Cryoprobe, Trocar
from trocar.planning.entries import access

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
RADIUS_MM, VOXEL_MM = 9.0, 1.5
CENTER_MM = np.array([31.0, 12.0, -20.0])


def called(capsys, *arguments):
    """(exit code, the JSON object that was printed)"""
    code = run_command([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Label maps of a rod of bone with a lesion in its middle, along y at the patient's left, and its mirror image."""
    folder = tmp_path_factory.mktemp("maps")
    shape, spacing = (64, 64, 40), VOXEL_MM
    for name, side in (("left", 1.0), ("right", -1.0)):
        center = CENTER_MM * (side, 1.0, 1.0)
        lps = np.diag([spacing, spacing, spacing, 1.0])
        lps[:3, 3] = center - spacing * (np.array(shape) - 1) / 2
        points = np.moveaxis(np.indices(shape), 0, -1) * spacing + lps[:3, 3] - center
        rod = (np.hypot(points[..., 0] - 2.0 * side, points[..., 2]) < RADIUS_MM) & (np.abs(points[..., 1]) < 42.0)
        lesion = rod & (np.abs(points[..., 1] - 5.0) < 6.0)
        both = np.where(lesion, 3, 7 * rod)
        for what, values in (("bone", rod), ("lesion", lesion), ("both", both)):
            nibabel.Nifti1Image(values.astype(np.uint8), RAS @ lps).to_filename(folder / f"{what}-{name}.nii.gz")
    return folder


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["left", "right"])
def test_the_corridor_of_a_label_map_is_where_the_bone_is(maps, capsys, side):
    name = "left" if side > 0 else "right"
    lesion = maps / f"lesion-{name}.nii.gz"
    code, told = called(capsys, "corridors", maps / f"bone-{name}.nii.gz", "--lesion", lesion, "--anchor-mm", 20)
    assert code == 0 and told["schema"] == "trocar/corridors/1" and not told["healthy_by_HU"]
    first = told["corridors"][0]
    ends = np.array([first["start_lps_mm"], first["end_lps_mm"]])
    assert ends[:, 0] == pytest.approx(side * (CENTER_MM[0] + 2.0), abs=2.0)  # the patient's own side
    assert sorted(ends[:, 1]) == pytest.approx([CENTER_MM[1] - 42.0, CENTER_MM[1] + 42.0], abs=9.0)
    assert 2 * (RADIUS_MM - VOXEL_MM) <= first["diameter_mm"] <= 2 * RADIUS_MM  # a voxel that a mask may lack
    assert first["crossing_mm"] == pytest.approx(12.0, abs=1.5)
    assert min(first["anchor_start_mm"], first["anchor_end_mm"]) >= 20.0
    assert first["screw"]["device"] and first["screw"]["length_mm"] <= first["length_mm"]


def test_python_says_what_the_command_says(maps, capsys):
    _, told = called(capsys, "corridors", maps / "both-left.nii.gz", "--bone", 7, "--lesion", 3)
    found = trocar.corridors(maps / "both-left.nii.gz", bone="7", lesion="3")
    assert [list(each.axis.start_lps_mm) for each in found.found] == [
        each["start_lps_mm"] for each in told["corridors"]
    ]


def test_a_map_of_several_labels_asks_for_the_bone_and_a_missing_one_is_told(maps, capsys):
    code, told = called(capsys, "corridors", maps / "both-left.nii.gz")
    assert code == 2 and "--bone" in told["error"]["hint"]
    code, told = called(capsys, "corridors", maps / "both-left.nii.gz", "--bone", "hip_left")
    assert code == 2 and "3" in told["error"]["hint"] and "7" in told["error"]["hint"]
    code, told = called(capsys, "corridors", maps / "bone-left.nii.gz", "--anchor-mm", 60)
    assert code == 3 and "60 mm" in told["error"]["message"]


@pytest.fixture(scope="module")
def dossier(tmp_path_factory):
    return Dossier.create(tmp_path_factory.mktemp("access") / "d", made.case()).folder


def test_access_tells_choices_trade_offs_and_refusals(dossier, capsys):
    code, told = called(capsys, "access", dossier, "--position", "prone", "--guidance", "navigated")
    assert code == 0 and told["schema"] == "trocar/access/1"
    assert told["guidance"] == {"name": "navigated", "placement_error_mm": 2.0}
    first, *others = told["options"]
    assert others and all(each["against_first"]["fr"] for each in others)
    assert first["skin_lps_mm"][0] > made.LESION_MM[0]  # the lesion lies on the left, and so does the way in
    assert first["figures"]["length_mm"] == pytest.approx(
        np.linalg.norm(np.subtract(first["skin_lps_mm"], first["target_lps_mm"])), abs=0.06
    )
    assert {item["constraint"] for item in told["rejected"]} >= {"nerve_clearance"}
    assert run_command(["access", str(dossier), "--position", "prone"]) == 0
    shown = capsys.readouterr().out
    assert "against the first" in shown and "refused: nerve_clearance" in shown


def test_more_error_leaves_fewer_ways_and_too_much_none(dossier, capsys):
    shares = []
    for error_mm in (1, 8):
        options = ("--position", "prone", "--guidance", "freehand", "--placement-error-mm", error_mm)
        _, told = called(capsys, "access", dossier, *options)
        shares.append(told["free_frac"])
    assert shares[0] > shares[1] > 0
    code, told = called(capsys, "access", dossier, "--target", "18,22,4", "--position", "prone")
    assert code == 3 and "nerve_clearance (nerve_root_s1_left)" in told["error"]["message"]


@pytest.mark.parametrize(
    "options",
    [
        ("--target", "1,2"),
        ("--target", "900,0,0"),
        ("--position", "standing"),
        ("--guidance", "robot"),
        ("--placement-error-mm", "3"),
        ("--device", "screw-7.3"),
    ],
)
def test_what_cannot_be_asked_is_an_error(dossier, capsys, options):
    code, told = called(capsys, "access", dossier, *options)
    assert code == 2 and told["error"]["hint"]


@pytest.mark.parametrize("device", ["screw-7.3", "nothing"])
def test_a_device_that_cannot_be_pushed_is_told_those_that_can(dossier, capsys, device):
    code, told = called(capsys, "access", dossier, "--device", device)
    named = told["error"]["hint"].removeprefix("one of: ").split(", ")
    kinds = {type(devices()[name]) for name in named}
    assert code == 2 and kinds == {Cryoprobe, BiopsyNeedle, Trocar}
    assert len(named) == sum(type(item) in kinds for item in devices().values())


def test_the_mirrored_case_has_the_mirrored_ways():
    case = made.case(nerves=False)
    turned = replace(
        case,
        ct=replace(case.ct, values=case.ct.values[::-1].copy()),
        structures=tuple(replace(item, inside=item.inside[::-1].copy()) for item in case.structures),
    )
    here, there = (access(each, position="lateral", shown=3) for each in (case, turned))
    assert len(here.options) == len(there.options)
    for one, other in zip(here.options, there.options, strict=True):
        assert np.multiply(one.path.start_lps_mm, (-1, 1, 1)) == pytest.approx(other.path.start_lps_mm, abs=1e-3)


def test_corridors_say_what_nobody_looked_at_and_how_a_case_is_reached(maps, capsys, tmp_path):
    code, told = called(capsys, "corridors", maps / "bone-left.nii.gz", "--anchor-mm", 20)
    assert code == 0 and told["looked_at"] == {}
    assert any("nerves" in each for each in told["not_looked_at"]) and any(
        "skin" in each for each in told["not_looked_at"]
    )
    assert told["corridors"][0]["ways_in"] == [] and told["corridors"][0]["screw"]["breach"] == "A"
    assert run_command(["corridors", str(maps / "bone-left.nii.gz"), "--anchor-mm", "20"]) == 0
    assert "not looked at: nerves (not among the labels)" in capsys.readouterr().out


def test_named_labels_of_a_map_are_kept_clear_of(maps, capsys, tmp_path):
    image = nibabel.load(maps / "bone-left.nii.gz")
    values = np.asarray(image.dataobj).astype(np.uint8)
    rod = np.argwhere(values)
    nerve = np.zeros_like(values)
    middle = rod.mean(axis=0).round().astype(int)
    nerve[middle[0] - 1 : middle[0] + 2, :, middle[2] - 1 : middle[2] + 2] = 1
    labels = np.where(nerve == 1, 2, 7 * values)
    path = tmp_path / "labels.nii.gz"
    nibabel.Nifti1Image(labels.astype(np.uint8), image.affine).to_filename(path)
    (tmp_path / "labels.json").write_text(json.dumps({"7": "tibia_left", "2": "sciatic_nerve_left"}))
    _, free = called(capsys, "corridors", maps / "bone-left.nii.gz", "--anchor-mm", 20)
    code, told = called(capsys, "corridors", path, "--bone", "tibia_left", "--anchor-mm", 20)
    assert code == 0 and told["looked_at"] == {"nerves": ["sciatic_nerve_left"]}
    assert told["corridors"][0]["nearest"][0]["structure"] == "sciatic_nerve_left"
    # a nerve in the middle of a rod of radius 9 leaves less than half of it on either side
    assert told["corridors"][0]["diameter_mm"] < RADIUS_MM < free["corridors"][0]["diameter_mm"]


def test_a_case_tells_the_way_in_from_the_skin(dossier, capsys):
    code, told = called(capsys, "corridors", dossier, "--anchor-mm", 5, "--guidance", "freehand")
    assert code == 0 and told["guidance"]["name"] == "freehand"
    ways = told["corridors"][0]["ways_in"]
    assert {way["end"] for way in ways} == {"start", "end"}
    assert all(way["free"] or way["refused"] for way in ways)
    for way in ways:
        if way["skin_lps_mm"]:
            end = told["corridors"][0][f"{way['end']}_lps_mm"]
            assert np.linalg.norm(np.subtract(way["skin_lps_mm"], end)) >= way["skin_to_bone_mm"] - 1.0
