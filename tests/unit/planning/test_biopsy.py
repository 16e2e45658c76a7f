"""A sample is taken where the needle reaches the compartment, on a path of its own or on another instrument's."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.catalog import limit
from trocar.model.space import Segment
from trocar.planning import biopsy as sampling
from trocar.planning.notices import unplaced
from trocar.planning.surroundings import look_up, surroundings

UP = np.array([0.0, 1.0, 0.0])
DEEP_MM = 4.0


@pytest.fixture(scope="module")
def around(case):
    return surroundings(case, case.lesions[0])


@pytest.fixture
def one_target(monkeypatch):
    """Only the deepest place is a target, so that needles which end before it can be told apart."""
    monkeypatch.setattr(sampling, "TARGETS_TRIED", 1)


@pytest.fixture
def sold_as(monkeypatch):
    """Sells the needle in one length only, by what it reaches from the skin."""
    tool = sampling._tool

    def sell(reach_mm):
        lengths = (reach_mm + limit("needle_hub_reserve_mm").value,)
        monkeypatch.setattr(sampling, "_tool", lambda compartment: replace(tool(compartment), lengths_mm=lengths))

    return sell


def lacking_mm(found):
    return min(item.value_mm - item.limit_mm for item in found.rejected if item.constraint == "needle_length")


def test_a_needle_too_short_for_its_target_stops_before_it_as_deep_as_a_target_lies(around, one_target, sold_as):
    shortest = sampling.biopsy(around, UP).placement.length_mm
    sold_as(shortest - 3.0)
    found = sampling.biopsy(around, UP)
    assert found.placement.length_mm <= shortest - 3.0
    depth = sampling._depth_mm(around, found.compartment)
    end = np.array([found.placement.target_lps_mm])
    assert look_up(around, depth, end, outside=0.0)[0] >= DEEP_MM - 1e-3
    assert found.options and lacking_mm(found) > 0  # what did not reach is still told


def test_a_needle_that_does_not_reach_the_compartment_is_refused_with_what_it_lacks(around, one_target, sold_as):
    shortest = sampling.biopsy(around, UP).placement.length_mm
    sold_as(shortest - 25.0)
    found = sampling.biopsy(around, UP)
    assert found.placement is None
    said = unplaced("biopsy", found.rejected).message
    assert said.endswith(f"is {lacking_mm(found):.1f} mm too short on the nearest way") and "needle-" in said
    assert lacking_mm(found) >= 25.0 - 1.0


def test_a_sample_without_a_path_of_its_own_is_taken_on_that_of_a_later_instrument(around, one_target):
    own = sampling.biopsy(around, UP)
    path = Segment(start_lps_mm=own.placement.skin_lps_mm, end_lps_mm=own.placement.target_lps_mm)
    without = replace(own, placement=None)
    found = sampling.shared(around, without, {"trocar-1": path})
    assert found.shared_with == "trocar-1" and found.placement.name == own.placement.name
    assert found.placement.skin_lps_mm == pytest.approx(own.placement.skin_lps_mm)
    aside = Segment(start_lps_mm=(-90.0, 0.0, 60.0), end_lps_mm=(-60.0, 0.0, 60.0))
    assert sampling.shared(around, without, {"trocar-1": aside}).placement is None
