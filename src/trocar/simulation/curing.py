"""Cement cures and gives off heat: how hot it and what lies beside it become, and when it sets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trocar.catalog import limit
from trocar.catalog.tissues import curing, tissues
from trocar.imaging.surface import grown_bounds, slices
from trocar.materials import REST_DEGC
from trocar.model.case import Role
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Grid
from trocar.model.state import TissueState
from trocar.model.treatment import Placement
from trocar.physics.damage import Damage
from trocar.physics.heat import HeatSolver, enthalpy_in
from trocar.physics.medium import Medium
from trocar.simulation.exposure import Watched, watch
from trocar.simulation.session import Session

GAS_J_PER_MOLK, ZERO_K = 8.314462618, 273.15
ROOM_MM = 25.0  # around the fresh cement: heat comes 22 mm far in its time
LASTS_S, STEP_S = 1800.0, 5.0
SET_FRAC = 0.95
SPENT_FRAC, SPREADING_STEP_S = 0.999, 20.0  # of its heat: what it gave then only spreads, which longer steps follow
SENSITIVE = (Role.NERVE, Role.CORD)
Box = tuple[slice, slice, slice]


@dataclass(slots=True, eq=False)
class Curing:
    """Cement in some cells of a lattice: how far it has cured and the heat it gives off, for `HeatSolver.advance`."""

    shape: tuple[int, ...]
    cells: Array  # (n,) flat
    fresh_frac: Array  # (n,) of each cell's volume
    cured_frac: Array  # (n,)

    @classmethod
    def of(cls, fresh_frac: Array) -> "Curing":
        """Cement as it is injected: its share of each cell [i, j, k]."""
        cells = np.flatnonzero(fresh_frac)
        return cls(fresh_frac.shape, cells, fresh_frac.ravel()[cells], np.full(cells.size, curing().injected_frac))

    def heat_W_per_m3(self, solver: HeatSolver, step_s: float) -> Array:
        """Move the cure by a step, exactly for the temperature at its start, and tell the heat per volume [i, j, k]."""
        law = curing()
        kelvin = solver.temperature_at(self.cells).astype(float) + ZERO_K
        rate_per_s = law.frequency_per_s * np.exp(-law.activation_J_per_mol / (GAS_J_PER_MOLK * kelvin))
        left = (1 - self.cured_frac) / self.cured_frac
        cured = 1 / (1 + left * np.exp(-np.minimum(rate_per_s * step_s, 700.0)))
        released = (cured - self.cured_frac) * self.fresh_frac * tissues()["cement"].density_kg_per_m3
        self.cured_frac = cured
        heat = np.zeros(self.shape, np.float32)
        heat.ravel()[self.cells] = released * law.heat_J_per_kg / step_s
        return heat

    @property
    def share_set(self) -> float:
        """How much of the cement has cured, by volume."""
        return float((self.cured_frac * self.fresh_frac).sum() / self.fresh_frac.sum())


def curing_checks(
    session: Session, state: TissueState, fresh_frac: Array, beads: Sequence[Placement], *, step: str
) -> tuple[Check, ...]:
    """What curing does, from a state whose tissue holds the fresh cement: peaks, the nerves beside it, its setting.

    The setting is that of all the cement of `step`, from its injection. It is told, not handed on: the next step takes
    the tissue as it was when the cement was injected.
    """
    if not fresh_frac.any():
        return ()
    box = _box(fresh_frac, state.grid)
    grid = state.grid.cropped([side.start for side in box], [side.stop for side in box])
    medium = _cut(session.tissue.medium, box)
    damage = Damage.fresh(medium.held.size, REST_DEGC)
    damage.open_frac = state.perfusion_frac[box].reshape(-1).astype(np.float32)
    solver = HeatSolver.restarted(
        medium, (), enthalpy_J_per_m3=enthalpy_in(medium, state.temperature_degC[box]), damage=damage, time_s=0.0
    )
    cement = Curing.of(fresh_frac[box].astype(float))
    beside = [
        watched
        for watched in watch(session.case, grid, [bead.axis for bead in beads], rest_degC=REST_DEGC)
        if watched.role in SENSITIVE
    ]
    hottest_degC = [float(solver.temperature_at(cement.cells).max())]
    sets_at_s: list[float] = []

    def follow(now: HeatSolver) -> None:
        hottest_degC.append(float(now.temperature_at(cement.cells).max()))
        for watched in beside:
            watched.see(now.temperature_at(watched.corners), now.time_s)
        if not sets_at_s and cement.share_set >= SET_FRAC:
            sets_at_s.append(now.time_s)

    heat = cement.heat_W_per_m3
    solver.advance(
        LASTS_S, longest_s=STEP_S, heating=heat, on_step=follow, until=lambda: cement.share_set >= SPENT_FRAC
    )
    solver.advance(max(0.0, LASTS_S - solver.time_s), longest_s=SPREADING_STEP_S, heating=heat, on_step=follow)
    return (_setting(step, sets_at_s, max(hottest_degC)), *(_beside(watched) for watched in beside))


def _beside(watched: Watched) -> Check:
    """How warm a nerve or the cord beside the cement became."""
    bound, warmest = limit("nerve_max_degC"), float(watched.highest_degC.max())
    return Check(
        name=f"{watched.role.value}_temperature_beside_cement",
        subject=watched.name,
        value=round(warmest, 2),
        limit=bound.value,
        unit="degC",
        verdict=Verdict.FAIL if warmest > bound.value else Verdict.PASS,
        source=bound.source,
    )


def _setting(step: str, sets_at_s: Sequence[float], peak_degC: float) -> Check:
    found = f"hottest {peak_degC:.0f} degC, by a prior of its kinetics"
    return Check(
        name="cement_setting_time",
        subject=step,
        value=round(sets_at_s[0] / 60, 1) if sets_at_s else None,
        limit=LASTS_S / 60,
        unit="min",
        verdict=Verdict.PASS if sets_at_s else Verdict.WARN,
        source="software default",
        message=found if sets_at_s else f"it does not set within {LASTS_S / 60:.0f} min of its injection; {found}",
    )


def _box(fresh_frac: Array, grid: Grid) -> Box:
    """The cells within reach of the fresh cement's heat."""
    return slices(*grown_bounds(fresh_frac > 0, np.ceil(ROOM_MM / grid.spacing_mm).astype(int)))


def _cut(medium: Medium, box: Box) -> Medium:
    """A part of a medium, held at rest at its walls."""
    names = (
        "unfrozen_W_per_mK", "frozen_W_per_mK", "unfrozen_J_per_m3K", "frozen_J_per_m3K", "latent_J_per_m3",
        "perfusion_W_per_m3K", "held", "held_degC",
    )  # fmt: skip
    cut: dict[str, Any] = {name: np.ascontiguousarray(getattr(medium, name)[box]) for name in names}
    for name in ("outside", "vapor_J_per_m3"):
        values = getattr(medium, name)
        cut[name] = None if values is None else np.ascontiguousarray(values[box])
    return replace(medium, **cut)
