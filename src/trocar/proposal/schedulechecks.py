"""What a schedule is checked against: the cement's window, cold tissue, the order, the time that was given."""

from collections.abc import Iterator

from trocar.catalog import limit
from trocar.model.finding import Check, Verdict
from trocar.model.schedule import CementBatch
from trocar.model.treatment import Duration, Plan, Proposal


def clock_check(batch: CementBatch) -> Check:
    """E14 and E16: the steps that need soft cement fit into its paste phase."""
    needed, window = batch.needed_s, batch.window_s
    if window is None:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.FAIL if needed.typical > window else Verdict.WARN if needed.high > window else Verdict.PASS
    room = "" if batch.room_degC is None else f", mixed at {batch.room_degC:g} degC"
    return Check(
        name="cement_clock",
        subject=batch.id,
        value=round(needed.typical, 1),
        limit=None if window is None else round(window, 1),
        unit="s",
        verdict=verdict,
        source=batch.source or "software default",
        message=f"from the start of injection to the last step that needs soft cement; {needed.low:.0f} to "
        f"{needed.high:.0f} s{room}",
    )


def cold_checks(asked: bool, tissue_degC: float | None) -> Iterator[Check]:
    """E10: cement never goes into ice; UNKNOWN until the cavity's temperature is simulated or measured."""
    if not asked:
        return
    least = limit("cavity_min_for_cement_degC")
    cold = tissue_degC is not None and tissue_degC < least.value
    yield Check(
        name="cement_into_cold_tissue",
        subject="cavity",
        value=tissue_degC,
        limit=least.value,
        unit="degC",
        verdict=Verdict.UNKNOWN if tissue_degC is None else Verdict.FAIL if cold else Verdict.PASS,
        source=least.source,
        message="simulate the thaw, or measure it, before mixing" if tissue_degC is None else "",
    )


def order_checks(proposal: Proposal, plan: Plan | None) -> Iterator[Check]:
    """Whether the plan's own order keeps the edges of the sequence; only broken ones are said."""
    order = [item.id for item in proposal.sequence] if plan is None else [step.id for step in plan.steps]
    place = {name: number for number, name in enumerate(order)}
    earlier = ancestors(proposal)
    for item in proposal.sequence:
        late = [name for name in earlier[item.id] if item.id in place and place.get(name, -1) > place[item.id]]
        if late:
            yield Check(
                name="order_of_steps",
                subject=item.id,
                value=float(len(late)),
                limit=0.0,
                unit="count",
                verdict=Verdict.FAIL if item.hard else Verdict.WARN,
                source="design",
                message=f"must come after {', '.join(sorted(late))} ({', '.join(item.edges)})",
            )


def ancestors(proposal: Proposal) -> dict[str, set[str]]:
    """Every step before each step of a sequence, however far."""
    found: dict[str, set[str]] = {}
    for item in proposal.sequence:
        found[item.id] = set(item.after).union(*(found[name] for name in item.after))
    return found


def budget_checks(budget_min: float | None, total: Duration) -> Iterator[Check]:
    """E25: whether the session stays within the time that was given for it."""
    if budget_min is None:
        return
    over = total.typical > budget_min, total.high > budget_min
    yield Check(
        name="session_time",
        subject="session",
        value=round(total.typical, 1),
        limit=budget_min,
        unit="min",
        verdict=Verdict.FAIL if over[0] else Verdict.WARN if over[1] else Verdict.PASS,
        source="design (the budget that was given)",
        message=f"{total.low:.0f} to {total.high:.0f} min",
    )
