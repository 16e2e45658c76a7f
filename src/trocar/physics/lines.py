"""Thin instruments as lines on the lattice: Gaussian weights that forget how a line lies between the cells.

The lattice cannot resolve an instrument; a line with Gaussian weights acts on it like a cylinder of a known mean
radius, whatever its position and direction. Needles exchange heat through such lines, electrodes current.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from trocar.errors import SolverError
from trocar.physics.medium import Array

SIGMA_SPACINGS = 1.0
SIGMA_RADII = 1.03  # keeps the mean radius above 1.4 instrument radii on fine lattices
CUT_SIGMAS = 3.0
PIECES_PER_SPACING = 1.0
END_RADII = 0.5  # the exchange reaches so far beyond each end (against the axisymmetric references): taken off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """An active segment from `tip_m` to `tail_m`, (3,) meters from the center of cell 0, and its radius."""

    tip_m: Array
    tail_m: Array
    radius_m: float


class Piece(NamedTuple):
    """A part of a line: flat cells, their weights (sum 1), and its strength in m.

    The strength is 2 pi length / ln(mean radius / radius): a line at potential u_p in a medium of conductivity c draws
    c x strength x (weighted mean of u - u_p).
    """

    cells: Array
    weights: Array
    strength_m: float


def line_pieces(line: Line, shape: tuple[int, int, int], spacing_m: float) -> Iterator[Piece]:
    """The pieces of a line, about a spacing long. Raises `SolverError` for one of no length or outside the lattice."""
    along = np.asarray(line.tail_m, dtype=float) - line.tip_m
    whole = float(np.linalg.norm(along))
    length = whole - 2 * END_RADII * line.radius_m
    if not length > 0:
        raise SolverError(
            "a needle has no active length to speak of", hint="give its tip and the length of its active part"
        )
    sigma = max(SIGMA_SPACINGS * spacing_m, SIGMA_RADII * line.radius_m)
    count = max(1, round(length / spacing_m * PIECES_PER_SPACING))
    strength = 2 * np.pi * (length / count) / np.log(mean_radius_m(sigma, along / whole, spacing_m) / line.radius_m)
    for part in 0.5 + (length / whole) * ((np.arange(count) + 0.5) / count - 0.5):
        yield Piece(*_gaussian(np.asarray(line.tip_m) + part * along, sigma, shape, spacing_m), strength)


def mean_radius_m(sigma_m: float, direction: Array, spacing_m: float) -> float:
    """The radius at which the lattice's own profile around a Gaussian line equals its Gaussian-weighted mean.

    1.4986 sigma (2 exp(-gamma/2)) for an endless Gaussian in a continuum; less for one cut at `CUT_SIGMAS`, and less
    on a lattice, whose Laplacian is too weak at short waves: by the second-order term, which depends on the direction.
    """
    radius = np.linspace(0, CUT_SIGMAS, 4001)[1:]
    half_length = np.sqrt(np.maximum(CUT_SIGMAS**2 - radius**2, 0))
    weight = radius * np.exp(-0.5 * radius**2) * special.erf(half_length / np.sqrt(2))
    inside = np.cumsum(weight) / weight.sum()
    log_mean = float(np.sum(np.log(radius) * np.diff(inside**2, prepend=0)))
    fourth = 0.375 * float(np.sum((1 - direction**2) ** 2))  # mean of sum(k_i^4) / k^4 over waves across the line
    return sigma_m * float(np.exp(log_mean - fourth * (spacing_m / sigma_m) ** 2 / 24))


def _gaussian(center_m: Array, sigma_m: float, shape: tuple[int, int, int], spacing_m: float) -> tuple[Array, Array]:
    at = center_m / spacing_m
    reach = CUT_SIGMAS * sigma_m / spacing_m
    low, high = np.ceil(at - reach).astype(int), np.floor(at + reach).astype(int)
    if (low < 2).any() or (high > np.asarray(shape) - 3).any():
        raise SolverError("a needle or electrode lies outside the simulated tissue", hint="enlarge the simulated box")
    axes = np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij")
    squared = sum((axis - position) ** 2 for axis, position in zip(axes, at, strict=True))
    flat = np.ravel_multi_index([axis.reshape(-1) for axis in axes], shape)
    weights = np.exp(-0.5 * squared * (spacing_m / sigma_m) ** 2).reshape(-1)
    near = squared.reshape(-1) <= reach**2
    return flat[near], weights[near] / weights[near].sum()
