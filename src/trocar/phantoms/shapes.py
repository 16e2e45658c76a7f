"""Implicit shapes: signed distances to anatomy in millimeters, negative inside, and their algebra.

A shape is evaluated on open coordinate arrays x (nx, 1, 1), y (1, ny, 1), z (1, 1, nz), only where its box lies.
Distances are exact or nearly so close to the surface, which is where they are used; beyond `FAR_MM` they are clipped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline, PchipInterpolator

from trocar.model.record import Vector
from trocar.model.space import Array, as_vector

FAR_MM = 12.0

Distance = Callable[[Array, Array, Array], Array]
Knot = tuple[float, float, float, float]  # x, y, z, radius in mm


@dataclass(frozen=True, slots=True)
class Shape:
    """A signed distance and the box (`low`, `high`, mm) outside which it is positive."""

    low: Vector
    high: Vector
    distance: Distance

    def at(self, x: Array, y: Array, z: Array) -> Array:
        """(nx, ny, nz) signed distances, clipped at `FAR_MM` away from the box."""
        found = np.full((x.size, y.size, z.size), FAR_MM, dtype=np.float32)
        cut = tuple(
            slice(*np.searchsorted(axis.ravel(), [low - FAR_MM, high + FAR_MM]))
            for axis, low, high in zip((x, y, z), self.low, self.high, strict=True)
        )
        if all(part.stop > part.start for part in cut):
            found[cut] = self.distance(x[cut[0]], y[:, cut[1]], z[:, :, cut[2]])
        return found


def union(*shapes: Shape, blend_mm: float = 0.0) -> Shape:
    """All of the shapes; `blend_mm` rounds the crease where two meet."""

    def distance(x: Array, y: Array, z: Array) -> Array:
        return reduce(lambda a, b: _smooth_minimum(a, b, blend_mm), (shape.at(x, y, z) for shape in shapes))

    return Shape(*_hull(shapes, blend_mm / 4), distance)


def subtract(shape: Shape, *holes: Shape, blend_mm: float = 0.0) -> Shape:
    """The shape without the holes."""

    def distance(x: Array, y: Array, z: Array) -> Array:
        return reduce(lambda a, b: carved(a, b, blend_mm), (s.at(x, y, z) for s in (shape, *holes)))

    return Shape(shape.low, shape.high, distance)


def intersect(shape: Shape, *others: Shape) -> Shape:
    """What lies in all shapes; the box is the first one's."""

    def distance(x: Array, y: Array, z: Array) -> Array:
        return reduce(np.maximum, (s.distance(x, y, z) for s in (shape, *others)))

    return Shape(shape.low, shape.high, distance)


def grown(shape: Shape, by_mm: float) -> Shape:
    """The shape with its surface moved outward by `by_mm` (inward when negative)."""
    low, high = _hull((shape,), by_mm)
    return Shape(low, high, lambda x, y, z: shape.at(x, y, z) - np.float32(by_mm))


def halfspace(point: ArrayLike, normal: ArrayLike) -> Shape:
    """Everything behind the plane through `point` that faces `normal`."""
    n = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    offset = float(np.asarray(point, dtype=float) @ n)

    def distance(x: Array, y: Array, z: Array) -> Array:
        return (x * n[0] + y * n[1] + z * n[2] - offset).astype(np.float32)

    return Shape((-1e4, -1e4, -1e4), (1e4, 1e4, 1e4), distance)


def ellipsoid(center: ArrayLike, radii_mm: ArrayLike, *, axes: Array | None = None, power: float = 2.0) -> Shape:
    """A (super)ellipsoid; `axes` holds its unit vectors as columns, `power` > 2 squares it off."""
    turn = np.eye(3) if axes is None else np.asarray(axes, dtype=float)
    radii, middle = np.asarray(radii_mm, dtype=float), np.asarray(center, dtype=float)
    reach = np.abs(turn) @ radii

    def distance(x: Array, y: Array, z: Array) -> Array:
        local = [
            ((x - middle[0]) * turn[0, n] + (y - middle[1]) * turn[1, n] + (z - middle[2]) * turn[2, n]) / radii[n]
            for n in range(3)
        ]
        powers = [np.abs(value.astype(np.float32)) ** (power - 1) for value in local]
        total = sum(part * np.abs(value) for part, value in zip(powers, local, strict=True))
        level = total ** (1 / power)
        slope = np.sqrt(sum((part / radii[n]) ** 2 for n, part in enumerate(powers)))
        slope = slope * np.maximum(level, 1e-3) ** (1 - power)
        return np.where(level > 1e-3, (level - 1) / np.maximum(slope, 1e-6), -radii.min()).astype(np.float32)

    return Shape(as_vector(middle - reach), as_vector(middle + reach), distance)


