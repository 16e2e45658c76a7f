"""What threads do: the bone that they have damaged, and how firmly they hold the bone around them."""

from collections.abc import Sequence

import numpy as np

from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import BONE
from trocar.materials.slipping import Slip, highest_frac
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement
from trocar.physics.elastic import POISSON
from trocar.physics.interface import SMALLEST_REACH, Bonded

_NOWHERE = np.zeros((0, 3), int), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
SAMPLED_MM = 0.1
SMALLEST_MM2 = 1e-9  # where nothing beside a screw can be judged it stays bonded
ROUNDS = 4  # that settle how many voxels are at their limits at once: how strong they are has a little part in it
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
    slip = Slip.beside(metal_frac > 0)
    at, parts = grid.to_lps(slip.voxels), []
    owner = np.argmin([screw.axis.distance_mm(at) for screw, _ in screws], axis=0) if screws else np.zeros(0, int)
    for number, (screw, cannulated) in enumerate(screws):
        mine = np.flatnonzero(owner == number)
        parts.append(_held(screw, cannulated, slip.at(mine), at[mine], grid))
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


def _held(screw: Placement, cannulated: bool, slip: Slip, at: Array, grid: Grid) -> tuple[Array, Array, Array, Array]:
    """Voxels that a screw's thread holds, their normals, the screw's direction, the part of their bone's strength.

    That falls with the distance from the axis, as the traction does. One factor for all makes the most that they bear
    together the closed form's force, whatever bone it may be.
    """
    axis, radius_mm = screw.axis.direction, screw.diameter_mm / 2
    away = at - np.asarray(screw.axis.start_lps_mm)
    across = away - (away @ axis)[:, None] * axis
    far_mm = np.linalg.norm(across, axis=1)
    around = far_mm > radius_mm  # neither in its cannula nor under its tip
    slip, far_mm, along = slip.at(around), far_mm[around], axis @ grid.directions
    steep = np.linalg.norm(slip.slope - (slip.slope @ along)[:, None] * along, axis=1)
    judged, edge_mm = steep > FLAT, float(grid.spacing_mm[0])
    borne, steep = slip.borne[judged] / steep[judged], steep[judged]
    whole_mm2 = max(edge_mm**2 * float((borne / far_mm[judged]).sum()), SMALLEST_MM2)
    surface_mm2 = 2 * np.pi * radius_mm * _within_mm(screw, grid)
    if_at_once_frac = shape_factor(cannulated=cannulated) * surface_mm2 / (whole_mm2 * far_mm)
    used_frac = if_at_once_frac
    for _ in range(ROUNDS if judged.any() else 0):
        used_frac = if_at_once_frac / _at_once_frac(borne, steep, used_frac[judged], edge_mm)
    normals = (across[around] / far_mm[:, None]) @ grid.directions
    return slip.voxels, normals, np.broadcast_to(along, normals.shape), used_frac


def _at_once_frac(borne: Array, steep: Array, used_frac: Array, edge_mm: float) -> float:
    """The most that voxels bear at once as the metal moves, over what they bear each at its limit.

    Some are still below theirs, others have begun to let go. `borne` at a slope of 1.
    """
    known = mechanics()
    strength_frac = known.thread.shear_per_compression_frac * known.yield_strain.compression_frac  # over the modulus
    yields_mm = 2 * (1 + POISSON) * strength_frac * used_frac * edge_mm / steep
    parts_mm = np.maximum(known.thread.parting_mm / steep, SMALLEST_REACH * yields_mm)
    return highest_frac(borne * used_frac, yields_mm, parts_mm)


def _within_mm(screw: Placement, grid: Grid) -> float:
    """How much of a screw's length lies in a lattice: one into the neighbor bone leaves it."""
    count = max(1, int(np.ceil(screw.axis.length_mm / SAMPLED_MM)))
    at = grid.to_ijk(screw.axis.at((np.arange(count) + 0.5) * screw.axis.length_mm / count))
    inside = ((at > -0.5) & (at < np.array(grid.shape) - 0.5)).all(axis=1)
    return float(inside.mean()) * screw.axis.length_mm
