"""The walls of an acetabulum around the femoral head, and which of them a lesion has taken.

The head is a sphere through the joint. The bone within reach of it is divided by the direction from its center: the
roof within 45 degrees of upward (the roof arc, R-h), the medial wall within 35 degrees of medial, the columns in front
of it and behind it. Angles, reach and shares are software defaults; the reader of the image corrects what is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from trocar.assessment.midline import Midplane, midplane
from trocar.imaging.distance import surface_points
from trocar.model.case import Case, LesionContext, Role, Structure
from trocar.model.space import Array, Grid

WALLS = ("acetabular_roof", "medial_wall", "anterior_column", "posterior_column")
ROOF_deg, MEDIAL_deg, REACH_MM = 45.0, 35.0, 25.0
DEFICIENT_FRAC, INTACT_FRAC = 0.25, 0.05  # between the two a reader decides
LEAST_WALL_ML = 1.0  # less bone than this in a wall: the image or the label does not hold it
JOINT_GAP_MM = 8.0  # of the femur's surface, what lies this near to the hip bone faces the socket
HEAD_RADIUS_MM, HEAD_RMS_MM = (17.0, 32.0), 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The sphere of a femoral head; `rms_mm` says how well the points lie on it."""

    center_lps_mm: Array
    radius_mm: float
    rms_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One wall: the share of its bone that a lesion takes, and what that says; None where a reader must decide."""

    name: str
    share_frac: float
    state: str | None  # intact, deficient


def walls(case: Case, lesion: Structure, hip: Structure) -> tuple[Wall, ...]:
    """The four walls beside a lesion; none where the head, the midline or too little of the bone is on the image."""
    plane, head = midplane(case), femoral_head(case, hip)
    if plane is None or head is None:
        return ()
    return tuple(_walls(case.grid, lesion, hip, head, plane))


def seen_on_image(case: Case, context: LesionContext, hosts: tuple[Structure, ...]) -> LesionContext:
    """What is known of a lesion with the walls that nobody stated taken from the image, named in `from_imaging`."""
    if not hosts or not hosts[0].name.startswith("hip"):
        return context
    found: dict[str, Any] = {
        wall.name: wall.state
        for wall in walls(case, case.structure(context.name), hosts[0])
        if wall.state is not None and getattr(context, wall.name) is None
    }
    return replace(context, **found, from_imaging=(*context.from_imaging, *found))


def femoral_head(case: Case, hip: Structure) -> Head | None:
    """The head in a hip bone's socket, from the femur that faces it or else from the joint; None without either."""
    side = hip.name.removeprefix("hip")
    for structure in case.structures:
        if structure.role is Role.BONE and structure.name == f"femur{side}" and structure.inside.any():
            femur = surface_points(structure, case.grid)
            near, _ = cKDTree(surface_points(hip, case.grid)).query(femur, distance_upper_bound=JOINT_GAP_MM)
            return _accepted(femur[np.isfinite(near)])
    for structure in case.with_role(Role.JOINT):
        if structure.name == f"hip_joint{side}" and structure.inside.any():
            return _accepted(case.grid.to_lps(np.argwhere(structure.inside)))
    return None


def _accepted(points_lps_mm: Array) -> Head | None:
    """The sphere through points, fitted again without those that lie off it; None where no head could be one."""
    for _ in range(3):
        if len(points_lps_mm) < 50:
            return None
        head, off_mm = _sphere(points_lps_mm)
        points_lps_mm = points_lps_mm[off_mm < 2 * max(head.rms_mm, 0.5)]
    low, high = HEAD_RADIUS_MM
    return head if low <= head.radius_mm <= high and head.rms_mm <= HEAD_RMS_MM else None


def _sphere(points_lps_mm: Array) -> tuple[Head, Array]:
    """The least-squares sphere, from the linear equations of |x|^2 = 2 c.x + (r^2 - |c|^2), and each point's offset."""
    middle = points_lps_mm.mean(axis=0)
    offsets = points_lps_mm - middle
    system = np.column_stack([2 * offsets, np.ones(len(offsets))])
    solution, *_ = np.linalg.lstsq(system, np.sum(offsets**2, axis=1), rcond=None)
    radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0.0)))
    off = np.abs(np.linalg.norm(offsets - solution[:3], axis=1) - radius)
    return Head(middle + solution[:3], radius, float(np.sqrt(np.mean(off**2)))), off


def _walls(grid: Grid, lesion: Structure, hip: Structure, head: Head, plane: Midplane) -> Iterator[Wall]:
    bone = _parts(np.argwhere(hip.inside), grid, head, plane)
    tumor = _parts(np.argwhere(lesion.inside), grid, head, plane)
    lost = _parts(np.argwhere(lesion.inside & hip.inside), grid, head, plane)
    for name in WALLS:
        count = int(np.count_nonzero(bone == name))
        if count * grid.voxel_ml < LEAST_WALL_ML:
            continue
        share = np.count_nonzero(lost == name) / count
        # tumor outside the bone's label may have taken bone that the label lacks: not intact then
        touched = np.count_nonzero(tumor == name) / count
        state = "deficient" if share >= DEFICIENT_FRAC else "intact" if touched < INTACT_FRAC else None
        yield Wall(name=name, share_frac=float(share), state=state)


def _parts(ijk: Array, grid: Grid, head: Head, plane: Midplane) -> Array:
    """(n,) the wall that each voxel within reach of the head belongs to; empty beyond."""
    if not len(ijk):
        return np.zeros(0, dtype="<U20")
    offsets = grid.to_lps(ijk) - head.center_lps_mm
    reach = np.linalg.norm(offsets, axis=1)
    up = np.array([0.0, 0.0, 1.0]) - plane.left * plane.left[2]
    up /= np.linalg.norm(up)
    medial = plane.left * -np.sign(plane.left_of_mm(head.center_lps_mm))
    forward = np.cross(plane.left, up)
    around = np.degrees(np.arctan2(offsets @ forward, offsets @ medial))
    roof = offsets @ up >= np.maximum(reach, 1e-9) * np.cos(np.radians(ROOF_deg))
    column = np.where(around > MEDIAL_deg, WALLS[2], np.where(around < -MEDIAL_deg, WALLS[3], WALLS[1]))
    named = np.where(roof, WALLS[0], column)
    return np.where(reach <= head.radius_mm + REACH_MM, named, "")
