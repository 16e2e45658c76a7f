"""Strains at the centers of voxels, and their principal values."""

import math

import numpy as np
from numba import njit, prange

from trocar.physics.compiled import COMPILED
from trocar.physics.elastic_rows import Array, Rows

THIRD = 2 * math.pi / 3
_cell = njit(fastmath=True, error_model="numpy", inline="always")


def node_strains(u_m: Array, rows: Rows, shape: tuple[int, ...], spacing_m: float) -> Array:
    """[i, j, k, 6] float32 engineering strains xx yy zz xy xz yz at the centers of the voxels of `shape`."""
    strain = np.zeros((*shape, 6), np.float32)
    _center_strains(u_m, rows.cells, rows.nodes, rows.shape[1], 1 / (4 * spacing_m), strain)
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


@_cell
def cell_strain(u, size, nodes, width, i, j, k, scale):  # type: ignore[no-untyped-def]
    """Engineering strains xx yy zz xy xz yz at the center of voxel i, j, k; `scale` = 1 / (4 x edge)."""
    xx = yy = zz = xy = xz = yz = 0.0
    for corner in range(8):
        a, b, d = corner >> 2, (corner >> 1) & 1, corner & 1
        at = nodes[(i + a) * width + j + b, 2] + k + d
        x, y, z = u[at], u[size + at], u[2 * size + at]
        p, q, r = 2.0 * a - 1, 2.0 * b - 1, 2.0 * d - 1
        xx, yy, zz = xx + p * x, yy + q * y, zz + r * z
        xy, xz, yz = xy + q * x + p * y, xz + r * x + p * z, yz + r * y + q * z
    return scale * xx, scale * yy, scale * zz, scale * xy, scale * xz, scale * yz


@njit(parallel=True, **COMPILED)
def _center_strains(u, cells, nodes, ny, scale, out):  # type: ignore[no-untyped-def]
    size, width = nodes[-1, 1] + nodes[-1, 2], ny + 1
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            row = i * ny + j
            for k in range(cells[row, 0], min(cells[row, 1], out.shape[2])):
                o = out[i, j, k]
                o[0], o[1], o[2], o[3], o[4], o[5] = cell_strain(u, size, nodes, width, i, j, k, scale)
