"""Screws pulled out of foam by voxels, beside Chapman's closed form."""

from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def screw(monkeypatch):
    """The experiment that scripts/pulled_out.py repeats for twelve screws."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from pulled_out import Screw

    return Screw


def test_fine_voxels_pull_a_screw_out_at_the_closed_forms_load(agree, screw):
    one = screw(4.0, 12.0, 100.0)
    agree(
        "screw of 4 x 12 mm pulled out of foam, voxels of 0.25 mm", "load over Chapman's closed form", known=1.0,
        found=one.by_voxels_N(0.25) / one.closed_form_N(), tolerance=0.15, unit="",
    )  # fmt: skip


def test_coarse_voxels_hold_screws_too_firmly_and_finer_ones_less_so(screw):
    """Voxels that a screw only touches are as stiff as metal, so that what shears lies outside the damaged bone.

    What `screws_held_too_firmly` says. Forces of different screws stay in proportion.
    """
    screws = [screw(4.0, 12.0, 100.0), screw(6.5, 12.0, 400.0), screw(5.0, 20.0, 400.0), screw(6.5, 20.0, 100.0)]
    closed = np.array([each.closed_form_N() for each in screws])
    slopes = []
    for spacing_mm in (2.0, 1.0, 0.5):
        voxels = np.array([each.by_voxels_N(spacing_mm) for each in screws])
        slopes.append(float(closed @ voxels / (closed @ closed)))
        assert np.corrcoef(closed, voxels)[0, 1] ** 2 > 0.95
    assert 2.5 < slopes[0] < 3.5 and 1.9 < slopes[1] < 2.6 and 1.1 < slopes[2] < 1.4
