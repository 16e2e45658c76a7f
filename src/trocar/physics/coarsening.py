"""A lattice of twice the spacing made from a medium: eight cells become one that holds and conducts the same heat."""

from dataclasses import replace

import numpy as np
from numba import njit, prange

from trocar.physics.arrays import HELD, Tissue
from trocar.physics.compiled import COMPILED
from trocar.physics.lattice import Faces, Lattice
from trocar.physics.medium import Array, Medium

MEANS = 7


def coarser(medium: Medium, tissue: Tissue) -> Lattice:
    """The coarse lattice: means of the capacities and of perfusion, conductances in series and in parallel.

    Only cells that are not held count; what flows into held ones becomes a sink of the coarse cell.
    """
    shape = coarse_shape(medium.shape)
    means, faces = np.empty((MEANS, *shape), np.float32), np.zeros((6, *shape), np.float32)
    held, sinks = np.empty(shape, bool), np.zeros((2, *shape), np.float32)
    scale, exchange = np.float32(1 / medium.spacing_m**2), np.float32(medium.exchange_W_per_m2K / medium.spacing_m)
    _means(tissue, means, held)
    _coarse_faces(tissue, _held_in_rows(tissue.held), np.float32(medium.rest_degC), scale, exchange, faces, sinks)
    coarse = replace(
        medium,
        spacing_m=2 * medium.spacing_m,
        unfrozen_J_per_m3K=means[0],
        frozen_J_per_m3K=means[1],
        latent_J_per_m3=means[2],
        perfusion_W_per_m3K=means[3],
        vapor_J_per_m3=None if medium.vapor_J_per_m3 is None else means[4],
        unfrozen_W_per_mK=means[5],
        frozen_W_per_mK=means[6],
        solidus_degC=np.full(shape, medium.freezing.solidus_degC, np.float32),
        liquidus_degC=np.full(shape, medium.freezing.liquidus_degC, np.float32),
        held=held,
        held_degC=np.full(shape, medium.rest_degC, np.float32),
        outside=None,
    )
    flat = Faces(*(values.reshape(-1) for values in faces))
    return Lattice.of(coarse, faces=flat, sink=sinks[0].reshape(-1), sink_K=sinks[1].reshape(-1))


