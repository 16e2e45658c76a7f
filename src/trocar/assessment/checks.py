"""What a case can and cannot support: unknown neighbors, coarse voxels, a lesion cut by the image, a wrong side."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from trocar.imaging.surface import bounds
from trocar.model.case import Case, Role, Side, Structure
from trocar.model.finding import Check, LesionMeasure, Verdict

VOXEL_WARN_MM = 1.0  # HZ9: a screw's breach cannot be judged on coarser voxels
BORDER_MM = 5.0  # software default: nearer than this, part of the lesion may lie outside the image
DESIGN = "software default"

ALWAYS = (Role.BONE, Role.NERVE, Role.VESSEL, Role.BOWEL, Role.JOINT, Role.SKIN)
SPINAL = (Role.CORD,)
PELVIC = (Role.BLADDER, Role.URETER)
THORACIC = (Role.LUNG, Role.PLEURA)

WHY = {
    Role.NERVE: "no nerve is segmented: nothing is known of the distance to any nerve",
    Role.CORD: "neither cord nor thecal sac is segmented",
    Role.VESSEL: "no vessel is segmented",
    Role.BOWEL: "no bowel is segmented",
}


def absent_roles(case: Case, measures: Sequence[LesionMeasure]) -> tuple[Role, ...]:
    """The roles that a planner looks for at these sites and that no structure of the case has."""
    bones = [name for measure in measures for name in measure.host_bones]
    sites = [measure.site or "" for measure in measures]
    wanted = list(ALWAYS)
    if any(b.startswith(("vertebrae_", "sacrum")) for b in bones) or set(sites) & {"vertebra", "sacrum", "sacral_ala"}:
        wanted += SPINAL
    if any(b.startswith(("hip", "sacrum")) for b in bones) or set(sites) & {"iliac_wing", "acetabulum", "sacral_ala"}:
        wanted += PELVIC
    if any(b.startswith(("rib", "sternum", "scapula", "vertebrae_T")) for b in bones) or "rib" in sites:
        wanted += THORACIC
    present = {structure.role for structure in case.structures if structure.inside.any()}
    if any(measure.skin_distance_mm is not None for measure in measures):
        present.add(Role.SKIN)
    return tuple(role for role in wanted if role not in present)


def case_checks(case: Case, absent: Sequence[Role], swapped: Sequence[str]) -> Iterator[Check]:
    """The checks of the case as a whole."""
    for role in absent:
        yield Check(
            name="structure_segmented",
            subject=role.value,
            value=None,
            limit=None,
            unit="",
            verdict=Verdict.UNKNOWN,
            source=DESIGN,
            message=WHY.get(role, f"no structure of role {role.value} is given") + "; absent is not safe",
        )
    coarsest = float(case.grid.spacing_mm.max())
    yield Check(
        name="voxel_size",
        value=coarsest,
        limit=VOXEL_WARN_MM,
        unit="mm",
        verdict=Verdict.PASS if coarsest <= VOXEL_WARN_MM + 1e-3 else Verdict.WARN,
        source="HZ9",
        message="" if coarsest <= VOXEL_WARN_MM + 1e-3 else "distances along the coarsest axis are less certain",
    )
    yield Check(
        name="left_right_labels",
        subject=", ".join(swapped),
        value=float(len(swapped)),
        limit=0.0,
        unit="",
        verdict=Verdict.FAIL if swapped else Verdict.PASS,
        source="HZ1",
        message="structures named left lie on the patient's right" if swapped else "",
    )


def lesion_checks(case: Case, lesion: Structure, measure: LesionMeasure, side_origin: str | None) -> Iterator[Check]:
    """The checks of one lesion."""
    yield _within_image(case, lesion)
    yield _one_piece(lesion)
    yield _side(case, measure, side_origin)
    if not measure.host_bones:
        yield _unknown("host_bone", lesion.name, "no segmented bone holds the lesion: its bone compartment is unknown")
    if measure.skin_distance_mm is None:
        yield _unknown("skin_distance", lesion.name, "no skin is segmented and the image shows none")
    enhanced = case.contrast_enhanced or "arterial" in case.phases
    if not enhanced and case.context(lesion.name).vascularity_grade is None:
        yield _unknown(
            "vascularity", lesion.name, "no enhanced phase and no grade: the lesion's vascularity is unknown"
        )


def _unknown(name: str, subject: str, message: str) -> Check:
    return Check(
        name=name,
        subject=subject,
        value=None,
        limit=None,
        unit="",
        verdict=Verdict.UNKNOWN,
        source=DESIGN,
        message=message,
    )


def _within_image(case: Case, lesion: Structure) -> Check:
    limits = np.asarray(bounds(lesion.inside))
    rims = np.stack([limits[:, 0], np.asarray(case.grid.shape) - limits[:, 1]], axis=1) * case.grid.spacing_mm[:, None]
    nearest = float(rims.min())
    verdict = Verdict.FAIL if nearest <= 0 else Verdict.WARN if nearest < BORDER_MM else Verdict.PASS
    return Check(
        name="lesion_within_image",
        subject=lesion.name,
        value=nearest,
        limit=BORDER_MM,
        unit="mm",
        verdict=verdict,
        source=DESIGN,
        message="the image cuts the lesion: its size is a lower bound" if verdict is Verdict.FAIL else "",
    )


def _one_piece(lesion: Structure) -> Check:
    cut = tuple(slice(low, high) for low, high in bounds(lesion.inside))
    count = int(ndimage.label(lesion.inside[cut], structure=np.ones((3, 3, 3)))[1])
    return Check(
        name="lesion_pieces",
        subject=lesion.name,
        value=float(count),
        limit=1.0,
        unit="",
        verdict=Verdict.PASS if count == 1 else Verdict.WARN,
        source="HZ17",
        message="" if count == 1 else "the lesion's mask is in several pieces: check the contour",
    )


def _side(case: Case, measure: LesionMeasure, origin: str | None) -> Check:
    stated = _stated_sides(case, measure)
    sided = {Side.LEFT, Side.RIGHT}
    if measure.side is None or not stated:
        verdict = Verdict.UNKNOWN
        message = "the side could not be measured" if measure.side is None else "nobody stated the side"
    elif any(side is not measure.side and {side, measure.side} <= sided for side in stated.values()):
        verdict, message = Verdict.FAIL, "WRONG SIDE: the image and what was stated contradict each other"
    elif any(side is not measure.side for side in stated.values()):
        verdict, message = Verdict.WARN, "the image and what was stated differ on whether it lies in the midline"
    else:
        verdict, message = Verdict.PASS, ""
    said = ", ".join(f"{who}: {side.value}" for who, side in stated.items())
    seen = f"image: {measure.side.value} (by {origin})" if measure.side else ""
    return Check(
        name="lesion_side",
        subject=measure.name,
        value=None,
        limit=None,
        unit="",
        verdict=verdict,
        source="HZ1",
        message="; ".join(part for part in (message, seen, said) if part),
    )


def _stated_sides(case: Case, measure: LesionMeasure) -> dict[str, Side]:
    """Who states which side: the clinical file, the decision, the lesion's own label, the host bone's name.

    A side that the image itself filled in says nothing about the image.
    """
    known = case.context(measure.name)
    stated = {
        "lesion": None if "side" in known.from_imaging else known.side,
        "decision": case.clinical.decision.side if len(case.lesions) == 1 else None,
        "structure": case.structure(measure.name).side,
    }
    for name in measure.host_bones[:1]:
        for side in (Side.LEFT, Side.RIGHT):
            if name.endswith(f"_{side.value}"):
                stated[name] = side
    return {who: side for who, side in stated.items() if side is not None}
