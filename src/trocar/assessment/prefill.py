"""What the images alone tell of each lesion, for the clinical fields that nobody has filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trocar.assessment.acetabulum import Wall, walls
from trocar.assessment.fracture import kind_of_matrix
from trocar.assessment.lesion import (
    bone_compartment,
    compartments,
    cortical_breach_mm2,
    diameters,
    host_bones,
    lytic_share,
)
from trocar.assessment.midline import lesion_side, midplane
from trocar.imaging.fair import fair_surface
from trocar.model.case import Case, LesionContext, Role, Structure

ARTERIAL = "arterial"
OUTSIDE_HU = -1000.0  # in a lesion: a phase that does not show it is resampled as air
ENHANCEMENTS_HU = ((20.0, "none"), (50.0, "weak"), (90.0, "marked"))  # design: above the planning CT, else intense
GRADES = {"none": 0, "weak": 1, "marked": 2, "intense": 3}
SITE_OF_BONE = {
    "sacrum": "sacrum",
    "sternum": "sternum",
    "scapula": "scapula",
    "clavicula": "clavicle",
    "clavicle": "clavicle",
    "rib": "rib",
    "humerus": "long_bone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One field that the image filled, and how."""

    lesion: str
    field: str
    value: Any
    how: str


def prefilled(case: Case) -> tuple[Case, tuple[Filled, ...]]:
    """The case with the unknown clinical fields that its images answer filled in, each named in `from_imaging`.

    What a person stated is never changed. A hip bone does not tell the iliac wing from the acetabulum, nor a femur its
    neck from its shaft: their site stays unknown.
    """
    filled: list[Filled] = []
    contexts: list[LesionContext] = []
    for lesion in case.lesions:
        known = case.context(lesion.name)
        found = [item for item in _seen(case, lesion) if getattr(known, item.field) is None]
        values: dict[str, Any] = {item.field: item.value for item in found}
        contexts.append(replace(known, **values, from_imaging=(*known.from_imaging, *values)))
        filled += found
    return replace(case, clinical=replace(case.clinical, lesion=tuple(contexts))), tuple(filled)


def _seen(case: Case, lesion: Structure) -> Iterator[Filled]:
    if not lesion.inside.any():
        return

    def seen(field: str, value: Any, how: str) -> Iterator[Filled]:
        if value is not None:
            yield Filled(lesion=lesion.name, field=field, value=value, how=how)

    bones = case.with_role(Role.BONE)
    hosts = host_bones(lesion, bones)
    names = tuple(host.name for host in hosts)
    site, level = _site(names[0]) if names else (None, None)
    plane = midplane(case)
    parts = compartments(lesion, bones, case.grid)
    lytic = lytic_share(case.ct, bone_compartment(lesion, bones))
    size = tuple(round(float(length), 1) for length in diameters(fair_surface(lesion.inside, case.grid))[0])
    yield from seen("site", site, "its bone")
    yield from seen("level", level, "its bone")
    yield from seen("side", lesion_side(lesion, case.grid, plane) if plane else None, "the midline plane")
    yield from seen("bones", names or None, "the bones that hold it")
    yield from seen("diameters_mm", size, "its surface")
    yield from seen("volume_ml", round(parts.bone_ml + parts.soft_tissue_ml, 2), "its voxels")
    whole_ml = parts.bone_ml + parts.soft_tissue_ml
    yield from seen("soft_tissue_ml", round(parts.soft_tissue_ml, 2), "its voxels outside bone")
    yield from seen("soft_tissue_frac", round(parts.soft_tissue_ml / whole_ml, 3), "its voxels outside bone")
    breach_mm2 = cortical_breach_mm2(lesion, hosts, case.grid)
    yield from seen("cortical_breach_mm2", None if breach_mm2 is None else round(breach_mm2, 1), "its bone's surface")
    yield from seen("lytic_frac", None if lytic is None else round(lytic, 3), "HU of its part in bone")
    yield from seen(
        "matrix", None if lytic is None else kind_of_matrix(lytic), "HU of its part in bone (design limits)"
    )
    for wall in _walls(case, lesion, hosts):
        yield from seen(wall.name, wall.state, "its share of the wall around the femoral head (design limits)")
    enhanced = _enhancement(case, lesion)
    how = "arterial phase minus planning CT (design limits)"
    yield from seen("arterial_enhancement", enhanced, how)
    yield from seen("vascularity_grade", None if enhanced is None else GRADES[enhanced], how)


def _walls(case: Case, lesion: Structure, hosts: tuple[Structure, ...]) -> tuple[Wall, ...]:
    """The walls of the acetabulum, where a lesion of the hip bone reaches one or is stated to lie there."""
    stated = case.context(lesion.name).site
    if not hosts or not hosts[0].name.startswith("hip") or stated not in (None, "acetabulum"):
        return ()
    found = walls(case, lesion, hosts[0])
    return found if stated or any(wall.state != "intact" for wall in found) else ()


def _site(bone: str) -> tuple[str | None, str | None]:
    """The site and the spinal level that a bone's name tells."""
    vertebra = re.fullmatch(r"vertebrae_([CTLS]\d+)", bone)
    if vertebra:
        return "vertebra", vertebra[1]
    return next((site for name, site in SITE_OF_BONE.items() if bone.startswith(name)), None), None


def _enhancement(case: Case, lesion: Structure) -> str | None:
    """How much the lesion takes up in the arterial phase; unknown without one, or over a CT not known to be plain."""
    phase = case.phases.get(ARTERIAL)
    if phase is None or case.contrast_enhanced is not False:
        return None
    if (phase.values[lesion.inside] < OUTSIDE_HU).any():
        return None  # it does not show the whole lesion
    rise_HU = float(np.median(phase.values[lesion.inside]) - np.median(case.ct.values[lesion.inside]))
    return next((word for below, word in ENHANCEMENTS_HU if rise_HU < below), "intense")
