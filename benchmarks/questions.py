"""What every solver is asked: needles in a box of soft tissue, and a column of water that freezes from its end.

Plain numpy, for it also runs under the system's Python.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from laws import Array

REST_DEGC, SURFACE_DEGC = 37.0, -140.0
NEEDLE_RADIUS_M, ACTIVE_M = 0.75e-3, 40e-3
HALF_SIDE_M = NEEDLE_RADIUS_M / (0.59017 * 2)  # of a square whose logarithmic radius is the needle's

Phases = tuple[tuple[float, bool], ...]  # seconds, and whether the needles are cold
FREEZE: Phases = ((600.0, True),)
DOUBLE_FREEZE: Phases = ((600.0, True), (480.0, False), (600.0, True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Needles:
    """Needles along k in the middle of a cube: one, or four in a square, each at `at_m` from both planes of symmetry.

    Peers solve the octant in which all coordinates are positive: it holds an eighth of the box.
    """

    at_m: float
    half_box_m: float
    phases: Phases = FREEZE

    @property
    def duration_s(self) -> float:
        return sum(duration_s for duration_s, _ in self.phases)

    @property
    def centers_m(self) -> tuple[tuple[float, float], ...]:
        """Where the needles cross mid-plane."""
        return (
            ((0.0, 0.0),) if self.at_m == 0 else tuple((i * self.at_m, j * self.at_m) for i in (-1, 1) for j in (-1, 1))
        )

    @property
    def directions(self) -> Array:
        """(n, 3) unit vectors of the octant for the front: across one needle and along it, or all around four."""
        if self.at_m == 0:
            angles = np.linspace(0, np.pi / 2, 9)
            across = np.stack([np.cos(angles), np.sin(angles), np.zeros(9)], axis=-1)
            return np.vstack([across, (0.0, 0.0, 1.0)])
        height, turn = np.meshgrid((np.arange(6) + 0.5) / 6, (np.arange(8) + 0.5) / 8 * np.pi / 2, indexing="ij")
        across = np.sqrt(1 - height**2)  # equal heights are equal areas of the sphere
        return np.stack([across * np.cos(turn), across * np.sin(turn), height], axis=-1).reshape(-1, 3)

    @classmethod
    def read(cls, question: dict[str, Any]) -> "Needles":
        """From JSON."""
        return cls(**{**question, "phases": tuple((float(s), bool(on)) for s, on in question["phases"])})


COARSE_M, FINE_M = 5e-4, 2e-5  # steps along a direction
ONE = Needles(at_m=0.0, half_box_m=48e-3)
FOUR = Needles(at_m=8e-3, half_box_m=64e-3)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Temperatures [i, j, k] on the tensor grid of three axes in meters from the box's middle."""

    axes: tuple[Array, Array, Array]
    temperature_degC: Array


def front_mm(field: Field, directions: Array, *, level_degC: float = 0.0) -> Array:
    """How far from the middle the temperature last is below the level, along each direction; 0 where it never is.

    Looked for in steps of half a millimeter, then in the last of them in 0.02 mm: reading an answer is to cost little
    beside finding it.
    """
    end_m = min(axis[-1] for axis in field.axes) / max(1e-9, np.abs(directions).max())
    coarse_m = np.arange(0, end_m, COARSE_M)[:-1]
    cold = _beyond(field, np.tile(coarse_m, (len(directions), 1)), directions, level_degC) < 0
    last_m = np.where(cold.any(axis=1), coarse_m[coarse_m.size - 1 - np.argmax(cold[:, ::-1], axis=1)], 0.0)
    radii_m = last_m[:, None] + np.linspace(0, COARSE_M, round(COARSE_M / FINE_M) + 1)
    values = _beyond(field, radii_m, directions, level_degC)
    row, n = np.arange(len(directions)), values.shape[1] - 1 - np.argmax((values < 0)[:, ::-1], axis=1)
    n = np.minimum(n, values.shape[1] - 2)
    one, other = values[row, n], values[row, n + 1]
    return np.where(cold.any(axis=1), 1e3 * (radii_m[row, n] + FINE_M * one / (one - other)), 0.0)


