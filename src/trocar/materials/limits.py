"""What each voxel of a treated bone is, when it gives way, and where cement and bone are bonded."""

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import GivingWay, mechanics
from trocar.model.space import Array
from trocar.physics.interface import Bond, Bonded
from trocar.physics.softening import Limits

BONE, CEMENT, METAL = 1, 2, 3  # labels of what gives way; 0 never does
BONDS = ("interface", "thread")  # of cement and bone, of screw and bone
MATERIALS = ("bone", "cement", "screw", *BONDS)  # in the order of the labels
MOSTLY, SOME_METAL = 0.5, 0.1
BOND_SMOOTHING = 1.0  # voxels, of the share of cement whose slope is the bond's normal
BOND_REACH = 6  # voxels around the bond that its slope may depend on


def limits() -> tuple[Limits, ...]:
    """Limits of bone, cement and titanium, in the order of their labels."""
    known, strain = mechanics(), mechanics().yield_strain
    bone = known.giving_way_of("bone")
    return (
        _limits(bone, strain.tension_frac, strain.compression_frac),
        *(_by_stress(known.giving_way_of(name), known.material_of(name).modulus_GPa) for name in ("pmma", "titanium")),
    )


def cement_bond(*, tension_MPa: float | None = None) -> Bond:
    """The catalog's bond of cement and bone, or one of another strength."""
    known = mechanics().bond
    tension_Pa = 1e6 * (known.tension_MPa if tension_MPa is None else tension_MPa)
    return Bond(
        tension_Pa=tension_Pa,
        shear_Pa=known.shear_per_tension_frac * tension_Pa,
        friction_frac=known.friction_frac,
        parting_m=known.parting_mm / 1000.0,
    )


def labels(modulus_MPa: Array, solid: Array, cement_frac: Array, metal_frac: Array, spared: Array) -> Array:
    """[i, j, k] label of each voxel: metal, else cement where it is most of it, else solid bone; 0 where spared."""
    label = np.where(solid, BONE, 0)
    label = np.where(cement_frac >= MOSTLY, CEMENT, label)
    label = np.where(metal_frac >= SOME_METAL, METAL, label)
    return np.where((modulus_MPa > 0) & ~spared, label, 0).astype(np.uint8)


def bonded(label: Array, cement_frac: Array, bond: Bond) -> Bonded:
    """The cement voxels that share a face with bone, normals out of the cement."""
    beside = ndimage.binary_dilation(label == BONE)  # by faces
    voxels = np.argwhere((label == CEMENT) & beside)
    if not len(voxels):
        return bond.between(voxels, np.zeros((0, 3)))
    low = np.maximum(voxels.min(axis=0) - BOND_REACH, 0)
    box = tuple(slice(a, b) for a, b in zip(low, voxels.max(axis=0) + BOND_REACH + 1, strict=True))
    smooth = ndimage.gaussian_filter(np.pad(cement_frac[box].astype(float), 1), BOND_SMOOTHING)
    slope = np.stack([-axis[tuple((voxels - low).T + 1)] for axis in np.gradient(smooth)], axis=-1)
    length = np.linalg.norm(slope, axis=-1, keepdims=True)
    normals = np.where(length > 1e-9, slope / np.maximum(length, 1e-9), np.array([0.0, 0.0, 1.0]))
    return bond.between(voxels, normals)


def _by_stress(way: GivingWay, modulus_GPa: float) -> Limits:
    assert way.tension_MPa is not None
    assert way.compression_MPa is not None
    return _limits(way, way.tension_MPa / (1000 * modulus_GPa), way.compression_MPa / (1000 * modulus_GPa))


def _limits(way: GivingWay, tension_frac: float, compression_frac: float) -> Limits:
    return Limits(
        name=way.material,
        tension_frac=tension_frac,
        compression_frac=compression_frac,
        parting_m=np.inf if way.parting_mm is None else way.parting_mm / 1000.0,
        crushing_m=np.inf if way.crushing_mm is None else way.crushing_mm / 1000.0,
        floor_frac=way.floor_frac,
    )
