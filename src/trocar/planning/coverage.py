"""Cryoprobes for a whole lesion: how many, where, and why not one fewer."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import limit
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array
from trocar.model.treatment import Predictor, Rejection, Step, Text
from trocar.planning.access import Instrument, instrument, rejections
from trocar.planning.bundles import Placed, approaches, candidates, place, scored_points
from trocar.planning.freezing import Outlook, Protocol, freezing_step, lethal_degC, outlook, worth
from trocar.planning.layout import Bundle
from trocar.planning.surroundings import Surroundings

LARGE_MM = 30.0  # from here on the thicker needle; design
DIAMETER_PER_PROBE_MM = {True: 15.0, False: 10.0}  # large needle or not; V43 says 10 for a thin one
MOST_PROBES = 8
PREDICTED_PER_COUNT = 2
MOVES_PREDICTED = 8
MOVES_SCORED = 64
GAIN_FOR_ONE_MORE_FRAC = 0.03  # fewer probes are preferred below this gain; design


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A layout and what is known of its coverage; `seen` is None without a predictor."""

    placed: Placed
    seen: Outlook | None

    @property
    def value(self) -> float:
        """What layouts are ranked by: predicted where there is a predictor."""
        return self.placed.score if self.seen is None else worth(self.seen)

    @property
    def fractions(self) -> tuple[float, float]:
        """(lethal, visible) shares."""
        if self.seen is None:
            return self.placed.lethal_frac, self.placed.visible_frac
        return self.seen.lethal_frac, self.seen.visible_frac

    @property
    def sufficient(self) -> bool:
        """Whether it reaches the coverage asked for."""
        lethal, visible = self.fractions
        return (
            lethal >= limit("coverage_lethal_palliative_frac").value and visible >= limit("coverage_visible_frac").value
        )


@dataclass(frozen=True, slots=True, eq=False)
class Ablation:
    """A planned ablation: its step (None when nothing can be placed), what was refused and what was compared."""

    step: Step | None
    rejected: tuple[Rejection, ...] = ()
    alternatives: tuple[Text, ...] = ()


Evaluate = Callable[[Placed], Choice]


def cover(
    around: Surroundings,
    up: Array,
    *,
    intent: str,
    predictor: Predictor | None,
    perfusion_scale: float,
    protocol: Protocol = Protocol(),
) -> Ablation:
    """Probes that cover a lesion, the number chosen against one fewer by predicted coverage.

    The predictor, where there is one, is asked a fixed number of times, so that the same case gives the same plan.
    """
    tool, expected = chosen_probe(around)
    paths, directions = approaches(around, tool, up)
    refused = tuple(rejections(around, paths, tool, up, what=tool.what))
    if not directions:
        return Ablation(None, refused)
    evaluate = _evaluator(around, tool, intent, predictor, perfusion_scale, protocol)
    choices = [
        found
        for count in sorted({max(1, expected - 1), expected})
        if (found := _best(around, tool, up, paths.outward[directions], count, evaluate)) is not None
    ]
    if not choices:
        return Ablation(None, refused)
    compared = _comparison(choices, first := _fewest(choices))
    chosen = _improve(around, tool, up, first, evaluate, MOVES_PREDICTED if predictor else MOVES_SCORED)
    step = freezing_step(around.lesion.name, tool, chosen.placed.paths, protocol)
    step = replace(step, checks=_coverage_checks(chosen, around.lesion.name, intent))
    return Ablation(step, refused, compared)


def chosen_probe(around: Surroundings) -> tuple[Instrument, int]:
    """The needle for a lesion's size and the number that its mean diameter asks for."""
    extents = around.lesion_frame[2]
    large = bool(extents.max() >= LARGE_MM)
    device_id = "cryoprobe-14g-iceforce" if large else "cryoprobe-17g-icesphere"
    count = round(float(np.prod(extents)) ** (1 / 3) / DIAMETER_PER_PROBE_MM[large])
    return instrument(device_id, "probe", what="cryoprobe"), int(np.clip(count, 1, MOST_PROBES))


def _evaluator(
    around: Surroundings,
    tool: Instrument,
    intent: str,
    predictor: Predictor | None,
    perfusion_scale: float,
    protocol: Protocol,
) -> Evaluate:
    points = scored_points(around)

    def evaluate(placed: Placed) -> Choice:
        if predictor is None:
            return Choice(placed, None)
        step = freezing_step(around.lesion.name, tool, placed.paths, protocol)
        return Choice(
            placed,
            outlook(
                around.case,
                points,
                step,
                predictor,
                lethal_degC=lethal_degC(intent),
                perfusion_scale=perfusion_scale,
            ),
        )

    return evaluate


