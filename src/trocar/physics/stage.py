"""One super-step on the active rows of a lattice: every stage of it runs here, compiled, on all threads."""

from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.compiled import CELL, COMPILED
from trocar.physics.enthalpy import Curve, Flat, Law
from trocar.physics.lattice import PackedFaces
from trocar.physics.medium import Array
from trocar.physics.memory import places
from trocar.physics.source import Needles, Pieces, draw, mean_drives, ranges, take
from trocar.physics.spans import Rows
from trocar.physics.sweep import perfuse, step_rows, temperatures
from trocar.physics.threads import gate, meet, share, together
from trocar.physics.vectors import LANES

_flow = CELL.face_flow
F = np.float32

MARGIN_K = np.float32(2)  # tissue so far from freezing and from boiling does neither within a step


class Fields(NamedTuple):
    """The moving arrays, twice each: reduced enthalpy, temperature and its ice integral, flat float32.

    Outside the active rows both copies are the same.
    """

    u: tuple[Flat, Flat]
    t: tuple[Flat, Flat]
    ice: tuple[Flat, Flat]


def fields_of(u: Flat, curve: Curve, law: Law) -> Fields:
    """Both copies of flat fields that have this reduced enthalpy."""
    first, t, ice, second, t_second, ice_second = places(6, u.size)
    first[:] = u
    together(_settle, first, curve, law, t, ice)
    for copy, values in ((second, first), (t_second, t), (ice_second, ice)):
        copy[:] = values
    return Fields((first, second), (t, t_second), (ice, ice_second))


class Blood(NamedTuple):
    """Perfusion: Pennes' coefficient, the share of vessels still open, and the product of this moment (flat).

    `sink`, if any, is added to the product: what flows into held parts of coarse cells.
    """

    coefficient: Flat
    open_frac: Flat
    now: Flat
    sink: Flat


class Gates(NamedTuple):
    """Faces through which the heat of a super-step is counted: the cells within and beyond, and the face itself."""

    within: Flat
    beyond: Flat
    face: Flat
    axis: Flat
    heat: Flat  # J/m3 into the cell within, two rows: of the latest stage and of the one before


_NONE = np.zeros(0, np.int64)
NO_GATES = Gates(_NONE, _NONE, _NONE, _NONE, np.zeros((2, 0), np.float32))


class Working(NamedTuple):
    """All that a super-step reads and writes, cell by cell; `source` in W/m3."""

    fields: Fields
    faces: PackedFaces
    curve: Curve
    blood: Blood
    source: Flat


class Scratch(NamedTuple):
    """What the threads of a super-step share."""

    heat: Array  # of each part of the rows, at this stage
    means: Flat  # of each piece
    moved: Array  # joules: the newest, those a stage before, and the watts of this stage
    gate: Array


class Course(NamedTuple):
    """What `super_step` takes beside a thread's number and how many there are."""

    working: Working
    law: Law
    rows: Rows
    beside: Array
    stages: Array
    pieces: Pieces
    needles: Needles
    gates: Gates
    scratch: Scratch
    per_cell: np.float32
    warm: Array
    boils: bool
    multiple: int
    longest: int


