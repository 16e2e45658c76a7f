"""Exact distances from an instrument's axis to the structures it must keep away from, on the case's own voxels."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from trocar.imaging.cloud import Cloud
from trocar.imaging.distance import boundary_voxels
from trocar.imaging.surface import bounds
from trocar.model.case import Structure
from trocar.model.space import Array, Grid, Segment
from trocar.planning.rules import Clearance, clearance_of

COURSE_STEP_MM = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """One structure as points with the distance (`shell_mm`) from them to its surface.

    A nerve given as a curve is its densely sampled course; any other is the centers of its outermost voxels, whose
    surface lies at most half a voxel's longest edge further out. `stray_mm` is how far an instrument beside it may
    lie from where it was planned, unless the instrument says otherwise.
    """

    name: str
    rule: Clearance
    points_lps_mm: Array = field(repr=False)
    cloud: Cloud = field(repr=False)  # the same points
    shell_mm: float
    stray_mm: float = 0.0

    def clearance_mm(self, axis: Segment, radius_mm: float) -> float:
        """From the surface of a straight instrument to the structure's; negative where they overlap."""
        return self.cloud.distance_mm(axis) - self.shell_mm - radius_mm

    def is_clear(self, axis: Segment, radius_mm: float, kept_mm: float) -> bool:
        """Whether that clearance is at least `kept_mm`."""
        if self.cloud.at_least_mm(axis) - self.shell_mm - radius_mm >= kept_mm:
            return True
        return self.clearance_mm(axis, radius_mm) >= kept_mm


def obstacles(structures: Iterable[Structure], grid: Grid, *, stray_mm: float = 0.0) -> tuple[Obstacle, ...]:
    """Every structure that a clearance rule speaks of, in their order."""
    found = []
    for structure in structures:
        rule = clearance_of(structure)
        if rule is None or not (structure.inside.any() or structure.centerline_lps_mm):
            continue
        points, shell_mm = structure_points(structure, grid)
        found.append(Obstacle(structure.name, rule, points, Cloud.of(points), shell_mm, stray_mm))
    return tuple(found)


def structure_points(structure: Structure, grid: Grid) -> tuple[Array, float]:
    """(n, 3) points of a structure and the distance from them to its surface."""
    if structure.centerline_lps_mm and structure.diameter_mm:
        return course_points(structure), structure.diameter_mm / 2
    return grid.to_lps(boundary_voxels(structure.inside)), float(grid.spacing_mm.max()) / 2


def course_points(structure: Structure) -> Array:
    """(n, 3) points along a nerve's course."""
    course = np.asarray(structure.centerline_lps_mm)
    parts = [course[:1]]
    for start, end in pairwise(course):
        steps = max(1, int(np.ceil(np.linalg.norm(end - start) / COURSE_STEP_MM)))
        parts.append(start + (end - start) * (np.arange(1, steps + 1) / steps)[:, None])
    return np.concatenate(parts)


def center_lps_mm(structure: Structure, grid: Grid) -> Array:
    """The middle of a structure's bounding box."""
    return grid.to_lps([(low + high - 1) / 2 for low, high in bounds(structure.inside)])
