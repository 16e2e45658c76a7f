"""One probe beside a root that must survive: as much of the lesion as the root's temperature allows."""

from dataclasses import replace

import numpy as np

from trocar.catalog import limit
from trocar.catalog.structures import structure_name
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import AfterEmbolization, Predictor
from trocar.model.space import Array, Segment
from trocar.model.treatment import Placement, Rejection, Remedy, Text
from trocar.planning.access import Instrument, Paths, clear, instrument, rejections, trace
from trocar.planning.array import Admission, Extra, Probes
from trocar.planning.bundles import scored_points
from trocar.planning.coverage import Ablation, measured_how, search_for, share_check
from trocar.planning.directions import sphere
from trocar.planning.freezing import Protocol, lethal_degC
from trocar.planning.icescore import coverage_scores
from trocar.planning.leftover import leftover
from trocar.planning.obstacles import Obstacle
from trocar.planning.refine import BOUNDED, Effort, Search, Seen
from trocar.planning.remedies import remedies, remedy_texts
from trocar.planning.robust import robust_checks
from trocar.planning.surroundings import Surroundings

DEVICE = "cryoprobe-17g-icesphere"
KEPT_OFF = "probe_root_clearance"  # the check of a step whose probe is kept off a nerve, its subject
TIPS_TRIED = 70
DIRECTIONS = 700
PREDICTED = 6
APART_MM = 5.0
GENTLER = (
    Protocol(),
    Protocol(freeze_s=480.0),
    Protocol(freeze_s=360.0),
    Protocol(freeze_s=360.0, setting=0.7),
    Protocol(freeze_s=240.0, setting=0.7),
    Protocol(freeze_s=180.0, setting=0.5),
)


def spare(
    around: Surroundings,
    up: Array,
    nerve: Obstacle,
    *,
    intent: str,
    predictor: Predictor | None,
    embolized: AfterEmbolization,
    effort: Effort = BOUNDED,
    samples: int = 0,
    inside: tuple[Placement, ...] = (),
) -> Ablation:
    """One IceSphere-class probe away from a nerve; shifted, then gentler, until the nerve stays warm enough."""
    tool = instrument(DEVICE, "probe", what="cryoprobe")
    search = search_for(around, tool, up, intent, predictor, embolized, effort, inside)
    ranked, fullest, refused = _ranked(search.admit, nerve)
    if not ranked:
        return Ablation(None, refused)
    search = replace(search, admit=replace(search.admit, extra=lambda path: _root_clear(nerve, path, tool)))
    proposed: tuple[Remedy, ...] = ()
    if predictor is None:
        chosen = search.scout.see(ranked[:1])[0]
        texts = _by_guess(len(ranked))
    else:
        chosen = search.verified(_warm_enough(search, ranked))
        (full,) = search.scout.see(fullest)
        proposed = remedies(search, full)
        told = _by_prediction(sum(search.scout.asked.values()), len(ranked), chosen)
        texts = (*told, *_colder(full), *remedy_texts(proposed, refused=True))
    step = chosen.probes.step(around.lesion.name)
    checks = _checks(chosen, around.lesion.name, nerve, tool, intent)
    if samples and search.scout.foresight is not None:
        checks += robust_checks(search.scout.foresight, step, samples=samples)
    left = leftover(around, chosen.outlook) if chosen.outlook is not None else ()
    step = replace(step, checks=checks, notes=(*_notes(chosen, nerve), *left))
    return Ablation(step, refused, texts, proposed)


def _root_clear(nerve: Obstacle, path: Segment, tool: Instrument) -> bool:
    return nerve.clearance_mm(path, tool.radius_mm) >= limit("probe_root_clearance_mm").value


