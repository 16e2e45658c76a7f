"""Straight paths from the skin to a target, thousands at once: which are admissible and what they cost."""

from dataclasses import dataclass, field

import numpy as np

from trocar.catalog import device, limit
from trocar.imaging.rays import Rays, least, leave, through_mm
from trocar.model.device import Accessory, BiopsyNeedle, Cryoprobe, MicrowaveAntenna, RfElectrode, Screw, Trocar
from trocar.model.space import Array, Segment, as_vector
from trocar.planning.directions import sphere
from trocar.planning.position import reachable
from trocar.planning.surroundings import Surroundings

LONGEST_MM = 260.0
GRID_SLACK_MM = 0.5  # what the coarse fields may err on the optimistic side; the exact check follows
BEYOND_SOFT_MM = 4.0  # clearances are measured to this far beyond every soft limit; more is as good


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is pushed along a path: its real radius, how far it may stray, how long it comes.

    `ignores` names structures that it may touch: the joint a screw bridges, the nerve a sensor is put beside.
    """

    what: str
    device: str
    role: str
    diameter_mm: float
    lengths_mm: tuple[float, ...] = ()
    placement_error_mm: float | None = None  # None: that of the surroundings' guidance
    ignores: frozenset[str] = frozenset()

    @property
    def radius_mm(self) -> float:
        return self.diameter_mm / 2

    def kept_free_mm(self, stray_mm: float) -> float:
        """The placement error kept free around it, `stray_mm` where it has none of its own."""
        return stray_mm if self.placement_error_mm is None else self.placement_error_mm

    def outside_mm(self, path_mm: Array) -> Array:
        """(n,) how much of the shortest length that reaches stays outside the skin, a hub's reserve at least."""
        reserve = limit("needle_hub_reserve_mm").value
        if not self.lengths_mm:
            return np.full(len(path_mm), reserve)
        known = np.sort(self.lengths_mm)
        chosen = known[np.minimum(np.searchsorted(known, path_mm + reserve), len(known) - 1)]
        return np.maximum(chosen - path_mm, reserve)

    def shortest_mm(self, path_mm: float) -> float | None:
        """The shortest of its lengths that reaches along a path; None where none does, or none is known."""
        needed = path_mm + limit("needle_hub_reserve_mm").value
        return min((length for length in self.lengths_mm if length >= needed), default=None)

    @property
    def reach_mm(self) -> float:
        """The longest path it can take, a hub's reserve staying outside; unlimited when its lengths are unknown."""
        if not self.lengths_mm:
            return LONGEST_MM
        return min(max(self.lengths_mm) - limit("needle_hub_reserve_mm").value, LONGEST_MM)


