"""Cryoprobes placed by a search with the simulation in the loop, beside a parallel grid of 12 mm placed by rule."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from page import Goal, Result

from trocar import phantoms
from trocar.catalog import limit
from trocar.model.forecast import NOT_EMBOLIZED
from trocar.model.space import as_vector
from trocar.planning.array import Probes
from trocar.planning.bundles import approaches, place
from trocar.planning.canal import with_canal
from trocar.planning.coverage import chosen_probe, cover, search_for
from trocar.planning.layout import Bundle
from trocar.planning.outlook import VERIFY_SPACING_MM
from trocar.planning.position import positions, upward
from trocar.planning.refine import BOUNDED, FULL, Effort, Search
from trocar.planning.surroundings import Surroundings, surroundings
from trocar.simulation.preview import predict

GRID_MM = 12.0
WANTED_S = 20.0
INTENT = "palliative"
PEERS = (
    "Published times of other planners, on their own machines and problems (thermal reference 7): bubble packing and "
    "force-field analogies seconds to minutes, with a goal of a full plan under 1 min; heuristic radiofrequency "
    "planning under 3 min with 100 % coverage. None simulates every candidate in the tissue of a CT."
)


def run(*, quick: bool, folder: Path) -> Result:
    """Times and coverage on case A1."""
    case = with_canal(phantoms.ilium(spacing_mm=(3.0, 3.0, 3.0)) if quick else phantoms.ilium())
    started = time.perf_counter()
    around = surroundings(case, case.structure("lesion_1"))
    around_s = time.perf_counter() - started
    up = upward(positions(case, around.lesion)[0], around)
    predict(case, (_warm_up(around, up),), spacing_mm=3.0)  # compiles, and nothing else
    efforts = {"search": Effort(predictions=4, batch=4)} if quick else {"search": BOUNDED, "search, full": FULL}
    rows, found = [], None
    for name, effort in efforts.items():
        made, wall_s, cpu_s = _timed(around, up, effort)
        rows.append(_row(around, up, name, made, wall_s, cpu_s))
        found = found or made
    assert found is not None
    by_rule = _grid_by_rule(around, up, found.count)
    if by_rule is not None:
        rows.append(_row(around, up, f"{GRID_MM:g} mm grid by rule", by_rule, None, None))
    gained = rows[0]["lethal frac"] - rows[-1]["lethal frac"]
    return Result(
        name="probes",
        title="Cryoprobes for case A1",
        task="The lytic lesion of the synthetic left iliac wing, 78 x 55 x 48 mm, palliative: which probes, how many "
        "and where, over two freezes of 10 minutes. Every candidate of the search is simulated at 3 mm, "
        "the last at 2 mm. The grid by rule: as many parallel probes as the search chose, 12 mm apart in a square "
        "pattern across the lesion, tips 5 mm beyond its far edge, along the cheapest way in that takes them all. All "
        "rows are predicted at 2 mm.",
        rows=rows,
        goals=[
            Goal(name="probes planned", measured=rows[0]["wall s"], wanted=WANTED_S, unit="s"),
            Goal(name="lethal share beyond the grid's", measured=gained, wanted=0.0, unit="frac", at_least=True),
        ],
        limit=["Nearly all of the time is the predictions', as many at a time as there are processors."],
        notes=[
            f"The lesion's surroundings, which every instrument of a plan shares, took {around_s:.1f} s before that.",
            PEERS,
        ],
        figures={"surroundings_s": around_s, "rows": rows},
    )


def _search(around: Surroundings, up: np.ndarray, effort: Effort = BOUNDED) -> Search:
    return search_for(around, chosen_probe(around)[0], up, INTENT, predict, NOT_EMBOLIZED, effort)


def _warm_up(around: Surroundings, up: np.ndarray) -> Any:
    tool, _ = chosen_probe(around)
    paths, directions = approaches(around, tool, up)
    return Probes.fresh(tool, (paths.segment(directions[0]),)).step(around.lesion.name)


def _timed(around: Surroundings, up: np.ndarray, effort: Effort) -> tuple[Probes, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = cover(around, up, intent=INTENT, predictor=predict, embolized=NOT_EMBOLIZED, effort=effort)
    assert made.step is not None
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    tool, _ = chosen_probe(around)
    probes = Probes.fresh(tool, tuple(item.axis for item in made.step.placements))
    freeze = made.step.protocol[0]
    duties = tuple(freeze.setting_of(item.name) or 1.0 for item in made.step.placements)
    return replace(probes, duties=duties), wall_s, cpu_s


def _grid_by_rule(around: Surroundings, up: np.ndarray, count: int) -> Probes | None:
    """As many probes as there are places for on the grid, along the first way in that takes them."""
    tool, _ = chosen_probe(around)
    paths, directions = approaches(around, tool, up)
    pattern = {1: "single", 2: "row", 3: "row", 4: "rectangle"}.get(count, "hexagonal")
    for index in directions:
        bundle = Bundle(
            outward=as_vector(paths.outward[index]),
            pattern=pattern,
            count=count,
            spacing_mm=GRID_MM,
            stretch_frac=1.0,
            turn_deg=0.0,
            beyond_mm=limit("probe_beyond_margin_mm").value,
        )
        placed = place(around, tool, up, bundle)
        if placed is not None:
            return Probes.fresh(tool, placed.paths)
    return None


def _row(
    around: Surroundings, up: np.ndarray, name: str, probes: Probes, wall_s: float | None, cpu_s: float | None
) -> dict[str, Any]:
    (seen,) = _search(around, up).scout.see([probes], spacing_mm=VERIFY_SPACING_MM)
    assert seen.outlook is not None
    return {
        "plan": name,
        "probes": probes.count,
        "lethal frac": seen.outlook.lethal_frac,
        "in ice frac": seen.outlook.visible_frac,
        "bone border lethal frac": seen.outlook.border_frac,
        "wall s": wall_s,
        "CPU s": cpu_s,
    }