def _ranked(admit: Admission, nerve: Obstacle) -> tuple[list[Probes], list[Probes], tuple[Rejection, ...]]:
    """The placements that keep off the nerve, the best guess first; the best of all; why others were refused."""
    around, tool, up = admit.around, admit.tool, admit.up
    points = scored_points(around)
    tips = scored_points(around, TIPS_TRIED)
    ways = sphere(DIRECTIONS)
    paths = trace(around, np.repeat(tips, len(ways), axis=0), np.tile(ways, (len(tips), 1)), tool, up)
    refused = tuple(rejections(around, paths, tool, up, what=tool.what))
    rows = np.flatnonzero(paths.admissible)
    if not len(rows):
        return [], [], refused
    lethal, visible = _scores(points, paths, rows, tool)
    order = rows[np.argsort(-(lethal + 0.5 * visible - 0.02 * paths.cost[rows]), kind="stable")]
    off = order[_root_mm(paths, tool, nerve)[order] >= limit("probe_root_clearance_mm").value]
    away = _first(admit, paths, off, PREDICTED, lambda path: _root_clear(nerve, path, tool))
    return away, _first(admit, paths, order, 1, lambda path: True), refused


def _first(admit: Admission, paths: Paths, order: Array, count: int, allowed: Extra) -> list[Probes]:
    """The first paths in an order that differ from each other and pass the exact check."""
    taken: list[Segment] = []
    for row in order:
        path = paths.segment(int(row))
        near = any(_apart_mm(path, other) < APART_MM for other in taken)
        if near or not allowed(path) or not admit.apart(path) or not clear(admit.around.obstacles, path, admit.tool):
            continue
        taken.append(path)
        if len(taken) == count:
            break
    return [Probes.fresh(admit.tool, (path,)) for path in taken]


