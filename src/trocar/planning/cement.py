"""Cement deposits at the ends of a screw, or along its axis before it is driven: where, how much, through what."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trocar.catalog import device, limit
from trocar.catalog.compatibility import fits
from trocar.catalog.timing import timing
from trocar.imaging.surface import slices
from trocar.model.case import Role
from trocar.model.device import Cement, Screw, Trocar, Wire
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Segment, as_vector
from trocar.model.treatment import Placement, Rejection
from trocar.planning.access import Instrument, clear, instrument, needle, rejections, trace
from trocar.planning.bonefield import BoneField
from trocar.planning.directions import spaced, sphere, tie_break
from trocar.planning.fixation import Screwed, trocar_reach_mm
from trocar.planning.gap import axis_gap_mm
from trocar.planning.kit import wire_for
from trocar.planning.surroundings import Surroundings

CEMENT = "cement-pmma-generic"
LEAST_ML, MOST_ML = 2.0, 5.0  # R-l, per screw end
VOLUME_STEP_ML = 0.5  # volumes are multiples of it, and what does not hold one is no place for cement; design
FILL_FRAC = 0.5  # of the bone around the injection point; design
SPREAD_FRAC = 0.6  # of a ball as far as its front: flow in the synthetic pelvis stops at 0.72 to 0.93 of one; design
SPACE_RADIUS_MM = 12.0
END_REACH_MM = 30.0
TARGETS_TRIED = 20
ENOUGH_ML = 4.0
WORTH_PER_ML = 1.0  # of a path's cost unit; design
DIRECTIONS = 900
INJECTION_S_PER_ML = 20.0  # a 1 ml syringe at a time, watched; design
EXCHANGE_S = {
    what: float(round(60.0 * timing(step, "screw_mounted_on_cement").duration.typical))
    for what, step in (("wire in", "K_WIRE"), ("trocar out", "TROCAR_REMOVE"), ("screw over the wire", "SCREW"))
}
TIP_SHORT_MM = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Deposit:
    """One deposit with what it is injected through; no placements when none could be placed."""

    placements: tuple[Placement, ...]
    checks: tuple[Check, ...] = ()
    rejected: tuple[Rejection, ...] = ()


Rod = tuple[Segment, float]  # an axis and a diameter in mm


def deposit_at_end(
    around: Surroundings, bone: BoneField, screw: Screwed, up: Array, *, end: str, others: tuple[Rod, ...]
) -> Deposit:
    """A deposit beside the `head` or the `tip` of a screw already in place, through a trocar of its own.

    The trocar keeps the gap of implants from `others`: the other screws and the trocars before it.
    """
    tool = instrument("trocar-11g", "trocar", what=f"trocar to the screw's {end}")
    targets = _targets(bone, screw, tool, end)
    volumes = np.array([volume_ml(around, bone, target) for target in targets])
    if not len(targets) or not volumes.any():
        return Deposit((), rejected=(_no_room(screw, tool, end),))
    return _inject(
        around, bone, (targets, volumes), tool, up, name=end, gap=lambda path: _gap_mm(path, tool, screw, others)
    )


def deposit_in_lesion(around: Surroundings, bone: BoneField, up: Array) -> Deposit:
    """A deposit in the bone that the lesion replaced, where there is no screw to hold."""
    tool = instrument("trocar-11g", "trocar", what="trocar to the lesion")
    ijk = np.argwhere((bone.in_lesion >= 0.5) & (bone.depth_mm >= tool.diameter_mm))
    points = bone.grid.to_lps(ijk)
    order = np.lexsort((tie_break(points, bone.side_x), -np.round(bone.depth_mm[tuple(ijk.T)], 3)))
    targets = spaced(points[order], apart_mm=4.0, count=3 * TARGETS_TRIED)
    volumes = np.array([volume_ml(around, bone, target) for target in targets])
    if not len(targets) or not volumes.any():
        room = Rejection(
            what="cement in the lesion: no bone deep enough, or a canal, root or joint too near",
            constraint="cement_room",
            structure=", ".join(bone.names),
            value_mm=round(float(bone.depth_mm[bone.in_lesion >= 0.5].max(initial=0.0)), 2),
            limit_mm=tool.diameter_mm,
        )
        return Deposit((), rejected=(room,))
    return _inject(around, bone, (targets, volumes), tool, up, name="lesion", gap=lambda path: np.inf)


def _inject(
    around: Surroundings,
    bone: BoneField,
    places: tuple[Array, Array],
    tool: Instrument,
    up: Array,
    *,
    name: str,
    gap: Callable[[Segment], float],
) -> Deposit:
    """The best path to one of the places (points, volumes): cheap, and with room for enough cement.

    `gap` is how far a path would run from the nearest implant.
    """
    targets, volumes = places
    most = np.argsort(-np.minimum(volumes, ENOUGH_ML), kind="stable")[:TARGETS_TRIED]
    most = most[volumes[most] > 0]
    targets, volumes = targets[most], volumes[most]
    ways = sphere(DIRECTIONS)
    paths = trace(around, np.repeat(targets, len(ways), axis=0), np.tile(ways, (len(targets), 1)), tool, up)
    able = paths.best_first
    value = paths.cost[able] + WORTH_PER_ML * (ENOUGH_ML - np.minimum(volumes, ENOUGH_ML))[able // len(ways)]
    least, widest = limit("implant_gap_mm"), -np.inf
    for index in able[np.argsort(value, kind="stable")][:400]:
        path = paths.segment(int(index))
        free = gap(path)
        widest = max(widest, free)
        if free < least.value - 1e-6 or not clear(around.obstacles, path, tool):
            continue
        volume = float(volumes[index // len(ways)])
        bead = f"cement-{name}"
        return Deposit(
            (needle(tool, path, f"trocar-{name}"), _deposit(path, tool.diameter_mm, bead, volume)),
            checks=(volume_check(bead, volume), front_check(around, path.end_lps_mm, bead, volume)),
        )
    refused = tuple(rejections(around, paths, tool, up, what=tool.what))
    if -np.inf < widest < least.value:
        met = Rejection(
            what=tool.what, constraint="implant_gap", structure="screws and trocars", value_mm=round(widest, 2),
            limit_mm=least.value,
        )  # fmt: skip
        refused = (met, *refused)
    return Deposit((), rejected=refused)


def _targets(bone: BoneField, screw: Screwed, tool: Instrument, end: str) -> Array:
    """(n, 3) points in the bone beside one end of the screw, the deepest first."""
    axis, keep = screw.corridor.axis, _keep_mm(tool, screw)
    ijk = np.argwhere(bone.depth_mm >= tool.radius_mm + 1.0)
    points = bone.grid.to_lps(ijk)
    along = (points - axis.start_lps_mm) @ axis.direction
    if end == "tip":
        along = axis.length_mm - along
    gap = axis.distance_mm(points)
    beside = (along > -4.0) & (along < END_REACH_MM) & (gap >= keep) & (gap <= keep + 6.0)
    points, along = points[beside], along[beside]
    depth = bone.depth_mm[tuple(ijk[beside].T)]
    value = np.round(-depth + 0.05 * np.abs(along - 6.0), 3)
    order = np.lexsort((tie_break(points, bone.side_x), value))
    return spaced(points[order], apart_mm=5.0, count=3 * TARGETS_TRIED)


def _keep_mm(tool: Instrument, screw: Screwed) -> float:
    return tool.radius_mm + screw.corridor.diameter_mm / 2 + limit("implant_gap_mm").value


def _gap_mm(path: Segment, tool: Instrument, screw: Screwed, others: tuple[Rod, ...]) -> float:
    """From a trocar's surface to the nearest of the screw it serves, the other screws and the trocars before it."""
    rods = ((screw.corridor.axis, screw.corridor.diameter_mm), *others)
    return min(axis_gap_mm(path, axis) - diameter_mm / 2 for axis, diameter_mm in rods) - tool.radius_mm


