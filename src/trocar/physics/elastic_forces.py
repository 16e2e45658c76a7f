"""Rows of trilinear voxels: from the displacements of their nodes to the forces on them, in sums and differences.

In the basis of sums and differences of its corners (bits x = 4, y = 2, z = 1) a voxel's 24 x 24 matrix keeps 45 entries
of 576, in eight parity classes; `weights` are its eight distinct values times the edge (mechanics reference B). Sums
across layers are shared by the voxels of two rows, and forces are summed along a row before they are summed across.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.physics.compiled import KERNEL, prefetch

BLOCK = 256  # elements of a row at a time: their forces stay in the first cache
PITCH = 272
U = np.uint64
FIRST = U(8)  # of the elements in a row of forces
LINE = 16  # single precision numbers in a line of the cache


def weights(poisson: float) -> NDArray[np.float64]:
    """(8,) entries for modulus and edge 1: normal, cross, shear, bend, bend cross, twist, twist cross, last."""
    lame = poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = 1 / (2 * (1 + poisson))
    return np.array([
        (lame + 2 * shear) / 16, lame / 16, shear / 16, (lame + 3 * shear) / 48, lame / 48, shear / 24, shear / 48,
        (lame + 4 * shear) / 144,
    ])  # fmt: skip


def diagonal_weight(poisson: float) -> float:
    """Every diagonal entry of a voxel's matrix, for modulus and edge 1."""
    normal, _, shear, bend, _, twist, _, last = weights(poisson)
    return float(normal + 2 * shear + 2 * bend + twist + last)


@njit(**KERNEL)
def ask(u, size, nodes, row, count):  # type: ignore[no-untyped-def]
    """Has a row of nodes brought into the cache."""
    low, high = nodes[row, 0], nodes[row, 1]
    for c in range(count):
        at = c * size + nodes[row, 2]
        for k in range(low, high, LINE):
            prefetch(u, at + k)


@njit(**KERNEL)
def across(u, size, nodes, below, above, even, odd, at, pitch):  # type: ignore[no-untyped-def]
    """Sums and differences of a row of nodes and the same row one layer above, where both are."""
    low, high = max(nodes[below, 0], nodes[above, 0]), min(nodes[below, 1], nodes[above, 1])
    for c in range(3):
        p, q, r = U(c * size + nodes[below, 2] + low), U(c * size + nodes[above, 2] + low), U(at + c * pitch + low)
        for n in range(high - low):
            k = U(n)
            a, b = u[p + k], u[q + k]
            even[r + k] = a + b
            odd[r + k] = b - a


@njit(**KERNEL, inline="always")
def _modes(layers, p, q):  # type: ignore[no-untyped-def]
    """Mean, along the row, across to the other row, and both: sums of four nodes of an element by their signs."""
    a, b, c, d = layers[p], layers[p + U(1)], layers[q], layers[q + U(1)]
    a, b, c, d = a + c, b + d, c - a, d - b
    return a + b, b - a, c + d, d - c


@njit(**KERNEL)
def stretching(even, odd, here, there, pitch, modulus, cell, count, w, t):  # type: ignore[no-untyped-def]
    """Half of the forces of `count` elements between two rows of nodes: odd in x's component, even in y's and z's.

    even, odd: sums and differences of two layers, 3 x pitch for either row. t: a row of PITCH for every pair of modes
    that differ along the row only, as what they give to the node below, and one as what they give to the node above.
    """
    real = t.dtype.type
    normal, cross, shear, bend, bend_cross, last = w[0], w[1], w[2], w[3], w[4], w[7]
    for n in range(count):
        k = U(n)
        stiff = real(modulus[cell + k])
        p, q = here + k, there + k
        x4, x5, x6, x7 = _modes(odd, p, q)
        p, q = p + pitch, q + pitch
        _, y1, y2, y3 = _modes(even, p, q)
        p, q = p + pitch, q + pitch
        _, z1, z2, z3 = _modes(even, p, q)
        f, g = stiff * (normal * x4 + cross * (y2 + z1)), stiff * (bend * x5 + bend_cross * y3)
        t[FIRST + k], t[FIRST + U(PITCH) + k] = f - g, f + g
        f, g = stiff * (normal * y2 + cross * (x4 + z1)), stiff * (bend * y3 + bend_cross * x5)
        t[FIRST + U(5 * PITCH) + k], t[FIRST + U(6 * PITCH) + k] = f - g, f + g
        t[FIRST + U(7 * PITCH) + k] = stiff * (normal * z1 + cross * (x4 + y2))
        f, g = stiff * (bend * x6 + bend_cross * z3), stiff * (last * x7)
        t[FIRST + U(2 * PITCH) + k], t[FIRST + U(3 * PITCH) + k] = f - g, f + g
        f, g = stiff * (shear * (y1 + z2)), stiff * (bend * z3 + bend_cross * x6)
        t[FIRST + U(4 * PITCH) + k] = f
        t[FIRST + U(8 * PITCH) + k], t[FIRST + U(9 * PITCH) + k] = f - g, f + g


