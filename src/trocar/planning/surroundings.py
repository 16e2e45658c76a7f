"""The lesion's surroundings on a coarse grid: distances that thousands of candidate paths can look up."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from trocar.imaging.distance import to_nearest
from trocar.imaging.resample import sample
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Array, Grid, as_matrix4
from trocar.planning.directions import tie_break
from trocar.planning.guidance import Guidance, guidance_of
from trocar.planning.obstacles import Obstacle, center_lps_mm, course_points, obstacles
from trocar.planning.rules import Clearance, clearances

SPACING_MM = 2.0
REACH_MM = 180.0
BODY_HU = -300.0
CORTEX_HU = 300.0
FAR_MM = 60.0
EXACT_BAND_MM = 14.0
HOST_SHARE_FRAC = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Barrier:
    """The structures under one clearance rule: [i, j, k] distance to the nearest, and which it is."""

    rule: Clearance
    names: tuple[str, ...]
    distance_mm: Array = field(repr=False)
    nearest: Array = field(repr=False)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A lesion and what lies around it, on `grid` (coarse, centered on the lesion's box, the case's axes)."""

    case: Case
    lesion: Structure
    grid: Grid
    guidance: Guidance  # how instruments are led, so how far they stray
    seen: Array = field(repr=False)  # within the image
    body: Array = field(repr=False)  # 1 in the body, 0 outside it
    in_lesion: Array = field(repr=False)
    in_bone: Array = field(repr=False)
    cortex: Array = field(repr=False)  # 1 in hard bone outside the lesion
    values_HU: Array = field(repr=False)
    barriers: tuple[Barrier, ...]
    obstacles: tuple[Obstacle, ...]
    _parts: dict[tuple[str, frozenset[str]], Barrier] = field(default_factory=dict, repr=False)

    def without(self, barrier: Barrier, ignored: frozenset[str]) -> Barrier:
        """A barrier without some of its structures, the numbers of the others kept."""
        left_out = ignored & set(barrier.names)
        if not left_out:
            return barrier
        key = (barrier.rule.constraint, left_out)
        if key not in self._parts:
            self._parts[key] = _barrier(barrier.rule, self.case, _Sampler(self.case.grid, self.grid), without=left_out)
        return self._parts[key]

    @cached_property
    def bore_center_lps_mm(self) -> Array:
        """(3,) the middle of the patient, taken to lie on the scanner's axis; of the image where no body is known."""
        bodies = [item for item in self.case.with_role(Role.BODY) if item.inside.any()]
        return center_lps_mm(bodies[0], self.case.grid) if bodies else self.case.grid.center_lps_mm

    @cached_property
    def bone_share(self) -> Array:
        """[i, j, k] 1 in bone outside the lesion, which holds a needle."""
        return (self.in_bone & ~self.in_lesion).astype(np.float32)

    @cached_property
    def lesion_points_lps_mm(self) -> Array:
        """(n, 3) coarse voxel centers of the lesion."""
        return self.grid.to_lps(np.argwhere(self.in_lesion))

    @cached_property
    def lesion_frame(self) -> tuple[Array, Array, Array]:
        """Center (3,), principal axes (3, 3) as columns with the longest first, and extents (3,) in mm along them."""
        points = self.lesion_points_lps_mm
        center = points.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((points - center).T))
        axes = axes[:, ::-1] * np.where(tie_break(axes[:, ::-1].T, self.side_x) < 0, -1.0, 1.0)
        along = (points - center) @ axes
        return center, axes, np.ptp(along, axis=0) + self.grid.spacing_mm.mean()

    @cached_property
    def host_bones(self) -> tuple[Structure, ...]:
        """The bones that hold at least a twentieth of the lesion, the largest share first."""
        inside = self.lesion.inside
        share = {bone.name: np.count_nonzero(bone.inside & inside) / np.count_nonzero(inside) for bone in self._bones}
        hosts = [bone for bone in self._bones if share[bone.name] >= HOST_SHARE_FRAC]
        return tuple(sorted(hosts, key=lambda bone: (-share[bone.name], bone.name)))

    @property
    def _bones(self) -> tuple[Structure, ...]:
        return self.case.with_role(Role.BONE)

    @cached_property
    def midline_x_mm(self) -> float:
        """Where the patient's midplane lies: between paired bones, else through midline ones, else mid-body."""
        return _midline_x_mm(self)

    @cached_property
    def side_x(self) -> float:
        """+1 for a lesion left of the midplane, else -1: which way its mirror image would be turned."""
        center = center_lps_mm(self.lesion, self.case.grid)
        return 1.0 if float(center[0]) >= self.midline_x_mm else -1.0

    @property
    def lesion_side_x(self) -> float:
        """+1 for a lesion on the patient's left, -1 on the right, 0 within 10 mm of the midline."""
        offset = float(self.lesion_frame[0][0]) - self.midline_x_mm
        return 0.0 if abs(offset) < 10.0 else float(np.sign(offset))


