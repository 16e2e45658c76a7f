"""The agent of a plan's embolization chosen by hand, with what it leaves of the perfusion and of its oil."""

from dataclasses import replace
from math import prod

from trocar.catalog import devices
from trocar.catalog.devicenames import device_name
from trocar.errors import CaseError
from trocar.materials.oil import oil_share_frac
from trocar.model.case import Case
from trocar.model.device import Embolic
from trocar.model.edits import Embolized
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import AfterEmbolization
from trocar.model.treatment import Plan, Step, Technique, Text


def embolized(case: Case, plan: Plan, chosen: Embolized) -> tuple[Step, ...]:
    """The plan's steps with its embolization done with the agent.

    Raises `CaseError` for a plan without one, another kind of device, oil without an agent that has some or more of it
    than the lesion holds, and an agent of which nobody knows what perfusion it leaves.
    """
    if not plan.of(Technique.EMBOLIZATION):
        raise CaseError("the plan has no embolization", hint="choose a proposal that has one")
    agent = devices().get(chosen.agent)
    if not isinstance(agent, Embolic):
        known = ", ".join(item.id for item in devices().values() if isinstance(item, Embolic))
        raise CaseError(f"{chosen.agent!r} is no embolic agent", hint=f"there are: {known}")
    if chosen.oil_ml and not agent.ethiodized_oil:
        raise CaseError(f"{agent.id} has no ethiodized oil in it", hint="leave out oil_ml")
    left = agent.residual_perfusion_frac if chosen.perfusion_left_frac is None else chosen.perfusion_left_frac
    if left is None:
        raise CaseError(
            f"what {agent.id} leaves of the perfusion is not known", hint="give perfusion_left_frac, 0 to 1, with it"
        )
    steps = tuple(
        _with(step, agent, left, chosen.oil_ml) if step.technique is Technique.EMBOLIZATION else step
        for step in plan.steps
    )
    for step in steps:
        oil_share_frac(case, step)
    return steps


def after_embolization(case: Case, plan: Plan) -> AfterEmbolization:
    """What all of a plan's embolizations leave of its lesion. Raises `CaseError` for more oil than it holds."""
    steps = plan.of(Technique.EMBOLIZATION)
    left = prod(1.0 if step.perfusion_scale is None else step.perfusion_scale for step in steps)
    oil_frac = min(sum(oil_share_frac(case, step) for step in steps), 1.0)
    return AfterEmbolization(perfusion_left_frac=left, oil_frac=oil_frac)


def _with(step: Step, agent: Embolic, left: float, oil_ml: float | None) -> Step:
    oil = [] if not agent.ethiodized_oil else [_oil_note(oil_ml)]
    name = device_name(agent.id)
    note = Text(
        en=f"{name.en}, chosen by hand; perfusion left in the lesion: {100 * left:.0f} %.",
        fr=f"{name.fr}, choisi à la main ; perfusion restante de la lésion : {100 * left:.0f} %.",
    )
    evidence = step.notes[-1:]  # the notes before it are of the agent that there was
    unchecked = Check(
        name="embolic_agent", subject=agent.id, value=None, limit=1.0, unit="count", verdict=Verdict.UNKNOWN,
        source="software default", message="chosen by hand: whether the rules allow it was not looked at",
    )  # fmt: skip
    kept = tuple(check for check in step.checks if check.name != "embolic_agent")
    return replace(
        step, embolic=agent.id, perfusion_scale=left, oil_ml=oil_ml, notes=(note, *oil, *evidence),
        checks=(*kept, unchecked),
    )  # fmt: skip


def _oil_note(oil_ml: float | None) -> Text:
    if oil_ml is None:
        return Text(
            en="How much ethiodized oil stays in the lesion is not stated: ice will be smaller than simulated.",
            fr="La quantité d'huile éthiodée restant dans la lésion n'est pas indiquée : "
            "la glace sera plus petite que simulée.",
        )
    return Text(
        en=f"{oil_ml:g} ml of ethiodized oil stay in the lesion: bright on CT, and ice is smaller in it.",
        fr=f"{oil_ml:g} ml d'huile éthiodée restent dans la lésion : dense au scanner, et la glace y est plus petite.",
    )
