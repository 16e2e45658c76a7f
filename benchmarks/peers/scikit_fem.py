"""scikit-fem: Q1, lumped enthalpy, Kirchhoff's variable, backward Euler, damped Newton."""

from typing import Any

import numpy as np
from laws import SOFT_TISSUE, WATER, Array, Tissue
from questions import (
    ACTIVE_M,
    COLUMN_M,
    FAR_DEGC,
    HALF_SIDE_M,
    NEEDLE_RADIUS_M,
    ONE,
    REST_DEGC,
    SURFACE_DEGC,
    WALL_DEGC,
    WATCHED_S,
    Field,
    Needles,
    cold,
    front_mm,
    growing,
    octant_lines,
)
from scipy.sparse import diags
from scipy.sparse.linalg import LinearOperator, cg, splu
from skfem import Basis, BilinearForm, ElementHex1, ElementLineP1, ElementQuad1, MeshHex, MeshLine, MeshQuad, asm
from skfem.helpers import dot, grad

NEWTON_TOLERANCE, CG_TOLERANCE = 1e-4, 1e-2
VECTORS_PER_CG = 12  # float64 read or written per unknown and iteration, at least


@BilinearForm
def _laplace(u, v, _):  # type: ignore[no-untyped-def]
    return dot(grad(u), grad(v))


@BilinearForm
def _mass(u, v, _):  # type: ignore[no-untyped-def]
    return u * v


@BilinearForm
def _round_laplace(u, v, w):  # type: ignore[no-untyped-def]
    return dot(grad(u), grad(v)) * w.x[0]


@BilinearForm
def _round_mass(u, v, w):  # type: ignore[no-untyped-def]
    return u * v * w.x[0]


class _Mesh:
    """Assembled once: stiffness, lumped mass, nodes; and the bytes that the linear iterations moved, at least."""

    def __init__(self, basis: Any, tissue: Tissue, *, round_axis: bool = False) -> None:
        self.stiffness = asm(_round_laplace if round_axis else _laplace, basis).tocsr()
        self.lumped = np.asarray(asm(_round_mass if round_axis else _mass, basis).sum(axis=1)).reshape(-1)
        self.nodes = basis.mesh.p
        self.tissue = tissue
        self.moved_bytes = 0.0

    def play(
        self, t: Array, held: Array, duration_s: float, step_s: float, *, direct: bool = False
    ) -> tuple[Array, int]:
        """Temperatures after a phase in which some nodes keep theirs, and the number of steps."""
        tissue, free = self.tissue, np.flatnonzero(~held)
        u = tissue.kirchhoff(t)
        inner, weight = self.stiffness[free][:, free], self.lumped[free]
        driven = self.stiffness[free] @ np.where(held, u, 0.0)
        before, v, steps = tissue.enthalpy(t[free]), u[free], round(duration_s / step_s)
        for _ in range(steps):
            v = self._newton(v, before, inner, driven, weight * steps / duration_s, direct)
            before = tissue.enthalpy(tissue.from_kirchhoff(v)[0])
        u[free] = v
        return tissue.from_kirchhoff(u)[0], steps

    def _newton(self, v: Array, before: Array, inner: Any, driven: Array, weight: Array, direct: bool) -> Array:
        def residual(v: Array) -> Array:
            return weight * (self.tissue.enthalpy(self.tissue.from_kirchhoff(v)[0]) - before) + inner @ v + driven

        left = residual(v)
        scale = max(np.linalg.norm(left), np.linalg.norm(driven))
        for _ in range(60):
            if np.linalg.norm(left) <= NEWTON_TOLERANCE * scale:
                return v
            matrix = inner + diags(weight * self.tissue.from_kirchhoff(v)[1])
            change = splu(matrix.tocsc()).solve(-left) if direct else self._conjugate(matrix, -left)
            share, size = 1.0, np.linalg.norm(left)
            left = residual(v + change)
            while share > 1 / 64 and np.linalg.norm(left) >= size:
                share /= 2
                left = residual(v + share * change)
            v = v + share * change
        raise RuntimeError("Newton did not converge: the peer's time would mean nothing")

    def _conjugate(self, matrix: Any, right: Array) -> Array:
        inverse, iterations = 1 / matrix.diagonal(), 0

        def count(_: Array) -> None:
            nonlocal iterations
            iterations += 1

        jacobi = LinearOperator(matrix.shape, matvec=lambda r: inverse * r)
        found, _ = cg(matrix, right, rtol=CG_TOLERANCE, M=jacobi, callback=count)
        self.moved_bytes += iterations * (12 * matrix.nnz + 8 * VECTORS_PER_CG * right.size)
        return found


