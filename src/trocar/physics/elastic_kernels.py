"""Compiled products with the stiffness of trilinear voxels, each fused with what the solver does with the product."""

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.elastic_forces import (
    BLOCK,
    LINE,
    PITCH,
    U,
    across,
    ask,
    clear,
    ends,
    onto_even,
    onto_layers,
    onto_odd,
    shearing,
    stretching,
)  # fmt: skip
from trocar.physics.threads import meet, share

SMOOTH, DEFECT, PRODUCT, FORCE = range(4)  # what is done with the product of a row of nodes


@njit(**KERNEL)
def _hold(lines, x, b, free, spring, size, start, pitch, begin, count):  # type: ignore[no-untyped-def]
    """Held nodes lack nothing; springs bear what they are stretched by."""
    for c in range(3):
        at, there = U(c * size + start), U(c * pitch + begin)
        for n in range(count):
            k = U(n)
            if free.size == 0:
                lines[there + k] += spring[at + k] * x[at + k]
            elif free[at + k] == 0:
                lines[there + k] = b[at + k] if b.size > 0 else 0


@njit(**KERNEL)
def _smooth(x, b, inverse, lines, size, start, pitch, begin, count, weight):  # type: ignore[no-untyped-def]
    total, node = lines.dtype.type(0), U(start)
    for c in range(3):
        at, there = U(c * size + start), U(c * pitch + begin)
        for n in range(count):
            k = U(n)
            pulled = b[at + k]
            value = x[at + k] + weight * inverse[node + k] * (pulled - lines[there + k])
            x[at + k] = value
            total += pulled * value
    return total


@njit(**KERNEL)
def _lack(b, out, lines, size, start, pitch, begin, count, scale):  # type: ignore[no-untyped-def]
    total, loaded = lines.dtype.type(0), b.size > 0
    for c in range(3):
        at, there = U(c * size + start), U(c * pitch + begin)
        for n in range(count):
            k = U(n)
            value = scale * ((b[at + k] if loaded else 0) - lines[there + k])
            out[at + k] = value
            total += value * value
    return total


@njit(**KERNEL)
def _multiply(x, out, lines, size, start, pitch, begin, count):  # type: ignore[no-untyped-def]
    total = lines.dtype.type(0)
    for c in range(3):
        at, there = U(c * size + start), U(c * pitch + begin)
        for n in range(count):
            k = U(n)
            value = lines[there + k]
            out[at + k] = value
            total += x[at + k] * value
    return total


@njit(**COMPILED)
def _layer(field, modulus, w, cells, nodes, sizes, i, held, first, rows, mode, step):  # type: ignore[no-untyped-def]
    """The elements between the node layers i and i + 1: finishes the lower one, unless it is to wait in `first`."""
    x, b, out, inverse, free, spring, bound = field
    even, odd, p, q, lines, t = rows  # the first four for two rows of nodes, this one and the next
    ny, mz, pitch, size = sizes
    total, width, waits = 0.0, ny + 1, first.size > 0
    across(x, size, nodes, i * width, (i + 1) * width, even, odd, 0, pitch)
    clear(p, q, 0, 3 * pitch)
    for j in range(width):
        row, upper = i * width + j, (i + 1) * width + j
        here, there = j % 2 * 3 * pitch, (j + 1) % 2 * 3 * pitch
        if j < ny:
            across(x, size, nodes, row + 1, upper + 1, even, odd, there, pitch)
            if j + 2 < width:
                ask(x, size, nodes, row + 2, 3)
                ask(x, size, nodes, upper + 2, 3)
            if b.size > 0:
                ask(b, size, nodes, row, 3)
            ask(inverse, size, nodes, row, 1)
            if j + 1 < ny:
                ask(modulus, size, cells, i * ny + j + 1, 1)
            low, high, start = cells[i * ny + j, 0], cells[i * ny + j, 1], cells[i * ny + j, 2]
            n0, n1 = min(nodes[row + 1, 0], nodes[upper + 1, 0]), max(nodes[row + 1, 1], nodes[upper + 1, 1])
            if high <= low:
                low = high = n1
            for c in range(3):
                clear(p, q, there + c * pitch + n0, there + c * pitch + min(low + 1, n1))
                clear(p, q, there + c * pitch + high + 1, there + c * pitch + n1)
            for k in range(low, high, BLOCK):
                count = min(BLOCK, high - k)
                at, next_at, one, two = U(here + k), U(there + k), U(pitch), U(2 * pitch)
                stretching(even, odd, at, next_at, one, modulus, U(start + k), count, w, t)
                ends(t, count)
                onto_odd(t, 0, q, at, next_at, count)
                onto_even(t, 4, p, at + one, next_at + one, count)
                onto_even(t, 7, p, at + two, next_at + two, count)
                shearing(even, odd, at, next_at, one, modulus, U(start + k), count, w, t)
                ends(t, count)
                onto_even(t, 0, p, at, next_at, count)
                onto_odd(t, 3, q, at + one, next_at + one, count)
                onto_odd(t, 7, q, at + two, next_at + two, count)
        low, high = min(nodes[row, 0], nodes[upper, 0]), max(nodes[row, 1], nodes[upper, 1])
        for c in range(3):
            at = (c * width + j) * mz + low
            onto_layers(p, q, U(here + c * pitch + low), held, lines, U(at), U(c * pitch + low), high - low)
            if waits:
                for k in range(high - low):
                    first[U(at + k)] = lines[U(c * pitch + low + k)]
        low, count, start = nodes[row, 0], nodes[row, 1] - nodes[row, 0], nodes[row, 0] + nodes[row, 2]
        if waits or count <= 0:
            continue
        if bound[row] and mode != FORCE:
            _hold(lines, x, b, free, spring, size, start, pitch, low, count)
        if mode == SMOOTH:
            total += _smooth(x, b, inverse, lines, size, start, pitch, low, count, step)
        elif mode == DEFECT:
            total += _lack(b, out, lines, size, start, pitch, low, count, step)
        else:
            total += _multiply(x, out, lines, size, start, pitch, low, count)
    return total