def _best(
    around: Surroundings,
    tool: Instrument,
    up: Array,
    outwards: Array,
    count: int,
    evaluate: Evaluate,
) -> Choice | None:
    ranked = candidates(around, tool, up, outwards, count, beyond_mm=(limit("probe_beyond_margin_mm").value, 0.0))
    exact = _first_exact(around, tool, up, ranked, PREDICTED_PER_COUNT)
    return max((evaluate(placed) for placed in exact), key=lambda choice: choice.value, default=None)


def _first_exact(around: Surroundings, tool: Instrument, up: Array, ranked: list[Placed], count: int) -> list[Placed]:
    """The best-scored layouts that pass the exact check, no two along the same direction."""
    found: dict[tuple[float, float, float], Placed] = {}
    for placed in ranked[:60]:
        if placed.bundle.outward in found:
            continue
        exact = place(around, tool, up, placed.bundle)
        if exact is not None:
            found[placed.bundle.outward] = exact
        if len(found) == count:
            break
    return list(found.values())


def _improve(
    around: Surroundings, tool: Instrument, up: Array, best: Choice, evaluate: Evaluate, budget: int
) -> Choice:
    """Pattern search over shift, depth, spacing and turn; `budget` evaluations in all."""
    scale = 1.0
    while budget > 0 and scale > 0.3:
        better = None
        for bundle in _moves(best.placed.bundle, scale):
            if budget <= 0:
                break
            placed = place(around, tool, up, bundle)
            if placed is None:
                continue
            budget -= 1
            choice = evaluate(placed)
            if choice.value > best.value + 1e-6:
                better = choice
                break
        if better is None:
            scale /= 2
        else:
            best = better
    return best


def _moves(bundle: Bundle, scale: float) -> list[Bundle]:
    low, high = limit("probe_spacing_min_mm").value, limit("probe_spacing_max_mm").value
    x, y = bundle.shift_mm
    step = 5.0 * scale
    moves = [bundle.moved(beyond_mm=beyond) for beyond in (bundle.beyond_mm - step, bundle.beyond_mm + step)]
    moves = [move for move in moves if -0.01 <= move.beyond_mm <= 10.0]
    moves += [bundle.moved(shift_mm=shift) for shift in ((x - step, y), (x + step, y), (x, y - step), (x, y + step))]
    spacings = (bundle.spacing_mm - 3.0 * scale, bundle.spacing_mm + 3.0 * scale)
    moves += [bundle.moved(spacing_mm=value) for value in spacings if low <= value <= high and bundle.count > 1]
    turns = (bundle.turn_deg - 12.0 * scale, bundle.turn_deg + 12.0 * scale)
    moves += [bundle.moved(turn_deg=turn) for turn in turns if bundle.count > 1]
    return moves


def _fewest(choices: list[Choice]) -> Choice:
    """The fewest probes that suffice; when none does, one more only if it gains enough."""
    for choice in choices:
        if choice.sufficient and (choice.seen is None or choice.seen.admissible):
            return choice
    best = choices[0]
    for choice in choices[1:]:
        if choice.value > best.value + GAIN_FOR_ONE_MORE_FRAC:
            best = choice
    return best


def _coverage_checks(choice: Choice, lesion: str, intent: str) -> tuple[Check, ...]:
    lethal, visible = choice.fractions
    measured = "predicted at 3 mm" if choice.seen else "geometric score, not a temperature"
    rows = [
        (f"coverage_planned_{lethal_degC(intent):.0f}_degC", lethal, limit("coverage_lethal_palliative_frac")),
        ("coverage_planned_0_degC", visible, limit("coverage_visible_frac")),
    ]
    return tuple(
        Check(
            name=name,
            subject=lesion,
            value=round(value, 4),
            limit=bound.value,
            unit="1",
            verdict=Verdict.PASS if value >= bound.value else Verdict.WARN,
            source=bound.source,
            message=measured,
        )
        for name, value, bound in rows
    )


def _comparison(choices: list[Choice], chosen: Choice) -> tuple[Text, ...]:
    if len(choices) < 2:
        return ()
    by = ("predicted at 3 mm", "prédit à 3 mm") if chosen.seen else ("geometric score", "score géométrique")
    figures = [(choice.placed.bundle.count, *choice.fractions) for choice in choices]
    en = "; ".join(f"{n} probes: {100 * lethal:.0f} % lethal, {100 * seen:.0f} % in ice" for n, lethal, seen in figures)
    fr = "; ".join(f"{n} sondes : {100 * lethal:.0f} % létal, {100 * seen:.0f} % gelé" for n, lethal, seen in figures)
    count = chosen.placed.bundle.count
    return (
        Text(
            en=f"Number of probes compared ({by[0]}): {en}. {count} chosen.",
            fr=f"Nombre de sondes comparé ({by[1]}) : {fr}. {count} retenues.",
        ),
    )