def coarse_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many cells of twice the size cover a lattice."""
    return (shape[0] + 1) // 2, (shape[1] + 1) // 2, (shape[2] + 1) // 2


def restricted(values: Array, shape: tuple[int, int, int]) -> Array:
    """The mean over the eight fine cells [i, j, k] of each coarse one; fine cells beyond the lattice count as 0."""
    found = np.empty(shape, np.float32)
    _sums(np.ascontiguousarray(values, np.float32), found)
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


@njit(**COMPILED)
def _held_in_rows(held):  # type: ignore[no-untyped-def]
    """[i, j] how many cells of each row are held, beyond the two at each end that always are."""
    nx, ny, nz = held.shape
    found = np.zeros((nx, ny), np.int32)
    for i in range(nx):
        for j in range(ny):
            for k in range(2, nz - 2):
                found[i, j] += held[i, j, k] != 0
    return found


@njit(parallel=True, **COMPILED)
def _means(tissue, found, all_held):  # type: ignore[no-untyped-def]
    """Sums over free cells / 8, but means over them of conductivities; of all cells where all are held."""
    nx, ny, nz = tissue.held.shape
    none, one, eighth = np.float32(0), np.float32(1), np.float32(0.125)
    boils = tissue.vapor_J.size > 0
    for i in prange(all_held.shape[0]):
        for j in range(all_held.shape[1]):
            for k in range(all_held.shape[2]):
                total = free = none
                warm_J = cold_J = latent = perfusion = vapor = warm_W = cold_W = none
                for every in range(2):
                    for a in range(2 * i, min(2 * i + 2, nx)):
                        for b in range(2 * j, min(2 * j + 2, ny)):
                            for c in range(2 * k, min(2 * k + 2, nz)):
                                counts = one if every == 1 or tissue.held[a, b, c] == 0 else none
                                free += counts
                                warm_J += counts * tissue.warm_J[a, b, c]
                                cold_J += counts * tissue.cold_J[a, b, c]
                                latent += counts * tissue.latent_J[a, b, c]
                                perfusion += counts * tissue.perfusion_W[a, b, c]
                                warm_W += counts * tissue.warm_W[a, b, c]
                                cold_W += counts * tissue.cold_W[a, b, c]
                                if boils:
                                    vapor += counts * tissue.vapor_J[a, b, c]
                    if every == 0:
                        all_held[i, j, k] = free == 0
                        if free > 0:
                            break
                total = one / free
                share = total if all_held[i, j, k] else eighth
                found[0, i, j, k], found[1, i, j, k], found[2, i, j, k] = share * warm_J, share * cold_J, share * latent
                found[3, i, j, k], found[4, i, j, k] = none if all_held[i, j, k] else share * perfusion, share * vapor
                found[5, i, j, k], found[6, i, j, k] = total * warm_W, total * cold_W


@njit(**COMPILED)
def _conducts(tissue, scale, exchange, a, b):  # type: ignore[no-untyped-def]
    """Conductance / spacing^2 between two fine cells, thawed and what freezing adds (`lattice.Faces`)."""
    if tissue.outside.size > 0 and tissue.outside[a] != tissue.outside[b]:
        return exchange, np.float32(0)
    warm, other = tissue.warm_W[a], tissue.warm_W[b]
    cold, beyond = tissue.cold_W[a], tissue.cold_W[b]
    two = np.float32(2) * scale
    thawed = two * warm * other / (warm + other)
    return thawed, two * cold * beyond / (cold + beyond) - thawed


@njit(parallel=True, **COMPILED)
def _coarse_faces(tissue, held_in_rows, rest, scale, exchange, faces, sinks):  # type: ignore[no-untyped-def]
    """Faces between coarse cells: a fine one in series with half a cell on each side, four of them in parallel."""
    held = tissue.held
    nx, ny, nz = held.shape
    sixteenth = np.float32(1 / 16)
    for i in prange(faces.shape[1]):
        for j in range(faces.shape[2]):
            vessels = False
            for x in range(max(2 * i - 1, 0), min(2 * i + 3, nx)):
                for y in range(max(2 * j - 1, 0), min(2 * j + 3, ny)):
                    vessels |= held_in_rows[x, y] > 0
            for k in range(faces.shape[3]):
                if vessels or k <= 1 or 2 * k >= nz - 5:
                    _sinks(tissue, rest, scale, exchange, i, j, k, sinks)
                for axis in range(3):
                    di, dj, dk = int(axis == 0), int(axis == 1), int(axis == 2)
                    thawed, freezing = np.float32(0), np.float32(0)
                    if i >= di and j >= dj and k >= dk:
                        for x in range(2 * i, min(2 * i + 2 - di, nx)):
                            for y in range(2 * j, min(2 * j + 2 - dj, ny)):
                                for z in range(2 * k, min(2 * k + 2 - dk, nz)):
                                    below = x - di, y - dj, z - dk
                                    if held[x, y, z] == 0 and held[below] == 0:
                                        a, b = _conducts(tissue, scale, exchange, (x, y, z), below)
                                        thawed += a
                                        freezing += b
                    faces[axis, i, j, k] = sixteenth * thawed
                    faces[axis + 3, i, j, k] = sixteenth * freezing


@njit(**COMPILED)
def _sinks(tissue, rest, scale, exchange, i, j, k, sinks):  # type: ignore[no-untyped-def]
    """What flows from the free cells of a coarse one into held ones beside them."""
    held = tissue.held
    nx, ny, nz = held.shape
    eighth = np.float32(1 / 8)
    for x in range(2 * i, min(2 * i + 2, nx)):
        for y in range(2 * j, min(2 * j + 2, ny)):
            for z in range(2 * k, min(2 * k + 2, nz)):
                if held[x, y, z] != 0:
                    continue
                for axis in range(3):
                    for side in range(-1, 2, 2):
                        other = x + side * int(axis == 0), y + side * int(axis == 1), z + side * int(axis == 2)
                        if held[other] == 0:
                            continue
                        a, _ = _conducts(tissue, scale, exchange, (x, y, z), other)
                        sinks[0, i, j, k] += eighth * a
                        if held[other] == HELD:
                            sinks[1, i, j, k] += eighth * a * (tissue.held_degC[other] - rest)
