"""Corridors as they can be told: the widest cylinders of bone with their names, neighbors, screws and ways in."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog import devices
from trocar.errors import PlanningError
from trocar.imaging.surface import bounds, grown_bounds, slices
from trocar.model.case import Role, Structure
from trocar.model.device import Screw
from trocar.model.space import Array, Grid, Volume
from trocar.planning.bonefield import HEALTHY_MIN_HU, JOINT_BRIDGE_MM, BoneField
from trocar.planning.breach import grade
from trocar.planning.foramina import is_sacral
from trocar.planning.freecorridor import FreeCorridor, bone_of_labels, free_corridors
from trocar.planning.guidance import Guidance
from trocar.planning.hardlimits import Anatomy, HardLimits, cropped, hard_limits
from trocar.planning.naming import CorridorName, corridor_name
from trocar.planning.obstacles import Obstacle, obstacles
from trocar.planning.wayin import WayIn, ways_in

MARGIN_MM = 25.0  # around the bone, in which what a corridor must keep clear of is looked for
TOLD_WITHIN_MM = 20.0
TOLD = 4
EXACT = ("nerve_clearance", "joint_clearance", "implant_clearance")  # measured again for each corridor


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """The thickest screw of the catalog that keeps its clearance in a corridor, at its longest length that fits.

    `breach` is its grade as planned, `breach_displaced` when displaced by the guidance's placement error.
    """

    device: str
    length_mm: float
    diameter_mm: float
    cortex_mm: float  # from its surface
    breach: str
    breach_displaced: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeCorridor:
    """A corridor, what it is called, what lies nearest to it (name and mm from its surface) and how it is reached."""

    corridor: FreeCorridor
    called: CorridorName
    nearest: tuple[tuple[str, float], ...]
    screw: Fitting | None
    ways: tuple[WayIn, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafeCorridors:
    """The corridors of a bone, the widest first, and what was looked at to find them."""

    bone: BoneField
    found: tuple[SafeCorridor, ...]
    limits: HardLimits
    not_looked_at: tuple[str, ...]


def safe_corridors(
    around: Anatomy,
    *,
    lesion: Array | None,
    guidance: Guidance,
    ct: Volume | None = None,
    anchor_mm: float | None = None,
    gap_mm: float = 0.0,
    count: int = 5,
) -> SafeCorridors:
    """Up to `count` corridors of the bones of an anatomy, as `free_corridors`, with their hard limits and ways in.

    With a CT healthy bone is told by HU; without one all bone outside the lesion counts as healthy. A hip bone and the
    sacrum are joined across their joint. Raises `PlanningError` for an empty bone.
    """
    ready = searched(around, lesion, ct)
    bone, limits = ready.bone, ready.limits
    kept = obstacles((*limits.nerves, *limits.not_bone), ready.near.grid)
    solid = tuple(each for each in kept if each.rule.constraint in EXACT)
    found = free_corridors(bone, anchor_mm=anchor_mm, gap_mm=gap_mm, count=count, obstacles=solid)
    told = tuple(
        SafeCorridor(
            corridor=each,
            called=corridor_name(ready.near.structures, ready.near.grid, each.axis),
            nearest=_nearest(kept, each),
            screw=(screw := fitting(each, guidance)),
            ways=ways_in(
                around, each.axis, diameter_mm=screw.diameter_mm if screw else each.screw_diameter_mm, guidance=guidance
            ),
        )
        for each in found
    )
    return SafeCorridors(bone=bone, found=told, limits=limits, not_looked_at=_not_looked_at(around, limits))


def fitting(corridor: FreeCorridor, guidance: Guidance) -> Fitting | None:
    """The thickest screw of the catalog that a corridor takes; None where none fits."""
    sizes = [
        (item.diameter_mm, item.id, max(lengths))
        for item in devices().values()
        if isinstance(item, Screw)
        and item.diameter_mm <= corridor.screw_diameter_mm
        and (lengths := [length for length in item.lengths_mm if length <= corridor.axis.length_mm])
    ]
    if not sizes:
        return None
    diameter, device, length = max(sizes)
    cortex = corridor.cortex_mm - diameter / 2
    return Fitting(
        device=device,
        length_mm=length,
        diameter_mm=diameter,
        cortex_mm=cortex,
        breach=grade(-cortex),
        breach_displaced=grade(guidance.placement_error_mm - cortex),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What corridors are looked for in: a bone field, its limits, and the anatomy on the grid of a box around it."""

    bone: BoneField
    limits: HardLimits
    near: Anatomy


