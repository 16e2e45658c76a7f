"""Which cells heat has reached: one span of cells per row of the lattice, grown as the front moves.

A resting lattice is in balance, so cells farther from any disturbance than heat can travel in a step need no work.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.threads import PARTS, gate, meet, share, together

VECTOR_CELLS = 8  # rows end on whole vectors of the processor: scalar tails cost more than idle cells
TOUCHED_K = 0.03  # a cell farther than this from rest has been reached
LEAST_REACH = 3  # cells that heat may pass in a step, however few its stages
REACH_M = 8e-3  # beyond touched cells: the tail of warmth farther out is what resting cells give for nothing


class Rows(NamedTuple):
    """The active cells: `start` flat index and `length` of each row, and `bounds` of equal shares of work.

    `passed`: (rows, 2) the first and past-the-last of a row's cells that go along but are not counted, if any.
    """

    start: NDArray[np.uint64]
    length: NDArray[np.int64]
    bounds: NDArray[np.int64]
    passed: NDArray[np.int64]

    @classmethod
    def of(
        cls, start: NDArray[np.uint64], length: NDArray[np.int64], passed: NDArray[np.int64] | None = None
    ) -> "Rows":
        """Rows in equal shares of work."""
        none = np.zeros((length.size, 2), np.int64) if passed is None else passed
        return cls(start, length, shares(length, PARTS), none)


@dataclass(slots=True, eq=False)
class Spans:
    """The first and past-the-last active k of every row [i, j]; both 0 where a row is at rest."""

    shape: tuple[int, int, int]
    multiple: int = VECTOR_CELLS  # of cells in a row
    aligned: bool = False  # whether rows begin on a multiple too
    low: NDArray[Any] = field(init=False)
    high: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.low = np.zeros(self.shape[:2], np.int32)
        self.high = np.zeros(self.shape[:2], np.int32)

    def cover(self, touched: NDArray[Any]) -> None:
        """Take in the cells of a boolean mask [i, j, k]."""
        rows = touched.any(axis=2)
        first = np.argmax(touched, axis=2)
        last = self.shape[2] - np.argmax(touched[:, :, ::-1], axis=2)
        fresh = rows & (self.high == 0)
        self.low[fresh], self.high[fresh] = first[fresh], last[fresh]
        known = rows & ~fresh
        self.low[known] = np.minimum(self.low[known], first[known])
        self.high[known] = np.maximum(self.high[known], last[known])

    def grow(self, values: NDArray[Any], between: tuple[float, float], *, reach: int) -> None:
        """Let each span reach `reach` cells beyond every cell whose value lies outside `between`, in all directions."""
        low, high = np.empty_like(self.low), np.empty_like(self.high)
        below, above = np.float32(between[0]), np.float32(between[1])
        together(_touched, values, below, above, self.low, self.high, low, high)
        _dilate(self.low, self.high, low, high, reach, self.shape[2], self.multiple, self.aligned)

    def grow_with(
        self, inner: "Spans", values: NDArray[Any], between: tuple[float, float], comfort: tuple[float, float], *,
        reach: int, inner_reach: int,
    ) -> None:  # fmt: skip
        """`grow`, then let `inner` reach beyond the cells of these spans outside `comfort`: in one call."""
        marked, met = (np.empty_like(self.low), np.empty_like(self.high)), gate()
        both = tuple(
            ((np.float32(low), np.float32(high)), spans.low, spans.high, far, spans.multiple, spans.aligned)
            for spans, (low, high), far in ((self, between, reach), (inner, comfort, inner_reach))
        )
        together(_grow, met, values, marked, *both, gate=met)

    def enclose(self, others: "Spans", *, reach: int = 1) -> None:
        """Take in other spans and the cells within reach of them."""
        low, high = np.where(others.high > 0, others.low, self.shape[2]).astype(np.int32), others.high
        _dilate(self.low, self.high, low, high, reach, self.shape[2], self.multiple, self.aligned)

    def same_as(self, other: "Spans") -> bool:
        """Whether both are the same cells."""
        return np.array_equal(self.low, other.low) and np.array_equal(self.high, other.high)

    def copy(self) -> "Spans":
        """Spans of their own."""
        found = Spans(self.shape, self.multiple, self.aligned)
        found.low[:], found.high[:] = self.low, self.high
        return found

    def rows(self) -> Rows:
        """The active cells."""
        start, length = np.empty(self.low.size, np.uint64), np.empty(self.low.size, np.int64)
        count = _list(self.low, self.high, self.shape[2], start, length)
        return Rows.of(start[:count], length[:count])


def strides(shape: tuple[int, int, int]) -> tuple[np.uint64, np.uint64]:
    """How far the next cell along i and along j is in a box."""
    return np.uint64(shape[1] * shape[2]), np.uint64(shape[2])


def beside_in_box(count: int, shape: tuple[int, int, int]) -> NDArray[np.uint64]:
    """`stage.play`'s `beside` of rows that lie in a box."""
    along_i, along_j = (int(stride) for stride in strides(shape))
    return np.full((count, 4), (-along_i, along_i, -along_j, along_j), np.int64).view(np.uint64)


