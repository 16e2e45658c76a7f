"""Displacements that cycles are slow to find, looked for on the second lattice and solved apart: decision 0036.

Where stiff parts meet in a layer softer than they are, coarse lattices average the layer away: that the parts move on
it is found by the finest lattices only, in many iterations. On the second lattice these displacements are the Ritz
vectors of the smallest eigenvalues of the preconditioned stiffness, found by the Lanczos process that is in conjugate
gradients. In every cycle then a small dense system, with their true energies, adds what is missing of each.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.elastic_kernels import PRODUCT
from trocar.physics.elastic_levels import NOTHING, ONE, Hierarchy, Level
from trocar.physics.threads import PARTS, share

Array = NDArray[Any]
SECOND = 1
STEPS = 30  # of the Lanczos process: the softest displacements of a pelvic ring appear after some 25
DEPENDENT = 1e-4  # eigenvalue of the scaled energies below which a displacement is a mixture of others
CHUNK = 4096
U = np.uint64


class SlowModes:
    """The `count` slowest displacements of the second lattice, (count, 3 x nodes), and their energies on the finest.

    Found from the forces that are `given` on the finest lattice; what neither these forces nor rounding move is not.
    """

    def __init__(self, hierarchy: Hierarchy, count: int, *, steps: int = STEPS) -> None:
        self._hierarchy = hierarchy
        self.shapes = _ritz(hierarchy, count, steps)
        self.weigh()

    def weigh(self) -> None:
        """Takes the energies anew, for the moduli as they are now: a product of the finest lattice for each."""
        hierarchy, count = self._hierarchy, len(self.shapes)
        finest, second = hierarchy.levels[: SECOND + 1]
        energy = np.empty((count, count))
        for row, shape in zip(energy, self.shapes, strict=True):
            second.found[:] = shape
            finest.found[:] = 0
            hierarchy.ascend(0)
            finest.apply(finest.found, NOTHING, finest.left, PRODUCT, ONE, hierarchy.w)
            hierarchy.descend(0)
            row[:] = self._products(second)
        scale = 1 / np.sqrt(np.maximum(np.diag(energy), 1e-300))
        value, vector = np.linalg.eigh(np.outer(scale, scale) * (energy + energy.T) / 2)
        kept = value > DEPENDENT
        self._flexibility = np.outer(scale, scale) * (vector[:, kept] / value[kept] @ vector[:, kept].T)

    def correct(self, second: Level) -> None:
        """Adds to what was `found` on the second lattice what the modes find of what is `given`."""
        second.run(_add, self.shapes, self._flexibility @ self._products(second), second.found)

    def _products(self, second: Level) -> Array:
        sums = np.zeros((PARTS, len(self.shapes)))
        second.run(_project, self.shapes, second.given, sums)
        return sums.sum(axis=0)


def _ritz(hierarchy: Hierarchy, count: int, steps: int) -> Array:
    """(count, 3 x nodes) Ritz vectors of the smallest eigenvalues, fewer where there are fewer steps."""
    finest, second = hierarchy.levels[: SECOND + 1]
    finest.left[:] = finest.given
    hierarchy.descend(0)
    basis = np.empty((steps, second.found.size), np.float32)
    lengths: list[float] = []
    shares: list[float] = []

    def note(found: Array, now: float, length: float, share: float) -> None:
        np.divide(found, np.float32(np.sqrt(now)), out=basis[len(lengths)])
        lengths.append(length)
        shares.append(share)

    hierarchy.conjugate(SECOND, steps, note)
    one, kept = 1 / np.array(lengths), np.array(shares)
    diagonal = one.copy()
    diagonal[1:] += kept[1:] * one[:-1]
    beside = -np.sqrt(kept[1:]) * one[:-1]
    vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))[1]
    shapes = np.zeros((min(count, len(lengths)), second.found.size), np.float32)
    for shape, weights in zip(shapes, vectors.T, strict=False):
        second.run(_add, basis[: len(lengths)], weights, shape)
    return shapes


@njit(**COMPILED)
def _add(number, threads, shapes, weights, found):  # type: ignore[no-untyped-def]
    for part in range(*share(PARTS, number, threads)):
        first, after = share(found.size, part, PARTS)
        for at in range(first, after, CHUNK):
            for n in range(len(shapes)):
                _accumulate(shapes[n], np.float32(weights[n]), found, U(at), min(CHUNK, after - at))


@njit(**COMPILED)
def _project(number, threads, shapes, given, sums):  # type: ignore[no-untyped-def]
    for part in range(*share(PARTS, number, threads)):
        first, after = share(given.size, part, PARTS)
        for at in range(first, after, CHUNK):
            for n in range(len(shapes)):
                sums[part, n] += _product(shapes[n], given, U(at), min(CHUNK, after - at))


@njit(**KERNEL)
def _accumulate(source, weight, target, first, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = first + U(n)
        target[k] += weight * source[k]


@njit(**KERNEL)
def _product(a, b, first, count):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for n in range(count):
        k = first + U(n)
        total += a[k] * b[k]
    return total
