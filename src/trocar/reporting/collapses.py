"""What is said of a bone loaded until it gives way: a heading, one row per state, and what that rests on."""

from collections.abc import Iterator, Mapping

from trocar.model.collapse import Collapse, CollapsedState
from trocar.reporting import strengths
from trocar.reporting.language import Language
from trocar.reporting.words import structure_name, word

MATERIALS = {
    "bone": "bone",
    "cement": "cement",
    "screw": "screw",
    "interface": "bond of cement and bone",
    "thread": "hold of a thread",
}
SHOWN_FROM_FRAC = 0.005  # of the energy of breaking: less is rounded away


def heading(found: Collapse, language: Language) -> str:
    """Which lesion, bone and load, and by which model."""
    bone = structure_name(found.bone, language)
    if found.site == "ring":
        bone = language("{bone} (whole pelvic ring)", bone=bone)
    return language(
        "{lesion} in {bone}, {load} at {weight}, voxels of {spacing}, density law {law} (catalog {version})",
        lesion=structure_name(found.lesion, language),
        bone=bone,
        load=word(strengths.LOADS, found.load, language),
        weight=language.number(found.weight_kg, "kg"),
        spacing=language.number(found.spacing_mm, "mm"),
        law=found.law,
        version=found.catalog_version,
    )


def table(found: Collapse, language: Language) -> Iterator[tuple[str, ...]]:
    """The head, then a row per state; loads in multiples of the load case."""
    yield (
        language("state"),
        language("holds"),
        language("against before treatment"),
        language("yields from"),
        language("fails, in order"),
        language("energy of breaking"),
        language("first falls by a tenth from"),
    )
    for state in found.states:
        failed = (f"{name} {_times(load, language)}" for name, load in _named(dict(state.failed_at_frac), language))
        lost = (
            f"{name} {language.number(part, 'frac')}"
            for name, part in _named(state.lost_frac, language)
            if part >= SHOWN_FROM_FRAC
        )
        yield (
            word(strengths.STATES, state.state, language),
            _holds(state, language),
            _against_before(state, found, language),
            _times(state.first_frac, language),
            ", ".join(failed) or language("nothing"),
            ", ".join(lost),
            language("never") if state.breaks_frac is None else _times(state.breaks_frac, language),
        )


def reserves(found: Collapse, language: Language) -> Iterator[str]:
    """How the figures may be read."""
    yield language("Multiples of the load; not validated for any site: compare states, not absolute values.")
    for caveat in found.caveats:
        yield word(strengths.CAVEATS, caveat, language)


def _named(values: Mapping[str, float], language: Language) -> Iterator[tuple[str, float]]:
    return ((word(MATERIALS, name, language), value) for name, value in values.items())


def _times(value: float, language: Language) -> str:
    return language.number(value, "", digits=2)


def _against_before(state: CollapsedState, found: Collapse, language: Language) -> str:
    """The ratio, a bound where one of its loads is one; and whether it is within what is not resolved."""
    ratio, away = _times(state.against_before_frac, language), abs(state.against_before_frac - 1)
    before = found.states[0]
    if state is not before and not (state.passed or before.passed):
        return language("unknown, both still rise")
    if before.passed and not state.passed:
        ratio = language("at least {ratio}", ratio=ratio)
    if state.passed and not before.passed:
        ratio = language("at most {ratio}", ratio=ratio)
    if found.resolved_frac is None or not 0 < away < found.resolved_frac:
        return ratio
    return language("{ratio}, not told apart", ratio=ratio)


def _holds(state: CollapsedState, language: Language) -> str:
    """The strength, or that it is only a lower bound."""
    strength = _times(state.strength_frac, language)
    return strength if state.passed else language("more than {strength}", strength=strength)
