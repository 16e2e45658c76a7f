"""Four needles in the tissue of a CT: the synthetic pelvis with its lytic iliac lesion, as files for the solvers."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from questions import ACTIVE_M, DOUBLE_FREEZE, FREEZE, NEEDLE_RADIUS_M, Phases

from trocar.materials import tissue_map
from trocar.model.case import Case
from trocar.model.space import Grid
from trocar.phantoms import ilium
from trocar.physics.lines import Line

SQUARE_MM = 15.0
TILTS = ((0.05, 0.03), (-0.04, 0.06), (0.03, -0.08), (-0.07, -0.05))  # of each needle, sideways per length
OFF_CELL_MM = np.array((0.31, -0.22, 0.43))  # from the box's middle
CORNERS = ((-1, -1), (1, -1), (-1, 1), (1, 1))

Lines = tuple[Line, ...]


def write(*, folder: str, cells: int, phantom_mm: list[float], plans: int, share: float = 1.0) -> dict[str, Any]:
    """fine.pkl (1 mm), coarse.pkl (2 mm, as large), their double freezes, plans.pkl (2 mm); `share` of the time."""
    case = ilium(spacing_mm=(phantom_mm[0], phantom_mm[1], phantom_mm[2]))
    middle = case.grid.to_lps(np.argwhere(case.lesions[0].inside).mean(axis=0))
    random, found = np.random.default_rng(20261126), {}
    for name, spacing_mm, count in (("fine", 1.0, cells), ("coarse", 2.0, cells // 2)):
        tissue, corner_mm = _tissue(case, middle, spacing_mm, count)
        lines = four(middle + OFF_CELL_MM - corner_mm, square_mm=SQUARE_MM, tilts=TILTS)
        for suffix, phases in (("", FREEZE), ("-double", DOUBLE_FREEZE)):
            _keep(folder, name + suffix, (tissue, lines, _shorter(phases, share)))
        found[name] = {
            "cells": int(tissue.held.size),
            "tissues": int(np.unique(tissue.unfrozen_W_per_mK).size),
            "held_frac": float(tissue.held.mean()),
        }
    many = tuple(_plan(middle - corner_mm, random) for _ in range(plans))  # in the coarse tissue
    _keep(folder, "plans", (tissue, many, _shorter(FREEZE, share)))
    return found


def four(middle_mm: Any, *, square_mm: float, tilts: Any, axes: Any = None) -> Lines:
    """Needles around a point, given from the center of the first cell, along the third of `axes`."""
    axes = np.eye(3) if axes is None else axes
    lines = []
    for (i, j), (a, b) in zip(CORNERS, tilts, strict=True):
        along = axes @ np.array((a, b, 1.0)) / np.sqrt(a * a + b * b + 1)
        center = np.asarray(middle_mm) + axes @ np.array((i * square_mm / 2, j * square_mm / 2, 0.0))
        tip, tail = (1e-3 * center + sign * along * ACTIVE_M / 2 for sign in (-1, 1))
        lines.append(Line(tip_m=tip, tail_m=tail, radius_m=NEEDLE_RADIUS_M))
    return tuple(lines)


def _plan(middle_mm: Any, random: Any) -> Lines:
    """Four needles as a planner would try them: shifted, turned, closer or wider."""
    axes, _ = np.linalg.qr(np.eye(3)[:, ::-1] + random.normal(scale=0.15, size=(3, 3)))
    shift = random.uniform(-5.0, 5.0, 3)
    tilts = random.uniform(-0.08, 0.08, (4, 2))
    return four(middle_mm + shift, square_mm=random.uniform(12.0, 18.0), tilts=tilts, axes=axes[:, ::-1])


def _tissue(case: Case, middle_mm: Any, spacing_mm: float, count: int) -> tuple[Any, Any]:
    """The medium of a cube around a point, and the center of its first cell."""
    first = middle_mm - 0.5 * spacing_mm * (count - 1)
    grid = Grid.aligned(
        origin_lps_mm=tuple(float(x) for x in first),  # type: ignore[arg-type]
        spacing_mm=(spacing_mm,) * 3,
        shape=(count,) * 3,
    )
    return tissue_map(case, grid).medium, first


def _shorter(phases: Phases, share: float) -> Phases:
    return tuple((share * duration_s, on) for duration_s, on in phases)


def _keep(folder: str, name: str, problem: Any) -> None:
    (Path(folder) / f"{name}.pkl").write_bytes(pickle.dumps(problem))
