"""What a margin means depends on the intent, and an unknown intent is not a mild one."""

import pytest

from trocar.imaging.likeness import Likeness
from trocar.model.finding import Verdict
from trocar.model.verification import Margin
from trocar.verification.checks import likeness_checks, margin_checks


def seen(low_mm, high_mm, assessable_frac=1.0):
    return Margin(
        zone="0_degC_seen", minimum_mm=(low_mm + high_mm) / 2, interval_mm=(low_mm, high_mm), p1_mm=high_mm,
        p5_mm=high_mm, assessable_frac=assessable_frac, where_lps_mm=(0, 0, 0),
    )  # fmt: skip


def verdict(margin, intent):
    (found,) = margin_checks("lesion_1", [margin] if margin else [], 0.0, intent=intent)
    return found.verdict


@pytest.mark.parametrize(
    ("intent", "expected"),
    [(("curative",), "FAIL"), (("palliative",), "WARN"), (("palliative", "curative"), "FAIL"), (None, "FAIL")],
)
def test_a_lesion_that_sticks_out_of_the_ice(intent, expected):
    assert verdict(seen(-4.0, -2.0), intent) == expected


def test_an_interval_across_the_limit_wants_a_decision():
    assert verdict(seen(-0.5, 0.5), ("curative",)) is Verdict.WARN


def test_only_a_wholly_assessable_surface_passes():
    assert verdict(seen(1.0, 2.0), ("curative",)) is Verdict.PASS
    assert verdict(seen(1.0, 2.0, assessable_frac=0.6), ("curative",)) is Verdict.UNKNOWN
    assert verdict(None, ("curative",)) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Likeness(as_it_is=0.98, mirrored=0.95), Verdict.PASS),
        (Likeness(as_it_is=0.95, mirrored=0.98), Verdict.FAIL),
        (Likeness(as_it_is=-0.09, mirrored=0.05), Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_control_is_told_from_the_mirror_image_only_where_it_is_like_either(found, verdict):
    (check,) = likeness_checks(found, same_image=False)
    assert check.verdict is verdict
