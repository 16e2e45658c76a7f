"""Tumors: irregular ellipsoids that replace bone and grow into soft tissue."""

from dataclasses import dataclass

import numpy as np

from trocar.model.record import Vector
from trocar.model.space import Array
from trocar.phantoms.shapes import Shape, ellipsoid


@dataclass(frozen=True, slots=True)
class Tumor:
    """An irregular ellipsoid: center, the three diameters and their axes (columns), and how uneven its surface is."""

    center: Vector
    diameters_mm: Vector
    axes: tuple[Vector, Vector, Vector]
    unevenness_mm: float = 1.2
    seed: int = 0

    @property
    def shape(self) -> Shape:
        """Lobulated, the lobes being slow waves whose phases come from the seed; the poles keep their place."""
        turn = np.asarray(self.axes, dtype=float).T
        smooth = ellipsoid(self.center, np.asarray(self.diameters_mm) / 2, axes=turn)
        rng = np.random.default_rng(self.seed)
        waves = [(rng.normal(size=3) * 0.13, rng.uniform(0, 2 * np.pi)) for _ in range(6)]

        def distance(x: Array, y: Array, z: Array) -> Array:
            lobes = sum(
                np.sin(w[0] * (x - self.center[0]) + w[1] * (y - self.center[1]) + w[2] * (z - self.center[2]) + phase)
                for w, phase in waves
            )
            return (smooth.distance(x, y, z) - self.unevenness_mm * lobes / np.sqrt(6)).astype(np.float32)

        low, high = (np.asarray(edge) for edge in (smooth.low, smooth.high))
        reach = 2.5 * self.unevenness_mm
        return Shape(tuple(low - reach), tuple(high + reach), distance)


def turned(about_z_deg: float, about_x_deg: float = 0.0) -> tuple[Vector, Vector, Vector]:
    """Three unit vectors: left, back and head turned about the head axis, then about the first of them."""
    a, b = np.radians(about_z_deg), np.radians(about_x_deg)
    first = np.array([np.cos(a), np.sin(a), 0.0])
    second = np.array([-np.sin(a), np.cos(a), 0.0])
    third = np.array([0.0, 0.0, 1.0])
    second, third = np.cos(b) * second + np.sin(b) * third, -np.sin(b) * second + np.cos(b) * third
    return tuple(tuple(float(v) for v in axis) for axis in (first, second, third))  # type: ignore[return-value]