def _beyond(field: Field, radii_m: Array, directions: Array, level_degC: float) -> Array:
    """(directions, radii) temperatures above a level."""
    points_m = radii_m[..., None] * directions[:, None, :]
    return trilinear(field, points_m.reshape(-1, 3)).reshape(radii_m.shape) - level_degC


def trilinear(field: Field, points_m: Array) -> Array:
    """Values of the field at (n, 3) points; constant beyond its ends."""
    low, share = [], []
    for axis, x in zip(field.axes, points_m.T, strict=True):
        index = np.clip(np.searchsorted(axis, x) - 1, 0, axis.size - 2)
        low.append(index)
        share.append(np.clip((x - axis[index]) / (axis[index + 1] - axis[index]), 0, 1))
    total = np.zeros(len(points_m))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod([s if c else 1 - s for c, s in zip(corner, share, strict=True)], axis=0)
        total += weight * field.temperature_degC[tuple(i + c for i, c in zip(low, corner, strict=True))]
    return total


# --- meshes of an octant


def octant_lines(needles: Needles, *, spaced: str, coarsest_m: float) -> tuple[Array, Array]:
    """Mesh lines across and along the needles.

    `spaced` "equal": equally spaced, a needle is the nodes on its axis; "fitted": a square with a needle's logarithmic
    radius, lines growing from it; "resolved": also across the square's sides, from its corners on.
    """
    if spaced == "equal":
        lines = np.linspace(0, needles.half_box_m, round(needles.half_box_m / coarsest_m) + 1)
        return lines, lines
    inner = np.array((1.0, 0.75, 0.4)) if spaced == "resolved" else np.array((1.0,))
    first_m = HALF_SIDE_M * (0.2 if spaced == "resolved" else 1.0)
    edge = needles.at_m + HALF_SIDE_M
    beyond = edge + growing(needles.half_box_m - edge, first_m, coarsest_m)
    upper = needles.at_m + HALF_SIDE_M * inner
    if needles.at_m == 0:
        return np.unique(np.concatenate([[0.0], upper, beyond]).round(9)), _along(needles, coarsest_m)
    lower = needles.at_m - HALF_SIDE_M * inner
    before = lower[0] - growing(lower[0], first_m, coarsest_m)
    return np.unique(np.concatenate([before, lower, upper, beyond]).round(9)), _along(needles, coarsest_m)


def cold(needles: Needles, x: Array, y: Array, z: Array, *, half_side_m: float) -> Array:
    """Which nodes or cells lie in a needle: the square around its axis, over its active length."""
    reach = half_side_m + 1e-9
    return (np.abs(x - needles.at_m) <= reach) & (np.abs(y - needles.at_m) <= reach) & (z <= ACTIVE_M / 2 + 1e-9)


def growing(length_m: float, first_m: float, coarsest_m: float, *, growth: float = 1.3) -> Array:
    """Positions from 0 to a length, by steps that grow from a first one to the coarsest."""
    found, step = [0.0], first_m
    while found[-1] < length_m:
        step = min(step * growth, coarsest_m)
        found.append(found[-1] + step)
    return np.array(found) * (length_m / found[-1])


def _along(needles: Needles, coarsest_m: float) -> Array:
    """Finer by the tip."""
    tip = ACTIVE_M / 2
    fine = np.arange(tip - 3e-3, tip + 3.5e-3, 1e-3)
    before = np.linspace(0, fine[0], round(fine[0] / coarsest_m) + 1)
    after = np.linspace(fine[-1], needles.half_box_m, round((needles.half_box_m - fine[-1]) / coarsest_m) + 1)
    return np.unique(np.concatenate([before, fine, after]).round(9))


# --- Neumann's problem


WALL_DEGC, FAR_DEGC, COLUMN_M = -100.0, 37.0, 0.11
WATCHED_S = (150.0, 300.0, 450.0, 600.0)  # fronts fall differently between the cells: errors are means over these