@njit(**KERNEL)
def shearing(even, odd, here, there, pitch, modulus, cell, count, w, t):  # type: ignore[no-untyped-def]
    """The other half: even in x's component, odd in y's and z's."""
    real = t.dtype.type
    shear, bend, bend_cross, twist, twist_cross, last = w[2], w[3], w[4], w[5], w[6], w[7]
    for n in range(count):
        k = U(n)
        stiff = real(modulus[cell + k])
        p, q = here + k, there + k
        _, x1, x2, x3 = _modes(even, p, q)
        p, q = p + pitch, q + pitch
        y4, y5, y6, y7 = _modes(odd, p, q)
        p, q = p + pitch, q + pitch
        z4, z5, z6, z7 = _modes(odd, p, q)
        f, g = stiff * (shear * (x2 + y4)), stiff * (twist * x3 + twist_cross * (y5 + z6))
        t[FIRST + U(PITCH) + k], t[FIRST + U(2 * PITCH) + k] = f - g, f + g
        g = stiff * (twist * y5 + twist_cross * (x3 + z6))
        t[FIRST + U(3 * PITCH) + k], t[FIRST + U(4 * PITCH) + k] = f - g, f + g
        f, g = stiff * (twist * z6 + twist_cross * (x3 + y5)), stiff * (last * z7)
        t[FIRST + U(9 * PITCH) + k], t[FIRST + U(10 * PITCH) + k] = f - g, f + g
        f, g = stiff * (bend * y6 + bend_cross * z5), stiff * (last * y7)
        t[FIRST + U(5 * PITCH) + k], t[FIRST + U(6 * PITCH) + k] = f - g, f + g
        f, g = stiff * (shear * (x1 + z4)), stiff * (bend * z5 + bend_cross * y6)
        t[FIRST + k] = f
        t[FIRST + U(7 * PITCH) + k], t[FIRST + U(8 * PITCH) + k] = f - g, f + g


@njit(**KERNEL)
def ends(t, count):  # type: ignore[no-untyped-def]
    """No element lies below the first node of a block, nor above its last."""
    for row in range(11):
        t[FIRST + U(row * PITCH - 1)] = 0
        t[FIRST + U(row * PITCH + count)] = 0


@njit(**KERNEL)
def onto_even(t, row, sums, at, next_at, count):  # type: ignore[no-untyped-def]
    """Sums along the row of modes even in x, added to what the row of nodes has and set on the next one."""
    a, below = FIRST + U(row * PITCH), FIRST + U(row * PITCH - 1)
    b, c = FIRST + U((row + 1) * PITCH), FIRST + U((row + 2) * PITCH - 1)
    kept = sums[next_at]
    for n in range(count + 1):
        k = U(n)
        g, h = t[below + k] - t[a + k], t[b + k] + t[c + k]
        sums[at + k] += g - h
        sums[next_at + k] = g + h
    sums[next_at] += kept


@njit(**KERNEL)
def onto_odd(t, row, sums, at, next_at, count):  # type: ignore[no-untyped-def]
    """The same of modes odd in x."""
    a, b = FIRST + U(row * PITCH), FIRST + U((row + 1) * PITCH - 1)
    c, d = FIRST + U((row + 2) * PITCH), FIRST + U((row + 3) * PITCH - 1)
    kept = sums[next_at]
    for n in range(count + 1):
        k = U(n)
        g, h = t[a + k] + t[b + k], t[c + k] + t[d + k]
        sums[at + k] += g - h
        sums[next_at + k] = g + h
    sums[next_at] += kept


@njit(**KERNEL)
def onto_layers(even, odd, begin, held, line, at, there, count):  # type: ignore[no-untyped-def]
    """The product on a row of nodes, and what the layer's elements give to the row above it."""
    for n in range(count):
        k = U(n)
        a, b = even[begin + k], odd[begin + k]
        line[there + k] = held[at + k] + a - b
        held[at + k] = a + b


@njit(**KERNEL)
def clear(even, odd, first, after):  # type: ignore[no-untyped-def]
    """Nothing, yet, on these nodes."""
    for n in range(first, after):
        even[U(n)] = 0
        odd[U(n)] = 0