def searched(around: Anatomy, lesion: Array | None, ct: Volume | None) -> Searched:
    """The bones of an anatomy made ready: joined across their joint, without what is not bone, healthy by HU."""
    hosts = [item for item in around.structures if item.name in around.bones]
    whole = np.any([item.inside for item in hosts], axis=0)
    if not whole.any():
        raise PlanningError("the bone mask is empty", hint="give the label of a bone")
    low, high = grown_bounds(whole, np.ceil(MARGIN_MM / around.grid.spacing_mm).astype(int))
    part = slices(low, high)
    near = Anatomy(
        structures=cropped(around.structures, low, high), grid=around.grid.cropped(low, high), bones=around.bones
    )
    tumor = None if lesion is None else lesion[part]
    bones = tuple(item for item in near.structures if item.name in around.bones)
    own = np.any([item.inside for item in bones], axis=0)
    inside = own | _bridge(bones, near.grid)
    limits = hard_limits(near, lesion=tumor)
    for item in (*limits.not_bone, *limits.nerves):
        inside = inside & ~item.inside
    healthy = own if tumor is None else own & ~(tumor if ct is None else ndimage.binary_dilation(tumor))
    if ct is not None:
        smooth = ndimage.uniform_filter(ct.values[part].astype(np.float32), 3, mode="nearest")
        healthy = healthy & (smooth >= HEALTHY_MIN_HU)
    nerves = np.any([item.inside for item in limits.nerves], axis=0) if limits.nerves else None
    bone = bone_of_labels(
        inside, near.grid, lesion=tumor, healthy=healthy, nerves=nerves, names=around.bones,
        side_x=_side_x(bones, tumor, near.grid),
    )  # fmt: skip
    return Searched(bone, limits, near)


def _bridge(bones: tuple[Structure, ...], grid: Grid) -> Array:
    """[i, j, k] the sacroiliac joints between a hip bone and the sacrum, where both are asked for."""
    found = np.zeros(grid.shape, dtype=bool)
    sacral = [item for item in bones if is_sacral(item.name)]
    for hip in (item for item in bones if item.name.startswith("hip_") and sacral):
        sacrum = np.any([item.inside for item in sacral], axis=0)
        reach = np.ceil(JOINT_BRIDGE_MM / grid.spacing_mm).astype(int) + 1
        boxes = [np.array(bounds(mask)) + np.stack([-reach, reach], axis=1) for mask in (hip.inside, sacrum)]
        low = np.maximum(np.maximum(boxes[0][:, 0], boxes[1][:, 0]), 0)
        high = np.minimum(np.minimum(boxes[0][:, 1], boxes[1][:, 1]), grid.shape)
        if (low >= high).any():
            continue
        part = slices(low, high)
        gap = sum(
            ndimage.distance_transform_edt(~mask[part], sampling=grid.spacing_mm) for mask in (hip.inside, sacrum)
        )
        found[part] |= gap <= JOINT_BRIDGE_MM + float(grid.spacing_mm.mean())
    return found


def _side_x(bones: tuple[Structure, ...], tumor: Array | None, grid: Grid) -> float:
    """+1 for what lies on the left, -1 on the right: the bone's own side, else the lesion's of its middle."""
    sides = {side for item in bones for side in ("left", "right") if side in item.name.split("_")}
    if len(sides) == 1:
        return 1.0 if sides == {"left"} else -1.0
    if tumor is None or not tumor.any():
        return 1.0
    middles = [grid.to_lps((np.array(bounds(mask)).sum(axis=1) - 1) / 2)[0] for mask in (tumor, bones[0].inside)]
    return 1.0 if middles[0] >= middles[1] else -1.0


def _nearest(kept: tuple[Obstacle, ...], corridor: FreeCorridor) -> tuple[tuple[str, float], ...]:
    found = [(each.clearance_mm(corridor.axis, corridor.diameter_mm / 2), each.name) for each in kept]
    return tuple((name, mm) for mm, name in sorted(found) if mm <= TOLD_WITHIN_MM)[:TOLD]


def _not_looked_at(around: Anatomy, limits: HardLimits) -> tuple[str, ...]:
    """What nobody looked at, of the limits and of the ways in."""
    if around.body is None:
        return (*limits.not_looked_at, "the way in from the skin (no CT, or no outline of the body)")
    soft = {
        "vessels": (Role.VESSEL,),
        "bowel, bladder and organs": (Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN),
    }
    absent = [
        f"{kind} (not among the labels)"
        for kind, roles in soft.items()
        if not any(item.role in roles for item in around.structures)
    ]
    return (*limits.not_looked_at, *absent, "the patient's position and the gantry")
