"""The whole pelvic ring of case A1 under walking: how long the strength command's one linear solution takes."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measure import Solved, solve
from page import Goal, Result

from trocar import phantoms
from trocar.assessment.solving import TOLERANCE, Tally, elastic_system, held_nodes, modulus_of
from trocar.assessment.specimen import Specimen
from trocar.assessment.supports import load_on_nodes
from trocar.assessment.yielding import Treated
from trocar.catalog.mechanics import mechanics
from trocar.materials.density import tissue_scale
from trocar.model.treatment import Plan
from trocar.physics.elastic import Load

WANTED_S = 5.0  # at 1 mm
TIGHT = 1e-6
LOAD = "walking"


def run(*, quick: bool, folder: Path) -> Result:
    """At 2 and 1 mm, to the command's residual and to a tight one."""
    del folder
    spacings = (6.0,) if quick else (2.0, 1.0)
    found = {h: solve("ring", "solved", {"spacing_mm": h}, runs=1 if quick else 2) for h in spacings}
    rows = [_row(h, each, tolerance) for h, each in found.items() for tolerance in (TOLERANCE, TIGHT)]
    finest = found[spacings[-1]].answer
    return Result(
        name="ring",
        title="The pelvic ring of case A1, walking",
        task="Both hip bones and the sacrum with elastic joints, from the planning CT by one density law, untreated; "
        "the loads of walking. Times are of the system and one solution; labels, joints and moduli are made before.",
        rows=rows,
        goals=[Goal(name=f"system and solution at {spacings[-1]:g} mm, residual {TOLERANCE:g}",
                    measured=finest["system_s"] + finest[f"wall_{TOLERANCE:g}"], wanted=WANTED_S, unit="s")],
        limit=["On 2 mm iterations: the next lattice averages the symphysis away. A sweep's limit is in elastic.md."],
        notes=[
            f"Made before: {finest['before_s']:.1f} s at {spacings[-1]:g} mm.",
            f"`trocar strength` solves to {TOLERANCE:g}, every state by every law and load.",
            "Peers solve the field of elastic.md.",
        ],
    )  # fmt: skip


def _row(spacing_mm: float, found: Solved, tolerance: float) -> dict[str, Any]:
    answer, key = found.answer, f"{tolerance:g}"
    return {
        "spacing mm": spacing_mm, "M unknowns": answer["unknowns"] / 1e6, "residual asked": tolerance,
        "system s": answer["system_s"], "wall s": answer[f"wall_{key}"], "CPU s": answer[f"cpu_{key}"],
        "iterations": answer[f"iterations_{key}"], "largest mm": answer[f"largest_mm_{key}"], "peak MB": found.peak_MB,
    }  # fmt: skip


@cache
def _problem(spacing_mm: float) -> tuple[Any, Any, Any, Any, float]:
    """The bench, MPa of the ring, its held nodes, the force on each, and the seconds that this took."""
    case = phantoms.ilium() if spacing_mm < 4 else phantoms.ilium(spacing_mm=(4.0, 4.0, 4.0))
    started = time.perf_counter()
    specimen = Specimen.of(case, Plan(lesion="lesion_1", steps=()), spacing_mm=spacing_mm, ring=True)
    _, native = specimen.middle(tissue_scale(case), Tally())
    bench, state = specimen.bench(native), Treated(name="before")
    (load,) = (each for each in mechanics().loads_of("ring") if each.id == LOAD)
    modulus, metal = modulus_of(bench, native, specimen.lesion, state)
    held = held_nodes(bench, load, metal)
    force = np.where(held, 0.0, load_on_nodes(bench, load, specimen.taken([load])[0]))
    return bench, modulus, held, force, time.perf_counter() - started


def prepare(spacing_mm: float) -> None:
    """What is not timed."""
    _problem(spacing_mm)


def solved(spacing_mm: float) -> dict[str, Any]:
    """The system made, and solved to both residuals."""
    bench, modulus, held, force, before_s = _problem(spacing_mm)
    wall = time.perf_counter()
    system = elastic_system(bench, modulus, held)
    answer: dict[str, Any] = {
        "unknowns": 3 * system.rows.node_count, "before_s": before_s, "system_s": time.perf_counter() - wall,
    }  # fmt: skip
    stored = system.dense(np.ones(3 * system.rows.node_count)) > 0
    load = Load(force_N=np.where(stored, force, 0.0))
    for tolerance in (TOLERANCE, TIGHT):
        wall, cpu = time.perf_counter(), time.process_time()
        found = system.solve_one(load, tolerance=tolerance)
        answer |= {
            f"wall_{tolerance:g}": time.perf_counter() - wall, f"cpu_{tolerance:g}": time.process_time() - cpu,
            f"iterations_{tolerance:g}": found.iterations,
            f"largest_mm_{tolerance:g}": 1e3 * float(np.abs(found.u_m).max()),
        }  # fmt: skip
    return answer
