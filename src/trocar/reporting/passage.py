"""What an instrument meets on its way from the skin to its end, and what lies beside that way."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.imaging.distance import boundary_voxels
from trocar.imaging.resample import sample
from trocar.model.case import Role, Structure
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Placement
from trocar.reporting.cuts import around
from trocar.reporting.gathered import Gathered
from trocar.reporting.planes import Plane

STEP_MM = 0.5
SHORTEST_MM = 1.5  # of a stretch that is told
COURSE_STEP_MM = 0.5
RASTER = 120  # pixels of a silhouette
SOFT_TISSUE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the way that lies in one structure; `name` is empty in soft tissue that is no structure told here."""

    name: str
    length_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beside:
    """A structure beside the way: the least gap to the instrument's surface, how deep, and its outline seen along it.

    `shadow` is (RASTER, RASTER), the first row on top: where the structure stands before or behind the picture.
    """

    structure: Structure
    gap_mm: float
    depth_mm: float
    shadow: Array


def way(placement: Placement) -> Segment:
    """From the skin to the instrument's end."""
    return Segment(start_lps_mm=placement.skin_lps_mm, end_lps_mm=placement.target_lps_mm)


def stretches(gathered: Gathered, placement: Placement) -> tuple[Stretch, ...]:
    """What the axis runs through, from the skin: the lesion before a bone, a bone before soft tissue."""
    path, grid = way(placement), gathered.case.grid
    points = path.at(np.arange(STEP_MM / 2, path.length_mm, STEP_MM))
    told = [gathered.lesion, *gathered.case.with_role(Role.BONE, Role.JOINT)]
    number = np.full(len(points), len(told))
    for at, item in reversed(list(enumerate(told))):
        number[_inside(item, grid, points)] = at
    names = [*(item.name for item in told), SOFT_TISSUE]
    runs = np.split(number, np.flatnonzero(np.diff(number)) + 1) if len(number) else []
    found: list[Stretch] = []
    for run in runs:
        name, length_mm = names[int(run[0])], STEP_MM * len(run)
        if found and (length_mm < SHORTEST_MM or found[-1].name == name):
            found[-1] = Stretch(name=found[-1].name, length_mm=found[-1].length_mm + length_mm)
        else:
            found.append(Stretch(name=name, length_mm=length_mm))
    return tuple(found)


def _inside(item: Structure, grid: Grid, points: Array) -> Array:
    box = around(grid, points)
    if box is None:
        return np.zeros(len(points), dtype=bool)
    part, cropped = box
    return np.asarray(sample(item.inside[part].astype(np.float32), cropped, points, outside=0.0) >= 0.5)


def beside(gathered: Gathered, placement: Placement, plane: Plane, *, at_most: int = 6) -> tuple[Beside, ...]:
    """The structures in a tube around the way, as wide as the picture, the nearest first."""
    path, grid = way(placement), gathered.case.grid
    box = around(grid, np.array([path.start_lps_mm, path.end_lps_mm]), margin_mm=plane.size_mm / 2)
    if box is None:
        return ()
    part, cropped = box
    found = [_beside(item, item.inside[part], cropped, path, placement, plane) for item in gathered.critical]
    seen = sorted((each for each in found if each), key=lambda each: (each.gap_mm, each.structure.name))
    return tuple(seen[:at_most])


def _beside(
    item: Structure, inside: Array, grid: Grid, path: Segment, placement: Placement, plane: Plane
) -> Beside | None:
    if not inside.any():
        return None
    points = grid.to_lps(np.argwhere(inside))
    depth = (points - path.start_lps_mm) @ path.direction
    picture, _ = plane.to_picture(points)
    shown = (depth >= 0) & (depth <= path.length_mm) & np.all((picture >= 0) & (picture < plane.size_mm), axis=1)
    if not shown.any():
        return None
    pixel = (picture[shown] * (RASTER / plane.size_mm)).astype(int)
    shadow = np.zeros((RASTER, RASTER), dtype=bool)
    shadow[pixel[:, 1], pixel[:, 0]] = True
    wide = int(np.ceil(grid.spacing_mm.max() * RASTER / plane.size_mm / 2)) + 1
    shadow = ndimage.binary_closing(np.pad(shadow, wide), structure=_disc(wide))[wide:-wide, wide:-wide]
    gap_mm, depth_mm = _gap(item, inside, grid, path)
    return Beside(structure=item, gap_mm=gap_mm - placement.diameter_mm / 2, depth_mm=depth_mm, shadow=shadow)


def _disc(radius: int) -> Array:
    across = np.arange(-radius, radius + 1)
    return np.hypot(*np.meshgrid(across, across)) <= radius


def _gap(item: Structure, inside: Array, grid: Grid, path: Segment) -> tuple[float, float]:
    """The least distance from the axis to a structure's surface, and at which depth: exact for a nerve's tube.

    Of a mask it is that of its voxels' centers less half of their longest edge, which errs on the near side.
    """
    if item.centerline_lps_mm and item.diameter_mm:
        points, off_mm = _course(item), item.diameter_mm / 2
    else:
        points, off_mm = grid.to_lps(boundary_voxels(inside)), float(grid.spacing_mm.max()) / 2
    distance = path.distance_mm(points)
    nearest = int(np.argmin(distance))
    along = float(np.clip((points[nearest] - path.start_lps_mm) @ path.direction, 0.0, path.length_mm))
    return float(distance[nearest]) - off_mm, along


def _course(item: Structure) -> Array:
    course = np.asarray(item.centerline_lps_mm)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))])
    at = np.arange(0.0, length[-1] + COURSE_STEP_MM, COURSE_STEP_MM)
    return np.stack([np.interp(at, length, course[:, axis]) for axis in range(3)], axis=1)
