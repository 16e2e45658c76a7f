"""Between a lattice of voxels and one twice as coarse: mean moduli, diagonals, trilinear transfer; and vector sums.

Kernels are called `together`: their first two arguments are the thread's number and how many there are.
"""

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.threads import PARTS, share

CHUNK = 4096  # numbers whose squares are summed in single precision
# A node's diagonal is that of its voxels or, where more, these shares of the stiffest and of all: otherwise a stiff
# voxel alone among soft ones has the largest eigenvalue that there can be, and smoothers for it are slow everywhere.
ALONE, TOGETHER = np.float32(0.55), np.float32(0.97)
U = np.uint64


@njit(**COMPILED)
def coarsened(number, threads, fine, cells, ny, coarse_cells, coarse_ny, out):  # type: ignore[no-untyped-def]
    """Twice the arithmetic mean of the eight children's moduli: their stiffness at twice the edge.

    Harmonic and geometric means make the iterations stall where voids or soft tissue begin (numerics 6.1).
    """
    for row in range(*share(coarse_cells.shape[0], number, threads)):
        i, j = row // coarse_ny, row % coarse_ny
        low, high, start = coarse_cells[row, 0], coarse_cells[row, 1], coarse_cells[row, 2]
        line = np.zeros(2 * max(high - low, 0), np.float32)
        for a in range(2 * i, 2 * i + 2):
            for b in range(2 * j, 2 * j + 2):
                child = a * ny + b
                first, after = cells[child, 0], cells[child, 1]
                if after > first:
                    _add(line, U(first - 2 * low), fine, U(cells[child, 2] + first), after - first, np.float32(0.25))
        for k in range(high - low):
            out[start + low + k] = line[2 * k] + line[2 * k + 1]


@njit(**COMPILED)
def inverse_diagonal(number, threads, modulus, cells, nodes, ny, weight, spring, bound, out):  # type: ignore[no-untyped-def]
    """1 / (weight x the moduli around each node + its stiffest spring), 0 where nothing is stiff; (nodes,).

    More where one voxel is much stiffer than the others: see ALONE.
    """
    width, nx = ny + 1, cells.shape[0] // ny
    size = nodes[-1, 1] + nodes[-1, 2]
    for row in range(*share(nodes.shape[0], number, threads)):
        i, j = row // width, row % width
        low, high, start = nodes[row, 0], nodes[row, 1], nodes[row, 2]
        total, most = np.zeros(max(high - low, 0), np.float32), np.zeros(max(high - low, 0), np.float32)
        for a in range(max(i - 1, 0), min(i + 1, nx)):
            for b in range(max(j - 1, 0), min(j + 1, ny)):
                cell = a * ny + b
                first, after = cells[cell, 0], cells[cell, 1]
                if after > first:
                    at, source = U(first - low), U(cells[cell, 2] + first)
                    _gather(total, most, at, modulus, source, after - first)
                    _gather(total, most, at + U(1), modulus, source, after - first)
        for k in range(high - low):
            value, at = weight * max(total[k], ALONE * most[k] + TOGETHER * total[k]), start + low + k
            if value > 0 and spring.size > 0 and bound[row]:
                value += max(spring[at], spring[size + at], spring[2 * size + at])
            out[at] = np.float32(1) / value if value > 0 else np.float32(0)


