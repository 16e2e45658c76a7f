"""Compiled products with the stiffness of trilinear voxels, each fused with what the solver does with the product.

In the basis of sums and differences of its corners (bits x = 4, y = 2, z = 1) a voxel's 24 x 24 matrix keeps 45 entries
of 576, in eight parity classes; `weights` are its eight distinct values times the edge (mechanics reference B).
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from trocar.physics.compiled import COMPILED, KERNEL

SMOOTH, RESIDUAL, PRODUCT, DEFECT, FORCE = range(5)  # what is done with the product of a row of nodes
BLOCK = 128  # elements of a row at a time: their 24 corner forces stay in the first cache
PITCH = 160
U = np.uint64

_cell = njit(fastmath=True, error_model="numpy", inline="always")


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


@_cell
def _modes(a, b, c, d, e, f, g, h):  # type: ignore[no-untyped-def]
    """Sums and differences of eight corners along z, y and x."""
    a, b, c, d, e, f, g, h = a + b, b - a, c + d, d - c, e + f, f - e, g + h, h - g
    a, b, c, d, e, f, g, h = a + c, b + d, c - a, d - b, e + g, f + h, g - e, h - f
    return a + e, b + f, c + g, d + h, e - a, f - b, g - c, h - d


@_cell
def _corners(b, c, d, e, f, g, h):  # type: ignore[no-untyped-def]
    """The transpose of `_modes`; the first mode, a translation, bears no force."""
    a, b, c, d, e, f, g, h = -e, b - f, c - g, d - h, e, b + f, c + g, d + h
    a, b, c, d, e, f, g, h = a - c, b - d, a + c, b + d, e - g, f - h, e + g, f + h
    return a - b, a + b, c - d, c + d, e - f, e + f, g - h, g + h


@njit(**KERNEL)
def _row_forces(u, r0, r1, r2, r3, size, modulus, first, count, w, t):  # type: ignore[no-untyped-def]
    """Corner forces of `count` elements of a row, into t: 24 pieces of PITCH, (component, corner)."""
    real = t.dtype.type
    normal, cross, shear, bend, bend_cross, twist, twist_cross, last = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
    one, y, z = U(1), size, size + size
    for n in range(count):
        k = U(n)
        stiff = real(modulus[first + k])
        a, b, c, d = r0 + k, r1 + k, r2 + k, r3 + k
        _x0, x1, x2, x3, x4, x5, x6, x7 = _modes(
            real(u[a]), real(u[a + one]), real(u[b]), real(u[b + one]),
            real(u[c]), real(u[c + one]), real(u[d]), real(u[d + one]),
        )  # fmt: skip
        a, b, c, d = r0 + y + k, r1 + y + k, r2 + y + k, r3 + y + k
        _y0, y1, y2, y3, y4, y5, y6, y7 = _modes(
            real(u[a]), real(u[a + one]), real(u[b]), real(u[b + one]),
            real(u[c]), real(u[c + one]), real(u[d]), real(u[d + one]),
        )  # fmt: skip
        a, b, c, d = r0 + z + k, r1 + z + k, r2 + z + k, r3 + z + k
        _z0, z1, z2, z3, z4, z5, z6, z7 = _modes(
            real(u[a]), real(u[a + one]), real(u[b]), real(u[b + one]),
            real(u[c]), real(u[c + one]), real(u[d]), real(u[d + one]),
        )  # fmt: skip
        xy, xz, yz = shear * (x2 + y4), shear * (x1 + z4), shear * (y1 + z2)
        f0, f1, f2, f3, f4, f5, f6, f7 = _corners(
            xz, xy, twist * x3 + twist_cross * (y5 + z6), normal * x4 + cross * (y2 + z1),
            bend * x5 + bend_cross * y3, bend * x6 + bend_cross * z3, last * x7,
        )  # fmt: skip
        t[k], t[k + U(PITCH)], t[k + U(2 * PITCH)], t[k + U(3 * PITCH)] = stiff * f0, stiff * f1, stiff * f2, stiff * f3
        t[k + U(4 * PITCH)], t[k + U(5 * PITCH)] = stiff * f4, stiff * f5
        t[k + U(6 * PITCH)], t[k + U(7 * PITCH)] = stiff * f6, stiff * f7
        f0, f1, f2, f3, f4, f5, f6, f7 = _corners(
            yz, normal * y2 + cross * (x4 + z1), bend * y3 + bend_cross * x5, xy,
            twist * y5 + twist_cross * (x3 + z6), bend * y6 + bend_cross * z5, last * y7,
        )  # fmt: skip
        t[k + U(8 * PITCH)], t[k + U(9 * PITCH)] = stiff * f0, stiff * f1
        t[k + U(10 * PITCH)], t[k + U(11 * PITCH)] = stiff * f2, stiff * f3
        t[k + U(12 * PITCH)], t[k + U(13 * PITCH)] = stiff * f4, stiff * f5
        t[k + U(14 * PITCH)], t[k + U(15 * PITCH)] = stiff * f6, stiff * f7
        f0, f1, f2, f3, f4, f5, f6, f7 = _corners(
            normal * z1 + cross * (x4 + y2), yz, bend * z3 + bend_cross * x6, xz,
            bend * z5 + bend_cross * y6, twist * z6 + twist_cross * (x3 + y5), last * z7,
        )  # fmt: skip
        t[k + U(16 * PITCH)], t[k + U(17 * PITCH)] = stiff * f0, stiff * f1
        t[k + U(18 * PITCH)], t[k + U(19 * PITCH)] = stiff * f2, stiff * f3
        t[k + U(20 * PITCH)], t[k + U(21 * PITCH)] = stiff * f4, stiff * f5
        t[k + U(22 * PITCH)], t[k + U(23 * PITCH)] = stiff * f6, stiff * f7


@njit(**KERNEL)
def _add(plane, at, t, low, count):  # type: ignore[no-untyped-def]
    """Adds the forces of a row's elements on the nodes below (low) and above them."""
    high = low + U(PITCH)
    plane[at] += t[low]
    for n in range(1, count):
        k = U(n)
        plane[at + k] += t[low + k] + t[high + k - U(1)]
    plane[at + U(count)] += t[high + U(count - 1)]


