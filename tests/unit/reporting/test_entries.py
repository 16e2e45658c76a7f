"""The map of the skin: every point is drawn, where it lies and by what excludes it, in both languages."""

import re
from xml.etree import ElementTree

import pytest

from trocar.model.treatment import EntryExclusion, EntryMap
from trocar.reporting.entries import LEFT, RIGHT, WIDTH, entry_figure
from trocar.reporting.language import Language

FOUND = EntryMap(
    device="cryoprobe-17g-icesphere",
    position="prone",
    target_lps_mm=(50.0, 20.0, 0.0),
    exclusions=(EntryExclusion(constraint="organ_clearance", structure="colon"),
                EntryExclusion(constraint="patient_position")),
    points_lps_mm=((50.0, 120.0, 10.0), (150.0, 20.0, 0.0), (-50.0, 20.0, 0.0), (50.0, -80.0, -10.0)),
    excluded_by=(0, 1, 1, 2),
)  # fmt: skip


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_point_has_its_mark_and_every_reason_its_words(code):
    drawn = ElementTree.fromstring(entry_figure(FOUND, Language(code)))
    marks = [item for item in drawn if item.tag == "circle"]
    letters = [item.text for item in drawn if item.tag == "text" and "font-size" in item.get("style", "")]
    assert len(marks) == 2 and sorted(letters) == ["A", "A", "A", "B", "B"]  # one of each in the legend
    said = " ".join(item.text for item in drawn if item.tag == "text")
    wanted = {"en": ("colon 50 %", "Out of reach", "free 25 %"), "fr": ("50 %", "Hors d'atteinte", "libre 25 %")}
    assert all(words in said for words in wanted[code])


def test_the_back_is_in_the_middle_and_the_left_to_the_right_of_it():
    drawn = entry_figure(FOUND, Language("en"))
    ring = float(re.search(r'<circle cx="([\d.]+)"', drawn).group(1))
    assert ring == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 2, abs=0.1)
    letters = [float(x) for x, letter in re.findall(r'<text x="([\d.]+)"[^>]*>([A-Z])</text>', drawn) if letter == "A"]
    left, right = letters[0], letters[1]
    assert left > ring > right