def _no_room(screw: Screwed, tool: Instrument, end: str) -> Rejection:
    return Rejection(
        what=f"cement at the screw's {end}: no bone beside it holds a trocar",
        constraint="cement_room",
        structure="bone",
        value_mm=round(max(0.0, screw.corridor.width_mm / 2), 2),
        limit_mm=round(_keep_mm(tool, screw) + tool.radius_mm + 1.0, 2),
    )


def mounted_deposit(around: Surroundings, bone: BoneField, screw: Screwed, number: int) -> Deposit:
    """A deposit through an 8 G trocar on the screw's own axis, with the wire that the screw then follows.

    The wire alone, and why, where the trocar's end leaves no room for cement.
    """
    corridor, path = screw.corridor, screw.path
    trocar = device("trocar-8g")
    known = device(corridor.device)
    assert isinstance(trocar, Trocar) and isinstance(known, Screw)
    reach = min(path.length_mm - TIP_SHORT_MM, trocar_reach_mm())
    target = path.at(reach)
    in_trocar = Segment(start_lps_mm=path.start_lps_mm, end_lps_mm=as_vector(target))
    tool = instrument("trocar-8g", "trocar", what="trocar")
    name = f"cement-{number}"
    volume = volume_ml(around, bone, target)
    wire = wire_for(known)
    over = () if wire is None else (needle(instrument(wire.id, "wire", what="wire"), path, f"wire-{number}"),)
    if volume <= 0:
        return Deposit(over, rejected=(_no_volume(around, bone, target, name),))
    through = needle(tool, in_trocar, f"trocar-{number}")
    return Deposit(
        (through, _deposit(in_trocar, tool.diameter_mm, name, volume), *over),
        checks=(
            volume_check(name, volume),
            front_check(around, as_vector(target), name, volume),
            _reach_check(corridor.axis, target, number),
            *_lumen_checks(trocar, known, wire, number),
            clock_check(volume, name),
        ),
    )


