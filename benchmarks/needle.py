"""One 17 G needle for ten minutes: trocar beside finite elements, finite volumes and plain numpy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plots
from page import Goal, Result
from questions import ONE
from rows import Solver, bandwidth_text, compared, meshed, numpy_explicit, ratios, trocar

# Of 0 degC at mid-plane and along the axis: `axisymmetric` in peers/scikit_fem.py, from 0.1 to 0.5 mm, steps of 2.5 s.
# Finite volumes of 0.25 mm with the needle's temperature on their faces: 15.48 and 28.96.
REFERENCE_RADIUS_MM, REFERENCE_TIP_MM = 15.50, 29.01
WANTED_S = 0.10


def run(*, quick: bool, folder: Path) -> Result:
    """Every solver on the same problem."""
    asked = replace(ONE, half_box_m=36e-3, phases=((60.0, True),)) if quick else ONE
    rows, said = compared(_solvers(quick), asked, _across_mm, quick=quick)
    for row in rows:
        answer = said[row["solver"]]["answer"] if row["solver"] in said else None
        row["tip error mm"] = _tip_mm(answer["front_mm"]) if answer else None
    plots.error_over_time(
        folder / "needle.png", rows, title="One needle, 600 s: error over wall time", time_key="wall s, whole box"
    )
    fine = [row for row in rows if row["solver"].startswith("trocar, 1 mm")]
    return Result(
        name="needle",
        title="Ice of one needle, ten minutes",
        task="One needle of 1.5 mm, active over 40 mm, at -140 degC for 600 s in soft tissue P1 at 37 degC "
        "(k 0.5 / 2.0 W/mK, C 3.6 / 1.7964 MJ/m3K, 250 MJ/m3 over -8..-1 degC, no perfusion), box of 96 mm held at "
        f"37 degC. The error is of the 0 degC radius at mid-plane against {REFERENCE_RADIUS_MM:.2f} mm, over 9 "
        "directions of a quadrant (36 for trocar); the tip's of its distance along the needle against "
        f"{REFERENCE_TIP_MM:.2f} mm (both by fine axisymmetric finite elements). Each solver runs in a process "
        "of its own; times take in the set-up (lattice or assembly) and are the best of several runs.",
        rows=rows,
        goals=[Goal(name=row["solver"], measured=row["wall s"], wanted=WANTED_S, unit="s") for row in fine],
        ratios=ratios(rows),
        limit=[bandwidth_text(quick=quick)],
        notes=NOTES,
        figures=said,
        plot=True,
    )


def _across_mm(found_mm: list[float]) -> Any:
    """Errors of the radius; the last of each octant's directions lies along the needle."""
    return np.array(found_mm).reshape(-1, 10)[:, :9].reshape(-1) - REFERENCE_RADIUS_MM


def _tip_mm(found_mm: list[float]) -> float:
    """The mean error of how far the ice reaches along the needle."""
    return float(np.array(found_mm).reshape(-1, 10)[:, 9].mean()) - REFERENCE_TIP_MM


def _solvers(quick: bool) -> list[Solver]:
    if quick:
        return [
            trocar(2.0, runs=1), meshed("scikit-fem", 6.0, 20.0), meshed("FiPy", 6.0, 20.0), numpy_explicit(4.0),
        ]  # fmt: skip
    return [
        trocar(2.0, runs=5),
        trocar(2.0, runs=5, tilted=True),
        trocar(1.0, runs=5),
        trocar(1.0, runs=5, tilted=True),
        meshed("scikit-fem", 2.0, 5.0, spaced="equal"),
        meshed("scikit-fem", 3.0, 15.0, runs=2),
        meshed("scikit-fem", 3.0, 15.0, spaced="resolved"),
        meshed("FiPy", 3.0, 15.0, spaced="resolved"),
        meshed("dolfinx", 3.0, 15.0, runs=2),
        numpy_explicit(2.0, runs=2),
    ]


NOTES = [
    "The peers on meshes solve one octant, which symmetry allows for aligned needles alone; a plan of tilted needles "
    "would take eight times its cells or more. Columns count what was solved; 'whole box' multiplies by 8.",
    "With needles as nodes or cells on their axes the ice is too thin whatever the solver: that is the mesh, not the "
    "program. The fitted and resolved meshes (a square with the needle's logarithmic radius, its surroundings coarse "
    "or fine) are the fair ones. Their users would do better still with an unstructured mesh around the round needle, "
    "made anew for each plan.",
    "All peers on meshes solve the same equations: enthalpy by Newton's method in Kirchhoff's variable, backward "
    "Euler, conjugate gradients with the diagonal. scikit-fem and dolfinx (Q1, lumped) must agree; FiPy has cells "
    "where they have nodes. dolfinx compiles its forms once: its best time is that of the second run.",
    "An update is one cell in one stage (trocar, active cells only), explicit step (numpy) or implicit step (the "
    "others, whatever iterations it took): compare updates within a method, wall times and errors between them.",
    "Memory is the peak of the process after one run; 'beyond imports' is what the problem added.",
    "The peers' linear algebra runs on one thread: a second one added CPU time and no speed.",
]