def surroundings(
    case: Case, lesion: Structure, *, guidance: Guidance | None = None, spacing_mm: float = SPACING_MM
) -> Surroundings:
    """The surroundings of a lesion of a case, for instruments led as given, else as the case says."""
    guidance = guidance or guidance_of(case)
    grid = _coarse_grid(case.grid, center_lps_mm(lesion, case.grid), spacing_mm)
    at = _Sampler(case.grid, grid)
    values_HU = at.nearest(case.ct.values)
    seen = at.seen()
    known = obstacles(case.structures, case.grid, stray_mm=guidance.placement_error_mm)
    inside = at.mask(lesion.inside)
    bone = np.any([at.mask(item.inside) for item in case.with_role(Role.BONE)] or [np.zeros(grid.shape, bool)], axis=0)
    cortex = bone & ~inside & (values_HU > CORTEX_HU)
    return Surroundings(
        case=case,
        lesion=lesion,
        grid=grid,
        guidance=guidance,
        seen=seen.astype(np.uint8),
        body=_body(case, at, values_HU, seen).astype(np.uint8),
        in_lesion=inside,
        in_bone=bone,
        cortex=cortex.astype(np.float32),
        values_HU=values_HU.astype(np.float32),
        barriers=tuple(_barrier(rule, case, at) for rule in clearances()),
        obstacles=known,
    )


def _coarse_grid(fine: Grid, center: Array, spacing_mm: float) -> Grid:
    """Symmetric about the lesion's center, as far as instruments reach and the image goes."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.asarray(fine.shape) - 1)
    offset = np.abs((fine.to_lps(corners) - center) @ fine.directions).max(axis=0)
    half = np.ceil(np.minimum(offset, REACH_MM) / spacing_mm).astype(int) + 1
    matrix = np.eye(4)
    matrix[:3, :3] = fine.directions * spacing_mm
    matrix[:3, 3] = center - fine.directions @ (half * spacing_mm)
    return Grid(shape=tuple(int(n) for n in 2 * half + 1), lps_from_ijk=as_matrix4(matrix))  # type: ignore[arg-type]


class _Sampler:
    """Looks up a fine array at the voxels of a coarse grid with the same axes; ties between voxels count as both."""

    def __init__(self, fine: Grid, coarse: Grid) -> None:
        self.fine, self.coarse = fine, coarse
        self._low: list[Array] = []
        self._high: list[Array] = []
        self._in: list[Array] = []
        for axis in range(3):
            ijk = np.zeros((coarse.shape[axis], 3))
            ijk[:, axis] = np.arange(coarse.shape[axis])
            position = fine.to_ijk(coarse.to_lps(ijk))[:, axis]
            self._in.append((position > -0.5) & (position < fine.shape[axis] - 0.5))
            for found, nudge in ((self._low, -1e-6), (self._high, 1e-6)):
                found.append(np.clip(np.rint(position + nudge).astype(int), 0, fine.shape[axis] - 1))

    def nearest(self, values: Array) -> Array:
        """Values of the nearest voxels, the mean of two at a tie."""
        for axis in range(3):
            low, high = self._low[axis], self._high[axis]
            first = values.take(low, axis)
            values = first if np.array_equal(low, high) else 0.5 * first + 0.5 * values.take(high, axis)
        return values

    def mask(self, inside: Array) -> Array:
        """A mask's nearest voxels, either of two at a tie; empty beyond the image."""
        for axis in range(3):
            low, high = self._low[axis], self._high[axis]
            first = inside.take(low, axis)
            inside = first if np.array_equal(low, high) else first | inside.take(high, axis)
        return inside & self.seen()

    def seen(self) -> Array:
        """Which coarse voxels lie within the image."""
        i, j, k = self._in
        return i[:, None, None] & j[None, :, None] & k[None, None, :]