@njit(**KERNEL)
def _smooth(x, b, step, inverse, spring, sprung, plane, at, begin, count, weight, keep):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = U(n)
        q = at + k
        pulled = b[q] - plane[begin + k]
        if sprung:
            pulled -= spring[q] * x[q]
        moved = keep * step[q] + weight * inverse[q] * pulled
        step[q] = moved
        x[q] += moved


@njit(**KERNEL)
def _leave(x, b, out, inverse, spring, sprung, plane, at, begin, count):  # type: ignore[no-untyped-def]
    for n in range(count):
        k = U(n)
        q = at + k
        pulled = b[q] - plane[begin + k]
        if sprung:
            pulled -= spring[q] * x[q]
        out[q] = pulled if inverse[q] > 0 else 0


@njit(**KERNEL)
def _multiply(x, out, inverse, plane, at, begin, count):  # type: ignore[no-untyped-def]
    total = 0.0
    for n in range(count):
        k = U(n)
        q = at + k
        value = plane[begin + k] if inverse[q] > 0 else plane.dtype.type(0)
        out[q] = value
        total += np.float64(x[q]) * np.float64(value)
    return total


@njit(**KERNEL)
def _lack(b, loaded, out, inverse, plane, at, begin, count, scale):  # type: ignore[no-untyped-def]
    total = 0.0
    for n in range(count):
        k = U(n)
        q = at + k
        value = (b[q] if loaded else 0.0) - plane[begin + k]
        value = scale * value if inverse[q] > 0 else 0.0
        out[q] = value
        total += value * value
    return total


