"""Axial cortical involvement, Harrington's and MAC classes by their published bounds; unknown stays unknown."""

from itertools import product

import pytest

from trocar.assessment.corticals import axial_cortical, harrington, mac
from trocar.model.case import LesionContext


@pytest.mark.parametrize(
    ("axial_mm", "frac", "total"),
    [(30.0, 0.5, 0), (30.1, 0.5, 1), (30.0, 0.51, 1), (60.0, 0.9, 2), (None, 0.9, None), (40.0, None, None)],
)
def test_axial_cortical_involvement_counts_above_30_mm_and_above_half(axial_mm, frac, total):
    found = axial_cortical(LesionContext(name="l", axial_cortical_mm=axial_mm, cortex_destroyed_frac=frac))
    assert found.total == total and found.maximum == 2 and found.source == "M1"
    assert [item.origin for item in found.items] == [
        "unknown" if value is None else "entered" for value in (axial_mm, frac)
    ]


WALLS = ("medial_wall", "lateral_cortex", "acetabular_roof")
CLASSES = {("intact",) * 3: 1, ("deficient", "intact", "intact"): 2, ("deficient",) * 3: 3}


@pytest.mark.parametrize("walls", list(product(("intact", "deficient", None), repeat=3)))
def test_harrington_has_the_published_classes_and_no_other(walls):
    known = dict(zip(WALLS, walls, strict=True))
    assert harrington(LesionContext(name="l", solitary_for_cure=False, **known)).total == CLASSES.get(walls)
    assert harrington(LesionContext(name="l", solitary_for_cure=True, **known)).total == 4
    assert harrington(LesionContext(name="l", **known)).total is None


PARTS = ("acetabular_roof", "medial_wall", "anterior_column", "posterior_column")


def mac_class(parts):
    """The class by its definition, over every completion of what is unknown: it is known when they all agree."""

    def of(dome, wall, front, back):
        columns = (front == "deficient") + (back == "deficient")
        if columns:
            return "4" if columns == 2 else "3A" if front == "deficient" else "3P"
        return "2" if wall == "deficient" else "1" if dome == "deficient" else ""

    choices = [("intact", "deficient") if part is None else (part,) for part in parts]
    found = {of(*completed) for completed in product(*choices)}
    return found.pop() if len(found) == 1 else None


@pytest.mark.parametrize("parts", list(product(("intact", "deficient", None), repeat=4)))
def test_mac_is_the_highest_class_of_the_parts_taken_and_never_a_guess(parts):
    score = mac(LesionContext(name="l", **dict(zip(PARTS, parts, strict=True))))
    expected = mac_class(parts)
    assert score.grade == (expected or "") and (score.total is None) == (expected is None)
    if expected:
        assert score.total == int(expected[0])
    assert {item.item for item in score.items if item.origin == "unknown"} == {
        name for name, part in zip(PARTS, parts, strict=True) if part is None
    }
