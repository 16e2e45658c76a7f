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
from trocar.physics.compiled import CELL, COMPILED
from trocar.physics.lines import Line, lengthened, line_pieces, sigma_m
from trocar.physics.medium import Array, Medium
from trocar.physics.sweep import temperatures
from trocar.physics.threads import share

SURFACE, FLUID, POWER = 0, 1, 2  # what of a needle is prescribed: its surface, the fluid within it, or its power

END_SIGMAS, END_RADII = 0.6, -1.1  # by which each end is moved outwards: fitted to ice and power of finite needles

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


class Pieces(NamedTuple):
    """All needles cut into pieces: sparse rows of weights over `cells`, the lattice cells that any piece touches."""

    cells: NDArray[np.uint64]
    offset: NDArray[np.int64]  # (pieces + 1) rows into `cell` and `weight`
    cell: NDArray[np.uint32]  # index into `cells`
    weight: NDArray[np.float32]
    back: NDArray[np.int64]  # (cells + 1) rows into `piece` and `piece_weight`: the same, cell by cell
    piece: NDArray[np.uint32]
    piece_weight: NDArray[np.float32]
    needle: NDArray[np.int64]  # of each piece
    strength_m: NDArray[np.float32]  # 2 pi length / ln(mean radius / needle radius)
    wall_m2: NDArray[np.float32]  # of the needle's surface
    unfrozen_W_per_mK: NDArray[np.float32]  # of each of `cells`
    freezing_W_per_mK: NDArray[np.float32]  # frozen less unfrozen
    own_unfrozen: NDArray[np.float32]  # of each piece: the weighted means of both
    own_freezing: NDArray[np.float32]
    held_share: NDArray[np.float32]  # of each piece: the weight of cells whose temperature is held


class Needles(NamedTuple):
    """What drives each needle in a super-step: `kind` of what is prescribed, `value` in degC or W, float32."""

    kind: NDArray[np.int64]
    value: NDArray[np.float32]
    duty: NDArray[np.float32]
    exchange_W_per_m2K: NDArray[np.float32]
    limit_W: NDArray[np.float32]


def pieces_of(lines: tuple[Line, ...], medium: Medium) -> Pieces:
    """The needles' exchange with the lattice. Raises `SolverError` for a needle of no length or outside the lattice."""
    found = [
        (piece, number, line)
        for number, line in enumerate(lines)
        for piece in line_pieces(_with_ends(line, medium.spacing_m), medium.shape, medium.spacing_m)
    ]
    sizes = [piece.cells.size for piece, _, _ in found]
    flat = np.concatenate([piece.cells for piece, _, _ in found]) if found else np.zeros(0, np.int64)
    weight = (np.concatenate([piece.weights for piece, _, _ in found]) if found else np.zeros(0)).astype(np.float32)
    touched, cell = np.unique(flat, return_inverse=True)
    number = np.repeat(np.arange(len(found)), sizes)
    order = np.argsort(cell, kind="stable")
    warm = medium.unfrozen_W_per_mK.reshape(-1)[touched].astype(np.float32)
    cold = medium.frozen_W_per_mK.reshape(-1)[touched].astype(np.float32) - warm
    held = medium.held.reshape(-1)[touched].astype(np.float32)
    lengths = {n: float(np.linalg.norm(np.subtract(line.tail_m, line.tip_m))) for n, line in enumerate(lines)}
    count = np.bincount([n for _, n, _ in found], minlength=len(lines)) if found else np.zeros(0)
    return Pieces(
        cells=touched.astype(np.uint64),
        offset=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        cell=cell.astype(np.uint32),
        weight=weight,
        back=np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=touched.size))]).astype(np.int64),
        piece=number[order].astype(np.uint32),
        piece_weight=weight[order],
        needle=np.array([n for _, n, _ in found], dtype=np.int64),
        strength_m=np.array([piece.strength_m for piece, _, _ in found], dtype=np.float32),
        wall_m2=np.array([2 * np.pi * line.radius_m * lengths[n] / count[n] for _, n, line in found], np.float32),
        unfrozen_W_per_mK=warm,
        freezing_W_per_mK=cold,
        own_unfrozen=np.bincount(number, weight * warm[cell], minlength=len(found)).astype(np.float32),
        own_freezing=np.bincount(number, weight * cold[cell], minlength=len(found)).astype(np.float32),
        held_share=np.bincount(number, weight * held[cell], minlength=len(found)).astype(np.float32),
    )


