"""A lattice of twice the spacing made from a fine one: eight cells become one that holds and conducts the same heat."""

from dataclasses import replace

import numpy as np
from numba import njit, prange

from trocar.physics.compiled import COMPILED
from trocar.physics.lattice import Faces, Lattice
from trocar.physics.medium import Array


def coarser(fine: Lattice) -> Lattice:
    """The coarse lattice: means of the capacities and of perfusion, conductances in series and in parallel.

    Only cells that are not held count; what flows into held ones becomes a sink of the coarse cell.
    """
    medium = fine.medium
    shape = tuple((n + 1) // 2 for n in medium.shape)
    values = [
        np.ascontiguousarray(array, np.float32)
        for array in (
            medium.unfrozen_J_per_m3K, medium.frozen_J_per_m3K, medium.latent_J_per_m3, medium.unfrozen_W_per_mK,
            medium.frozen_W_per_mK, fine.blood.reshape(medium.shape),
            medium.latent_J_per_m3 if medium.vapor_J_per_m3 is None else medium.vapor_J_per_m3,
        )
    ]  # fmt: skip
    means = np.empty((len(values), *shape), np.float32)
    held = np.empty(shape, bool)
    for number, array in enumerate(values):
        _means(array, medium.held, number in (3, 4), means[number], held)
    sink, sink_K = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    faces = [np.zeros(shape, np.float32) for _ in range(6)]
    above_rest = np.where(medium.held, medium.held_degC - medium.rest_degC, 0).astype(np.float32)
    for axis in range(3):
        a, b = (fine.faces[axis + part].reshape(medium.shape) for part in (0, 3))
        _coarse_faces(a, b, medium.held, above_rest, axis, faces[axis], faces[axis + 3], sink, sink_K)
    coarse = replace(
        medium,
        spacing_m=2 * medium.spacing_m,
        unfrozen_J_per_m3K=means[0],
        frozen_J_per_m3K=means[1],
        latent_J_per_m3=means[2],
        unfrozen_W_per_mK=means[3],
        frozen_W_per_mK=means[4],
        perfusion_W_per_m3K=means[5],
        vapor_J_per_m3=None if medium.vapor_J_per_m3 is None else means[6],
        solidus_degC=np.full(shape, medium.freezing.solidus_degC, np.float32),
        liquidus_degC=np.full(shape, medium.freezing.liquidus_degC, np.float32),
        held=held,
        held_degC=np.full(shape, medium.rest_degC, np.float32),
        outside=None,
    )
    flat = Faces(*(values.reshape(-1) for values in faces))
    return Lattice.of(coarse, faces=flat, sink=sink.reshape(-1), sink_K=sink_K.reshape(-1))


def restricted(values: Array, shape: tuple[int, int, int], *, of: tuple[int, int, int] | None = None) -> Array:
    """The mean over the eight fine cells of each coarse one; fine cells beyond the lattice count as 0.

    Values are [i, j, k], or flat `of` a fine lattice's shape.
    """
    found = np.empty(shape, np.float32)
    _sums(np.ascontiguousarray(values, np.float32).reshape(values.shape if of is None else of), found)
    return found


@njit(parallel=True, **COMPILED)
def _sums(fine, found):  # type: ignore[no-untyped-def]
    nx, ny, nz = fine.shape
    eighth = np.float32(0.125)
    for i in prange(found.shape[0]):
        for j in range(found.shape[1]):
            for k in range(found.shape[2]):
                total = np.float32(0)
                for a in range(2 * i, min(2 * i + 2, nx)):
                    for b in range(2 * j, min(2 * j + 2, ny)):
                        for c in range(2 * k, min(2 * k + 2, nz)):
                            total += fine[a, b, c]
                found[i, j, k] = total * eighth


@njit(parallel=True, **COMPILED)
def _means(fine, held, intensive, found, all_held):  # type: ignore[no-untyped-def]
    """Sums over free cells / 8, or means over them when `intensive`; of all cells where all are held."""
    nx, ny, nz = fine.shape
    for i in prange(found.shape[0]):
        for j in range(found.shape[1]):
            for k in range(found.shape[2]):
                total, free, whole, count = np.float32(0), 0, np.float32(0), 0
                for a in range(2 * i, min(2 * i + 2, nx)):
                    for b in range(2 * j, min(2 * j + 2, ny)):
                        for c in range(2 * k, min(2 * k + 2, nz)):
                            whole += fine[a, b, c]
                            count += 1
                            if not held[a, b, c]:
                                total += fine[a, b, c]
                                free += 1
                all_held[i, j, k] = free == 0
                if free == 0:
                    found[i, j, k] = whole / np.float32(count)
                else:
                    found[i, j, k] = total / np.float32(free if intensive else 8)


@njit(parallel=True, **COMPILED)
def _coarse_faces(a, b, held, above_rest, axis, found_a, found_b, sink, sink_K):  # type: ignore[no-untyped-def]
    """Faces between coarse cells: a fine one in series with half a cell on each side, four of them in parallel."""
    nx, ny, nz = a.shape
    di, dj, dk = int(axis == 0), int(axis == 1), int(axis == 2)
    sixteenth, eighth = np.float32(1 / 16), np.float32(1 / 8)
    for i in prange(found_a.shape[0]):
        for j in range(found_a.shape[1]):
            for k in range(found_a.shape[2]):
                for x in range(2 * i, min(2 * i + 2, nx)):
                    for y in range(2 * j, min(2 * j + 2, ny)):
                        for z in range(2 * k, min(2 * k + 2, nz)):
                            if held[x, y, z]:
                                continue
                            for side in range(2):  # the face below the cell, and that above it
                                fx, fy, fz = x + side * di, y + side * dj, z + side * dk
                                ox, oy, oz = x + (2 * side - 1) * di, y + (2 * side - 1) * dj, z + (2 * side - 1) * dk
                                if min(ox, oy, oz) < 0 or ox >= nx or oy >= ny or oz >= nz:
                                    continue
                                if held[ox, oy, oz]:
                                    sink[i, j, k] += eighth * a[fx, fy, fz]
                                    sink_K[i, j, k] += eighth * a[fx, fy, fz] * above_rest[ox, oy, oz]
                                elif side == 0 and (ox // 2 != i or oy // 2 != j or oz // 2 != k):
                                    found_a[i, j, k] += sixteenth * a[fx, fy, fz]
                                    found_b[i, j, k] += sixteenth * b[fx, fy, fz]
