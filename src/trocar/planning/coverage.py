"""Cryoprobes for a whole lesion: how many, where, and why not one fewer."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import limit
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import AfterEmbolization, Predictor
from trocar.model.space import Array
from trocar.model.treatment import Placement, Rejection, Remedy, Step, Text
from trocar.planning.access import Instrument, instrument, rejections
from trocar.planning.array import Admission, Probes
from trocar.planning.bundles import Placed, approaches, candidates, place, scored_points
from trocar.planning.choices import ways_in
from trocar.planning.freezing import Protocol, lethal_degC, lethal_share_key
from trocar.planning.leftover import leftover
from trocar.planning.outlook import Aim, Foresight
from trocar.planning.refine import BOUNDED, GAIN_FOR_ONE_MORE_FRAC, MOST_PROBES, Effort, Scout, Search, Seen
from trocar.planning.remedies import remedies, remedy_texts
from trocar.planning.robust import robust_checks
from trocar.planning.steady import steadiest
from trocar.planning.surroundings import Surroundings

LARGE_MM = 30.0  # from here on the thicker needle; design
DIAMETER_PER_PROBE_MM = {True: 15.0, False: 10.0}  # large needle or not; V43 says 10 for a thin one
SCREENED = 4  # layouts of each number of probes that are predicted before the search
WORTH_A_SEARCH = 0.2  # a number of probes this far behind the best is not searched on; moves gain up to 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Ablation:
    """A planned ablation: its step (None when nothing can be placed), what was refused, compared and proposed."""

    step: Step | None
    rejected: tuple[Rejection, ...] = ()
    alternatives: tuple[Text, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def cover(
    around: Surroundings,
    up: Array,
    *,
    intent: str,
    predictor: Predictor | None,
    embolized: AfterEmbolization,
    protocol: Protocol = Protocol(),
    effort: Effort = BOUNDED,
    samples: int = 0,
    inside: tuple[Placement, ...] = (),
) -> Ablation:
    """Probes that cover a lesion: the best layouts by geometry, then a search with a prediction of every candidate.

    The number is the fewest that no other number beats by more than a tolerance. `samples` placements and tissues,
    drawn at random, choose among layouts nearly as good, and say how robust the choice is. `inside` is what the body
    holds already: it is kept clear of, and conducts.
    """
    tool, expected = chosen_probe(around)
    paths, directions = approaches(around, tool, up)
    refused = tuple(rejections(around, paths, tool, up, what=tool.what))
    if not directions:
        return Ablation(None, refused)
    search = search_for(around, tool, up, intent, predictor, embolized, effort, inside)
    screened = {
        count: seen
        for count in sorted({max(1, expected - 1), expected})
        if (seen := _screened(search, up, paths.outward[directions], count, protocol))
    }
    if not screened:
        return Ablation(None, refused)
    chosen, compared = _chosen(search, screened)
    begun = screened.get(chosen.probes.count, screened[max(screened)])
    compared += ways_in(around, paths, directions, begun)
    steady, told = steadiest(search, chosen, samples=samples)
    found = search.verified(steady)
    return ablation(search, found, refused, (*compared, *told), samples=samples)


def search_for(
    around: Surroundings,
    tool: Instrument,
    up: Array,
    intent: str,
    predictor: Predictor | None,
    embolized: AfterEmbolization,
    effort: Effort,
    inside: tuple[Placement, ...] = (),
    *,
    aim: Aim | None = None,
) -> Search:
    """A search over probes of one kind around one lesion, clear of what is in the body already.

    `aim` is the intent's where it is known already.
    """
    foresight = None
    if predictor is not None:
        screws = tuple(item for item in inside if item.role == "screw")
        foresight = Foresight(aim or Aim.of(around, intent), predictor, embolized, screws)
    scout = Scout(around, scored_points(around), intent, foresight)
    return Search(scout, Admission(around, tool, up, inside=inside), effort)


def ablation(
    search: Search, found: Seen, refused: tuple[Rejection, ...], compared: tuple[Text, ...], *, samples: int = 0
) -> Ablation:
    """The step of the chosen probes with its checks, what each probe brings, and remedies where a limit is crossed."""
    lesion = search.scout.around.lesion.name
    step = found.probes.step(lesion)
    checks = coverage_checks(found, lesion, search.scout.intent)
    if samples and search.scout.foresight is not None:
        checks += robust_checks(search.scout.foresight, step, samples=samples)
    proposed = remedies(search, found)
    drops = _drop_text(search.drops(found), found) if search.scout.foresight is not None else ()
    texts = (*compared, *drops, *remedy_texts(proposed))
    notes = leftover(search.scout.around, found.outlook) if found.outlook is not None else ()
    return Ablation(replace(step, checks=checks, notes=notes), refused, texts, proposed)


def chosen_probe(around: Surroundings) -> tuple[Instrument, int]:
    """The needle for a lesion's size and the number that its mean diameter asks for."""
    extents = around.lesion_frame[2]
    large = bool(extents.max() >= LARGE_MM)
    device_id = "cryoprobe-14g-iceforce" if large else "cryoprobe-17g-icesphere"
    count = round(float(np.prod(extents)) ** (1 / 3) / DIAMETER_PER_PROBE_MM[large])
    return instrument(device_id, "probe", what="cryoprobe"), int(np.clip(count, 1, MOST_PROBES))


