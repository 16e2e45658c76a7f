"""Whether structures lie where their names and roles say: on the stated side, in the body, bone on bone."""

import numpy as np

from trocar.errors import CaseError, GeometryError
from trocar.io.anatomy import side_in_name, without_side
from trocar.io.geometry import judged, said
from trocar.io.region import Region
from trocar.model.case import GeometryFinding, Role, Side
from trocar.model.space import Array, Grid, Volume

PAIR_SAID_MM = 5.0  # a left structure that lies less than this to the left of its right twin is said
MIDLINE_SAID_MM, MIDLINE_REFUSED_MM = 5.0, 25.0  # to the wrong side of spine, sacrum and sternum
MIDLINE = ("vertebrae_", "sacrum", "spinal_cord", "spinal_canal", "thecal_sac", "sternum")
SIDED = (Role.BONE, Role.MUSCLE, Role.NERVE, Role.JOINT, Role.LESION, Role.VESSEL)
AERATED = (Role.LUNG, Role.PLEURA)  # air that the image cuts open is no part of the body as found by HU
MAY_CROSS = (Role.VESSEL, Role.LESION)  # these may lie across the midline: said, not refused
OUTSIDE_SAID_FRAC, OUTSIDE_REFUSED_FRAC = 0.05, 0.5
BONE_SAID_HU, BONE_REFUSED_HU = 60.0, 0.0
_SIDE_HINT = "left and right are the patient's; the labels are swapped or the image is mirrored: check before going on"


def judged_places(regions: list[Region], body: Region | None, ct: Volume) -> tuple[GeometryFinding, ...]:
    """What is said of the places of structures.

    Raises `CaseError` for a structure on the wrong side, `GeometryError` for one outside the body or bone labels on
    something that is not bone.
    """
    placed = [region for region in regions if side_in_name(region.name) or region.name.startswith(MIDLINE)]
    centroids = {region.name: region.centroid_lps_mm(ct.grid) for region in placed if region.part.any()}
    findings = (*_pairs(regions, centroids), *_against_midline(regions, centroids))
    if body is not None:
        findings = (*findings, *_in_body(regions, body, ct.grid))
    return (*findings, *_on_bone(regions, ct))


def _pairs(regions: list[Region], centroids: dict[str, Array]) -> tuple[GeometryFinding, ...]:
    """Left lies to the left of right (+x is left) for every structure that exists on both sides."""
    findings = []
    for region in regions:
        if side_in_name(region.name) is not Side.LEFT or region.name not in centroids:
            continue
        for twin in regions:
            is_twin = without_side(twin.name) == without_side(region.name) and side_in_name(twin.name) is Side.RIGHT
            if not is_twin or twin.name not in centroids:
                continue
            apart_mm = float(centroids[region.name][0] - centroids[twin.name][0])
            if apart_mm < -PAIR_SAID_MM:
                raise CaseError(
                    f"{region.name} lies {-apart_mm:.0f} mm to the patient's right of {twin.name}", hint=_SIDE_HINT
                )
            if apart_mm < PAIR_SAID_MM:
                message = f"{region.name} and {twin.name} are not apart; their sides could not be confirmed"
                findings.append(said(region.name, "side", apart_mm, limit=PAIR_SAID_MM, unit="mm", message=message))
    return tuple(findings)


def _against_midline(regions: list[Region], centroids: dict[str, Array]) -> tuple[GeometryFinding, ...]:
    """Sided structures against the mean of those of the midline (spine, sacrum, sternum)."""
    middle = [centroids[r.name][0] for r in regions if r.name.startswith(MIDLINE) and r.name in centroids]
    sided = [r for r in regions if r.role in SIDED and side_in_name(r.name) and r.name in centroids]
    if not sided:
        return ()
    if not middle:
        message = "no spine, sacrum or sternum is drawn, so the sides in names were only compared within pairs"
        return (said("structures", "side", len(sided), limit=0, unit="1", message=message),)
    midline_mm, findings = float(np.median(middle)), []
    for region in sided:
        sign = 1.0 if side_in_name(region.name) is Side.LEFT else -1.0
        wrong_mm = sign * (midline_mm - float(centroids[region.name][0]))
        message = f"lies {wrong_mm:.0f} mm on the other side of the midline than its name says"
        if wrong_mm > MIDLINE_REFUSED_MM and region.role not in MAY_CROSS:
            raise CaseError(f"{region.name} {message}", hint=_SIDE_HINT)
        if wrong_mm > MIDLINE_SAID_MM:
            findings.append(said(region.name, "side", wrong_mm, limit=MIDLINE_SAID_MM, unit="mm", message=message))
    return tuple(findings)


def _in_body(regions: list[Region], body: Region, grid: Grid) -> tuple[GeometryFinding, ...]:
    inside = np.zeros(grid.shape, dtype=bool)
    inside[body.box] = body.part
    findings: tuple[GeometryFinding, ...] = ()
    for region in regions:
        count = np.count_nonzero(region.part)
        if region.role in (Role.BODY, Role.SKIN, *AERATED) or count == 0:
            continue
        findings += judged(
            region.name,
            "outside_body",
            float(np.count_nonzero(region.part & ~inside[region.box]) / count),
            say_above=OUTSIDE_SAID_FRAC,
            refuse_above=OUTSIDE_REFUSED_FRAC,
            unit="fraction",
            message="part of the structure lies outside the patient's body",
            hint="the mask belongs to another image or another frame of reference",
        )
    return findings


def _on_bone(regions: list[Region], ct: Volume) -> tuple[GeometryFinding, ...]:
    """Bone labels together must lie on something denser than soft tissue; a shifted label map does not."""
    bones = [ct.values[region.box][region.part] for region in regions if region.role is Role.BONE]
    if len(bones) < 2:
        return ()
    typical_HU = float(np.median(np.concatenate(bones)))
    if typical_HU < BONE_REFUSED_HU:
        raise GeometryError(
            f"the voxels labeled as bone have a median of {typical_HU:.0f} HU: this is not bone",
            hint="the structures belong to another image or another frame of reference",
        )
    if typical_HU >= BONE_SAID_HU:
        return ()
    message = "the voxels labeled as bone are hardly denser than soft tissue; check that the structures fit the CT"
    return (said("structures", "bone_density", typical_HU, limit=BONE_SAID_HU, unit="HU", message=message),)
