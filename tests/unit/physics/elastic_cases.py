"""Small bodies with known answers for the elastic solver."""

import numpy as np

from trocar.physics.elastic import ElasticSystem, Load

GPa = 1e9


def nodes_of(shape, spacing_m):
    """[i, j, k, 3] positions of the nodes."""
    return np.stack(np.meshgrid(*(np.arange(n + 1) * spacing_m for n in shape), indexing="ij"), axis=-1)


def boundary(shape):
    """[i, j, k] nodes on the box's surface."""
    inside = np.zeros([n + 1 for n in shape], bool)
    inside[1:-1, 1:-1, 1:-1] = True
    return ~inside


def rod(shape, start, end, radius, sub=4):
    """[i, j, k] share of each voxel (edge 1) within a cylinder, by `sub`^3 points."""
    at = (np.arange(sub) + 0.5) / sub
    total = np.zeros(shape)
    axis = np.subtract(end, start) / np.linalg.norm(np.subtract(end, start))
    for a in at:
        for b in at:
            for c in at:
                p = np.stack(np.meshgrid(*(np.arange(n) + o for n, o in zip(shape, (a, b, c), strict=True)),
                                         indexing="ij"), axis=-1) - start  # fmt: skip
                along = p @ axis
                total += np.linalg.norm(p - along[..., None] * axis, axis=-1) <= radius
    return total / sub**3


def stretched(modulus_Pa, strain=1e-3, *, spacing_m=1e-3, sides_free=True, tolerance=1e-9):
    """The body pulled along i between two faces; the force on the pulled face (N), and the deformation."""
    shape = modulus_Pa.shape
    held = np.zeros([*(n + 1 for n in shape), 3], bool)
    held[0, ..., 0] = held[-1, ..., 0] = True
    if sides_free:
        held[0, 0, 0] = True
        held[0, -1, 0, 2] = held[0, 0, -1, 1] = True
    else:
        held[0] = held[-1] = True
    moved = np.zeros(held.shape)
    moved[-1, ..., 0] = strain * shape[0] * spacing_m
    found = ElasticSystem(modulus_Pa, held, spacing_m=spacing_m).solve_one(
        Load(displacement_m=moved), tolerance=tolerance
    )
    return float(found.force_N()[-1, ..., 0].sum()), found
