"""Where the active rows of a lattice lie when they are put side by side."""

from typing import NamedTuple, Self

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array
from trocar.physics.spans import VECTOR_CELLS, Rows

WIDEST = 16  # cells of the widest vectors: what is left of a row is gone through in narrow ones, which takes longer


class Layout(NamedTuple):
    """Where rows lie: each with the cells around it that it looks at, which are never moved.

    `start`, `box`, `length`: of every row kept, where it begins here and in the lattice, and its cells. `base`: per
    line [i, j] of the lattice, what turns k into a place here. `rows` are the active ones as they lie here, and
    `beside` (rows, 4) how far the cells before and after each along i and j are. Each active row has room for a
    multiple of `WIDEST` cells.
    """

    rows: Rows
    beside: Array
    start: Array
    box: Array
    length: Array
    base: Array
    line_cells: int
    size: int

    @classmethod
    def of(cls, rows: Rows, shape: tuple[int, int, int]) -> Self:
        """The rows of a lattice, at most one of each of its lines, and none on its rim."""
        lines = shape[0] * shape[1]
        base, beside = np.zeros(lines, np.int64), np.empty((rows.length.size, 4), np.int64)
        start, box, length = np.empty((3, lines), np.int64)
        here = np.empty_like(rows.start)
        count, size = _lay_out(rows.start, rows.length, *shape, base, start, box, length, here, beside)
        return cls(
            rows._replace(start=here), beside.view(np.uint64), start[:count], box[:count], length[:count], base,
            shape[2], size,
        )  # fmt: skip

    def places_of(self, cells: Array) -> Array:
        """Flat indices of the lattice as places here (int64), for cells that are kept."""
        line, k = np.divmod(cells.astype(np.int64, copy=False), self.line_cells)
        return np.asarray(self.base[line] + k)


@njit(**COMPILED)
def _lay_out(active, active_length, nx, ny, nz, base, start, box, length, here, beside):  # type: ignore[no-untyped-def]
    """Fills all but the first five; how many rows are kept, and the cells of them all."""
    low, high, filled = np.full(nx * ny, nz), np.zeros(nx * ny, np.int64), np.zeros(nx * ny, np.int64)
    for r in range(active.size):
        line, k = np.int64(active[r]) // nz, np.int64(active[r]) % nz
        past = k + active_length[r]
        low[line], high[line] = min(low[line], k - 1), max(high[line], past + 1)
        filled[line] = k - (-active_length[r] // WIDEST) * WIDEST
        for other in (line - ny, line + ny, line - 1, line + 1):
            low[other], high[other] = min(low[other], k), max(high[other], past)
    count, size = 0, 0
    for line in range(nx * ny):
        if high[line] <= low[line]:
            continue
        first = max(low[line], 0) // VECTOR_CELLS * VECTOR_CELLS
        past = min(high[line], nz)
        base[line] = size - first
        start[count], box[count], length[count] = size, line * nz + first, past - first
        size += -(-(max(past, filled[line]) - first) // VECTOR_CELLS) * VECTOR_CELLS
        count += 1
    for r in range(active.size):
        line, k = np.int64(active[r]) // nz, np.int64(active[r]) % nz
        here[r] = base[line] + k
        beside[r, 0], beside[r, 1] = base[line - ny] - base[line], base[line + ny] - base[line]
        beside[r, 2], beside[r, 3] = base[line - 1] - base[line], base[line + 1] - base[line]
    return count, size
