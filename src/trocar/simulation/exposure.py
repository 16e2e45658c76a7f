"""What each structure near the needles goes through: its coldest and warmest point, followed over time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree

from trocar.catalog import limit
from trocar.catalog.tolerances import COLD_LIMIT_OF_ROLE, HOT_LIMIT_OF_ROLE
from trocar.imaging.distance import surface_points, tube_points
from trocar.imaging.surface import slices
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Exposure, History
from trocar.model.space import Array, Grid, Segment, as_vector

WATCHED = (
    Role.NERVE, Role.CORD, Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA,
    Role.JOINT, Role.SKIN,
)  # fmt: skip
NEAR_MM = 40.0  # beyond it nothing cools within a session
MOST_POINTS = 1500  # of a structure, the nearest to the needles
STILL_K_PER_S = 0.02 / 60.0  # slower than this it no longer counts as getting colder or warmer; design


@dataclass(slots=True, eq=False)
class Watched:
    """A structure's surface points near the needles, their weights on the grid, and what they have been through."""

    name: str
    role: Role
    points_lps_mm: Array
    corners: Array  # (n, 8) flat cells
    weights: Array  # (n, 8)
    minimum_degC: Array
    highest_degC: Array
    limit_degC: float | None
    hot_limit_degC: float | None
    first_crossing_s: float | None = None
    first_hot_crossing_s: float | None = None
    times_s: list[float] = field(default_factory=list)
    coldest_degC: list[float] = field(default_factory=list)
    warmest_degC: list[float] = field(default_factory=list)

    def see(self, corners_degC: Array, time_s: float) -> None:
        """Take in the temperatures (n, 8) of its corners at one moment."""
        now = np.einsum("nc,nc->n", corners_degC, self.weights)
        self.minimum_degC = np.minimum(self.minimum_degC, now)
        self.highest_degC = np.maximum(self.highest_degC, now)
        coldest, warmest = float(now.min()), float(now.max())
        if self.limit_degC is not None and self.first_crossing_s is None and coldest < self.limit_degC:
            self.first_crossing_s = self._passed_s(self.limit_degC, self.coldest_degC, coldest, time_s)
        if self.hot_limit_degC is not None and self.first_hot_crossing_s is None and warmest > self.hot_limit_degC:
            self.first_hot_crossing_s = self._passed_s(self.hot_limit_degC, self.warmest_degC, warmest, time_s)
        self.times_s.append(time_s)
        self.coldest_degC.append(coldest)
        self.warmest_degC.append(warmest)

    def _passed_s(self, limit_degC: float, seen_degC: list[float], now_degC: float, time_s: float) -> float:
        """When a limit was passed since the look before, as if the temperature had moved evenly between the two."""
        if not self.times_s:
            return time_s
        before_s, before_degC = self.times_s[-1], seen_degC[-1]
        return before_s + (time_s - before_s) * (limit_degC - before_degC) / (now_degC - before_degC)

    @property
    def settled(self) -> bool:
        """Whether it gets neither colder nor warmer than it ever was, and lies within its limits."""
        if len(self.times_s) < 2:
            return False
        coldest, warmest = self.coldest_degC[-1], self.warmest_degC[-1]
        if self.limit_degC is not None and coldest < self.limit_degC:
            return False
        if self.hot_limit_degC is not None and warmest > self.hot_limit_degC:
            return False
        still_K = STILL_K_PER_S * (self.times_s[-1] - self.times_s[-2])
        cools = coldest <= self.minimum_degC.min() and self.coldest_degC[-2] - coldest > still_K
        warms = warmest >= self.highest_degC.max() and warmest - self.warmest_degC[-2] > still_K
        return not (cools or warms)

    def apart(self) -> "Watched":
        """The same structure, of the same past, to be shown a future of its own."""
        return replace(
            self, times_s=[*self.times_s], coldest_degC=[*self.coldest_degC], warmest_degC=[*self.warmest_degC]
        )

    def at(self, points_lps_mm: Array, grid: Grid) -> "Watched":
        """The same structure, of the same past, where something has moved its points to."""
        corners, weights = trilinear(points_lps_mm, grid)
        return replace(self, points_lps_mm=points_lps_mm, corners=corners, weights=weights)

    def distance_mm(self, ice: cKDTree | None) -> float | None:
        """From its surface to the ice's, 0 once it has frozen; `None` without ice."""
        if ice is None:
            return None
        if self.minimum_degC.min() < 0:
            return 0.0
        distance, _ = ice.query(self.points_lps_mm, workers=-1)
        return round(float(distance.min()), 3)

    def exposure(self, distance_to_ice_mm: float | None) -> Exposure:
        """What the structure has been through so far."""
        coldest, hottest = int(np.argmin(self.minimum_degC)), int(np.argmax(self.highest_degC))
        return Exposure(
            name=self.name,
            role=self.role,
            minimum_degC=round(float(self.minimum_degC[coldest]), 3),
            maximum_degC=round(float(self.highest_degC[hottest]), 3),
            minimum_lps_mm=as_vector(self.points_lps_mm[coldest]),
            distance_to_ice_mm=distance_to_ice_mm,
            first_crossing_s=self.first_crossing_s,
            maximum_lps_mm=as_vector(self.points_lps_mm[hottest]),
            first_hot_crossing_s=self.first_hot_crossing_s,
        )

    def history(self, step: str, *, since_s: float) -> History:
        """The coldest and warmest temperature since a time."""
        first = next((n for n, time_s in enumerate(self.times_s) if time_s >= since_s), len(self.times_s))
        return History(
            step=step,
            name=self.name,
            time_s=tuple(self.times_s[first:]),
            minimum_degC=tuple(round(value, 3) for value in self.coldest_degC[first:]),
            maximum_degC=tuple(round(value, 3) for value in self.warmest_degC[first:]),
        )


