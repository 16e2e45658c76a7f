"""A lattice of twice the spacing made from a medium: eight cells become one that holds and conducts the same heat."""

from dataclasses import replace

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, HELD, Tissue
from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.lattice import Faces, Lattice
from trocar.physics.medium import Array, Medium
from trocar.physics.threads import share, together

MEANS = 7


def coarser(medium: Medium, tissue: Tissue) -> Lattice:
    """The coarse lattice: means of the capacities and of perfusion, conductances in series and in parallel.

    Only cells that are not held count; what flows into held ones becomes a sink of the coarse cell.
    """
    shape = coarse_shape(medium.shape)
    means, faces = np.empty((MEANS, *shape), np.float32), np.zeros((6, *shape), np.float32)
    held, sinks = np.empty(shape, bool), np.zeros((2, *shape), np.float32)
    scale, exchange = np.float32(1 / medium.spacing_m**2), np.float32(medium.exchange_W_per_m2K / medium.spacing_m)
    together(_means, tissue, means, held)
    together(_coarse_faces, tissue, np.float32(medium.rest_degC), scale, exchange, faces, sinks)
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
    together(_sums, np.ascontiguousarray(values, np.float32), found)
    return found


@njit(**COMPILED)
def _sums(number, threads, fine, found):  # type: ignore[no-untyped-def]
    nx, ny, nz = fine.shape
    eighth = np.float32(0.125)
    begin, end = share(found.shape[0], number, threads)
    for i in range(begin, end):
        for j in range(found.shape[1]):
            for k in range(found.shape[2]):
                total = np.float32(0)
                for a in range(2 * i, min(2 * i + 2, nx)):
                    for b in range(2 * j, min(2 * j + 2, ny)):
                        for c in range(2 * k, min(2 * k + 2, nz)):
                            total += fine[a, b, c]
                found[i, j, k] = total * eighth


@njit(**COMPILED)
def _means(number, threads, tissue, found, all_held):  # type: ignore[no-untyped-def]
    """Sums over free cells / 8, but means over them of conductivities; of all cells where all are held."""
    nx, ny, nz = tissue.held.shape
    one, eighth = np.float32(1), np.float32(0.125)
    begin, end = share(all_held.shape[0], number, threads)
    for i in range(begin, end):
        sums, whole = np.zeros((9, nz + 1), np.float32), np.zeros((9, nz + 1), np.float32)
        for j in range(all_held.shape[1]):
            sums[:] = 0
            whole[:] = 0
            for x in range(2 * i, min(2 * i + 2, nx)):
                for y in range(2 * j, min(2 * j + 2, ny)):
                    held = tissue.held[x, y]
                    _gather(tissue.warm_J[x, y], held, sums[0], whole[0])
                    _gather(tissue.cold_J[x, y], held, sums[1], whole[1])
                    _gather(tissue.latent_J[x, y], held, sums[2], whole[2])
                    _gather(tissue.perfusion_W[x, y], held, sums[3], whole[3])
                    if tissue.vapor_J.size > 0:
                        _gather(tissue.vapor_J[x, y], held, sums[4], whole[4])
                    _gather(tissue.warm_W[x, y], held, sums[5], whole[5])
                    _gather(tissue.cold_W[x, y], held, sums[6], whole[6])
                    for z in range(nz):
                        sums[7, z] += one if held[z] == 0 else np.float32(0)
                        whole[7, z] += one
            for k in range(all_held.shape[2]):
                a, b = 2 * k, 2 * k + 1
                free = sums[7, a] + sums[7, b]
                all_held[i, j, k] = free == 0
                for n in range(MEANS):
                    if free > 0:
                        found[n, i, j, k] = (sums[n, a] + sums[n, b]) * (one / free if n > 4 else eighth)
                    else:
                        found[n, i, j, k] = (whole[n, a] + whole[n, b]) / (whole[7, a] + whole[7, b])


@njit(**KERNEL)
def _gather(values, held, free, whole):  # type: ignore[no-untyped-def]
    """Add a row of fine cells to the sums over free cells and over all."""
    for z in range(values.size):
        free[z] += values[z] if held[z] == 0 else np.float32(0)
        whole[z] += values[z]


@njit(**COMPILED)
def _within(tissue, scale, a, b):  # type: ignore[no-untyped-def]
    """Conductance / spacing^2 between two fine cells in contact, thawed and what freezing adds (`lattice.Faces`)."""
    thawed = _between(tissue.warm_W[a], tissue.warm_W[b], scale)
    return thawed, _between(tissue.cold_W[a], tissue.cold_W[b], scale) - thawed


