"""Questions before a plan: where one instrument could go, and which corridors a bone has."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trocar.errors import PlanningError
from trocar.io.bone import read_bone
from trocar.model.case import Case, GeometryFinding

if TYPE_CHECKING:
    from trocar.planning.freecorridor import FreeCorridor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corridors:
    """The widest cylinders of a bone, the widest first, and what was said of the masks they were found in."""

    bone: str
    healthy_by_HU: bool  # else every voxel of bone outside the lesion counts as healthy
    anchor_mm: float
    found: "tuple[FreeCorridor, ...]"
    geometry: tuple[GeometryFinding, ...] = ()


def corridors(
    source: Case | Path | str,
    *,
    bone: str | None = None,
    lesion: str | None = None,
    anchor_mm: float | None = None,
    gap_mm: float = 2.0,
    count: int = 5,
) -> Corridors:
    """The largest safe cylinders across a lesion of a bone, of a case or of a NIfTI label map alone.

    `bone` and `lesion` are structures of the case, or labels of the map (`lesion` also a mask). `anchor_mm` of healthy
    bone on both sides (the catalog's 15 mm at first); they keep `gap_mm` from each other.
    Raises `PlanningError` where there is none, `CaseError` for masks that do not serve.
    """
    from trocar.catalog import limit
    from trocar.planning.freecorridor import bone_of_case, bone_of_labels, free_corridors

    anchor = limit("screw_anchor_healthy_mm").value if anchor_mm is None else anchor_mm
    geometry: tuple[GeometryFinding, ...]
    if isinstance(source, Case):
        name, field = bone_of_case(source, bone=bone, lesion=lesion)
        geometry, by_HU = (), True
    else:
        masks = read_bone(source, bone=bone, lesion=lesion)
        field = bone_of_labels(masks.inside, masks.grid, lesion=masks.lesion)
        name, geometry, by_HU = masks.name, masks.geometry, False
    found = tuple(free_corridors(field, anchor_mm=anchor, gap_mm=gap_mm, count=count))
    if not found:
        where = "across the lesion" if field.in_lesion.any() else "in the bone"
        raise PlanningError(
            f"no straight cylinder {where} has {anchor:g} mm of healthy bone on both sides",
            hint="ask for a shorter anchor with --anchor-mm, or look at another bone",
        )
    return Corridors(bone=name, healthy_by_HU=by_HU, anchor_mm=anchor, found=found, geometry=geometry)
