"""A shield put into a plan by hand: on its protection step, or on one of its own before the first ice or heat."""

from dataclasses import replace

from trocar.errors import CaseError
from trocar.model.case import Case
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.treatment import Plan, Step, Technique, Text
from trocar.planning import durations

STEP_ID = "protection-by-hand"


def shielded(case: Case, plan: Plan, shield: Shield) -> tuple[Step, ...]:
    """The plan's steps with the shield in place before the first step that freezes or heats.

    Raises `CaseError` for a structure that the case does not have, or a plan that neither freezes nor heats.
    """
    for layer in shield.layers:
        case.structure(layer.structure)
    first = next((n for n, step in enumerate(plan.steps) if step.technique.ablates), None)
    if first is None:
        raise CaseError("the plan neither freezes nor heats: there is nothing to shield from", hint="leave out shield")
    there = next((n for n, step in enumerate(plan.steps[:first]) if step.technique is Technique.PROTECTION), None)
    if there is None:
        own = _step(plan.steps[first], shield)
        ablation = replace(plan.steps[first], after=(*plan.steps[first].after, own.id))
        return (*plan.steps[:first], own, ablation, *plan.steps[first + 1 :])
    step = plan.steps[there]
    both = (step.shield or UNSHIELDED).with_more(shield)
    return (*plan.steps[:there], replace(step, shield=both), *plan.steps[there + 1 :])


def _step(ablation: Step, shield: Shield) -> Step:
    return Step(
        id=STEP_ID,
        technique=Technique.PROTECTION,
        action="PROTECT",
        lesion=ablation.lesion,
        after=ablation.after,
        duration_min=durations.PROTECTION,
        position=ablation.position,
        shield=shield,
        notes=(
            Text(
                en="Added by hand: no needle for the fluid is planned.",
                fr="Ajouté à la main : aucune aiguille n'est prévue pour le liquide.",
            ),
        )
        if shield.layers
        else (),
    )
