"""Small bodies that are loaded until they give way."""

import numpy as np
from elastic_cases import GPa

from trocar.physics.collapse import March, collapse
from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.interface import Bond, Interface
from trocar.physics.softening import Limits, Softening

BONE = Limits(name="bone", tension_frac=0.0073, compression_frac=0.0104, parting_m=153e-6, crushing_m=218e-6)
STRONG = Limits(name="cement", tension_frac=0.016, compression_frac=0.032, parting_m=51e-6)
METAL = Limits(name="metal", tension_frac=0.0073, compression_frac=0.0073)
BOND = Bond(tension_Pa=1.3e6, shear_Pa=3.25e6, friction_frac=0.5, parting_m=150e-6)
THROUGH = March(stop_frac=0.3, softest_frac=0.0, steps=200)


def pulled(modulus_Pa, strain=0.001, *, spacing_m=1e-3, poisson=0.0, march=None, label=None, by_force=False,
           limits=(BONE,)):  # fmt: skip
    """The course of a body pulled (or pressed) along i, free to the sides, and its softening; load in N."""
    shape = modulus_Pa.shape
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0, ..., 0] = True
    held[0, 0, 0] = True
    held[0, -1, 0, 2] = held[0, 0, -1, 1] = True
    pattern = np.zeros(held.shape)
    if by_force:
        pattern[-1, ..., 0] = np.sign(strain) * np.outer(*(_ends(n) / n for n in shape[1:]))
        load = Load(force_N=pattern)
    else:
        held[-1, ..., 0] = True
        pattern[-1, ..., 0] = np.sign(strain)
        load = Load(displacement_m=pattern)
    system = ElasticSystem(modulus_Pa, held, spacing_m=spacing_m, poisson=poisson)
    label = (modulus_Pa > 0).astype(int) if label is None else label
    softening = Softening(system.rows, label, limits, spacing_m=spacing_m, poisson=poisson)
    return collapse(system, load, softening, march=march), softening


def _ends(count):
    weight = np.ones(count + 1)
    weight[[0, -1]] = 0.5
    return weight


def gap(state, *, screws=((8.0, 4.0), (8.0, 12.0)), anchored=10, block=12, gap_voxels=6, wide=(16, 16), bone_Pa=1.5 * GPa):
    """Moduli, labels and cement of two blocks of spongy bone across a lytic gap: before, cement, screws or planned.

    Screws of 4 mm go along i through the gap, `anchored` voxels into the blocks on either side.
    """
    from elastic_cases import rod

    length = 2 * block + gap_voxels
    shape = (length, *wide)
    hole = np.zeros(shape, bool)
    hole[block : block + gap_voxels] = True
    modulus = np.where(hole, 5e6, bone_Pa)
    cement = np.zeros(shape)
    if state in ("cement", "planned"):
        cement[hole] = 1.0
        modulus = np.where(hole, 2.2 * GPa, modulus)
    metal = np.zeros(shape)
    if state in ("screws", "planned"):
        for j, k in screws:
            metal += rod(shape, (block - anchored, j, k), (block + gap_voxels + anchored, j, k), 2.0)
            # a flat end: nothing beyond the screw
        i = np.arange(length) + 0.5
        metal[(i < block - anchored) | (i > block + gap_voxels + anchored)] = 0
        modulus = modulus + metal * (110 * GPa - modulus)
    label = np.where(hole, 0, 1)
    label = np.where(cement > 0.5, 2, label)
    label = np.where(metal >= 0.1, 3, label)
    label[:2], label[-2:] = 0, 0  # at the platens
    return modulus, label, cement


def across(state, motion, *, bond=BOND, march=None, **how):
    """The course of a gap's construct whose one end is moved against the other: shear, torsion, tension, compression."""
    from elastic_cases import nodes_of

    spacing_m = 1e-3
    modulus, label, cement = gap(state, **how)
    shape = modulus.shape
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0] = held[-1] = True
    pattern = np.zeros(held.shape)
    if motion == "torsion":
        x = nodes_of(shape, 1.0)[-1] - np.array([0, shape[1] / 2, shape[2] / 2])
        pattern[-1, ..., 1], pattern[-1, ..., 2] = -x[..., 2], x[..., 1]
    elif motion == "shear":
        pattern[-1, ..., 1] = 1.0
    else:
        pattern[-1, ..., 0] = 1.0 if motion == "tension" else -1.0
    system = ElasticSystem(modulus, held, spacing_m=spacing_m)
    softening = Softening(system.rows, label, (BONE, STRONG, METAL), spacing_m=spacing_m, poisson=0.3)
    interface = None
    if bond is not None and cement.any():
        from trocar.materials.limits import bonded

        voxels, normals = bonded(label, cement)
        stiff = modulus[tuple(voxels.T)]
        interface = Interface(system.rows, voxels, normals, stiff, bond, spacing_m=spacing_m, poisson=0.3)
    return collapse(system, Load(displacement_m=pattern), softening, interface=interface, march=march)
