"""Strains at the centers of voxels, and their principal values."""

import math

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.elastic_rows import Array, Rows
from trocar.physics.threads import share, together

THIRD = 2 * math.pi / 3
U = np.uint64


def node_strains(u_m: Array, rows: Rows, shape: tuple[int, ...], spacing_m: float) -> Array:
    """[i, j, k, 6] float32 engineering strains xx yy zz xy xz yz at the centers of the voxels of `shape`."""
    strain = np.zeros((*shape, 6), np.float32)
    together(
        _center_strains, u_m, rows.cells, rows.nodes, rows.shape[1], 1 / (4 * spacing_m), strain, cells=rows.cell_count
    )
    return strain


def principal(strain: Array) -> tuple[Array, Array]:
    """Largest and smallest principal strain [...] of engineering strains [..., 6]."""
    xx, yy, zz, xy, xz, yz = (strain[..., n].astype(float) * (0.5 if n > 2 else 1.0) for n in range(6))
    mean = (xx + yy + zz) / 3
    a, b, c = xx - mean, yy - mean, zz - mean
    size = np.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    safe = np.maximum(size, 1e-90)
    determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    angle = np.arccos(np.clip(determinant / (2 * safe**3), -1, 1)) / 3
    return mean + 2 * size * np.cos(angle), mean + 2 * size * np.cos(angle + THIRD)


@njit(**KERNEL)
def row_sums(u, nodes, width, i, j, low, count, lines, pitch):  # type: ignore[no-untyped-def]
    """Of the four rows of nodes around `count` voxels of row i, j: sums, differences along i, and along j.

    lines: 9 x pitch, three for each component of u.
    """
    size = nodes[-1, 1] + nodes[-1, 2]
    a, b = nodes[i * width + j, 2], nodes[i * width + j + 1, 2]
    c, d = nodes[(i + 1) * width + j, 2], nodes[(i + 1) * width + j + 1, 2]
    for part in range(3):
        first = part * size + low
        p, q, r, s = U(first + a), U(first + b), U(first + c), U(first + d)
        one, two, three = U(3 * part * pitch), U((3 * part + 1) * pitch), U((3 * part + 2) * pitch)
        for n in range(count + 1):
            k = U(n)
            e, f, g, h = u[p + k], u[q + k], u[r + k], u[s + k]
            lines[one + k] = e + f + g + h
            lines[two + k] = g + h - e - f
            lines[three + k] = f + h - e - g


@njit(**KERNEL, inline="always")
def center_strain(lines, pitch, k, scale):  # type: ignore[no-untyped-def]
    """Engineering strains xx yy zz xy xz yz at the center of voxel k of a row; `scale` = 1 / (4 x edge)."""
    one, p = U(1), U(pitch)
    a, b, c = k, k + U(3) * p, k + U(6) * p
    xx = lines[a + p] + lines[a + p + one]
    yx = lines[a + U(2) * p] + lines[a + U(2) * p + one]
    zx = lines[a + one] - lines[a]
    xy = lines[b + p] + lines[b + p + one]
    yy = lines[b + U(2) * p] + lines[b + U(2) * p + one]
    zy = lines[b + one] - lines[b]
    xz = lines[c + p] + lines[c + p + one]
    yz = lines[c + U(2) * p] + lines[c + U(2) * p + one]
    zz = lines[c + one] - lines[c]
    return scale * xx, scale * yy, scale * zz, scale * (yx + xy), scale * (zx + xz), scale * (zy + yz)


@njit(**COMPILED)
def _center_strains(number, threads, u, cells, nodes, ny, scale, out):  # type: ignore[no-untyped-def]
    width, pitch = ny + 1, out.shape[2] + 2
    lines = np.empty(9 * pitch)
    for i in range(*share(out.shape[0], number, threads)):
        for j in range(out.shape[1]):
            low, high = cells[i * ny + j, 0], min(cells[i * ny + j, 1], out.shape[2])
            if high <= low:
                continue
            row_sums(u, nodes, width, i, j, low, high - low, lines, pitch)
            for n in range(high - low):
                o = out[i, j, low + n]
                o[0], o[1], o[2], o[3], o[4], o[5] = center_strain(lines, pitch, U(n), scale)
