"""The steps that carry a technique, in the proposal's order, and the hard edges that they must keep."""

from trocar.model.finding import Check, Verdict
from trocar.model.treatment import Proposal, SequenceStep, Step, Technique

ACTIONS = ("EMBOLISE", "BIOPSY", "PROTECT", "ABLATE", "SCREW", "CEMENT_INJECT")
EDGES = (
    ("E4", "BIOPSY", "ABLATE", "article", True),
    ("E6", "PROTECT", "ABLATE", "article, V32", True),
    ("E9", "ABLATE", "CEMENT_INJECT", "article", True),
    ("E11", "ABLATE", "SCREW", "article, R-h", False),
)


def technique_steps(proposal: Proposal) -> tuple[SequenceStep, ...]:
    """The steps of the sequence that a plan places."""
    return tuple(item for item in proposal.sequence if item.step in ACTIONS and item.technique is not None)


def earlier(proposal: Proposal, step_id: str) -> tuple[str, ...]:
    """The planned steps that come before one, through any steps between, without those that others imply."""
    parents = {item.id: item.after for item in proposal.sequence}
    planned = {item.id for item in technique_steps(proposal)}

    def nearest(here: str, seen: frozenset[str]) -> set[str]:
        found: set[str] = set()
        for parent in parents.get(here, ()):
            if parent in planned:
                found.add(parent)
            elif parent not in seen:
                found |= nearest(parent, seen | {parent})
        return found

    before = nearest(step_id, frozenset())
    return tuple(item.id for item in technique_steps(proposal) if item.id in before)


def order_checks(steps: tuple[Step, ...], proposal: Proposal) -> tuple[Check, ...]:
    """E4, E6, E9 and E11 on the order of the steps, E10 on the thaw and removal before cement."""
    place = {step.id: number for number, step in enumerate(steps)}
    checks = []
    for edge, first, second, source, hard in EDGES:
        before = [step for step in steps if step.action == first]
        after = [step for step in steps if step.action == second]
        if not before or not after:
            continue
        kept = max(place[step.id] for step in before) < min(place[step.id] for step in after)
        wrong = Verdict.FAIL if hard else Verdict.WARN
        checks.append(_order_check(edge, f"{first} before {second}", kept, wrong, source))
    if any(step.action == "CEMENT_INJECT" for step in steps) and any(step.action == "ABLATE" for step in steps):
        checks.append(_thaw_check(steps, proposal))
    return tuple(checks)


def _thaw_check(steps: tuple[Step, ...], proposal: Proposal) -> Check:
    """E10: the last freeze is followed by an active thaw, and the applicators leave before the cement is injected."""
    thawed = all(
        step.protocol[-1].phase == "thaw_active"
        for step in steps
        if step.technique is Technique.CRYOABLATION and step.protocol
    )
    order = [item.step for item in proposal.sequence]
    removed = True
    if "APPLICATOR_REMOVE" in order and "CEMENT_INJECT" in order:
        last = len(order) - 1 - order[::-1].index("APPLICATOR_REMOVE")
        removed = last < order.index("CEMENT_INJECT")
    return _order_check("E10", "thaw and removal before CEMENT_INJECT", thawed and removed, Verdict.FAIL, "V46, R-m")


def _order_check(edge: str, subject: str, kept: bool, wrong: Verdict, source: str) -> Check:
    return Check(
        name=f"order_{edge.lower()}",
        subject=subject,
        value=1.0 if kept else 0.0,
        limit=1.0,
        unit="count",
        verdict=Verdict.PASS if kept else wrong,
        source=source,
        message="1: the order is kept",
    )
