"""Four needles in the tissue of a CT: ten minutes, the double freeze, many plans; against a finer run of its own."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import plots
from fronts import apart_mm, summary
from measure import Solved, solve
from page import Goal, Result
from rows import FIGURES, bandwidth_text, row
from scene import SQUARE_MM

PLANS, QUICK_PLANS = 16, 2
WANTED_FREEZE_S, WANTED_DOUBLE_S, WANTED_P95_MM, WANTED_PLANS_PER_S = 0.15, 0.8, 0.3, 100.0
LONGEST_REFERENCE_S = 90.0  # it is the double freeze if that is expected within this, else its first freeze
REFERENCE_STEP_S = 8.0  # a quarter of the longest step: the reference's own error in time is small beside the others'
FINER_COST = 32.0  # eight times the cells, twice the stages, and twice again for short steps


def run(*, quick: bool, folder: Path) -> Result:
    """Times and fronts at 1 and 2 mm."""
    with tempfile.TemporaryDirectory() as scene:
        found, rows, errors = _measured(scene, quick)
        plans, plans_row = _plans(scene, quick)
    rows.append(plans_row)
    plots.error_shares(
        folder / "pelvis.png", errors, title="Four needles in CT tissue: distance from the 0.5 mm front",
        limit_mm=WANTED_P95_MM,
    )  # fmt: skip
    walls = {name: solved.wall_s for name, solved in found.items() if isinstance(solved, Solved)}
    return Result(
        name="pelvis",
        title="Ice of four needles in the tissue of a CT",
        task=f"Four needles of 1.5 mm, active over 40 mm, at -140 degC, about {SQUARE_MM:g} mm "
        "apart, tilted and off the cells, in the lytic lesion of the left iliac wing of the synthetic pelvis: "
        f"{found['scene']['fine']['cells'] / 1e6:.2f} M cells of 1 mm, {found['scene']['fine']['tissues']} different "
        f"conductivities, {found['scene']['fine']['held_frac']:.0%} of them held (vessels, air), perfused. 10 minutes; "
        "10 on, 8 off, 10 on; and sets of needles as a planner tries them. The error is the distance between the 0 "
        "degC surfaces, both ways, and those of a 0.5 mm run in the same piecewise constant tissue; at 2 mm the "
        "tissue is taken from the CT at 2 mm, and its error is part of the distance.",
        rows=rows,
        goals=[
            Goal(name="10 min at 1 mm", measured=walls["10 min, 1 mm"], wanted=WANTED_FREEZE_S, unit="s"),
            Goal(
                name="95 % of the front at 1 mm",
                measured=summary(errors["10 min, 1 mm"])["p95 mm"],
                wanted=WANTED_P95_MM,
                unit="mm",
            ),
            Goal(name="28 min at 1 mm", measured=walls["28 min, 1 mm"], wanted=WANTED_DOUBLE_S, unit="s"),
            Goal(name="plans at 2 mm", measured=plans, wanted=WANTED_PLANS_PER_S, unit="per s", at_least=True),
        ],
        limit=[
            f"Making the solver takes {walls['set-up, 1 mm']:.2f} s at 1 mm, which the times take in.",
            bandwidth_text(quick=quick),
        ],
        notes=[
            _reference_text(found["reference"]),
            "Peers solve four needles in uniform tissue (four.md): in this tissue there is no octant, and they would "
            "need eight times the cells at least.",
            "Energy residual (share of the heat moved): "
            + "; ".join(
                f"{name} {solved.answer['residual_frac']:.1e}"
                for name, solved in found.items()
                if isinstance(solved, Solved) and "residual_frac" in solved.answer
            )
            + ".",
        ],
        figures={"walls_s": walls, "plans_per_s": plans, "scene": found["scene"]},
        plot=True,
    )


def _measured(scene: str, quick: bool) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """What was solved, its rows, and the errors of the fronts in mm."""
    size = {"cells": 64, "phantom_mm": [4.0, 4.0, 5.0], "plans": QUICK_PLANS, "share": 0.1} if quick else {
        "cells": 128, "phantom_mm": [1.0, 1.0, 1.25], "plans": PLANS}  # fmt: skip
    found: dict[str, Any] = {"scene": solve("scene", "write", {"folder": scene, **size}).answer}
    runs = 1 if quick else 5
    for name, file in (("10 min, 1 mm", "fine"), ("10 min, 2 mm", "coarse"), ("28 min, 1 mm", "fine-double"),
                       ("28 min, 2 mm", "coarse-double")):  # fmt: skip
        found[name] = solve("engine", "freeze_tissue", {"path": f"{scene}/{file}.pkl"}, runs=runs)
    found["set-up, 1 mm"] = solve("engine", "set_up", {"path": f"{scene}/fine.pkl"}, runs=2 * runs)
    double = not quick and FINER_COST * found["28 min, 1 mm"].wall_s < LONGEST_REFERENCE_S
    found["reference"] = _fronts(scene, "fine", "reference", double=double, finer=2, longest_s=REFERENCE_STEP_S)
    for file in ("fine", "coarse"):
        _fronts(scene, file, file, double=double)
    rows, errors = [], {}
    for name in ("10 min, 1 mm", "10 min, 2 mm", "28 min, 1 mm", "28 min, 2 mm"):
        file, moment = "fine" if name.endswith("1 mm") else "coarse", 0 if name.startswith("10") else 2
        figures: dict[str, Any] = dict.fromkeys(FIGURES)
        if moment == 0 or double:
            known, mine = (np.load(f"{scene}/{which}-{moment}.npz") for which in ("reference", file))
            errors[name] = apart_mm(mine, known)
            figures = summary(errors[name])
        rows.append(_named(name, found[name], quick) | figures)
    return found, rows, errors


def _fronts(scene: str, file: str, name: str, *, double: bool, **how: float) -> Solved:
    """Keeps the front after each freeze; untimed but for the reference."""
    kept = [f"{scene}/{name}-0.npz", None, f"{scene}/{name}-2.npz"][: 3 if double else 1]
    path = f"{scene}/{file}{'-double' if double else ''}.pkl"
    return solve("engine", "tissue_fronts", {"path": path, "kept": kept, **how})


def _plans(scene: str, quick: bool) -> tuple[float, dict[str, Any]]:
    """Plans per second at 2 mm, and the row."""
    solved = solve("engine", "freeze_plans", {"path": f"{scene}/plans.pkl"}, runs=1 if quick else 3)
    count = solved.answer["plans"]
    return count / solved.wall_s, _named(f"{count} plans of 10 min, 2 mm", solved, quick) | dict.fromkeys(FIGURES)


def _named(name: str, solved: Solved, quick: bool) -> dict[str, Any]:
    found = row(f"trocar, {name}", solved, quick=quick)
    del found["wall s, whole box"]
    return found


def _reference_text(reference: Solved) -> str:
    return (
        f"The 0.5 mm reference, in steps of {REFERENCE_STEP_S:g} s, took {reference.wall_s:.1f} s for "
        f"{reference.answer['cells'] / 1e6:.1f} M cells; it is trocar's own, so that it tells the error of the lattice "
        "and of the time steps, not of the model. The model is checked against others in needle.md, four.md and "
        "front.md."
    )
