"""The multigrid hierarchy of a voxel lattice: one cycle in single precision, a preconditioner.

A V-cycle, but that the third lattice is solved by a few conjugate gradients: decision 0036.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trocar.physics import threads
from trocar.physics.elastic_direct import Factor, corner_matrix
from trocar.physics.elastic_forces import diagonal_weight, weights
from trocar.physics.elastic_kernels import DEFECT, PRODUCT, SMOOTH, product
from trocar.physics.elastic_rows import Rows
from trocar.physics.elastic_transfer import advance, begin, coarsened, combine, inverse_diagonal, prolong, restrict

Array = NDArray[Any]
Note = Callable[[Array, float, float, float], None]
COARSEST_NODES = 130  # which a direct solution takes
NODE_CELLS = 6  # cells of heat that are as much work as a node: below `SMALL_CELLS` of them one thread does it
DEEPER = 2  # lattices down to which each smooths by a step more than the one above
THIRD, INNER = 2, 3  # the lattice that conjugate gradients solve within a cycle, and how many they are
# What the eigenvalues of the diagonally scaled stiffness reach of their bound, with the diagonals of elastic_transfer,
# in every pattern of stiff and soft voxels tried (at most 0.70; uniform 0.52); and at small Poisson's ratios, whose
# bound is close. Chebyshev's polynomial bears 6 % more.
REACHED_FRAC, LEAST_REACHED = 0.68, 3.0
STALE_FRAC = 0.05  # by which moduli of the coarsest lattice may differ from those that were factorized
HELD_STIFFNESS = 4.0  # springs that stand for held nodes on coarse lattices, in diagonals
NOTHING = np.zeros(0, np.float32)
ONE = np.ones(1, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One lattice: its rows, moduli x edge, inverse diagonal (nodes,), what is held on it, and three vectors.

    Held: on the finest lattice components that are not `free`, on the others those with a `spring`; each is empty where
    the other counts. `bound`: (rows of nodes,) where there are any.
    """

    rows: Rows
    modulus: Array
    inverse: Array
    free: Array
    spring: Array
    bound: Array
    given: Array
    found: Array
    left: Array
    planes: Array

    @classmethod
    def of(cls, rows: Rows, modulus: Array, *, finest: bool) -> "Level":
        """A lattice with its vectors, not yet weighed."""
        size = 3 * rows.node_count
        given, found, left = (np.zeros(size, np.float32) for _ in range(3))
        free, spring = np.zeros(size if finest else 0, np.uint8), np.zeros(0 if finest else size, np.float32)
        bound = np.zeros(len(rows.nodes), np.uint8)
        planes = np.zeros((rows.bounds.size - 1) * 6 * rows.plane, np.float64 if finest else np.float32)
        inverse = np.zeros(rows.node_count, np.float32)
        return cls(rows, modulus, inverse, free, spring, bound, given, found, left, planes)

    def weigh(self, poisson: float) -> None:
        """The inverse diagonal of the moduli and springs as they are now."""
        rows, weight = self.rows, np.float32(diagonal_weight(poisson))
        self.run(
            inverse_diagonal, self.modulus, rows.cells, rows.nodes, rows.shape[1], weight, self.spring, self.bound,
            self.inverse,
        )  # fmt: skip

    def bind(self, held: Array) -> None:
        """Marks the rows of nodes in which any of the (3 x nodes) is `held`."""
        start = self.rows.nodes[:, 0] + self.rows.nodes[:, 2]
        some = held.reshape(3, -1).any(axis=0)
        self.bound[:] = np.diff(np.concatenate([[0], np.cumsum(some)])[np.append(start, some.size)]) > 0

    def apply(self, x: Array, b: Array, out: Array, mode: int, steps: Array, w: Array) -> float:
        """`product` on this level, in the precision of w."""
        rows, parts = self.rows, self.rows.bounds.size - 1
        planes = self.planes.view(w.dtype)[: parts * 6 * rows.plane].reshape(parts, 2, -1)
        gate, sums = threads.gate(), np.zeros(parts)
        field = (x, b, out, self.inverse, self.free, self.spring, self.bound)
        lattice = (rows.cells, rows.nodes, rows.bounds)
        return float(threads.together(
            product, gate, field, self.modulus, w, lattice, rows.shape, planes, sums, mode, steps, gate=gate,
            cells=NODE_CELLS * rows.node_count,
        ))  # fmt: skip

    def run(self, kernel: Callable[..., Any], *arguments: Any) -> None:
        """A kernel whose threads need not meet."""
        threads.together(kernel, *arguments, cells=NODE_CELLS * self.rows.node_count)


