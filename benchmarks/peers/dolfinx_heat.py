"""FEniCSx (dolfinx 0.5): Q1 hexahedra, lumped enthalpy, Kirchhoff's variable, backward Euler, damped Newton with PETSc.

Runs under the system's Python, where Debian's package python3-dolfinx puts it.
"""

from typing import Any

import numpy as np
import ufl
from dolfinx import fem, mesh
from dolfinx.fem.petsc import NonlinearProblem, create_matrix, create_vector
from laws import SOFT_TISSUE, WATER, Array, Tissue
from mpi4py import MPI
from petsc4py import PETSc
from questions import (
    COLUMN_M,
    FAR_DEGC,
    HALF_SIDE_M,
    REST_DEGC,
    SURFACE_DEGC,
    WALL_DEGC,
    WATCHED_S,
    Field,
    Needles,
    cold,
    front_mm,
    octant_lines,
)

NEWTON_TOLERANCE, LINEAR_TOLERANCE, MOST_NEWTONS = 1e-4, 1e-2, 60
VECTORS_PER_CG = 12  # float64 read or written per unknown and iteration, at least


def _enthalpy(u: Any, tissue: Tissue) -> Any:
    """H(u) in UFL."""
    mush = ufl.max_value(ufl.min_value(-u, -tissue.solidus_W_per_m), 0.0)
    depth = (ufl.sqrt(tissue.unfrozen_W_per_mK**2 + 2 * tissue.slope_W_per_mK2 * mush) - tissue.unfrozen_W_per_mK) / (
        tissue.slope_W_per_mK2
    )
    warm = ufl.max_value(u, 0.0) * (tissue.unfrozen_J_per_m3K / tissue.unfrozen_W_per_mK)
    cold_ = ufl.min_value(u - tissue.solidus_W_per_m, 0.0) * (tissue.frozen_J_per_m3K / tissue.frozen_W_per_mK)
    return warm - tissue.mush_J_per_m3K * depth + cold_


class _Elements:
    """The nonlinear problem on one mesh."""

    def __init__(self, domain: Any, tissue: Tissue, rest_degC: float, *, direct: bool) -> None:
        self.tissue, self.direct, self.moved_bytes = tissue, direct, 0.0
        self.space = fem.FunctionSpace(domain, ("CG", 1))
        self.u, self.before = fem.Function(self.space), fem.Function(self.space)
        self.u.x.array[:] = tissue.kirchhoff(np.float64(rest_degC))
        self.step_s = fem.Constant(domain, PETSc.ScalarType(1.0))
        v = ufl.TestFunction(self.space)
        corners = ufl.dx(metadata={"quadrature_rule": "GLL", "quadrature_degree": 1})  # lumps the mass
        gained = _enthalpy(self.u, tissue) - _enthalpy(self.before, tissue)
        self.form = gained / self.step_s * v * corners + ufl.dot(ufl.grad(self.u), ufl.grad(v)) * ufl.dx

    @property
    def nodes(self) -> Array:
        return self.space.tabulate_dof_coordinates()

    @property
    def temperature_degC(self) -> Array:
        return self.tissue.from_kirchhoff(self.u.x.array.copy())[0]

    def play(self, held: Array, held_degC: Array, duration_s: float, step_s: float) -> int:
        """A phase in which some nodes keep a temperature; returns the number of steps."""
        kept, steps = fem.Function(self.space), round(duration_s / step_s)
        kept.x.array[:] = self.tissue.kirchhoff(held_degC)
        self.u.x.array[held] = kept.x.array[held]
        self.step_s.value = duration_s / steps
        fixed = fem.dirichletbc(kept, np.flatnonzero(held).astype(np.int32))
        problem = NonlinearProblem(self.form, self.u, bcs=[fixed])
        linear, left, matrix = self._linear(), create_vector(problem.L), create_matrix(problem.a)
        for _ in range(steps):
            self.before.x.array[:] = self.u.x.array
            self._newton(problem, linear, left, matrix)
        return steps

    def _newton(self, problem: Any, linear: Any, left: Any, matrix: Any) -> None:
        """Like scikit-fem's beside it: the step is halved while the residual grows, six times at most."""
        u, change = self.u.vector, self.u.vector.duplicate()

        def residual() -> float:
            problem.form(u)
            problem.F(u, left)
            return float(left.norm())

        size = residual()
        scale = size
        for _ in range(MOST_NEWTONS):
            if size <= NEWTON_TOLERANCE * scale:
                return
            problem.J(u, matrix)
            matrix.assemble()
            linear.setOperators(matrix)
            linear.solve(left, change)
            start, share = u.copy(), 1.0
            u.axpy(-1.0, change)
            now = residual()
            while share > 1 / 64 and now >= size:
                share /= 2
                u.waxpy(-share, change, start)
                now = residual()
            size = now
        raise RuntimeError("Newton did not converge: the peer's time would mean nothing")

    def _linear(self) -> Any:
        linear = PETSc.KSP().create(MPI.COMM_SELF)
        linear.setType("preonly" if self.direct else "cg")
        linear.getPC().setType("lu" if self.direct else "jacobi")
        linear.setTolerances(rtol=LINEAR_TOLERANCE)
        linear.setMonitor(self._count)
        return linear

    def _count(self, linear: Any, iteration: int, _: float) -> None:
        if iteration:
            matrix = linear.getOperators()[0]
            entries = matrix.getInfo()["nz_used"]
            self.moved_bytes += 12 * entries + 8 * VECTORS_PER_CG * matrix.getSize()[0]