@njit(**COMPILED)
def _coarse_faces(number, threads, tissue, rest, scale, exchange, faces, sinks):  # type: ignore[no-untyped-def]
    """Faces between coarse cells: a fine one in series with half a cell on each side, four of them in parallel."""
    nx, ny, nz = tissue.held.shape
    warm, held, held_degC = tissue.warm_W.reshape(-1), tissue.held.reshape(-1), tissue.held_degC.reshape(-1)
    outside, steps = tissue.outside.reshape(-1), (ny * nz, -ny * nz, nz, -nz, 1, -1)
    begin, end = share(faces.shape[1], number, threads)
    for i in range(begin, end):
        thawed, freezing = np.zeros((3, nz + 1), np.float32), np.zeros((3, nz + 1), np.float32)
        sunk = np.zeros((2, nz + 1), np.float32)
        for j in range(faces.shape[2]):
            thawed[:] = 0
            freezing[:] = 0
            sunk[:] = 0
            for x in range(2 * i, min(2 * i + 2, nx)):
                for y in range(2 * j, min(2 * j + 2, ny)):
                    if x % 2 == 0 and x > 0:
                        _row_faces(tissue, (x, y), (x - 1, y), 0, scale, exchange, thawed[0], freezing[0])
                    if y % 2 == 0 and y > 0:
                        _row_faces(tissue, (x, y), (x, y - 1), 0, scale, exchange, thawed[1], freezing[1])
                    _row_faces(tissue, (x, y), (x, y), 1, scale, exchange, thawed[2], freezing[2])
                    if 0 < x < nx - 1 and 0 < y < ny - 1:  # the rim is not free
                        for step in steps:
                            _sinks_beside(
                                warm, held, held_degC, outside, (x * ny + y) * nz, step, rest, scale, exchange,
                                sunk[0, :nz], sunk[1, :nz],
                            )  # fmt: skip
            for axis in range(2):
                _in_pairs(thawed[axis], np.float32(1 / 16), faces[axis, i, j])
                _in_pairs(freezing[axis], np.float32(1 / 16), faces[axis + 3, i, j])
                _in_pairs(sunk[axis], np.float32(1 / 8), sinks[axis, i, j])
            _every_other(thawed[2], np.float32(1 / 16), faces[2, i, j])
            _every_other(freezing[2], np.float32(1 / 16), faces[5, i, j])


@njit(**KERNEL)
def _in_pairs(values, scale, found):  # type: ignore[no-untyped-def]
    """Scaled sums of two neighbors each."""
    for n in range(found.size):
        k = np.uint64(n)
        found[k] = scale * (values[k + k] + values[k + k + np.uint64(1)])


@njit(**KERNEL)
def _every_other(values, scale, found):  # type: ignore[no-untyped-def]
    for n in range(found.size):
        k = np.uint64(n)
        found[k] = scale * values[k + k]


@njit(**COMPILED)
def _row_faces(tissue, row, other, shift, scale, exchange, thawed, freezing):  # type: ignore[no-untyped-def]
    """Add the faces below a row of fine cells, towards another row or (shift 1) the cells before."""
    _row_conducts(
        tissue.warm_W[row], tissue.warm_W[other], tissue.cold_W[row], tissue.cold_W[other], tissue.held[row],
        tissue.held[other], shift, scale, thawed, freezing,
    )  # fmt: skip
    if tissue.outside.size > 0 and _differ(tissue.outside[row], tissue.outside[other], shift):
        for z in range(shift, thawed.size - 1):
            here, below = (row[0], row[1], z), (other[0], other[1], z - shift)
            if tissue.outside[here] != tissue.outside[below] and tissue.held[here] == 0 and tissue.held[below] == 0:
                a, b = _within(tissue, scale, here, below)
                thawed[z] += exchange - a
                freezing[z] -= b


@njit(**KERNEL)
def _row_conducts(warm, warm_below, cold, cold_below, held, held_below, shift, scale, thawed, freezing):  # type: ignore[no-untyped-def]
    none = np.float32(0)
    for z in range(shift, warm.size):
        between = _between(warm[z], warm_below[z - shift], scale)
        free = (held[z] | held_below[z - shift]) == 0
        thawed[z] += between if free else none
        freezing[z] += _between(cold[z], cold_below[z - shift], scale) - between if free else none


@njit(**KERNEL)
def _differ(outside, outside_below, shift):  # type: ignore[no-untyped-def]
    """Whether the body's surface passes between any cells of two rows, or of one and those before."""
    count = 0
    for z in range(shift, outside.size):
        count += outside[z] != outside_below[z - shift]
    return count > 0


@njit(**KERNEL)
def _sinks_beside(  # type: ignore[no-untyped-def]
    warm, held, held_degC, outside, first, step, rest, scale, exchange, to_held, to_held_K
):
    """Add what flows from the free cells of a line (from a flat index on) into held ones a `step` away."""
    here, beyond = np.uint64(first), np.uint64(first + step)
    count, none = 0, np.float32(0)
    for n in range(to_held.size):
        z = np.uint64(n)
        count += (held[here + z] == FREE) & (held[beyond + z] != FREE)
    if count == 0:
        return
    for n in range(to_held.size):
        z = np.uint64(n)
        p, q = here + z, beyond + z
        conducts = _between(warm[p], warm[q], scale)
        if outside.size > 0:
            conducts = conducts if outside[p] == outside[q] else exchange
        conducts = conducts if (held[p] == FREE) & (held[q] != FREE) else none
        to_held[z] += conducts
        to_held_K[z] += conducts * (held_degC[q] - rest) if held[q] == HELD else none


@njit(**COMPILED)
def _between(one, other, scale):  # type: ignore[no-untyped-def]
    """Conductance / spacing^2 between two tissues in contact."""
    return np.float32(2) * scale * one * other / (one + other)
