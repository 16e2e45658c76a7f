"""A planar front of ice in water against Neumann's exact solution, over the spacing."""

from pathlib import Path
from typing import Any

import numpy as np
import plots
from fronts import summary
from laws import WATER
from measure import Solved, solve
from page import Result
from questions import COLUMN_M, FAR_DEGC, WALL_DEGC, WATCHED_S
from rows import DOLFINX_HINT, python_of
from scipy import optimize, special

QUICK_SPACINGS_MM, SPACINGS_MM = (8.0, 4.0), (4.0, 2.0, 1.0, 0.5)
STEP_S_PER_MM = 4.0  # of the implicit peers: their errors of time and space fall together
PEERS = {"scikit-fem": "peers.scikit_fem", "FiPy": "peers.fipy_volumes", "dolfinx": "peers.dolfinx_heat"}
FIPY_FINEST_MM = 1.0  # finer would take as long as all else


def exact_mm(time_s: float) -> float:
    """Neumann's two-phase front (Carslaw and Jaeger, chapter 11)."""
    solid = WATER.frozen_W_per_mK / WATER.frozen_J_per_m3K
    ratio = np.sqrt(solid / (WATER.unfrozen_W_per_mK / WATER.unfrozen_J_per_m3K))

    def balance(x: float) -> float:
        """Stefan's condition, in units of solid conductivity / root of diffusivity."""
        cold = -WALL_DEGC * np.exp(-x * x) / special.erf(x)
        effusivities = (WATER.unfrozen_W_per_mK / WATER.frozen_W_per_mK) * ratio
        warm = FAR_DEGC * effusivities * np.exp(-((x * ratio) ** 2)) / special.erfc(x * ratio)
        return float(cold - warm - np.sqrt(np.pi) * x * WATER.latent_J_per_m3 / WATER.frozen_J_per_m3K)

    return float(2e3 * optimize.brentq(balance, 1e-6, 3.0) * np.sqrt(solid * time_s))


def run(*, quick: bool, folder: Path) -> Result:
    """Every solver at every spacing."""
    known = np.array([exact_mm(time_s) for time_s in WATCHED_S])
    rows: list[dict[str, Any]] = []
    series: dict[str, dict[float, float]] = {}
    notes = [
        "The front is the ice of the whole column: the sum of its shares times the spacing. Water freezes over the "
        "fifth of a kelvin below 0 degC in all solvers, so that none comes nearer than about 0.02 mm (half the mush).",
        "Errors rise and fall with how the front lies between the cells: they are means over four times.",
    ]
    for name in ("trocar", *PEERS, "numpy explicit"):
        if python_of(PEERS.get(name, "")) is None:
            notes.append(f"{name}: not installed ({DOLFINX_HINT}).")
            continue
        for spacing_mm in QUICK_SPACINGS_MM if quick else SPACINGS_MM:
            if name == "FiPy" and spacing_mm < FIPY_FINEST_MM:
                continue
            solved = _solved(name, spacing_mm)
            errors = np.array(solved.answer["front_mm"]) - known
            rows.append({
                "solver": name, "spacing mm": spacing_mm, "cells": solved.answer["cells"], "wall s": solved.wall_s,
                "CPU s": solved.cpu_s, "peak MB": solved.peak_MB, **summary(errors),
            })  # fmt: skip
            series.setdefault(name, {})[spacing_mm] = rows[-1]["mean abs mm"]
    plots.error_over_spacing(folder / "front.png", series, title="Planar front against Neumann's solution")
    return Result(
        name="front",
        title="A planar front against its exact solution",
        task=f"Water at {FAR_DEGC:g} degC (property set P2) freezes from a wall at {WALL_DEGC:g} degC over "
        f"{1e3 * COLUMN_M:g} mm; the front at {', '.join(f'{t:g}' for t in WATCHED_S)} s against Neumann's solution. "
        f"trocar runs a thin column of its three-dimensional lattice, the others one dimension; implicit steps of "
        f"{STEP_S_PER_MM:g} s for each millimeter of spacing.",
        rows=rows,
        ratios=[_order(name, points) for name, points in series.items()],
        notes=notes,
        plot=True,
    )


def _solved(name: str, spacing_mm: float) -> Solved:
    if name in PEERS:
        interpreter = python_of(PEERS[name])
        arguments = {"spacing_mm": spacing_mm, "step_s": STEP_S_PER_MM * spacing_mm}
        return solve(PEERS[name], "column", arguments, runs=1 if name == "FiPy" else 2, interpreter=str(interpreter))
    return solve("engine" if name == "trocar" else "peers.explicit", "column", {"spacing_mm": spacing_mm}, runs=2)


def _order(name: str, points: dict[float, float]) -> str:
    spacing = sorted(points)
    rate = np.polyfit(np.log(spacing), np.log([points[s] for s in spacing]), 1)[0]
    return f"{name}: mean absolute error falls with the spacing to the power {rate:.2f}."
