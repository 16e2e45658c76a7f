"""Between a lattice of voxels and one twice as coarse: mean moduli, diagonals, trilinear transfer; and vector sums."""

import numpy as np
from numba import njit, prange

from trocar.physics.compiled import COMPILED

CHUNKS = 64  # of long vectors, fixed: sums do not depend on the threads


@njit(parallel=True, **COMPILED)
def coarsened(fine, cells, ny, coarse_cells, coarse_ny, out):  # type: ignore[no-untyped-def]
    """Twice the arithmetic mean of the eight children's moduli: their stiffness at twice the edge.

    Harmonic and geometric means make the iterations stall where voids or soft tissue begin (numerics 6.1).
    """
    for row in prange(coarse_cells.shape[0]):
        i, j = row // coarse_ny, row % coarse_ny
        for k in range(coarse_cells[row, 0], coarse_cells[row, 1]):
            total = 0.0
            for a in range(2 * i, 2 * i + 2):
                for b in range(2 * j, 2 * j + 2):
                    child = a * ny + b
                    for c in range(max(2 * k, cells[child, 0]), min(2 * k + 2, cells[child, 1])):
                        total += fine[cells[child, 2] + c]
            out[coarse_cells[row, 2] + k] = 0.25 * total


@njit(parallel=True, **COMPILED)
def inverse_diagonal(modulus, cells, nodes, ny, weight, spring, out):  # type: ignore[no-untyped-def]
    """1 / (weight x the moduli around each node + its spring), 0 where nothing is stiff; flat (3 x nodes)."""
    width, nx = ny + 1, cells.shape[0] // ny
    size = nodes[-1, 1] + nodes[-1, 2]
    for row in prange(nodes.shape[0]):
        i, j = row // width, row % width
        for k in range(nodes[row, 0], nodes[row, 1]):
            total = 0.0
            for a in range(max(i - 1, 0), min(i + 1, nx)):
                for b in range(max(j - 1, 0), min(j + 1, ny)):
                    cell = a * ny + b
                    for c in range(max(k - 1, cells[cell, 0]), min(k + 1, cells[cell, 1])):
                        total += modulus[cells[cell, 2] + c]
            at = nodes[row, 2] + k
            for c in range(3):
                held = spring[c * size + at] if spring.size > 0 else 0.0
                out[c * size + at] = 1.0 / (weight * total + held) if total > 0 else 0.0


@njit(parallel=True, **COMPILED)
def restrict(fine, nodes, width, coarse_nodes, coarse_width, coarse):  # type: ignore[no-untyped-def]
    """Forces on the nodes of the coarse lattice: the transpose of trilinear interpolation."""
    size, coarse_size = nodes[-1, 1] + nodes[-1, 2], coarse_nodes[-1, 1] + coarse_nodes[-1, 2]
    height = nodes.shape[0] // width
    half = np.float32(0.5)
    for row in prange(coarse_nodes.shape[0]):
        i, j = row // coarse_width, row % coarse_width
        first, after, at = coarse_nodes[row, 0], coarse_nodes[row, 1], coarse_nodes[row, 2]
        if after <= first:
            continue
        begin = 2 * first - 1
        line = np.empty(2 * (after - first) + 1, np.float32)
        for c in range(3):
            line[:] = np.float32(0)
            for a in range(max(2 * i - 1, 0), min(2 * i + 2, height)):
                for b in range(max(2 * j - 1, 0), min(2 * j + 2, width)):
                    weight = (np.float32(1) if a == 2 * i else half) * (np.float32(1) if b == 2 * j else half)
                    line_of = a * width + b
                    low, high = max(begin, nodes[line_of, 0]), min(begin + line.size, nodes[line_of, 1])
                    start = c * size + nodes[line_of, 2]
                    for k in range(low, high):
                        line[k - begin] += weight * fine[start + k]
            for k in range(after - first):
                coarse[c * coarse_size + at + first + k] = line[2 * k + 1] + half * (line[2 * k] + line[2 * k + 2])


@njit(parallel=True, **COMPILED)
def prolong(coarse, coarse_nodes, coarse_width, nodes, width, inverse, fine):  # type: ignore[no-untyped-def]
    """Adds the trilinear interpolation of the coarse lattice's values to the free nodes."""
    size, coarse_size = nodes[-1, 1] + nodes[-1, 2], coarse_nodes[-1, 1] + coarse_nodes[-1, 2]
    half, none = np.float32(0.5), np.float32(0)
    for row in prange(nodes.shape[0]):
        i, j = row // width, row % width
        low, high, at = nodes[row, 0], nodes[row, 1], nodes[row, 2]
        if high <= low:
            continue
        first, after = low // 2, (high - 1) // 2 + 2
        line, wide = np.empty(after - first, np.float32), np.empty(2 * (after - first), np.float32)
        for c in range(3):
            line[:] = none
            for a in range(i // 2, (i + 1) // 2 + 1):
                for b in range(j // 2, (j + 1) // 2 + 1):
                    line_of = a * coarse_width + b
                    start = c * coarse_size + coarse_nodes[line_of, 2]
                    for k in range(max(first, coarse_nodes[line_of, 0]), min(after, coarse_nodes[line_of, 1])):
                        line[k - first] += coarse[start + k]
            weight = (np.float32(1) if i % 2 == 0 else half) * (np.float32(1) if j % 2 == 0 else half)
            for n in range(line.size - 1):
                wide[2 * n], wide[2 * n + 1] = weight * line[n], weight * half * (line[n] + line[n + 1])
            start, shift = c * size + at, 2 * first
            for k in range(low, high):
                fine[start + k] += wide[k - shift] if inverse[start + k] > none else none


@njit(parallel=True, **COMPILED)
def begin(b, inverse, weight, x, step):  # type: ignore[no-untyped-def]
    """The first step of Chebyshev's iteration, from zero."""
    for part in prange(CHUNKS):
        for q in range(x.size * part // CHUNKS, x.size * (part + 1) // CHUNKS):
            value = weight * inverse[q] * b[q]
            step[q] = value
            x[q] = value


@njit(parallel=True, **COMPILED)
def dot(a, b):  # type: ignore[no-untyped-def]
    """The inner product, summed in double precision."""
    sums = np.zeros(CHUNKS)
    for part in prange(CHUNKS):
        total = 0.0
        for q in range(a.size * part // CHUNKS, a.size * (part + 1) // CHUNKS):
            total += np.float64(a[q]) * np.float64(b[q])
        sums[part] = total
    return sums.sum()


@njit(parallel=True, **COMPILED)
def combine(direction, z, keep):  # type: ignore[no-untyped-def]
    """direction = z + keep x direction."""
    for part in prange(CHUNKS):
        for q in range(z.size * part // CHUNKS, z.size * (part + 1) // CHUNKS):
            direction[q] = z[q] + keep * direction[q]


@njit(parallel=True, **COMPILED)
def advance(u, r, direction, q, length, scaled):  # type: ignore[no-untyped-def]
    """u += scaled x direction, r -= length x q; the square of the new residual."""
    sums = np.zeros(CHUNKS)
    for part in prange(CHUNKS):
        total = 0.0
        for n in range(u.size * part // CHUNKS, u.size * (part + 1) // CHUNKS):
            u[n] += scaled * np.float64(direction[n])
            value = r[n] - length * q[n]
            r[n] = value
            total += np.float64(value) * np.float64(value)
        sums[part] = total
    return sums.sum()
