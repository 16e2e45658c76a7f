"""A root beside the ice: a thermocouple and a hydrodissection needle at it, placed where it is nearest the tumor."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import limit
from trocar.model.case import Role
from trocar.model.space import Array
from trocar.model.treatment import Placement, Rejection
from trocar.planning.access import clear, instrument, needle, rejections, trace
from trocar.planning.bundles import scored_points
from trocar.planning.directions import spaced, sphere, tie_break
from trocar.planning.gap import axis_gap_mm
from trocar.planning.obstacles import Obstacle
from trocar.planning.surroundings import Surroundings, look_up

TEST_VOLUME_ML = 10.0  # 5 to 10 ml first, then as much as the layer needs (V32)
BESIDE_MM = (1.0, 4.0)  # from the nerve's surface to the instrument's tip
TARGETS_TRIED = 16
DIRECTIONS = 500
APART_MM = 3.0
SENSOR_ERROR_MM = 1.0  # advanced by hand under repeated control images beside the very nerve; design


@dataclass(frozen=True, slots=True, eq=False)
class Protection:
    """The instruments at a nerve, and why one is missing."""

    nerve: str
    distance_mm: float
    placements: tuple[Placement, ...]
    rejected: tuple[Rejection, ...] = ()


def endangered(around: Surroundings) -> tuple[Obstacle, float] | None:
    """The nerve or cord nearest to the lesion when it is perineural, and its distance to the lesion's voxels."""
    roles = {item.name: item.role for item in around.case.structures}
    points = around.lesion_points_lps_mm
    found = []
    for obstacle in around.obstacles:
        if roles[obstacle.name] not in (Role.NERVE, Role.CORD):
            continue
        near = obstacle.points_lps_mm
        gap = min(float(np.linalg.norm(points - point, axis=1).min()) for point in _closest(near, points))
        found.append((max(0.0, gap - obstacle.shell_mm - 1.0), obstacle))
    if not found:
        return None
    distance, obstacle = min(found, key=lambda row: row[0])
    return (obstacle, distance) if distance <= limit("perineural_mm").value else None


def _closest(points: Array, lesion: Array) -> Array:
    center = lesion.mean(axis=0)
    order = np.argsort(np.linalg.norm(points - center, axis=1), kind="stable")
    return points[order[:60]]


def protect(around: Surroundings, nerve: Obstacle, distance_mm: float, up: Array) -> Protection:
    """A thermocouple and a hydrodissection needle beside a nerve, near where it passes the lesion."""
    targets = _beside(around, nerve)
    placements: list[Placement] = []
    refused: list[Rejection] = []
    for device_id, role, name in (
        ("thermocouple", "thermocouple", "thermocouple-1"),
        ("spinal-needle-20g", "needle", "hydrodissection-1"),
    ):
        tool = instrument(device_id, role, what=name, placement_error_mm=SENSOR_ERROR_MM)
        tool = replace(tool, ignores=frozenset({nerve.name}))
        path, why = None, []
        if len(targets):
            ways = sphere(DIRECTIONS)
            paths = trace(around, np.repeat(targets, len(ways), axis=0), np.tile(ways, (len(targets), 1)), tool, up)
            why = rejections(around, paths, tool, up, what=name)
            for index in paths.best_first[:300]:
                candidate = paths.segment(int(index))
                apart = all(axis_gap_mm(candidate, other.axis) >= APART_MM for other in placements)
                beside = nerve.clearance_mm(candidate, tool.radius_mm) >= 0.0
                if apart and beside and clear(around.obstacles, candidate, tool):
                    path = candidate
                    break
        refused += why
        if path is not None:
            volume = TEST_VOLUME_ML if role == "needle" else None
            placements.append(needle(tool, path, name, volume_ml=volume))
    return Protection(nerve.name, distance_mm, tuple(placements), tuple(refused))


def _beside(around: Surroundings, nerve: Obstacle) -> Array:
    """(n, 3) points beside the nerve and out of hard bone, those nearest to the lesion first."""
    near = _closest(nerve.points_lps_mm, around.lesion_points_lps_mm)
    offsets = sphere(60)
    shell = [nerve.shell_mm + extra for extra in np.linspace(*BESIDE_MM, 3)]
    points = np.concatenate([near[::3, None] + radius * offsets[None] for radius in shell]).reshape(-1, 3)
    gap = np.linalg.norm(points[:, None] - nerve.points_lps_mm[None, ::2], axis=2).min(axis=1) - nerve.shell_mm
    free = (gap >= BESIDE_MM[0]) & (gap <= BESIDE_MM[1] + 0.5)
    free &= look_up(around, around.cortex, points, outside=1.0) < 0.5
    points = points[free]
    lesion = scored_points(around)
    to_lesion = np.array([np.linalg.norm(lesion - point, axis=1).min() for point in points])
    points = points[np.lexsort((tie_break(points, around.side_x), np.round(to_lesion, 3)))]
    return spaced(points, apart_mm=2.0, count=TARGETS_TRIED)
