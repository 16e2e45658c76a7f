"""Potentials on the lattice: the 7-point operator of a heterogeneous medium, and conjugate gradients with multigrid.

Arrays of the solver carry a rim of cells that conduct nothing, so that no kernel asks where the lattice ends; each
level is padded to even counts, so that any shape can be halved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from trocar.errors import SolverError
from trocar.physics import threads
from trocar.physics.compiled import COMPILED
from trocar.physics.lines import Piece
from trocar.physics.medium import Array

COARSEST_CELLS = 4  # along the shortest axis
COARSEST_SWEEPS = 24
LARGEST, SMALLEST = 2.0, 0.25  # eigenvalues of the diagonally scaled operator that a smoother damps
HALVED = np.float32(0.5)  # of the faces between aggregates, whose centers are twice as far apart
MOST_ITERATIONS = 200
_FIRST = 2 / (LARGEST + SMALLEST)
_SLOPE = (LARGEST - SMALLEST) / (LARGEST + SMALLEST)

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One lattice of the hierarchy, with its rim: conductances of the faces below each cell, diagonal, vectors."""

    x_face: Float32
    y_face: Float32
    z_face: Float32
    sink: Float32
    diagonal: Float32
    inverse: Float32  # 0 where nothing conducts
    given: Float32  # right-hand side
    found: Float32
    other: Float32
    step: Float32

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> "Level":
        rimmed = tuple(n + 2 for n in shape)
        return cls(*(np.zeros(rimmed, np.float32) for _ in range(10)))


@dataclass(frozen=True, slots=True)
class Solution:
    """[i, j, k] float32 potential, iterations used, and the residual's norm relative to the right-hand side's."""

    potential: Float32
    residual: Float32
    iterations: int
    relative_residual: float


