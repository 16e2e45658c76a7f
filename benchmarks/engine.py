"""trocar's own solver on the benchmarks' problems: the one place that knows how it is called and what it counts."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from fronts import surface
from laws import SOFT_TISSUE, WATER, Tissue
from questions import (
    ACTIVE_M,
    COLUMN_M,
    FAR_DEGC,
    NEEDLE_RADIUS_M,
    REST_DEGC,
    SURFACE_DEGC,
    WALL_DEGC,
    WATCHED_S,
    Field,
    Needles,
    Phases,
    front_mm,
)

from trocar.physics.batch import Job, play_many
from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.lines import Line
from trocar.physics.medium import Freezing, Medium
from trocar.physics.source import Ramp
from trocar.physics.stepping import LONGEST_S

OFF_CELL = np.array((0.31, -0.22, 0.43))  # of a spacing: needles do not lie where the lattice would like them
TILTED = np.array((0.5, 0.3, 0.8)) / np.linalg.norm((0.5, 0.3, 0.8))
BYTES_PER_CELL_STAGE = 4 * (9 + 3) + 2 * 6  # in: u, u_new, t, ice, 3 curve, blood, source, 6 faces of 2 bytes; out: 3
PREVIEW_S = 60.0  # longest step of a batch, as planning takes at 2 mm: 0.03 mm more ice than with the shortest
Lines = tuple[Line, ...]


def frozen(
    tissue: Medium, lines: Lines, phases: Phases, *, longest_s: float = LONGEST_S,
    after_phase: Callable[[HeatSolver], None] | None = None,
) -> tuple[HeatSolver, int]:  # fmt: skip
    """The solver after its phases, from nothing (set-up included), and its cell-stages."""
    solver = HeatSolver(tissue, lines)
    ramp = Ramp(start_degC=tissue.rest_degC, end_degC=SURFACE_DEGC)
    for duration_s, on in phases:
        solver.advance(duration_s, (ramp if on else None,) * len(lines), longest_s=longest_s)
        if after_phase is not None:
            after_phase(solver)
    return solver, solver.cell_stages


def frozen_many(tissue: Medium, plans: Sequence[Lines], phases: Phases) -> tuple[list[float], int]:
    """Frozen cm3 of each plan in the same tissue, and all cell-stages: a batch, in the steps of a preview."""
    ramp = Ramp(start_degC=tissue.rest_degC, end_degC=SURFACE_DEGC)
    jobs = [
        Job(lines=lines, phases=tuple((duration_s, (ramp if on else None,) * len(lines)) for duration_s, on in phases))
        for lines in plans
    ]

    def read(solver: HeatSolver) -> tuple[float, int]:
        frozen_cells = float(np.count_nonzero(solver.temperature_degC < 0))
        return 1e6 * tissue.cell_m3 * frozen_cells, solver.cell_stages

    found = play_many(Prepared.of(tissue), jobs, read, longest_s=PREVIEW_S)
    return [volume for volume, _ in found], sum(count for _, count in found)


# --- the same problems as the peers'


def needles(*, question: dict[str, Any], spacing_mm: float, tilted: bool = False) -> dict[str, Any]:
    """The whole box; the front along the octant's directions in all eight octants."""
    asked, spacing_m = Needles.read(question), spacing_mm * 1e-3
    count = 2 * round(asked.half_box_m / spacing_m) + 3  # one layer beyond the wall on each side
    tissue = uniform((count,) * 3, spacing_m, SOFT_TISSUE, REST_DEGC)
    turn = _turn(TILTED) if tilted else np.eye(3)
    middle = (count // 2 + OFF_CELL) * spacing_m
    lines = []
    for x, y in asked.centers_m:
        tip, tail = (middle + turn @ np.array((x, y, z)) for z in (-ACTIVE_M / 2, ACTIVE_M / 2))
        lines.append(Line(tip_m=tip, tail_m=tail, radius_m=NEEDLE_RADIUS_M))
    solver, cell_stages = frozen(tissue, tuple(lines), asked.phases)
    axes = tuple(np.arange(count) * spacing_m - at for at in middle)
    signs = np.array(list(product((1, -1), repeat=3)))
    directions = (signs[:, None, :] * asked.directions[None]).reshape(-1, 3) @ turn.T
    return {
        **_counts(solver, cell_stages),
        "residual_frac": solver.balance().residual_frac,
        "front_mm": front_mm(Field(axes, solver.temperature_degC), directions).tolist(),  # type: ignore[arg-type]
    }


def column(*, spacing_mm: float) -> dict[str, Any]:
    """Water that freezes from its end: a thin column; the wall is in the middle of its last held cell."""
    spacing_m, held = spacing_mm * 1e-3, 3
    shape = (round(COLUMN_M / spacing_m) + held + 1, 3, 3)
    tissue = uniform(shape, spacing_m, WATER, FAR_DEGC, insulated=(1, 2))
    tissue.held[:held] = True
    tissue.held_degC[:held] = WALL_DEGC
    solver, fronts = HeatSolver(tissue), []
    for until_s in WATCHED_S:
        solver.advance(until_s - solver.time_s)
        fronts.append(1e3 * spacing_m * (float(solver.ice_frac[held:-2, 1, 1].sum()) + 0.5))
    return {"cells": shape[0], "front_mm": fronts}


def uniform(
    shape: tuple[int, int, int], spacing_m: float, tissue: Tissue, rest_degC: float, *, insulated: tuple[int, ...] = ()
) -> Medium:
    """One tissue everywhere, without perfusion."""

    def full(value: float) -> Any:
        return np.full(shape, value, np.float32)

    return Medium(
        spacing_m=spacing_m,
        unfrozen_W_per_mK=full(tissue.unfrozen_W_per_mK),
        frozen_W_per_mK=full(tissue.frozen_W_per_mK),
        unfrozen_J_per_m3K=full(tissue.unfrozen_J_per_m3K),
        frozen_J_per_m3K=full(tissue.frozen_J_per_m3K),
        latent_J_per_m3=full(tissue.latent_J_per_m3),
        perfusion_W_per_m3K=full(0.0),
        held=np.zeros(shape, dtype=bool),
        held_degC=full(rest_degC),
        rest_degC=rest_degC,
        freezing=Freezing(solidus_degC=tissue.solidus_degC, liquidus_degC=tissue.liquidus_degC),
        insulated=insulated,
    )


def _counts(solver: HeatSolver, cell_stages: int) -> dict[str, Any]:
    cells = int(solver.temperature_degC.size)
    return {
        "cells": cells,
        "unknowns": cells,
        "steps": round(cell_stages / cells),  # stages if every cell were active
        "step_kind": "full stages",
        "updates": cell_stages,
        "moved_GB": cell_stages * BYTES_PER_CELL_STAGE / 1e9,
    }


def _turn(direction: Any) -> Any:
    """The rotation (3, 3) that takes k to a direction."""
    first = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(direction, first), direction], axis=-1)


