"""How far a load can grow before a bone with a lesion, or its pelvic ring, gives way: before and after each option.

Bone and cement soften after their limits, their bond opens, the threads of a screw have damaged what they grip: what a
linear, bonded model cannot show (theory/softening.md). One density law, the one in the middle of the site's ensemble.
"""

from collections.abc import Callable
from dataclasses import dataclass

from trocar.assessment.loading import Loaded, loaded
from trocar.assessment.solving import Tally
from trocar.assessment.specimen import Specimen
from trocar.assessment.strength import SPACING_MM
from trocar.catalog.mechanics import LoadCase, mechanics
from trocar.errors import CaseError
from trocar.materials.density import DensityScale, tissue_scale
from trocar.materials.limits import cement_bond
from trocar.model.case import Case
from trocar.model.collapse import Collapse, CollapsedState
from trocar.model.space import Volume
from trocar.model.treatment import Plan
from trocar.physics.collapse import March

Progress = Callable[[float, str], None]
CAVEATS = (
    *("strength_not_validated_here", "cortex_by_mass"),
    *("giving_way_prior", "one_density_law"),
)
MARCH = March(steps=150, loss_frac=0.005, tolerance=5e-4, passes=100, haste=2.0, forcing=0.5, finest=1.02)
BREAK_FRAC = 0.1  # of the load that is lost at a break
RESOLVED_FRAC = 0.1  # theory/softening.md: highest loads by other steps, tolerances and solvers
RESOLVED = {True: "peaks_within_10_percent", False: "peaks_unresolved"}
STATES = ("before", "cement", "screws", "planned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What nobody has measured for these bones, and may be set; `None` is the catalog's prior."""

    bond_MPa: float | None = None
    thread_frac: float | None = None
    march: March = MARCH


def collapse(
    case: Case,
    plan: Plan,
    load: str,
    *,
    cement: Volume | None = None,
    scale: DensityScale | None = None,
    spacing_mm: float = SPACING_MM,
    ring: bool = False,
    settings: Settings | None = None,
    on_progress: Progress | None = None,
) -> Collapse:
    """Each state of the bone that holds the plan's lesion, or of its pelvic `ring`, loaded until it gives way.

    `cement` is its share of volume on any grid; without it each bead is a ball of its volume. Raises `CaseError` for a
    load that the site does not have, where no bone holds the lesion, or a landmark is missing.
    """
    settings = settings or Settings()
    scale = scale or tissue_scale(case)
    specimen = Specimen.of(case, plan, spacing_mm=spacing_mm, ring=ring)
    loading = _load_of(specimen.site, load)
    weight_kg, taken = specimen.taken([loading])
    joint = "joints_elastic_bonded" if ring else "neighboring_bones_rigid"
    tally = Tally(caveats={*CAVEATS, joint, *scale.caveats, *taken})
    law, native = specimen.middle(scale, tally)
    bench = specimen.bench(native)
    states = [state for state in specimen.states(plan, cement=cement) if state.name in STATES]
    if any(state.screws for state in states):
        tally.caveats.add("threads_by_closed_form")
    found: list[CollapsedState] = []
    before: Loaded | None = None
    for number, state in enumerate(states):
        course = loaded(
            bench, native, specimen.lesion, state, loading,
            weight_kg=weight_kg,
            bond=cement_bond(tension_MPa=settings.bond_MPa),
            thread_frac=settings.thread_frac,
            march=settings.march,
            on_progress=_part(on_progress, number, len(states), state.name),
        )  # fmt: skip
        before = before or course
        found.append(_row(state.name, course, before))
    resolved = all(state.worst_change_frac <= MARCH.tolerance for state in found)
    tally.caveats.add(RESOLVED[resolved])
    return Collapse(
        lesion=specimen.lesion.name,
        bone=specimen.bone.name,
        site=specimen.site,
        load=load,
        law=law.id,
        weight_kg=weight_kg,
        spacing_mm=spacing_mm,
        catalog_version=mechanics().version,
        density_scale=scale.origin,
        states=tuple(found),
        resolved_frac=RESOLVED_FRAC if resolved else None,
        caveats=tuple(sorted(tally.caveats)),
    )


def _load_of(site: str, load: str) -> LoadCase:
    loads = {item.id: item for item in mechanics().loads_of(site)}
    if load not in loads:
        raise CaseError(f"no load {load!r} is known for a {site}", hint=f"one of {', '.join(loads)}")
    return loads[load]


def _row(name: str, one: Loaded, before: Loaded) -> CollapsedState:
    course, untreated = one.course, before.course
    once = untreated.path[0] / untreated.load[0]
    order, broke = one.failures(), course.first_break(BREAK_FRAC)
    return CollapsedState(
        state=name,
        strength_frac=round(float(course.load.max()), 4),
        against_before_frac=round(float(course.load.max() / untreated.load.max()), 4),
        first_frac=round(float(course.load[0]), 4),
        breaks_frac=None if broke is None else round(broke, 4),
        passed=course.past_peak,
        failed_at_frac=tuple((material, round(load, 4)) for material, load in order),
        where_lps_mm=one.where(order[0][0]) if order else None,
        lost_frac={material: round(part, 4) for material, part in one.shares().items()},
        path_frac=tuple(round(float(value / once), 4) for value in course.path),
        load_frac=tuple(round(float(value), 4) for value in course.load),
        worst_change_frac=float(course.change_frac.max()),
        iterations=course.iterations,
    )


def _part(on_progress: Progress | None, number: int, count: int, name: str) -> Progress | None:
    """Progress of one state as a share of all."""
    if on_progress is None:
        return None
    return lambda fraction, text: on_progress((number + fraction) / count, f"{name}, {text}")
