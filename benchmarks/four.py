"""Four needles in uniform tissue: ten minutes and the double freeze, against a refined finite-element peer."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import plots
from needle import NOTES
from page import RESULTS, Result
from questions import DOUBLE_FREEZE, FOUR, Needles
from rows import Solver, ask, bandwidth_text, compared, meshed, numpy_explicit, ratios, trocar

KEPT = RESULTS / "four-reference.json"


def run(*, quick: bool, folder: Path) -> Result:
    """Every solver on both protocols."""
    single, double = FOUR, replace(FOUR, phases=DOUBLE_FREEZE)
    if quick:
        single = replace(FOUR, half_box_m=48e-3, phases=((120.0, True),))
        double = replace(single, phases=((60.0, True), (40.0, False), (60.0, True)))
    rows, said = [], {}
    for name, asked in (("10 min", single), ("28 min, double freeze", double)):
        more, figures = _protocol(asked, quick=quick, many=name == "10 min")
        rows += [{"protocol": name, **row} for row in more]
        said[name] = figures
    first = [row for row in rows if row["protocol"] == "10 min"]
    second = [row for row in rows if row["protocol"] != "10 min"]
    plots.error_over_time(
        folder / "four.png", first, title="Four needles, 600 s: error over wall time", time_key="wall s, whole box"
    )
    reference = _reference(quick)
    return Result(
        name="four",
        title="Ice of four needles in uniform tissue",
        task="Four needles in a square of 16 mm, as the one of the needle benchmark, for 10 minutes; and 10 minutes "
        "on, 8 off, 10 on. Box of 128 mm. The error is of the distance of the 0 degC front from the middle along 48 "
        f"directions of an octant (384 for trocar) against a refined run of a peer: "
        f"{reference.name} (kept in four-reference.json, made anew when it is not there).",
        rows=rows,
        ratios=[*(f"10 min: {text}" for text in ratios(first)), *(f"28 min: {text}" for text in ratios(second))],
        limit=[bandwidth_text(quick=quick)],
        notes=[
            *NOTES,
            "The reference's mesh and steps put the mid-plane radius of one needle 0.03 mm beyond needle.md's "
            "reference (0.07 mm aside on average) and its tip 0.2 mm short: it cannot tell smaller errors.",
        ],
        figures=said,
        plot=True,
    )


def _reference(quick: bool) -> Solver:
    return meshed("scikit-fem", 6.0, 20.0) if quick else meshed("scikit-fem", 2.0, 5.0, spaced="resolved")


def _protocol(asked: Needles, *, quick: bool, many: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    known_mm = _known_mm(asked, _reference(quick), keep=not quick)
    return compared(_solvers(quick, many), asked, _beside(known_mm), quick=quick)


def _known_mm(asked: Needles, reference: Solver, *, keep: bool) -> list[float]:
    """The reference front, from its file if that answers this very question; made anew (minutes) if not."""
    question = json.loads(json.dumps({"question": asdict(asked), "reference": reference.arguments}))
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for each in kept:
        if {key: each[key] for key in question} == question:
            return list(each["front_mm"])
    known = ask(reference, "needles", {"question": asdict(asked), **reference.arguments})
    if known is None:
        raise RuntimeError("the reference's program is a dependency, and is not here")
    front_mm = [round(distance, 4) for distance in known.answer["front_mm"]]
    if keep:
        KEPT.write_text(json.dumps([*kept, question | {"front_mm": front_mm}]) + "\n")
    return front_mm


def _beside(known_mm: list[float]) -> Callable[[list[float]], Any]:
    """Errors of a front in one octant or in eight."""

    def error(found_mm: list[float]) -> Any:
        return (np.array(found_mm).reshape(-1, len(known_mm)) - np.array(known_mm)).reshape(-1)

    return error


def _solvers(quick: bool, many: bool) -> list[Solver]:
    if quick:
        return [trocar(2.0, runs=1), *([meshed("FiPy", 8.0, 20.0)] if many else [])]
    ours = [trocar(2.0, runs=3), trocar(1.0, runs=3)]
    peers = [meshed("scikit-fem", 4.0, 15.0), meshed("FiPy", 4.0, 15.0, spaced="resolved")]
    return [*ours, *peers, *([meshed("dolfinx", 4.0, 15.0), numpy_explicit(2.0)] if many else [])]
