"""Screws: corridors that the skin gives access to, chosen together so that they do not meet."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import devices, limit
from trocar.model.case import Role
from trocar.model.device import Screw, Trocar, Wire
from trocar.model.space import Array, Segment
from trocar.model.treatment import Rejection, Text
from trocar.planning.access import Instrument, Paths, clear, rejections, trace, written
from trocar.planning.bonefield import BoneField
from trocar.planning.choices import corridors_told
from trocar.planning.corridor import Corridor, corridors, screws, widest_mm
from trocar.planning.foramina import is_sacral, sacral_channels
from trocar.planning.gap import angle_deg, axis_gap_mm
from trocar.planning.obstacles import Obstacle, obstacles
from trocar.planning.surroundings import Surroundings

FIRST_TRIED = 60
COMPARED = 200  # corridors that the plan tells the choice among
ACCESS_WEIGHT = 0.25
DIVERGENCE_WEIGHT = 0.6  # non-parallel screws resist torsion better; design
SECOND_SCREW_WEIGHT = 1.0
SACRAL_ROOT = "root_s"  # in the name of a nerve that leaves by a sacral foramen
OVERREACH_PER_MM = 0.03  # a millimeter of corridor that the trocar cannot reach; design


@dataclass(frozen=True, slots=True, eq=False)
class Screwed:
    """One screw that can be placed, and the path from the skin to its tip along its own axis."""

    corridor: Corridor
    path: Segment
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Fixation:
    """The screws chosen, why others, or all, were refused, and what the chosen were preferred to."""

    screws: tuple[Screwed, ...]
    rejected: tuple[Rejection, ...] = ()
    alternatives: tuple[Text, ...] = ()


def usable_screws() -> tuple[Screw, ...]:
    """The catalog's screws that go over a wire of the catalog; all of them when none does."""
    wires = {item.diameter_mm for item in devices().values() if isinstance(item, Wire)}
    fitting = tuple(item for item in screws() if item.wire_mm in wires)
    return fitting or screws()


def trocar_reach_mm() -> float:
    """How deep the longest 8 G trocar reaches below the skin, its hub's reserve left outside."""
    trocar = devices()["trocar-8g"]
    assert isinstance(trocar, Trocar)
    return max(trocar.lengths_mm) - limit("needle_hub_reserve_mm").value


def fix(
    around: Surroundings, bone: BoneField, found: list[Corridor], up: Array, count: int, *, mounted: bool = False
) -> Fixation:
    """Up to `count` screws among the corridors found, the best together that skin and neighbors admit.

    Screws `mounted` on cement are preferred where the trocar reaches the far end of their corridor.
    """
    if not found:
        return Fixation((), (_no_corridor(bone),))
    able, refused = _accessible(around, bone, found, up)
    if mounted:
        able = _reached_first(able)
    if not able:
        return Fixation((), refused)
    exact = _Exact(around, bone)
    chosen = tuple(item for item in able[:FIRST_TRIED] if exact(item))[:1] if count == 1 else _pair(able, exact)
    return Fixation(chosen, refused, corridors_told(chosen, able[:COMPARED], exact))


def _no_corridor(bone: BoneField) -> Rejection:
    needed = usable_screws()[0].diameter_mm + 2 * limit("screw_cortex_clearance_mm").value
    return Rejection(
        what="screw: no straight corridor across the lesion holds it with its cortex clearance",
        constraint="corridor_width",
        structure=", ".join(bone.names) or "no bone",
        value_mm=round(widest_mm(bone), 2),
        limit_mm=needed,
    )


def _accessible(
    around: Surroundings, bone: BoneField, found: list[Corridor], up: Array
) -> tuple[list[Screwed], tuple[Rejection, ...]]:
    heads = np.array([corridor.axis.start_lps_mm for corridor in found])
    tips = np.array([corridor.axis.end_lps_mm for corridor in found])
    outward = np.array([-corridor.axis.direction for corridor in found])
    radius = np.array([corridor.diameter_mm / 2 for corridor in found])
    able: list[Screwed] = []
    refused: list[Rejection] = []
    anchored = np.array([_anchor_mm(corridor) >= limit("screw_anchor_healthy_mm").value for corridor in found])
    for size in sorted(set(radius.tolist())):
        rows = np.flatnonzero((radius == size) & anchored)
        if not len(rows):
            continue
        outside = access_tool(2 * size, bone)
        whole = replace(outside, placement_error_mm=0.0, lengths_mm=())
        to_head = trace(around, heads[rows], outward[rows], outside, up)
        to_tip = trace(around, tips[rows], outward[rows], whole, up)
        refused += rejections(around, to_head, outside, up, what="screw access")
        refused += rejections(around, to_tip, whole, up, what="screw")
        able += _together(found, rows, to_head, to_tip)
    if not anchored.any():
        refused.append(_short_anchor(found))
    return sorted(able, key=lambda item: -item.value), tuple(refused)