def instrument(device_id: str, role: str, *, what: str, placement_error_mm: float | None = None) -> Instrument:
    """A catalog device as an instrument."""
    known = device(device_id)
    match known:
        case Cryoprobe():
            lengths = known.shaft_lengths_mm
        case BiopsyNeedle() | Trocar() | Screw() | Accessory() | RfElectrode() | MicrowaveAntenna():
            lengths = known.lengths_mm
        case _:
            lengths = ()
    diameter = getattr(known, "diameter_mm", None)
    return Instrument(
        what=what,
        device=device_id,
        role=role,
        diameter_mm=float(diameter or 0.0),
        lengths_mm=lengths,
        placement_error_mm=placement_error_mm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Candidate paths, one row each: from `targets` along `outward` to the skin."""

    targets: Array
    outward: Array
    length_mm: Array
    margins_mm: Array = field(repr=False)  # (n, barriers): clearance left over the hard limit
    nearest: Array = field(repr=False)  # (n, barriers): which structure of the barrier
    cortex_mm: Array  # hard bone to drill, of the admissible paths
    bone_mm: Array  # bone outside the lesion that holds the needle, of the admissible paths
    out_of_plane_deg: Array
    hub_mm: Array  # distance from the scanner's axis to the end of the hub
    reason: Array  # (n,) index into `reasons` of what refuses each path, 0 for nothing
    reasons: tuple[str, ...]
    cost: Array

    @property
    def admissible(self) -> Array:
        """(n,) whether no hard constraint refuses a path."""
        return self.reason == 0

    @property
    def best_first(self) -> Array:
        """Indices of the admissible paths by increasing cost."""
        order = np.argsort(np.where(self.admissible, self.cost, np.inf), kind="stable")
        return order[: int(self.admissible.sum())]

    def ends_lps_mm(self, rows: Array) -> Array:
        """(n, 3) where these paths meet the skin, or stop being followed."""
        length = np.minimum(self.length_mm[rows], LONGEST_MM)
        return self.targets[rows] + self.outward[rows] * length[:, None]

    def shown(self, index: int) -> Segment:
        """As `segment`, to a hundredth of a millimeter, also for a path that meets no skin."""
        target = np.round(self.targets[index], 2)
        start = target + self.outward[index] * min(float(self.length_mm[index]), LONGEST_MM)
        return Segment(start_lps_mm=as_vector(np.round(start, 2)), end_lps_mm=as_vector(target))

    def segment(self, index: int) -> Segment:
        """From the skin to the target."""
        target, outward = self.targets[index], self.outward[index]
        return Segment(start_lps_mm=as_vector(target + outward * self.length_mm[index]), end_lps_mm=as_vector(target))


def trace(
    around: Surroundings, targets: Array, outward: Array, tool: Instrument, up: Array | None, *, start_mm: float = 0.0
) -> Paths:
    """Follow paths from (n, 3) targets along (n, 3) outward unit vectors to the skin and measure them.

    `up` restricts them to what the patient's position lets reach; `start_mm` leaves out the part next to the target.
    """
    step_mm = float(around.grid.spacing_mm.min())
    rays = leave(
        around.grid, targets, outward, around.body, around.seen, step_mm=step_mm, reach_mm=LONGEST_MM, start_mm=start_mm
    )
    margins, nearest = _margins(around, rays, tool)
    tilt = np.degrees(np.arcsin(np.clip(np.abs(outward[:, 2]), 0.0, 1.0)))
    hub = _hub_mm(around, targets, outward, rays.length_mm, tool)
    steep = tilt > around.guidance.tilt_max_deg
    wide = hub > limit("gantry_bore_mm").value / 2 - limit("gantry_margin_mm").value
    refused = {
        "patient_position": np.zeros(len(targets), bool) if up is None else ~reachable(outward, up),
        **{barrier.rule.constraint: margins[:, at] < 0 for at, barrier in enumerate(around.barriers)},
        "field_of_view": ~rays.shown,
        "needle_length": ~(rays.length_mm <= tool.reach_mm),
        "out_of_plane_angle": steep,
        "gantry_clearance": wide,
        "incision": np.full(len(targets), tool.diameter_mm >= limit("incision_max_mm").value),
    }
    reason = np.zeros(len(targets), dtype=np.int64)
    for number, refuses in reversed(list(enumerate(refused.values(), start=1))):
        reason[refuses] = number
    cortex, bone = (_along_admissible(rays, mask, reason == 0) for mask in (around.cortex, around.bone_share))
    return Paths(
        targets=targets,
        outward=outward,
        length_mm=rays.length_mm,
        margins_mm=margins,
        nearest=nearest,
        cortex_mm=cortex,
        bone_mm=bone,
        out_of_plane_deg=tilt,
        hub_mm=hub,
        reason=reason,
        reasons=("", *refused),
        cost=_cost(around, rays.length_mm, margins, cortex, tilt),
    )


def _margins(around: Surroundings, rays: Rays, tool: Instrument) -> tuple[Array, Array]:
    """(n, barriers) clearance over the hard limits, and the structure it is to."""
    need = tool.radius_mm + tool.kept_free_mm(around.guidance.placement_error_mm) + GRID_SLACK_MM
    margins = np.full((len(rays.last), len(around.barriers)), np.inf)
    nearest = np.full(margins.shape, -1)
    for column, barrier in enumerate(around.barriers):
        if not barrier.names:
            continue
        part = around.without(barrier, tool.ignores)
        enough = need + barrier.rule.soft_mm + BEYOND_SOFT_MM
        distance, label = least(rays, part.distance_mm, part.nearest, enough_mm=enough)
        margins[:, column] = distance - need - barrier.rule.hard_mm
        nearest[:, column] = label - 1
    return margins, nearest


def _hub_mm(around: Surroundings, targets: Array, outward: Array, length_mm: Array, tool: Instrument) -> Array:
    """(n,) how far the hub's end lies from the scanner's axis, which runs along the patient through his middle."""
    known = np.where(np.isfinite(length_mm), length_mm, 0.0)
    hub = targets + outward * (known + tool.outside_mm(known))[:, None] - around.bore_center_lps_mm
    return np.hypot(hub[:, 0], hub[:, 1])


def _along_admissible(rays: Rays, mask: Array, admissible: Array) -> Array:
    found = np.zeros(len(admissible))
    rows = np.flatnonzero(admissible)
    if len(rows):
        found[rows] = through_mm(rays.of(rows), mask)
    return found


def search(around: Surroundings, target: Array, tool: Instrument, up: Array | None, *, directions: int = 3000) -> Paths:
    """Every direction of a sphere around one target."""
    outward = sphere(directions)
    return trace(around, np.broadcast_to(target, outward.shape), outward, tool, up)


def _cost(around: Surroundings, length: Array, margins: Array, cortex: Array, tilt: Array) -> Array:
    """Dimensionless: 50 mm of path, 10 mm of cortex, 20 deg too much out of plane or a soft limit used up cost 1."""
    soft = np.array([barrier.rule.soft_mm - barrier.rule.hard_mm for barrier in around.barriers])
    short = np.clip(1.0 - margins / np.maximum(soft, 1e-6), 0.0, 2.0).sum(axis=1)
    steep = np.clip(tilt - limit("out_of_plane_deg").value, 0.0, None) / 20.0
    return np.where(np.isfinite(length), length, 1e3) / 50.0 + cortex / 10.0 + steep + short
