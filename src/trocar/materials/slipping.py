"""How bone follows a screw that slips along itself: the movement around it on a lattice, and what voxels bear of it.

A screw that moves along its axis shears what is around it and does little else, so the movement along the axis solves
Laplace's equation. Its scale is free: everything here counts in movements of the metal.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import cg

from trocar.errors import SolverError
from trocar.model.space import Array

CORNERS = np.array(list(np.ndindex(2, 2, 2)))
SOFTENED_FRAC = 0.5  # of its stiffness that a thread's bond has left where it bears most
REACH = 3  # voxels from metal beyond which nothing moves; more changes what is borne by less than 1 %
TOLERANCE = 1e-6
TRIED = 101  # movements
_AROUND = np.ones((3, 3, 3), bool)
_BY_EDGES = np.array([1 / 3, 0.0, -1 / 12, -1 / 12])  # Laplace's stiffness of two corners of a trilinear cube
_STIFFNESS = _BY_EDGES[np.abs(CORNERS[:, None] - CORNERS).sum(axis=2)]


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """Voxels (n, 3) beside metal that moves along itself, and what they do.

    borne (n,): the force on the metal over shear modulus, edge and movement. slope (n, 3): how steep the movement is at
    their middle, in movements per edge, by which their shear is judged.
    """

    voxels: Array
    borne: Array
    slope: Array

    @classmethod
    def beside(cls, touched: Array) -> "Slip":
        """Of the voxels that share a node with one that metal touches ([i, j, k] bool), softened as at the peak.

        Raises `SolverError` if the movement around it is not found.
        """
        ring = ndimage.binary_dilation(touched, _AROUND) & ~touched
        voxels = np.argwhere(ring)
        if not len(voxels):
            return cls(voxels, np.zeros(0), np.zeros((0, 3)))
        metal = _nodes_of(touched)
        at = _at_corners(_movement(touched, ring, metal), voxels)
        pushed = _at_corners(metal, voxels).astype(float)
        return cls(voxels, np.einsum("na,ab,nb->n", pushed, _STIFFNESS, at), at @ (2 * CORNERS - 1) / 4)

    def at(self, which: Array) -> "Slip":
        """Of some of the voxels only."""
        return Slip(self.voxels[which], self.borne[which], self.slope[which])


def highest_frac(force: Array, yields: Array, parts: Array) -> float:
    """The most that springs bear together as they are stretched, over what all would bear at their limits at once.

    `force` (n,) at the limit, reached at a stretch `yields`; beyond it the force falls along a line to none at `parts`.
    """
    stretch = np.quantile(yields, np.linspace(0.0, 1.0, TRIED))[:, None]
    falling = np.clip((parts - stretch) / (parts - yields), 0.0, 1.0)
    share = np.where(stretch <= yields, stretch / yields, falling)
    return float((share @ force).max() / force.sum())


def _movement(touched: Array, ring: Array, metal: Array) -> Array:
    """[i + 1, j + 1, k + 1] of the nodes: 1 on metal's, 0 beyond reach, between them what is in balance."""
    near = ndimage.binary_dilation(touched, _AROUND, iterations=REACH)
    moved = metal.astype(float)
    free = _nodes_of(near) & ~metal & ~_nodes_of(~near)
    voxels = np.argwhere(near & ~touched)
    stiff = np.where(ring[tuple(voxels.T)], SOFTENED_FRAC, 1.0)[:, None, None] * _STIFFNESS
    numbers = np.full(free.shape, -1)
    numbers[free] = np.arange(int(free.sum()))
    rows = _at_corners(numbers, voxels)
    left = -np.einsum("nab,nb->na", stiff, _at_corners(moved, voxels))
    given = np.bincount(rows[rows >= 0], left[rows >= 0], minlength=int(free.sum()))
    row, column = np.repeat(rows, 8, axis=1).reshape(-1), np.tile(rows, (1, 8)).reshape(-1)
    both = (row >= 0) & (column >= 0)
    size = (given.size, given.size)
    matrix = sparse.csr_array((stiff.reshape(-1)[both], (row[both], column[both])), shape=size)
    found, failed = cg(matrix, given, rtol=TOLERANCE)
    if failed:
        raise SolverError("the movement around a screw was not found", hint="report this with the dossier")
    moved[free] = found
    return moved


def _nodes_of(voxels: Array) -> Array:
    """Nodes of any of the voxels [i, j, k] that are marked."""
    nodes = np.zeros(np.add(voxels.shape, 1), bool)
    for corner in CORNERS:
        nodes[tuple(slice(a, a + n) for a, n in zip(corner, voxels.shape, strict=True))] |= voxels
    return nodes


def _at_corners(of_nodes: Array, voxels: Array) -> Array:
    """(n, 8) of the corners of some voxels."""
    return np.stack([of_nodes[tuple((voxels + corner).T)] for corner in CORNERS], axis=1)