def _scores(points: Array, paths: Paths, rows: Array, tool: Instrument) -> tuple[Array, Array]:
    parts = [
        coverage_scores(points, paths.targets[part][:, None], paths.outward[part], tool.device)
        for part in np.array_split(rows, max(1, len(rows) // 2000))
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _apart_mm(first: Segment, second: Segment) -> float:
    tips = float(np.linalg.norm(np.subtract(first.end_lps_mm, second.end_lps_mm)))
    return max(tips, 30.0 * float(1.0 - first.direction @ second.direction))


def _root_mm(paths: Paths, tool: Instrument, nerve: Obstacle) -> Array:
    """(n,) least distance from each path's surface to the nerve, on its course's sampled points."""
    course = nerve.points_lps_mm[:: max(1, len(nerve.points_lps_mm) // 120)]
    least = np.full(len(paths.targets), np.inf)
    length = np.where(np.isfinite(paths.length_mm), paths.length_mm, 0.0)
    for point in course:
        offset = point - paths.targets
        along = np.clip(np.einsum("ij,ij->i", offset, paths.outward), 0.0, length)
        least = np.minimum(least, np.linalg.norm(offset - along[:, None] * paths.outward, axis=1))
    return least - nerve.shell_mm - tool.radius_mm


def _warm_enough(search: Search, ranked: list[Probes]) -> Seen:
    """The best safe trial under the strongest protocol that has one, refined, else the least unsafe."""
    seen: list[Seen] = []
    for protocol in GENTLER:
        trials = search.scout.see([replace(each, protocol=protocol) for each in ranked])
        seen += trials
        safe = [trial for trial in trials if trial.admissible]
        if safe:
            return search.best(max(safe, key=lambda trial: trial.value), budget=search.effort.predictions // 2)
        ranked = [trial.probes for trial in sorted(trials, key=_coldness)[:2]]
    return min(seen, key=_coldness)


def _coldness(trial: Seen) -> float:
    assert trial.outlook is not None
    return round(trial.outlook.excess_degC - 0.01 * (trial.outlook.nerve_degC or 37.0), 4)


def _checks(chosen: Seen, lesion: str, nerve: Obstacle, tool: Instrument, intent: str) -> tuple[Check, ...]:
    near = limit("probe_root_clearance_mm")
    root_mm = nerve.clearance_mm(chosen.probes.paths[0], tool.radius_mm)
    return (
        Check(
            name=KEPT_OFF,
            subject=nerve.name,
            value=round(root_mm, 2),
            limit=near.value,
            unit="mm",
            verdict=Verdict.PASS if root_mm >= near.value else Verdict.FAIL,
            source=near.source,
        ),
        temperature_check(chosen, nerve.name),
        *partial_checks(chosen, lesion, nerve.name, intent),
    )


def partial_checks(chosen: Seen, lesion: str, nerve: str, intent: str) -> tuple[Check, ...]:
    """How much of the lesion a probe covers that is kept off a nerve."""
    lethal, visible = chosen.fractions
    how = f"{measured_how(chosen)}; partial by choice: the probe is kept off {nerve}"
    name = f"coverage_planned_{lethal_degC(intent):.0f}_degC"
    return (
        share_check(name, lesion, lethal, "coverage_lethal_palliative_frac", how),
        share_check("coverage_planned_0_degC", lesion, visible, "coverage_visible_frac", how),
    )


def temperature_check(chosen: Seen, nerve: str) -> Check:
    """How cold the coldest nerve is predicted to get; `nerve` names it where none was."""
    hard, warn = limit("nerve_min_degC"), limit("nerve_warn_min_degC")
    seen = chosen.outlook
    value = seen.nerve_degC if seen else None
    if seen is None or value is None:
        verdict, message = Verdict.UNKNOWN, "no prediction was made while planning"
    else:
        verdict = Verdict.FAIL if value < hard.value else Verdict.WARN if value < warn.value else Verdict.PASS
        message = measured_how(chosen)
    return Check(
        name="nerve_minimum_temperature_planned",
        subject=seen.coldest_nerve if seen and seen.coldest_nerve else nerve,
        value=None if value is None else round(value, 1),
        limit=hard.value,
        unit="degC",
        verdict=verdict,
        source=hard.source,
        message=message,
    )


def _notes(chosen: Seen, nerve: Obstacle) -> tuple[Text, ...]:
    name = structure_name(nerve.name)
    duty = chosen.probes.protocol.setting * chosen.probes.duties[0]
    minutes = chosen.probes.protocol.freeze_s / 60
    return (
        Text(
            en=f"Partial coverage by choice: the part next to {name.said.en} stays outside the lethal zone.",
            fr=f"Couverture partielle voulue : la partie proche {name.of_fr} reste hors de la zone létale.",
        ),
        Text(
            en=f"Duty {100 * duty:.0f} %, two freezes of {minutes:.0f} min.",
            fr=f"Débit {100 * duty:.0f} %, deux congélations de {minutes:.0f} min.",
        ),
    )


def _by_guess(placements: int) -> tuple[Text, ...]:
    return (
        Text(
            en=f"{placements} placements kept their distance to the nerve; chosen by a geometric score.",
            fr=f"{placements} positions à distance du nerf ; choix par un score géométrique.",
        ),
    )


def _by_prediction(tried: int, placements: int, chosen: Seen) -> tuple[Text, ...]:
    degC = chosen.outlook.nerve_degC if chosen.outlook else None
    at = ("unknown", "inconnue") if degC is None else (f"{degC:.0f} °C",) * 2
    share = 100 * chosen.fractions[1]
    return (
        Text(
            en=f"{tried} predictions from {placements} placements: {share:.0f} % in ice, nerve at {at[0]}.",
            fr=f"{tried} prédictions depuis {placements} positions : {share:.0f} % gelés, nerf à {at[1]}.",
        ),
    )


def _colder(full: Seen) -> tuple[Text, ...]:
    """What the placement that covers most would do to what it freezes too."""
    seen = full.outlook
    if seen is None or not seen.crossings:
        return ()
    coldest = min(seen.crossings, key=lambda each: each.minimum_degC)
    name, lethal = structure_name(coldest.structure).said, 100 * seen.lethal_frac
    degC = f"{coldest.minimum_degC:.0f}"
    return (
        Text(
            en=f"Refused: a placement with {lethal:.0f} % lethal that takes {name.en} to {degC} °C.",
            fr=f"Refusé : une position à {lethal:.0f} % létal qui mène {name.fr} à {degC} °C.",
        ),
    )
