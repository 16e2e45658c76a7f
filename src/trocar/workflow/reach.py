"""Questions before a plan: where one instrument could go, and which corridors a bone has."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trocar.errors import PlanningError
from trocar.io.bone import read_bone
from trocar.model.case import Case, GeometryFinding, Role
from trocar.model.space import Array

if TYPE_CHECKING:
    from trocar.planning.freecorridor import FreeCorridor
    from trocar.planning.guidance import Guidance
    from trocar.planning.safecorridor import SafeCorridor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corridors:
    """The widest cylinders of a bone, the widest first, what they keep away from, and what was said of the masks.

    `looked_at` names the structures of each kind that corridors kept clear of, `not_looked_at` what nobody looked at.
    """

    bone: str
    healthy_by_HU: bool  # else every voxel of bone outside the lesion counts as healthy
    anchor_mm: float
    guidance: "Guidance"
    told: "tuple[SafeCorridor, ...]"
    looked_at: dict[str, tuple[str, ...]]
    not_looked_at: tuple[str, ...]
    geometry: tuple[GeometryFinding, ...] = ()

    @property
    def found(self) -> "tuple[FreeCorridor, ...]":
        """The cylinders alone."""
        return tuple(each.corridor for each in self.told)


def corridors(
    source: Case | Path | str,
    *,
    bone: str | tuple[str, ...] | None = None,
    lesion: str | None = None,
    anchor_mm: float | None = None,
    gap_mm: float = 2.0,
    count: int = 5,
    guidance: "Guidance | None" = None,
) -> Corridors:
    """The largest safe cylinders across a lesion of a bone, of a case or of a NIfTI label map alone.

    `bone` (several, where a corridor may cross the sacroiliac joint) and `lesion` are structures of the case, or labels
    of the map (`lesion` also a mask). `anchor_mm` of healthy bone on both sides (the catalog's 15 mm at first); they
    keep `gap_mm` from each other. Nerves, canal, foramina and joints are hard limits where the labels have them or the
    bone's mask shows them. Raises `PlanningError` where there is none, `CaseError` for masks that do not serve.
    """
    from trocar.catalog import limit
    from trocar.planning.guidance import guidance as led
    from trocar.planning.guidance import guidance_of
    from trocar.planning.hardlimits import Anatomy
    from trocar.planning.safecorridor import safe_corridors

    anchor = limit("screw_anchor_healthy_mm").value if anchor_mm is None else anchor_mm
    asked = (bone,) if isinstance(bone, str) else bone
    geometry: tuple[GeometryFinding, ...] = ()
    if isinstance(source, Case):
        tumor = _lesion(source, lesion)
        bones = asked or (_host(source, tumor),)
        inside = np.any([source.structure(name).inside for name in bones], axis=0)
        tumor = None if tumor is None or not (tumor & inside).any() else tumor
        around = Anatomy(structures=source.structures, grid=source.grid, bones=tuple(bones))
        ct, guided = source.ct, guidance or guidance_of(source)
    else:
        masks = read_bone(source, bones=asked, lesion=lesion)
        around = Anatomy(structures=masks.structures, grid=masks.grid, bones=masks.bones)
        tumor, geometry, ct, guided = masks.lesion, masks.geometry, None, guidance or led("navigated")
    found = safe_corridors(around, lesion=tumor, guidance=guided, ct=ct, anchor_mm=anchor, gap_mm=gap_mm, count=count)
    if not found.found:
        where = "across the lesion" if found.bone.in_lesion.any() else "in the bone"
        raise PlanningError(
            f"no straight cylinder {where} has {anchor:g} mm of healthy bone on both sides",
            hint="ask for a shorter anchor with --anchor-mm, or look at another bone",
        )
    return Corridors(
        bone=" and ".join(around.bones),
        healthy_by_HU=ct is not None,
        anchor_mm=anchor,
        guidance=guided,
        told=found.found,
        looked_at=found.limits.looked_at,
        not_looked_at=found.not_looked_at,
        geometry=geometry,
    )


def _lesion(case: Case, name: str | None) -> Array | None:
    """The lesion of this name, else the case's first."""
    if name:
        return case.structure(name).inside
    return case.lesions[0].inside if case.lesions else None


def _host(case: Case, tumor: Array | None) -> str:
    """The bone that holds most of the lesion. Raises `PlanningError` where none does."""
    bones = case.with_role(Role.BONE) if tumor is not None else ()
    held = {item.name: int(np.count_nonzero(item.inside & tumor)) for item in bones}
    host = max(held, key=lambda name: (held[name], name), default="")
    if not held.get(host):
        raise PlanningError("no bone holds the lesion", hint="say which bone to search: --bone")
    return host
