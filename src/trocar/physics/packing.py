"""The active rows of a lattice side by side in memory, where a super-step goes through them many times: decision 0040.

In a box they are short and far apart: no processor foresees the next one, and each of some fifteen arrays waits for it.
What does not move (curves, faces, blood) is made for the active rows only, from the tissue.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from trocar.physics.arrays import Tissue
from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.enthalpy import Curve, Flat, Law
from trocar.physics.ground import AXES, lay_ground, shut
from trocar.physics.lattice import Faces
from trocar.physics.layout import WIDEST, Layout
from trocar.physics.medium import Array, Medium
from trocar.physics.memory import half_places, places
from trocar.physics.rates import fastest_rows
from trocar.physics.source import Pieces
from trocar.physics.spans import Rows
from trocar.physics.stage import Blood, Fields, Working
from trocar.physics.threads import PARTS, gate, meet, share, together

ROOM_TO_GROW = 2.0  # of the cells that a packing is first made for: what is not used is not touched
MOVING, FIXED = 9, 5  # arrays of four bytes: two copies of each field, open vessels, perfusion, source; curve and blood
_NONE = np.zeros(0, np.float32)

_ice_integral = CELL.ice_integral


class Closed(NamedTuple):
    """Faces that conduct nothing while others count their heat, each by the cell above it (flat, -1 for none)."""

    faces: Array  # (n, 4)
    axis: Array  # (n,)
    cells: Array  # (n, 4) the cells within, which get the heat instead; -1 where that is held


NOTHING_CLOSED = Closed(np.zeros((0, 4), np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.int64))


def pouring(heat: Array, cells: Array, step_s: float) -> tuple[Array, Array, np.float32]:
    """What `Packed.load` takes for the heat (J/m3 of a coarse cell) that passed each gate within a step."""
    return heat, cells, np.float32(8.0 / step_s)


NOTHING = pouring(np.zeros(0, np.float32), np.zeros((0, 4), np.int64), 1.0)


@dataclass(slots=True, eq=False)
class Packed:
    """A lattice's active rows with all that a super-step reads and writes, and the pieces of its needles.

    `inlets`: places of `Closed.cells`.
    """

    layout: Layout
    working: Working
    pieces: Pieces
    inlets: Array
    rows: Rows  # as the lattice numbers them
    _floats: list[Flat]
    _shorts: list[Flat]

    @classmethod
    def of(
        cls, medium: Medium, tissue: Tissue, law: Law, rows: Rows, pieces: Pieces, closed: Closed | None,
        before: "Packed | None",
    ) -> "Packed":  # fmt: skip
        """Room that served before serves again where it is enough."""
        layout = Layout.of(rows, tissue.shape)
        size = layout.size + 2 * WIDEST  # beyond the last row's own
        if before is not None and before._floats[0].size >= size:
            floats, shorts = before._floats, before._shorts
        else:
            size = int(ROOM_TO_GROW * size)
            floats = places(MOVING + FIXED, size)
            shorts = half_places(AXES, size, np.uint16) + half_places(AXES, size, np.int16)
        u, u_new, t, t_new, ice, ice_new, open_frac, now, source, mush, frozen, inverse, blood, vapor = floats
        curve = Curve(mush, frozen, inverse, vapor if tissue.vapor_J.size else _NONE)
        faces = lay_ground(medium, tissue, law, layout, curve, blood, Faces(*shorts))
        fields = Fields((u, u_new), (t, t_new), (ice, ice_new))
        working = Working(fields, faces, curve, Blood(blood, open_frac, now, _NONE), source)
        shut_here, numbers = NOTHING_CLOSED if closed is None else closed, working.faces.numbers
        inlets = np.empty_like(shut_here.cells)
        together(
            _finish, *shut_here, layout.base, layout.line_cells, tuple(numbers[:AXES]), tuple(numbers[AXES:]), inlets,
            layout.rows.start, layout.rows.length, WIDEST, curve,
        )  # fmt: skip
        pieces = pieces.at(layout.places_of(pieces.cells))
        return cls(layout, working, pieces, inlets, rows, floats, shorts)

    def fastest_per_s(self, ice: float) -> float:
        """The bound on the active cells' rates where the freezing curve is nowhere beyond a value (Gershgorin)."""
        working, at, found = self.working, self.layout, np.zeros(PARTS, np.float32)
        together(
            _fastest, working.faces, working.curve, working.blood.coefficient, at.rows.start, at.rows.length, at.beside,
            np.float32(ice), found,
        )  # fmt: skip
        return float(found.max())

    def load(
        self, u: Flat, t: Flat, open_frac: Flat, heat: Flat | None, law: Law, inflow: tuple[Array, Array, np.float32]
    ) -> None:
        """Take the state of the lattice, the sources of its cells if there are any, and what passes closed faces."""
        fields, working, at, met = self.working.fields, self.working, self.layout, gate()
        given = u, open_frac, _NONE if heat is None else heat
        into = fields.u[0], working.blood.open_frac, working.source
        together(
            _load, met, at.start, at.box, at.length, given, into, t, fields.t, fields.ice, law, inflow, gate=met
        )  # fmt: skip

    def unloading(self, newest: int, u: Flat, t: Flat) -> tuple[Any, ...]:
        """What `unload` takes to give the lattice's active rows their state."""
        fields, rows = self.working.fields, self.rows
        return self.layout.rows.start, rows.start, rows.length, fields.u[newest], fields.t[newest], u, t


