"""Some probes together: their paths, duties and protocol, the moves a search tries on them, and which are allowed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree

from trocar.catalog import limit
from trocar.model.space import Array, Segment
from trocar.model.treatment import Placement, Step
from trocar.planning.access import Instrument, clear, trace
from trocar.planning.directions import perpendicular
from trocar.planning.freezing import Protocol, freezing_step, renamed
from trocar.planning.gap import axis_gap_mm
from trocar.planning.surroundings import Surroundings

SHIFT_MM, DEPTH_MM, SPREAD_MM, TURN_DEG = 5.0, 5.0, 3.0, 12.0
TIP_BEYOND_MM = 10.0  # of the lesion at most
WEAKER = 0.75  # a duty is lowered by this factor at a time
LEAST_DUTY = 0.3
SHORTER_S, SHORTEST_S = 120.0, 180.0
TOLERANCE_MM = 0.05
STAYS = ("screw", "thermocouple", "needle")  # roles that are still in the body at the steps after theirs


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Probes of one kind; `paths` go from skin to tip, `duties` are shares of the protocol's, `fixed` stay put."""

    tool: Instrument
    paths: tuple[Segment, ...]
    duties: tuple[float, ...]
    protocol: Protocol
    fixed: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()

    @classmethod
    def fresh(cls, tool: Instrument, paths: Sequence[Segment], protocol: Protocol = Protocol()) -> "Probes":
        """All at full duty, all free to move."""
        return cls(tool, tuple(paths), (1.0,) * len(paths), protocol)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.paths)

    @property
    def free(self) -> list[int]:
        """Which may be moved."""
        return [number for number in range(self.count) if number not in self.fixed]

    def step(self, lesion: str) -> Step:
        """As a freezing step, without checks."""
        step = freezing_step(lesion, self.tool, self.paths, self.protocol, self.duties)
        return renamed(step, self.names) if self.names else step

    def without(self, number: int) -> "Probes":
        """One probe less; the others keep their names."""
        kept = [n for n in range(self.count) if n != number]
        return replace(
            self,
            paths=tuple(self.paths[n] for n in kept),
            duties=tuple(self.duties[n] for n in kept),
            fixed=frozenset(kept.index(n) for n in self.fixed if n != number),
            names=tuple(self.names[n] for n in kept) if self.names else (),
        )

    def with_paths(self, paths: dict[int, Segment]) -> "Probes":
        """Some paths replaced."""
        return replace(self, paths=tuple(paths.get(n, path) for n, path in enumerate(self.paths)))


Move = dict[int, Array]  # probe -> its new tip
Extra = Callable[[Segment], bool]


@dataclass(frozen=True, eq=False)
class Admission:
    """Which places a probe may take: the access rules, exactly measured, and `extra` where there is one.

    `inside` is what is in the body already when the probes are placed: screws, sensors, needles.
    """

    around: Surroundings
    tool: Instrument
    up: Array
    extra: Extra | None = None
    inside: tuple[Placement, ...] = ()
    _known: dict[tuple[float, ...], Segment | None] = field(default_factory=dict, repr=False)
    _lesion: list[cKDTree] = field(default_factory=list, repr=False)

    def paths(self, tips_lps_mm: Array, outward: Array) -> list[Segment | None]:
        """From the skin to each of (n, 3) tips along (n, 3) directions; None where that is not allowed."""
        keys = [tuple(np.round(np.concatenate(pair), 3)) for pair in zip(tips_lps_mm, outward, strict=True)]
        new = [n for n, key in enumerate(keys) if key not in self._known]
        if new:
            traced = trace(self.around, tips_lps_mm[new], outward[new], self.tool, self.up)
            beyond = self._beyond_mm(tips_lps_mm[new])
            for row, n in enumerate(new):
                path = traced.segment(row) if traced.admissible[row] and beyond[row] <= TIP_BEYOND_MM else None
                self._known[keys[n]] = path if path is not None and self._exact(path) else None
        return [self._known[key] for key in keys]

    def moved(self, probes: Probes, moves: Sequence[Move]) -> list[Probes]:
        """The moves that are allowed, made: each probe's own path, and the spacing between them."""
        flat = [(index, number, tip) for index, move in enumerate(moves) for number, tip in move.items()]
        if not flat:
            return []
        outward = np.array([-probes.paths[number].direction for _, number, _ in flat])
        found = self.paths(np.array([tip for _, _, tip in flat]), outward)
        made: list[dict[int, Segment] | None] = [{} for _ in moves]
        for (index, number, _), path in zip(flat, found, strict=True):
            row = made[index]
            if row is not None and path is not None:
                row[number] = path
            else:
                made[index] = None
        tried = [probes.with_paths(row) for row in made if row is not None]
        return [each for each in tried if spaced(each.paths)]

    def apart(self, path: Segment) -> bool:
        """Whether a probe on this path touches nothing that was placed before it."""
        gap = limit("implant_gap_mm").value
        return all(
            axis_gap_mm(path, item.axis) - self.tool.radius_mm - item.diameter_mm / 2 >= gap for item in self.inside
        )

    def _exact(self, path: Segment) -> bool:
        allowed = self.apart(path) and clear(self.around.obstacles, path, self.tool)
        return allowed and (self.extra is None or self.extra(path))

    def _beyond_mm(self, tips_lps_mm: Array) -> Array:
        if not self._lesion:
            self._lesion.append(cKDTree(self.around.lesion_points_lps_mm))
        return self._lesion[0].query(tips_lps_mm)[0]