@njit(**COMPILED)
def product(number, threads, gate, field, modulus, w, lattice, shape, planes, sums, mode, steps):  # type: ignore[no-untyped-def]
    """Products with a level's stiffness, used row by row as `mode` says; returns the last one's sum.

    field: x, b, out, inverse, free, spring, bound; inverse (nodes,), bound (rows of nodes,) where `free` or, on coarse
    levels, `spring` counts, the others flat (3 x nodes), component after component. lattice: cells, nodes, bounds.
    SMOOTH: x += step / diagonal (b - A x) for each of the steps, sum b . x. DEFECT: out = step (b - A x), its square.
    PRODUCT: out = A x, sum x . A x. FORCE: the same, held nodes included. planes: (parts, 2, 3 x plane) of the
    arithmetic's type. A node layer that two slabs share waits for both.
    """
    x, b, out, inverse, free, spring, bound = field
    cells, nodes, bounds = lattice
    ny, mz = shape[1], shape[2] + 1
    pitch = mz + (-mz) % LINE + LINE  # rows on lines of their own
    width, size, parts, real = ny + 1, nodes[-1, 1] + nodes[-1, 2], bounds.size - 1, planes.dtype
    rows = (
        np.empty(6 * pitch, real), np.empty(6 * pitch, real), np.empty(6 * pitch, real), np.empty(6 * pitch, real),
        np.empty(3 * pitch, real), np.empty(11 * PITCH, real),
    )  # fmt: skip
    sizes = (ny, mz, pitch, size)
    for step in steps:
        for part in range(*share(parts, number, threads)):
            first, held = planes[part, 0], planes[part, 1]
            held[:] = 0
            total = 0.0
            for i in range(bounds[part], bounds[part + 1]):
                waiting = first if i == bounds[part] and part > 0 else first[:0]
                total += _layer(field, modulus, w, cells, nodes, sizes, i, held, waiting, rows, mode, step)
            sums[part] = total
        meet(gate, threads)
        for part in range(*share(parts, number, threads)):
            shared = planes[part, 1]
            if part + 1 < parts:
                shared += planes[part + 1, 0]
            total = 0.0
            for j in range(width):
                row = bounds[part + 1] * width + j
                low, count, start = nodes[row, 0], nodes[row, 1] - nodes[row, 0], nodes[row, 0] + nodes[row, 2]
                low += j * mz
                if bound[row] and mode != FORCE:
                    _hold(shared, x, b, free, spring, size, start, width * mz, low, count)
                if mode == SMOOTH:
                    total += _smooth(x, b, inverse, shared, size, start, width * mz, low, count, step)
                elif mode == DEFECT:
                    total += _lack(b, out, shared, size, start, width * mz, low, count, step)
                else:
                    total += _multiply(x, out, shared, size, start, width * mz, low, count)
            sums[part] += total
        meet(gate, threads)
    return sums.sum()
