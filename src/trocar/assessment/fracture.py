"""The published scores of fracture and instability: SINS for the spine, Mirels for long bones, and which apply.

Each item says whether it was measured on the image, entered by a person, assumed (one of two readings), or is unknown;
a total exists only when no item is unknown. The tables are those of mechanics reference section 3 (V58, V59).
"""

import re
from collections.abc import Sequence

import numpy as np

from trocar.assessment.acetabulum import seen_on_image
from trocar.assessment.corticals import axial_cortical, harrington, mac
from trocar.model.case import Case, LesionContext, Pain, Structure
from trocar.model.finding import LesionMeasure, Score, ScoreItem
from trocar.model.space import Array, Grid

SPINE_SITES = ("vertebra", "sacrum", "sacral_ala")
LONG_BONE_SITES = ("proximal_femur", "femoral_neck", "long_bone")
LOWER_LIMB = ("femur", "tibia", "fibula")
UPPER_LIMB = ("humerus", "radius", "ulna")

JUNCTIONAL = {"C1", "C2", "C7", "T1", "T2", "T11", "T12", "L1", "L5", "S1"}
MOBILE = {"C3", "C4", "C5", "C6", "L2", "L3", "L4"}
SEMIRIGID = {f"T{n}" for n in range(3, 11)}
RIGID = {"S2", "S3", "S4", "S5"}

Points = tuple[float | None, str]
UNKNOWN: Points = (None, "unknown")


def scores(case: Case, measure: LesionMeasure, hosts: Sequence[Structure]) -> tuple[Score, ...]:
    """The scores that apply to a lesion by its site.

    SINS in the spine and sacrum, Mirels and axial cortical involvement in a long bone, Harrington and MAC at the
    acetabulum.
    """
    context = case.context(measure.name)
    names = measure.host_bones[:1]
    if context.site in SPINE_SITES or any(name.startswith(("vertebrae_", "sacrum")) for name in names):
        return sins(context, case.clinical.pain, measure)
    if context.site == "acetabulum":
        known = seen_on_image(case, context, tuple(hosts))
        return (harrington(known), mac(known))
    if context.site in LONG_BONE_SITES or any(name.startswith(LOWER_LIMB + UPPER_LIMB) for name in names):
        lesion = case.structure(measure.name)
        share = cortex_share(lesion, hosts[0], case.grid) if hosts else None
        return (mirels(context, case.clinical.pain, measure, share), axial_cortical(context))
    return ()


def sins(context: LesionContext, pain: Pain, measure: LesionMeasure) -> tuple[Score, ...]:
    """The spinal instability neoplastic score, 0 to 18; for a sacral lesion of unknown level, both readings of it.

    The score is silent on a lesion of the sacral ala: S1 is junctional (3), S2 to S5 rigid (0), so both are given.
    """
    level = _level(context, measure.host_bones)
    common = {
        "pain": _sins_pain(pain),
        "lesion": _matrix(context, measure, {"lytic": 2, "mixed": 1, "sclerotic": 0}),
        "alignment": _entered(context.alignment, {"normal": 0, "de_novo_deformity": 2, "subluxation": 4}),
        "collapse": _collapse(context),
        "posterolateral": _entered(context.posterolateral_involvement, {"none": 0, "unilateral": 1, "bilateral": 3}),
    }
    sacral = context.site in ("sacrum", "sacral_ala") or measure.host_bones[:1] == ("sacrum",)
    if sacral and level is None:
        readings: list[tuple[str, Points]] = [
            ("SINS (read as S1, junctional)", (3, "assumed")),
            ("SINS (read as S2-S5, rigid)", (0, "assumed")),
        ]
    else:
        readings = [("SINS", _location(level, entered=bool(context.level)))]
    return tuple(_score(name, measure.name, 18, {"location": location, **common}, "V58") for name, location in readings)


def mirels(context: LesionContext, pain: Pain, measure: LesionMeasure, cortex_frac: float | None) -> Score:
    """The Mirels score of a long bone, 4 to 12; `cortex_frac` is the share of its width that the lesion takes."""
    items = {
        "site": _mirels_site(context, measure.host_bones),
        "pain": _mirels_pain(pain),
        "lesion": _matrix(context, measure, {"lytic": 3, "mixed": 2, "sclerotic": 1}),
        "size": UNKNOWN if cortex_frac is None else (1 + (cortex_frac >= 1 / 3) + (cortex_frac > 2 / 3), "measured"),
    }
    return _score("Mirels", measure.name, 12, items, "V59")


