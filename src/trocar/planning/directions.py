"""Directions to try: evenly spread, the same on both sides of the body."""

from functools import cache

import numpy as np

from trocar.model.space import Array


@cache
def sphere(count: int) -> Array:
    """(~count, 3) unit vectors, symmetric under x -> -x so that a mirrored case is searched in mirrored order."""
    half = max(1, count // 2)
    turn = np.pi * (3.0 - np.sqrt(5.0))
    index = np.arange(2 * half)
    z = 1.0 - (2 * index + 1) / (2 * half)
    radius = np.sqrt(1.0 - z**2)
    spiral = np.stack([radius * np.cos(turn * index), radius * np.sin(turn * index), z], axis=1)
    right = spiral[spiral[:, 0] > 1e-9]
    both = np.concatenate([right, right * (-1.0, 1.0, 1.0)])
    both.flags.writeable = False
    return both


def tie_break(vectors: Array, side_x: float) -> Array:
    """(...) numbers that order (..., 3) points or axes the same way in a case and in its mirror image.

    `side_x` is +1 when the lesion lies on the patient's left and -1 on the right.
    """
    return vectors @ np.array([0.1369 * side_x, 0.2917, 0.5531])


def perpendicular(direction: Array, like: Array, side_x: float) -> tuple[Array, Array]:
    """Two unit vectors across a direction, the first as near as can be to `like`; mirrored with the case."""
    first = like - direction * (like @ direction)
    if np.linalg.norm(first) < 1e-6:
        first = np.eye(3)[int(np.argmin(np.abs(direction)))]
        first = first - direction * (first @ direction)
    first = first / np.linalg.norm(first)
    return first, side_x * np.cross(direction, first)


def spaced(points: Array, *, apart_mm: float, count: int) -> Array:
    """Up to `count` of (n, 3) points in their order, each at least `apart_mm` from those taken before."""
    taken: list[Array] = []
    left = points
    while len(left) and len(taken) < count:
        taken.append(left[0])
        left = left[np.linalg.norm(left - left[0], axis=1) >= apart_mm]
    return np.asarray(taken).reshape(-1, 3)


def spread(directions: Array, order: Array, *, apart_deg: float, count: int) -> list[int]:
    """Indices of up to `count` directions in this order, each at least `apart_deg` from those taken before."""
    taken: list[int] = []
    closest = np.cos(np.radians(apart_deg))
    for index in order:
        if all(directions[index] @ directions[other] < closest for other in taken):
            taken.append(int(index))
        if len(taken) == count:
            break
    return taken
