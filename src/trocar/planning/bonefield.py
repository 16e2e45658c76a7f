"""The bone that screws may use around a lesion, on the case's own voxels: how deep each point is, how healthy."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from trocar.imaging.distance import distance_field
from trocar.imaging.resample import sample
from trocar.imaging.surface import bounds, closed, grown_bounds, slices
from trocar.model.case import Case, Structure
from trocar.model.space import Array, Grid

REACH_MM = 100.0
HEALTHY_MIN_HU = 100.0  # mean over 3 voxels; mechanics gives 150 for full hold, marrow of the aged lies below; design
JOINT_BRIDGE_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class BoneField:
    """`depth_mm` to the outer surface of the usable bone (negative outside), lesion and healthy bone as masks."""

    grid: Grid
    names: tuple[str, ...]
    bridged: frozenset[str]  # joints that a screw may cross
    side_x: float  # +1 for a lesion on the left, -1 on the right
    depth_mm: Array = field(repr=False)
    room_mm: Array = field(repr=False)  # the depth, or less where a nerve's clearance ends nearer: a cylinder's radius
    in_lesion: Array = field(repr=False)
    healthy: Array = field(repr=False)

    def at(self, values: Array, points_lps_mm: Array, *, outside: float) -> Array:
        """(...) trilinear values of one of its fields at (..., 3) points."""
        return sample(values, self.grid, points_lps_mm, outside=outside)


def length_within_mm(samples: Array, step_mm: float) -> float:
    """How much of a line sampled every `step_mm` lies in something, a border halfway between two samples."""
    return step_mm * float(np.trapezoid(np.asarray(samples, dtype=float)))


def bone_field(case: Case, lesion: Structure, hosts: tuple[Structure, ...], *, side_x: float) -> BoneField:
    """The bone around a lesion in which a screw may run: its hosts, and across a sacroiliac joint the other bone."""
    bones, joints = _usable(case, lesion, hosts)
    low, high = grown_bounds(lesion.inside, np.ceil(REACH_MM / case.grid.spacing_mm).astype(int))
    inside = _within(bones + joints, low, high)
    box = bounds(inside)
    low, high = low + [a for a, _ in box], low + [b for _, b in box]
    low, high = np.maximum(low - 2, 0), np.minimum(high + 2, case.grid.shape)
    cut = slices(low, high)
    grid = case.grid.cropped(low, high)
    inside = _within(bones + joints, low, high)
    if joints or len(bones) > 1:
        inside = closed(inside, grid, gap_mm=JOINT_BRIDGE_MM)
    tumor = lesion.inside[cut]
    smooth = ndimage.uniform_filter(case.ct.values[cut].astype(np.float32), 3, mode="nearest")
    near_tumor = ndimage.binary_dilation(tumor)
    own = _within(bones, low, high)
    depth = -distance_field(inside, grid)
    return BoneField(
        grid=grid,
        names=tuple(bone.name for bone in bones),
        bridged=frozenset(joint.name for joint in joints),
        side_x=side_x,
        depth_mm=depth,
        room_mm=depth,  # nerves are refused path by path, where a screw is chosen
        in_lesion=tumor.astype(np.float32),
        healthy=(own & ~near_tumor & (smooth >= HEALTHY_MIN_HU)).astype(np.float32),
    )


def _usable(
    case: Case, lesion: Structure, hosts: tuple[Structure, ...]
) -> tuple[tuple[Structure, ...], tuple[Structure, ...]]:
    names = {host.name for host in hosts}
    if not any(name == "sacrum" or name.startswith("vertebrae_S") for name in names):
        return hosts, ()
    partners = tuple(
        item for item in case.structures if item.name in ("hip_left", "hip_right", "sacrum") and item.name not in names
    )
    joints = tuple(item for item in case.structures if item.name.startswith("sacroiliac_joint"))
    return hosts + partners, joints


def _within(structures: tuple[Structure, ...], low: Array, high: Array) -> Array:
    cut = slices(low, high)
    return np.any([structure.inside[cut] for structure in structures], axis=0)
