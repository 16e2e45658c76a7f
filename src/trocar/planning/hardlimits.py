"""What a corridor through a bone must keep away from, where the labels have it or the bone's mask shows it."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.imaging.surface import slices
from trocar.model.case import Role, Structure
from trocar.model.space import Array, Grid
from trocar.planning.canal import canal_of
from trocar.planning.foramina import is_sacral, sacral_channels

NERVES = (Role.NERVE, Role.CORD)
HARD = (Role.IMPLANT, Role.CEMENT)
SOFT = (Role.VESSEL, Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA)
NOT_BONE = (Role.JOINT, *HARD, *SOFT)
WITH_CANAL = "vertebrae_"
PAIRED = ("hip_", "femur_", "humerus_", "scapula_", "clavicula_", "tibia", "fibula", "radius", "ulna", "rib_")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """What lies around the bones that corridors run in, by name: `structures` on `grid`."""

    structures: tuple[Structure, ...]
    grid: Grid
    bones: tuple[str, ...]

    @property
    def body(self) -> Structure | None:
        """The patient; None where nobody has drawn him."""
        return next((item for item in self.structures if item.role is Role.BODY and item.inside.any()), None)

    def passes(self, name: str) -> bool:
        """Whether a way may cross this: the hip bone and the joint on the way to the sacrum, or through it."""
        return any(map(is_sacral, self.bones)) and name.startswith(("hip_left", "hip_right", "sacroiliac_joint"))

    def bridges(self, name: str) -> bool:
        """Whether corridors may run through this joint: the sacroiliac, where both its bones are asked for."""
        side = name.removeprefix("sacroiliac_joint_")
        return any(map(is_sacral, self.bones)) and name != side and f"hip_{side}" in self.bones


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HardLimits:
    """The structures that corridors keep clear of, and in words what was looked at and what was not."""

    structures: tuple[Structure, ...]
    looked_at: dict[str, tuple[str, ...]]
    not_looked_at: tuple[str, ...]

    @property
    def nerves(self) -> tuple[Structure, ...]:
        """Nerves, cord, canal and foramina: a clearance is kept from them."""
        return tuple(item for item in self.structures if item.role in NERVES)

    @property
    def not_bone(self) -> tuple[Structure, ...]:
        """Joints, implants and soft organs: what a bone's mask holds of them is not bone."""
        return tuple(item for item in self.structures if item.role in NOT_BONE)


def hard_limits(around: Anatomy, *, lesion: Array | None = None) -> HardLimits:
    """The hard limits of corridors through the bones of an anatomy; the joints that they bridge are none.

    Foramina and the sacral canal are derived from a sacrum's mask, the canal of a vertebra from its own where none is
    given.
    """
    structures, grid = around.structures, around.grid
    bones = tuple(item for item in structures if item.name in around.bones)
    kept = tuple(item for item in structures if item.role in (*NERVES, *NOT_BONE) and not around.bridges(item.name))
    sacral = tuple(bone for bone in bones if is_sacral(bone.name))
    channels = sacral_channels(_with_lesion(sacral, lesion), grid) if sacral else ()
    spinal = tuple(bone for bone in bones if bone.name.startswith(WITH_CANAL) and not is_sacral(bone.name))
    cords = tuple(item for item in kept if item.role is Role.CORD)
    if spinal and not cords:
        channels += tuple(canal for bone in spinal if (canal := canal_of(bone, grid)) is not None)
    named = all(bone.name.startswith((*PAIRED, WITH_CANAL)) or is_sacral(bone.name) for bone in bones)
    found = {
        "nerves": tuple(item for item in kept if item.role is Role.NERVE),
        "canal": cords + tuple(item for item in channels if item.role is Role.CORD),
        "foramina": tuple(item for item in channels if item.role is Role.NERVE),
        "joints": tuple(item for item in structures if item.role is Role.JOINT),
        "vessels and organs": tuple(item for item in kept if item.role in SOFT),
        "implants": tuple(item for item in kept if item.role in HARD),
    }
    there = {
        "canal": bool(sacral or spinal) or not named,
        "foramina": bool(sacral) or not named,
        "vessels and organs": False,  # they matter to the way in, not within a bone
        "implants": False,
    }
    return HardLimits(
        structures=(*kept, *channels),
        looked_at={kind: tuple(item.name for item in items) for kind, items in found.items() if items},
        not_looked_at=tuple(
            f"{kind} ({_why(kind, sacral=bool(sacral))})"
            for kind, items in found.items()
            if not items and there.get(kind, True)
        ),
    )


def _why(kind: str, *, sacral: bool) -> str:
    if kind == "foramina":
        return "none found in the sacrum's mask" if sacral else "the bone's name is not known"
    return "not among the labels"


def _with_lesion(bones: tuple[Structure, ...], lesion: Array | None) -> Array:
    """A lesion is no hole in a bone."""
    inside = np.any([bone.inside for bone in bones], axis=0)
    return inside if lesion is None else inside | lesion


def cropped(structures: tuple[Structure, ...], low: Array, high: Array) -> tuple[Structure, ...]:
    """The structures within a box of the grid, as views; those that are not in it left out."""
    part = slices(low, high)
    found = []
    for item in structures:
        inside = item.inside[part]
        if inside.any():
            found.append(replace(item, inside=inside))
    return tuple(found)
