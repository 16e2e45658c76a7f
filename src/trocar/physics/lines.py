"""Thin instruments as lines on the lattice: Gaussian weights that forget how a line lies between the cells.

The lattice cannot resolve an instrument; a line with Gaussian weights acts on it like a cylinder of a known mean
radius, whatever its position and direction. Needles exchange heat through such lines, electrodes current.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

from trocar.errors import SolverError
from trocar.physics.medium import Array

SIGMA_SPACINGS = 1.0
SIGMA_RADII = 1.03  # keeps the mean radius above 1.4 instrument radii on fine lattices
CUT_SIGMAS = 3.0
PIECES_PER_SIGMA = 0.75  # the sum of such Gaussians is even along the line to 1 in 10 000


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


def sigma_m(line: Line, spacing_m: float) -> float:
    """The width of the Gaussian weights that stand for a line on a lattice."""
    return max(SIGMA_SPACINGS * spacing_m, SIGMA_RADII * line.radius_m)


def lengthened(line: Line, tip_m: float, tail_m: float) -> Line:
    """The line with its ends moved outwards by so much (negative: inwards).

    What a line of finite length gives at its ends depends on how its weights smear them and on what lies beyond them,
    so that each use has its own correction. Raises `SolverError` where nothing is left.
    """
    along = np.asarray(line.tail_m, dtype=float) - line.tip_m
    length = float(np.linalg.norm(along))
    if not (length > 0 and length + tip_m + tail_m > 0):
        raise SolverError(
            "a line has no active length to speak of", hint="give its tip and the length of its active part"
        )
    axis = along / length
    return replace(line, tip_m=line.tip_m - tip_m * axis, tail_m=line.tail_m + tail_m * axis)


class Cut(NamedTuple):
    """A line cut into pieces about a spacing long: cells and weights of all (flat), how many of each, a strength."""

    cells: Array
    weights: Array
    sizes: Array
    strength_m: float


def cut(line: Line, shape: tuple[int, int, int], spacing_m: float) -> Cut:
    """A line's pieces, all at once. Raises `SolverError` for one of no length or outside the lattice."""
    along = np.asarray(line.tail_m, dtype=float) - line.tip_m
    length = float(np.linalg.norm(along))
    if not length > 0:
        raise SolverError("a line has no length", hint="give its tip and the length of its active part")
    sigma = sigma_m(line, spacing_m)
    count = max(1, round(length / sigma * PIECES_PER_SIGMA))
    strength = 2 * np.pi * (length / count) / np.log(mean_radius_m(sigma, along / length, spacing_m) / line.radius_m)
    parts = (np.arange(count) + 0.5) / count
    centers = (np.asarray(line.tip_m, dtype=float) + parts[:, None] * along) / spacing_m
    return Cut(*_gaussians(centers, sigma / spacing_m, shape), float(strength))


def line_pieces(line: Line, shape: tuple[int, int, int], spacing_m: float) -> Iterator[Piece]:
    """The pieces of a line one by one, as `cut` finds them."""
    cells, weights, sizes, strength_m = cut(line, shape, spacing_m)
    for past, size in zip(np.cumsum(sizes), sizes, strict=True):
        yield Piece(cells[past - size : past], weights[past - size : past], strength_m)


def mean_radius_m(sigma_m: float, direction: Array, spacing_m: float) -> float:
    """The radius at which the lattice's own profile around a Gaussian line equals its Gaussian-weighted mean.

    1.4986 sigma (2 exp(-gamma/2)) for an endless Gaussian in a continuum; less for one cut at `CUT_SIGMAS`, and less
    on a lattice, whose Laplacian is too weak at short waves: by the second-order term, which depends on the direction.
    """
    fourth = 0.375 * float(np.sum((1 - direction**2) ** 2))  # mean of sum(k_i^4) / k^4 over waves across the line
    return sigma_m * float(np.exp(_log_mean_radius() - fourth * (spacing_m / sigma_m) ** 2 / 24))


@cache
def _log_mean_radius() -> float:
    """The logarithm of the mean radius of a cut Gaussian line in a continuum, in sigmas."""
    radius = np.linspace(0, CUT_SIGMAS, 4001)[1:]
    half_length = np.sqrt(np.maximum(CUT_SIGMAS**2 - radius**2, 0))
    weight = radius * np.exp(-0.5 * radius**2) * special.erf(half_length / np.sqrt(2))
    inside = np.cumsum(weight) / weight.sum()
    return float(np.sum(np.log(radius) * np.diff(inside**2, prepend=0)))


def _gaussians(centers: Array, sigma: float, shape: tuple[int, int, int]) -> tuple[Array, Array, Array]:
    """Flat cells and weights around (n, 3) centers, all in cells, and how many belong to each."""
    reach = CUT_SIGMAS * sigma
    if (centers - reach < 1).any() or (centers + reach > np.asarray(shape) - 2).any():
        raise SolverError("a needle or electrode lies outside the simulated tissue", hint="enlarge the simulated box")
    most = int(np.ceil(reach))
    offsets = np.arange(-most, most + 1)
    cells = np.rint(centers).astype(int)[..., None] + offsets  # (n, axis, offset)
    squares = (cells - centers[..., None]) ** 2
    i, j, k = np.exp(-0.5 / sigma**2 * squares).transpose(1, 0, 2)
    weights = i[:, :, None, None] * j[:, None, :, None] * k[:, None, None, :]
    i, j, k = squares.transpose(1, 0, 2)
    near = (i[:, :, None, None] + j[:, None, :, None] + k[:, None, None, :]) <= reach**2
    weights *= near
    weights /= weights.sum(axis=(1, 2, 3), keepdims=True)
    i, j, k = cells.transpose(1, 0, 2)
    flat = ((i[:, :, None] * shape[1] + j[:, None, :]) * shape[2])[..., None] + k[:, None, None, :]
    return flat[near], weights[near], near.sum(axis=(1, 2, 3))
