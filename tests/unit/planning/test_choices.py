"""What a plan chose among is told in words: only what is better in something, and unlike what is told already."""

import numpy as np
import pytest

from trocar.model.space import Segment, as_vector
from trocar.planning.access import instrument, search
from trocar.planning.array import Probes
from trocar.planning.choices import TOLD, corridors_told, ways_in
from trocar.planning.corridor import Corridor
from trocar.planning.fixation import Screwed
from trocar.planning.front import OBJECTIVES, in_words, path_values
from trocar.planning.refine import Seen
from trocar.planning.surroundings import surroundings


def screw(turn_deg, *, anchor=30.0, clearance=3.0, crossing=30.0, path=100.0):
    way = np.array([np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg)), 0.0])
    axis = Segment(start_lps_mm=as_vector(-40.0 * way), end_lps_mm=as_vector(40.0 * way))
    corridor = Corridor(
        device="screw-7.3", axis=axis, diameter_mm=7.3, clearance_mm=clearance, width_mm=7.3 + 2 * clearance,
        anchor_head_mm=anchor, anchor_tip_mm=anchor + 9.0, crossing_mm=crossing,
    )  # fmt: skip
    skin = Segment(start_lps_mm=as_vector((40.0 - path) * way), end_lps_mm=axis.end_lps_mm)
    return Screwed(corridor, skin, 1.0)


def test_a_corridor_is_told_for_what_it_has_more_of_and_what_less():
    chosen = screw(0.0)
    (told,) = corridors_told([chosen], [chosen, screw(40.0, anchor=20.0, clearance=6.0)], lambda item: True)
    assert "10 mm less anchor on its weaker side" in told.en and "3 mm more bone around it" in told.en
    assert "10 mm d'ancrage en moins" in told.fr and "tête à" in told.fr


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (screw(40.0, anchor=20.0), "worse in something and better in nothing"),
        (screw(4.0, clearance=6.0), "along the same way as the chosen"),
        (screw(40.0, clearance=3.2), "better by less than half a grain"),
    ],
)
def test_a_corridor_is_not_told_that_is(other, why):
    chosen = screw(0.0)
    assert corridors_told([chosen], [chosen, other], lambda item: True) == (), why


def test_a_corridor_that_is_not_admitted_is_not_told_and_few_are():
    chosen = screw(0.0)
    others = [screw(20.0 * n, clearance=3.0 + n, path=100.0 + 15.0 * n) for n in range(1, 8)]
    assert corridors_told([chosen], [chosen, *others], lambda item: False) == ()
    assert len(corridors_told([chosen], [chosen, *others], lambda item: True)) == TOLD
    assert corridors_told([], others, lambda item: True) == ()


def test_another_way_in_of_probes_is_told_with_its_coverage(case):
    around = surroundings(case, case.lesions[0])
    tool = instrument("cryoprobe-17g-icesphere", "probe", what="cryoprobe")
    paths = search(around, around.lesion_frame[0], tool, np.array([1.0, 0.0, 0.0]), directions=400)
    short, *_ = paths.best_first
    long = max(paths.best_first, key=lambda row: paths.length_mm[row])
    rows = [int(short), int(long)]
    seen = [
        Seen(Probes.fresh(tool, (paths.segment(row),)), shares, None, "palliative")
        for row, shares in zip(rows, ((0.70, 0.90), (0.80, 0.90)), strict=True)
    ]
    (told,) = ways_in(around, paths, rows, seen)
    longer = paths.length_mm[rows[1]] - paths.length_mm[rows[0]]
    assert "10 % more lethal" in told.en and f"{longer:.0f} mm longer" in told.en
    assert "10 % de létal en plus" in told.fr
    assert ways_in(around, paths, rows[::-1], seen[::-1])[0].en.count("10 % less lethal") == 1  # shorter, so told
    assert ways_in(around, paths, rows, seen[:1]) == ()
    values = path_values(around, paths, np.array(rows))
    assert in_words(values[0], values[0], OBJECTIVES) is None
