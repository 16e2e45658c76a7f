"""Active voxels as rows along k: one span per row of elements, and of nodes; nothing is stored for the void outside.

The tables are int64 (rows, 3): first index, index after the last, and where index 0 of the row would lie in the flat
array. Elements of row (i, j) touch the node rows (i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trocar.errors import SolverError

Array = NDArray[Any]
Table = NDArray[np.int64]
PARTS = 8  # slabs of the work, fixed: sums are added in their order, so results do not depend on the threads


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Spans of the elements and nodes of a lattice of `shape` elements, and the slabs that share its layers."""

    shape: tuple[int, int, int]
    cells: Table
    nodes: Table
    bounds: Table

    @classmethod
    def spanning(cls, shape: tuple[int, int, int], low: Array, high: Array) -> Self:
        """Rows whose elements reach from `low` to `high` ([i, j] int; empty where high <= low)."""
        nx, ny, nz = shape
        empty = high <= low
        node_low, node_high = np.full((nx + 1, ny + 1), nz + 1), np.zeros((nx + 1, ny + 1), int)
        for a in (0, 1):
            for b in (0, 1):
                at = (slice(a, nx + a), slice(b, ny + b))
                node_low[at] = np.minimum(node_low[at], np.where(empty, nz + 1, low))
                node_high[at] = np.maximum(node_high[at], np.where(empty, 0, high + 1))
        cells, nodes = _table(low, np.where(empty, low, high)), _table(node_low, np.maximum(node_high, node_low))
        work = np.cumsum((cells[:, 1] - cells[:, 0]).reshape(nx, ny).sum(axis=1))
        if work[-1] == 0:
            raise SolverError("nothing is stiff in this lattice", hint="check the bone mask")
        shares = np.searchsorted(work, work[-1] * np.arange(1, PARTS) / PARTS) + 1
        bounds = np.unique(np.clip(np.concatenate([[0], shares, [nx]]), 0, nx)).astype(np.int64)
        return cls(shape, cells, nodes, bounds)

    @classmethod
    def around(cls, active: Array, multiple: int = 1) -> Self:
        """Rows that hold the active elements [i, j, k], on a lattice padded to a multiple along each axis."""
        shape = tuple(-(-n // multiple) * multiple for n in active.shape)
        low, high = np.zeros(shape[:2], int), np.zeros(shape[:2], int)
        some = active.any(axis=2)
        nx, ny, nz = active.shape
        low[:nx, :ny] = np.where(some, active.argmax(axis=2), 0)
        high[:nx, :ny] = np.where(some, nz - active[:, :, ::-1].argmax(axis=2), 0)
        return cls.spanning((shape[0], shape[1], shape[2]), low, high)

    def coarsened(self) -> "Rows":
        """Rows of elements twice as large that cover these."""
        nx, ny, nz = self.shape
        low, high = (self.cells[:, n].reshape(nx // 2, 2, ny // 2, 2) for n in (0, 1))
        empty = high <= low
        coarse_low = np.where(empty, nz, low).min(axis=(1, 3)) // 2
        coarse_high = -(-np.where(empty, 0, high).max(axis=(1, 3)) // 2)
        none = coarse_high <= coarse_low
        return Rows.spanning((nx // 2, ny // 2, nz // 2), np.where(none, 0, coarse_low), np.where(none, 0, coarse_high))

    @property
    def cell_count(self) -> int:
        return int(self.cells[-1, 1] + self.cells[-1, 2])

    @property
    def node_count(self) -> int:
        return int(self.nodes[-1, 1] + self.nodes[-1, 2])

    @property
    def plane(self) -> int:
        return (self.shape[1] + 1) * (self.shape[2] + 1)

    def gathered(self, dense: Array, *, of_nodes: bool) -> Array:
        """(stored,) values of a dense array [i, j, k], which may be smaller than the lattice, in the rows' order."""
        values = np.zeros(self.node_count if of_nodes else self.cell_count, dense.dtype)
        for inside, part, (ny, nz), i in self._layers(of_nodes=of_nodes):
            if i < dense.shape[0]:
                layer = np.zeros(inside.shape, dense.dtype)
                layer[: dense.shape[1], : dense.shape[2]] = dense[i, :ny, :nz]
                values[part] = layer[inside]
        return values

    def scattered(self, values: Array, shape: tuple[int, ...], *, of_nodes: bool, fill: float = 0.0) -> Array:
        """A dense array of `shape`, which may be smaller than the lattice, of (stored,) values."""
        dense = np.full(shape, fill, values.dtype)
        for inside, part, _, i in self._layers(of_nodes=of_nodes):
            if i < shape[0]:
                layer = np.full(inside.shape, fill, values.dtype)
                layer[inside] = values[part]
                dense[i] = layer[: shape[1], : shape[2]]
        return dense

    def _layers(self, *, of_nodes: bool) -> Iterator[tuple[Array, slice, tuple[int, int], int]]:
        """For each layer i: which of its [j, k] are stored, where, the layer's shape, and i."""
        table = self.nodes if of_nodes else self.cells
        width, height = (n + of_nodes for n in self.shape[1:])
        k, at = np.arange(height), 0
        for i, rows in enumerate(table.reshape(-1, width, 3)):
            inside = (rows[:, :1] <= k) & (k < rows[:, 1:2])
            count = int((rows[:, 1] - rows[:, 0]).sum())
            yield inside, slice(at, at + count), (width, height), i
            at += count

    def numbers(self, low: Array, high: Array, *, of_nodes: bool) -> Array:
        """[i, j, k] numbers of the stored elements (or nodes) from `low` to before `high`, -1 where there are none."""
        found = np.full(high - low, -1)
        size = np.array(self.shape) + of_nodes
        first, after = np.clip(low, 0, size), np.clip(high, 0, size)
        rows = (self.nodes if of_nodes else self.cells).reshape(size[0], size[1], 3)
        rows, k = rows[first[0] : after[0], first[1] : after[1]], np.arange(first[2], after[2])
        inside = (rows[..., :1] <= k) & (k < rows[..., 1:2])
        part = tuple(slice(a, b) for a, b in zip(first - low, after - low, strict=True))
        found[part] = np.where(inside, rows[..., 2:] + k, -1)
        return found

    def indices(self, *, of_nodes: bool) -> tuple[Array, Array, Array]:
        """Indices i, j, k of every stored node (or element), in order."""
        table = self.nodes if of_nodes else self.cells
        width = self.shape[1] + (1 if of_nodes else 0)
        length = table[:, 1] - table[:, 0]
        row = np.repeat(np.arange(len(table)), length)
        k = np.arange(row.size) - table[row, 2]
        return row // width, row % width, k


def _table(low: Array, high: Array) -> Table:
    length = (high - low).ravel()
    at = np.cumsum(length) - length - low.ravel()
    return np.ascontiguousarray(np.stack([low.ravel(), high.ravel(), at], axis=1), np.int64)
