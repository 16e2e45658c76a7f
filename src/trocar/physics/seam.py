"""Where the fine lattice ends within the coarse one: the faces between them, and the rows on either side."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, Tissue
from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array
from trocar.physics.packing import Closed
from trocar.physics.spans import Rows, Spans, shares
from trocar.physics.stage import Gates
from trocar.physics.threads import PARTS

BAND = 1  # coarse cells within the fine part that go along in a step


@dataclass(slots=True, eq=False)
class Seam:
    """The gates (coarse faces), and under each up to four fine faces that are closed while it stands."""

    gates: Gates
    closed: Closed

    @classmethod
    def around(cls, inner: Spans, tissue: Tissue) -> "Seam":
        """The seam around the inner cells."""
        most = 2 * int((inner.high - inner.low).sum()) + 2 * int((inner.high > 0).sum()) + 1
        found = np.empty((most * 2, 5), np.int64)
        count = _find_gates(inner.low, inner.high, inner.shape, found)
        within, beyond, face, axis, _ = found[:count].T.copy()
        faces, cells = np.full((2, count, 4), -1)
        _fine_faces(found[:count], inner.shape, tissue.held, faces, cells)
        gates = Gates(within, beyond, face, axis, np.zeros((2, count), np.float32))
        return cls(gates, Closed(faces, axis, cells))


def fine_rows(inner: Spans, shape: tuple[int, int, int]) -> Rows:
    """The rows of fine cells under coarse spans, in equal shares."""
    start, length = np.empty(4 * inner.low.size, np.uint64), np.empty(4 * inner.low.size, np.int64)
    count = _fine_rows(inner.low, inner.high, shape, start, length)
    return Rows.of(start[:count], length[:count])


@njit(**COMPILED)
def _fine_rows(low, high, shape, start, length):  # type: ignore[no-untyped-def]
    count = 0
    for x in range(1, shape[0] - 1):
        for y in range(1, shape[1] - 1):
            i, j = x // 2, y // 2
            begin = 2 * np.int64(low[i, j])
            past = min(2 * np.int64(high[i, j]), shape[2] - 1)
            if high[i, j] > low[i, j] and past > begin:
                start[count] = (x * shape[1] + y) * shape[2] + begin
                length[count] = past - begin
                count += 1
    return count


class Splitting(NamedTuple):
    """What `split` takes, and the rows that it fills."""

    low: Array
    high: Array
    inner_low: Array
    inner_high: Array
    start: Array
    length: Array
    passed: Array
    bounds: Array

    def rows(self, count: int) -> Rows:
        """As many as `split` has found."""
        return Rows(self.start[:count], self.length[:count], self.bounds, self.passed[:count])


def splitting(spans: Spans, inner: Spans) -> Splitting:
    """For the active coarse rows around the fine part, and a band within it that goes along but is not counted.

    Deeper within, coarse cells rest during a step. One cell is enough: 0.005 mm of the front against fine cells alone
    (0.009 with two, 0.05 without any), and it is seldom ice, which would want more stages of all.
    """
    most = 2 * spans.high.size
    return Splitting(
        spans.low, spans.high, inner.low, inner.high, np.empty(most, np.uint64), np.empty(most, np.int64),
        np.empty((most, 2), np.int64), np.empty(PARTS + 1, np.int64),
    )  # fmt: skip


@njit(**COMPILED)
def _put(rows, count, start, length, first, past):  # type: ignore[no-untyped-def]
    if length > 0:
        starts, lengths, passed = rows
        starts[count], lengths[count], passed[count, 0], passed[count, 1] = start, length, first, past
        return count + 1
    return count


@njit(**COMPILED)
def split(asked, nz):  # type: ignore[no-untyped-def]
    """Fills the rows of a `Splitting` in a box of `nz` cells along k: start, length, what is not counted; how many."""
    low, high, inner_low, inner_high = asked.low, asked.high, asked.inner_low, asked.inner_high
    (nx, ny), rows = low.shape, (asked.start, asked.length, asked.passed)
    count = 0
    for i in range(nx):
        for j in range(ny):
            if high[i, j] <= low[i, j]:
                continue
            row = (i * ny + j) * nz
            begin, end = np.int64(low[i, j]), np.int64(high[i, j])
            first, past = np.int64(inner_low[i, j]), np.int64(inner_high[i, j])
            if past <= first:
                count = _put(rows, count, row + begin, end - begin, 0, 0)
                continue
            core_first, core_past = first + BAND, past - BAND
            for x in range(i - BAND, i + BAND + 1):
                for y in range(j - BAND, j + BAND + 1):
                    if x < 0 or y < 0 or x >= nx or y >= ny or inner_high[x, y] <= inner_low[x, y]:
                        core_past = core_first
                    else:
                        core_first = max(core_first, np.int64(inner_low[x, y]))
                        core_past = min(core_past, np.int64(inner_high[x, y]))
            if core_past <= core_first:
                count = _put(rows, count, row + begin, end - begin, first - begin, past - begin)
                continue
            count = _put(rows, count, row + begin, core_first - begin, first - begin, core_first - begin)
            count = _put(rows, count, row + core_past, end - core_past, 0, past - core_past)
    asked.bounds[:] = shares(asked.length[:count], asked.bounds.size - 1)
    return count


@njit(**COMPILED)
def _find_gates(low, high, shape, found):  # type: ignore[no-untyped-def]
    """Rows of (cell within, cell beyond, face, axis, whether the cell within lies above the face); returns how many."""
    nx, ny, nz = shape
    count = 0
    for i in range(nx):
        for j in range(ny):
            if high[i, j] <= low[i, j]:
                continue
            row = (i * ny + j) * nz
            first, past = np.int64(low[i, j]), np.int64(high[i, j])
            for side in range(2):
                end = row + (first if side == 0 else past - 1)
                found[count, 0], found[count, 1] = end, end + 2 * side - 1
                found[count, 2], found[count, 3], found[count, 4] = end + side, 2, 1 - side
                count += 1
            for axis in range(2):
                for side in range(2):
                    x, y = i + (2 * side - 1) * (1 - axis), j + (2 * side - 1) * axis
                    other = (x * ny + y) * nz
                    for k in range(first, past):
                        if low[x, y] <= k < high[x, y]:
                            continue
                        found[count, 0], found[count, 1] = row + k, other + k
                        found[count, 2] = max(row, other) + k
                        found[count, 3], found[count, 4] = axis, 1 - side
                        count += 1
    return count


@njit(**COMPILED)
def _fine_faces(gates, shape, held, faces, cells):  # type: ignore[no-untyped-def]
    """The fine faces of each gate, and the cells within."""
    ny, nz = shape[1], shape[2]
    fx, fy, fz = held.shape
    for g in range(gates.shape[0]):
        axis, above = gates[g, 3], gates[g, 4]
        face = gates[g, 2]
        i, j, k = face // (ny * nz), (face // nz) % ny, face % nz
        for n in range(4):
            a, b = n // 2, n % 2
            x, y, z = 2 * i, 2 * j, 2 * k
            if axis == 0:
                y, z = y + a, z + b
            elif axis == 1:
                x, z = x + a, z + b
            else:
                x, y = x + a, y + b
            if x >= fx or y >= fy or z >= fz:
                continue
            faces[g, n] = (x * fy + y) * fz + z
            if above == 0:
                x, y, z = x - int(axis == 0), y - int(axis == 1), z - int(axis == 2)
            if held[x, y, z] == FREE:
                cells[g, n] = (x * fy + y) * fz + z
