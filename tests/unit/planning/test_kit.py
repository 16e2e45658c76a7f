"""The kit holds everything that is placed, and an incision is a check."""

import pytest

from trocar.catalog import limit
from trocar.model.finding import Verdict
from trocar.model.treatment import Duration, Placement, Step, Technique
from trocar.planning.checks import incision_check
from trocar.planning.kit import kit


def placement(device, role, name, diameter_mm=2.1, volume_ml=None):
    return Placement(
        device=device,
        role=role,
        name=name,
        entry_lps_mm=(0.0, 0.0, 0.0),
        target_lps_mm=(0.0, 0.0, 80.0),
        skin_lps_mm=(0.0, 0.0, 0.0),
        length_mm=80.0,
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


# shows: R77
@pytest.mark.parametrize(("diameter_mm", "verdict"), [(4.19, Verdict.PASS), (9.9, Verdict.PASS), (10.0, Verdict.FAIL)])
def test_every_incision_stays_below_the_limit(diameter_mm, verdict):
    assert limit("incision_max_mm").value == 10.0
    assert incision_check(placement("trocar-8g", "trocar", "t", diameter_mm)).verdict is verdict