def needles(*, question: dict[str, Any], spaced: str, coarsest_mm: float, step_s: float) -> dict[str, Any]:
    """One octant of the box."""
    asked = Needles.read(question)
    across, along = octant_lines(asked, spaced=spaced, coarsest_m=coarsest_mm * 1e-3)
    mesh = _Mesh(Basis(MeshHex.init_tensor(across, across, along), ElementHex1()), SOFT_TISSUE)
    x, y, z = mesh.nodes
    inside = cold(asked, x, y, z, half_side_m=0.0 if spaced == "equal" else HALF_SIDE_M)
    outer = np.maximum(np.maximum(x, y), z) > asked.half_box_m - 1e-9
    t, steps = np.full(x.size, REST_DEGC), 0
    for duration_s, on in asked.phases:
        t = np.where(inside & on, SURFACE_DEGC, t)
        t, more = mesh.play(t, outer | (inside & on), duration_s, step_s)
        steps += more
    order = np.lexsort((z, y, x))
    field = Field((across, across, along), t[order].reshape(across.size, across.size, along.size))
    return {
        "cells": (across.size - 1) ** 2 * (along.size - 1),
        "unknowns": x.size,
        "steps": steps,
        "step_kind": "implicit",
        "moved_GB": mesh.moved_bytes / 1e9,
        "front_mm": front_mm(field, asked.directions).tolist(),
    }


def axisymmetric(*, first_mm: float, coarsest_mm: float, step_s: float) -> dict[str, Any]:
    """One round needle in r and z: the radius and the reach of 0 degC in mm. The needle benchmark's reference."""
    growth, half_box_m, tip_m = 1.15, ONE.half_box_m, ACTIVE_M / 2

    def beyond(length_m: float) -> Array:
        return growing(length_m, first_mm * 1e-3, coarsest_mm * 1e-3, growth=growth)

    inner = NEEDLE_RADIUS_M * np.array((0.0, 0.5, 0.8, 1.0))
    r = np.unique(np.concatenate([inner, NEEDLE_RADIUS_M + beyond(half_box_m - NEEDLE_RADIUS_M)]).round(9))
    z = np.unique(np.concatenate([tip_m - beyond(tip_m), tip_m + beyond(half_box_m - tip_m)]).round(9))
    mesh = _Mesh(Basis(MeshQuad.init_tensor(r, z), ElementQuad1()), SOFT_TISSUE, round_axis=True)
    x, y = mesh.nodes
    inside = (x <= NEEDLE_RADIUS_M + 1e-9) & (y <= tip_m + 1e-9)
    outer = np.maximum(x, y) > half_box_m - 1e-9
    t, _ = mesh.play(np.where(inside, SURFACE_DEGC, REST_DEGC), inside | outer, ONE.duration_s, step_s, direct=True)
    values = t[np.lexsort((y, x))].reshape(r.size, z.size)
    field = Field((r, np.zeros(1), z), values[:, None, :])
    return {"cells": (r.size - 1) * (z.size - 1), "front_mm": _along_axes_mm(field)}


def _along_axes_mm(field: Field) -> list[float]:
    found = []
    for axis, values in (
        (field.axes[0], field.temperature_degC[:, 0, 0]),
        (field.axes[2], field.temperature_degC[0, 0]),
    ):
        n = int(np.flatnonzero(values < 0)[-1])
        found.append(1e3 * float(axis[n] - values[n] * (axis[n + 1] - axis[n]) / (values[n + 1] - values[n])))
    return found


def column(*, spacing_mm: float, step_s: float) -> dict[str, Any]:
    """Water that freezes from its end, in one dimension."""
    lines = np.linspace(0, COLUMN_M, round(1e3 * COLUMN_M / spacing_mm) + 1)
    mesh = _Mesh(Basis(MeshLine(lines), ElementLineP1()), WATER)
    held = np.isin(np.arange(lines.size), (0, lines.size - 1))
    t, fronts, now_s = np.full(lines.size, FAR_DEGC), [], 0.0
    t[0] = WALL_DEGC
    for until_s in WATCHED_S:
        t, _ = mesh.play(t, held, until_s - now_s, step_s, direct=True)
        fronts.append(1e3 * float(WATER.ice_frac(t) @ mesh.lumped))
        now_s = until_s
    return {"cells": lines.size - 1, "front_mm": fronts}
