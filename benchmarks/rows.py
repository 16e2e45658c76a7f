"""The peers, how they are asked, and one row of a table for each solver."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from fronts import summary
from measure import Solved, memory_GB_per_s, solve, triads
from questions import Needles

SYSTEM_PYTHON = "/usr/bin/python3"
DOLFINX_HINT = "on Debian and Ubuntu, apt install python3-dolfinx"
FIGURES = ("mean error mm", "mean abs mm", "p95 mm", "max mm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Solver:
    """A program on one mesh: which function answers, with which arguments."""

    name: str
    module: str
    arguments: dict[str, Any]
    runs: int = 1
    symmetry: int = 8  # how often its mesh fits the box

    @property
    def ours(self) -> bool:
        return self.module == "engine"


def trocar(spacing_mm: float, *, runs: int, tilted: bool = False) -> Solver:
    """trocar on the whole box."""
    pose = "tilted, " if tilted else ""
    return Solver(
        name=f"trocar, {spacing_mm:g} mm, {pose}off the cells", module="engine", runs=runs, symmetry=1,
        arguments={"spacing_mm": spacing_mm, "tilted": tilted},
    )  # fmt: skip


def numpy_explicit(spacing_mm: float, *, runs: int = 1) -> Solver:
    """Plain numpy on the whole box."""
    return Solver(
        name=f"numpy explicit, {spacing_mm:g} mm, needles = cells", module="peers.explicit", runs=runs, symmetry=1,
        arguments={"spacing_mm": spacing_mm},
    )  # fmt: skip


def meshed(program: str, coarsest_mm: float, step_s: float, *, runs: int = 1, spaced: str = "fitted") -> Solver:
    """A peer on an octant, its mesh as in `octant_lines`."""
    module = {"scikit-fem": "scikit_fem", "FiPy": "fipy_volumes", "dolfinx": "dolfinx_heat"}[program]
    mesh = f"{coarsest_mm:g} mm, needles = nodes" if spaced == "equal" else f"{spaced}, to {coarsest_mm:g} mm"
    return Solver(
        name=f"{program}, octant, {mesh}, steps of {step_s:g} s", module=f"peers.{module}", runs=runs,
        arguments={"coarsest_mm": coarsest_mm, "step_s": step_s, "spaced": spaced},
    )  # fmt: skip


def ask(solver: Solver, function: str, arguments: dict[str, Any]) -> Solved | None:
    """The solver's answer; None when its program is not installed."""
    interpreter = python_of(solver.module)
    if interpreter is None:
        return None
    return solve(solver.module, function, arguments, runs=solver.runs, interpreter=interpreter)


@cache
def python_of(module: str) -> str | None:
    """The interpreter that has a peer's program: this one, or the system's for dolfinx; None when neither has it."""
    if not module.endswith("dolfinx_heat"):
        return sys.executable
    for interpreter in (sys.executable, SYSTEM_PYTHON):
        try:
            done = subprocess.run([interpreter, "-c", "import dolfinx"], capture_output=True, check=False, timeout=120)
        except OSError:
            continue
        if done.returncode == 0:
            return interpreter
    return None


def compared(
    solvers: Sequence[Solver], asked: Needles, error_of: Callable[[list[float]], Any], *, quick: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each solver on the same needles, and what else each said."""
    rows, said = [], {}
    for solver in solvers:
        solved = ask(solver, "needles", {"question": asdict(asked), **solver.arguments})
        if solved is None:
            rows.append(absent(solver))
            continue
        rows.append(row(solver.name, solved, quick=quick, symmetry=solver.symmetry) | summary(
            error_of(solved.answer["front_mm"])))  # fmt: skip
        said[solver.name] = asdict(solved)
    return rows, said


def row(name: str, solved: Solved, *, quick: bool, symmetry: int = 1) -> dict[str, Any]:
    """Time, work and memory of a solver; its errors are added by the caller."""
    answer = solved.answer
    updates = answer.get("updates", answer["cells"] * answer.get("steps", 1))
    return {
        "solver": name,
        "cells": answer["cells"],
        "steps": f"{answer['steps']} {answer['step_kind']}" if "steps" in answer else None,
        "wall s": solved.wall_s,
        "CPU s": solved.cpu_s,
        "wall s, whole box": solved.wall_s * symmetry,
        "M cell updates/s": updates / solved.wall_s / 1e6,
        "of memory bandwidth": answer["moved_GB"] / solved.wall_s / memory_GB_per_s(quick=quick),
        "peak MB": solved.peak_MB,
        "MB beyond imports": solved.peak_MB - solved.base_MB,
    }


def absent(solver: Solver) -> dict[str, Any]:
    """The row of a program that is not here."""
    blank = ("cells", "steps", "wall s", "CPU s", "wall s, whole box", "M cell updates/s", "of memory bandwidth")
    name = f"{solver.name}: not installed ({DOLFINX_HINT})"
    return {"solver": name, **dict.fromkeys((*blank, "peak MB", "MB beyond imports", *FIGURES))}


def ratios(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Each peer beside each of trocar's rows."""
    texts = []
    for mine in (row for row in rows if row["solver"].startswith("trocar")):
        for other in (row for row in rows if not row["solver"].startswith("trocar") and row["wall s"] is not None):
            texts.append(
                f"{other['solver']} / {mine['solver']}: {other['wall s'] / mine['wall s']:.3g} x the wall and "
                f"{other['CPU s'] / mine['CPU s']:.3g} x the CPU time as run "
                f"({other['wall s, whole box'] / mine['wall s']:.3g} x the wall for the whole box), "
                f"{other['MB beyond imports'] / max(1.0, mine['MB beyond imports']):.2g} x the memory; mean absolute "
                f"error {other['mean abs mm']:.2f} beside {mine['mean abs mm']:.2f} mm."
            )
    return texts


def bandwidth_text(*, quick: bool) -> str:
    """How the share of the memory bandwidth is to be read."""
    rates = "; ".join(f"{name} {rate:.1f} GB/s" for name, rate in (triads(30.0) if quick else triads()).items())
    return (
        "Triad a = b + s c in float32 beyond the cache, 12 bytes a number (write-allocate not counted): "
        f"{rates}. 'Of memory bandwidth' is of the best of them. What a solver moved is a least estimate: trocar's "
        "arrays in and out of each cell-stage (neighbors cached); the passes of numpy's expressions; the matrix and "
        "the vectors of a peer's linear iterations, counted as they ran, without its assembly. Arrays that fit the "
        "last-level cache can pass 100 %."
    )