def _no_volume(around: Surroundings, bone: BoneField, target: Array, name: str) -> Rejection:
    """Why the least volume finds no place: a canal, root or joint too near its front, else too little bone."""
    distance, nearest = _nearest_stop(around, target)
    needed = limit("cement_stop_mm").value + _front_mm(VOLUME_STEP_ML)
    near = distance < needed
    depth = bone.at(bone.depth_mm, target[None], outside=0.0)[0]
    return Rejection(
        what=f"{name}: too little bone around it, or a canal, root or joint too near",
        constraint="cement_room",
        structure=nearest if near else ", ".join(bone.names),
        value_mm=round(max(0.0, distance if near else float(depth)), 2),
        limit_mm=round(needed if near else SPACE_RADIUS_MM, 2),
    )


def _deposit(path: Segment, diameter_mm: float, name: str, volume: float) -> Placement:
    return Placement(
        device=CEMENT,
        role="cement",
        name=name,
        entry_lps_mm=path.start_lps_mm,
        target_lps_mm=path.end_lps_mm,
        skin_lps_mm=path.start_lps_mm,
        length_mm=path.length_mm,
        diameter_mm=diameter_mm,
        volume_ml=volume,
    )


def volume_ml(around: Surroundings, bone: BoneField, target: Array) -> float:
    """Half of the bone around the point, at most 5 ml, and never a front that comes within the stop distance."""
    reach = np.ceil(SPACE_RADIUS_MM / bone.grid.spacing_mm).astype(int)
    middle = np.rint(bone.grid.to_ijk(target)).astype(int)
    low = np.clip(middle - reach, 0, bone.grid.shape)
    high = np.clip(middle + reach + 1, 0, bone.grid.shape)
    cut = slices(low, high)
    ijk = np.argwhere(bone.depth_mm[cut] > 0) + low
    near = np.linalg.norm(bone.grid.to_lps(ijk) - target, axis=1) <= SPACE_RADIUS_MM
    room = FILL_FRAC * float(np.count_nonzero(near)) * bone.grid.voxel_ml
    free = max(0.0, _nearest_stop(around, target)[0] - limit("cement_stop_mm").value)
    ball = SPREAD_FRAC * 4.0 / 3.0 * np.pi * free**3 / 1000.0
    return float(np.floor(min(MOST_ML, room, ball) / VOLUME_STEP_ML) * VOLUME_STEP_ML)


