"""One probe beside a root that must survive: as much of the lesion as the root's temperature allows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import limit
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Segment
from trocar.model.treatment import Predictor, Rejection, Text
from trocar.planning.access import Instrument, Paths, clear, instrument, rejections, trace
from trocar.planning.bundles import scored_points
from trocar.planning.coverage import Ablation
from trocar.planning.directions import perpendicular, sphere
from trocar.planning.freezing import Outlook, Protocol, freezing_step, lethal_degC, outlook, worth
from trocar.planning.icescore import coverage_scores
from trocar.planning.obstacles import Obstacle
from trocar.planning.surroundings import Surroundings

DEVICE = "cryoprobe-17g-icesphere"
TIPS_TRIED = 70
DIRECTIONS = 700
PREDICTED = 6
APART_MM = 5.0
SHIFT_MM = 4.0
SHIFTS_PREDICTED = 10
GENTLER = (
    Protocol(),
    Protocol(freeze_s=480.0),
    Protocol(freeze_s=360.0),
    Protocol(freeze_s=360.0, setting=0.7),
    Protocol(freeze_s=240.0, setting=0.7),
    Protocol(freeze_s=180.0, setting=0.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One path and protocol with its geometric shares and, with a predictor, its outlook."""

    path: Segment
    protocol: Protocol
    lethal_frac: float
    visible_frac: float
    seen: Outlook | None
    root_mm: float

    @property
    def safe(self) -> bool:
        """Whether every structure stays as warm as wanted, as far as that was predicted."""
        return self.seen is None or self.seen.admissible

    @property
    def value(self) -> float:
        """Predicted worth, else the geometric one."""
        return self.lethal_frac + 0.5 * self.visible_frac if self.seen is None else worth(self.seen)


def spare(
    around: Surroundings,
    up: Array,
    nerve: Obstacle,
    *,
    intent: str,
    predictor: Predictor | None,
    perfusion_scale: float,
) -> Ablation:
    """One IceSphere-class probe away from a nerve; shifted, then gentler, until the nerve stays warm enough."""
    tool = instrument(DEVICE, "probe", what="cryoprobe")
    ranked, refused = _ranked(around, tool, up, nerve)
    if not ranked:
        return Ablation(None, refused)
    if predictor is None:
        chosen, tried = ranked[0], 1
    else:
        chosen, tried = _warm_enough(
            around, tool, up, nerve, ranked, _asker(around, tool, intent, predictor, perfusion_scale)
        )
    step = freezing_step(around.lesion.name, tool, (chosen.path,), chosen.protocol)
    step = replace(step, checks=_checks(chosen, around.lesion.name, nerve, intent), notes=_notes(chosen, nerve))
    return Ablation(step, refused, _alternatives(ranked, chosen, tried))


def _ranked(
    around: Surroundings, tool: Instrument, up: Array, nerve: Obstacle
) -> tuple[list[Trial], tuple[Rejection, ...]]:
    points = scored_points(around)
    tips = scored_points(around, TIPS_TRIED)
    ways = sphere(DIRECTIONS)
    paths = trace(around, np.repeat(tips, len(ways), axis=0), np.tile(ways, (len(tips), 1)), tool, up)
    refused = tuple(rejections(around, paths, tool, up, what=tool.what))
    rows = np.flatnonzero(paths.admissible & (_root_mm(paths, tool, nerve) >= limit("probe_root_clearance_mm").value))
    if not len(rows):
        return [], refused
    lethal, visible = _scores(points, paths, rows, tool)
    order = np.argsort(-(lethal + 0.5 * visible - 0.02 * paths.cost[rows]), kind="stable")
    taken: list[Trial] = []
    for at in order:
        path = paths.segment(int(rows[at]))
        near = any(_apart_mm(path, other.path) < APART_MM for other in taken)
        root = nerve.clearance_mm(path, tool.radius_mm)
        if near or root < limit("probe_root_clearance_mm").value or not clear(around.obstacles, path, tool):
            continue
        taken.append(Trial(path, GENTLER[0], float(lethal[at]), float(visible[at]), None, root))
        if len(taken) == PREDICTED:
            break
    return taken, refused


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


Ask = Callable[[Trial, Protocol], Trial]


def _asker(around: Surroundings, tool: Instrument, intent: str, predictor: Predictor, perfusion_scale: float) -> Ask:
    points = scored_points(around)

    def ask(trial: Trial, protocol: Protocol) -> Trial:
        step = freezing_step(around.lesion.name, tool, (trial.path,), protocol)
        seen = outlook(
            around.case, points, step, predictor, lethal_degC=lethal_degC(intent), perfusion_scale=perfusion_scale
        )
        return replace(trial, protocol=protocol, seen=seen)

    return ask


def _warm_enough(
    around: Surroundings, tool: Instrument, up: Array, nerve: Obstacle, ranked: list[Trial], ask: Ask
) -> tuple[Trial, int]:
    """The best safe trial under the strongest protocol that has one, else the least unsafe; and how many were asked."""
    tried, seen = 0, []
    for protocol in GENTLER:
        trials = [ask(trial, protocol) for trial in ranked]
        tried += len(trials)
        safe = [trial for trial in trials if trial.safe]
        if safe:
            best, more = _shifted(around, tool, up, nerve, max(safe, key=lambda trial: trial.value), ask)
            return best, tried + more
        ranked = sorted(trials, key=_coldness)[:2]
        seen += trials
    return min(seen, key=_coldness), tried