def watch(case: Case, grid: Grid, needles: Sequence[Segment], *, rest_degC: float) -> tuple[Watched, ...]:
    """The structures whose surface comes within 40 mm of a needle and lies on the grid."""
    found = []
    for structure in case.with_role(*WATCHED):
        points = _near_points(structure, case, needles)
        points = points[grid.contains(points)] if points.size else points
        if points.size:
            corners, weights = trilinear(points, grid)
            key, hot_key = COLD_LIMIT_OF_ROLE.get(structure.role), HOT_LIMIT_OF_ROLE.get(structure.role)
            found.append(
                Watched(
                    name=structure.name,
                    role=structure.role,
                    points_lps_mm=points,
                    corners=corners,
                    weights=weights,
                    minimum_degC=np.full(len(points), rest_degC),
                    highest_degC=np.full(len(points), rest_degC),
                    limit_degC=limit(key).value if key else None,
                    hot_limit_degC=limit(hot_key).value if hot_key else None,
                )
            )
    return tuple(found)


def _near_points(structure: Structure, case: Case, needles: Sequence[Segment]) -> Array:
    """(n, 3) the structure's surface points nearest to the needles: of a curved nerve, on its exact tube."""
    ends = np.array([end for needle in needles for end in (needle.start_lps_mm, needle.end_lps_mm)])
    if structure.centerline_lps_mm and structure.diameter_mm:
        line = np.asarray(structure.centerline_lps_mm)
        points = np.concatenate([tube_points(line, structure.diameter_mm / 2, step_mm=0.7), line])
    else:
        ijk = case.grid.to_ijk(ends)
        reach = NEAR_MM / case.grid.spacing_mm
        low = np.clip(np.floor(ijk.min(axis=0) - reach).astype(int), 0, case.grid.shape)
        high = np.clip(np.ceil(ijk.max(axis=0) + reach).astype(int) + 1, 0, case.grid.shape)
        if (high <= low).any():
            return np.zeros((0, 3))
        part = structure.inside[slices(low, high)]
        if not part.any():
            return np.zeros((0, 3))
        cropped = Structure(name=structure.name, role=structure.role, inside=part.copy())
        points = surface_points(cropped, case.grid.cropped(low, high))
    distance = np.min([needle.distance_mm(points) for needle in needles], axis=0)
    nearest = np.argsort(distance, kind="stable")[:MOST_POINTS]
    return points[nearest[distance[nearest] <= NEAR_MM]]


def trilinear(points_lps_mm: Array, grid: Grid) -> tuple[Array, Array]:
    """(n, 8) flat cells around each of (n, 3) points of a grid, and their weights."""
    ijk = np.clip(grid.to_ijk(points_lps_mm), 0, np.asarray(grid.shape) - 1)
    base = np.minimum(np.floor(ijk).astype(int), np.asarray(grid.shape) - 2)
    part = ijk - base
    corners, weights = [], []
    for shift in np.ndindex(2, 2, 2):
        corners.append(np.ravel_multi_index(list((base + shift).T), grid.shape))
        weights.append(np.prod(np.where(shift, part, 1 - part), axis=1))
    return np.stack(corners, axis=1), np.stack(weights, axis=1).astype(np.float32)
