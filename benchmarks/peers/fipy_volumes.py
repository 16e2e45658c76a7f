"""FiPy: finite volumes, enthalpy linearized in each sweep (Newton's method), Kirchhoff's variable, backward Euler."""

import os
from typing import Any

os.environ.setdefault("FIPY_SOLVERS", "scipy")

import numpy as np
from fipy import CellVariable, DiffusionTerm, FaceVariable, Grid1D, Grid3D, ImplicitSourceTerm
from fipy.solvers.scipy import LinearCGSolver, LinearLUSolver
from fipy.solvers.scipy.preconditioners.scipyPreconditioner import ScipyPreconditioner
from laws import SOFT_TISSUE, WATER, Array, Tissue
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
from scipy.sparse.linalg import LinearOperator

TOLERANCE_K, MOST_SWEEPS, CG_TOLERANCE = 0.02, 100, 1e-2
FIXED_PER_M2 = 1e12  # the source that holds a needle's cells: FiPy's way to fix what lies inside a mesh
VECTORS_PER_CG, MATRIX_PER_CG = 12, 1.5 * 7  # float64 moved per unknown and iteration, at least (7 entries, indices)


class _Jacobi(ScipyPreconditioner):
    """The diagonal, multiplied; FiPy's own solves a sparse system for it in every iteration."""

    def _applyToMatrix(self, matrix: Any) -> Any:
        inverse = 1 / matrix.diagonal()
        return LinearOperator(matrix.shape, lambda r: inverse * r), matrix


class _Volumes:
    """The equation on one mesh; `held` cells are fixed while they are wanted."""

    def __init__(self, mesh: Any, tissue: Tissue, rest_degC: float, faces: Any, solver: Any) -> None:
        self.mesh, self.tissue, self.solver, self.moved_bytes = mesh, tissue, solver, 0.0
        self.u = CellVariable(mesh=mesh, value=float(tissue.kirchhoff(np.float64(rest_degC))))
        self.slope, self.source, self.fixed = (CellVariable(mesh=mesh, value=0.0) for _ in range(3))
        self.equation = DiffusionTerm(coeff=faces) - ImplicitSourceTerm(self.slope + self.fixed) + self.source

    @property
    def temperature_degC(self) -> Array:
        return self.tissue.from_kirchhoff(self.u.value)[0]

    def play(self, duration_s: float, step_s: float, held: Array, held_degC: float) -> int:
        """A phase; returns the number of steps."""
        steps = round(duration_s / step_s)
        kept = float(self.tissue.kirchhoff(np.float64(held_degC)))
        u = self.u.value.copy()
        u[held] = kept
        self.u.setValue(u)
        self.fixed.setValue(np.where(held, FIXED_PER_M2, 0.0))
        for _ in range(steps):
            self._step(duration_s / steps, self.fixed.value * kept)
        return steps

    def _step(self, step_s: float, driving: Array) -> None:
        before = self.tissue.enthalpy(self.temperature_degC)
        for _ in range(MOST_SWEEPS):
            u = self.u.value.copy()
            t, slope = self.tissue.from_kirchhoff(u)
            self.slope.setValue(slope / step_s)
            self.source.setValue((slope * u - self.tissue.enthalpy(t) + before) / step_s + driving)
            self.equation.sweep(var=self.u, solver=self.solver)
            self.moved_bytes += self.solver.convergence.iterations * 8 * u.size * (VECTORS_PER_CG + MATRIX_PER_CG)
            new = self._not_beyond_a_kink(u, self.u.value)
            self.u.setValue(new)
            if np.abs(self.tissue.from_kirchhoff(new)[0] - t).max() < TOLERANCE_K:
                return
        raise RuntimeError("the sweeps did not converge: the peer's time would mean nothing")

    def _not_beyond_a_kink(self, u: Array, new: Array) -> Array:
        """A cell that starts or ends to freeze stops there for one sweep: Newton alone would swing about it."""
        for kink in (0.0, self.tissue.solidus_W_per_m):
            aside = 1e-6 * np.sign(new - kink)
            new = np.where((u - kink) * (new - kink) < -1e-12, kink + aside, new)
        return new


