"""Each instrument's pictures: the right side, a marker where it is, a screw's clearance, what lies beside the path."""

import re
from dataclasses import replace

import numpy as np
import pytest

import reporting_case as made
from trocar.model.case import Side
from trocar.model.space import Segment, Volume
from trocar.model.treatment import Technique
from trocar.reporting import captions, planes
from trocar.reporting.figures import gray
from trocar.reporting.gathered import gather
from trocar.reporting.language import Language
from trocar.reporting.marks import SIZE
from trocar.reporting.panels import SOFT
from trocar.reporting.passage import RASTER, beside, stretches
from trocar.reporting.sections import sections
from trocar.reporting.sheets import PIXELS, along_plane, ct_slice, down_plane, sheets

HEAD = np.array([0.0, 0.0, 1.0])
MARKER_WINDOW = (1200.0, 200.0)
FLIP = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def gathered():
    return gather(made.case(), made.findings(), None)


@pytest.fixture(scope="module")
def shown(gathered):
    return {sheet.placement.name: sheet for sheet in sheets(gathered)}


def mirrored(case):
    """Left and right exchanged by turning the arrays over; the grid is symmetric about x = 0."""
    swap = {"left": "right", "right": "left"}

    def turned(item):
        name = re.sub("left|right", lambda found: swap[found[0]], item.name)
        side = Side(swap[item.side.value]) if item.side else None
        return replace(item, name=name, inside=item.inside[::-1].copy(), side=side)

    ct = replace(case.ct, values=case.ct.values[::-1].copy())
    return replace(case, ct=ct, structures=tuple(map(turned, case.structures)))


def turned_over(placement):
    points = {key: tuple(FLIP * getattr(placement, key)) for key in ("entry_lps_mm", "target_lps_mm", "skin_lps_mm")}
    return replace(placement, **points)


def lateral(side: float, target, **more):
    target = np.multiply(target, (side, 1.0, 1.0))
    return made.placement("needle-1", "biopsy", "x", (side * 84.0, target[1], target[2]), tuple(target), 2.0, **more)


def brightest_mm(picture, size_mm):
    """Column and row from the middle, in millimeters."""
    rows, columns = np.nonzero(picture > 250)
    return tuple(float((index.mean() + 0.5) / PIXELS - 0.5) * size_mm for index in (columns, rows))


@pytest.mark.parametrize("grid", [made.GRID, made.OBLIQUE], ids=["aligned", "oblique"])
@pytest.mark.parametrize("side", [1.0, -1.0], ids=["left", "right"])
def test_a_marker_stands_where_who_looks_down_the_needle_sees_it(side, grid):
    """12 mm in front of the tip and 7 above: from the left that is to the left, from the right to the right."""
    seen = gather(made.case(mirrored=side < 0, grid=grid), (), None)
    needle = lateral(side, np.add(made.MARKER_MM, (0.0, 12.0, -7.0)))
    plane = down_plane(seen, needle)
    column_mm, row_mm = brightest_mm(ct_slice(seen, plane, MARKER_WINDOW), plane.size_mm)
    assert (column_mm, row_mm) == pytest.approx((-12.0 * side, -7.0), abs=1.2)
    front, back = ("left", "right") if side > 0 else ("right", "left")
    assert (plane.edge_letters[front], plane.edge_letters[back], plane.edge_letters["top"]) == ("A", "P", "H")


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["left", "right"])
def test_a_marker_beside_an_oblique_needle_stands_on_its_own_side(side):
    """Marker 10 mm medial of the axis of a needle from the front: medial of a left-sided needle is to the left."""
    seen = gather(made.case(mirrored=side < 0), (), None)
    tip = np.multiply(np.add(made.MARKER_MM, (10.0, 0.0, 0.0)), (side, 1.0, 1.0))
    needle = made.placement("n", "biopsy", "x", (tip[0], tip[1] - 40.0, tip[2]), tuple(tip), 2.0)
    plane = along_plane(needle)
    column_mm, row_mm = brightest_mm(ct_slice(seen, plane, MARKER_WINDOW), plane.size_mm)
    assert (column_mm, row_mm) == pytest.approx((-10.0 * side, 20.0), abs=1.2)
    assert (plane.edge_letters["right"], plane.edge_letters["left"]) == ("L", "R")