class Hierarchy:
    """Levels from the finest to one that is solved directly.

    `largest`: the eigenvalue of the diagonally scaled stiffness up to which its smoothers work; `bound`: that no
    modulus passes. `correction` adds to what a cycle finds on the second lattice.
    """

    def __init__(self, finest: Level, held: Array, *, poisson: float, degree: int = 2, damped: float = 10.0) -> None:
        self.levels, self._held, self._poisson = [finest], np.flatnonzero(held), poisson
        self._degree, self._damped = degree, damped
        self.bound = float(np.linalg.eigvalsh(corner_matrix(poisson))[-1]) / diagonal_weight(poisson)
        self.largest = min(self.bound, max(REACHED_FRAC * self.bound, LEAST_REACHED))
        self.w = weights(poisson).astype(np.float32)
        while not _is_coarsest(self.levels[-1].rows):
            rows = self.levels[-1].rows.coarsened()
            self.levels.append(Level.of(rows, np.zeros(rows.cell_count, np.float32), finest=False))
        self.correction: Callable[[Level], None] | None = None
        self._direct: Factor
        self._factored = np.zeros(0, np.float32)  # the coarsest lattice's moduli, as the factor has them
        finest.bind(held)
        self.renew()

    def renew(self) -> None:
        """Diagonals, springs and coarse lattices follow the finest lattice's moduli as they are now."""
        finest = self.levels[0]
        finest.weigh(self._poisson)
        finest.free.reshape(3, -1)[:] = finest.inverse > 0
        finest.free[self._held] = 0
        spring, held = finest.left, self._held  # lent: free until the first cycle
        spring[:] = 0
        inverse = finest.inverse[held % finest.inverse.size]
        spring[held] = np.where(inverse > 0, HELD_STIFFNESS / np.where(inverse > 0, inverse, 1), 0)
        for fine, coarse in pairwise(self.levels):
            a, b = fine.rows, coarse.rows
            coarse.run(coarsened, fine.modulus, a.cells, a.shape[1], b.cells, b.shape[1], coarse.modulus)
            coarse.run(restrict, spring, a.nodes, a.shape[1] + 1, b.nodes, b.shape[1] + 1, coarse.spring)
            coarse.bind(coarse.spring > 0)
            coarse.weigh(self._poisson)
            spring = coarse.spring
        last, factored = self.levels[-1], self._factored
        if factored.size and (np.abs(last.modulus - factored) <= STALE_FRAC * factored).all():
            return
        self._factored = last.modulus.copy()
        stiff = np.tile(last.inverse > 0, 3)
        free = np.flatnonzero(stiff & (last.free > 0) if last.free.size else stiff)
        self._direct = Factor(last.rows, last.modulus, last.spring, free, self._poisson)

    def widen(self) -> None:
        """Smoothers for the largest eigenvalue that there can be: slower, for moduli that need them."""
        self.largest = self.bound

    def cycle(self, depth: int = 0) -> float:
        """One cycle on what is `given` at this depth, to the level's `found`; the product of the two.

        On the third lattice a few conjugate gradients, each with a V-cycle; what was `given` there is used up.
        """
        if depth == len(self.levels) - 1:
            level = self.levels[depth]
            return self._direct.solve(level.given, level.found)
        return self.conjugate(depth, INNER) if depth == THIRD else self.sweep(depth)

    def sweep(self, depth: int) -> float:
        """One visit to a lattice above the coarsest: smoothing, a cycle of the next lattice, smoothing.

        Coarse lattices smooth more than the finest one, where a step costs eight times as much.
        """
        level = self.levels[depth]
        steps = _damping(self._degree + min(depth, DEEPER), self.largest, self._damped)
        level.run(begin, level.given, level.inverse, steps[0], level.found)
        level.apply(level.found, level.given, level.left, SMOOTH, steps[1:], self.w)
        level.apply(level.found, level.given, level.left, DEFECT, ONE, self.w)
        self.descend(depth)
        self.cycle(depth + 1)
        if depth == 0 and self.correction is not None:
            self.correction(self.levels[1])
        self.ascend(depth)
        return level.apply(level.found, level.given, level.left, SMOOTH, steps, self.w)

    def descend(self, depth: int) -> None:
        """What is left on a lattice becomes what is given on the next."""
        level, below = self.levels[depth], self.levels[depth + 1]
        fine, coarse = level.rows, below.rows
        level.run(restrict, level.left, fine.nodes, fine.shape[1] + 1, coarse.nodes, coarse.shape[1] + 1, below.given)

    def ascend(self, depth: int) -> None:
        """What was found on the next lattice is added to what is found on this one."""
        level, below = self.levels[depth], self.levels[depth + 1]
        fine, coarse = level.rows, below.rows
        level.run(
            prolong, below.found, coarse.nodes, coarse.shape[1] + 1, fine.nodes, fine.shape[1] + 1, level.bound,
            level.free, level.found,
        )  # fmt: skip

    def conjugate(self, depth: int, steps: int, note: Note | None = None) -> float:
        """Some conjugate gradients on what is `given` at a depth, to the level's `found`; the product of the two.

        Each has a sweep as its preconditioner. `note` is told of the level, what the sweep found, its product with what
        was given, the length of the step and the share of the direction before.
        """
        level, before, gained = self.levels[depth], 0.0, 0.0
        whole, direction, squares = np.zeros_like(level.given), np.zeros_like(level.given), np.zeros(threads.PARTS)
        for _ in range(steps):
            now = self.sweep(depth)
            if now <= 0:
                if now < 0:  # an eigenvalue beyond what the smoothers are for
                    self.widen()
                break
            share = now / before if before else 0.0
            level.run(combine, direction, level.found, np.float32(share))
            length = now / level.apply(direction, NOTHING, level.left, PRODUCT, ONE, self.w)
            if note is not None:
                note(level.found, now, length, share)
            level.run(advance, whole, level.given, direction, level.left, np.float32(length), length, squares)
            before, gained = now, gained + length * now
        level.found[:] = whole
        return gained


@cache
def _damping(degree: int, largest: float, damped: float) -> Array:
    """(degree,) steps of Chebyshev's polynomial for the eigenvalues from largest / damped on.

    Applied one by one they need no vector of the step before; large and small ones in turn keep rounding small.
    """
    middle, reach = largest * (1 + 1 / damped) / 2, largest * (1 - 1 / damped) / 2
    roots = middle - reach * np.cos(np.pi * (2 * np.arange(degree) + 1) / (2 * degree))
    order = [n for pair in zip(range(degree - 1, -1, -1), range(degree), strict=True) for n in pair]
    return (1 / roots[order[:degree]]).astype(np.float32)


def _is_coarsest(rows: Rows) -> bool:
    return any(n % 2 for n in rows.shape) or min(rows.shape) <= 2 or rows.node_count <= COARSEST_NODES