class LinearSystem:
    """-div(c grad u) + sink u + sum of strength w (w . u) = b on [i, j, k] cells, kept for many right-hand sides.

    Outer faces are insulated; a face held at 0 is a `sink` of its cells. The rank-one terms (`pieces`: weights w over
    flat cells, sum 1) are exact in the operator and lumped on the diagonal of the preconditioner.
    """

    def __init__(self, shape: tuple[int, int, int], pieces: Sequence[Piece] = ()) -> None:
        if len(shape) != 3 or min(shape) < 2:
            raise SolverError("a lattice needs at least two cells along each axis", hint="enlarge the box")
        self.shape = shape
        self.levels = [Level.empty(tuple(_even(n) for n in shape))]
        while min(size := [n - 2 for n in self.levels[-1].sink.shape]) > COARSEST_CELLS:
            self.levels.append(Level.empty(tuple(_even(n // 2) for n in size)))
        self._rimmed = self.levels[0].sink.shape
        flat = np.concatenate([piece.cells for piece in pieces]) if pieces else np.zeros(0, np.int64)
        places = [n + 1 for n in np.unravel_index(flat, shape)]
        self._cells = np.ravel_multi_index(tuple(places), self._rimmed).astype(np.int64)
        self._weights = np.concatenate([p.weights for p in pieces]) if pieces else np.zeros(0)
        self._offsets = np.cumsum([0, *(piece.cells.size for piece in pieces)]).astype(np.int64)
        self._strengths = np.zeros(len(pieces))
        self._vectors = [np.zeros(self._rimmed, np.float32) for _ in range(4)]

    def refresh(self, conductivity: Array, sink: Array | None, strengths: Array, *, spacing: float = 1.0) -> None:
        """New conductivity and sink [i, j, k] and strengths (pieces,); conductance = conductivity x spacing.

        Raises `SolverError` for a conductivity that is negative or no number.
        """
        finest = self.levels[0]
        bare = np.ascontiguousarray(conductivity, np.float32)
        if bare.shape != self.shape:
            raise SolverError("the conductivities have another shape than the lattice", hint=f"give {self.shape}")
        threads.use_for(bare.size)
        if not _faces(bare, np.float32(spacing), finest.x_face, finest.y_face, finest.z_face):
            raise SolverError("a conductivity is negative or not a number", hint="give S/m of at least 0 in every cell")
        inner = finest.sink[1 : self.shape[0] + 1, 1 : self.shape[1] + 1, 1 : self.shape[2] + 1]
        inner[...] = 0 if sink is None else sink
        self._strengths = np.asarray(strengths, float)
        lumped = np.repeat(self._strengths, np.diff(self._offsets)) * self._weights
        np.add.at(finest.sink.reshape(-1), self._cells, lumped.astype(np.float32))
        for fine, coarse in zip(self.levels[:-1], self.levels[1:], strict=True):
            _aggregate(
                fine.x_face, fine.y_face, fine.z_face, fine.sink,
                coarse.x_face, coarse.y_face, coarse.z_face, coarse.sink, HALVED,
            )  # fmt: skip
        for level in self.levels:
            _diagonal(level.x_face, level.y_face, level.z_face, level.sink, level.diagonal, level.inverse)

    def solve(
        self, given: Array, start: Float32 | None = None, *, trend: Float32 | None = None, tolerance: float
    ) -> Solution:
        """The potential for a right-hand side [i, j, k], from a start; raises `SolverError` if it does not converge.

        `trend`: where the solution may have moved to from the start, such as its latest change; the step along it that
        leaves the least error is taken first, for the price of one product.
        """
        x, r, p, q = self._vectors
        self._load(x, 0 if start is None else start)
        self._load(r, given)
        threads.use_for(x.size)
        size = np.sqrt(_dot(r, r))
        if start is not None:
            self._apply(x, q)
            np.subtract(r, q, out=r)
        if trend is not None:
            self._load(p, trend)
            self._apply(p, q)
            if (stiff := float(_dot(p, q))) > 0:
                _advance(x, r, p, q, np.float32(_dot(p, r) / stiff))
        norm, before, count = float(np.sqrt(_dot(r, r))), 0.0, 0
        while norm > tolerance * size:
            if count == MOST_ITERATIONS or not np.isfinite(norm):
                raise SolverError("the potential did not converge", hint="ask for less, or even out the conductivity")
            z = self._cycle(r)
            now = float(_dot(r, z))
            _combine(p, z, np.float32(now / before if count else 0.0))
            self._apply(p, q)
            norm = float(np.sqrt(_advance(x, r, p, q, np.float32(now / _dot(p, q)))))
            before, count = now, count + 1
        return Solution(self._bare(x), self._bare(r), count, norm / size if size else 0.0)

    def means(self, potential: Float32) -> Array:
        """(pieces,) weighted means of a potential [i, j, k]."""
        self._load(self._vectors[3], potential)
        return self._means(self._vectors[3])

    def _means(self, vector: Float32) -> Array:
        products = self._weights * vector.reshape(-1)[self._cells]
        return np.add.reduceat(products, self._offsets[:-1]) if self._strengths.size else np.zeros(0)

    def _load(self, rimmed: Float32, values: Array | int) -> None:
        rimmed[1 : self.shape[0] + 1, 1 : self.shape[1] + 1, 1 : self.shape[2] + 1] = values

    def _bare(self, rimmed: Float32) -> Float32:
        return rimmed[1 : self.shape[0] + 1, 1 : self.shape[1] + 1, 1 : self.shape[2] + 1].copy()

    def _apply(self, vector: Float32, product: Float32) -> None:
        """The product with the operator: the lumped terms are exchanged for the rank-one ones."""
        level = self.levels[0]
        _multiply(level.x_face, level.y_face, level.z_face, level.diagonal, vector, product)
        if self._strengths.size:
            there = np.repeat(self._means(vector), np.diff(self._offsets)) - vector.reshape(-1)[self._cells]
            drawn = np.repeat(self._strengths, np.diff(self._offsets)) * self._weights * there
            np.add.at(product.reshape(-1), self._cells, drawn.astype(np.float32))

    def _cycle(self, residual: Float32, depth: int = 0) -> Float32:
        """One V-cycle from zero. Its smoothers before and after are the same polynomial: the cycle is symmetric."""
        level = self.levels[depth]
        given = residual if depth == 0 else level.given
        threads.use_for(given.size)
        _begin(level.inverse, given, level.found, level.step, np.float32(_FIRST))
        if depth == len(self.levels) - 1:
            return _smoothed(level, given, level.found, COARSEST_SWEEPS, started=True)
        found = _smoothed(level, given, level.found, 1, started=True)
        below = self.levels[depth + 1]
        _restrict(level.x_face, level.y_face, level.z_face, level.diagonal, given, found, below.given)
        coarse = self._cycle(residual, depth + 1)
        threads.use_for(given.size)
        _prolong(coarse, found)
        return _smoothed(level, given, found, 2, started=False)


def _even(count: int) -> int:
    return count + count % 2


def _smoothed(level: Level, given: Float32, start: Float32, sweeps: int, *, started: bool) -> Float32:
    """Sweeps of Chebyshev's iteration; the first of them was made by `_begin` when `started`."""
    here, there = start, level.other if start is level.found else level.found
    rho = _SLOPE
    for number in range(sweeps):
        if number == 0 and not started:
            step, keep = _FIRST, 0.0
        else:
            after = 1 / (2 / _SLOPE - rho)
            step, keep, rho = 4 * after / (LARGEST - SMALLEST), after * rho, after
        _sweep(
            level.x_face, level.y_face, level.z_face, level.inverse, given, here, there, level.step,
            np.float32(step), np.float32(keep),
        )  # fmt: skip
        here, there = there, here
    return here


@njit(parallel=True, **COMPILED)
def _faces(c, spacing, gx, gy, gz):  # type: ignore[no-untyped-def]
    """Harmonic means between neighbors; whether every conductivity is a number of at least 0."""
    nx, ny, nz = c.shape
    wrong = np.zeros(nx, np.int64)
    twice, none = np.float32(2) * spacing, np.float32(0)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                here = c[i, j, k]
                if not (none <= here < np.float32(3e38)):
                    wrong[i] += 1
                below = c[i - 1, j, k] if i > 0 else none
                gx[i + 1, j + 1, k + 1] = twice * here * below / max(here + below, np.float32(1e-30))
                below = c[i, j - 1, k] if j > 0 else none
                gy[i + 1, j + 1, k + 1] = twice * here * below / max(here + below, np.float32(1e-30))
                below = c[i, j, k - 1] if k > 0 else none
                gz[i + 1, j + 1, k + 1] = twice * here * below / max(here + below, np.float32(1e-30))
    return wrong.sum() == 0


@njit(parallel=True, **COMPILED)
def _aggregate(gx, gy, gz, s, cx, cy, cz, cs, halved):  # type: ignore[no-untyped-def]
    nx, ny, nz = (s.shape[0] - 2) // 2, (s.shape[1] - 2) // 2, (s.shape[2] - 2) // 2
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                a, b, c = 2 * i + 1, 2 * j + 1, 2 * k + 1
                cx[i + 1, j + 1, k + 1] = halved * (
                    gx[a, b, c] + gx[a, b + 1, c] + gx[a, b, c + 1] + gx[a, b + 1, c + 1]
                )
                cy[i + 1, j + 1, k + 1] = halved * (
                    gy[a, b, c] + gy[a + 1, b, c] + gy[a, b, c + 1] + gy[a + 1, b, c + 1]
                )
                cz[i + 1, j + 1, k + 1] = halved * (
                    gz[a, b, c] + gz[a + 1, b, c] + gz[a, b + 1, c] + gz[a + 1, b + 1, c]
                )
                low = s[a, b, c] + s[a, b + 1, c] + s[a, b, c + 1] + s[a, b + 1, c + 1]
                high = s[a + 1, b, c] + s[a + 1, b + 1, c] + s[a + 1, b, c + 1] + s[a + 1, b + 1, c + 1]
                cs[i + 1, j + 1, k + 1] = low + high


@njit(parallel=True, **COMPILED)
def _diagonal(gx, gy, gz, s, d, inverse):  # type: ignore[no-untyped-def]
    nx, ny, nz = s.shape
    for i in prange(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(1, nz - 1):
                faces = gx[i, j, k] + gx[i + 1, j, k] + gy[i, j, k] + gy[i, j + 1, k] + gz[i, j, k] + gz[i, j, k + 1]
                value = faces + s[i, j, k]
                d[i, j, k] = value
                inverse[i, j, k] = np.float32(1) / value if value > np.float32(1e-30) else np.float32(0)


@njit(parallel=True, **COMPILED)
def _multiply(gx, gy, gz, d, x, y):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    for i in prange(1, nx - 1):
        for j in range(1, ny - 1):
            a, b, c, p, q = gx[i, j], gx[i + 1, j], gy[i, j], gy[i, j + 1], gz[i, j]
            w, e, s, n, h, o, m = x[i - 1, j], x[i + 1, j], x[i, j - 1], x[i, j + 1], x[i, j], y[i, j], d[i, j]
            for k in range(1, nz - 1):
                o[k] = (
                    m[k] * h[k] - a[k] * w[k] - b[k] * e[k] - c[k] * s[k] - p[k] * n[k]
                    - q[k] * h[k - 1] - q[k + 1] * h[k + 1]
                )  # fmt: skip


@njit(parallel=True, **COMPILED)
def _begin(inverse, given, x, step, first):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    for i in prange(1, nx - 1):
        for j in range(1, ny - 1):
            v, b, o, t = inverse[i, j], given[i, j], x[i, j], step[i, j]
            for k in range(1, nz - 1):
                value = first * v[k] * b[k]
                o[k], t[k] = value, value


@njit(parallel=True, **COMPILED)
def _sweep(gx, gy, gz, inverse, given, x, y, step, weight, keep):  # type: ignore[no-untyped-def]
    """y = x + step, step = keep x (the step before) + weight x (the diagonally scaled residual)."""
    nx, ny, nz = x.shape
    for i in prange(1, nx - 1):
        for j in range(1, ny - 1):
            a, b, c, p, q = gx[i, j], gx[i + 1, j], gy[i, j], gy[i, j + 1], gz[i, j]
            w, e, s, n, h, o = x[i - 1, j], x[i + 1, j], x[i, j - 1], x[i, j + 1], x[i, j], y[i, j]
            v, f, t = inverse[i, j], given[i, j], step[i, j]
            for k in range(1, nz - 1):
                pulled = (
                    f[k] + a[k] * w[k] + b[k] * e[k] + c[k] * s[k] + p[k] * n[k]
                    + q[k] * h[k - 1] + q[k + 1] * h[k + 1]
                )  # fmt: skip
                moved = keep * t[k] + weight * (v[k] * pulled - h[k])
                t[k] = moved
                o[k] = h[k] + moved


@njit(parallel=True, **COMPILED)
def _restrict(gx, gy, gz, d, given, x, coarse):  # type: ignore[no-untyped-def]
    """Residuals of the eight cells of each aggregate, summed."""
    nx, ny, nz = (x.shape[0] - 2) // 2, (x.shape[1] - 2) // 2, (x.shape[2] - 2) // 2
    for ci in prange(nx):
        row = np.empty(2 * nz, np.float32)
        for cj in range(ny):
            row[:] = np.float32(0)
            for i in range(2 * ci + 1, 2 * ci + 3):
                for j in range(2 * cj + 1, 2 * cj + 3):
                    a, b, c, p, q = gx[i, j], gx[i + 1, j], gy[i, j], gy[i, j + 1], gz[i, j]
                    w, e, s, n, h, m = x[i - 1, j], x[i + 1, j], x[i, j - 1], x[i, j + 1], x[i, j], d[i, j]
                    f = given[i, j]
                    for k in range(1, 2 * nz + 1):
                        row[k - 1] += (
                            f[k] - m[k] * h[k] + a[k] * w[k] + b[k] * e[k] + c[k] * s[k] + p[k] * n[k]
                            + q[k] * h[k - 1] + q[k + 1] * h[k + 1]
                        )  # fmt: skip
            for k in range(nz):
                coarse[ci + 1, cj + 1, k + 1] = row[2 * k] + row[2 * k + 1]


@njit(parallel=True, **COMPILED)
def _prolong(coarse, x):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    for i in prange(1, nx - 1):
        for j in range(1, ny - 1):
            values, o = coarse[(i + 1) // 2, (j + 1) // 2], x[i, j]
            for k in range((nz - 2) // 2):
                o[2 * k + 1] += values[k + 1]
                o[2 * k + 2] += values[k + 1]


@njit(parallel=True, **COMPILED)
def _dot(a, b):  # type: ignore[no-untyped-def]
    parts = np.zeros(a.shape[0])
    for i in prange(a.shape[0]):
        total = 0.0
        for j in range(a.shape[1]):
            for k in range(a.shape[2]):
                total += np.float64(a[i, j, k]) * np.float64(b[i, j, k])
        parts[i] = total
    return parts.sum()


@njit(parallel=True, **COMPILED)
def _combine(p, z, keep):  # type: ignore[no-untyped-def]
    for i in prange(p.shape[0]):
        for j in range(p.shape[1]):
            for k in range(p.shape[2]):
                p[i, j, k] = z[i, j, k] + keep * p[i, j, k]


@njit(parallel=True, **COMPILED)
def _advance(x, r, p, q, length):  # type: ignore[no-untyped-def]
    """A step along p; the square of the residual's new norm."""
    parts = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        total = 0.0
        for j in range(x.shape[1]):
            for k in range(x.shape[2]):
                x[i, j, k] += length * p[i, j, k]
                value = r[i, j, k] - length * q[i, j, k]
                r[i, j, k] = value
                total += np.float64(value) * np.float64(value)
        parts[i] = total
    return parts.sum()