def _with_ends(line: Line, spacing_m: float) -> Line:
    """The weights smear a needle's ends, which loses power the more, the coarser the lattice.

    Against it stands the needle's own insulated shaft, which the lattice fills with tissue: there the line is shorter.
    """
    beyond = END_SIGMAS * sigma_m(line, spacing_m) + END_RADII * line.radius_m
    return lengthened(line, beyond, beyond)


NO_PIECES = Pieces(
    np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.float32),
    np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.float32), np.zeros(0, np.int64),
    *(np.zeros(0, np.float32) for _ in range(7)),
)  # fmt: skip
NO_NEEDLES = Needles(np.zeros(0, np.int64), *(np.zeros(0, np.float32) for _ in range(4)))


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
def kirchhoff_at(pieces, t, ice, drive, part, parts):  # type: ignore[no-untyped-def]
    """The Kirchhoff integral of each touched cell's own tissue, W/m, into `drive`; of one part of them."""
    first, past = share(pieces.cells.size, part, parts)
    for c in range(first, past):
        p = pieces.cells[c]
        drive[c] = pieces.unfrozen_W_per_mK[c] * t[p] + pieces.freezing_W_per_mK[c] * ice[p]


@njit(**COMPILED)
def mean_drives(pieces, drive, means, part, parts):  # type: ignore[no-untyped-def]
    """The weighted mean of `drive` over the cells of each piece of one part."""
    first, past = share(pieces.needle.size, part, parts)
    for n in range(first, past):
        a, b = np.float32(0), np.float32(0)  # four sums: in one, each addition waits for the one before
        c, d = np.float32(0), np.float32(0)
        last = pieces.offset[n + 1]
        for q in range(pieces.offset[n], last - 3, 4):
            a += pieces.weight[q] * drive[pieces.cell[q]]
            b += pieces.weight[q + 1] * drive[pieces.cell[q + 1]]
            c += pieces.weight[q + 2] * drive[pieces.cell[q + 2]]
            d += pieces.weight[q + 3] * drive[pieces.cell[q + 3]]
        for q in range(last - (last - pieces.offset[n]) % 4, last):
            a += pieces.weight[q] * drive[pieces.cell[q]]
        means[n] = (a + b) + (c + d)


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
def gather(pieces, curve, near, part, parts):  # type: ignore[no-untyped-def]
    """The curve of the touched cells side by side, so that `heat_cells` works on vectors; of one part of them."""
    first, past = share(pieces.cells.size, part, parts)
    for c in range(first, past):
        p = pieces.cells[c]
        near.mush[c], near.frozen[c], near.inverse[c] = curve.mush[p], curve.frozen[p], curve.inverse[p]
        if curve.vapor.size:
            near.vapor[c] = curve.vapor[p]


@njit(**COMPILED)
def spread(pieces, watts, drawn):  # type: ignore[no-untyped-def]
    """The watts drawn from every touched cell, in `drawn`: piece by piece, which is faster than cell by cell."""
    for c in range(drawn.size):
        drawn[c] = 0
    for n in range(pieces.needle.size):
        for q in range(pieces.offset[n], pieces.offset[n + 1]):
            drawn[pieces.cell[q]] += watts[n] * pieces.weight[q]


@njit(**COMPILED)
def heat_cells(pieces, drawn, drive, fields, which, near, law, boils, weight, part, parts):  # type: ignore[no-untyped-def]
    """Take what is drawn from the cells of one part and bring their temperature and `drive` up to date."""
    u, t, ice = fields.u[which], fields.t[which], fields.ice[which]
    first, past = share(pieces.cells.size, part, parts)
    count = past - first
    v, now, frozen = np.empty(count, np.float32), np.empty(count, np.float32), np.empty(count, np.float32)
    for c in range(first, past):
        v[c - first] = u[pieces.cells[c]] - weight * drawn[c] * near.inverse[c]
    temperatures(v, near.mush[first:past], near.frozen[first:past], near.vapor[first:past], law, boils, now, frozen)
    for c in range(first, past):
        p, n = pieces.cells[c], c - first
        u[p], t[p], ice[p] = v[n], now[n], frozen[n]
        drive[c] = pieces.unfrozen_W_per_mK[c] * now[n] + pieces.freezing_W_per_mK[c] * frozen[n]


def touched_cells(pieces: Pieces, shape: tuple[int, int, int]) -> Array:
    """[i, j, k] whether a needle exchanges heat with the cell."""
    mask = np.zeros(shape, dtype=bool)
    mask.reshape(-1)[pieces.cells.astype(np.int64)] = True
    return mask