def test_the_mirrored_case_has_the_mirrored_pictures(gathered):
    other = gather(mirrored(gathered.case), (), None)
    for step in made.plan().steps:
        for placement in step.placements:
            there = turned_over(placement)
            for here_plane, there_plane in (
                (along_plane(placement), along_plane(there)),
                (down_plane(gathered, placement), down_plane(other, there)),
            ):
                here, beyond = ct_slice(gathered, here_plane, SOFT), ct_slice(other, there_plane, SOFT)
                assert np.abs(here - beyond[:, ::-1]).max() <= 1.0, placement.name
                assert np.abs(here - beyond).mean() > 1.0
                swapped = str.maketrans("LR", "RL")
                letters = {edge: said.translate(swapped) for edge, said in here_plane.edge_letters.items()}
                turned = there_plane.edge_letters
                assert (letters["left"], letters["right"]) == (turned["right"], turned["left"])
                assert (letters["top"], letters["bottom"]) == (turned["top"], turned["bottom"])


def test_the_view_down_an_instrument_comes_from_its_entry():
    plane = planes.down((40.0, 90.0, 0.0), (40.0, 20.0, 0.0), (40.0, 20.0, 0.0), 80.0)
    assert np.allclose(plane.normal, (0.0, 1.0, 0.0)) and np.allclose(plane.up, HEAD)
    # from the back the patient's left is on the left
    assert plane.edge_letters == {"right": "R", "left": "L", "top": "H", "bottom": "F"}


def test_every_instrument_has_its_sheet_and_a_screw_its_corridor(gathered, shown):
    placed = [item for step in made.plan().steps for item in step.placements if item.role != "cement"]
    assert list(shown) == [item.name for item in placed]
    assert {name for name, sheet in shown.items() if sheet.sections} == {"screw-1"}
    for sheet in shown.values():
        for body in sheet.bodies[:2]:
            assert body.count('class="edge"') == 4 and ">20 mm</text>" in body
        axis = np.array([sheet.placement.skin_lps_mm, sheet.placement.target_lps_mm])
        place, height = sheet.along.plane.to_picture(axis)
        assert np.abs(height).max() < 1e-6 and (place > 0).all() and (place < sheet.along.plane.size_mm).all()
    assert shown["screw-1"].sections.body.count('class="edge"') == 36


def test_ice_is_on_the_probes_sheets_only(shown):
    assert {name for name, sheet in shown.items() if 'class="i0"' in sheet.along.body} == {"probe-1", "probe-2"}
    assert {name for name, sheet in shown.items() if 'class="i0"' in sheet.down.body} == {"probe-1", "probe-2"}


HEAT_MM = {"h-omega": 14.0, "h-cem": 11.0, "h-degC": 8.0}


@pytest.fixture(scope="module")
def heated():
    """The same case with probes that heat: balls of dose around the first probe's end."""
    plan = made.plan()
    step = replace(plan.step("cryoablation-1"), id="rf-1", technique=Technique.RADIOFREQUENCY)
    screw = replace(plan.step("screw-1"), after=("rf-1",))
    away = np.linalg.norm(made.points() - step.placements[0].target_lps_mm, axis=-1)
    omega, cem43_min = (start * 2.0 ** (HEAT_MM[kind] - away) for start, kind in ((1.0, "h-omega"), (240.0, "h-cem")))
    fields = {"omega": omega, "cem43_min": cem43_min, "maximum_degC": 60.0 + 2.0 * (HEAT_MM["h-degC"] - away)}
    volumes = {
        f"rf-1/{name}": Volume(grid=made.GRID, values=values.astype(np.float32), unit="1")
        for name, values in fields.items()
    }
    simulation = replace(made.simulation(), states=(), histories=(), checks=(), fields=volumes)
    steps = (plan.step("biopsy-1"), step, screw, plan.step("cement-1"))
    gathered = gather(made.case(), (replace(plan, steps=steps), simulation), None)
    return {sheet.placement.name: sheet for sheet in sheets(gathered)}


@pytest.mark.parametrize("picture", ["along", "down"])
def test_heat_is_on_the_applicators_sheets_only_around_their_ends(heated, picture):
    drawn = {name: getattr(sheet, picture) for name, sheet in heated.items()}
    for kind, radius_mm in HEAT_MM.items():
        assert {name for name, shown in drawn.items() if f'class="{kind}"' in shown.body} == {"probe-1", "probe-2"}
        plane, body = drawn["probe-1"].plane, drawn["probe-1"].body
        (line,) = re.findall(rf'<path d="M([^"]*)" class="{kind}"', body)
        points_mm = np.array([pair.split(" ") for pair in line.split("L")], float) * plane.size_mm / SIZE
        middle, _ = plane.to_picture(heated["probe-1"].placement.target_lps_mm)
        assert np.linalg.norm(points_mm - middle, axis=1) == pytest.approx(radius_mm, abs=0.8)


