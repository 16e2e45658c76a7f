"""What threads do: the bone that they have damaged, and how firmly they hold the bone around them."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import BONE
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement
from trocar.physics.interface import Bonded

_AROUND = np.ones((3, 3, 3), bool)
_CORNERS = np.array(list(np.ndindex(2, 2, 2)))
_LAPLACE = np.array([1 / 3, 0.0, -1 / 12, -1 / 12])  # of two corners of a trilinear cube, by the edges between them
_NOWHERE = np.zeros((0, 3), int), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
SAMPLED_MM = 0.1
SMALLEST_MM2 = 1e-9  # where nothing beside a screw can be judged it stays bonded
FLAT = 0.1  # a slope below which a voxel's middle tells nothing of what its corners bear


def shape_factor(*, cannulated: bool, pitch_mm: float | None = None, depth_mm: float | None = None) -> float:
    """The part of bone's shear strength that a thread makes use of: 0.5 + 0.57735 d / p, less if cannulated (Chapman).

    A pitch or depth that is not given is the catalog's.
    """
    known = mechanics().thread
    depth = known.depth_mm if depth_mm is None else depth_mm
    pitch = known.pitch_mm if pitch_mm is None else pitch_mm
    return (0.5 + 0.57735 * depth / pitch) * (known.cannulated_frac if cannulated else 1.0)


def with_thread_damage(modulus_MPa: Array, screw: Placement, grid: Grid, *, cement_frac: Array | None,
                       modulus_frac: float | None = None) -> Array:  # fmt: skip
    """The bone within a thread's depth of a screw has lost part of its stiffness, where no cement makes up for it."""
    known = mechanics().thread
    left = known.modulus_frac if modulus_frac is None else modulus_frac
    wide = rod_frac(screw.axis, screw.diameter_mm + 2 * known.depth_mm, grid)
    collar = np.clip(wide - rod_frac(screw.axis, screw.diameter_mm, grid), 0.0, 1.0)
    if cement_frac is not None:
        collar = collar * (1 - np.clip(cement_frac, 0.0, 1.0))
    return modulus_MPa * (1 - collar * (1 - left))


def threaded(
    label: Array, metal_frac: Array, sound_MPa: Array, screws: Sequence[tuple[Placement, bool]], grid: Grid
) -> Bonded:
    """The bone that screws hold by their threads: voxels of bone beside those that metal touches.

    `screws`, each with whether it is cannulated. `sound_MPa` [i, j, k] is bone's modulus before threads damaged it.
    Only shear along the screw counts, and it bears what Chapman's closed form says for the voxel's bone
    (theory/softening.md).
    """
    touched = metal_frac > 0
    voxels = np.argwhere(ndimage.binary_dilation(touched, _AROUND) & ~touched)
    borne, slope = _borne(touched, voxels)
    at, parts = grid.to_lps(voxels), []
    owner = np.argmin([screw.axis.distance_mm(at) for screw, _ in screws], axis=0) if screws else np.zeros(0, int)
    for number, (screw, cannulated) in enumerate(screws):
        mine = np.flatnonzero(owner == number)
        parts.append(_held(screw, cannulated, voxels[mine], at[mine], (borne[mine], slope[mine]), grid))
    found, normals, along, used_frac = (np.concatenate(part) for part in zip(_NOWHERE, *parts, strict=True))
    bony = label[tuple(found.T)] == BONE
    known = mechanics().thread
    compression_Pa = 1e6 * mechanics().yield_strain.compression_frac * sound_MPa[tuple(found[bony].T)]
    return Bonded(
        voxels=found[bony],
        normals=normals[bony],
        along=along[bony],
        tension_Pa=np.full(int(bony.sum()), np.inf),
        shear_Pa=known.shear_per_compression_frac * compression_Pa * used_frac[bony],
        friction_frac=0.0,  # is in the closed form's factor
        parting_m=known.parting_mm / 1000.0,
    )


def _held(
    screw: Placement, cannulated: bool, voxels: Array, at: Array, forces: tuple[Array, Array], grid: Grid
) -> tuple[Array, Array, Array, Array]:
    """Voxels that a screw's thread holds, their normals, the screw's direction, the part of their bone's strength.

    That falls with the distance from the axis, as the traction does. One factor for all makes their forces together
    the closed form's, whatever bone it may be.
    """
    axis, radius_mm = screw.axis.direction, screw.diameter_mm / 2
    away = at - np.asarray(screw.axis.start_lps_mm)
    across = away - (away @ axis)[:, None] * axis
    far_mm = np.linalg.norm(across, axis=1)
    around = far_mm > radius_mm  # neither in its cannula nor under its tip
    far_mm, along = far_mm[around], axis @ grid.directions
    borne, slope = (of[around] for of in forces)
    steep = np.linalg.norm(slope - (slope @ along)[:, None] * along, axis=1)
    face_mm2 = float(grid.spacing_mm[0]) ** 2
    whole_mm2 = face_mm2 * float(np.divide(borne, steep * far_mm, where=steep > FLAT, out=np.zeros_like(borne)).sum())
    surface_mm2 = 2 * np.pi * radius_mm * _within_mm(screw, grid)
    used_frac = shape_factor(cannulated=cannulated) * surface_mm2 / (max(whole_mm2, SMALLEST_MM2) * far_mm)
    normals = (across[around] / far_mm[:, None]) @ grid.directions
    return voxels[around], normals, np.broadcast_to(along, normals.shape), used_frac


def _within_mm(screw: Placement, grid: Grid) -> float:
    """How much of a screw's length lies in a lattice: one into the neighbor bone leaves it."""
    count = max(1, int(np.ceil(screw.axis.length_mm / SAMPLED_MM)))
    at = grid.to_ijk(screw.axis.at((np.arange(count) + 0.5) * screw.axis.length_mm / count))
    inside = ((at > -0.5) & (at < np.array(grid.shape) - 0.5)).all(axis=1)
    return float(inside.mean()) * screw.axis.length_mm


def _borne(touched: Array, voxels: Array) -> tuple[Array, Array]:
    """How much force voxels beside metal bear when it moves and what is beyond them does not.

    (n,) over shear modulus, edge and movement, and (n, 3) how steep the movement is at their middle, in movements per
    edge, by which shear is judged.
    """
    nodes = np.zeros(np.add(touched.shape, 1), bool)
    for corner in _CORNERS:
        nodes[tuple(slice(a, a + n) for a, n in zip(corner, touched.shape, strict=True))] |= touched
    moved = np.stack([nodes[tuple((voxels + corner).T)] for corner in _CORNERS], axis=1).astype(float)
    stiffness = _LAPLACE[np.abs(_CORNERS[:, None] - _CORNERS).sum(axis=2)]
    return np.einsum("na,ab,nb->n", moved, stiffness, moved), moved @ (2 * _CORNERS - 1) / 4
