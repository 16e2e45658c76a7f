"""Load-to-strength ratios of the bone that holds a lesion: before treatment, and after each option of a plan."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from trocar.assessment.holding import screw_hold
from trocar.assessment.sections import FLAG_BELOW_FRAC, section_check
from trocar.assessment.solving import Tally, solve
from trocar.assessment.specimen import Specimen
from trocar.assessment.submodel import lesion_model
from trocar.assessment.yielding import Worst
from trocar.catalog.mechanics import Law, LoadCase, mechanics
from trocar.imaging.resample import resample_mask
from trocar.materials.density import DensityScale, tissue_scale
from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Volume
from trocar.model.strength import Interval, LoadedState, MeshCheck, ScrewHold, SectionCheck, Strength
from trocar.model.treatment import Placement, Plan

Progress = Callable[[float, str], None]
SPACING_MM = 2.0
COARSER = 1.5  # the other lattice of the mesh check
BASE_CAVEATS = (
    *("strength_not_validated_here", "bonded_linear_no_interface_opening"),
    "cortex_by_mass",
)


def strength(
    case: Case,
    plan: Plan,
    *,
    cement: Volume | None = None,
    scale: DensityScale | None = None,
    spacing_mm: float = SPACING_MM,
    ablated_frac: float | None = None,
    check_mesh: bool = False,
    ring: bool = False,
    lesion_spacing_mm: float | None = None,
    on_progress: Progress | None = None,
) -> Strength:
    """The strength of the bone that holds the plan's lesion, for every load of its site and every law of its ensemble.

    `cement` is its share of volume on any grid (the simulation's); without it each bead is a ball of its volume.
    `ablated_frac` is what is left of the bone's stiffness in the lesion's 5 mm rim some weeks after ablation: no figure
    is known, so there is none at first. `check_mesh` solves all again on voxels 1.5 times as large. `ring` takes both
    hip bones, the sacrum and their joints instead of one bone. `lesion_spacing_mm` looks at the lesion again on finer
    voxels, by one law. Raises `CaseError` where no bone holds the lesion or a landmark is missing.
    """
    scale = scale or tissue_scale(case)
    specimen = Specimen.of(case, plan, spacing_mm=spacing_mm, ring=ring)
    lesion, site = specimen.lesion, specimen.site
    laws, loads = mechanics().laws_of(site), mechanics().loads_of(site)
    states = specimen.states(plan, cement=cement, ablated_frac=ablated_frac)
    weight_kg, taken = specimen.taken(loads)
    joint = "joints_elastic_bonded" if ring else "neighboring_bones_rigid"
    tally = Tally(caveats={*BASE_CAVEATS, joint, *scale.caveats, *taken})
    if any(state.screws for state in states):
        tally.caveats.add("screw_threads_bonded")
    found: dict[tuple[str, str], list[Worst]] = {}
    for number, law in enumerate(laws):
        native = specimen.native(law, scale, tally)
        bench = specimen.bench(native)
        for count, state in enumerate(states):
            if on_progress is not None:
                on_progress((number + count / len(states)) / len(laws), f"{state.name}, {law.id}")
            for load, result in solve(bench, native, lesion, state, loads, weight_kg, tally):
                found.setdefault((state.name, load.id), []).append(result)
    sections = _sections(specimen, native) if site == "femur" else None
    screws = states[-1].screws
    made = Strength(
        lesion=lesion.name,
        bone=specimen.bone.name,
        site=site,
        weight_kg=weight_kg,
        spacing_mm=spacing_mm,
        laws=tuple(law.id for law in laws),
        catalog_version=mechanics().version,
        density_scale=scale.origin,
        loads=tuple(load.id for load in loads),
        rows=tuple(_row(state, load, found) for state, load in found),
        screws=_holds(case, screws, case.structure(lesion.name), laws, scale, plan),
        worst_residual_frac=tally.residual,
        worst_imbalance_frac=tally.unbalanced,
        most_iterations=tally.iterations,
        caveats=tuple(sorted(tally.caveats)),
        checks=_checks(plan.lesion, found, loads, case.clinical.patient.weight_kg, sections),
        sections=sections,
    )
    if lesion_spacing_mm is not None:
        made = replace(made, lesion_model=lesion_model(specimen, states, scale, spacing_mm=lesion_spacing_mm))
    if check_mesh:
        coarse = strength(
            case, plan,
            cement=cement, scale=scale, spacing_mm=COARSER * spacing_mm, ablated_frac=ablated_frac, ring=ring,
        )  # fmt: skip
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


def _sections(specimen: Specimen, native: tuple[Array, Array, Array]) -> SectionCheck:
    inside = resample_mask(specimen.lesion.inside, specimen.case.grid, specimen.grid)
    return section_check(native[0], native[1], specimen.grid, specimen.bone, inside, against="intact_estimate")


def _checks(
    lesion: str, found: dict[tuple[str, str], list[Worst]], loads: Sequence[LoadCase], weight_kg: float | None,
    sections: SectionCheck | None,
) -> tuple[Check, ...]:  # fmt: skip
    """The planned construct under the worst activity; above strength in every law is a finding, in one a warning.

    A long bone's sections join it.
    """
    last = list(found)[-1][0]
    activities = [load.id for load in loads if load.is_activity]
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
