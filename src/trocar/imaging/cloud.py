"""Points in clumps, so that the one nearest to a straight instrument is found without measuring to all of them."""

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from trocar.model.space import Array, Segment, as_vector

CLUMP_MM = 12.0
FEW = 2000  # points: measuring to all of them takes no longer than choosing among clumps


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """(n, 3) points in clumps: the points of a clump follow each other and lie within `radius_mm` of its center."""

    points_lps_mm: Array = field(repr=False)
    first: Array = field(repr=False)  # (clumps + 1) rows into the points
    center_lps_mm: Array = field(repr=False)
    radius_mm: Array = field(repr=False)
    ball: tuple[tuple[float, float, float], float] = field(repr=False)  # center and radius of one that holds all points

    @classmethod
    def of(cls, points_lps_mm: Array) -> Self:
        """The points in clumps of a cubic raster. At least one point."""
        cell = np.floor(points_lps_mm / CLUMP_MM).astype(np.int64)
        _, clump = np.unique(cell, axis=0, return_inverse=True)
        order = np.argsort(clump.reshape(-1), kind="stable")
        points, size = points_lps_mm[order], np.bincount(clump.reshape(-1))
        first = np.concatenate([[0], np.cumsum(size)])
        center = np.add.reduceat(points, first[:-1], axis=0) / size[:, None]
        reach = np.linalg.norm(points - np.repeat(center, size, axis=0), axis=1)
        middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
        ball = as_vector(middle), float(np.linalg.norm(points - middle, axis=1).max())
        return cls(points, first, center, np.maximum.reduceat(reach, first[:-1]), ball)

    def at_least_mm(self, axis: Segment) -> float:
        """A bound that `distance_mm` never falls below, had without looking at the points; it may be negative."""
        start, end, (center, radius) = axis.start_lps_mm, axis.end_lps_mm, self.ball
        course = [b - a for a, b in zip(start, end, strict=True)]
        square = sum(part * part for part in course)
        toward = sum((c - a) * part for c, a, part in zip(center, start, course, strict=True))
        along = min(max(toward / square, 0.0), 1.0) if square > 0 else 0.0
        return math.dist(center, [a + along * part for a, part in zip(start, course, strict=True)]) - radius

    def distance_mm(self, axis: Segment) -> float:
        """From a segment to the nearest point; a segment of no length is its start."""
        if len(self.points_lps_mm) <= FEW:
            return float(axis.distance_mm(self.points_lps_mm).min())
        away = axis.distance_mm(self.center_lps_mm)
        near = np.flatnonzero(away - self.radius_mm <= float((away + self.radius_mm).min()))
        within = np.concatenate([np.arange(self.first[n], self.first[n + 1]) for n in near])
        return float(axis.distance_mm(self.points_lps_mm[within]).min())