def _body(case: Case, at: _Sampler, values_HU: Array, seen: Array) -> Array:
    bodies = case.with_role(Role.BODY)
    if bodies:
        return at.mask(bodies[0].inside)
    tissue = ndimage.binary_opening((values_HU > BODY_HU) & seen, iterations=2)
    labels, count = ndimage.label(tissue)
    if not count:
        return np.asarray(seen)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    slices = [ndimage.binary_fill_holes(largest[:, :, k]) for k in range(largest.shape[2])]
    return np.stack(slices, axis=2)


def _barrier(rule: Clearance, case: Case, at: _Sampler, *, without: frozenset[str] = frozenset()) -> Barrier:
    members = case.with_role(*rule.roles)
    grid = at.coarse
    label = np.zeros(grid.shape, dtype=np.int16)
    kept = [(number, item) for number, item in enumerate(members, start=1) if item.name not in without]
    for number, structure in kept:
        label[at.mask(structure.inside)] = number
        if structure.centerline_lps_mm:
            _paint(label, number, course_points(structure), grid)
    distance = np.full(grid.shape, FAR_MM, dtype=np.float32)
    nearest = np.zeros(grid.shape, dtype=np.int16)
    if label.any():
        found, where = to_nearest(label == 0, grid.spacing_mm)
        distance = np.minimum(found - np.float32(grid.spacing_mm.mean() / 2), np.float32(FAR_MM))
        nearest = label[tuple(where)]
    for number, structure in kept:
        if structure.centerline_lps_mm and structure.diameter_mm:
            _refine(distance, nearest, number, structure, grid)
    return Barrier(rule, tuple(item.name for item in members), distance, nearest)


def _paint(label: Array, number: int, course: Array, grid: Grid) -> None:
    """Mark a course's voxels, so that a nerve thinner than the grid is not lost."""
    ijk = np.rint(grid.to_ijk(course[grid.contains(course)])).astype(int)
    label[tuple(ijk.T)] = number


def _refine(distance: Array, nearest: Array, number: int, structure: Structure, grid: Grid) -> None:
    """Replace the distances around a nerve given as a curve by those to its exact tube."""
    near = np.argwhere((nearest == number) & (distance < EXACT_BAND_MM))
    if len(near):
        found = cKDTree(course_points(structure)).query(grid.to_lps(near))[0]
        distance[tuple(near.T)] = found - float(structure.diameter_mm or 0.0) / 2


def _midline_x_mm(around: Surroundings) -> float:
    case = around.case
    names = {structure.name for structure in case.structures}
    for left in sorted(name for name in names if "left" in name):
        right = left.replace("left", "right")
        pair = [case.structure(name) for name in (left, right) if name in names]
        if len(pair) == 2 and pair[0].role is Role.BONE and all(item.inside.any() for item in pair):
            return float(np.mean([center_lps_mm(item, case.grid)[0] for item in pair]))
    middle = [item for item in case.with_role(Role.BONE) if item.name.startswith(("sacrum", "vertebrae"))]
    for item in middle:
        if item.inside.any():
            return float(center_lps_mm(item, case.grid)[0])
    columns = np.argwhere(around.body > 0.5)
    return float(around.grid.to_lps(columns.mean(axis=0))[0]) if len(columns) else float(around.grid.center_lps_mm[0])


def look_up(around: Surroundings, field_values: Array, points_lps_mm: Array, *, outside: float) -> Array:
    """(...) trilinear values of a coarse field at (..., 3) points."""
    return sample(field_values, around.grid, points_lps_mm, outside=outside)