def reach(count: int, spacing_m: float) -> int:
    """How many cells beyond the touched ones are active in a step of `count` stages."""
    return max(LEAST_REACH, (count + 3) // 4, ceil(REACH_M / spacing_m - 1e-6))


@njit(**COMPILED)
def _list(low, high, nz, start, length):  # type: ignore[no-untyped-def]
    count = 0
    for i in range(low.shape[0]):
        for j in range(low.shape[1]):
            if high[i, j] > low[i, j]:
                start[count] = (i * low.shape[1] + j) * nz + low[i, j]
                length[count] = high[i, j] - low[i, j]
                count += 1
    return count


@njit(**COMPILED)
def shares(length, parts):  # type: ignore[no-untyped-def]
    """(parts + 1) bounds of shares of rows with about equal work."""
    bounds = np.zeros(parts + 1, np.int64)
    total = length.sum()
    done, part = 0, 1
    for row in range(length.size):
        while part < parts and done * parts >= total * part:
            bounds[part] = row
            part += 1
        done += length[row]
    bounds[part:] = length.size
    return bounds


@njit(**COMPILED)
def _touched(number, threads, values, below, above, low, high, out_low, out_high):  # type: ignore[no-untyped-def]
    nx, ny, nz = values.shape
    begin, end = share(nx, number, threads)
    for i in range(begin, end):
        for j in range(ny):
            first, past = nz, 0
            if high[i, j] > low[i, j]:
                k = low[i, j]
                while k < high[i, j] and below <= values[i, j, k] <= above:
                    k += 1
                if k < high[i, j]:
                    first = k
                    k = high[i, j] - 1
                    while below <= values[i, j, k] <= above:
                        k -= 1
                    past = k + 1
            out_low[i, j], out_high[i, j] = first, past


@njit(**COMPILED)
def _grow(number, threads, gate, values, marked, spans, inner):  # type: ignore[no-untyped-def]
    """A thread's share of `Spans.grow_with`."""
    for between, low, high, reach, multiple, aligned in (spans, inner):
        _touched(number, threads, values, between[0], between[1], spans[1], spans[2], marked[0], marked[1])
        meet(gate, threads)
        if number == 0:
            _dilate(low, high, marked[0], marked[1], reach, values.shape[2], multiple, aligned)
        meet(gate, threads)


@njit(**COMPILED)
def _dilate(low, high, touched_low, touched_high, reach, nz, multiple, aligned):  # type: ignore[no-untyped-def]
    nx, ny = low.shape
    along_j_low, along_j_high = np.full((nx, ny), nz, np.int32), np.zeros((nx, ny), np.int32)
    for i in range(nx):
        for shift in range(-reach, reach + 1):
            begin, end = max(0, -shift), min(ny, ny - shift)
            if begin < end:
                _widen(along_j_low[i, begin:end], along_j_high[i, begin:end], touched_low[i, begin + shift :],
                       touched_high[i, begin + shift :])  # fmt: skip
    around_low, around_high = np.empty(ny, np.int32), np.empty(ny, np.int32)
    for i in range(1, nx - 1):
        around_low[:], around_high[:] = nz, 0
        for q in range(max(0, i - reach), min(nx, i + reach + 1)):
            _widen(around_low, around_high, along_j_low[q], along_j_high[q])
        for j in range(1, ny - 1):
            if around_high[j] == 0:
                continue
            first, past = max(1, around_low[j] - reach), min(nz - 1, around_high[j] + reach)
            if high[i, j] > low[i, j]:
                first, past = min(first, low[i, j]), max(past, high[i, j])
            if aligned:
                first = max(1, first // multiple * multiple)
            wanted = ((past - first + multiple - 1) // multiple) * multiple
            if not aligned:
                first = max(1, first - (wanted - (past - first)) // 2)
            past = max(past, min(nz - 1, first + wanted))
            low[i, j], high[i, j] = first, past


@njit(**KERNEL)
def _widen(low, high, other_low, other_high):  # type: ignore[no-untyped-def]
    """Take in as many other spans."""
    for n in range(low.size):
        k = np.uint64(n)
        low[k], high[k] = min(low[k], other_low[k]), max(high[k], other_high[k])