@njit(**COMPILED)
def _finish(  # type: ignore[no-untyped-def]
    number, threads, faces, axes, cells, base, line_cells, thawed, freezing, inlets, start, length, multiple, curve
):
    """A thread's share of what is closed, where the cells of `Closed` lie, and what follows the rows."""
    for n in range(*share(axes.size, number, threads)):
        for m in range(faces.shape[1]):
            face, cell = faces[n, m], cells[n, m]
            if face >= 0:
                shut(thawed[axes[n]], freezing[axes[n]], base[face // line_cells] + face % line_cells, 1)
            inlets[n, m] = base[cell // line_cells] + cell % line_cells if cell >= 0 else -1
    for row in range(*share(start.size, number, threads)):
        _still(start[row] + np.uint64(length[row]), -length[row] % multiple, curve)


@njit(**COMPILED)
def _still(place, count, curve):  # type: ignore[no-untyped-def]
    """Cells after a row: they do not move, and their temperature is a number."""
    one = np.float32(1)
    for k in range(count):
        p = place + np.uint64(k)
        curve.inverse[p] = 0
        curve.mush[p] = curve.mush[p] if curve.mush[p] > 0 else one  # where no cell of the lattice lies
        if curve.vapor.size:
            curve.vapor[p] = curve.vapor[p] if curve.vapor[p] > 0 else one


@njit(**COMPILED)
def _fastest(number, threads, faces, curve, taken, start, length, beside, ice, found):  # type: ignore[no-untyped-def]
    ax, ay, az, bx, by, bz = faces.numbers
    begin, end = share(start.size, number, threads)
    found[number] = fastest_rows(
        ax, ay, az, bx, by, bz, faces.thawed, faces.freezing, taken, curve.frozen, curve.inverse, start, length, beside,
        begin, end, ice, np.empty(length.max() if length.size else 1, np.float32),
    )  # fmt: skip


@njit(**COMPILED)
def _load(number, threads, gate, start, box, length, given, into, t, temperatures, ices, law, inflow):  # type: ignore[no-untyped-def]
    """A thread's share of the rows kept; `given` are u, open vessels and sources (none if empty)."""
    begin, end = share(start.size, number, threads)
    _copy(given[0], into[0], start, box, length, begin, end)
    _copy(given[1], into[1], start, box, length, begin, end)
    if given[2].size:
        _copy(given[2], into[2], start, box, length, begin, end)
    else:
        _clear(into[2], start, length, begin, end)
    _copy_with_ice(
        t, *temperatures, *ices, start, box, length, begin, end, law.liquidus, law.interval, law.half_inverse,
        law.half_slope,
    )  # fmt: skip
    meet(gate, threads)
    if number == 0:
        _pour(*inflow, into[2])


@njit(**COMPILED)
def _pour(heat, cells, scale, source):  # type: ignore[no-untyped-def]
    """Add the heat that passed each gate to the sources (W/m3) of the fine cells within."""
    for g in range(heat.size):
        free = 0
        for n in range(4):
            free += cells[g, n] >= 0
        for n in range(4):
            if cells[g, n] >= 0:
                source[cells[g, n]] += scale * heat[g] / np.float32(free)


@njit(**KERNEL)
def _clear(values, start, length, begin, end):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        for k in range(length[r]):
            values[np.uint64(start[r]) + np.uint64(k)] = 0


@njit(**KERNEL)
def _copy(values, into, start, box, length, begin, end):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        first, place = np.uint64(box[r]), np.uint64(start[r])
        for k in range(length[r]):
            into[place + np.uint64(k)] = values[first + np.uint64(k)]


@njit(**KERNEL)
def _copy_with_ice(  # type: ignore[no-untyped-def]
    t, into, second, ice, second_ice, start, box, length, begin, end, liquidus, interval, half_inverse, half_slope
):
    for r in range(begin, end):
        first, place = np.uint64(box[r]), np.uint64(start[r])
        for k in range(length[r]):
            now, q = t[first + np.uint64(k)], place + np.uint64(k)
            g = _ice_integral(now, liquidus, interval, half_inverse, half_slope)
            into[q], second[q], ice[q], second_ice[q] = now, now, g, g


@njit(**COMPILED)
def unload(number, threads, start, box, length, u, t, into_u, into_t):  # type: ignore[no-untyped-def]
    """A share of the active rows is given back to the lattice."""
    begin, end = share(start.size, number, threads)
    _return(u, t, start, box, length, begin, end, into_u, into_t)


@njit(**KERNEL)
def _return(u, t, start, box, length, begin, end, into_u, into_t):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        for k in range(length[r]):
            p, q = box[r] + np.uint64(k), start[r] + np.uint64(k)
            into_t[p] = t[q]
            into_u[p] = u[q]
