"""Needles on the lattice, wherever they lie between its cells and whatever their direction.

A needle exchanges heat along its active segment through Gaussian weights; the logarithmic profile between the needle's
surface and the Gaussian's own mean radius stands in for what the lattice cannot resolve.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.errors import SolverError
from trocar.physics.compiled import CELL, COMPILED, KERNEL
from trocar.physics.lines import Line, cut, lengthened, sigma_m
from trocar.physics.medium import Array, Medium
from trocar.physics.vectors import LANES, add_scaled, dot_pairs

SURFACE, FLUID, POWER = 0, 1, 2  # what of a needle is prescribed: its surface, the fluid within it, or its power

END_SIGMAS, END_RADII = 0.62, -1.1  # by which each end is moved outwards: fitted to ice and power of finite needles

_ice_integral, _ice_curve = CELL.ice_integral, CELL.ice_curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A needle's temperature after a switch: exponential approach from `start_degC` to `end_degC` with `time_s`.

    The temperature is that of the surface, or of the fluid within, when `exchange_W_per_m2K` couples the two.
    """

    start_degC: float
    end_degC: float
    time_s: float = 0.0
    duty: float = 1.0  # share of the time that the needle works, averaged
    exchange_W_per_m2K: float | None = None
    power_limit_W: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.start_degC, self.end_degC, self.time_s, self.duty)
        if not np.isfinite(numbers).all() or self.time_s < 0 or not 0 <= self.duty <= 1:
            raise SolverError("a needle's temperature, ramp or duty makes no sense", hint="finite, a duty of 0 to 1")
        for name in ("exchange_W_per_m2K", "power_limit_W"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SolverError(f"{name} of a needle is not positive", hint="leave it out where there is none")

    def mean_degC(self, since_s: float, step_s: float) -> float:
        """The mean over a step that begins `since_s` after the switch."""
        if self.time_s <= 0:
            return self.end_degC
        decay = np.exp(-since_s / self.time_s) - np.exp(-(since_s + step_s) / self.time_s)
        return float(self.end_degC + (self.start_degC - self.end_degC) * decay * self.time_s / step_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A needle that draws a prescribed power along its length; a negative one heats."""

    power_W: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.power_W):
            raise SolverError("a needle's power is not a number")


Drive = Ramp | Draw


class Runs(NamedTuple):
    """The cells of pieces in vectors of `LANES` cells side by side, the last ones without weight."""

    offset: NDArray[np.int64]  # (pieces + 1) rows into `cell`
    cell: NDArray[np.int64]  # index of the first into the touched cells
    weight: NDArray[np.float32]  # flat, `LANES` a run
    unfrozen: NDArray[np.float32]  # the weights times the conductivities of the cells
    freezing: NDArray[np.float32]

    @classmethod
    def of(cls, offset: Array, cell: Array, row: Array, weight: Array, unfrozen: Array, freezing: Array) -> "Runs":
        """Runs of cells that follow each other within one piece and one `row` of the lattice."""
        piece = np.repeat(np.arange(offset.size - 1), np.diff(offset))
        first = np.ones(cell.size, bool)
        first[1:] = (np.diff(cell.astype(np.int64)) != 1) | (np.diff(piece) != 0) | (np.diff(row) != 0)
        begin = np.flatnonzero(first)
        place = np.arange(cell.size) - np.repeat(begin, np.diff(np.append(begin, cell.size)))
        first |= place % LANES == 0
        run = np.cumsum(first) - 1
        lanes = np.zeros((3, int(first.sum()), LANES), np.float32)
        lanes[:, run, place % LANES] = weight, weight * unfrozen, weight * freezing
        count = np.bincount(piece[first], minlength=offset.size - 1)
        return cls(
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64), cell[first].astype(np.int64),
            *lanes.reshape(3, -1),
        )  # fmt: skip


class Pieces(NamedTuple):
    """All needles cut into pieces: sparse rows of weights over `cells`, the lattice cells that any piece touches."""

    cells: NDArray[np.uint64]
    stretch: NDArray[np.int64]  # where in `cells` those begin that do not follow the one before, and how many there are
    offset: NDArray[np.int64]  # (pieces + 1) rows into `cell` and `weight`
    cell: NDArray[np.uint32]  # index into `cells`
    weight: NDArray[np.float32]
    needle: NDArray[np.int64]  # of each piece
    strength_m: NDArray[np.float32]  # 2 pi length / ln(mean radius / needle radius)
    wall_m2: NDArray[np.float32]  # of the needle's surface
    unfrozen_W_per_mK: NDArray[np.float32]  # of each of `cells`
    freezing_W_per_mK: NDArray[np.float32]  # frozen less unfrozen
    own_unfrozen: NDArray[np.float32]  # of each piece: the weighted means of both
    own_freezing: NDArray[np.float32]
    held_share: NDArray[np.float32]  # of each piece: the weight of cells whose temperature is held
    runs: Runs

    def at(self, places: Array) -> "Pieces":
        """With their cells elsewhere, in the same order."""
        return self._replace(cells=places.astype(np.uint64), stretch=_stretches(places))


class Needles(NamedTuple):
    """What drives each needle in a super-step: `kind` of what is prescribed, `value` in degC or W, float32."""

    kind: NDArray[np.int64]
    value: NDArray[np.float32]
    duty: NDArray[np.float32]
    exchange_W_per_m2K: NDArray[np.float32]
    limit_W: NDArray[np.float32]


def pieces_of(lines: tuple[Line, ...], medium: Medium) -> Pieces:
    """The needles' exchange with the lattice. Raises `SolverError` for a needle of no length or outside the lattice."""
    if not lines:
        return NO_PIECES
    cuts = [cut(_with_ends(line, medium.spacing_m), medium.shape, medium.spacing_m) for line in lines]
    sizes, pieces = np.concatenate([each.sizes for each in cuts]), [each.sizes.size for each in cuts]
    flat = np.concatenate([each.cells for each in cuts])
    weight = np.concatenate([each.weights for each in cuts]).astype(np.float32)
    touched, cell = _numbered(flat, medium.held.size)
    number, offset = np.repeat(np.arange(sizes.size), sizes), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    warm = medium.unfrozen_W_per_mK.reshape(-1)[touched].astype(np.float32)
    cold = medium.frozen_W_per_mK.reshape(-1)[touched].astype(np.float32) - warm
    held = medium.held.reshape(-1)[touched].astype(np.float32)
    wall_m2 = [
        2 * np.pi * line.radius_m * float(np.linalg.norm(np.subtract(line.tail_m, line.tip_m))) / count
        for line, count in zip(lines, pieces, strict=True)
    ]
    warm_there, cold_there = warm[cell], cold[cell]

    def means(values: Array) -> Array:
        return np.bincount(number, weight * values, minlength=sizes.size).astype(np.float32)

    return Pieces(
        cells=touched.astype(np.uint64),
        stretch=_stretches(touched),
        offset=offset,
        cell=cell.astype(np.uint32),
        weight=weight,
        needle=np.repeat(np.arange(len(lines)), pieces),
        strength_m=np.repeat([each.strength_m for each in cuts], pieces).astype(np.float32),
        wall_m2=np.repeat(wall_m2, pieces).astype(np.float32),
        unfrozen_W_per_mK=warm,
        freezing_W_per_mK=cold,
        own_unfrozen=means(warm_there),
        own_freezing=means(cold_there),
        held_share=means(held[cell]),
        runs=Runs.of(offset, cell, flat // medium.shape[2], weight, warm_there, cold_there),
    )


def _numbered(flat: Array, cells: int) -> tuple[Array, Array]:
    """The cells that occur among some of a lattice's, in ascending order, and the place there of each given."""
    occurs = np.zeros(cells, bool)
    occurs[flat] = True
    found = np.flatnonzero(occurs)
    number = np.empty(cells, np.int32)  # what is not touched takes no time
    number[found] = np.arange(found.size)
    return found, number[flat]


def _stretches(cells: Array) -> NDArray[np.int64]:
    """Where each stretch of cells side by side begins in an ascending list, and where the last one ends."""
    apart = np.flatnonzero(np.diff(cells.astype(np.int64, copy=False)) != 1) + 1
    return np.concatenate([[0], apart, [cells.size]]).astype(np.int64)


def by_cell(pieces: Pieces) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]:
    """The same weights cell by cell: (cells + 1) rows into the pieces that touch each cell, and into their weights."""
    order = np.argsort(pieces.cell, kind="stable")
    number = np.repeat(np.arange(pieces.needle.size, dtype=np.uint32), np.diff(pieces.offset))
    count = np.bincount(pieces.cell, minlength=pieces.cells.size)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64), number[order], pieces.weight[order]


def _with_ends(line: Line, spacing_m: float) -> Line:
    """The weights smear a needle's ends, which loses power the more, the coarser the lattice.

    Against it stands the needle's own insulated shaft, which the lattice fills with tissue: there the line is shorter.
    """
    beyond = END_SIGMAS * sigma_m(line, spacing_m) + END_RADII * line.radius_m
    return lengthened(line, beyond, beyond)


_NONE = np.zeros(0, np.float32)
NO_PIECES = Pieces(
    np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(0, np.uint32), _NONE,
    np.zeros(0, np.int64), *(_NONE,) * 7, Runs(np.zeros(1, np.int64), np.zeros(0, np.int64), *(_NONE,) * 3),
)  # fmt: skip
NO_NEEDLES = Needles(np.zeros(0, np.int64), _NONE, _NONE, _NONE, _NONE)


def needles_of(drives: Sequence[Drive], since_s: float, step_s: float) -> Needles:
    """What drives the needles in a step that begins `since_s` after their switch."""
    rows = [_row(drive, since_s, step_s) for drive in drives]
    kind, value, duty, exchange, most = zip(*rows, strict=True) if rows else ((),) * 5
    numbers = (np.array(column, np.float32) for column in (value, duty, exchange, most))
    return Needles(np.array(kind, np.int64), *numbers)


def _row(drive: Drive, since_s: float, step_s: float) -> tuple[int, float, float, float, float]:
    if isinstance(drive, Draw):
        return POWER, drive.power_W, 1.0, 0.0, np.inf
    most = np.inf if drive.power_limit_W is None else drive.power_limit_W
    degC = drive.mean_degC(since_s, step_s)
    if drive.exchange_W_per_m2K is None:
        return SURFACE, degC, drive.duty, 0.0, most
    return FLUID, degC, drive.duty, drive.exchange_W_per_m2K, most


@njit(**COMPILED)
def mean_drives(pieces, t, ice, means, first, past):  # type: ignore[no-untyped-def]
    """The weighted means over the cells of some pieces of the Kirchhoff integrals of the cells' own tissue, W/m."""
    runs, cells = pieces.runs, pieces.cells
    for n in range(first, past):
        total = np.float32(0)
        for run in range(runs.offset[n], runs.offset[n + 1]):
            p, lane = np.int64(cells[runs.cell[run]]), run * LANES
            total += dot_pairs(runs.unfrozen, lane, runs.freezing, lane, t, p, ice, p)
        means[n] = total


@njit(**COMPILED)
def spread(within, cell, weight, watts, drawn):  # type: ignore[no-untyped-def]
    """Add the watts of each piece to its cells, by those of its runs that lie `within` a range."""
    for n in range(watts.size):
        for run in range(within[n, 0], within[n, 1]):
            add_scaled(drawn, cell[run], watts[n], weight, run * LANES)


@njit(**COMPILED)
def draw(pieces, needles, means, law, watts, total):  # type: ignore[no-untyped-def]
    """The watts that each piece draws at this stage, and the needles' in `total` (from place 1 on).

    What is drawn from held cells is added to place 0: whatever holds them brings it.

    The flux is driven by the difference of Kirchhoff integrals, so it is right across the freezing front.
    """
    strength = np.zeros(needles.kind.size)
    total[:] = 0.0
    for n in range(pieces.needle.size):
        strength[pieces.needle[n]] += pieces.strength_m[n]
    for n in range(pieces.needle.size):
        which = pieces.needle[n]
        surface = needles.value[which]
        if needles.kind[which] == POWER:
            watts[n] = np.float32(surface * pieces.strength_m[n] / strength[which])
        else:
            if needles.kind[which] == FLUID:
                surface = _wall_degC(
                    means[n], surface, needles.exchange_W_per_m2K[which] * pieces.wall_m2[n], pieces.strength_m[n],
                    pieces.own_unfrozen[n], pieces.own_freezing[n], law,
                )  # fmt: skip
            there = pieces.own_unfrozen[n] * surface + pieces.own_freezing[n] * _ice_integral(
                surface, law.liquidus, law.interval, law.half_inverse, law.half_slope
            )
            watts[n] = needles.duty[which] * pieces.strength_m[n] * (means[n] - there)
        total[1 + which] += watts[n]
    for n in range(pieces.needle.size):
        drawn = abs(total[1 + pieces.needle[n]])
        if drawn > needles.limit_W[pieces.needle[n]]:
            watts[n] *= np.float32(needles.limit_W[pieces.needle[n]] / drawn)
    for which in range(needles.kind.size):
        if abs(total[1 + which]) > needles.limit_W[which]:
            total[1 + which] = np.sign(total[1 + which]) * needles.limit_W[which]
    for n in range(pieces.needle.size):
        total[0] += watts[n] * pieces.held_share[n]


@njit(**COMPILED)
def _wall_degC(mean, fluid, through, strength, unfrozen, freezing, law):  # type: ignore[no-untyped-def]
    """The surface temperature at which as much passes the needle's wall as the tissue gives (Newton)."""
    surface = fluid
    for _ in range(6):
        stored = unfrozen * surface + freezing * _ice_integral(
            surface, law.liquidus, law.interval, law.half_inverse, law.half_slope
        )
        conductivity = unfrozen + freezing * _ice_curve(
            surface, law.liquidus, law.interval, law.inverse_interval, law.half_slope
        )
        excess = strength * (mean - stored) - through * (surface - fluid)
        surface += excess / (strength * conductivity + through)
    return surface


@njit(**COMPILED)
def ranges(runs, first, past):  # type: ignore[no-untyped-def]
    """(pieces, 2) which of each piece's runs, which ascend, lie in a range of the touched cells."""
    found = np.empty((runs.offset.size - 1, 2), np.int64)
    for n in range(found.shape[0]):
        begin, end = runs.offset[n], runs.offset[n + 1]
        found[n, 0] = begin + np.searchsorted(runs.cell[begin:end], first)
        found[n, 1] = begin + np.searchsorted(runs.cell[begin:end], past)
    return found


@njit(**COMPILED)
def take(pieces, within, watts, per_cell, bare, drawn, source, first, past):  # type: ignore[no-untyped-def]
    """What is drawn from a range of the touched cells becomes their source, beside the `bare` one.

    `within` are its `ranges`, `drawn` scratch for all touched cells.
    """
    drawn[first : past + LANES] = 0
    spread(within, pieces.runs.cell, pieces.runs.weight, watts, drawn)
    _less(pieces.cells, pieces.stretch, bare, drawn, per_cell, source, first, past)


@njit(**KERNEL)
def _less(cells, stretch, bare, drawn, per_cell, source, first, past):  # type: ignore[no-untyped-def]
    """`bare` less what is drawn, for a range of the touched cells; stretch by stretch, which become vectors."""
    for s in range(np.searchsorted(stretch, first, side="right") - 1, stretch.size - 1):
        begin, end = max(stretch[s], first), min(stretch[s + 1], past)
        if begin >= past:
            break
        p, c = cells[begin], np.uint64(begin)
        for k in range(end - begin):
            source[p + np.uint64(k)] = bare[c + np.uint64(k)] - per_cell * drawn[c + np.uint64(k)]


def touched_cells(pieces: Pieces, shape: tuple[int, int, int]) -> Array:
    """[i, j, k] whether a needle exchanges heat with the cell."""
    mask = np.zeros(shape, dtype=bool)
    mask.reshape(-1)[pieces.cells.astype(np.int64)] = True
    return mask
