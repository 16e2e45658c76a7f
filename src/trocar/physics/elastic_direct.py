"""The coarsest lattice: its assembled stiffness, factorized.

In compiled loops, not by LAPACK, whose threads take a second on a busy machine for what one does in milliseconds.
"""

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.errors import SolverError
from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.elastic_forces import weights
from trocar.physics.elastic_rows import Rows

Array = NDArray[Any]


class Factor:
    """The Cholesky factor of a lattice's stiffness, with its springs, among the `free` of its (3 x nodes) numbers.

    Raises `SolverError` where nothing holds it.
    """

    def __init__(self, rows: Rows, modulus: Array, spring: Array, free: Array, poisson: float) -> None:
        matrix = _assembled(rows, modulus, poisson)
        matrix[np.diag_indices(len(matrix))] += spring if spring.size else 0
        self._free = free[np.argsort(free % rows.node_count, kind="stable")]  # node by node: coupled ones are near
        self._factor = matrix[np.ix_(self._free, self._free)]
        self._first = np.argmax(self._factor != 0, axis=1)
        self._factor[np.diag_indices(free.size)] *= 1 + 1e-9  # a part that hangs by a corner stays solvable
        if not _factorize(self._factor, self._first):
            raise SolverError("the coarsest lattice is held by nothing", hint="look for parts that hang by an edge")

    def solve(self, given: Array, found: Array) -> float:
        """Fills `found` with the displacements under forces `given`, both (3 x nodes); the product of the two."""
        forces = given[self._free].astype(float)
        moved = forces.copy()
        _substitute(self._factor, self._first, moved)
        found[:] = 0
        found[self._free] = moved
        return float(forces @ moved)


@cache
def corner_matrix(poisson: float) -> Array:
    """(24, 24) stiffness of a voxel of modulus and edge 1; degree of freedom = 3 x corner + component, z fastest."""
    sign = np.array([[1 if bit else -1 for bit in (n & 4, n & 2, n & 1)] for n in range(8)])
    modes = np.array([[np.prod([s for s, bit in zip(sign[n], (4, 2, 1), strict=True) if m & bit]) for n in range(8)]
                      for m in range(8)])  # fmt: skip
    normal, cross, shear, bend, bend_cross, twist, twist_cross, last = weights(poisson)
    coupled = np.zeros((8, 3, 8, 3))
    axis_mode = (4, 2, 1)
    for a in range(3):
        for b in range(3):
            coupled[axis_mode[a], a, axis_mode[b], b] = normal if a == b else cross
            if a != b:
                coupled[axis_mode[b], a, axis_mode[b], a] = shear
                coupled[axis_mode[b], a, axis_mode[a], b] = shear
    for a, b, c in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        pair = axis_mode[a] | axis_mode[b]
        coupled[pair, a, pair, a] = coupled[pair, b, pair, b] = bend
        coupled[pair, c, pair, c] = twist
        coupled[pair, a, axis_mode[b] | axis_mode[c], c] = bend_cross
        coupled[axis_mode[b] | axis_mode[c], c, pair, a] = bend_cross
        coupled[pair, b, axis_mode[a] | axis_mode[c], c] = bend_cross
        coupled[axis_mode[a] | axis_mode[c], c, pair, b] = bend_cross
        for other in (a, b):
            mode = 7 & ~axis_mode[other]
            coupled[pair, c, mode, other] = coupled[mode, other, pair, c] = twist_cross
    for a in range(3):
        coupled[7, a, 7, a] = last
    matrix = np.einsum("mn,mapb,pq->naqb", modes, coupled, modes).reshape(24, 24)
    matrix.flags.writeable = False
    return matrix


def _assembled(rows: Rows, modulus: Array, poisson: float) -> Array:
    """(3 x nodes, 3 x nodes) stiffness for moduli x edge."""
    size = rows.node_count
    i, j, k = rows.indices(of_nodes=False)
    width = rows.shape[1] + 1
    corners = [rows.nodes[(i + (n >> 2)) * width + j + ((n >> 1) & 1), 2] + k + (n & 1) for n in range(8)]
    numbers = np.stack([c * size + corner for corner in corners for c in range(3)], axis=1)
    matrix = np.zeros((3 * size, 3 * size))
    _assemble(matrix, numbers, modulus, corner_matrix(poisson))
    return matrix


@njit(**COMPILED)
def _assemble(matrix, numbers, modulus, corner):  # type: ignore[no-untyped-def]
    for cell in range(modulus.size):
        for a in range(24):
            for b in range(24):
                matrix[numbers[cell, a], numbers[cell, b]] += modulus[cell] * corner[a, b]


@njit(**KERNEL)
def _factorize(matrix, first):  # type: ignore[no-untyped-def]
    """The lower factor, in place; whether there is one. Rows are 0 before their `first` entry, and stay so."""
    for i in range(matrix.shape[0]):
        for j in range(first[i], i + 1):
            total = matrix[i, j]
            for k in range(max(first[i], first[j]), j):
                total -= matrix[i, k] * matrix[j, k]
            if i > j:
                matrix[i, j] = total / matrix[j, j]
            elif total > 0:
                matrix[i, i] = np.sqrt(total)
            else:
                return False
    return True


@njit(**KERNEL)
def _substitute(factor, first, x):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        total = x[i]
        for k in range(first[i], i):
            total -= factor[i, k] * x[k]
        x[i] = total / factor[i, i]
    for i in range(x.size - 1, -1, -1):
        value = x[i] / factor[i, i]
        x[i] = value
        for k in range(first[i], i):
            x[k] -= factor[i, k] * value
