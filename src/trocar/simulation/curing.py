"""Cement cures and gives off heat: how hot it and what lies beside it become, and when it sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trocar.catalog import limit
from trocar.catalog.tissues import curing, tissues
from trocar.imaging.resample import sample
from trocar.materials import REST_DEGC
from trocar.model.case import Role
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array, Grid
from trocar.model.state import TissueState
from trocar.model.treatment import Placement
from trocar.physics.damage import Damage
from trocar.physics.heat import HeatSolver, enthalpy_in
from trocar.physics.medium import Medium
from trocar.simulation.exposure import watch
from trocar.simulation.session import Session

GAS_J_PER_MOLK, ZERO_K = 8.314462618, 273.15
ROOM_MM = 25.0  # around the fresh cement: heat comes 22 mm far in its time
LASTS_S, STEP_S = 1800.0, 5.0
SET_FRAC = 0.95
SENSITIVE = (Role.NERVE, Role.CORD)
Box = tuple[slice, slice, slice]


@dataclass(slots=True, eq=False)
class Curing:
    """Cement on a lattice: the share cured [i, j, k] and the heat it gives off, for `HeatSolver.advance`."""

    fresh_frac: Array  # of each cell's volume
    cured_frac: Array

    @classmethod
    def of(cls, fresh_frac: Array) -> "Curing":
        """Cement as it is injected."""
        return cls(fresh_frac, np.full(fresh_frac.shape, curing().injected_frac))

    def heat_W_per_m3(self, solver: HeatSolver, step_s: float) -> Array:
        """Move the cure by a step, exactly for the temperature at its start, and tell the heat per volume."""
        law = curing()
        kelvin = solver.temperature_degC.astype(float) + ZERO_K
        rate_per_s = law.frequency_per_s * np.exp(-law.activation_J_per_mol / (GAS_J_PER_MOLK * kelvin))
        left = (1 - self.cured_frac) / self.cured_frac
        cured = 1 / (1 + left * np.exp(-np.minimum(rate_per_s * step_s, 700.0)))
        released = (cured - self.cured_frac) * self.fresh_frac * tissues()["cement"].density_kg_per_m3
        self.cured_frac = cured
        return (released * law.heat_J_per_kg / step_s).astype(np.float32)

    @property
    def share_set(self) -> float:
        """How much of the cement has cured, by volume."""
        return float((self.cured_frac * self.fresh_frac).sum() / self.fresh_frac.sum())


def curing_checks(
    session: Session, state: TissueState, fresh_frac: Array, beads: Sequence[Placement]
) -> tuple[Check, ...]:
    """What curing does, from a state whose tissue holds the fresh cement: peaks, the nerves beside it, its setting.

    It is told, not handed on: the next step takes the tissue as it was when the cement was injected.
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
    hottest = solver.temperature_degC.copy()
    sets_at_s: list[float] = []

    def follow(now: HeatSolver) -> None:
        np.maximum(hottest, now.temperature_degC, out=hottest)
        if not sets_at_s and cement.share_set >= SET_FRAC:
            sets_at_s.append(now.time_s)

    solver.advance(LASTS_S, longest_s=STEP_S, heating=cement.heat_W_per_m3, on_step=follow)
    peak = float(hottest[fresh_frac[box] > 0].max())
    return (_setting(sets_at_s, peak), *_beside(session, beads, hottest, grid))


def _beside(session: Session, beads: Sequence[Placement], hottest_degC: Array, grid: Grid) -> Iterator[Check]:
    """The nerves and the cord that the lattice reaches."""
    bound = limit("nerve_max_degC")
    for watched in watch(session.case, grid, [bead.axis for bead in beads], rest_degC=REST_DEGC):
        if watched.role in SENSITIVE:
            warmest = float(sample(hottest_degC, grid, watched.points_lps_mm, outside=REST_DEGC).max())
            yield Check(
                name=f"{watched.role.value}_temperature_beside_cement",
                subject=watched.name,
                value=round(warmest, 2),
                limit=bound.value,
                unit="degC",
                verdict=Verdict.FAIL if warmest > bound.value else Verdict.PASS,
                source=bound.source,
            )


def _setting(sets_at_s: Sequence[float], peak_degC: float) -> Check:
    found = f"hottest {peak_degC:.0f} degC, by a prior of its kinetics"
    return Check(
        name="cement_setting_time",
        value=round(sets_at_s[0] / 60, 1) if sets_at_s else None,
        limit=LASTS_S / 60,
        unit="min",
        verdict=Verdict.PASS if sets_at_s else Verdict.WARN,
        source="software default",
        message=found if sets_at_s else f"it does not set within {LASTS_S / 60:.0f} min of its injection; {found}",
    )


def _box(fresh_frac: Array, grid: Grid) -> Box:
    """The cells within reach of the fresh cement's heat."""
    cells, reach = np.argwhere(fresh_frac > 0), np.ceil(ROOM_MM / grid.spacing_mm).astype(int)
    low, high = np.maximum(cells.min(axis=0) - reach, 0), np.minimum(cells.max(axis=0) + reach + 1, grid.shape)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


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