def needles(*, question: dict[str, Any], spaced: str, coarsest_mm: float, step_s: float) -> dict[str, Any]:
    """One octant of the box."""
    asked = Needles.read(question)
    across, along = octant_lines(asked, spaced=spaced, coarsest_m=coarsest_mm * 1e-3)
    lines = (across, across, along)
    domain = mesh.create_box(
        MPI.COMM_SELF, [[0.0] * 3, [float(line.size - 1) for line in lines]], [line.size - 1 for line in lines],
        cell_type=mesh.CellType.hexahedron,
    )  # fmt: skip
    for axis, line in enumerate(lines):
        domain.geometry.x[:, axis] = line[np.rint(domain.geometry.x[:, axis]).astype(int)]
    elements = _Elements(domain, SOFT_TISSUE, REST_DEGC, direct=False)
    x, y, z = elements.nodes.T
    inside = cold(asked, x, y, z, half_side_m=0.0 if spaced == "equal" else HALF_SIDE_M)
    outer = np.maximum(np.maximum(x, y), z) > asked.half_box_m - 1e-9
    steps = 0
    for duration_s, on in asked.phases:
        kept = np.where(inside & on, SURFACE_DEGC, REST_DEGC)
        steps += elements.play(outer | (inside & on), kept, duration_s, step_s)
    order = np.lexsort((z.round(9), y.round(9), x.round(9)))
    field = Field(lines, elements.temperature_degC[order].reshape(tuple(line.size for line in lines)))
    return {
        "cells": int(np.prod([line.size - 1 for line in lines])),
        "unknowns": x.size,
        "steps": steps,
        "step_kind": "implicit",
        "moved_GB": elements.moved_bytes / 1e9,
        "front_mm": front_mm(field, asked.directions).tolist(),
    }


def column(*, spacing_mm: float, step_s: float) -> dict[str, Any]:
    """Water that freezes from its end, in one dimension."""
    count = round(1e3 * COLUMN_M / spacing_mm)
    elements = _Elements(mesh.create_interval(MPI.COMM_SELF, count, [0.0, COLUMN_M]), WATER, FAR_DEGC, direct=True)
    x = elements.nodes[:, 0]
    held = (x < 1e-9) | (x > COLUMN_M - 1e-9)
    kept = np.where(x < 1e-9, WALL_DEGC, FAR_DEGC)
    lumped = np.where(held, 0.5, 1.0) * COLUMN_M / count
    fronts, now_s = [], 0.0
    for until_s in WATCHED_S:
        elements.play(held, kept, until_s - now_s, step_s)
        fronts.append(1e3 * float(WATER.ice_frac(elements.temperature_degC) @ lumped))
        now_s = until_s
    return {"cells": count, "front_mm": fronts}
