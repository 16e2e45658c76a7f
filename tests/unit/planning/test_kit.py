"""The kit holds everything that is placed, and an incision is a check."""

import pytest

from trocar.catalog import limit
from trocar.model.finding import Verdict
from trocar.model.treatment import Duration, Placement, Step, Technique
from trocar.planning.checks import incision_check
from trocar.planning.kit import kit


def placement(device, role, name, diameter_mm=2.1, volume_ml=None, deep_mm=80.0):
    return Placement(
        device=device,
        role=role,
        name=name,
        entry_lps_mm=(0.0, 0.0, 0.0),
        target_lps_mm=(0.0, 0.0, deep_mm),
        skin_lps_mm=(0.0, 0.0, 0.0),
        length_mm=deep_mm,
        diameter_mm=diameter_mm,
        volume_ml=volume_ml,
    )


def step(name, technique, *placements):
    return Step(
        id=name,
        technique=technique,
        action="ABLATE",
        lesion="lesion_1",
        duration_min=Duration(low=1, typical=2, high=3),
        placements=placements,
    )


# shows: R28
def test_everything_placed_is_in_the_kit():
    probes = [placement("cryoprobe-14g-iceforce", "probe", f"probe-{n}") for n in range(4)]
    cement = placement("cement-pmma-generic", "cement", "cement-1", volume_ml=16.0)
    items = {
        item.device: item
        for item in kit((step("a", Technique.CRYOABLATION, *probes), step("b", Technique.CEMENT, cement)))
    }
    assert (items["cryoprobe-14g-iceforce"].quantity, items["cryoprobe-14g-iceforce"].spare) == (4, 1)
    assert items["cement-pmma-generic"].quantity == 2  # 16 ml and 30 % more, of packs of 20 ml


@pytest.mark.parametrize(
    ("deep_mm", "note"),
    [
        ((79.0,), "length 100 mm"),
        ((81.0,), "length 150 mm"),
        ((60.0, 120.0), "length 100 mm; length 150 mm"),
        ((131.0,), ""),
    ],
)
def test_of_a_device_sold_in_several_lengths_the_shortest_that_reaches_is_named(deep_mm, note):
    needles = [placement("needle-bone-11g", "biopsy", f"b-{n}", deep_mm=deep) for n, deep in enumerate(deep_mm)]
    (item,) = kit((step("biopsy-1", Technique.BIOPSY, *needles),))
    assert item.note == note


def test_a_cannulated_screw_has_its_wire_in_the_kit_whether_the_plan_places_it_or_not():
    screws = [placement("screw-7.3", "screw", f"screw-{n}", 7.3) for n in (1, 2)]
    wire = placement("wire-2.8", "wire", "wire-1", 2.8)
    bare = {item.device: item for item in kit((step("screw-1", Technique.SCREW, *screws),))}
    assert (bare["wire-2.8"].quantity, bare["wire-2.8"].spare, bare["wire-2.8"].step) == (2, 1, "screw-1")
    placed = [item for item in kit((step("screw-1", Technique.SCREW, wire, screws[0]),)) if item.device == "wire-2.8"]
    assert [(item.quantity, item.spare) for item in placed] == [(1, 1)]


# shows: R77
@pytest.mark.parametrize(("diameter_mm", "verdict"), [(4.19, Verdict.PASS), (9.9, Verdict.PASS), (10.0, Verdict.FAIL)])
def test_every_incision_stays_below_the_limit(diameter_mm, verdict):
    assert limit("incision_max_mm").value == 10.0
    assert incision_check(placement("trocar-8g", "trocar", "t", diameter_mm)).verdict is verdict
