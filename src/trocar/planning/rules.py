"""Which structures an instrument must keep away from, and by how much, by what they are."""

from dataclasses import dataclass

from trocar.catalog import limit
from trocar.model.case import Role, Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """From an instrument's surface to a structure's: below `hard_mm` refused, below `soft_mm` worse."""

    constraint: str
    roles: tuple[Role, ...]
    hard_mm: float
    soft_mm: float
    source: str
    expected: bool = True  # whether a case without such a structure leaves the question open


def clearances() -> tuple[Clearance, ...]:
    """The rules P1 to P3 of the access table; what must not be crossed has a hard clearance of 0."""
    hard, soft, vessel = (
        limit(f"{key}_mm") for key in ("nerve_clearance_hard", "nerve_clearance_soft", "vessel_clearance")
    )
    viscera = (Role.BOWEL, Role.BLADDER, Role.URETER, Role.ORGAN, Role.LUNG, Role.PLEURA)
    return (
        Clearance(
            constraint="nerve_clearance",
            roles=(Role.NERVE, Role.CORD),
            hard_mm=hard.value,
            soft_mm=soft.value,
            source=hard.source,
        ),
        Clearance(
            constraint="vessel_clearance", roles=(Role.VESSEL,), hard_mm=0.0, soft_mm=vessel.value, source="R-h, R-l"
        ),
        Clearance(constraint="organ_clearance", roles=viscera, hard_mm=0.0, soft_mm=5.0, source="R-h"),
        Clearance(
            constraint="joint_clearance", roles=(Role.JOINT,), hard_mm=0.0, soft_mm=2.0, source="R-h", expected=False
        ),
        Clearance(
            constraint="implant_clearance",
            roles=(Role.IMPLANT, Role.CEMENT),
            hard_mm=0.0,
            soft_mm=2.0,
            source="design",
            expected=False,
        ),
    )


def clearance_of(structure: Structure) -> Clearance | None:
    """The rule that a structure falls under; None for what may be crossed."""
    return next((rule for rule in clearances() if structure.role in rule.roles), None)