def tube(knots: Sequence[Knot], *, step_mm: float = 4.0, flat: float = 1.0, smooth: bool = True) -> Shape:
    """A round tube of changing radius along a spline through the knots; `flat` < 1 squeezes it along y."""
    points = curve(knots, step_mm=step_mm) if smooth else np.asarray(knots, dtype=float)
    stretch = np.array([1.0, 1.0 / flat, 1.0])
    reach = points[:, 3:] / stretch
    low, high = (points[:, :3] - reach).min(axis=0), (points[:, :3] + reach).max(axis=0)

    def distance(x: Array, y: Array, z: Array) -> Array:
        found = np.full((x.size, y.size, z.size), FAR_MM, dtype=np.float32)
        for start, end in pairwise(points):
            far = max(start[3], end[3]) + FAR_MM / 2
            ends = np.stack([start[:3], end[:3]])
            cut = tuple(
                slice(*np.searchsorted(axis.ravel(), [ends[:, n].min() - far, ends[:, n].max() + far]))
                for n, axis in enumerate((x, y, z))
            )
            if any(part.stop <= part.start for part in cut):
                continue
            near = _cone(start, end, x[cut[0]], y[:, cut[1]], z[:, :, cut[2]], stretch)
            np.minimum(found[cut], near, out=found[cut])
        return found

    return Shape(as_vector(low), as_vector(high), distance)


def ribbon(levels: Sequence[tuple[float, Sequence[tuple[float, float, float]]]], *, swell_mm: float = 0.0) -> Shape:
    """A bent plate: per height z a curve of (x, y, half thickness) knots, the same number at each height.

    Curves are joined by shape-preserving cubics in z and splines along the curve.
    """
    heights = np.array([level for level, _ in levels], dtype=float)
    knots = np.array([row for _, row in levels], dtype=float)  # (levels, knots, 3)
    fine = np.linspace(0, knots.shape[1] - 1, 3 * (knots.shape[1] - 1) + 1)
    plate = CubicSpline(np.arange(knots.shape[1]), knots, axis=1)(fine)
    plate[..., 2] = np.maximum(plate[..., 2], 1.2) + swell_mm
    along = PchipInterpolator(heights, plate, axis=0)
    reach = plate[..., 2]
    low = (*(plate[..., :2] - reach[..., None]).min(axis=(0, 1)), heights[0] - plate[0, :, 2].max() / 2)
    high = (*(plate[..., :2] + reach[..., None]).max(axis=(0, 1)), heights[-1] + plate[-1, :, 2].max() / 2)

    def distance(x: Array, y: Array, z: Array) -> Array:
        rows = np.moveaxis(along(np.clip(z.ravel(), heights[0], heights[-1])), 0, -1).astype(np.float32)
        flat = np.full((x.size, y.size, z.size), np.inf, dtype=np.float32)
        for start, end in pairwise(rows):
            near = _cone_2d(start, end, x.astype(np.float32), y.astype(np.float32))
            np.minimum(flat, near, out=flat)
        beyond = np.maximum(heights[0] - z, z - heights[-1]).astype(np.float32)
        capped = np.where(beyond > 0, np.hypot(beyond, np.maximum(flat + 3, 0)) - 3, flat)
        return upright(capped, x, y, z)

    return Shape(as_vector(low), as_vector(high), distance)


