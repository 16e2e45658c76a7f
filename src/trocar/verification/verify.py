"""The control CT against the plan: registered on the bone, probes found, ice seen, margins measured."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.distance import distance_field
from trocar.imaging.likeness import likeness
from trocar.imaging.register import RigidFit, register_bone
from trocar.imaging.surface import window
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Simulation
from trocar.model.space import Array, Grid, Volume, as_matrix4
from trocar.model.treatment import Placement, Plan, Step, Technique
from trocar.model.verification import PlacementError, Registration, Verification
from trocar.verification.checks import (
    ice_checks,
    likeness_checks,
    margin_checks,
    placement_checks,
    registration_checks,
)
from trocar.verification.devices import find_probes, match_probes
from trocar.verification.iceball import compare, predicted_minimum, see_ice
from trocar.verification.margin import margins
from trocar.verification.update import not_estimated

CHANGED_MM = 6.0  # around the tumor the bone's edge may have changed since the plan
NEEDED_MARGIN_MM = 0.0  # visible ice must at least reach the lesion's edge; how far beyond is a clinical choice


def verify(
    case: Case,
    plan: Plan,
    control: Case,
    *,
    simulation: Simulation | None = None,
    needed_margin_mm: float = NEEDED_MARGIN_MM,
    on_progress: Callable[[float, str], None] | None = None,
) -> Verification:
    """What a control CT, taken with the probes in place, shows of a plan; all in the plan's frame.

    Raises `CaseError` when the plan's lesion is not in the case or no bone is segmented to register on.
    """
    say = on_progress or (lambda fraction, text: None)
    lesion = case.structure(plan.lesion)
    say(0.0, "registering the control on the bone")
    bones = _bones_of_interest(case, lesion)
    fit = register_bone(case.ct, control.ct, _union(bones), ignored=_near(lesion.inside, case.grid, CHANGED_MM))
    moved = in_plan_frame(control.ct, fit.control_from_plan)
    say(0.5, "looking for the probes")
    step, probes = _probes(plan)
    errors = match_probes(probes, find_probes(moved, probes)) if probes else ()
    placed = _placed(probes, errors)
    say(0.7, "looking for ice")
    seen = see_ice(case, lesion, moved, placed)
    predicted = predicted_minimum(simulation, step.id) if step else None
    ice = compare(seen, predicted)
    say(0.8, "measuring margins")
    measured = (
        ()  # an unknown registration leaves every margin unknown
        if fit.residual_mm is None
        else tuple(margins(case, lesion, seen, predicted, registration_mm=fit.residual_mm))
    )
    registration = _registration(fit, bones)
    update, not_updated = not_estimated()
    alike = likeness_checks(likeness(case.ct, control.ct, fit.control_from_plan), same_image=_same(case.ct, control.ct))
    checks = [*registration_checks(registration), *alike, *placement_checks(errors)]
    checks += ice_checks(ice, float(control.grid.spacing_mm.max()))
    intent = case.clinical.oncology.intent
    checks += [*margin_checks(lesion.name, measured, needed_margin_mm, intent=intent), not_updated]
    say(1.0, "verified")
    result = Verification(
        registration=registration,
        placements=errors,
        ice=ice,
        margins=measured,
        update=update,
        fields={"ice_seen": Volume(grid=seen.grid, values=seen.ice.astype(np.float32), unit="1")},
        checks=tuple(checks),
    )
    return replace(result, as_placed=as_placed(plan, result))


def as_placed(plan: Plan, verification: Verification) -> Plan:
    """The plan with each found placement in place of the planned one; its checks, being of the plan, are dropped."""
    found = {error.name: error for error in verification.placements}
    steps = tuple(
        replace(
            step,
            placements=_placed(
                step.placements, [found[p.name] for p in step.placements if p.role == "probe" and p.name in found]
            ),
        )
        for step in plan.steps
    )
    return replace(plan, steps=steps, checks=())


def in_plan_frame(control: Volume, control_from_plan: Array) -> Volume:
    """The control's voxels, untouched, on its grid moved to the plan's frame."""
    matrix = np.linalg.inv(control_from_plan) @ control.grid.matrix
    return Volume(
        grid=Grid(shape=control.grid.shape, lps_from_ijk=as_matrix4(matrix)), values=control.values, unit="HU"
    )


def _same(plan: Volume, control: Volume) -> bool:
    return plan.grid.matches(control.grid) and np.array_equal(plan.values, control.values)


def _placed(placements: Sequence[Placement], errors: Sequence[PlacementError]) -> tuple[Placement, ...]:
    """Each placement where it was found; where it was not, as planned. The skin point slides to the found axis."""
    found = {error.name: error.found for error in errors}
    placed = []
    for placement in placements:
        segment = found.get(placement.name)
        if segment is None:
            placed.append(placement)
            continue
        moved = replace(placement, entry_lps_mm=segment.entry_lps_mm, target_lps_mm=segment.target_lps_mm)
        depth_mm = float(np.linalg.norm(np.subtract(placement.target_lps_mm, placement.skin_lps_mm)))
        x, y, z = moved.axis.at(moved.axis.length_mm - depth_mm)
        placed.append(replace(moved, skin_lps_mm=(float(x), float(y), float(z))))
    return tuple(placed)


def _probes(plan: Plan) -> tuple[Step | None, tuple[Placement, ...]]:
    for step in plan.of(Technique.CRYOABLATION):
        return step, tuple(p for p in step.placements if p.role == "probe")
    return None, ()


def _bones_of_interest(case: Case, lesion: Structure) -> tuple[Structure, ...]:
    """The bone that holds most of the lesion, else the one nearest to it: the tumor's own frame."""
    bones = [bone for bone in case.with_role(Role.BONE) if bone.inside.any()]
    if not bones:
        raise CaseError(
            "no bone is segmented to register the control on", hint="segment the bone that holds the lesion"
        )
    box, around = window(lesion.inside, case.grid, 40.0)
    shared = [int(np.count_nonzero(bone.inside[box] & lesion.inside[box])) for bone in bones]
    if max(shared) > 0:
        return (bones[int(np.argmax(shared))],)
    depth = distance_field(lesion.inside[box], around)
    nearest = [float(depth[bone.inside[box]].min(initial=np.inf)) for bone in bones]
    return (bones[int(np.argmin(nearest))],)


def _union(structures: Sequence[Structure]) -> Array:
    return np.logical_or.reduce([structure.inside for structure in structures])


def _near(inside: Array, grid: Grid, reach_mm: float) -> Array:
    box, around = window(inside, grid, reach_mm)
    near = np.zeros_like(inside)
    near[box] = distance_field(inside[box], around) <= reach_mm
    return near


def _registration(fit: RigidFit, bones: Sequence[Structure]) -> Registration:
    return Registration(
        control_from_plan=as_matrix4(fit.control_from_plan),
        residual_mm=fit.residual_mm,
        compared_frac=fit.compared_frac,
        method="rigid on " + ", ".join(bone.name for bone in bones) + "; correlation search, then Gauss-Newton",
    )