def course(
    working: Working, law: Law, cell_m3: float, rows: Rows, beside: Array, stages: Array, pieces: Pieces,
    needles: Needles, *, gates: Gates = NO_GATES, warm: Array | None = None, boils: bool = True, multiple: int = 1,
) -> Course:  # fmt: skip
    """All stages of a super-step: the newest fields end in the second copies after an odd number of stages.

    `stages`: (n, 3) float32 (`stepping.stages`). `beside`: (rows, 4) uint64, how far the cells before and after those
    of a row are along i and along j. `warm`: rows in which nothing freezes or boils; `boils`: whether anything may.
    `multiple`: cells that do not move follow every row, up to a multiple of so many.
    """
    scratch = Scratch(
        np.zeros(rows.bounds.size - 1), np.empty(pieces.strength_m.size, np.float32),
        np.zeros((3, 1 + needles.kind.size)), gate(),
    )  # fmt: skip
    return Course(
        working, law, rows, beside, stages, pieces, needles, gates, scratch, np.float32(1 / cell_m3),
        np.zeros(rows.length.size, bool) if warm is None else warm, boils and working.curve.vapor.size > 0, multiple,
        -(-int(rows.length.max(initial=1)) // multiple) * multiple,
    )  # fmt: skip


def play(course: Course) -> Array:
    """The joules that blood and held cells brought (first) and each needle drew, summed in a fixed order."""
    together(super_step, course, gate=course.scratch.gate)
    return course.scratch.moved[0]


@njit(**COMPILED)
def super_step(number, threads, course):  # type: ignore[no-untyped-def]
    """One thread's share of a `Course`; its joules are in `scratch.moved` (`play`)."""
    working, law, rows, beside, stages, pieces, needles, gates, scratch, per_cell = course[:10]
    warm, boils, multiple, longest = course[10:]
    fields, faces, curve, blood, source = working
    start, length, bounds, passed = rows
    (ax, ay, az, bx, by, bz), thawed, freezing = faces.numbers, faces.thawed, faces.freezing
    heat, means, moved, gate = scratch
    parts = bounds.size - 1
    first, past = share(parts, number, threads)
    first_gate, past_gate = share(gates.within.size, number, threads)
    brought = np.empty(longest, np.float32)
    first_cell, past_cell = _touched(pieces, start, bounds[first], bounds[past], number, threads)
    first_piece, past_piece = share(pieces.needle.size, number, threads)
    within = ranges(pieces.runs, first_cell, past_cell)
    drawn, bare = np.empty((2, pieces.cells.size + LANES), np.float32)
    watts, total = np.zeros(pieces.strength_m.size, np.float32), np.zeros(1 + needles.kind.size)
    for g in range(first_gate, past_gate):
        gates.heat[0, g], gates.heat[1, g] = 0, 0
    before = 0
    for c in range(first_cell, past_cell):
        bare[c] = source[pieces.cells[c]]
    meet(gate, threads)
    for s in range(stages.shape[0]):
        beyond, weight_s, looking = stages[s, 0], stages[s, 1], stages[s, 2] > 0
        t, ice = fields.t[before], fields.ice[before]
        u, u_new, t_new, ice_new = fields.u[before], fields.u[1 - before], fields.t[1 - before], fields.ice[1 - before]
        if watts.size:
            mean_drives(pieces, t, ice, means, first_piece, past_piece)
            meet(gate, threads)
            draw(pieces, needles, means, law, watts, total)
            take(pieces, within, watts, per_cell, bare, drawn, source, first_cell, past_cell)
        for part in range(first, past):
            if looking:
                perfuse(
                    t, blood.coefficient, blood.open_frac, blood.sink, blood.now, start, length, bounds, warm, part,
                    beside, law.liquidus, law.inverse_interval,
                )  # fmt: skip
            heat[part] = step_rows(
                u, u_new, t, t_new, ice, ice_new, ax, ay, az, bx, by, bz, thawed, freezing, curve.mush, curve.frozen,
                curve.inverse, curve.vapor, blood.now, source, start, length, bounds, passed, warm, part, beyond,
                weight_s, beside, law.rest, law.liquidus, law.interval, law.half_inverse, law.half_slope, law.boil,
                law.boil_interval, boils, multiple, brought,
            )  # fmt: skip
        _pass(gates, first_gate, past_gate, t, ice, faces, beyond, weight_s)
        meet(gate, threads)
        before = 1 - before
        if number == 0:
            _book(moved, heat, total, per_cell, beyond, weight_s)
        if not watts.size:
            meet(gate, threads)
    for c in range(first_cell, past_cell):
        source[pieces.cells[c]] = bare[c]


@njit(**COMPILED)
def _touched(pieces, start, first_row, past_row, number, threads):  # type: ignore[no-untyped-def]
    """The range of the touched cells that lie in a thread's rows."""
    first = 0 if number == 0 else _before(pieces.cells, start, first_row)
    past = pieces.cells.size if number == threads - 1 else _before(pieces.cells, start, past_row)
    return first, past


@njit(**COMPILED)
def _before(cells, start, row):  # type: ignore[no-untyped-def]
    """How many cells lie before a row."""
    return np.searchsorted(cells, start[row]) if row < start.size else cells.size


@njit(**COMPILED)
def _book(moved, heat, total, per_cell, beyond, weight_s):  # type: ignore[no-untyped-def]
    """The joules of a stage, by the same recursion as the fields'."""
    for n in range(total.size):
        moved[2, n] = total[n]
    for part in range(heat.size):
        moved[2, 0] += heat[part] / per_cell
    for n in range(moved.shape[1]):
        newest = moved[0, n] + beyond * (moved[0, n] - moved[1, n]) + weight_s * moved[2, n]
        moved[1, n] = moved[0, n]
        moved[0, n] = newest


@njit(**COMPILED)
def _settle(number, threads, u, curve, law, t, ice):  # type: ignore[no-untyped-def]
    first, past = share(u.size, number, threads)
    temperatures(u[first:past], curve.mush[first:past], curve.frozen[first:past], curve.vapor[first:past], law,
                 curve.vapor.size > 0, t[first:past], ice[first:past])  # fmt: skip


@njit(**COMPILED)
def _pass(gates, first, past, t, ice, faces, beyond, weight_s):  # type: ignore[no-untyped-def]
    """The heat through a share of the gates, by the same recursion as the fields'."""
    (ax, ay, az, bx, by, bz), thawed, freezing = faces.numbers, faces.thawed, faces.freezing
    for g in range(first, past):
        within, other, face = gates.within[g], gates.beyond[g], gates.face[g]
        if gates.axis[g] == 0:
            a, b = ax[face], bx[face]
        elif gates.axis[g] == 1:
            a, b = ay[face], by[face]
        else:
            a, b = az[face], bz[face]
        now = _flow(thawed * F(a), freezing * F(b), t[within], t[other], ice[within], ice[other])
        newest = gates.heat[0, g] + beyond * (gates.heat[0, g] - gates.heat[1, g]) + weight_s * now
        gates.heat[1, g] = gates.heat[0, g]
        gates.heat[0, g] = newest
