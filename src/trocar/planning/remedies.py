"""What to do where a structure gets too cold: each remedy simulated, and which of them opens the plan."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog.structures import structure_name
from trocar.model.case import Role
from trocar.model.forecast import AS_SEEN, TissueChange
from trocar.model.shield import Layer, Shield
from trocar.model.treatment import Remedy, Text
from trocar.planning.array import Probes, frame
from trocar.planning.obstacles import Obstacle
from trocar.planning.outlook import NERVES, SEARCH_SPACING_MM, Outlook, outlook
from trocar.planning.refine import Search, Seen

LAYER_MM = 10.0  # of fluid between ice and structure; design (clinical reference 5.4: 10 mm from the ice)
WARM_PACK_W_PER_M2K = 300.0  # thermal reference 4.4: 100 to 500
BACK_MM = 5.0
WEAK, SHORT_S = 0.5, 360.0
_WITH = Text(en="With", fr="Avec")
_OPENS = Text(en="opens the plan", fr="rend le plan possible")
_HOLDS_THERE = Text(en="would keep every limit there", fr="y respecterait toutes les limites")
_NOT_ENOUGH = Text(en="not enough", fr="insuffisant")
LAYERED = (Role.NERVE, Role.CORD, Role.BOWEL, Role.BLADDER, Role.URETER)


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    kind: str
    text: Text
    probes: Probes
    change: TissueChange = AS_SEEN


def remedies(search: Search, found: Seen) -> tuple[Remedy, ...]:
    """For the structure that is furthest below its limit: every remedy with its temperature and coverage.

    Empty without a prediction or without a crossed limit. A remedy `opens` the plan when no limit is crossed with it.
    """
    foresight = search.scout.foresight
    if foresight is None or found.outlook is None or not found.outlook.crossings:
        return ()
    worst = max(found.outlook.crossings, key=lambda each: each.limit_degC - each.minimum_degC)
    lesion = search.scout.around.lesion.name
    tries = list(_tries(search, found.probes, worst.structure, worst.role))
    steps = [each.probes.step(lesion) for each in (_Try("", Text(en="", fr=""), found.probes), *tries)]
    changes = [AS_SEEN, *(each.change for each in tries)]
    forecasts = foresight.forecasts(steps, spacing_mm=SEARCH_SPACING_MM, changes=changes)
    seen = [outlook(foresight.aim, forecast, spacing_mm=SEARCH_SPACING_MM) for forecast in forecasts]
    degC = [forecast.exposures.get(worst.structure, 37.0) for forecast in forecasts]
    rows = [
        _remedy(worst.structure, each, (seen[0], after), (degC[0], degC[n]), forecasts[n].volumes_ml)
        for n, (each, after) in enumerate(zip(tries, seen[1:], strict=True), start=1)
    ]
    if worst.role in NERVES:
        rows.append(_thermocouple(worst.structure, seen[0], degC[0]))
    return tuple(rows)


def _tries(search: Search, probes: Probes, structure: str, role: Role) -> Iterator[_Try]:
    around = search.scout.around
    if role in LAYERED:
        yield from _layers(probes, structure)
    if role is Role.SKIN:
        yield _Try(
            "warming",
            Text(en="a warm pack on the skin", fr="une compresse chaude sur la peau"),
            probes,
            TissueChange(shield=Shield(skin_W_per_m2K=WARM_PACK_W_PER_M2K)),
        )
    obstacle = next((item for item in around.obstacles if item.name == structure), None)
    nearest = _nearest(probes, obstacle)
    names = [item.name for item in probes.step("").placements]
    duties = tuple(duty * (WEAK if n == nearest else 1.0) for n, duty in enumerate(probes.duties))
    yield _Try(
        "lower_duty",
        Text(en=f"{names[nearest]} at half its duty", fr=f"{names[nearest]} à demi-débit"),
        replace(probes, duties=duties),
    )
    if probes.protocol.freeze_s > SHORT_S:
        yield _Try(
            "shorter_freeze",
            Text(en=f"two freezes of {SHORT_S / 60:.0f} min", fr=f"deux congélations de {SHORT_S / 60:.0f} min"),
            replace(probes, protocol=replace(probes.protocol, freeze_s=SHORT_S)),
        )
    yield from _away(search, probes, obstacle, nearest, names[nearest])
    if probes.count > 1 and nearest in probes.free:
        yield _Try(
            "partial_coverage",
            Text(en=f"without {names[nearest]}", fr=f"sans {names[nearest]}"),
            probes.without(nearest),
        )


def _layers(probes: Probes, structure: str) -> Iterator[_Try]:
    name = structure_name(structure)
    for kind, fluid, en, fr in (
        ("hydrodissection", "water", "5 % dextrose at 37 °C", "de glucosé 5 % à 37 °C"),
        ("carbon_dioxide", "gas", "carbon dioxide", "de CO2"),
    ):
        yield _Try(
            kind,
            Text(
                en=f"a layer of {LAYER_MM:.0f} mm of {en} around {name.said.en}",
                fr=f"une lame de {LAYER_MM:.0f} mm {fr} autour {name.of_fr}",
            ),
            probes,
            TissueChange(shield=Shield(layers=(Layer(structure=structure, fluid=fluid, thickness_mm=LAYER_MM),))),
        )


def _away(search: Search, probes: Probes, obstacle: Obstacle | None, nearest: int, name: str) -> Iterator[_Try]:
    """The nearest probe moved away from the structure, along or across its axis, where that is allowed."""
    if obstacle is None or nearest not in probes.free:
        return
    tip = np.asarray(probes.paths[nearest].end_lps_mm)
    ways = [sign * way for way in frame(search.scout.around, probes.paths[nearest]) for sign in (1.0, -1.0)]
    moved = search.admit.moved(probes, [{nearest: tip + BACK_MM * way} for way in ways])
    if not moved:
        return
    best = max(moved, key=lambda each: round(obstacle.clearance_mm(each.paths[nearest], 0.0), 3))
    yield _Try(
        "probe_moved",
        Text(en=f"{name} moved away by {BACK_MM:.0f} mm", fr=f"{name} écartée de {BACK_MM:.0f} mm"),
        best,
    )


def _nearest(probes: Probes, obstacle: Obstacle | None) -> int:
    if obstacle is None:
        return 0
    return min(range(probes.count), key=lambda n: round(obstacle.clearance_mm(probes.paths[n], 0.0), 3))


def _remedy(
    structure: str,
    tried: _Try,
    seen: tuple[Outlook, Outlook],
    degC: tuple[float, float],
    volumes_ml: dict[str, float],
) -> Remedy:
    before, after = seen
    volume = volumes_ml.get(structure)
    return Remedy(
        kind=tried.kind,
        structure=structure,
        text=tried.text,
        simulated=True,
        before_degC=round(degC[0], 1),
        after_degC=round(degC[1], 1),
        lethal_before_frac=round(before.lethal_frac, 3),
        lethal_after_frac=round(after.lethal_frac, 3),
        opens=not after.crossings,
        volume_ml=None if volume is None else round(volume, 1),
        layer_mm=LAYER_MM if tried.change.shield.layers else None,
    )


def _thermocouple(structure: str, seen: Outlook, degC: float) -> Remedy:
    return Remedy(
        kind="thermocouple",
        structure=structure,
        text=Text(
            en="a thermocouple beside it: measures, does not protect",
            fr="un thermocouple à son contact : mesure, ne protège pas",
        ),
        simulated=False,
        before_degC=round(degC, 1),
        after_degC=None,
        lethal_before_frac=round(seen.lethal_frac, 3),
        lethal_after_frac=None,
        opens=None,
    )


def remedy_texts(found: tuple[Remedy, ...], *, refused: bool = False) -> tuple[Text, ...]:
    """One sentence for each simulated remedy; of the plan, or of a placement that was refused for what it crosses."""
    return tuple(_sentence(each, refused=refused) for each in found if each.simulated)


def _sentence(each: Remedy, *, refused: bool) -> Text:
    name = structure_name(each.structure).said
    volume = f" ({each.volume_ml:.0f} ml at most)" if each.volume_ml is not None else ""
    volume_fr = f" ({each.volume_ml:.0f} ml au plus)" if each.volume_ml is not None else ""
    at = Text(en="At the refused placement, with", fr="À la position refusée, avec") if refused else _WITH
    holds = _HOLDS_THERE if refused else _OPENS
    verdict = holds if each.opens else _NOT_ENOUGH
    before, after = _degrees(each.before_degC), _degrees(each.after_degC or 0.0)
    shares = 100 * each.lethal_before_frac, 100 * (each.lethal_after_frac or 0.0)
    return Text(
        en=f"{at.en} {each.text.en}{volume}: {name.en} at {after} instead of {before} °C, "
        f"lesion {shares[1]:.0f} % lethal instead of {shares[0]:.0f} %: {verdict.en}.",
        fr=f"{at.fr} {each.text.fr}{volume_fr} : {name.fr} à {after} au lieu de {before} °C, "
        f"lésion létale à {shares[1]:.0f} % au lieu de {shares[0]:.0f} % : {verdict.fr}.",
    )


def _degrees(degC: float) -> str:
    """Whole degrees, with a minus sign that is none of a hyphen."""
    return f"{round(degC):d}".replace("-", "\u2212")
