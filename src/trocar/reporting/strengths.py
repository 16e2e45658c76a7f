"""What the report says of a bone's strength: the worst activity, and where a score and the computation disagree."""

from collections.abc import Iterator
from dataclasses import dataclass

from trocar.catalog.mechanics import LoadCase, mechanics
from trocar.model.finding import Score
from trocar.model.strength import LoadedState, Strength
from trocar.reporting.gathered import Gathered

# From which total a score warns: R-h (SINS 7, Mirels 9), M1 (one of two measures), M2 (class II and above).
WARNS_FROM = {"SINS": 7.0, "Mirels": 9.0, "axial cortical involvement": 1.0, "Harrington": 2.0}

STATES = {
    "intact_estimate": "intact (estimate)",
    "before": "before treatment",
    "ablated": "after ablation (scenario)",
    "cement": "cement alone",
    "screws": "screws alone",
    "planned": "as planned",
}

LOADS = {
    "walking": "walking",
    "stairs": "stairs",
    "two_legs": "standing on two legs",
    "sit_to_stand": "sitting down, standing up",
    "torsion": "torsion (comparison only)",
    "shear": "shear (comparison only)",
    "standing": "standing",
    "one_leg": "standing on one leg",
    "compression": "compression",
    "flexion": "flexion",
    "fall": "a fall to the side",
}

FAILURES = {
    "bone: tension": "bone, in tension",
    "bone: compression": "bone, in compression",
    "cement: tension": "cement, in tension",
    "cement: compression": "cement, in compression",
    "screw: bending": "screw, in bending",
}

SUPPORTS = {
    "pelvis": "Sacroiliac joint held, symphysis held left-right; hip force as a pressure over the joint, abductors on "
    "the iliac wing.",
    "ring": "Endplate of S1 held, both hip bones, sacrum and their joints elastic; hip force as a pressure over the "
    "joint, abductors on the iliac wing; the leg that swings is weightless.",
    "sacrum": "Sacroiliac joints held, in one-leg stance that of the treated side alone; load on the endplate of S1.",
    "vertebra": "Lower endplate held; load on the upper endplate, in flexion on its front third.",
    "femur": "Lowest 15 mm held, in a fall the trochanter too; hip force as a pressure over the head, abductors on the "
    "trochanter.",
}

CAVEATS = {
    "strength_not_validated_here": "Strength of this bone has not been validated against specimens: compare the "
    "ratios, not the absolute values.",
    "bonded_linear_no_interface_opening": "Linear and bonded: nothing opens, cracks or slips, so what a screw adds "
    "after cement has come loose is not shown.",
    "neighboring_bones_rigid": "Neighboring bones and joints are rigid; a screw that reaches one is held there, "
    "which overstates what it adds.",
    "joints_elastic_bonded": "Sacroiliac joints and symphysis are elastic layers of one modulus each, a prior; they "
    "do not open or slide, and ligaments are part of them.",
    "density_scale_prior": "Densities rest on reference values of air, fat and muscle that are a prior, no phantom.",
    "contrast_enhanced_no_muscle": "The CT is contrast-enhanced: muscle is left out of the density scale.",
    "contrast_unknown_no_muscle": "Whether the CT is contrast-enhanced is unknown: muscle is left out of the density "
    "scale.",
    "weight_unknown_70_kg_taken": "The weight is unknown: 70 kg are taken.",
    "load_prior": "Some loads are priors of low confidence.",
    "load_partly_on_supports": "A part of the load falls on what is held and is lost.",
    "islands_left_out": "Parts of the bone that hang by nothing are left out.",
    "cortex_by_mass": "A cortex thinner than the CT resolves has its stiffness by mineral mass, at the density of the "
    "thickest cortex of this CT.",
    "giving_way_prior": "How bone, cement and their bond soften is a prior.",
    "one_density_law": "One density law, the one in the middle of the site's ensemble.",
    "peaks_within_10_percent": "Highest loads are known to 10 %: states that differ by less cannot be told apart.",
    "peaks_unresolved": "Some states were not in balance when the passes ended: their highest loads are too high.",
    "threads_by_closed_form": "Threads hold bone as Chapman's closed form says, cement as firmly as metal; a screw's "
    "tip counts as bonded, and turning about its own axis is not judged.",
    "screw_threads_bonded": "Threads are bonded; the damage that drilling does around them is not modeled.",
}


@dataclass(frozen=True, slots=True)
class Beside:
    """A score next to the computed ratio; `disagrees` when one warns and the other does not, None where unknown."""

    score: Score
    warns: bool | None
    disagrees: bool | None


def activities(found: Strength) -> tuple[LoadCase, ...]:
    """The loads of the site with their texts and sources, in the result's order."""
    known = {load.id: load for load in mechanics().loads_of(found.site)}
    return tuple(known[load] for load in found.loads if load in known)


def worst_row(found: Strength, state: str = "before") -> LoadedState:
    """The activity that uses most of the strength in a state; a fall and what only compares constructs are none."""
    real = {load.id for load in activities(found) if load.is_activity}
    rows = [row for row in found.rows if row.state == state and (row.load in real or not real)]
    return max(rows, key=lambda row: row.bone.median_frac)


def beside(gathered: Gathered) -> Iterator[Beside]:
    """The scores of the lesion next to the ratio before treatment."""
    found, assessment = gathered.strength, gathered.assessment
    if found is None or assessment is None:
        return
    interval = worst_row(found).bone
    computed = True if interval.low_frac > 1 else False if interval.high_frac < 1 else None
    for score in (item for item in assessment.scores if item.lesion == found.lesion):
        bound = next((limit for name, limit in WARNS_FROM.items() if score.name.startswith(name)), None)
        warns = None if bound is None or score.total is None else score.total >= bound
        yield Beside(score, warns, None if warns is None or computed is None else warns != computed)
