"""Small bodies that are loaded until they give way."""

import numpy as np
from elastic_cases import GPa, nodes_of, rod

from trocar.materials.limits import bonded
from trocar.physics.collapse import March, collapse
from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.interface import Bond, Interface
from trocar.physics.softening import Limits, Softening

BONE = Limits(name="bone", tension_frac=0.0073, compression_frac=0.0104, parting_m=153.3e-6, crushing_m=218.4e-6)
CEMENT = Limits(name="cement", tension_frac=0.016, compression_frac=0.032, parting_m=51e-6)
METAL = Limits(name="metal", tension_frac=0.0073, compression_frac=0.0073)
BOND = Bond(tension_Pa=1.3e6, shear_Pa=3.25e6, friction_frac=0.5, parting_m=150e-6)
THROUGH = March(stop_frac=0.3, softest_frac=0.0, steps=200, loss_frac=0.025)
QUICK = March(tolerance=5e-3, haste=2.0, loss_frac=0.05, passes=8, steps=14)


def pulled(modulus_Pa, sign=1, *, spacing_m=1e-3, poisson=0.0, march=None, by_force=False, limits=(BONE,), label=None):
    """The course of a body pulled (or pressed) along i, free to the sides, and its softening; load in N."""
    shape = modulus_Pa.shape
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0, ..., 0] = held[0, 0, 0] = True
    held[0, -1, 0, 2] = held[0, 0, -1, 1] = True
    pattern = np.zeros(held.shape)
    if by_force:
        pattern[-1, ..., 0] = sign * np.outer(*(_ends(n) / n for n in shape[1:]))
        load = Load(force_N=pattern)
    else:
        held[-1, ..., 0] = True
        pattern[-1, ..., 0] = sign
        load = Load(displacement_m=pattern)
    system = ElasticSystem(modulus_Pa, held, spacing_m=spacing_m, poisson=poisson)
    label = modulus_Pa > 0 if label is None else label
    softening = Softening(system.rows, label, limits, spacing_m=spacing_m, poisson=poisson)
    return collapse(system, load, softening, march=march), softening


def _ends(count):
    weight = np.ones(count + 1)
    weight[[0, -1]] = 0.5
    return weight


def foam():
    """Moduli of 16 x 8 x 8 voxels in which bone of very different stiffness lies between holes: it breaks in parts."""
    random = np.random.default_rng(0)
    modulus = GPa * np.exp(random.normal(0, 0.5, (16, 8, 8)))
    modulus[random.random(modulus.shape) < 0.3] = 0.02 * GPa
    return modulus


def gap(state, *, screws=((8.0, 4.0), (8.0, 12.0)), anchored=(10, 10), filled=6):
    """Moduli, labels and cement of two blocks of dense spongy bone 6 mm apart: before, cement, screws or planned.

    Voxels of 1 mm. Screws of 4 mm go along i through the gap and `anchored` voxels into the blocks; `filled` voxels of
    the gap hold cement.
    """
    block, width = 12, 16
    shape = (2 * block + 6, width, width)
    hole = np.zeros(shape, bool)
    hole[block : block + 6] = True
    cement, metal = np.zeros(shape), np.zeros(shape)
    if state in ("cement", "planned"):
        cement[block : block + filled] = 1.0
    if state in ("screws", "planned"):
        first, last = block - anchored[0], block + 6 + anchored[1]
        for j, k in screws:
            metal[first:last] += rod((last - first, width, width), (0, j, k), (last - first, j, k), 2.0)
    modulus = np.where(cement > 0, 2.2 * GPa, np.where(hole, 5e6, 1.5 * GPa))
    modulus = modulus + metal * (110 * GPa - modulus)
    label = np.where(metal >= 0.1, 3, np.where(cement > 0, 2, np.where(hole, 0, 1)))
    label[:2], label[-2:] = 0, 0  # at the platens
    return modulus, label, cement


def across(state, motion, *, bond=BOND, march=QUICK, **how):
    """The course of a gap's construct one end of which moves: shear, torsion, tension or compression."""
    modulus, label, cement = gap(state, **how)
    shape = modulus.shape
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0] = held[-1] = True
    pattern = np.zeros(held.shape)
    if motion == "torsion":
        x = nodes_of(shape, 1.0)[-1] - np.array([0, shape[1] / 2, shape[2] / 2])
        pattern[-1, ..., 1], pattern[-1, ..., 2] = -x[..., 2], x[..., 1]
    else:
        pattern[-1, ..., 1 if motion == "shear" else 0] = -1.0 if motion == "compression" else 1.0
    system = ElasticSystem(modulus, held, spacing_m=1e-3)
    softening = Softening(system.rows, label, (BONE, CEMENT, METAL), spacing_m=1e-3, poisson=0.3)
    interface = None
    if bond is not None:
        interface = Interface(system.rows, [bonded(label, cement, bond)], modulus, spacing_m=1e-3, poisson=0.3)
    return collapse(system, Load(displacement_m=pattern), softening, interface=interface, march=march)


def stiffness(course):
    """Load over path while nothing has given way."""
    return course.load[0] / course.path[0]