def _screened(search: Search, up: Array, outwards: Array, count: int, protocol: Protocol) -> list[Seen]:
    """The best layouts of a number of probes by geometry, seen, the best first."""
    around, tool = search.scout.around, search.admit.tool
    ranked = candidates(around, tool, up, outwards, count, beyond_mm=(limit("probe_beyond_margin_mm").value, 0.0))
    exact = _first_exact(search.admit, ranked, SCREENED)
    seen = search.scout.see([Probes.fresh(tool, placed.paths, protocol) for placed in exact])
    return sorted(seen, key=lambda each: -each.value)


def _first_exact(admit: Admission, ranked: list[Placed], count: int) -> list[Placed]:
    """The best-scored layouts that pass the exact check, no two along the same direction."""
    found: dict[tuple[float, float, float], Placed] = {}
    for placed in ranked[:60]:
        if placed.bundle.outward in found:
            continue
        exact = place(admit.around, admit.tool, admit.up, placed.bundle)
        if exact is not None and all(map(admit.apart, exact.paths)):
            found[placed.bundle.outward] = exact
        if len(found) == count:
            break
    return list(found.values())


def _chosen(search: Search, screened: dict[int, list[Seen]]) -> tuple[Seen, tuple[Text, ...]]:
    """The search's best for each number of probes, and of those the fewest that nothing beats by much."""
    leading = max(seen[0].value for seen in screened.values())
    budget = search.effort.predictions
    choices = []
    for count, seen in sorted(screened.items()):
        ahead = seen[0].value >= leading - WORTH_A_SEARCH
        share = budget if count == max(screened) else budget // 2
        choices.append(search.best(seen[0], budget=share) if ahead else seen[0])
    chosen = _fewest(choices)
    if not chosen.sufficient and (more := search.one_more(chosen)) is not None:
        chosen = more
        choices.append(more)
    return chosen, _comparison(choices, chosen)


def _fewest(choices: list[Seen]) -> Seen:
    best = max(choice.value for choice in choices)
    return next(choice for choice in choices if choice.value >= best - GAIN_FOR_ONE_MORE_FRAC)


def coverage_checks(found: Seen, lesion: str, intent: str) -> tuple[Check, ...]:
    """The shares of a lesion that probes should freeze, against those asked for."""
    lethal, visible = found.fractions
    rows = [
        (f"coverage_planned_{lethal_degC(intent):.0f}_degC", lethal, lethal_share_key(intent)),
        ("coverage_planned_0_degC", visible, "coverage_visible_frac"),
    ]
    seen = found.outlook
    if seen is not None and intent == "curative":
        rows.append(("margin_planned", seen.shell_frac, "coverage_curative_frac"))
    elif seen is not None and seen.border_frac is not None:
        rows.append(("bone_border_planned", seen.border_frac, "coverage_lethal_palliative_frac"))
    measured = measured_how(found)
    return tuple(share_check(name, lesion, value, key, measured) for name, value, key in rows)


def measured_how(found: Seen) -> str:
    """Where a figure comes from, in words."""
    return f"predicted at {found.outlook.spacing_mm:g} mm" if found.outlook else "geometric score, not a temperature"


def share_check(name: str, subject: str, value: float, key: str, message: str) -> Check:
    """A share against the limit of the catalog; below it a warning."""
    bound = limit(key)
    return Check(
        name=name,
        subject=subject,
        value=round(value, 4),
        limit=bound.value,
        unit="1",
        verdict=Verdict.PASS if value >= bound.value else Verdict.WARN,
        source=bound.source,
        message=message,
    )


def _comparison(choices: list[Seen], chosen: Seen) -> tuple[Text, ...]:
    if len(choices) < 2:
        return ()
    by = ("predicted at 3 mm", "prédit à 3 mm") if chosen.outlook else ("geometric score", "score géométrique")
    figures = [(choice.probes.count, *(100 * share for share in choice.fractions)) for choice in choices]
    en = "; ".join(f"{n} probes: {lethal:.0f} % lethal, {seen:.0f} % in ice" for n, lethal, seen in figures)
    fr = " ; ".join(f"{n} sondes : {lethal:.0f} % létal, {seen:.0f} % gelé" for n, lethal, seen in figures)
    count = chosen.probes.count
    return (
        Text(
            en=f"Number of probes compared ({by[0]}): {en}. {count} chosen.",
            fr=f"Nombre de sondes comparé ({by[1]}) : {fr}. {count} retenues.",
        ),
    )


def _drop_text(drops: list[Seen], found: Seen) -> tuple[Text, ...]:
    """What is lost without each probe, at the spacing of the search."""
    if not drops:
        return ()
    names = [item.name for item in found.probes.step("").placements]
    rows = [
        (names[number], *(100 * share for share in seen.fractions))
        for number, seen in zip(found.probes.free, drops, strict=True)
    ]
    en = "; ".join(f"without {name} {lethal:.0f} % lethal, {seen:.0f} % in ice" for name, lethal, seen in rows)
    fr = " ; ".join(f"sans {name} {lethal:.0f} % létal, {seen:.0f} % gelé" for name, lethal, seen in rows)
    return (
        Text(en=f"If one probe is dropped (predicted at 3 mm): {en}.", fr=f"Sans une sonde (prédit à 3 mm) : {fr}."),
    )