def cortex_share(lesion: Structure, bone: Structure, grid: Grid, *, slab_mm: float = 4.0) -> float | None:
    """The largest share of a long bone's width that a lesion takes, over the slabs across the bone's long axis.

    Width is that of a disk of the same area.
    """
    inside = np.argwhere(lesion.inside & bone.inside)
    if not len(inside):
        return None
    points = grid.to_lps(np.argwhere(bone.inside))
    middle = points.mean(axis=0)
    axis = _long_axis(points - middle)
    along_bone = np.floor((points - middle) @ axis / slab_mm).astype(int)
    along_lesion = np.floor((grid.to_lps(inside) - middle) @ axis / slab_mm).astype(int)
    first = along_bone.min()
    bone_count = np.bincount(along_bone - first)
    lesion_count = np.bincount(along_lesion - first, minlength=len(bone_count))
    return float(np.sqrt(np.max(lesion_count / np.maximum(bone_count, 1))))


def _long_axis(offsets: Array) -> Array:
    return np.linalg.eigh(offsets.T @ offsets)[1][:, -1]


def _score(name: str, lesion: str, maximum: float, items: dict[str, Points], source: str) -> Score:
    known = [points for points, _ in items.values() if points is not None]
    return Score(
        name=name,
        lesion=lesion,
        total=float(sum(known)) if len(known) == len(items) else None,
        maximum=maximum,
        items=tuple(
            ScoreItem(item=item, points=None if points is None else float(points), origin=origin)
            for item, (points, origin) in items.items()
        ),
        source=source,
    )


def _entered(value: str | None, points: dict[str, int]) -> Points:
    return (points[value], "entered") if value in points else UNKNOWN


def _level(context: LesionContext, host_bones: Sequence[str]) -> str | None:
    if context.level:
        return context.level.upper()
    found = re.fullmatch(r"vertebrae_([CTLS]\d+)", host_bones[0]) if host_bones else None
    return found[1] if found else None


def _location(level: str | None, *, entered: bool) -> Points:
    origin = "entered" if entered else "measured"
    for levels, points in ((JUNCTIONAL, 3), (MOBILE, 2), (SEMIRIGID, 1), (RIGID, 0)):
        if level in levels:
            return points, origin
    return UNKNOWN


def _sins_pain(pain: Pain) -> Points:
    if pain.worst_nrs == 0:
        return 0, "entered"
    if pain.character is None:
        return UNKNOWN
    if "mechanical" in pain.character:
        return 3, "entered"
    return (1, "entered") if pain.character else UNKNOWN


def _mirels_pain(pain: Pain) -> Points:
    if pain.character is not None and "mechanical" in pain.character:
        return 3, "entered"
    if pain.character is None or pain.worst_nrs is None:
        return UNKNOWN
    return (1 if pain.worst_nrs < 4 else 2), "entered"


def _matrix(context: LesionContext, measure: LesionMeasure, points: dict[str, int]) -> Points:
    if context.matrix in points:
        return points[context.matrix], "measured" if "matrix" in context.from_imaging else "entered"
    if measure.lytic_frac is None:
        return UNKNOWN
    return points[kind_of_matrix(measure.lytic_frac)], "measured"


def kind_of_matrix(lytic_frac: float) -> str:
    """Lytic, mixed or sclerotic by the lytic share (software default)."""
    return "lytic" if lytic_frac >= 0.75 else "sclerotic" if lytic_frac <= 0.25 else "mixed"


def _collapse(context: LesionContext) -> Points:
    """Entered by a person; without a collapse the score asks whether over half of the body is involved."""
    return _entered(
        context.vertebral_collapse, {"above_half": 3, "below_half": 2, "none_body_above_half": 1, "none": 0}
    )


def _mirels_site(context: LesionContext, host_bones: Sequence[str]) -> Points:
    if context.site in ("proximal_femur", "femoral_neck"):
        return 3, "entered"
    bone = host_bones[0] if host_bones else ""
    if bone.startswith(LOWER_LIMB):
        return UNKNOWN if bone.startswith("femur") and context.site != "long_bone" else (2, "measured")
    return (1, "measured") if bone.startswith(UPPER_LIMB) else UNKNOWN
