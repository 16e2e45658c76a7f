"""The pictures show what is there: left as left, the ice where it is cold, no line twice for one meaning."""

import re

import numpy as np
import pytest

import reporting_case as made
from trocar.reporting import captions, planes
from trocar.reporting.figures import PIXELS, ct_picture, draw
from trocar.reporting.gathered import gather
from trocar.reporting.language import Language
from trocar.reporting.marks import LETTER, SIZE, Places, label
from trocar.reporting.panels import Panel, panels
from trocar.reporting.staging import PLANNING, Stage, bead_radius_mm, stages


@pytest.fixture(scope="module")
def gathered():
    return gather(made.case(), made.findings(), None)


def whole_body(make, topic: str = "lesion") -> Panel:
    plane = make(np.array([0.0, 0.0, 4.0]), 180.0)
    return Panel(
        letter="A", stage=Stage(id=PLANNING, step=None), plane=plane, topic=topic, subject="", window_HU=(1200.0, 200.0)
    )


def bright_center(picture: np.ndarray, size_mm: float) -> tuple[float, float]:
    """Column and row, in millimeters from the picture's middle, of what is brightest."""
    rows, columns = np.nonzero(picture > 250)
    return tuple(float((index.mean() + 0.5) / PIXELS - 0.5) * size_mm for index in (columns, rows))