def _shifted(
    around: Surroundings, tool: Instrument, up: Array, nerve: Obstacle, best: Trial, ask: Ask
) -> tuple[Trial, int]:
    """The trial moved as a whole, along and across its axis, while that covers more and stays safe."""
    asked = 0
    for reach_mm in (SHIFT_MM, SHIFT_MM / 2):
        axis = best.path.direction
        across = perpendicular(axis, np.array([0.0, 0.0, 1.0]), around.side_x)
        for way in (axis, -axis, across[0], -across[0], across[1], -across[1]):
            if asked == SHIFTS_PREDICTED:
                return best, asked
            moved = _at(around, tool, up, nerve, best, np.asarray(best.path.end_lps_mm) + reach_mm * way)
            if moved is None:
                continue
            asked += 1
            trial = ask(moved, best.protocol)
            if trial.safe and trial.value > best.value:
                best = trial
    return best, asked


def _at(around: Surroundings, tool: Instrument, up: Array, nerve: Obstacle, trial: Trial, tip: Array) -> Trial | None:
    """The same direction from another tip, when that is admissible and clear of the root."""
    outward = -trial.path.direction[None]
    paths = trace(around, tip[None], outward, tool, up)
    if not paths.admissible[0]:
        return None
    path = paths.segment(0)
    root = nerve.clearance_mm(path, tool.radius_mm)
    if root < limit("probe_root_clearance_mm").value or not clear(around.obstacles, path, tool):
        return None
    lethal, visible = coverage_scores(scored_points(around), tip[None], outward[0], tool.device)
    return Trial(path, trial.protocol, float(lethal), float(visible), None, root)


def _coldness(trial: Trial) -> float:
    assert trial.seen is not None
    return trial.seen.excess_degC - 0.01 * (trial.seen.nerve_degC or 37.0)


def _checks(chosen: Trial, lesion: str, nerve: Obstacle, intent: str) -> tuple[Check, ...]:
    near = limit("probe_root_clearance_mm")
    rows = [
        Check(
            name="probe_root_clearance",
            subject=nerve.name,
            value=round(chosen.root_mm, 2),
            limit=near.value,
            unit="mm",
            verdict=Verdict.PASS if chosen.root_mm >= near.value else Verdict.FAIL,
            source=near.source,
        ),
        _temperature_check(chosen, nerve),
    ]
    seen = chosen.seen
    visible, lethal = (seen.visible_frac, seen.lethal_frac) if seen else (chosen.visible_frac, chosen.lethal_frac)
    how = "predicted at 3 mm" if seen else "geometric score, not a temperature"
    for name, value, key in (
        (f"coverage_planned_{lethal_degC(intent):.0f}_degC", lethal, "coverage_lethal_palliative_frac"),
        ("coverage_planned_0_degC", visible, "coverage_visible_frac"),
    ):
        bound = limit(key)
        rows.append(
            Check(
                name=name,
                subject=lesion,
                value=round(value, 4),
                limit=bound.value,
                unit="1",
                verdict=Verdict.PASS if value >= bound.value else Verdict.WARN,
                source=bound.source,
                message=f"{how}; partial by choice: the probe is kept off {nerve.name}",
            )
        )
    return tuple(rows)


def _temperature_check(chosen: Trial, nerve: Obstacle) -> Check:
    hard, warn = limit("nerve_min_degC"), limit("nerve_warn_min_degC")
    value = chosen.seen.nerve_degC if chosen.seen else None
    if value is None:
        verdict, message = Verdict.UNKNOWN, "no prediction was made while planning"
    else:
        verdict = Verdict.FAIL if value < hard.value else Verdict.WARN if value < warn.value else Verdict.PASS
        message = "predicted at 3 mm"
    return Check(
        name="nerve_minimum_temperature_planned",
        subject=chosen.seen.coldest_nerve if chosen.seen and chosen.seen.coldest_nerve else nerve.name,
        value=None if value is None else round(value, 1),
        limit=hard.value,
        unit="degC",
        verdict=verdict,
        source=hard.source,
        message=message,
    )


def _notes(chosen: Trial, nerve: Obstacle) -> tuple[Text, ...]:
    name = nerve.name.replace("_", " ")
    return (
        Text(
            en=f"Partial coverage by choice: the part next to {name} stays outside the lethal zone.",
            fr=f"Couverture partielle voulue : la partie proche de {name} reste hors de la zone létale.",
        ),
        Text(
            en=f"Duty {100 * chosen.protocol.setting:.0f} %, two freezes of {chosen.protocol.freeze_s / 60:.0f} min.",
            fr=f"Débit {100 * chosen.protocol.setting:.0f} %, deux congélations de "
            f"{chosen.protocol.freeze_s / 60:.0f} min.",
        ),
    )


def _alternatives(ranked: list[Trial], chosen: Trial, tried: int) -> tuple[Text, ...]:
    full = max(ranked, key=lambda trial: trial.visible_frac)
    if chosen.seen is None:
        return (
            Text(
                en=f"{len(ranked)} placements kept their distance to the nerve; chosen by a geometric score.",
                fr=f"{len(ranked)} positions à distance du nerf ; choix par un score géométrique.",
            ),
        )
    temperature = "unknown" if chosen.seen.nerve_degC is None else f"{chosen.seen.nerve_degC:.0f} °C"
    inconnu = "inconnue" if chosen.seen.nerve_degC is None else temperature
    share = 100 * chosen.seen.visible_frac
    return (
        Text(
            en=f"{tried} predictions of {len(ranked)} placements: {share:.0f} % in ice, nerve at {temperature}; "
            f"the largest geometric coverage was {100 * full.visible_frac:.0f} %.",
            fr=f"{tried} prédictions de {len(ranked)} positions : {share:.0f} % gelés, nerf à {inconnu} ; "
            f"la plus grande couverture géométrique était de {100 * full.visible_frac:.0f} %.",
        ),
    )
