"""The first call of a fresh process, with compiled kernels kept and without; beside the peers' first calls."""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from measure import Solved, solve
from page import Goal, Result
from questions import ONE
from rows import DOLFINX_HINT, Solver, meshed, python_of

WANTED_S = 1.0
REPEATS = 3


def run(*, quick: bool, folder: Path) -> Result:
    """Each in processes of its own."""
    del folder
    with tempfile.TemporaryDirectory() as kernels:
        empty = {"NUMBA_CACHE_DIR": kernels}
        first = solve("engine", "first_call", {}, runs=2, environment=empty)
        kept = [solve("engine", "first_call", {}, runs=2, environment=empty) for _ in range(1 if quick else REPEATS)]
    cached = min(kept, key=lambda each: each.whole_s)
    rows = [_row("trocar, kernels kept", cached), _row("trocar, the very first (kernels compiled)", first)]
    notes = [
        "'First call' is the imports and the first solution of a small problem (trocar: 27^3 cells, a short needle, a "
        "minute; peers: one octant at their coarsest, a minute); 'process' from its start to its end, with a second "
        "solution, whose time is 'again'.",
        "dolfinx keeps compiled forms as trocar keeps kernels: its row is with forms kept once it has run before.",
    ]
    asked = replace(ONE, half_box_m=36e-3, phases=((60.0, True),))
    for program in ("scikit-fem", "FiPy") if quick else ("scikit-fem", "FiPy", "dolfinx"):
        solver = meshed(program, 8.0, 20.0)
        interpreter = python_of(solver.module)
        if interpreter is None:
            notes.append(f"{program}: not installed ({DOLFINX_HINT}).")
            continue
        rows.append(_row(program, _peer(solver, asdict(asked), interpreter)))
    return Result(
        name="start",
        title="The first call",
        task="A fresh process each time; the best of several with compiled kernels kept, one without (an empty cache).",
        rows=rows,
        goals=[
            Goal(name="first call, kernels kept", measured=rows[0]["first call s"], wanted=WANTED_S, unit="s"),
            Goal(name="whole process, kernels kept", measured=rows[0]["process s"], wanted=WANTED_S, unit="s"),
        ],
        notes=notes,
    )


def _peer(solver: Solver, question: dict[str, Any], interpreter: str) -> Solved:
    return solve(solver.module, "needles", {"question": question, **solver.arguments}, runs=2, interpreter=interpreter)


def _row(name: str, solved: Solved) -> dict[str, Any]:
    return {
        "solver": name,
        "imports s": solved.import_s,
        "first solution s": solved.first_s,
        "first call s": solved.import_s + solved.first_s,
        "again s": solved.wall_s,
        "process s": solved.whole_s,
        "peak MB": solved.peak_MB,
    }