@pytest.mark.parametrize("grid", [made.GRID, made.OBLIQUE], ids=["aligned", "oblique"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_left_is_shown_as_left(mirrored, grid):
    case = gather(made.case(mirrored=mirrored, grid=grid), (), None)
    column_mm, row_mm = bright_center(ct_picture(case, whole_body(planes.axial)), 180.0)
    assert column_mm == pytest.approx(-30.0 if mirrored else 30.0, abs=1.0)  # the patient's left on the right
    assert row_mm == pytest.approx(-26.0, abs=1.0)  # the front on top


def test_the_head_is_on_top_of_a_coronal_picture():
    case = gather(made.case(), (), None)
    panel = whole_body(lambda center, size: planes.coronal([0.0, -26.0, 0.0], size))
    column_mm, row_mm = bright_center(ct_picture(case, panel), 180.0)
    assert (column_mm, row_mm) == pytest.approx((30.0, -4.0), abs=1.2)


def line_points(body: str, kind: str) -> np.ndarray:
    """(n, 2) columns and rows of every path of a class."""
    found = re.findall(rf'<path d="([^"]*)" class="{kind}"', body)
    pairs = [pair.split(" ") for path in found for pair in path.strip("MZ").split("L")]
    return np.array(pairs, dtype=float).reshape(-1, 2)


def test_isotherms_lie_where_the_temperature_is(gathered):
    panel = next(p for p in panels(gathered) if p.topic == "ice" and p.plane.name == "axial")
    figure = draw(gathered, panel)
    middle, _ = panel.plane.to_picture(made.LESION_MM)
    for kind, degC in (("i0", 0.0), ("i20", -20.0), ("i40", -40.0)):
        offset_mm = line_points(figure.body, kind) * panel.plane.size_mm / SIZE - middle
        away_mm = np.linalg.norm(offset_mm / [1.0, 0.9], axis=1)
        assert away_mm == pytest.approx((degC + 60.0) * 34.0 / 97.0, abs=0.8), kind
    for said in ("0 °C", "\u221220", "\u221240"):
        assert f">{said}</text>" in figure.body


# shows: R88
def test_the_tumor_outline_lies_on_the_tumor(gathered):
    panel = panels(gathered)[0]
    points_mm = line_points(draw(gathered, panel).body, "tumor") * panel.plane.size_mm / SIZE
    middle, _ = panel.plane.to_picture(made.LESION_MM)
    assert np.ptp(points_mm, axis=0) == pytest.approx([44.0, 36.0], abs=2.5)
    assert points_mm.mean(axis=0) == pytest.approx(middle, abs=2.0)


def test_ice_is_not_drawn_once_it_has_thawed(gathered):
    for panel in panels(gathered):
        drawn = 'class="i0"' in draw(gathered, panel).body
        assert drawn == (panel.topic in ("probe", "ice", "nerve")), panel.letter


# shows: R91, R105
def test_each_step_is_told_in_its_planes(gathered):
    told = {}
    for panel in panels(gathered):
        told.setdefault(panel.stage.id, []).append((panel.topic, panel.plane.name))
    assert told[PLANNING] == [("lesion", "axial"), ("lesion", "coronal"), ("lesion", "sagittal"), ("weakest", "axial")]
    assert {name for _, name in told["cryoablation-1"]} == {"oblique", "coronal", "axial"}
    assert ("nerve", "axial") in told["cryoablation-1"]
    assert {name for _, name in told["screw-1"]} == {"oblique", "sagittal"}
    assert len(told["cement-1"]) == 2
    letters = [panel.letter for panel in panels(gathered)]
    assert letters == sorted(set(letters))


# shows: R105
def test_marks_of_cement_screw_and_nerve(gathered):
    bodies = {panel.topic: draw(gathered, panel).body for panel in panels(gathered)}
    assert 'class="cement-mark"' in bodies["cement"] and 'class="arrow"' in bodies["cement"]
    assert bodies["screw"].count('class="screw-mark"') == 2
    assert 'class="nerve-mark"' in bodies["nerve"]


def test_every_picture_has_letters_scale_and_window(gathered):
    for panel in panels(gathered):
        body = draw(gathered, panel).body
        assert body.count('class="edge"') == 4
        assert ">20 mm</text>" in body and ">W " in body


def test_screws_stay_and_probes_leave(gathered):
    shown = {stage.id: {placement.name for placement in stage.instruments} for stage in stages(gathered)}
    assert shown["cryoablation-1"] == {"probe-1", "probe-2"}
    assert shown["cement-1"] == {"screw-1"}


def test_a_bead_has_its_volume():
    assert 4.0 / 3.0 * np.pi * bead_radius_mm(3.0) ** 3 == pytest.approx(3000.0)


def test_labels_of_nerves_name_their_side():
    assert label("nerve_root_s1_left") == "S1 L"
    assert label("sciatic_nerve_right") == "Sci R"
    assert label("thecal_sac") == "TS"


def written_at(svg: str) -> np.ndarray:
    return np.array([float(value) for value in re.findall(r'[xy]="([^"]*)"', svg)])


def test_a_label_gives_way_to_a_line_and_to_a_long_label_as_far_as_it_must():
    wanted = np.array([300.0, 300.0])
    free = written_at(Places().written("S1 L", wanted))
    assert free == pytest.approx(wanted + np.array([0.0, 5.0]))
    places = Places()
    places.avoid([np.column_stack([np.arange(200.0, 400.0, 4.0), np.full(50, 300.0)])])
    aside = written_at(places.written("S1 L", wanted)) - free
    assert abs(aside[1]) >= 10.0 and np.linalg.norm(aside) < 30.0
    places = Places()
    first, second = (written_at(places.written(said, wanted)) for said in ("CEM43 240", "60 °C"))
    widths = LETTER * (len("CEM43 240") + len("60 °C")) / 2
    assert abs(first - second)[0] >= widths or abs(first - second)[1] >= 19.0


@pytest.mark.parametrize("center", [(440.0, 340.0), (240.0, 340.0), (340.0, 440.0), (250.0, 250.0)])
def test_a_label_leaves_its_arrowhead_to_be_seen(center):
    head, written = Places().pointed("L2 L", np.array(center), 0.0, "nerve-mark")
    (corners,) = re.findall(r'points="([^"]*)"|d="M([^"Z]*)', head)
    points = np.array(re.findall(r"[\d.]+", "".join(corners)), float).reshape(-1, 2)
    middle = written_at(written) - (0.0, 5.0)
    beyond = np.abs(points - middle) - (LETTER * len("L2 L") / 2, 9.0)
    assert (beyond > -1.0).any(axis=1).all()


@pytest.mark.parametrize("corner", [(5.0, 300.0), (SIZE - 5.0, 300.0), (60.0, SIZE - 5.0), (SIZE - 90.0, SIZE - 5.0)])
def test_a_label_at_the_border_is_whole_and_leaves_scale_and_window_readable(corner):
    *_, written = Places().pointed("LST L", np.array(corner), 0.0, "nerve-mark")
    column, row = (float(value) for value in re.findall(r'[xy]="([^"]*)"', written))
    assert LETTER * 2.5 <= column <= SIZE - LETTER * 2.5
    assert SIZE / 4 < row < SIZE - 38.0  # the scale and the window are written below


@pytest.mark.parametrize("wanted", [(5.0, 5.0), (60.0, 20.0), (20.0, 60.0)])
def test_a_label_in_the_corner_leaves_the_pictures_letter_to_be_read(wanted):
    column, row = written_at(Places().written("Fem L", np.array(wanted))) - (0.0, 5.0)
    half = LETTER * len("Fem L") / 2
    assert column - half >= 38.0 or row - 9.0 >= 40.0  # a letter of 34 from (14, 40) on


@pytest.mark.parametrize(
    ("code", "said"),
    [("en", "cools the left sciatic nerve most"), ("fr", "refroidit le plus le nerf sciatique gauche")],
)
def test_a_caption_names_a_nerve_with_its_article(gathered, code, said):
    panel = next(panel for panel in panels(gathered) if panel.topic == "nerve")
    assert said in captions.caption(draw(gathered, panel), Language(code))