@njit(**KERNEL)
def _gather(total, most, at, values, first, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = U(n)
        value = values[first + k]
        total[at + k] += value
        most[at + k] = max(most[at + k], value)


@njit(**COMPILED)
def restrict(number, threads, fine, nodes, width, coarse_nodes, coarse_width, coarse):  # type: ignore[no-untyped-def]
    """Forces on the nodes of the coarse lattice: the transpose of trilinear interpolation."""
    size, coarse_size = nodes[-1, 1] + nodes[-1, 2], coarse_nodes[-1, 1] + coarse_nodes[-1, 2]
    height = nodes.shape[0] // width
    one, half = np.float32(1), np.float32(0.5)
    room = np.empty(2 * _longest(coarse_nodes) + 1, np.float32)
    for row in range(*share(coarse_nodes.shape[0], number, threads)):
        i, j = row // coarse_width, row % coarse_width
        first, after, at = coarse_nodes[row, 0], coarse_nodes[row, 1], coarse_nodes[row, 2]
        if after <= first:
            continue
        begin, count = 2 * first - 1, 2 * (after - first) + 1
        for c in range(3):
            room[:count] = np.float32(0)
            for a in range(max(2 * i - 1, 0), min(2 * i + 2, height)):
                for b in range(max(2 * j - 1, 0), min(2 * j + 2, width)):
                    weight = (one if a == 2 * i else half) * (one if b == 2 * j else half)
                    line = a * width + b
                    low, high = max(begin, nodes[line, 0]), min(begin + count, nodes[line, 1])
                    if high > low:
                        _add(room, U(low - begin), fine, U(c * size + nodes[line, 2] + low), high - low, weight)
            _halve(room, coarse, U(c * coarse_size + at + first), after - first)


@njit(**COMPILED)
def prolong(number, threads, coarse, coarse_nodes, coarse_width, nodes, width, bound, free, fine):  # type: ignore[no-untyped-def]
    """Adds the trilinear interpolation of the coarse lattice's values to the free nodes."""
    size, coarse_size = nodes[-1, 1] + nodes[-1, 2], coarse_nodes[-1, 1] + coarse_nodes[-1, 2]
    room = np.empty(_longest(coarse_nodes) + 2, np.float32)
    for row in range(*share(nodes.shape[0], number, threads)):
        i, j = row // width, row % width
        low, high, at = nodes[row, 0], nodes[row, 1], nodes[row, 2]
        if high <= low:
            continue
        first, after = low // 2, (high - 1) // 2 + 2
        weight = np.float32(1.0 / ((1 + i % 2) * (1 + j % 2)))
        for c in range(3):
            room[: after - first] = np.float32(0)
            for a in range(i // 2, (i + 1) // 2 + 1):
                for b in range(j // 2, (j + 1) // 2 + 1):
                    line = a * coarse_width + b
                    start, end = max(first, coarse_nodes[line, 0]), min(after, coarse_nodes[line, 1])
                    if end > start:
                        source = U(c * coarse_size + coarse_nodes[line, 2] + start)
                        _add(room, U(start - first), coarse, source, end - start, weight)
            target = c * size + at
            if free.size > 0 and bound[row]:
                for k in range(low, high):
                    between = np.float32(0.5) * (room[k // 2 - first] + room[(k + 1) // 2 - first])
                    fine[target + k] += free[target + k] * between
            else:
                _double(room, fine, target, low, high, first)


@njit(**KERNEL)
def _add(line, at, values, first, count, weight):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = U(n)
        line[at + k] += weight * values[first + k]


@njit(**KERNEL)
def _halve(line, coarse, at, count):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    for n in range(count):
        k = U(n)
        m = k + k
        coarse[at + k] = line[m + U(1)] + half * (line[m] + line[m + U(2)])


@njit(**KERNEL)
def _double(line, fine, target, low, high, first):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    begin, shift = low + low % 2, target + 2 * first
    if low % 2:
        fine[target + low] += half * (line[low // 2 - first] + line[low // 2 + 1 - first])
    for n in range(begin // 2 - first, high // 2 - first):
        k, m = U(n), U(shift + 2 * n)
        fine[m] += line[k]
        fine[m + U(1)] += half * (line[k] + line[k + U(1)])
    if high % 2 and high > begin:
        fine[target + high - 1] += line[high // 2 - first]


@njit(**COMPILED)
def _longest(nodes):  # type: ignore[no-untyped-def]
    longest = 0
    for row in range(nodes.shape[0]):
        longest = max(longest, nodes[row, 1] - nodes[row, 0])
    return longest


@njit(**COMPILED)
def begin(number, threads, b, inverse, weight, x):  # type: ignore[no-untyped-def]
    """The first step of Chebyshev's iteration, from zero."""
    size = inverse.size
    for part in range(*share(PARTS, number, threads)):
        first, after = share(size, part, PARTS)
        for c in range(3):
            _scale(b, inverse, weight, x, U(c * size + first), U(first), after - first)


@njit(**KERNEL)
def _scale(b, inverse, weight, x, at, node, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = U(n)
        x[at + k] = weight * inverse[node + k] * b[at + k]


@njit(**COMPILED)
def combine(number, threads, direction, z, keep):  # type: ignore[no-untyped-def]
    """direction = z + keep x direction."""
    for part in range(*share(PARTS, number, threads)):
        first, after = share(z.size, part, PARTS)
        _scaled_plus(direction, z, keep, U(first), after - first)


@njit(**KERNEL)
def _scaled_plus(direction, z, keep, first, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = first + U(n)
        direction[k] = z[k] + keep * direction[k]


@njit(**COMPILED)
def advance(number, threads, u, r, direction, q, length, scaled, sums):  # type: ignore[no-untyped-def]
    """u += scaled x direction, r -= length x q; into sums the squares of the new residual's parts."""
    for part in range(*share(PARTS, number, threads)):
        total, (first, after) = 0.0, share(u.size, part, PARTS)
        for at in range(first, after, CHUNK):
            total += _step(u, r, direction, q, length, scaled, U(at), min(CHUNK, after - at))
        sums[part] = total


@njit(**KERNEL)
def _step(u, r, direction, q, length, scaled, first, count):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for n in range(count):
        k = first + U(n)
        u[k] += scaled * np.float64(direction[k])
        value = r[k] - length * q[k]
        r[k] = value
        total += value * value
    return total


@njit(**COMPILED)
def displace(number, threads, u, moved, factor):  # type: ignore[no-untyped-def]
    """u += factor x moved, which has fewer digits."""
    first, after = share(u.size, number, threads)
    _plus_scaled(u, moved, np.float64(factor), U(first), after - first)


@njit(**KERNEL)
def _plus_scaled(u, moved, factor, first, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = first + U(n)
        u[k] += factor * np.float64(moved[k])
