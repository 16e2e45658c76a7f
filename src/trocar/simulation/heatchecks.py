"""What a simulated heating step is compared with."""

from collections.abc import Iterator

from trocar.catalog import limit
from trocar.catalog.tolerances import HOT_LIMIT_OF_ROLE
from trocar.model.case import Case, Role
from trocar.model.finding import Check, Exposure, State, Verdict, Zone
from trocar.physics.dose import HeatDose
from trocar.simulation.checks import absent_checks
from trocar.simulation.exposure import Watched
from trocar.simulation.hotzones import OMEGA_1

NERVES = (Role.NERVE, Role.CORD)


def heating_checks(case: Case, state: State, watched: tuple[Watched, ...], dose: HeatDose) -> tuple[Check, ...]:
    """Every check of a heating step, on its last state."""
    return (*_structures(case, state), *_skin_burns(watched, dose), *_coverage(case, state))


def _structures(case: Case, state: State) -> Iterator[Check]:
    for exposure in state.structures:
        if exposure.role in HOT_LIMIT_OF_ROLE:
            yield _temperature(exposure)
    yield from absent_checks(case, state, HOT_LIMIT_OF_ROLE, _name)


def _name(role: Role) -> str:
    return f"{role.value}_maximum_temperature"


def _temperature(exposure: Exposure) -> Check:
    bound = limit(HOT_LIMIT_OF_ROLE[exposure.role])
    verdict, shown = Verdict.PASS, bound
    if exposure.maximum_degC > bound.value:
        verdict = Verdict.FAIL
    elif exposure.role in NERVES and exposure.maximum_degC > limit("nerve_warn_max_degC").value:
        verdict, shown = Verdict.WARN, limit("nerve_warn_max_degC")
    crossed = exposure.first_hot_crossing_s
    return Check(
        name=_name(exposure.role), subject=exposure.name, value=exposure.maximum_degC, limit=shown.value, unit="degC",
        verdict=verdict, source=shown.source,
        message="" if crossed is None else f"{bound.value:g} degC is crossed at {crossed / 60:.1f} min",
    )  # fmt: skip


def _skin_burns(watched: tuple[Watched, ...], dose: HeatDose) -> Iterator[Check]:
    """The skin's own Arrhenius damage, where it is worst."""
    bound = limit("skin_burn_omega")
    for each in watched:
        if each.role is Role.SKIN:
            worst = float((dose.omega_skin[each.corners] * each.weights).sum(axis=1).max())
            yield Check(
                name="skin_burn", subject=each.name, value=round(worst, 4), limit=bound.value, unit="1",
                verdict=Verdict.FAIL if worst >= bound.value else Verdict.PASS, source=bound.source,
                message="Arrhenius damage of the skin",
            )  # fmt: skip


def _coverage(case: Case, state: State) -> Iterator[Check]:
    """Coverage by intent of the zone counted as dead (Omega of 1), and its margin in a curative one."""
    intent, zone = case.clinical.oncology.intent, state.zones[OMEGA_1]
    if intent is None:
        yield Check(
            name="lethal_coverage", subject=state.lesion, value=None, limit=None, unit="1", verdict=Verdict.UNKNOWN,
            source="design", message="the intent, curative or palliative, is unknown",
        )  # fmt: skip
        return
    curative = "curative" in intent
    bound = limit("coverage_curative_frac" if curative else "coverage_lethal_palliative_frac")
    otherwise = Verdict.FAIL if curative else Verdict.WARN
    covered = zone.coverage_frac.lesion
    yield Check(
        name="lethal_coverage", subject=state.lesion, value=covered, limit=bound.value, unit="1",
        verdict=Verdict.PASS if covered >= bound.value else otherwise, source=bound.source,
        message="share of the lesion where Arrhenius damage has reached 1",
    )  # fmt: skip
    if curative:
        yield _margin(state, zone)


def _margin(state: State, zone: Zone) -> Check:
    bound, margin = limit("margin_curative_min_mm"), zone.minimal_margin_mm
    return Check(
        name="minimal_heat_margin", subject=state.lesion, value=margin, limit=bound.value, unit="mm",
        verdict=Verdict.PASS if margin is not None and margin >= bound.value else Verdict.FAIL, source=bound.source,
        message="" if margin is not None else "nothing was coagulated",
    )  # fmt: skip