def spaced(paths: Sequence[Segment]) -> bool:
    """Whether each probe's nearest neighbor is neither too near nor too far."""
    if len(paths) < 2:
        return True
    nearest = [min(axis_gap_mm(one, other) for other in paths if other is not one) for one in paths]
    low, high = limit("probe_spacing_min_mm").value, limit("probe_spacing_max_mm").value
    return min(nearest) >= low - TOLERANCE_MM and max(nearest) <= high + TOLERANCE_MM


def frame(around: Surroundings, path: Segment) -> tuple[Array, Array, Array]:
    """Unit vectors of a path: outward, and two across it; mirrored with the case."""
    outward = -path.direction
    return (outward, *perpendicular(outward, around.lesion_frame[1][:, 0], around.side_x))


def moves(around: Surroundings, probes: Probes, scale: float) -> list[Move]:
    """All free probes together (shifted, deeper, spread, turned), then each alone."""
    if not probes.free:
        return []
    whole = list(_together(around, probes, scale)) if len(probes.free) > 1 else []
    return whole + [move for number in probes.free for move in _alone(around, probes, number, scale)]


def _tip(probes: Probes, number: int) -> Array:
    return np.asarray(probes.paths[number].end_lps_mm)


def _alone(around: Surroundings, probes: Probes, number: int, scale: float) -> Iterator[Move]:
    outward, first, second = frame(around, probes.paths[number])
    for way, reach in ((outward, DEPTH_MM), (first, SHIFT_MM), (second, SHIFT_MM)):
        for sign in (1.0, -1.0):
            yield {number: _tip(probes, number) + sign * scale * reach * way}


def _together(around: Surroundings, probes: Probes, scale: float) -> Iterator[Move]:
    free = probes.free
    outward, first, second = frame(around, probes.paths[free[0]])
    tips = np.array([_tip(probes, number) for number in free])
    for way, reach in ((outward, DEPTH_MM), (first, SHIFT_MM), (second, SHIFT_MM)):
        for sign in (1.0, -1.0):
            yield dict(zip(free, tips + sign * scale * reach * way, strict=True))
    offset = tips - tips.mean(axis=0)
    across = np.stack([offset @ first, offset @ second], axis=1)
    radius = float(np.linalg.norm(across, axis=1).mean())
    for sign in (1.0, -1.0):
        grown = across * (sign * scale * SPREAD_MM / max(radius, 1.0))
        yield dict(zip(free, tips + grown[:, :1] * first + grown[:, 1:] * second, strict=True))
    for sign in (1.0, -1.0):
        angle = np.radians(sign * scale * TURN_DEG)
        turned = across @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) - across
        yield dict(zip(free, tips + turned[:, :1] * first + turned[:, 1:] * second, strict=True))


def gentler(probes: Probes) -> list[Probes]:
    """Each probe at a lower duty, and all in shorter freezes."""
    found = [
        replace(
            probes, duties=tuple(round(duty * (WEAKER if n == at else 1.0), 4) for n, duty in enumerate(probes.duties))
        )
        for at in range(probes.count)
        if probes.duties[at] * WEAKER >= LEAST_DUTY
    ]
    shorter_s = probes.protocol.freeze_s - SHORTER_S
    if shorter_s >= SHORTEST_S:
        found.append(replace(probes, protocol=replace(probes.protocol, freeze_s=shorter_s)))
    return found


def added(around: Surroundings, probes: Probes, admit: Admission) -> list[Probes]:
    """One more probe, parallel to the first, at neighboring places around each of the others."""
    outward, first, second = frame(around, probes.paths[0])
    ring = [(15.0 * np.cos(turn), 15.0 * np.sin(turn)) for turn in np.radians(np.arange(0.0, 360.0, 45.0))]
    tips = np.array([_tip(probes, n) + x * first + y * second for n in range(probes.count) for x, y in ring])
    found = admit.paths(tips, np.broadcast_to(outward, tips.shape))
    tried = [
        replace(probes, paths=(*probes.paths, path), duties=(*probes.duties, 1.0), names=_one_more(probes.names))
        for path in found
        if path is not None
    ]
    return [each for each in tried if spaced(each.paths)]


def _one_more(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    number = next(n for n in range(1, len(names) + 2) if f"probe-{n}" not in names)
    return (*names, f"probe-{number}")
