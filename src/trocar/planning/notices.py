"""What a plan says beside its placements: what found no place, which nerve to protect, the risks, the position."""

from trocar.catalog import device, limit
from trocar.catalog.structures import structure_name
from trocar.model.case import Case, Role
from trocar.model.device import Cryoprobe
from trocar.model.finding import Check, Verdict
from trocar.model.segmented import OTHER_NERVES, is_segmented
from trocar.model.treatment import Placement, Proposal, Rejection, Technique, Text
from trocar.planning.position import SOURCE as POSITION_SOURCE

T20_PROBES, T20_AGE_YEARS = 3, 70.0


def unplaced(what: str, refused: tuple[Rejection, ...], why: str = "") -> Check:
    """A FAIL check for something without an admissible place, with the constraints that exclude it.

    Where an instrument is only too short on a path, by how much is said: a longer one is the remedy.
    """
    reasons = dict.fromkeys(f"{item.constraint} ({item.structure})" for item in refused)
    short = min((item for item in refused if item.constraint == "needle_length"), key=_lacks_mm, default=None)
    remedy = f"; {short.structure} is {_lacks_mm(short):.1f} mm too short on the nearest way" if short else ""
    return Check(
        name="placement_found",
        subject=what,
        value=0.0,
        limit=1.0,
        unit="count",
        verdict=Verdict.FAIL,
        source="design",
        message=why or f"no admissible place: {', '.join(list(reasons)[:5]) or 'no path was found'}{remedy}",
    )


def left_out(technique: Technique, step_id: str) -> Check:
    """A WARN for a step of which edits by hand have left no instrument."""
    return Check(
        name="step_left_out",
        subject=step_id,
        value=0.0,
        limit=None,
        unit="count",
        verdict=Verdict.WARN,
        source="design",
        message=f"{technique.value}: all of its instruments were deleted by hand; the option asks for it",
    )


def _lacks_mm(item: Rejection) -> float:
    return item.value_mm - item.limit_mm


def nerve_unknown(case: Case) -> Check:
    """UNKNOWN: no nerve of the lesion's side is segmented, so none can be chosen for protection."""
    bound = limit("perineural_mm")
    return Check(
        name="nerve_to_protect",
        value=None,
        limit=bound.value,
        unit="mm",
        verdict=Verdict.UNKNOWN,
        source=bound.source,
        message=OTHER_NERVES
        if is_segmented(case, Role.NERVE)
        else "no nerve is segmented: which one to protect is not known",
    )


def agent_check(proposal: Proposal, embolic: str) -> Check:
    """Whether the rules allow the embolic that the plan is drawn up with; UNKNOWN until arteriography has shown it."""
    choice = next((item for item in proposal.agents if item.device == embolic), None)
    status = "to_confirm" if choice is None else choice.status
    verdicts = {"allowed": Verdict.PASS, "to_confirm": Verdict.UNKNOWN, "refused": Verdict.FAIL}
    stops = [] if choice is None else [reason for reason in choice.reasons if reason.strength == "STOP"]
    messages = {
        "allowed": "",
        "to_confirm": "anastomoses are not known: look for them at arteriography",
        "refused": f"refused by {', '.join(reason.rule for reason in stops)}",
    }
    return Check(
        name="embolic_agent",
        subject=embolic,
        value=None if status == "to_confirm" else float(status == "allowed"),
        limit=1.0,
        unit="count",
        verdict=verdicts[status],
        source=stops[0].source if stops else "R-h",
        message=messages[status],
    )


def no_nerve_near() -> Check:
    """PASS: nerves are segmented and none lies near the lesion."""
    bound = limit("perineural_mm")
    return Check(
        name="nerve_to_protect",
        value=0.0,
        limit=0.0,
        unit="count",
        verdict=Verdict.PASS,
        source=bound.source,
        message=f"no segmented nerve lies within {bound.value:g} mm of the lesion",
    )


def protection_text(nerve: str, distance_mm: float, *, heats: bool) -> Text:
    """What is done at a nerve before an ablation: fluid at 37 degC before ice, at 20 degC before heat (V32)."""
    name = structure_name(nerve)
    degC, before, before_fr = (20, "heating", "chauffage") if heats else (37, "freezing", "congélation")
    never = (" Never saline, which conducts.", " Jamais de sérum salé, qui conduit.") if heats else ("", "")
    return Text(
        en=f"At {name.said.en}, {distance_mm:.0f} mm from the lesion: thermocouple; 5 to 10 ml of 5 % dextrose "
        f"at {degC} °C as a test, then as much as a 10 mm layer needs; confirmed on CT before {before}.{never[0]}",
        fr=f"Au contact {name.of_fr}, à {distance_mm:.0f} mm de la lésion : thermocouple ; 5 à 10 ml de "
        f"glucosé 5 % à {degC} °C en test, puis le volume d'une lame de 10 mm ; contrôle scanner avant "
        f"{before_fr}.{never[1]}",
    )


def risk_checks(case: Case, placements: tuple[Placement, ...]) -> list[Check]:
    """T20: complication risk factors of cryoablation, as information."""
    probes = sum(isinstance(device(placement.device), Cryoprobe) for placement in placements)
    age = case.clinical.patient.age_years
    if not probes:
        return []
    rows: list[tuple[str, float | None, float, str, str]] = [
        ("risk_more_than_3_probes", float(probes), float(T20_PROBES), "count", "odds ratio 2.5 (all), 23.6 (major)"),
        ("risk_age_over_70", age, T20_AGE_YEARS, "years", "odds ratio 7.1 (major)"),
    ]
    return [
        Check(
            name=name,
            subject="complications of cryoablation",
            value=value,
            limit=bound,
            unit=unit,
            verdict=Verdict.UNKNOWN if value is None else Verdict.WARN if value > bound else Verdict.PASS,
            source="V38",
            message=f"information, not a stop: {ratio}",
        )
        for name, value, bound, unit, ratio in rows
    ]


def position_check(case: Case, position: str) -> Check:
    """Whether the patient tolerates the position; UNKNOWN when nobody said."""
    tolerated = case.clinical.patient.positions_tolerated
    return Check(
        name="position_tolerated",
        subject=position,
        value=None if tolerated is None else 1.0,
        limit=1.0,
        unit="count",
        verdict=Verdict.UNKNOWN if tolerated is None else Verdict.PASS,
        source=POSITION_SOURCE,
        message="nobody stated which positions the patient tolerates" if tolerated is None else "",
    )