def column(levels: Sequence[tuple[float, float, float, Sequence[float]]]) -> Shape:
    """A stack of rounded outlines: (z, center x, center y, radii at equal angles from +x towards +y)."""
    heights = np.array([level[0] for level in levels], dtype=float)
    centers = PchipInterpolator(heights, np.array([level[1:3] for level in levels], dtype=float))
    radii = np.array([level[3] for level in levels], dtype=float)
    angles = np.linspace(0, 2 * np.pi, radii.shape[1] + 1)
    closed = np.concatenate([radii, radii[:, :1]], axis=1)
    fine = np.linspace(0, 2 * np.pi, 181)
    table = CubicSpline(angles, closed, axis=1, bc_type="periodic")(fine)
    outline = PchipInterpolator(heights, table)
    reach = table.max()
    middle = np.array([level[1:3] for level in levels], dtype=float)

    def distance(x: Array, y: Array, z: Array) -> Array:
        found = np.empty((x.size, y.size, z.size), dtype=np.float32)
        for k, height in enumerate(np.clip(z.ravel(), heights[0], heights[-1])):
            dx, dy = (axis[:, :, 0] - c for axis, c in zip((x, y), centers(height), strict=True))
            angle = np.mod(np.arctan2(dy, dx), 2 * np.pi)
            found[:, :, k] = np.hypot(dx, dy) - np.interp(angle.ravel(), fine, outline(height)).reshape(angle.shape)
        beyond = np.maximum(heights[0] - z, z - heights[-1]).astype(np.float32)
        return upright(np.maximum(found, beyond), x, y, z)

    low, high = middle.min(axis=0) - reach, middle.max(axis=0) + reach
    return Shape((*low, heights[0]), (*high, heights[-1]), distance)


def curve(knots: Sequence[Sequence[float]], *, step_mm: float) -> Array:
    """(n, columns) points about `step_mm` apart on the spline through the knots' first three columns."""
    given = np.asarray(knots, dtype=float)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(given[:, :3], axis=0), axis=1))])
    count = max(2, int(np.ceil(length[-1] / step_mm)) + 1)
    spline = PchipInterpolator if given.shape[0] < 3 else CubicSpline
    along = np.linspace(0, length[-1], count)
    points: Array = spline(length, given)(along)
    if given.shape[1] > 3:
        points[:, 3] = PchipInterpolator(length, given[:, 3])(along)
    return points


def upright(level: Array, x: Array, y: Array, z: Array) -> Array:
    """A level function as a distance: divided by its slope, so that sloping walls keep their true thickness."""
    if min(level.shape) < 2:
        return level
    parts = np.gradient(level, x.ravel(), y.ravel(), z.ravel())
    slope = np.sqrt(sum(np.square(part) for part in parts))
    return (level / np.clip(slope, 0.7, 3.0)).astype(np.float32)


def _cone(start: Array, end: Array, x: Array, y: Array, z: Array, stretch: Array) -> Array:
    axis = (end[:3] - start[:3]) * stretch
    offset = [((c - s) * k).astype(np.float32) for c, s, k in zip((x, y, z), start, stretch, strict=False)]
    square = max(float(axis @ axis), 1e-9)
    t = np.clip(sum(o * np.float32(a / square) for o, a in zip(offset, axis, strict=True)), 0, 1)
    gap = np.sqrt(sum(np.square(o - t * np.float32(a)) for o, a in zip(offset, axis, strict=True)))
    return (gap - (np.float32(start[3]) + t * np.float32(end[3] - start[3]))).astype(np.float32)


def _cone_2d(start: Array, end: Array, x: Array, y: Array) -> Array:
    """`start`, `end` are (3, nz): x, y, radius of a segment at each height."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    square = np.maximum(ax * ax + ay * ay, 1e-6)
    ox, oy = x - start[0], y - start[1]
    t = np.clip((ox * ax + oy * ay) / square, 0, 1)
    near: Array = np.hypot(ox - t * ax, oy - t * ay) - (start[2] + t * (end[2] - start[2]))
    return near


def _smooth_minimum(a: Array, b: Array, width_mm: float) -> Array:
    if width_mm <= 0:
        return np.minimum(a, b)
    overlap = np.clip(np.float32(width_mm) - np.abs(a - b), 0, None)
    return np.minimum(a, b) - overlap * overlap * np.float32(0.25 / width_mm)


def carved(solid: Array, hole: Array, blend_mm: float) -> Array:
    """Distances to a solid without a hole, from the distances to both; `blend_mm` rounds the rim."""
    return -_smooth_minimum(-solid, hole, blend_mm)


def _hull(shapes: Sequence[Shape], grow_mm: float) -> tuple[Vector, Vector]:
    low = np.min([shape.low for shape in shapes], axis=0) - grow_mm
    high = np.max([shape.high for shape in shapes], axis=0) + grow_mm
    return as_vector(low), as_vector(high)