def _front_mm(volume: float) -> float:
    """How far from the injection point the front of a volume lies, spread as bone lets it."""
    return float((3.0 * 1000.0 * volume / SPREAD_FRAC / (4.0 * np.pi)) ** (1 / 3))


def _nearest_stop(around: Surroundings, target: Array) -> tuple[float, str]:
    """The nearest canal, root or joint: where a cement front must not come."""
    point = Segment(start_lps_mm=as_vector(target), end_lps_mm=as_vector(target))
    roles = {item.name: item.role for item in around.case.structures}
    stops = [item for item in around.obstacles if roles[item.name] in (Role.NERVE, Role.CORD, Role.JOINT)]
    return min(((item.clearance_mm(point, 0.0), item.name) for item in stops), default=(np.inf, ""))


def front_check(around: Surroundings, target: tuple[float, float, float], name: str, volume: float) -> Check:
    """Whether the front of the volume, spread as bone lets it, keeps its distance from canal, roots and joints."""
    distance, nearest = _nearest_stop(around, np.asarray(target))
    bound = limit("cement_stop_mm")
    if not nearest:
        return Check(
            name="cement_front_distance",
            subject=name,
            value=None,
            limit=bound.value,
            unit="mm",
            verdict=Verdict.UNKNOWN,
            source=bound.source,
            message="no nerve, canal or joint is segmented",
        )
    front = distance - _front_mm(volume)
    return Check(
        name="cement_front_distance",
        subject=nearest,
        value=round(float(front), 2),
        limit=bound.value,
        unit="mm",
        verdict=Verdict.PASS if front >= bound.value - 1e-6 else Verdict.FAIL,
        source=bound.source,
        message=f"{name}: {volume:g} ml fill {100 * SPREAD_FRAC:.0f} % of a ball around the injection point, "
        "not a flow simulation",
    )


def is_front_of(check: Check, name: str) -> bool:
    """Whether a check is `front_check` of the cement of this name."""
    return check.name == "cement_front_distance" and name in (check.subject, check.message.partition(":")[0])


def volume_check(name: str, volume: float) -> Check:
    """Whether the room leaves the usual volume per screw end."""
    return Check(
        name="cement_volume",
        subject=name,
        value=volume,
        limit=LEAST_ML,
        unit="ml",
        verdict=Verdict.PASS if volume >= LEAST_ML else Verdict.WARN,
        source="R-l (2 to 5 ml per end), V52",
    )


def _reach_check(axis: Segment, target: Array, number: int) -> Check:
    short = axis.length_mm - float((target - axis.start_lps_mm) @ axis.direction)
    return Check(
        name="trocar_short_of_screw_tip",
        subject=f"trocar-{number}",
        value=round(short, 1),
        limit=15.0,
        unit="mm",
        verdict=Verdict.PASS if short <= 15.0 else Verdict.WARN,
        source="design",
        message="how far from the screw's tip the longest trocar leaves the cement",
    )


def _lumen_checks(trocar: Trocar, screw: Screw, wire: Wire | None, number: int) -> tuple[Check, ...]:
    wire_mm = wire.diameter_mm if wire else screw.wire_mm
    return (
        fits("wire_through_trocar", wire_mm, trocar.inner_diameter_mm, f"trocar-{number}"),
        fits("wire_through_screw", wire_mm, screw.cannula_mm, f"screw-{number}"),
    )


def clock_check(volume: float, name: str) -> Check:
    """Whether injection, wire, trocar and screw fit into the cement's working time; each screw has its own mix."""
    cement = device(CEMENT)
    assert isinstance(cement, Cement)
    needed = volume * INJECTION_S_PER_ML + sum(EXCHANGE_S.values())
    if cement.paste_until_s is None or cement.liquid_until_s is None:
        window, verdict = None, Verdict.UNKNOWN
    else:
        window = cement.paste_until_s - cement.liquid_until_s
        verdict = Verdict.PASS if needed <= window else Verdict.FAIL
    return Check(
        name="cement_clock",
        subject=name,
        value=needed,
        limit=window,
        unit="s",
        verdict=verdict,
        source="V46 (one product, 22 degC), design",
        message=f"from paste to screw driven, from a mix of its own: {', '.join(EXCHANGE_S)}",
    )
