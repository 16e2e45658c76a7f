"""What a simulated freezing step is compared with."""

from collections.abc import Callable, Iterator, Mapping

from trocar.catalog import Limit, limit
from trocar.catalog.tolerances import COLD_LIMIT_OF_ROLE
from trocar.model.case import Case, Role
from trocar.model.finding import Check, Exposure, State, Verdict, Zone
from trocar.model.segmented import OTHER_NERVES, is_segmented, knows_nerves
from trocar.simulation.exposure import NEAR_MM

ICE_DISTANCE = {Role.SKIN: ("ice_skin_distance", "ice_skin_mm"), Role.JOINT: ("ice_joint_distance", "joint_ice_mm")}
UNSEGMENTED = {  # whose absence from the case leaves a question open
    Role.NERVE: "nerves not segmented",
    Role.SKIN: "skin not segmented",
    Role.BOWEL: "bowel not segmented",
}


def freezing_checks(case: Case, state: State) -> tuple[Check, ...]:
    """Every check of a freezing step, on its last state."""
    return (*_structures(case, state), *_coverage(case, state))


def _structures(case: Case, state: State) -> Iterator[Check]:
    for exposure in state.structures:
        if exposure.role in COLD_LIMIT_OF_ROLE:
            yield _temperature(exposure)
        if exposure.role in ICE_DISTANCE:
            yield _distance(exposure)
    yield from absent_checks(case, state, COLD_LIMIT_OF_ROLE, _name)


def absent_checks(
    case: Case, state: State, limit_of_role: Mapping[Role, str], name: Callable[[Role], str]
) -> Iterator[Check]:
    """Of the roles that are always asked for: those that nobody has drawn, UNKNOWN, and those out of reach."""
    near = {exposure.role for exposure in state.structures}
    for role, message in UNSEGMENTED.items():
        why = "" if is_segmented(case, role) else message
        if not why and role is Role.NERVE and not knows_nerves(case, state.lesion):
            why = OTHER_NERVES
        if not why and role in near:
            continue
        bound = limit(limit_of_role[role])
        yield Check(
            name=name(role), value=None if why else 37.0, limit=bound.value, unit="degC",
            verdict=Verdict.UNKNOWN if why else Verdict.PASS, source=bound.source,
            message=why or f"none within {NEAR_MM:g} mm of a probe",
        )  # fmt: skip


def _name(role: Role) -> str:
    return f"{role.value}_minimum_temperature"


def _temperature(exposure: Exposure) -> Check:
    bound = limit(COLD_LIMIT_OF_ROLE[exposure.role])
    verdict, shown = Verdict.PASS, bound
    if exposure.minimum_degC < bound.value:
        verdict = Verdict.FAIL
    elif exposure.role in (Role.NERVE, Role.CORD) and exposure.minimum_degC < limit("nerve_warn_min_degC").value:
        verdict, shown = Verdict.WARN, limit("nerve_warn_min_degC")
    crossed = exposure.first_crossing_s
    return Check(
        name=_name(exposure.role),
        subject=exposure.name,
        value=exposure.minimum_degC,
        limit=shown.value,
        unit="degC",
        verdict=verdict,
        source=shown.source,
        message="" if crossed is None else f"{bound.value:g} degC is crossed at {crossed / 60:.1f} min",
    )


def _distance(exposure: Exposure) -> Check:
    name, key = ICE_DISTANCE[exposure.role]
    bound = limit(key)
    distance = exposure.distance_to_ice_mm
    close = distance is not None and distance < bound.value
    return Check(
        name=name,
        subject=exposure.name,
        value=distance,
        limit=bound.value,
        unit="mm",
        verdict=Verdict.WARN if close else Verdict.PASS,
        source=bound.source,
        message="no ice" if distance is None else "",
    )


def _coverage(case: Case, state: State) -> Iterator[Check]:
    """Coverage by intent: of the visible ice, and of the zone counted as lethal."""
    intent = case.clinical.oncology.intent
    yield _share("visible_ice_coverage", state, "0_degC", limit("coverage_visible_frac"), Verdict.WARN)
    if intent is None:
        yield Check(
            name="lethal_coverage", subject=state.lesion, value=None, limit=None, unit="1", verdict=Verdict.UNKNOWN,
            source="design", message="the intent, curative or palliative, is unknown",
        )  # fmt: skip
    elif "curative" in intent:
        level = limit("lethal_curative_degC").value
        bound = limit("coverage_curative_frac")
        yield _share("lethal_coverage", state, f"{level:.0f}_degC", bound, Verdict.FAIL)
        yield _margin(state, state.zones["0_degC"])
    else:
        level = limit("lethal_palliative_degC").value
        bound = limit("coverage_lethal_palliative_frac")
        yield _share("lethal_coverage", state, f"{level:.0f}_degC", bound, Verdict.WARN)


def _share(name: str, state: State, zone: str, bound: Limit, otherwise: Verdict) -> Check:
    covered = state.zones[zone].coverage_frac.lesion
    return Check(
        name=name,
        subject=state.lesion,
        value=covered,
        limit=bound.value,
        unit="1",
        verdict=Verdict.PASS if covered >= bound.value else otherwise,
        source=bound.source,
        message=f"share of the lesion colder than {zone.replace('_', ' ')}",
    )


def _margin(state: State, zone: Zone) -> Check:
    bound = limit("margin_curative_min_mm")
    margin = zone.minimal_margin_mm
    enough = margin is not None and margin >= bound.value
    return Check(
        name="minimal_ice_margin",
        subject=state.lesion,
        value=margin,
        limit=bound.value,
        unit="mm",
        verdict=Verdict.PASS if enough else Verdict.FAIL,
        source=bound.source,
        message="" if margin is not None else "no ice",
    )
