"""Load-to-strength ratios of the bone that holds a lesion: before treatment, and after each option of a plan."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from trocar.assessment.holding import screw_hold
from trocar.assessment.nearby import nearby
from trocar.assessment.sections import FLAG_BELOW_FRAC, section_check
from trocar.assessment.solving import Tally, solve
from trocar.assessment.supports import Bench, site_of
from trocar.assessment.yielding import Treated, Worst
from trocar.catalog.mechanics import Law, LoadCase, mechanics
from trocar.errors import CaseError
from trocar.imaging.resample import box_grid, resample, resample_mask
from trocar.materials.density import DensityScale, tissue_scale
from trocar.materials.stiffness import Overlay, native_modulus
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Grid, Volume
from trocar.model.strength import Interval, LoadedState, MeshCheck, ScrewHold, SectionCheck, Strength
from trocar.model.treatment import Placement, Plan

Progress = Callable[[float, str], None]
SPACING_MM = 2.0
COARSER = 1.5  # the other lattice of the mesh check
REFERENCE_KG = 70.0
BASE_CAVEATS = ("strength_not_validated_here", "bonded_linear_no_interface_opening", "neighboring_bones_rigid")


def strength(
    case: Case,
    plan: Plan,
    *,
    cement: Volume | None = None,
    scale: DensityScale | None = None,
    spacing_mm: float = SPACING_MM,
    ablated_frac: float | None = None,
    check_mesh: bool = False,
    on_progress: Progress | None = None,
) -> Strength:
    """The strength of the bone that holds the plan's lesion, for every load of its site and every law of its ensemble.

    `cement` is its share of volume on any grid (the simulation's); without it each bead is a ball of its volume.
    `ablated_frac` is what is left of the bone's stiffness in the lesion's 5 mm rim some weeks after ablation: no figure
    is known, so there is none at first. `check_mesh` solves all again on voxels 1.5 times as large. Raises
    `CaseError` where no bone holds the lesion or a landmark is missing.
    """
    whole, scale = case, scale or tissue_scale(case)
    lesion = case.structure(plan.lesion)
    bone = host_bone(case, lesion)
    site = site_of(bone)
    laws, loads = mechanics().laws_of(site), mechanics().loads_of(site)
    grid = box_grid(case.grid.to_lps(np.argwhere(bone.inside)), margin_mm=4.0, spacing_mm=spacing_mm, like=case.grid)
    case = nearby(case, grid)
    lesion, bone = case.structure(lesion.name), case.structure(bone.name)
    region = bone.inside | lesion.inside
    side = bone.side or case.context(lesion.name).side or lesion.side
    states = treatments(case, plan, grid, region, cement=cement, ablated_frac=ablated_frac)
    weight = case.clinical.patient.weight_kg
    tally = Tally(caveats={*BASE_CAVEATS, *scale.caveats})
    if weight is None:
        tally.caveats.add("weight_unknown_70_kg_taken")
    if any(load.confidence == "low" for load in loads):
        tally.caveats.add("load_prior")
    if any(state.screws for state in states):
        tally.caveats.add("screw_threads_bonded")
    found: dict[tuple[str, str], list[Worst]] = {}
    for number, law in enumerate(laws):
        native = native_of(case, region, lesion, bone, law, scale, grid, tally)
        bench = Bench(case=case, grid=grid, voxels=native[0] > 0, site=site, side=side)
        for count, state in enumerate(states):
            if on_progress is not None:
                on_progress((number + count / len(states)) / len(laws), f"{state.name}, {law.id}")
            for load, result in solve(bench, native, lesion, state, loads, weight or REFERENCE_KG, tally):
                found.setdefault((state.name, load.id), []).append(result)
    sections = _sections(case, native, lesion, bone, grid) if site == "femur" else None
    screws = states[-1].screws
    made = Strength(
        lesion=lesion.name,
        bone=bone.name,
        site=site,
        weight_kg=weight or REFERENCE_KG,
        spacing_mm=spacing_mm,
        laws=tuple(law.id for law in laws),
        catalog_version=mechanics().version,
        density_scale=scale.origin,
        loads=tuple(load.id for load in loads),
        rows=tuple(_row(state, load, found) for state, load in found),
        screws=_holds(whole, screws, whole.structure(lesion.name), laws, scale, plan),
        worst_residual_frac=tally.residual,
        worst_imbalance_frac=tally.unbalanced,
        most_iterations=tally.iterations,
        caveats=tuple(sorted(tally.caveats)),
        checks=_checks(plan.lesion, found, loads, weight, sections),
        sections=sections,
    )
    if check_mesh:
        coarse = strength(
            whole, plan, cement=cement, scale=scale, spacing_mm=COARSER * spacing_mm, ablated_frac=ablated_frac
        )
        made = replace(made, mesh=mesh_check(made, coarse))
    return made


def mesh_check(fine: Strength, coarse: Strength) -> MeshCheck:
    """How far two lattices' medians are apart: of every ratio, and of every ratio against before treatment."""
    bone, gain = [], []
    for row in fine.rows:
        other, where = coarse.row(row.state, row.load), f"{row.state}, {row.load}"
        bone.append((abs(other.bone.median_frac / row.bone.median_frac - 1), where))
        if row.against_before is not None and other.against_before is not None:
            gain.append((abs(other.against_before.median_frac / row.against_before.median_frac - 1), where))
    return MeshCheck(
        coarse_spacing_mm=coarse.spacing_mm,
        bone_change_frac=round(max(bone)[0], 3),
        bone_where=max(bone)[1],
        against_before_change_frac=round(max(gain)[0], 3),
        against_before_where=max(gain)[1],
    )


def host_bone(case: Case, lesion: Structure) -> Structure:
    """The bone that the lesion lies in, or touches within 3 mm. Raises `CaseError` where there is none."""
    near = ndimage.binary_dilation(lesion.inside, iterations=max(1, round(3 / float(case.grid.spacing_mm.min()))))
    shares = {bone.name: int((near & bone.inside).sum()) for bone in case.with_role(Role.BONE)}
    if not shares or max(shares.values()) == 0:
        raise CaseError(f"no bone holds {lesion.name!r}", hint="give the bone's mask: --structure hip_left=PATH")
    return case.structure(max(shares, key=lambda name: shares[name]))


def treatments(
    case: Case, plan: Plan, grid: Grid, region: Array, *, cement: Volume | None, ablated_frac: float | None
) -> tuple[Treated, ...]:
    """The states to compare: with what the plan has of cement and screws, each alone and together."""
    placed = [item for step in plan.steps for item in step.placements]
    screws = tuple(item for item in placed if item.role == "screw")
    beads = [item for item in placed if item.role == "cement"]
    share = None
    if cement is not None:
        share = np.clip(resample(cement, grid, outside=0.0).values, 0, 1)
    elif beads:
        share = _beads(beads, grid, resample_mask(region, case.grid, grid))
    states = [Treated(name="intact_estimate", filled=True), Treated(name="before")]
    if ablated_frac is not None:
        states.append(Treated(name="ablated", bone_frac=ablated_frac))
    if share is not None:
        states.append(Treated(name="cement", cement_frac=share))
    if screws:
        states.append(Treated(name="screws", screws=screws))
    if share is not None and screws:
        states.append(Treated(name="planned", cement_frac=share, screws=screws))
    return tuple(states)


def _beads(beads: Sequence[Placement], grid: Grid, allowed: Array) -> Array:
    """Each bead as the allowed voxels nearest to its point, up to its volume."""
    share = np.zeros(grid.shape, np.float32)
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    for bead in beads:
        away = np.linalg.norm(points - bead.target_lps_mm, axis=-1)
        free = np.flatnonzero(allowed & (share < 1))
        nearest = free[np.argsort(away.ravel()[free], kind="stable")]
        share.ravel()[nearest[: round((bead.volume_ml or 0.0) / grid.voxel_ml)]] = 1.0
    return share


def native_of(
    case: Case, region: Array, lesion: Structure, bone: Structure, law: Law, scale: DensityScale, grid: Grid,
    tally: Tally,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """MPa of the untreated bone, of the bone as if the lesion were spongy bone, and the voxels that are bone."""
    inner = ndimage.binary_erosion(bone.inside & ~lesion.inside, iterations=3)
    spongy = float(np.median(law.modulus_MPa(scale(case.ct.values[inner])))) if inner.any() else 100.0
    overlay = _overlay(case, lesion.name, bone.name, grid)
    modulus, solid = native_modulus(case, region, lesion.inside, law, scale, grid, filled_MPa=None, overlay=overlay)
    filled, _ = native_modulus(case, region, lesion.inside, law, scale, grid, filled_MPa=spongy, overlay=overlay)
    label, count = ndimage.label(modulus > 0)
    if count > 1:
        sizes = np.bincount(label.ravel())
        sizes[0] = 0
        kept = label == int(sizes.argmax())
        modulus, filled, solid = np.where(kept, modulus, 0), np.where(kept, filled, 0), solid & kept
        tally.caveats.add("islands_left_out")
    return modulus, filled, solid


@lru_cache(maxsize=2)
def _overlay(case: Case, lesion: str, bone: str, grid: Grid) -> Overlay:
    """The same for every law."""
    return Overlay.of(case.structure(lesion).inside | case.structure(bone).inside, case.grid, grid)


def _row(state: str, load: str, found: dict[tuple[str, str], list[Worst]]) -> LoadedState:
    results, before = found[state, load], found["before", load]
    middle = sorted(results, key=lambda item: item.bone)[len(results) // 2]
    return LoadedState(
        state=state,
        load=load,
        bone=_interval([item.bone for item in results]),
        cement=_known_interval([item.cement for item in results]),
        screw=_known_interval([item.screw for item in results]),
        against_before=_interval([a.bone / b.bone for a, b in zip(results, before, strict=True)]),
        stiffness_against_before=_interval([b.work / a.work for a, b in zip(results, before, strict=True)]),
        fails_first=middle.worst,
        where_lps_mm=middle.where,
    )


def _interval(values: Sequence[float]) -> Interval:
    rounded = [round(value, 4) for value in values]
    return Interval(low_frac=min(rounded), median_frac=float(np.median(rounded)), high_frac=max(rounded))


def _known_interval(values: Sequence[float | None]) -> Interval | None:
    """The interval where every law gave a value: none where a state holds no such part."""
    known = [value for value in values if value is not None]
    return _interval(known) if len(known) == len(values) else None


def _holds(
    case: Case, screws: Sequence[Placement], lesion: Structure, laws: Sequence[Law], scale: DensityScale, plan: Plan
) -> tuple[ScrewHold, ...]:
    law = next((law for law in laws if law.strength_factor_MPa is not None), laws[0])
    every = np.zeros(case.grid.shape, bool)
    for structure in case.with_role(Role.BONE):
        every |= structure.inside
    cemented = any(item.role == "cement" for step in plan.steps for item in step.placements)
    return tuple(screw_hold(case, screw, every, lesion.inside, law, scale, cemented=cemented) for screw in screws)


def _sections(
    case: Case, native: tuple[Array, Array, Array], lesion: Structure, bone: Structure, grid: Grid
) -> SectionCheck:
    inside = resample_mask(lesion.inside, case.grid, grid)
    return section_check(native[0], native[1], grid, bone, inside, against="intact_estimate")


def _checks(
    lesion: str, found: dict[tuple[str, str], list[Worst]], loads: Sequence[LoadCase], weight_kg: float | None,
    sections: SectionCheck | None,
) -> tuple[Check, ...]:  # fmt: skip
    """The planned construct under the worst activity; above strength in every law is a finding, in one a warning.

    A long bone's sections join it.
    """
    last = list(found)[-1][0]
    activities = [load.id for load in loads if load.torque_Nm is None]
    load = max(activities, key=lambda name: max(item.bone for item in found[last, name]))
    ratios = [item.bone for item in found[last, load]]
    verdict = Verdict.FAIL if min(ratios) > 1 else Verdict.WARN if max(ratios) > 1 else Verdict.PASS
    checks = [
        Check(
            name="load_to_strength", subject=lesion, value=round(max(ratios), 3), limit=1.0, unit="1",
            verdict=Verdict.UNKNOWN if weight_kg is None else verdict, source="software default",
            message="linear and bonded; absolute strength of this site is not validated: compare the ratios",
        )
    ]  # fmt: skip
    if sections is not None:
        kept = min(sections.axial_frac, sections.bending_frac, sections.torsion_frac)
        checks.append(
            Check(
                name="section_rigidity", subject=lesion, value=kept, limit=FLAG_BELOW_FRAC, unit="1",
                verdict=Verdict.WARN if sections.flagged else Verdict.PASS, source=sections.source,
            )
        )  # fmt: skip
    return tuple(checks)
