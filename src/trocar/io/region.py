"""A structure while it is read: only the box of the CT's grid that it touches, so that a hundred of them stay small."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.errors import CaseError, GeometryError
from trocar.io.anatomy import side_in_name
from trocar.io.geometry import judged, said
from trocar.model.case import LARGEST_LESION_ML, GeometryFinding, Role, Structure
from trocar.model.record import Record, Vector
from trocar.model.space import Array, Grid

CUT_OFF_SILENT_FRAC, CUT_OFF_REFUSED_FRAC = 0.001, 0.5
COUNTED_VOXELS = 2_000_000  # enough to know a lost fraction to 0.1 %


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region(Record):
    """`part` is boolean [i, j, k], its voxel 0 at index `low` of the CT's grid."""

    name: str
    role: Role
    part: Array
    low: tuple[int, int, int]
    origin: str
    centerline_lps_mm: tuple[Vector, ...] = ()
    diameter_mm: float | None = None

    @property
    def box(self) -> tuple[slice, ...]:
        """Where `part` lies in an array of the CT's shape."""
        return tuple(slice(low, low + size) for low, size in zip(self.low, self.part.shape, strict=True))

    def centroid_lps_mm(self, grid: Grid) -> Array:
        """(3,) mean of the voxel centers."""
        counts = [self.part.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
        index = [float(count @ np.arange(len(count)) / count.sum()) for count in counts]
        return grid.to_lps(np.add(index, self.low))

    def structure(self, grid: Grid) -> Structure:
        """The region as a structure of the case. Raises `CaseError` when it is empty."""
        if not self.part.any():
            raise CaseError(
                f"structure {self.name!r} is empty", hint="leave it out, or check that the mask belongs to this CT"
            )
        inside = np.zeros(grid.shape, dtype=bool)  # untouched pages of zeros cost no memory
        inside[self.box] = self.part
        return Structure(
            name=self.name,
            role=self.role,
            inside=inside,
            side=side_in_name(self.name),
            centerline_lps_mm=self.centerline_lps_mm,
            diameter_mm=self.diameter_mm,
            origin=self.origin,
        )


def regions_of(
    labels: Array, low: tuple[int, int, int], wanted: dict[int, tuple[str, Role]], origin: str
) -> list[Region]:
    """One region per wanted label that occurs, in the order of the labels; `labels` [i, j, k] starts at index `low`."""
    boxes = ndimage.find_objects(labels, max_label=max(wanted, default=0))
    found = []
    for value, (name, role) in sorted(wanted.items()):
        box = boxes[value - 1] if value <= len(boxes) else None
        if box is None:
            continue
        start = tuple(int(edge.start) + int(first) for edge, first in zip(box, low, strict=True))
        found.append(
            Region(
                name=name,
                role=role,
                part=labels[box] == value,
                low=(start[0], start[1], start[2]),
                origin=f"{origin}, label {value}",
            )
        )
    return found


def onto_grid(
    labels: Array, source: Grid, grid: Grid, subject: str
) -> tuple[Array, tuple[int, int, int], tuple[GeometryFinding, ...]]:
    """Labels [i, j, k] of one grid on another by nearest neighbor: the box of `grid` that they touch, its first index,
    and what was said (resampled, partly cut off).

    Raises `GeometryError` when most of what is labeled lies outside the CT: another frame of reference.
    """
    (used,) = ndimage.find_objects((labels > 0).view(np.uint8)) or (None,)
    if used is None:
        return np.zeros((1, 1, 1), dtype=labels.dtype), (0, 0, 0), ()
    first = np.array([edge.start for edge in used])
    last = np.array([edge.stop for edge in used])
    step = max(1, round((np.prod(last - first) / COUNTED_VOXELS) ** (1 / 3)))
    counted = np.argwhere(labels[used][::step, ::step, ::step]) * step + first
    index = grid.to_ijk(source.to_lps(counted))
    lost = np.any((index < -0.5) | (index > np.asarray(grid.shape) - 0.5), axis=1)
    lost_frac = float(lost.mean()) if len(lost) else 0.0
    findings = judged(
        subject,
        "cut_off",
        lost_frac,
        say_above=CUT_OFF_SILENT_FRAC,
        refuse_above=CUT_OFF_REFUSED_FRAC,
        unit="fraction",
        message="part of what is labeled lies outside the CT",
        hint="the structures belong to another image or another frame of reference; register them to this CT first",
    )
    if source.matches(grid, tolerance_mm=0.01):
        return labels, (0, 0, 0), findings
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    span = first - 0.5 + corners * (last - first)
    reach = grid.to_ijk(source.to_lps(span))
    low = np.clip(np.floor(reach.min(axis=0)).astype(int), 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(reach.max(axis=0)).astype(int) + 1, low + 1, grid.shape)
    box = grid.cropped(low, high)
    source_from_box = source.ijk_from_lps @ box.matrix
    moved = ndimage.affine_transform(
        labels,
        source_from_box[:3, :3],
        source_from_box[:3, 3],
        output_shape=box.shape,
        order=0,
        mode="constant",
        cval=0,
    )
    if not _same_lattice(source, grid):
        findings = (*findings, _resampled(source, grid, subject))
    return moved, (int(low[0]), int(low[1]), int(low[2])), findings


def _same_lattice(source: Grid, grid: Grid) -> bool:
    """Whether every voxel center of one grid is one of the other's (cropped, flipped or permuted axes)."""
    steps = grid.ijk_from_lps @ source.matrix
    whole = np.abs(steps[:3] - np.rint(steps[:3]))
    return bool(whole[:, :3].max() * max(source.shape) < 0.01 and whole[:, 3].max() < 0.01) and bool(
        np.allclose(np.abs(np.rint(steps[:3, :3])).sum(axis=0), 1)
    )


def _resampled(source: Grid, grid: Grid, subject: str) -> GeometryFinding:
    coarse, fine = (" x ".join(f"{edge:.3g}" for edge in given.spacing_mm) for given in (source, grid))
    message = f"labels of {coarse} mm voxels resampled by nearest neighbor onto the CT's {fine} mm"
    shift_mm = float(source.spacing_mm.max()) / 2
    return said(subject, "label_resampled", shift_mm, limit=0.0, unit="mm", message=message, repaired=True)


def require_distinct(regions: list[Region]) -> None:
    """Raises `CaseError` when two structures share a name."""
    names = [region.name for region in regions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CaseError(f"two structures are named {', '.join(twice)}", hint="give each structure its own name, once")


def require_possible_lesions(regions: list[Region], grid: Grid) -> None:
    """Raises `CaseError` for a lesion larger than any: a mask of the body or of everything but the lesion."""
    for region in regions:
        volume_ml = float(np.count_nonzero(region.part)) * grid.voxel_ml
        if region.role is Role.LESION and volume_ml > LARGEST_LESION_ML:
            raise CaseError(
                f"the mask of {region.name} measures {volume_ml:.0f} ml; a lesion at most {LARGEST_LESION_ML}",
                hint="give a mask that is not zero inside the lesion only",
            )


def require_same_frame(subject: str, theirs: str | None, ours: str | None) -> tuple[GeometryFinding, ...]:
    """Nothing when both frames of reference are known and equal, a finding when one is unknown.

    Raises `GeometryError` when they differ.
    """
    if theirs and ours:
        if theirs != ours:
            raise GeometryError(
                f"{subject}: drawn in another frame of reference than the CT's",
                hint="give the structures that were drawn on this CT, or register them to it first",
            )
        return ()
    message = "the frame of reference is not stated by both the CT and the structures; only their overlap was checked"
    return (said(subject, "frame_of_reference", 1, limit=0, unit="1", message=message),)
