"""Checks of an injection: does the cement stay in bone, when to stop, and can a hand push it."""

from collections.abc import Iterator

from trocar.catalog import limit
from trocar.model.case import Case, Role
from trocar.model.finding import CementDeposit, CementLeak, Check, Verdict
from trocar.model.segmented import OTHER_NERVES, is_segmented, knows_nerves
from trocar.model.treatment import Step
from trocar.simulation.injection import Injected
from trocar.simulation.pores import WAY_OF_ROLE

# What a leak by each way means: into muscle it is seen and tolerated, beyond the simulated box it is unknown.
VERDICT_OF_WAY = {"breach": Verdict.WARN, "edge": Verdict.UNKNOWN}
GRAVITY = (Verdict.PASS, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL)
WHY = {
    "breach": "it leaves the bone through a breach of the cortex",
    "foramen": "it reaches a nerve",
    "canal": "it reaches the canal",
    "vein": "it reaches a vessel",
    "joint": "it reaches a joint",
    "edge": "it leaves the simulated box, and what then is not known",
    "distance": "the front is within the stop distance of a nerve, the canal or a joint",
    "room": "no room is left in bone and lesion",
    "pressure": "it takes more pressure than a hand has been measured to give",
    "ice": "the injection point is frozen, and no cement enters ice",
}


def deposit_checks(done: Injected) -> Iterator[Check]:
    """The checks of one injection."""
    yield _room(done.deposit)
    yield from _stops(done.deposit)
    yield from (_leak(done.deposit, leak) for leak in done.deposit.leaks if leak.volume_ml > 0)
    yield _pressure(done)


def missing_ways(case: Case, step: Step) -> Iterator[Check]:
    """A way out that no structure of the case shows is unknown, never closed."""
    for role, way in WAY_OF_ROLE.items():
        shown = is_segmented(case, role)
        if not shown or (role is Role.NERVE and not knows_nerves(case, step.lesion)):
            yield Check(
                name=f"cement_leak_{way}",
                subject=step.id,
                value=None,
                limit=0.0,
                unit="ml",
                verdict=Verdict.UNKNOWN,
                source="software default",
                message=OTHER_NERVES if shown else f"no structure of role {role.value} is given; absent is not safe",
            )


def _room(deposit: CementDeposit) -> Check:
    """Whether the planned volume stays in bone and lesion."""
    planned_ml = float(deposit.planned_ml or 0.0)
    fits = deposit.volume_ml >= 0.99 * planned_ml
    return Check(
        name="cement_volume_in_bone",
        subject=deposit.name,
        value=deposit.volume_ml,
        limit=planned_ml,
        unit="ml",
        verdict=Verdict.PASS if fits else Verdict.FAIL,
        source="software default",
        message="" if fits else "bone and lesion do not hold the planned volume",
    )


def _stops(deposit: CementDeposit) -> Iterator[Check]:
    """The first reason to stop, and after it what is graver and also comes before the planned volume."""
    planned_ml = float(deposit.planned_ml or 0.0)
    if not deposit.stops:
        followed_ml = float(deposit.followed_ml or 0.0)
        yield _stop(deposit, followed_ml, Verdict.PASS, f"nothing asks to stop up to {followed_ml:g} ml")
    gravest = -1
    for stop in deposit.stops:
        early = stop.at_ml < planned_ml
        verdict = VERDICT_OF_WAY.get(stop.reason, Verdict.FAIL) if early else Verdict.PASS
        if GRAVITY.index(verdict) > gravest:
            gravest = GRAVITY.index(verdict)
            yield _stop(deposit, stop.at_ml, verdict, f"stop at {stop.at_ml:.1f} ml: {WHY[stop.reason]}")


def _stop(deposit: CementDeposit, at_ml: float, verdict: Verdict, message: str) -> Check:
    return Check(
        name="cement_stop_volume",
        subject=deposit.name,
        value=at_ml,
        limit=deposit.planned_ml,
        unit="ml",
        verdict=verdict,
        source=limit("cement_stop_mm").source,
        message=message,
    )


def _leak(deposit: CementDeposit, leak: CementLeak) -> Check:
    return Check(
        name=f"cement_leak_{leak.way}",
        subject=leak.name or deposit.name,
        value=leak.volume_ml,
        limit=0.0,
        unit="ml",
        verdict=VERDICT_OF_WAY.get(leak.way, Verdict.FAIL),
        source="software default",
        message=f"{deposit.name}: from {leak.from_ml:.1f} ml on",
    )


def _pressure(done: Injected) -> Check:
    """The pressure in the syringe; where the trocar's lumen is not known, that in the bone, a part of it."""
    bound = limit("cement_pressure_max_MPa")
    in_bone = max(done.deposit.pressures_MPa, default=None)
    value = in_bone if done.syringe_MPa is None else done.syringe_MPa
    message = ""
    if value is None:
        verdict, message = Verdict.UNKNOWN, "how viscous this cement becomes is not in the catalog"
    elif value > bound.value:
        verdict = Verdict.FAIL
    elif done.syringe_MPa is None:
        verdict, message = Verdict.UNKNOWN, "in the bone alone: the trocar's lumen is not in the catalog"
    else:
        verdict = Verdict.PASS
    return Check(
        name="cement_injection_pressure",
        subject=done.deposit.name,
        value=None if value is None else round(value, 3),
        limit=bound.value,
        unit="MPa",
        verdict=verdict,
        source=bound.source,
        message=message,
    )
