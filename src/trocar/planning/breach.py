"""How far a screw leaves the bone, graded as pedicle screws are."""

from bisect import bisect_right

from trocar.model.finding import Check, Verdict
from trocar.model.treatment import Placement

GRADES = "ABCDE"
GRADE_FROM_MM = (0.0, 2.0, 4.0, 6.0)  # beyond which B, C, D and E begin
SOURCE = "R-h (Gertzbein and Robbins 1990), V67"


def grade(breach_mm: float) -> str:
    """A within the bone, B to 2 mm out of it, C to 4, D to 6, E beyond."""
    if breach_mm <= 0:
        return "A"
    return GRADES[max(1, bisect_right(GRADE_FROM_MM, breach_mm - 1e-9))]


def breach_check(screw: Placement, clearance_mm: float, placement_error_mm: float) -> Check:
    """How far the screw's surface leaves the bone as planned, its entry excepted, and within a placement error."""
    planned = max(0.0, -clearance_mm)
    displaced = max(0.0, placement_error_mm - clearance_mm)
    verdict = Verdict.PASS if displaced == 0 else Verdict.WARN
    return Check(
        name="screw_breach",
        subject=screw.name,
        value=round(planned, 2),
        limit=0.0,
        unit="mm",
        verdict=Verdict.FAIL if planned > 0 else verdict,
        source=SOURCE,
        message=f"grade {grade(planned)} as planned, {grade(displaced)} ({displaced:.1f} mm) when displaced by "
        f"{placement_error_mm:g} mm",
    )
