"""How instruments are led to their targets, and so how far they stray and how steep they may go."""

from dataclasses import dataclass, replace

from trocar.catalog import limit
from trocar.errors import InputError
from trocar.model.case import Case
from trocar.model.finding import Check, Verdict

NAMES = ("navigated", "freehand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """`placement_error_mm` is kept free around every instrument; `tilt_max_deg` limits the craniocaudal angle."""

    name: str
    placement_error_mm: float
    tilt_max_deg: float = 90.0
    source: str = "software default"
    stated: bool = False  # whether somebody said so, rather than a default


def guidance(name: str, *, placement_error_mm: float | None = None) -> Guidance:
    """The catalog's `navigated` or `freehand`, with another error where it is known. Raises `InputError`."""
    if name not in NAMES:
        raise InputError(f"no guidance is called {name!r}", hint=f"there are: {', '.join(NAMES)}")
    error = limit(f"placement_error_{name}_mm")
    steep = limit("tilt_freehand_max_deg").value if name == "freehand" else 90.0
    if placement_error_mm is None:
        return Guidance(name=name, placement_error_mm=error.value, tilt_max_deg=steep, source=error.source)
    return Guidance(name=name, placement_error_mm=placement_error_mm, tilt_max_deg=steep, stated=True)


def guidance_of(case: Case) -> Guidance:
    """What the team decided: freehand where its list lacks navigation. Navigated where nobody said; a check says so."""
    decided = case.clinical.decision.guidance
    if not decided:
        return guidance("navigated")
    return replace(guidance("navigated" if "navigation" in decided else "freehand"), stated=True)


def guidance_check(used: Guidance) -> Check:
    """What placement error the plan keeps free; UNKNOWN where nobody said how instruments are led."""
    kept = f"{used.placement_error_mm:g} mm of placement error kept free around every instrument"
    return Check(
        name="guidance",
        subject=used.name,
        value=used.placement_error_mm if used.stated else None,
        limit=None,
        unit="mm",
        verdict=Verdict.PASS if used.stated else Verdict.UNKNOWN,
        source=used.source,
        message=kept if used.stated else f"nobody stated how instruments are led: {kept}",
    )