@njit(**COMPILED)
def _finish(x, b, out, inverse, spring, plane, row, nodes, mz, size, width, mode, weight, keep):  # type: ignore[no-untyped-def]
    """What is done with the products of one row of nodes, once all its elements have given theirs."""
    low, high, start = nodes[row, 0], nodes[row, 1], nodes[row, 2]
    total, count, j = 0.0, high - low, row % width
    if count <= 0:
        return total
    for c in range(3):
        at, begin = U(c * size + start + low), U(c * width * mz + j * mz + low)
        if mode == SMOOTH:
            _smooth(x, b, out, inverse, spring, spring.size > 0, plane, at, begin, count, weight, keep)
        elif mode == RESIDUAL:
            _leave(x, b, out, inverse, spring, spring.size > 0, plane, at, begin, count)
        elif mode == PRODUCT:
            total += _multiply(x, out, inverse, plane, at, begin, count)
        elif mode == DEFECT:
            total += _lack(b, b.size > 0, out, inverse, plane, at, begin, count, weight)
        else:
            for n in range(count):
                out[at + U(n)] = plane[begin + U(n)]
    return total


@njit(parallel=True, **COMPILED)
def product(x, b, out, inverse, spring, modulus, w, cells, nodes, shape, bounds, planes, mode, weight, keep):  # type: ignore[no-untyped-def]
    """The product with a level's stiffness, used row by row as `mode` says; returns the sum of that mode.

    x, b, out, inverse, spring: flat (3 x nodes), component after component. SMOOTH: one step of Chebyshev's iteration
    on x, of which `out` is the step before. RESIDUAL: out = b - A x. PRODUCT: out = A x, sum x . A x. DEFECT: out =
    weight (b - A x), its square. FORCE: out = A x, held nodes included. `planes`: (parts, 3, 3 x plane) of the
    arithmetic's type. A node layer that two slabs share waits for both.
    """
    ny, nz = shape[1], shape[2]
    width, mz = ny + 1, nz + 1
    size, parts = nodes[-1, 1] + nodes[-1, 2], bounds.size - 1
    sums = np.zeros(2 * parts)
    for part in prange(parts):
        t = np.empty(24 * PITCH, planes.dtype)
        below = 0
        planes[part, 0, :] = 0
        total = 0.0
        for i in range(bounds[part], bounds[part + 1]):
            inner = i > bounds[part] or part == 0
            above = 1 if below != 1 else 2
            low, high = planes[part, below], planes[part, above]
            high[:] = 0
            for j in range(ny):
                row = i * ny + j
                e0, e1, ea = cells[row, 0], cells[row, 1], cells[row, 2]
                n0, n1 = i * width + j, (i + 1) * width + j
                s0, s1, s2, s3 = nodes[n0, 2], nodes[n0 + 1, 2], nodes[n1, 2], nodes[n1 + 1, 2]
                for k in range(e0, e1, BLOCK):
                    count = min(BLOCK, e1 - k)
                    _row_forces(x, U(s0 + k), U(s1 + k), U(s2 + k), U(s3 + k), U(size), modulus, U(ea + k), count, w, t)
                    for c in range(3):
                        at, piece = c * width * mz + j * mz + k, 8 * c * PITCH
                        _add(low, U(at), t, U(piece), count)
                        _add(low, U(at + mz), t, U(piece + 2 * PITCH), count)
                        _add(high, U(at), t, U(piece + 4 * PITCH), count)
                        _add(high, U(at + mz), t, U(piece + 6 * PITCH), count)
                if inner:
                    total += _finish(x, b, out, inverse, spring, low, n0, nodes, mz, size, width, mode, weight, keep)
            if inner:
                total += _finish(
                    x, b, out, inverse, spring, low, (i + 1) * width - 1, nodes, mz, size, width, mode, weight, keep
                )
            below = above
        if below == 1:  # the last layer's forces wait in the third plane
            planes[part, 2, :] = planes[part, 1, :]
        sums[part] = total
    for part in prange(1, parts + 1):
        shared = planes[part - 1, 2]
        if part < parts:
            shared += planes[part, 0]
        total = 0.0
        for row in range(bounds[part] * width, (bounds[part] + 1) * width):
            total += _finish(x, b, out, inverse, spring, shared, row, nodes, mz, size, width, mode, weight, keep)
        sums[parts + part - 1] = total
    return sums.sum()
