"""The first stage: measure what there is, and say what is not known."""

from trocar.assessment import lesion as measured
from trocar.assessment.checks import absent_roles, case_checks, lesion_checks
from trocar.assessment.fracture import scores
from trocar.assessment.midline import Midplane, lesion_side, midplane, swapped_pairs
from trocar.assessment.neighbors import body_mask, neighbors, skin_gap
from trocar.errors import CaseError
from trocar.imaging.fair import fair_surface
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Assessment, LesionMeasure, Score
from trocar.model.space import Array, as_vector


def assess(case: Case) -> Assessment:
    """Sizes, sides, surroundings and scores of every lesion of a case, with the checks of what it can support.

    Raises `CaseError` when the case has no lesion, or one without a voxel.
    """
    if not case.lesions:
        raise CaseError("the case has no lesion", hint="give a structure named lesion_1, or of role lesion")
    for lesion in case.lesions:
        if not lesion.inside.any():
            raise CaseError(f"{lesion.name} has no voxel", hint="check that its mask lies on the CT's frame")
    plane, body = midplane(case), body_mask(case)
    skin = None if body is None else body[0]
    measures = tuple(_measure(case, lesion, plane, skin) for lesion in case.lesions)
    absent = absent_roles(case, measures)
    checks = list(case_checks(case, absent, swapped_pairs(case)))
    found: list[Score] = []
    for lesion, measure in zip(case.lesions, measures, strict=True):
        checks += lesion_checks(case, lesion, measure, plane.origin if plane else None)
        found += scores(case, measure, [case.structure(name) for name in measure.host_bones])
    return Assessment(lesions=measures, scores=tuple(found), absent_roles=absent, checks=tuple(checks))


def _measure(case: Case, lesion: Structure, plane: Midplane | None, body: Array | None) -> LesionMeasure:
    bones = case.with_role(Role.BONE)
    hosts = measured.host_bones(lesion, bones)
    diameters_mm, axes = measured.diameters(fair_surface(lesion.inside, case.grid))
    skin = None if body is None else skin_gap(lesion, body, case.grid)
    first, second, third = (float(diameter) for diameter in diameters_mm)
    compartments = measured.compartments(lesion, bones, case.grid)
    return LesionMeasure(
        name=lesion.name,
        site=case.context(lesion.name).site,
        side=lesion_side(lesion, case.grid, plane) if plane else None,
        volume_ml=compartments.bone_ml + compartments.soft_tissue_ml,
        diameters_mm=(first, second, third),
        diameter_axes=(as_vector(axes[0]), as_vector(axes[1]), as_vector(axes[2])),
        center_lps_mm=as_vector(measured.center(lesion, case)),
        compartments=compartments,
        lytic_frac=measured.lytic_share(case.ct, measured.bone_compartment(lesion, bones)),
        cortical_breach_mm2=measured.cortical_breach_mm2(lesion, hosts, case.grid),
        skin_distance_mm=skin[0] if skin else None,
        skin_nearest_lps_mm=as_vector(skin[1]) if skin else None,
        host_bones=tuple(host.name for host in hosts),
        neighbors=neighbors(case, lesion),
    )