def first_call() -> dict[str, Any]:
    """The least that calls every kernel: a short needle for a minute in a small box."""
    tissue = uniform((27, 27, 27), 1e-3, SOFT_TISSUE, REST_DEGC)
    middle = 13e-3
    needle = Line(tip_m=np.full(3, middle), tail_m=np.array((middle, middle, middle + 5e-3)), radius_m=NEEDLE_RADIUS_M)
    solver, cell_stages = frozen(tissue, (needle,), ((60.0, True),))
    return _counts(solver, cell_stages)


# --- tissue of a CT, handed over as files between processes


@cache
def _problem(path: str) -> Any:
    return pickle.loads(Path(path).read_bytes())


def prepare(*, path: str | None = None, **_: Any) -> None:
    """Reads what a solver is going to be given."""
    if path is not None:
        _problem(path)


def set_up(*, path: str) -> dict[str, Any]:
    """The solver made, nothing frozen."""
    tissue, lines, _ = _problem(path)
    return {"cells": int(HeatSolver(tissue, lines).temperature_degC.size)}


def freeze_tissue(*, path: str) -> dict[str, Any]:
    """Freeze what `path` holds: the medium, its needles, the phases."""
    solver, cell_stages = frozen(*_problem(path))
    return {**_counts(solver, cell_stages), "residual_frac": solver.balance().residual_frac}


def tissue_fronts(*, path: str, kept: list[str | None], finer: int = 1, longest_s: float = LONGEST_S) -> dict[str, Any]:
    """The same, keeping the 0 degC surface after each phase in a file; `finer` splits each cell into finer ones."""
    tissue, lines, phases = _problem(path)
    if finer > 1:
        lines = tuple(_moved(line, tissue.spacing_m, finer) for line in lines)
        tissue = split(tissue, finer)
    files = iter(kept)

    def keep(now: HeatSolver) -> None:
        file = next(files)
        if file is not None:
            np.savez(file, **surface(now.temperature_degC, tissue.spacing_m))

    solver, cell_stages = frozen(tissue, lines, phases, longest_s=longest_s, after_phase=keep)
    return _counts(solver, cell_stages)


def freeze_plans(*, path: str) -> dict[str, Any]:
    """Freeze one tissue by many sets of needles."""
    tissue, plans, phases = _problem(path)
    volumes, cell_stages = frozen_many(tissue, plans, phases)
    return {
        "cells": int(tissue.held.size),
        "plans": len(plans),
        "volumes_cm3": volumes,
        "updates": cell_stages,
        "moved_GB": cell_stages * BYTES_PER_CELL_STAGE / 1e9,
    }


def split(tissue: Medium, finer: int) -> Medium:
    """Each cell as `finer`^3 cells of its own tissue: the same piecewise constant problem, better solved."""
    arrays = {}
    for each in fields(tissue):
        values = getattr(tissue, each.name)
        if isinstance(values, np.ndarray):
            arrays[each.name] = values.repeat(finer, 0).repeat(finer, 1).repeat(finer, 2)
    return replace(tissue, spacing_m=tissue.spacing_m / finer, **arrays)


def _moved(line: Line, spacing_m: float, finer: int) -> Line:
    """The same needle seen from the middle of the finer first cell."""
    shift = 0.5 * spacing_m * (1 - 1 / finer)
    return replace(line, tip_m=np.asarray(line.tip_m) + shift, tail_m=np.asarray(line.tail_m) + shift)
