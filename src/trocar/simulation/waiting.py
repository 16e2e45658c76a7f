"""Passive thaw between steps, on a lattice twice as coarse: what thaws is smooth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trocar.imaging.resample import resample
from trocar.materials import REST_DEGC, tissue_map
from trocar.model.space import Array, Grid, Volume, as_matrix4
from trocar.model.state import TissueState
from trocar.physics.damage import Damage
from trocar.physics.heat import HeatSolver, enthalpy_in
from trocar.simulation.session import Session, at_point

STEP_S = 60.0


@dataclass(slots=True, eq=False)
class Thaw:
    """Tissue left to itself from a state on; `wait` moves it."""

    grid: Grid
    solver: HeatSolver

    @classmethod
    def after(cls, session: Session, state: TissueState) -> "Thaw":
        """The thaw that begins at a state."""
        grid = coarser(state.grid)
        cement = _onto(state.cement_frac, state.grid, grid, outside=0.0)
        medium = tissue_map(
            session.case,
            grid,
            implants=state.implants,
            cement_frac=cement,
            shield=state.shield,
            oil_frac=state.oil_frac,
            perfusion_left_frac=state.perfusion_left_frac,
        ).medium
        damage = Damage.fresh(int(np.prod(grid.shape)), REST_DEGC)
        damage.open_frac = _onto(state.perfusion_frac, state.grid, grid, outside=1.0).reshape(-1)
        cold = _onto(state.temperature_degC, state.grid, grid, outside=REST_DEGC)
        solver = HeatSolver.restarted(
            medium, (), enthalpy_J_per_m3=enthalpy_in(medium, cold), damage=damage, time_s=state.time_s
        )
        return cls(grid, solver)

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self.solver.advance(duration_s, longest_s=STEP_S)

    def at_degC(self, point_lps_mm: ArrayLike) -> float:
        """The temperature at a point now."""
        return at_point(self.solver.temperature_degC, self.grid, point_lps_mm)

    def until_s(self, point_lps_mm: ArrayLike, wanted_degC: float, *, longest_s: float) -> float | None:
        """Wait until a point is as warm as wanted, to within five minutes; `None` when it takes too long."""
        started_s = self.solver.time_s
        while self.solver.time_s - started_s < longest_s:
            self.wait(300.0)
            if self.at_degC(point_lps_mm) >= wanted_degC:
                return self.solver.time_s - started_s
        return None

    def reached(self, session: Session, before: TissueState) -> TissueState:
        """The state now, on the fine lattice of the one before."""
        warm = _onto(self.solver.temperature_degC, self.grid, before.grid, outside=REST_DEGC)
        return before.after(
            time_s=self.solver.time_s,
            temperature_degC=warm,
            enthalpy_J_per_m3=enthalpy_in(session.tissue.medium, warm),
            minimum_degC=np.minimum(before.minimum_degC, warm),
        )


def coarser(grid: Grid) -> Grid:
    """The same box at twice the spacing (at least to its far faces)."""
    matrix = grid.matrix.copy()
    matrix[:3, :3] *= 2
    shape = np.maximum(np.ceil((np.asarray(grid.shape) - 1) / 2).astype(int) + 1, 3)
    return Grid(shape=(int(shape[0]), int(shape[1]), int(shape[2])), lps_from_ijk=as_matrix4(matrix))


def _onto(values: Array, grid: Grid, onto: Grid, *, outside: float) -> Array:
    return resample(Volume(grid=grid, values=values, unit=""), onto, outside=outside).values.astype(np.float32)
