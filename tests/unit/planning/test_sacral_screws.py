"""Screws of a plan keep clear of the sacrum's foramina where nobody segmented the roots in them."""

from dataclasses import replace

import numpy as np
import pytest

from trocar import phantoms
from trocar.model.space import Segment, as_vector
from trocar.planning.access import clear
from trocar.planning.fixation import SACRAL_ROOT, access_tool, sacral_obstacles
from trocar.planning.surroundings import surroundings


@pytest.fixture(scope="module")
def sacrum():
    return phantoms.sacrum(spacing_mm=(2.0, 2.0, 2.0))


def around(case):
    return surroundings(case, case.structure("lesion_1"))


def without_roots(case):
    return replace(case, structures=tuple(item for item in case.structures if SACRAL_ROOT not in item.name))


def test_segmented_roots_stand_for_their_foramina(sacrum):
    assert sacral_obstacles(around(sacrum), ("sacrum",)) == ()


def test_a_bone_that_is_no_sacrum_has_none(sacrum):
    assert sacral_obstacles(around(without_roots(sacrum)), ("hip_left",)) == ()


def test_a_screw_across_a_foramen_is_refused_where_no_root_is_segmented(sacrum):
    place = around(without_roots(sacrum))
    found = sacral_obstacles(place, ("sacrum", "hip_left"))
    assert {"sacral_foramina_left", "sacral_foramina_right"} <= {item.name for item in found}
    course = np.array(sacrum.structure("nerve_root_s2_right").centerline_lps_mm)
    course = course[course[:, 0] < -14.0]  # beyond the canal, on the patient's right
    nearest = [min(np.linalg.norm(item.points_lps_mm - point, axis=1).min() for item in found) for point in course]
    through = course[int(np.argmin(nearest))]  # where the root runs through its foramen
    sideways = np.array([4.0, 0.0, 0.0])
    axis = Segment(start_lps_mm=as_vector(through - sideways), end_lps_mm=as_vector(through + sideways))
    screw = replace(access_tool(7.3, phantom_bone()), placement_error_mm=0.0)
    assert clear(place.obstacles, axis, screw)  # nothing that was segmented is in its way
    assert not clear(found, axis, screw)


def phantom_bone():
    class Bone:
        bridged = frozenset()

    return Bone()
