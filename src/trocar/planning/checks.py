"""Re-checks placements by dense sampling, independently of how they were found; editing by hand uses the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from trocar.catalog import device, limit
from trocar.model.case import Case, Role
from trocar.model.finding import Check, Verdict
from trocar.model.segmented import OTHER_NERVES, knows_nerves
from trocar.model.space import Array, Segment
from trocar.model.treatment import Placement, Plan, Step, Technique
from trocar.planning.access import written
from trocar.planning.bonefield import BoneField, bone_field, length_within_mm
from trocar.planning.breach import breach_check
from trocar.planning.canal import with_canal
from trocar.planning.corridor import least_depth_mm
from trocar.planning.gap import angle_deg, axis_gap_mm
from trocar.planning.guidance import Guidance
from trocar.planning.obstacles import Obstacle
from trocar.planning.rules import Clearance, clearances
from trocar.planning.surroundings import Surroundings, surroundings

SAMPLE_MM = 0.5
REPORTED_WITHIN_MM = 20.0
INSIDE_BODY = ("probe", "biopsy", "trocar", "thermocouple", "needle", "wire")
AT_A_NERVE = ("thermocouple", "needle")
BRIDGES_JOINT = ("screw", "wire", "trocar", "cement")
TOLERANCE_MM = 0.05


@dataclass(frozen=True, eq=False)
class Inspector:
    """What a case's placements are checked against; the search trees are built once."""

    around: Surroundings
    _trees: dict[str, cKDTree] = field(default_factory=dict, repr=False)
    _measured: dict[Placement, tuple[Check, ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def bone(self) -> BoneField | None:
        """The bone that screws run in; None when the lesion has no host bone."""
        hosts = self.around.host_bones
        if not hosts:
            return None
        return bone_field(self.around.case, self.around.lesion, hosts, side_x=self.around.side_x)

    @cached_property
    def knows_nerves(self) -> bool:
        """Whether nerves beside the lesion can be taken as segmented."""
        return knows_nerves(self.around.case, self.around.lesion.name)

    def measured(self, placement: Placement) -> tuple[Check, ...]:
        """The checks of one placement; measured once for as long as it stays where it is."""
        if placement not in self._measured:
            self._measured[placement] = tuple(placement_checks(self, placement))
        return self._measured[placement]

    def clearance_mm(self, obstacle: Obstacle, points_lps_mm: Array, radius_mm: float) -> float:
        """From an instrument's surface, its axis given as dense points, to a structure's."""
        if obstacle.name not in self._trees:
            self._trees[obstacle.name] = cKDTree(obstacle.points_lps_mm)
        return float(self._trees[obstacle.name].query(points_lps_mm)[0].min()) - obstacle.shell_mm - radius_mm


def inspector(case: Case, lesion: str, *, guidance: Guidance | None = None) -> Inspector:
    """An inspector of placements around one lesion, for instruments led as given, else as the case says."""
    case = with_canal(case)
    return Inspector(surroundings(case, case.structure(lesion), guidance=guidance))


def recheck(case: Case, plan: Plan) -> Plan:
    """The plan with its placements' checks measured anew; what planning itself predicted is kept."""
    inspect = inspector(case, plan.lesion)
    return replace(plan, steps=tuple(rechecked_step(inspect, step) for step in plan.steps))


def rechecked_step(inspect: Inspector, step: Step, *, before: Step | None = None) -> Step:
    """A step with its geometric checks measured anew, the others kept. `before`: the step whose checks it still has."""
    measured = tuple(step_checks(inspect, step))
    geometric = {check.name for check in (*measured, *step_checks(inspect, before or step))}
    kept = tuple(check for check in step.checks if check.name not in geometric)
    return replace(step, checks=kept + measured)


def step_checks(inspect: Inspector, step: Step) -> Iterator[Check]:
    """Every geometric check of a step."""
    for placement in step.placements:
        yield from inspect.measured(placement)
    probes = [placement for placement in step.placements if placement.role == "probe"]
    if step.technique is not Technique.CRYOABLATION:
        return
    if len(probes) > 1:
        yield from _bundle_checks(probes)
    yield from (_beyond_check(inspect, probe) for probe in probes)


def placement_checks(inspect: Inspector, placement: Placement) -> Iterator[Check]:
    """Clearances, length, incision and angle of one placement; for a screw its corridor too."""
    if placement.role == "cement":
        return  # the deposit's own checks; its way in is the trocar's
    yield from clearance_checks(inspect, placement)
    yield incision_check(placement)
    if placement.role in INSIDE_BODY:
        yield _length_check(placement)
        yield _angle_check(placement)
    if placement.role == "screw":
        yield from screw_checks(inspect, placement)


def clearance_checks(inspect: Inspector, placement: Placement) -> Iterator[Check]:
    """For each rule the clearance of every structure within 20 mm, and UNKNOWN for a kind the case lacks.

    Hard limits hold for the instrument as planned; one that a placement error would break is a warning.
    """
    around = inspect.around
    path = _envelope_axis(placement)
    for rule in clearances():
        members = [item for item in around.obstacles if item.rule.constraint == rule.constraint]
        if not members and rule.expected:
            yield _unknown_clearance(rule, placement, "no such structure is segmented")
        elif rule.constraint == "nerve_clearance" and not inspect.knows_nerves:
            yield _unknown_clearance(rule, placement, OTHER_NERVES)
        for obstacle in members:
            if _meant_to_touch(placement, obstacle, around):
                continue
            value = inspect.clearance_mm(obstacle, path, placement.diameter_mm / 2)
            if value <= REPORTED_WITHIN_MM:
                yield _clearance_check(inspect, placement, obstacle, value)


def _envelope_axis(placement: Placement) -> Array:
    whole = Segment(start_lps_mm=placement.skin_lps_mm, end_lps_mm=placement.target_lps_mm)
    if whole.length_mm < SAMPLE_MM:
        return np.asarray([placement.target_lps_mm])
    return whole.at(np.linspace(0.0, whole.length_mm, int(whole.length_mm / SAMPLE_MM) + 2))


def _meant_to_touch(placement: Placement, obstacle: Obstacle, around: Surroundings) -> bool:
    roles = {item.name: item.role for item in around.case.structures}
    role = roles[obstacle.name]
    if role is Role.JOINT and "sacroiliac" in obstacle.name:
        return placement.role in BRIDGES_JOINT and any(host.name == "sacrum" for host in around.host_bones)
    return False


def _clearance_check(inspect: Inspector, placement: Placement, obstacle: Obstacle, value: float) -> Check:
    rule = obstacle.rule
    at_nerve = placement.role in AT_A_NERVE and rule.constraint == "nerve_clearance"
    hard = 0.0 if at_nerve else rule.hard_mm
    error = 0.0 if placement.role == "screw" or at_nerve else inspect.around.guidance.placement_error_mm
    if placement.role in AT_A_NERVE:
        error = min(error, 1.0)
    soft = hard if at_nerve else max(rule.soft_mm, hard + error)
    verdict = Verdict.PASS if value >= soft else Verdict.WARN
    message = f"{placement.name}"
    if at_nerve:
        message += ": meant to lie beside it"
    if value < hard - TOLERANCE_MM:
        verdict = Verdict.FAIL
    elif value < hard + error:
        message += ": less than the hard limit and a placement error"
    return Check(
        name=rule.constraint,
        subject=obstacle.name,
        value=round(value, 2),
        limit=hard,
        unit="mm",
        verdict=verdict,
        source=rule.source,
        message=message,
    )


def _unknown_clearance(rule: Clearance, placement: Placement, why: str) -> Check:
    return Check(
        name=rule.constraint,
        value=None,
        limit=rule.hard_mm,
        unit="mm",
        verdict=Verdict.UNKNOWN,
        source=rule.source,
        message=f"{placement.name}: {why}",
    )


def incision_check(placement: Placement) -> Check:
    """Whether an instrument's diameter stays below the largest incision."""
    bound = limit("incision_max_mm")
    return Check(
        name="incision",
        subject=placement.name,
        value=placement.diameter_mm,
        limit=bound.value,
        unit="mm",
        verdict=Verdict.PASS if placement.diameter_mm < bound.value else Verdict.FAIL,
        source=bound.source,
    )


def _length_check(placement: Placement) -> Check:
    known = device(placement.device)
    lengths = getattr(known, "shaft_lengths_mm", ()) or getattr(known, "lengths_mm", ())
    reserve = limit("needle_hub_reserve_mm")
    needed = _depth_mm(placement) + reserve.value
    return Check(
        name="needle_length",
        subject=placement.name,
        value=round(needed, 1),
        limit=max(lengths) if lengths else None,
        unit="mm",
        verdict=Verdict.UNKNOWN
        if not lengths
        else Verdict.PASS
        if needed <= max(lengths) + TOLERANCE_MM
        else Verdict.FAIL,
        source=reserve.source,
        message="path and hub reserve" if lengths else "the catalog does not know how long it is",
    )


def _depth_mm(placement: Placement) -> float:
    return float(np.linalg.norm(np.subtract(placement.target_lps_mm, placement.skin_lps_mm)))


def _angle_check(placement: Placement) -> Check:
    bound = limit("out_of_plane_deg")
    depth = max(_depth_mm(placement), 1e-6)
    rise = abs(placement.skin_lps_mm[2] - placement.target_lps_mm[2])
    angle = float(np.degrees(np.arcsin(min(1.0, rise / depth))))
    return Check(
        name="out_of_plane_angle",
        subject=placement.name,
        value=round(angle, 1),
        limit=bound.value,
        unit="deg",
        verdict=Verdict.PASS if angle <= bound.value else Verdict.WARN,
        source=bound.source,
    )


def _bundle_checks(probes: list[Placement]) -> Iterator[Check]:
    nearest = {
        probe.name: min(axis_gap_mm(probe.axis, other.axis) for other in probes if other is not probe)
        for probe in probes
    }
    for key, gap in (
        ("probe_spacing_min", min(nearest.values())),
        ("probe_spacing_max", max(nearest.values())),
    ):
        bound = limit(f"{key}_mm")
        over = gap - bound.value if key.endswith("max") else bound.value - gap
        yield Check(
            name=key,
            subject="probes",
            value=round(gap, 2),
            limit=bound.value,
            unit="mm",
            verdict=Verdict.PASS if over <= TOLERANCE_MM else Verdict.WARN,
            source=bound.source,
            message="to the nearest neighbor",
        )
    bound = limit("probe_parallel_deg")
    angle = max(angle_deg(one.axis, other.axis) for one, other in combinations(probes, 2))
    yield Check(
        name="probe_parallel",
        subject="probes",
        value=round(angle, 1),
        limit=bound.value,
        unit="deg",
        verdict=Verdict.PASS if angle <= bound.value else Verdict.WARN,
        source=bound.source,
    )


def _beyond_check(inspect: Inspector, probe: Placement) -> Check:
    """How far the tip lies past the lesion's far edge on the probe's own line."""
    bound = limit("probe_beyond_margin_mm")
    axis = probe.axis
    points = inspect.around.lesion_points_lps_mm
    near = points[Segment(start_lps_mm=axis.start_lps_mm, end_lps_mm=_past(axis)).distance_mm(points) <= 4.0]
    if not len(near):
        value, verdict = None, Verdict.WARN
    else:
        value = axis.length_mm - float(((near - axis.start_lps_mm) @ axis.direction).max())
        verdict = Verdict.PASS if value >= bound.value - 1.0 else Verdict.WARN
    return Check(
        name="probe_beyond_margin",
        subject=probe.name,
        value=None if value is None else round(value, 1),
        limit=bound.value,
        unit="mm",
        verdict=verdict,
        source=bound.source,
        message="" if value is not None else "its line misses the lesion",
    )


def _past(axis: Segment) -> tuple[float, float, float]:
    x, y, z = axis.at(axis.length_mm + 60.0)
    return float(x), float(y), float(z)


def screw_checks(inspect: Inspector, screw: Placement) -> Iterator[Check]:
    """Cortex clearance, corridor width and anchorage of a screw, on its axis sampled in the bone."""
    bone = inspect.bone
    if bone is None:
        return
    axis = screw.axis
    along = np.linspace(0.0, axis.length_mm, int(axis.length_mm / SAMPLE_MM) + 1)
    points = axis.at(along)
    depth = bone.at(bone.depth_mm, points, outside=-1.0)
    lesion = bone.at(bone.in_lesion, points, outside=0.0) >= 0.5
    healthy = bone.at(bone.healthy, points, outside=0.0) >= 0.5
    clearance = limit("screw_cortex_clearance_mm")
    need = screw.diameter_mm / 2 + clearance.value
    where = f"from {written(axis.start_lps_mm)} to {written(axis.end_lps_mm)}"
    least = least_depth_mm(depth, float(along[1]), need)
    yield _at_least(
        "screw_cortex_clearance", screw.name, least - screw.diameter_mm / 2, clearance.value, clearance.source, where
    )
    yield breach_check(screw, least - screw.diameter_mm / 2, inspect.around.guidance.placement_error_mm)
    corridor = limit("corridor_warn_mm")
    yield _at_least("corridor_width", screw.name, 2 * least, corridor.value, corridor.source, where, Verdict.WARN)
    crossed = np.flatnonzero(lesion)
    anchor = limit("screw_anchor_healthy_mm")
    step = float(along[1] - along[0]) if len(along) > 1 else 0.0
    first, last = (int(crossed[0]), int(crossed[-1])) if len(crossed) else (len(along), len(along))
    for end, side in (("head", healthy[: first + 1]), ("tip", healthy[last:])):
        held_mm = length_within_mm(side, step)
        yield _at_least(f"screw_anchor_{end}", screw.name, held_mm, anchor.value, anchor.source, "")
    for end, index in (("head", 0), ("tip", -1)):
        yield _at_least(
            f"screw_{end}_outside_lesion", screw.name, 0.0 if lesion[index] else 1.0, 1.0, "article", "", unit="count"
        )


def _at_least(
    name: str,
    subject: str,
    value: float,
    bound: float,
    source: str,
    message: str,
    below: Verdict = Verdict.FAIL,
    *,
    unit: str = "mm",
) -> Check:
    return Check(
        name=name,
        subject=subject,
        value=round(value, 2),
        limit=bound,
        unit=unit,
        verdict=Verdict.PASS if value >= bound - TOLERANCE_MM else below,
        source=source,
        message=message,
    )


def implant_checks(placements: tuple[Placement, ...]) -> Iterator[Check]:
    """Screws against each other and against the trocars of other steps: never closer than their radii and the gap."""
    gap = limit("implant_gap_mm")
    solid = [item for item in placements if item.role == "screw" or item.name in ("trocar-head", "trocar-tip")]
    for one, other in combinations(solid, 2):
        free = axis_gap_mm(one.axis, other.axis) - (one.diameter_mm + other.diameter_mm) / 2
        yield _at_least("implant_gap", f"{one.name}, {other.name}", free, gap.value, gap.source, "")
