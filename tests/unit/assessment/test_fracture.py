"""SINS and Mirels against their published tables."""

import pytest

from trocar.assessment.fracture import mirels, sins
from trocar.model.case import LesionContext, Pain
from trocar.model.finding import Compartments, LesionMeasure


def measure(*hosts, lytic_frac=None):
    return LesionMeasure(
        name="lesion_1",
        site=None,
        side=None,
        volume_ml=5.0,
        diameters_mm=(22, 20, 18),
        diameter_axes=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        center_lps_mm=(0, 0, 0),
        compartments=Compartments(bone_ml=5.0, soft_tissue_ml=0.0),
        lytic_frac=lytic_frac,
        cortical_breach_mm2=None,
        skin_distance_mm=None,
        host_bones=hosts,
    )


def context(**known):
    return LesionContext(name="lesion_1", **known)


# shows: R80
def test_scenario_a3_scores_nine():
    known = context(
        level="L3",
        matrix="lytic",
        alignment="normal",
        vertebral_collapse="below_half",
        posterolateral_involvement="none",
    )
    (score,) = sins(known, Pain(character=("mechanical",), worst_nrs=8), measure("vertebrae_L3"))
    assert score.total == 9
    assert {item.item: item.points for item in score.items} == {
        "location": 2,
        "pain": 3,
        "lesion": 2,
        "alignment": 0,
        "collapse": 2,
        "posterolateral": 0,
    }


def test_the_least_and_the_most_that_sins_can_give():
    least = context(
        level="S3", matrix="sclerotic", alignment="normal", vertebral_collapse="none", posterolateral_involvement="none"
    )
    most = context(
        level="T11",
        matrix="lytic",
        alignment="subluxation",
        vertebral_collapse="above_half",
        posterolateral_involvement="bilateral",
    )
    assert sins(least, Pain(worst_nrs=0), measure("sacrum"))[0].total == 0
    assert sins(most, Pain(character=("mechanical",)), measure("vertebrae_T11"))[0].total == 18


# shows: R22
@pytest.mark.parametrize(
    "pain, points",
    [
        (Pain(character=("mechanical",)), 3),
        (Pain(character=("inflammatory",), worst_nrs=4), 1),
        (Pain(worst_nrs=0), 0),
        (Pain(), None),
    ],
)
def test_pain_items_of_sins(pain, points):
    (score,) = sins(context(level="L3"), pain, measure("vertebrae_L3"))
    assert next(item for item in score.items if item.item == "pain").points == points


def test_a_total_needs_every_item():
    (score,) = sins(context(), Pain(character=("mechanical",)), measure("vertebrae_L3", lytic_frac=0.9))
    assert score.total is None
    origins = {item.item: item.origin for item in score.items}
    assert origins["location"] == "measured" and origins["lesion"] == "measured" and origins["pain"] == "entered"
    assert origins["alignment"] == origins["collapse"] == "unknown"


def test_a_sacral_ala_is_read_both_ways():
    first, second = sins(context(site="sacral_ala"), Pain(), measure("sacrum"))
    assert {item.origin for each in (first, second) for item in each.items if item.item == "location"} == {"assumed"}
    assert [score.items[0].points for score in (first, second)] == [3, 0]


# shows: R80
def test_scenario_a6_scores_twelve():
    known = context(site="proximal_femur", matrix="lytic")
    score = mirels(known, Pain(character=("mechanical",), worst_nrs=8), measure("femur_left"), 0.8)
    assert score.total == 12


@pytest.mark.parametrize("share, points", [(0.2, 1), (0.4, 2), (0.66, 2), (0.7, 3)])
def test_the_size_item_of_mirels(share, points):
    score = mirels(context(), Pain(), measure("humerus_left"), share)
    items = {item.item: item for item in score.items}
    assert items["size"].points == points and items["site"].points == 1
    assert score.total is None and items["pain"].origin == "unknown"
