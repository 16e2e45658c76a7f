"""What every step of the fold shares: the case, the lattice and its tissue, and who watches."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from trocar.imaging.resample import sample
from trocar.materials import REST_DEGC, TissueMap, tissue_map
from trocar.model.case import Case
from trocar.model.finding import CementDeposit, Check, HeatingTrace, History, State
from trocar.model.space import Array, Grid, Segment, Volume
from trocar.model.state import TissueState
from trocar.physics.damage import THRESHOLDS_DEGC, Damage
from trocar.physics.dose import HeatDose
from trocar.physics.heat import HeatSolver, enthalpy_in
from trocar.physics.lines import Line
from trocar.simulation.exposure import Watched

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """The surroundings of a step. A step that changes the tissue itself hands on a session with the new one."""

    case: Case
    tissue: TissueMap
    watched: tuple[Watched, ...] = ()
    needles: tuple[Segment, ...] = ()  # where the plan freezes and heats
    measures: bool = True  # its zones and structures; else only what the tissue comes to
    on_progress: Progress | None = None

    def tell(self, fraction: float, text: str) -> None:
        """Report progress, if anyone listens."""
        if self.on_progress is not None:
            self.on_progress(min(1.0, fraction), text)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Played:
    """What a step leaves: the tissue after it, and what was found on the way."""

    state: TissueState
    session: Session
    states: tuple[State, ...] = ()
    histories: tuple[History, ...] = ()
    traces: tuple[HeatingTrace, ...] = ()
    deposits: tuple[CementDeposit, ...] = ()
    checks: tuple[Check, ...] = ()
    fields: dict[str, Volume] | None = None
    caveats: tuple[str, ...] = ()


def untouched(grid: Grid) -> TissueState:
    """Tissue at rest."""
    zero = np.zeros(grid.shape, np.float32)
    rest = np.full(grid.shape, REST_DEGC, np.float32)
    return TissueState(
        grid=grid,
        time_s=0.0,
        temperature_degC=rest,
        enthalpy_J_per_m3=zero,
        minimum_degC=rest,
        perfusion_frac=np.ones(grid.shape, np.float32),
        freezes=zero,
        cement_frac=zero,
    )


def solver_from(
    state: TissueState, tissue: TissueMap, lines: tuple[Line, ...] = (), *, heats: bool = False
) -> HeatSolver:
    """A solver that goes on from a state, in the same tissue; it follows the heat's dose once anything was heated."""
    damage = Damage(
        minimum_degC=state.minimum_degC.reshape(-1).copy(),
        open_frac=state.perfusion_frac.reshape(-1).astype(np.float32),
        freezes=state.freezes.reshape(-1).copy(),
        below_s=np.zeros((len(THRESHOLDS_DEGC), state.freezes.size), np.float32),
    )
    return HeatSolver.restarted(
        tissue.medium, lines, enthalpy_J_per_m3=state.enthalpy_J_per_m3, damage=damage, time_s=state.time_s,
        dose=dose_of(state) if heats or state.heat_dose else None,
    )  # fmt: skip


def dose_of(state: TissueState) -> HeatDose:
    """The heat's dose so far, in arrays of its own."""
    if not state.heat_dose:
        return HeatDose.fresh(state.freezes.size, REST_DEGC)
    return HeatDose(**{name: values.reshape(-1).copy() for name, values in state.heat_dose.items()})


def state_of(solver: HeatSolver, before: TissueState) -> TissueState:
    """The state a solver has reached."""
    shape = before.grid.shape
    damage = solver.damage
    return before.after(
        time_s=solver.time_s,
        temperature_degC=solver.temperature_degC.copy(),
        enthalpy_J_per_m3=solver.enthalpy_J_per_m3.copy(),
        minimum_degC=damage.minimum_degC.reshape(shape).copy(),
        perfusion_frac=damage.open_frac.reshape(shape).copy(),
        freezes=damage.freezes.reshape(shape).copy(),
        heat_dose={} if solver.dose is None else dose_fields(solver.dose, before.grid),
    )


def dose_fields(dose: HeatDose, grid: Grid) -> dict[str, Array]:
    """[i, j, k] copies of a dose's fields by name."""
    return {item.name: getattr(dose, item.name).reshape(grid.shape).copy() for item in fields(dose)}


def in_new_tissue(state: TissueState, tissue: TissueMap) -> TissueState:
    """The same temperatures where the tissue has been replaced (an implant, cement)."""
    return state.after(enthalpy_J_per_m3=enthalpy_in(tissue.medium, state.temperature_degC))


def tissue_of(case: Case, state: TissueState, *, boils: bool = False) -> TissueMap:
    """The tissue with all that a state says was done to it."""
    return tissue_map(
        case, state.grid, implants=state.implants, shield=state.shield, oil_frac=state.oil_frac,
        perfusion_left_frac=state.perfusion_left_frac, boils=boils,
        cement_frac=state.cement_frac if state.cement_frac.any() else None,
    )  # fmt: skip


def at_point(values_degC: Array, grid: Grid, point_lps_mm: ArrayLike) -> float:
    """The temperature at one point, that of rest outside the grid."""
    return float(sample(values_degC, grid, np.atleast_2d(point_lps_mm), outside=REST_DEGC)[0])