def _together(found: list[Corridor], rows: Array, to_head: Paths, to_tip: Paths) -> list[Screwed]:
    able = []
    for at, row in enumerate(rows):
        if to_head.admissible[at] and to_tip.admissible[at]:
            value = found[row].quality - ACCESS_WEIGHT * float(to_head.cost[at])
            able.append(Screwed(found[row], to_tip.segment(at), value))
    return able


def _reached_first(able: list[Screwed]) -> list[Screwed]:
    beyond = [max(0.0, item.path.length_mm - trocar_reach_mm()) for item in able]
    valued = [replace(item, value=item.value - OVERREACH_PER_MM * far) for item, far in zip(able, beyond, strict=True)]
    return sorted(valued, key=lambda item: -item.value)


def access_tool(diameter_mm: float, bone: BoneField) -> Instrument:
    """What goes from the skin to a screw's head: as wide as the screw, as long as a trocar."""
    trocar = devices()["trocar-8g"]
    assert isinstance(trocar, Trocar)
    return Instrument(
        what="screw",
        device=trocar.id,
        role="trocar",
        diameter_mm=diameter_mm,
        lengths_mm=trocar.lengths_mm,
        ignores=bone.bridged,
    )


def _anchor_mm(corridor: Corridor) -> float:
    return min(corridor.anchor_head_mm, corridor.anchor_tip_mm)


def _short_anchor(found: list[Corridor]) -> Rejection:
    best = max(found, key=_anchor_mm)
    head, tip = written(best.axis.start_lps_mm), written(best.axis.end_lps_mm)
    return Rejection(
        what=f"screw: {len(found)} corridors, the best anchored from {head} to {tip}",
        constraint="screw_anchor",
        structure="healthy bone",
        value_mm=round(_anchor_mm(best), 2),
        limit_mm=limit("screw_anchor_healthy_mm").value,
    )


class _Exact:
    """The exact check of a screw and its access, remembered."""

    def __init__(self, around: Surroundings, bone: BoneField) -> None:
        self.bone = bone
        self.obstacles = (*around.obstacles, *sacral_obstacles(around, bone.names))
        self.known: dict[Segment, bool] = {}

    def __call__(self, item: Screwed) -> bool:
        axis = item.corridor.axis
        if axis not in self.known:
            outside = access_tool(item.corridor.diameter_mm, self.bone)
            inside = replace(outside, placement_error_mm=0.0)
            access = Segment(start_lps_mm=item.path.start_lps_mm, end_lps_mm=axis.start_lps_mm)
            self.known[axis] = clear(self.obstacles, access, outside) and clear(self.obstacles, axis, inside)
        return self.known[axis]


def sacral_obstacles(around: Surroundings, bones: tuple[str, ...]) -> tuple[Obstacle, ...]:
    """The canal and the foramina that a sacrum's mask shows, where nobody segmented the roots in them.

    `bones` are those that screws run in.
    """
    case = around.case
    sacral = [case.structure(name).inside for name in bones if is_sacral(name)]
    if not sacral or any(item.role is Role.NERVE and SACRAL_ROOT in item.name for item in case.structures):
        return ()
    channels = sacral_channels(np.any([*sacral, around.lesion.inside], axis=0), case.grid)
    return obstacles(channels, case.grid, stray_mm=around.guidance.placement_error_mm)


def _pair(able: list[Screwed], exact: _Exact) -> tuple[Screwed, ...]:
    """The two screws with the highest common value that keep their gap; one when no second fits."""
    gap = limit("implant_gap_mm").value
    best: tuple[float, tuple[Screwed, ...]] = (-np.inf, ())
    for first in able[:FIRST_TRIED]:
        if len(best[1]) == 2 and 2 * first.value + DIVERGENCE_WEIGHT < best[0]:
            break
        if not exact(first):
            continue
        if not best[1]:
            best = (-np.inf, (first,))
        for second in able:
            if first.value + SECOND_SCREW_WEIGHT * second.value + DIVERGENCE_WEIGHT <= best[0]:
                break
            apart = axis_gap_mm(first.corridor.axis, second.corridor.axis)
            if apart < (first.corridor.diameter_mm + second.corridor.diameter_mm) / 2 + gap:
                continue
            spread = np.sin(np.radians(angle_deg(first.corridor.axis, second.corridor.axis)))
            value = first.value + SECOND_SCREW_WEIGHT * second.value + DIVERGENCE_WEIGHT * float(spread)
            if value > best[0] and exact(second):
                best = (value, (first, second))
    return best[1]


def find_corridors(bone: BoneField) -> list[Corridor]:
    """Corridors for the screws that can be mounted."""
    return corridors(bone, usable_screws())
