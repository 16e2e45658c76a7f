"""The active rows of a lattice side by side in memory, where a super-step goes through them many times.

In a box they are short and far apart: no processor foresees the next one, and each of some fifteen arrays waits for it.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numba import njit

from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.enthalpy import Curve, Flat, Law
from trocar.physics.lattice import Faces, Lattice, PackedFaces
from trocar.physics.medium import Array
from trocar.physics.memory import LINE_CELLS, half_places, places
from trocar.physics.source import Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import Blood, Fields, Working
from trocar.physics.threads import share, together

ROOM_TO_GROW = 1.3  # of the cells that a packing is first made for
MOVING, FIXED = 9, 5  # arrays of four bytes: two copies of each field, open vessels, perfusion, source; curve and blood

_ice_integral = CELL.ice_integral


class Layout(NamedTuple):
    """Where rows lie: each with the cells around it that it looks at, which are never moved.

    `start`, `box`, `length`: of every row kept, where it begins here and in the lattice, and its cells. `base`: per
    line [i, j] of the lattice, what turns k into a place here. `rows` are the active ones as they lie here, and
    `beside` (rows, 4) how far the cells before and after each along i and j are.
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
        """Flat indices of the lattice as places here."""
        line, k = np.divmod(cells.astype(np.int64), self.line_cells)
        return (self.base[line] + k).astype(np.uint64)


@dataclass(slots=True, eq=False)
class Packed:
    """A lattice's active rows with all that a super-step reads and writes, and the pieces of its needles."""

    layout: Layout
    working: Working
    pieces: Pieces
    _of: tuple[Rows, Pieces]  # as the lattice numbers them
    _floats: list[Flat]
    _shorts: list[Flat]

    @classmethod
    def of(cls, lattice: Lattice, rows: Rows, pieces: Pieces, before: "Packed | None") -> "Packed":
        """What does not move is copied; room that served before serves again where it is enough."""
        layout = Layout.of(rows, lattice.shape)
        room = layout.size + LINE_CELLS
        if before is not None and before._floats[0].size >= room:
            floats, shorts = before._floats, before._shorts
        else:
            room, vapor = int(ROOM_TO_GROW * room), int(lattice.curve.vapor.size > 0)
            floats = places(MOVING + FIXED - 1 + vapor, room)
            shorts = half_places(3, room, np.uint16) + half_places(3, room, np.int16)
            for values in floats[:MOVING]:
                values[:] = 0
        return cls(layout, _working(lattice, layout, floats, shorts), pieces._replace(
            cells=layout.places_of(pieces.cells)), (rows, pieces), floats, shorts)  # fmt: skip

    def is_of(self, rows: Rows, pieces: Pieces) -> bool:
        """Whether these are the ones that were packed."""
        return self._of[0] is rows and self._of[1] is pieces

    def load(self, u: Flat, t: Flat, open_frac: Flat, source: Flat, law: Law) -> None:
        """Take the state of the lattice."""
        fields, at = self.working.fields, self.layout
        together(
            _load, at.start, at.box, at.length, (u, open_frac, source),
            (fields.u[0], self.working.blood.open_frac, self.working.source), t, fields.t, fields.ice, law,
        )  # fmt: skip

    def unload(self, newest: int, u: Flat, t: Flat, before_degC: Flat, rows: Rows) -> None:
        """Give the active rows, as the lattice numbers them, their state; `before_degC` receives what `t` was."""
        fields = self.working.fields
        together(_unload, self.layout.rows.start, rows.start, rows.length, fields.u[newest], fields.t[newest], u, t,
                 before_degC)  # fmt: skip


