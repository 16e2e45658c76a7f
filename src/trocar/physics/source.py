"""Needles on the lattice, wherever they lie between its cells and whatever their direction.

A needle exchanges heat along its active segment through Gaussian weights; the logarithmic profile between the needle's
surface and the Gaussian's own mean radius stands in for what the lattice cannot resolve.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trocar.physics.enthalpy import COMPILED, cell_temperature, ice_integral
from trocar.physics.lines import Line, line_pieces
from trocar.physics.medium import Medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """The surface temperature after a switch: exponential approach from `start_degC` to `end_degC` with `time_s`."""

    start_degC: float
    end_degC: float
    time_s: float = 0.0
    duty: float = 1.0  # share of the time that the needle works, averaged

    def mean_degC(self, since_s: float, step_s: float) -> float:
        """The mean over a step that begins `since_s` after the switch."""
        if self.time_s <= 0:
            return self.end_degC
        decay = np.exp(-since_s / self.time_s) - np.exp(-(since_s + step_s) / self.time_s)
        return float(self.end_degC + (self.start_degC - self.end_degC) * decay * self.time_s / step_s)


class Pieces(NamedTuple):
    """All needles cut into pieces: sparse rows of weights over `cells`, the lattice cells that any piece touches."""

    cells: NDArray[np.int64]
    offset: NDArray[np.int64]  # (pieces + 1) rows into `cell` and `weight`
    cell: NDArray[np.int64]  # index into `cells`
    weight: NDArray[np.float32]
    needle: NDArray[np.int64]  # of each piece
    strength_m: NDArray[np.float32]  # 2 pi length / ln(mean radius / needle radius)
    unfrozen_W_per_mK: NDArray[np.float32]  # of each of `cells`
    freezing_W_per_mK: NDArray[np.float32]  # frozen less unfrozen


def pieces_of(lines: tuple[Line, ...], medium: Medium) -> Pieces:
    """The needles' exchange with the lattice. Raises `SolverError` for a needle of no length or outside the lattice."""
    found = [
        (*piece, number)
        for number, line in enumerate(lines)
        for piece in line_pieces(line, medium.shape, medium.spacing_m)
    ]
    flat = np.concatenate([row[0] for row in found]) if found else np.zeros(0, np.int64)
    cells, cell = np.unique(flat, return_inverse=True)
    unfrozen = medium.unfrozen_W_per_mK.reshape(-1)[cells]
    return Pieces(
        cells=cells.astype(np.int64),
        offset=np.concatenate([[0], np.cumsum([row[0].size for row in found])]).astype(np.int64),
        cell=cell.astype(np.int64),
        weight=(np.concatenate([row[1] for row in found]) if found else np.zeros(0)).astype(np.float32),
        needle=np.array([row[3] for row in found], dtype=np.int64),
        strength_m=np.array([row[2] for row in found], dtype=np.float32),
        unfrozen_W_per_mK=unfrozen.astype(np.float32),
        freezing_W_per_mK=(medium.frozen_W_per_mK.reshape(-1)[cells] - unfrozen).astype(np.float32),
    )


@njit(**COMPILED)
def exchange(pieces, duty, surface, surface_ice, t, ice, y, t_new, ice_new, law, curve, weight_s, per_cell, scratch):  # type: ignore[no-untyped-def]
    """Adds one stage's needle heat to `y` and refreshes T there; returns the power drawn by each needle, W.

    `surface` and `surface_ice` are each needle's T and its ice integral, `t` and `ice` those of the cells before the
    stage. The flux is driven by the difference of Kirchhoff integrals, so it is right across the freezing front.
    """
    power = np.zeros(duty.size)
    scratch[:] = 0
    for piece in range(pieces.strength_m.size):
        n = pieces.needle[piece]
        drive = np.float32(0)
        for q in range(pieces.offset[piece], pieces.offset[piece + 1]):
            u = pieces.cell[q]
            p = pieces.cells[u]
            drive += pieces.weight[q] * (
                pieces.unfrozen_W_per_mK[u] * (t[p] - surface[n])
                + pieces.freezing_W_per_mK[u] * (ice[p] - surface_ice[n])
            )
        watts = duty[n] * pieces.strength_m[piece] * drive
        power[n] += watts
        for q in range(pieces.offset[piece], pieces.offset[piece + 1]):
            scratch[pieces.cell[q]] += watts * pieces.weight[q]
    for u in range(pieces.cells.size):
        p = pieces.cells[u]
        y[p] -= weight_s * scratch[u] * per_cell
        t_new[p] = cell_temperature(
            y[p], curve.unfrozen[p], curve.mush[p], curve.frozen[p], curve.liquidus[p], curve.latent[p], law.rest
        )
        ice_new[p] = ice_integral(t_new[p], law.liquidus, law.interval, law.inverse_interval, law.slope)
    return power


def touched_cells(pieces: Pieces, shape: tuple[int, int, int]) -> NDArray[Any]:
    """[i, j, k] whether a needle exchanges heat with the cell."""
    mask = np.zeros(shape, dtype=bool)
    mask.reshape(-1)[pieces.cells] = True
    return mask
