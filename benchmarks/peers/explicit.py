"""Plain numpy: explicit enthalpy in float32; a needle is the cells on its axis, held."""

from typing import Any

import numpy as np
from laws import SOFT_TISSUE, WATER, Tissue
from questions import (
    ACTIVE_M,
    COLUMN_M,
    FAR_DEGC,
    REST_DEGC,
    SURFACE_DEGC,
    WALL_DEGC,
    WATCHED_S,
    Field,
    Needles,
    front_mm,
)

PASSES = 60  # arrays read or written for one step by the expressions below, each of them larger than a core's cache


def needles(*, question: dict[str, Any], spacing_mm: float) -> dict[str, Any]:
    """The whole box."""
    asked, spacing_m = Needles.read(question), spacing_mm * 1e-3
    half = round(asked.half_box_m / spacing_m)
    axis = np.arange(-half, half + 1) * spacing_m
    active = np.flatnonzero(np.abs(axis) <= ACTIVE_M / 2 + 1e-9)
    i, j = (half + np.rint(np.array(asked.centers_m).T / spacing_m).astype(int)).repeat(active.size, axis=1)
    held = (i, j, np.tile(active, len(asked.centers_m)))
    h = SOFT_TISSUE.enthalpy(np.full((axis.size,) * 3, REST_DEGC, np.float32)).astype(np.float32)
    surface, steps = SOFT_TISSUE.enthalpy(np.float32(SURFACE_DEGC)), 0
    for duration_s, on in asked.phases:
        count = _count(SOFT_TISSUE, duration_s, spacing_m, dimensions=3)
        factor = np.float32(duration_s / count / spacing_m**2)
        for _ in range(count):
            if on:
                h[held] = surface
            u = SOFT_TISSUE.kirchhoff(SOFT_TISSUE.temperature(h))
            inner = u[1:-1, 1:-1, 1:-1]
            flow = u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1] + u[1:-1, :-2, 1:-1]
            flow += u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
            flow -= 6 * inner
            h[1:-1, 1:-1, 1:-1] += factor * flow
        if on:
            h[held] = surface
        steps += count
    return {
        "cells": h.size,
        "unknowns": h.size,
        "steps": steps,
        "step_kind": "explicit",
        "moved_GB": steps * PASSES * h.nbytes / 1e9,
        "front_mm": front_mm(Field((axis,) * 3, SOFT_TISSUE.temperature(h)), asked.directions).tolist(),
    }


def column(*, spacing_mm: float) -> dict[str, Any]:
    """Water that freezes from its end, in one dimension, float64."""
    spacing_m = spacing_mm * 1e-3
    h = WATER.enthalpy(np.full(round(COLUMN_M / spacing_m) + 1, FAR_DEGC))
    h[0] = WATER.enthalpy(np.float64(WALL_DEGC))
    fronts, now_s = [], 0.0
    for until_s in WATCHED_S:
        count = _count(WATER, until_s - now_s, spacing_m, dimensions=1)
        factor = (until_s - now_s) / count / spacing_m**2
        for _ in range(count):
            u = WATER.kirchhoff(WATER.temperature(h))
            h[1:-1] += factor * (u[2:] + u[:-2] - 2 * u[1:-1])
        ice = WATER.ice_frac(WATER.temperature(h))
        fronts.append(1e3 * spacing_m * float(ice.sum() - 0.5 * ice[0]))
        now_s = until_s
    return {"cells": h.size, "front_mm": fronts}


def _count(tissue: Tissue, duration_s: float, spacing_m: float, *, dimensions: int) -> int:
    limit_s = spacing_m**2 * tissue.frozen_J_per_m3K / (2 * dimensions * tissue.frozen_W_per_mK)
    return int(np.ceil(duration_s / (0.95 * limit_s)))