def _working(lattice: Lattice, layout: Layout, floats: list[Flat], shorts: list[Flat]) -> Working:
    """The arrays of a super-step, those that do not move filled from the lattice's."""
    u, u_new, t, t_new, ice, ice_new, open_frac, now, source = floats[:MOVING]
    curve, faces, none = lattice.curve, lattice.faces, np.zeros(0, np.float32)
    fixed = [curve.mush, curve.frozen, curve.inverse, lattice.blood, *([curve.vapor] if curve.vapor.size else [])]
    numbers = Faces(*shorts)
    at = layout.start, layout.box, layout.length
    together(_gather, *at, tuple(fixed), tuple(floats[MOVING:]))
    together(_gather, *at, tuple(faces.numbers[:3]), tuple(numbers[:3]))
    together(_gather, *at, tuple(faces.numbers[3:]), tuple(numbers[3:]))
    mush, frozen, inverse, blood, *vapor = floats[MOVING:]
    return Working(
        Fields((u, u_new), (t, t_new), (ice, ice_new)),
        PackedFaces(numbers, faces.thawed, faces.freezing),
        Curve(mush, frozen, inverse, *vapor or [none]),
        Blood(blood, open_frac, now, none),
        source,
    )


@njit(**COMPILED)
def _lay_out(active, active_length, nx, ny, nz, base, start, box, length, here, beside):  # type: ignore[no-untyped-def]
    """Fills all but the first five; how many rows are kept, and the cells of them all."""
    low, high = np.full(nx * ny, nz), np.zeros(nx * ny, np.int64)
    for r in range(active.size):
        line, k = np.int64(active[r]) // nz, np.int64(active[r]) % nz
        past = k + active_length[r]
        low[line], high[line] = min(low[line], k - 1), max(high[line], past + 1)
        for other in (line - ny, line + ny, line - 1, line + 1):
            low[other], high[other] = min(low[other], k), max(high[other], past)
    count, size = 0, 0
    for line in range(nx * ny):
        if high[line] <= low[line]:
            continue
        first = max(low[line], 0) // LINE_CELLS * LINE_CELLS
        past = min(high[line], nz)
        base[line] = size - first
        start[count], box[count], length[count] = size, line * nz + first, past - first
        size += -(-(past - first) // LINE_CELLS) * LINE_CELLS
        count += 1
    for r in range(active.size):
        line, k = np.int64(active[r]) // nz, np.int64(active[r]) % nz
        here[r] = base[line] + k
        beside[r, 0], beside[r, 1] = base[line - ny] - base[line], base[line + ny] - base[line]
        beside[r, 2], beside[r, 3] = base[line - 1] - base[line], base[line + 1] - base[line]
    return count, size


@njit(**COMPILED)
def _gather(number, threads, start, box, length, sources, targets):  # type: ignore[no-untyped-def]
    begin, end = share(start.size, number, threads)
    for r in range(begin, end):
        for n in range(len(sources)):
            _copy(sources[n], box[r], targets[n], start[r], length[r])


@njit(**KERNEL)
def _copy(values, first, into, place, count):  # type: ignore[no-untyped-def]
    for k in range(count):
        into[np.uint64(place + k)] = values[np.uint64(first + k)]


@njit(**COMPILED)
def _load(number, threads, start, box, length, sources, targets, t, temperatures, ices, law):  # type: ignore[no-untyped-def]
    begin, end = share(start.size, number, threads)
    for r in range(begin, end):
        for n in range(len(sources)):
            _copy(sources[n], box[r], targets[n], start[r], length[r])
        _copy_with_ice(
            t, box[r], temperatures[0], temperatures[1], ices[0], ices[1], start[r], length[r], law.liquidus,
            law.interval, law.half_inverse, law.half_slope,
        )  # fmt: skip


@njit(**KERNEL)
def _copy_with_ice(  # type: ignore[no-untyped-def]
    t, first, into, second, ice, second_ice, place, count, liquidus, interval, half_inverse, half_slope
):
    for k in range(count):
        now = t[np.uint64(first + k)]
        g = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
        q = np.uint64(place + k)
        into[q], second[q], ice[q], second_ice[q] = now, now, g, g


@njit(**COMPILED)
def _unload(number, threads, start, box, length, u, t, into_u, into_t, before):  # type: ignore[no-untyped-def]
    begin, end = share(start.size, number, threads)
    for r in range(begin, end):
        _return(u, t, start[r], into_u, into_t, before, box[r], length[r])


@njit(**KERNEL)
def _return(u, t, first, into_u, into_t, before, place, count):  # type: ignore[no-untyped-def]
    for k in range(count):
        p, q = place + np.uint64(k), first + np.uint64(k)
        before[p] = into_t[p]
        into_t[p] = t[q]
        into_u[p] = u[q]
