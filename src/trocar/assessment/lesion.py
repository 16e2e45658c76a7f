"""The size of a lesion and what it has done to its bone."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist, squareform

from trocar.imaging.distance import distance_field
from trocar.imaging.resample import sample
from trocar.imaging.surface import Mesh, bounds, grown_bounds, mask_surface, slices
from trocar.model.case import Case, Structure
from trocar.model.finding import Compartments
from trocar.model.space import Array, Grid, Volume

# Software default: tumor, even enhanced, is soft tissue and stays below; woven and sclerotic bone lie above.
LYTIC_BELOW_HU = 150.0
HOST_SHARE_FRAC = 0.01


def diameters(surface: Mesh) -> tuple[Array, Array]:
    """(3,) millimeters and (3, 3) unit vectors as rows: the three orthogonal diameters of a lesion.

    The first is the longest distance between two points of the surface, the second the longest across it (in the
    projection along the first), the third the extent along the axis at right angles to both. An ellipsoid gives
    its three axes. Each vector points so that its largest component is positive.
    """
    points = surface.vertices_lps_mm
    corners = points[_hull(points)]
    first_mm, first = _longest(corners)
    flat = corners - np.outer(corners @ first, first)
    second_mm, second = _longest(flat)
    third = np.cross(first, second)
    along = corners @ third
    axes = np.array([_pointed(axis) for axis in (first, second, third)])
    return np.array([first_mm, second_mm, float(np.ptp(along))]), axes


def _hull(points: Array) -> Array:
    try:
        return np.asarray(ConvexHull(points).vertices)
    except QhullError:  # a lesion of one flat slice
        return np.arange(len(points))


def _longest(points: Array) -> tuple[float, Array]:
    distances = squareform(pdist(points))
    a, b = np.unravel_index(int(np.argmax(distances)), distances.shape)
    return float(distances[a, b]), (points[b] - points[a]) / distances[a, b]


def _pointed(axis: Array) -> Array:
    return axis * np.sign(axis[np.argmax(np.abs(axis))])


def host_bones(lesion: Structure, bones: Sequence[Structure]) -> tuple[Structure, ...]:
    """The bones that hold at least a hundredth of the lesion, the one that holds most first."""
    cut = tuple(slice(low, high) for low, high in bounds(lesion.inside))
    inside = lesion.inside[cut]
    share = {bone.name: np.count_nonzero(inside & bone.inside[cut]) / np.count_nonzero(inside) for bone in bones}
    hosts = [bone for bone in bones if share[bone.name] >= HOST_SHARE_FRAC]
    return tuple(sorted(hosts, key=lambda bone: (-share[bone.name], bone.name)))


def compartments(lesion: Structure, bones: Sequence[Structure], grid: Grid) -> Compartments:
    """The milliliters of a lesion inside bone (as it was when intact) and outside."""
    in_bone = int(np.count_nonzero(bone_compartment(lesion, bones)))
    return Compartments(
        bone_ml=in_bone * grid.voxel_ml,
        soft_tissue_ml=(int(np.count_nonzero(lesion.inside)) - in_bone) * grid.voxel_ml,
    )


def bone_compartment(lesion: Structure, bones: Sequence[Structure]) -> Array:
    """[i, j, k] the part of a lesion inside any bone."""
    part = np.zeros_like(lesion.inside)
    cut = tuple(slice(low, high) for low, high in bounds(lesion.inside))
    for bone in bones:
        part[cut] |= bone.inside[cut]
    return np.asarray(part & lesion.inside)


def lytic_share(ct: Volume, in_bone: Array, *, below_HU: float = LYTIC_BELOW_HU) -> float | None:
    """The fraction of a lesion's bone compartment that has lost its mineral; None without such a compartment.

    The CT is averaged over about a millimeter first, so that noise does not decide.
    """
    if not in_bone.any():
        return None
    limits = bounds(in_bone)
    reach = np.ceil(4.0 / ct.grid.spacing_mm).astype(int)
    cut = tuple(slice(max(low - n, 0), high + n) for (low, high), n in zip(limits, reach, strict=True))
    smooth = ndimage.gaussian_filter(ct.values[cut].astype(np.float32), 0.8 / ct.grid.spacing_mm, mode="nearest")
    return float(np.mean(smooth[in_bone[cut]] < below_HU))


def cortical_breach_mm2(
    lesion: Structure, hosts: Sequence[Structure], grid: Grid, *, depth_mm: float = 1.0
) -> float | None:
    """The area of the host bones' (intact) outer surface that the lesion crosses; None without a host bone.

    A patch of surface is crossed when the lesion lies on both sides of it, `depth_mm` in and `depth_mm` out: a lesion
    that only touches the cortex from one side has not breached it.
    """
    if not hosts:
        return None
    low, high = grown_bounds(lesion.inside, np.ceil(6.0 / grid.spacing_mm).astype(int))
    cut, around = slices(low, high), grid.cropped(low, high)
    bone = np.any([host.inside[cut] for host in hosts], axis=0)
    mesh = mask_surface(bone, around)
    if not len(mesh.faces):
        return 0.0
    a, b, c = (mesh.vertices_lps_mm[mesh.faces[:, n]] for n in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    depth = distance_field(lesion.inside[cut], around)
    crossed = np.ones(len(mesh.faces), dtype=bool)
    for side in (-depth_mm, depth_mm):
        crossed &= sample(depth, around, mesh.face_centers_lps_mm + side * normal, outside=np.inf) < 0
    return float(mesh.face_areas_mm2[crossed].sum())


def center(lesion: Structure, case: Case) -> Array:
    """(3,) the center of mass of a lesion's mask."""
    return case.grid.to_lps(np.argwhere(lesion.inside).mean(axis=0))
