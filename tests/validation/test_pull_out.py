"""Screws pulled out of foam by voxels, beside Chapman's closed form."""

from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
FOUR = (4.0, 12.0, 100.0), (6.5, 12.0, 400.0), (5.0, 20.0, 400.0), (6.5, 20.0, 100.0)


@pytest.fixture
def screw(monkeypatch):
    """The experiment that scripts/pulled_out.py repeats for twelve screws."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from pulled_out import Screw

    return Screw


def test_fine_voxels_pull_a_screw_out_at_the_closed_forms_load(agree, screw):
    """Metal and foam are bonded and know nothing of the closed form: foam yields by strain, half as stiff by a thread.

    It is what the closed form can be checked against; coarse voxels hold bonded screws far too firmly.
    """
    one = screw(4.0, 12.0, 100.0)
    agree(
        "screw of 4 x 12 mm pulled out of foam, bonded, voxels of 0.25 mm", "load over Chapman's closed form",
        known=1.0, found=one.pulled(0.25, thread=False).peak_load / one.closed_form_N(), tolerance=0.15, unit="",
    )  # fmt: skip
    assert one.pulled(2.0, thread=False).peak_load > 2 * one.closed_form_N()


@pytest.mark.parametrize(("spacing_mm", "least"), [(2.0, 0.9), (1.0, 0.9), (0.5, 0.82)])
def test_threads_hold_what_the_closed_form_says_on_any_voxels(agree, screw, spacing_mm, least):
    """What bonds of threads are for. On 0.5 mm the bone that the thread has damaged begins to yield before them."""
    screws = [screw(*each) for each in FOUR]
    courses = [each.pulled(spacing_mm) for each in screws]
    closed, found = (np.array(of) for of in ([s.closed_form_N() for s in screws], [c.peak_load for c in courses]))
    assert all(course.past_peak for course in courses)
    assert (found / closed).min() > least and (found / closed).max() < 1.05
    agree(
        f"four screws pulled out of foam, threads, voxels of {spacing_mm:g} mm", "slope over Chapman's closed form",
        known=1.0, found=float(closed @ found / (closed @ closed)), tolerance=1.05 - least, unit="",
    )  # fmt: skip
    assert all(course.failed[course.peak][-1] > course.failed[course.peak][0] for course in courses)


@pytest.mark.parametrize("out", [(1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
@pytest.mark.parametrize("off", [(0.0, 0.0, 0.0), (0.3, 0.45, 0.2)])
def test_threads_hold_it_in_any_direction_and_place(screw, out, off):
    turned = screw(6.5, 24.0, 400.0, out, off)
    assert 0.86 < turned.pulled(2.0).peak_load / turned.closed_form_N() < 1.05