def needles(*, question: dict[str, Any], spaced: str, coarsest_mm: float, step_s: float) -> dict[str, Any]:
    """One octant of the box; mesh lines are the faces of cells."""
    asked = Needles.read(question)
    across, along = octant_lines(asked, spaced=spaced, coarsest_m=coarsest_mm * 1e-3)
    mesh = Grid3D(dx=np.diff(across), dy=np.diff(across), dz=np.diff(along))
    x, y, z = mesh.cellCenters.value
    inside = cold(asked, x, y, z, half_side_m=HALF_SIDE_M)
    volumes = _Volumes(mesh, SOFT_TISSUE, REST_DEGC, _face_factors(mesh, inside), _cg())
    outermost = mesh.exteriorFaces.value & (mesh.faceCenters.value.max(axis=0) > asked.half_box_m - 1e-9)
    volumes.u.constrain(float(SOFT_TISSUE.kirchhoff(np.float64(REST_DEGC))), where=outermost)
    steps = 0
    for duration_s, on in asked.phases:
        steps += volumes.play(duration_s, step_s, inside & on, SURFACE_DEGC)
    middles = [(line[1:] + line[:-1]) / 2 for line in (across, across, along)]
    field = Field(
        tuple(middles),  # type: ignore[arg-type]
        volumes.temperature_degC.reshape(tuple(m.size for m in middles), order="F"),
    )
    return {
        "cells": x.size,
        "unknowns": x.size,
        "steps": steps,
        "step_kind": "implicit",
        "moved_GB": volumes.moved_bytes / 1e9,
        "front_mm": front_mm(field, asked.directions).tolist(),
    }


def _face_factors(mesh: Any, inside: Array) -> Any:
    """1, but more between a needle and its neighbors: the needle's temperature is on the face, not in its middle."""
    first, second = np.ma.filled(mesh.faceCellIDs, -1)
    inner = second >= 0
    factor = np.ones(mesh.numberOfFaces)
    edge = inner & (inside[first] != inside[np.where(inner, second, first)])
    centers, faces = mesh.cellCenters.value, mesh.faceCenters.value
    tissue = np.where(inside[first], second, first)
    whole = np.linalg.norm(centers[:, second] - centers[:, first], axis=0)
    part = np.linalg.norm(centers[:, tissue] - faces, axis=0)
    factor[edge] = whole[edge] / part[edge]
    return FaceVariable(mesh=mesh, value=factor)


def _cg() -> Any:
    return LinearCGSolver(tolerance=CG_TOLERANCE, criterion="initial", iterations=2000, precon=_Jacobi())


def column(*, spacing_mm: float, step_s: float) -> dict[str, Any]:
    """Water that freezes from its end, in one dimension."""
    count = round(1e3 * COLUMN_M / spacing_mm)
    mesh = Grid1D(nx=count, dx=COLUMN_M / count)
    volumes = _Volumes(mesh, WATER, FAR_DEGC, FaceVariable(mesh=mesh, value=1.0), LinearLUSolver())
    volumes.u.constrain(float(WATER.kirchhoff(np.float64(WALL_DEGC))), where=mesh.facesLeft)
    volumes.u.constrain(float(WATER.kirchhoff(np.float64(FAR_DEGC))), where=mesh.facesRight)
    fronts, now_s = [], 0.0
    for until_s in WATCHED_S:
        volumes.play(until_s - now_s, step_s, np.zeros(count, dtype=bool), 0.0)
        fronts.append(1e3 * COLUMN_M / count * float(WATER.ice_frac(volumes.temperature_degC).sum()))
        now_s = until_s
    return {"cells": count, "front_mm": fronts}
