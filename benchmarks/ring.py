"""The whole pelvic ring of case A1 under walking: how long one linear solution takes, and how long a collapse."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measure import Solved, solve
from page import Goal, Result

from trocar import phantoms
from trocar.assessment.collapse import MARCH
from trocar.assessment.loading import loaded
from trocar.assessment.solving import TOLERANCE, Tally, elastic_system, held_nodes, modulus_of
from trocar.assessment.specimen import Specimen
from trocar.assessment.supports import Bench, load_on_nodes
from trocar.assessment.yielding import Treated
from trocar.catalog.mechanics import LoadCase, mechanics
from trocar.materials.density import tissue_scale
from trocar.materials.limits import cement_bond
from trocar.model.treatment import Plan
from trocar.physics.elastic import Load

WANTED_S, WANTED_BROKEN_S = 5.0, 60.0  # at 1 mm
TIGHT = 1e-6
LOAD = "walking"


def run(*, quick: bool, folder: Path) -> Result:
    """At 2 and 1 mm, to the command's residual and to a tight one."""
    del folder
    spacings = (3.0,) if quick else (2.0, 1.0)
    found = {h: solve("ring", "solved", {"spacing_mm": h}, runs=1 if quick else 2) for h in spacings}
    broken = {h: solve("ring", "broken", {"spacing_mm": h}) for h in spacings}
    rows = [_row(h, each, tolerance) for h, each in found.items() for tolerance in (TOLERANCE, TIGHT)]
    rows += [_broken_row(h, each, found[h].answer["unknowns"]) for h, each in broken.items()]
    finest = found[spacings[-1]].answer
    return Result(
        name="ring",
        title="The pelvic ring of case A1, walking",
        task="Both hip bones and the sacrum with elastic joints, from the planning CT by one density law, untreated; "
        "the loads of walking. Times are of the system and one solution; where no residual is asked, of the system and "
        "of loading until it gives way. Labels, joints and moduli are made before.",
        rows=rows,
        goals=[Goal(name=f"system and solution at {spacings[-1]:g} mm, residual {TOLERANCE:g}",
                    measured=finest["system_s"] + finest[f"wall_{TOLERANCE:g}"], wanted=WANTED_S, unit="s"),
               Goal(name=f"loaded until it gives way at {spacings[-1]:g} mm",
                    measured=broken[spacings[-1]].answer["wall"], wanted=WANTED_BROKEN_S, unit="s")],
        limit=["On 2 mm iterations: the next lattice averages the symphysis away. A sweep's limit is in elastic.md."],
        notes=[
            f"Made before: {finest['before_s']:.1f} s at {spacings[-1]:g} mm.",
            "Held, as a multiple of the load: "
            + ", ".join(f"{each.answer['held']:.2f} at {h:g} mm" for h, each in broken.items()) + ".",
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


def _broken_row(spacing_mm: float, found: Solved, unknowns: int) -> dict[str, Any]:
    answer = found.answer
    return {
        "spacing mm": spacing_mm, "M unknowns": unknowns / 1e6, "residual asked": None,
        "system s": None, "wall s": answer["wall"], "CPU s": answer["cpu"],
        "iterations": answer["iterations"], "largest mm": None, "peak MB": found.peak_MB,
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The untreated ring on its lattice under a load, and the seconds that this took."""

    specimen: Specimen
    bench: Bench
    native: tuple[Any, Any, Any]
    load: LoadCase
    weight_kg: float
    seconds: float


STATE = Treated(name="before")


@cache
def _problem(spacing_mm: float) -> Problem:
    case = phantoms.ilium() if spacing_mm < 3 else phantoms.ilium(spacing_mm=(4.0, 4.0, 4.0))
    started = time.perf_counter()
    specimen = Specimen.of(case, Plan(lesion="lesion_1", steps=()), spacing_mm=spacing_mm, ring=True)
    _, native = specimen.middle(tissue_scale(case), Tally())
    (load,) = (each for each in mechanics().loads_of("ring") if each.id == LOAD)
    return Problem(
        specimen=specimen, bench=specimen.bench(native), native=native, load=load,
        weight_kg=specimen.taken([load])[0], seconds=time.perf_counter() - started,
    )  # fmt: skip


def prepare(spacing_mm: float) -> None:
    """What is not timed."""
    _problem(spacing_mm)


def solved(spacing_mm: float) -> dict[str, Any]:
    """The system made, and solved to both residuals."""
    problem = _problem(spacing_mm)
    bench = problem.bench
    modulus, metal = modulus_of(bench, problem.native, problem.specimen.lesion, STATE)
    held = held_nodes(bench, problem.load, metal)
    force = np.where(held, 0.0, load_on_nodes(bench, problem.load, problem.weight_kg))
    wall = time.perf_counter()
    system = elastic_system(bench, modulus, held)
    answer: dict[str, Any] = {
        "unknowns": 3 * system.rows.node_count, "before_s": problem.seconds, "system_s": time.perf_counter() - wall,
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


def broken(spacing_mm: float) -> dict[str, Any]:
    """Loaded until it gives way, as the collapse command does."""
    problem = _problem(spacing_mm)
    wall, cpu = time.perf_counter(), time.process_time()
    course = loaded(
        problem.bench, problem.native, problem.specimen.lesion, STATE, problem.load,
        weight_kg=problem.weight_kg, bond=cement_bond(), thread_frac=None, march=MARCH,
    ).course  # fmt: skip
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "held": course.peak_load, "iterations": course.iterations}