@pytest.mark.parametrize(("code", "said"), [("en", "heat is predicted"), ("fr", "chaleur est prédite")])
def test_the_caption_says_what_the_lines_are(heated, shown, code, said):
    def told(each):
        return {name for name, sheet in each.items() if said in captions.along(sheet, Language(code))}

    assert told(heated) == {"probe-1", "probe-2"} and not told(shown)


def rod(case, radius_mm):
    """The hip replaced by a rod of bone along y through (50, z = 0)."""
    places = made.points(case.grid)
    inside = (np.hypot(places[..., 0] - 50.0, places[..., 2]) <= radius_mm) & (np.abs(places[..., 1]) < 44.0)
    bones = tuple(replace(item, inside=inside) if item.name == "hip_left" else item for item in case.structures)
    return replace(case, structures=bones)


def test_the_clearance_of_a_screw_in_a_rod_is_what_is_left_beside_it():
    case = rod(made.case(), 13.0)
    screw = made.placement("screw-1", "screw", "x", (54.0, -40.0, 0.0), (54.0, 40.0, 0.0), 7.3)
    cuts = sections(gather(case, (), None), screw).cuts
    assert [cut.depth_mm for cut in cuts] == pytest.approx(np.linspace(3.0, 77.0, 9))
    for cut in cuts:
        assert cut.clearance_mm == pytest.approx(13.0 - 4.0 - 3.65, abs=1.0)  # voxels of 2 and 2.5 mm
        assert cut.towards[0] > 0.9  # the axis lies to the left of the rod's, so the nearest cortex is on the left
    outside = replace(screw, entry_lps_mm=(64.0, -40.0, 0.0), target_lps_mm=(64.0, 40.0, 0.0))
    assert sections(gather(case, (), None), outside) is None


def test_a_screw_too_near_the_cortex_is_marked():
    case = rod(made.case(), 13.0)
    tight = made.placement("screw-1", "screw", "x", (58.0, -40.0, 0.0), (58.0, 40.0, 0.0), 7.3)
    body = sections(gather(case, (), None), tight).body
    assert body.count('class="tight"') == 9 and 'class="safe"' not in body


def test_the_way_in_is_told_from_the_skin(gathered):
    path = Segment(start_lps_mm=(84.0, 8.0, 4.0), end_lps_mm=(44.0, 8.0, 4.0))
    needle = lateral(1.0, path.end_lps_mm)
    told = stretches(gathered, needle)
    assert [part.name for part in told] == ["", "lesion_1"]
    assert told[0].length_mm == pytest.approx(84.0 - 74.0, abs=1.1)  # the lesion's left end lies at 52 + 22
    assert sum(part.length_mm for part in told) == pytest.approx(path.length_mm, abs=0.5)


def test_a_nerve_beside_the_way_has_its_gap_depth_and_place(gathered):
    needle = lateral(1.0, (20.0, 14.0, 4.0))
    plane = down_plane(gathered, needle)
    (near,) = (each for each in beside(gathered, needle, plane) if each.structure.name == "sciatic_nerve_left")
    true_mm = (44.0 - 14.0) - 3.5 - needle.diameter_mm / 2
    assert true_mm - 2.6 <= near.gap_mm <= true_mm + 0.3  # of voxels of 2 by 2.5 mm, on the near side
    assert near.depth_mm == pytest.approx(84.0 - 30.0, abs=2.0)
    columns = np.nonzero(near.shadow)[1] * plane.size_mm / RASTER - plane.size_mm / 2
    assert columns.mean() == pytest.approx(30.0, abs=1.5)  # behind the needle: to the right of who looks from the left
    short = lateral(1.0, (50.0, 14.0, 4.0))  # ends before it
    assert not [each for each in beside(gathered, short, plane) if each.structure.name == "sciatic_nerve_left"]


def test_gray_levels_follow_the_window():
    assert gray(np.array([-160.0, 40.0, 240.0, 900.0]), SOFT).tolist() == [0.0, 128.0, 255.0, 255.0]
