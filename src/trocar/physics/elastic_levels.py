"""The multigrid hierarchy of a voxel lattice: one V-cycle in single precision, a symmetric preconditioner."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from trocar.physics.elastic_kernels import RESIDUAL, SMOOTH, diagonal_weight, product, weights
from trocar.physics.elastic_rows import Rows
from trocar.physics.elastic_transfer import begin, coarsened, inverse_diagonal, prolong, restrict

Array = NDArray[Any]
COARSEST_EDGES = 4  # elements along the longest axis below which a direct solve ends the hierarchy
COARSEST_NODES = 200
LARGEST_RATIO = 5.319  # bound of the diagonally scaled stiffness's eigenvalues at Poisson 0.3 (numerics 6.1)
HELD_STIFFNESS = 4.0  # springs that stand for held nodes on coarse lattices, in diagonals
NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One lattice: its rows, moduli x edge, inverse diagonal, springs for held nodes, and three vectors."""

    rows: Rows
    modulus: Array
    inverse: Array
    spring: Array
    given: Array
    found: Array
    step: Array
    planes: Array

    @classmethod
    def of(cls, rows: Rows, modulus: Array, spring: Array) -> "Level":
        """A lattice with its vectors, not yet weighed; `spring` is empty or (3 x nodes)."""
        inverse, given, found, step = (np.zeros(3 * rows.node_count, np.float32) for _ in range(4))
        planes = np.zeros((rows.bounds.size - 1, 3, 3 * rows.plane), np.float32)
        return cls(rows, modulus, inverse, spring, given, found, step, planes)

    def weigh(self, poisson: float) -> None:
        """The inverse diagonal of the moduli and springs as they are now."""
        rows, weight = self.rows, np.float32(diagonal_weight(poisson))
        inverse_diagonal(self.modulus, rows.cells, rows.nodes, rows.shape[1], weight, self.spring, self.inverse)

    def apply(self, x: Array, b: Array, out: Array, mode: int, weight: float = 0.0, keep: float = 0.0,
              w: Array = NOTHING, planes: Array | None = None) -> float:  # fmt: skip
        """`product` on this level."""
        rows = self.rows
        planes = self.planes if planes is None else planes
        real = planes.dtype.type
        return float(product(
            x, b, out, self.inverse, self.spring, self.modulus, w, rows.cells, rows.nodes, rows.shape, rows.bounds,
            planes, mode, real(weight), real(keep),
        ))  # fmt: skip


class Hierarchy:
    """Levels from the finest to one that is solved directly."""

    def __init__(self, finest: Level, held: Array, *, poisson: float, degree: int = 4, damped: float = 16.0) -> None:
        self.levels, self.degree, self._held, self._poisson = [finest], degree, held, poisson
        self.largest, self.smallest = LARGEST_RATIO, LARGEST_RATIO / damped
        self._w = weights(poisson).astype(np.float32)
        while not _is_coarsest(self.levels[-1].rows):
            rows = self.levels[-1].rows.coarsened()
            empty = (np.zeros(count, np.float32) for count in (rows.cell_count, 3 * rows.node_count))
            self.levels.append(Level.of(rows, *empty))
        self.renew()

    def renew(self) -> None:
        """Diagonals, springs and coarse lattices follow the finest lattice's moduli as they are now."""
        finest = self.levels[0]
        spring = finest.step  # lent: free until the first cycle
        finest.weigh(self._poisson)
        spring[:] = 0
        np.divide(HELD_STIFFNESS * self._held, finest.inverse, out=spring, where=finest.inverse > 0)
        for fine, coarse in pairwise(self.levels):
            a, b = fine.rows, coarse.rows
            coarsened(fine.modulus, a.cells, a.shape[1], b.cells, b.shape[1], coarse.modulus)
            restrict(spring, a.nodes, a.shape[1] + 1, b.nodes, b.shape[1] + 1, coarse.spring)
            coarse.weigh(self._poisson)
            spring = coarse.spring
        finest.step[:] = 0
        finest.inverse[self._held] = 0
        self._free, self._factor = _direct(self.levels[-1], self._poisson)

    def reweigh(self) -> None:
        """The finest lattice's diagonal alone: coarse lattices that lag behind still precondition."""
        self.levels[0].weigh(self._poisson)
        self.levels[0].inverse[self._held] = 0

    def cycle(self, depth: int = 0) -> Array:
        """One V-cycle on what is `given` at this depth; the level's `found`."""
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            level.found[:] = 0
            level.found[self._free] = self._factor @ level.given[self._free]
            return level.found
        self._smooth(level, started=False)
        level.apply(level.found, level.given, level.step, RESIDUAL, w=self._w)
        below = self.levels[depth + 1]
        width, coarse_width = level.rows.shape[1] + 1, below.rows.shape[1] + 1
        restrict(level.step, level.rows.nodes, width, below.rows.nodes, coarse_width, below.given)
        self.cycle(depth + 1)
        prolong(below.found, below.rows.nodes, coarse_width, level.rows.nodes, width, level.inverse, level.found)
        self._smooth(level, started=True)
        return level.found

    def _smooth(self, level: Level, *, started: bool) -> None:
        """Chebyshev's iteration on the upper part of the spectrum, from zero unless `started`."""
        middle, reach = (self.largest + self.smallest) / 2, (self.largest - self.smallest) / 2
        if started:
            level.apply(level.found, level.given, level.step, SMOOTH, 1 / middle, 0.0, w=self._w)
        else:
            begin(level.given, level.inverse, np.float32(1 / middle), level.found, level.step)
        ratio = middle / reach
        rho = 1 / ratio
        for _ in range(1, self.degree):
            after = 1 / (2 * ratio - rho)
            level.apply(level.found, level.given, level.step, SMOOTH, 2 * after / reach, after * rho, w=self._w)
            rho = after


def _is_coarsest(rows: Rows) -> bool:
    odd = any(n % 2 for n in rows.shape)
    return odd or min(rows.shape) <= 2 or (max(rows.shape) <= COARSEST_EDGES and rows.node_count <= COARSEST_NODES)


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
    return np.einsum("mn,mapb,pq->naqb", modes, coupled, modes).reshape(24, 24)


def _direct(level: Level, poisson: float) -> tuple[Array, Array]:
    """The free numbers of the coarsest lattice and the inverse of its stiffness there."""
    rows, size = level.rows, level.rows.node_count
    i, j, k = rows.indices(of_nodes=False)
    width = rows.shape[1] + 1
    corners = [rows.nodes[(i + (n >> 2)) * width + j + ((n >> 1) & 1), 2] + k + (n & 1) for n in range(8)]
    numbers = np.stack([c * size + corner for corner in corners for c in range(3)], axis=1)
    matrix = np.zeros((3 * size, 3 * size))
    stiffness = level.modulus[:, None, None] * corner_matrix(poisson)
    np.add.at(matrix, (numbers[:, :, None], numbers[:, None, :]), stiffness)
    matrix[np.diag_indices(3 * size)] += level.spring if level.spring.size else 0
    free = np.flatnonzero(level.inverse > 0)
    reduced = matrix[np.ix_(free, free)]
    reduced[np.diag_indices(free.size)] *= 1 + 1e-9  # a part that hangs by a corner stays solvable
    factor = linalg.cho_factor(reduced, overwrite_a=True)
    return free, linalg.cho_solve(factor, np.eye(free.size)).astype(np.float32)
