"""Heating steps played in tissue at rest on a coarse lattice: the `HeatPredictor` that planning is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from trocar.catalog import limit
from trocar.catalog.tolerances import HOT_LIMIT_OF_ROLE
from trocar.errors import CaseError, SolverError
from trocar.materials import TissueMap
from trocar.model.case import Case, Role
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import NOT_EMBOLIZED, AfterEmbolization, HeatForecast
from trocar.model.space import Array, Grid, Volume
from trocar.model.state import TissueState
from trocar.model.treatment import Placement, Step
from trocar.physics.dose import HeatDose
from trocar.physics.heat import HeatSolver
from trocar.simulation.afterwards import Place, turned
from trocar.simulation.channels import Channel
from trocar.simulation.domain import shared_grid
from trocar.simulation.heating import heated_solver, play_phase, require_heating
from trocar.simulation.hotzones import coolness
from trocar.simulation.preview import sensors
from trocar.simulation.refinement import LIMIT_MM, refined, refinement_checks, surface_shift_mm
from trocar.simulation.session import Played, dose_fields, tissue_of, untouched
from trocar.simulation.sources import channels


def predict_heat(
    case: Case,
    steps: Sequence[Step],
    *,
    spacing_mm: float,
    embolized: AfterEmbolization = NOT_EMBOLIZED,
    implants: Sequence[Placement] = (),
) -> tuple[HeatForecast, ...]:
    """What each of several alternative heating steps does to tissue at rest, the whole protocol with its waits.

    Structures that still warm towards their limit then are followed on until they have turned.
    Raises `CaseError` for a step that cannot be played on such a lattice, `CatalogError` for what is not known enough.
    """
    if not steps:
        return ()
    grid = shared_grid(case, steps, spacing_mm)
    return tuple(_forecast(case, step, _scene(case, grid, step.lesion, embolized, tuple(implants))) for step in steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A box of tissue at rest, and the points of its structures."""

    tissue: TissueMap
    state: TissueState
    sensors: tuple[tuple[str, Array, Array], ...]  # name, (n, 8) flat cells and weights
    limited: tuple[Place, ...]  # those of them with a limit of heat


@lru_cache(maxsize=3)
def _scene(
    case: Case, grid: Grid, lesion: str, embolized: AfterEmbolization, implants: tuple[Placement, ...]
) -> _Scene:
    left, oil = embolized.perfusion_of(lesion), embolized.oil_of(lesion)
    state = untouched(grid).after(implants=implants, perfusion_left_frac=left, oil_frac=oil)
    tissue = tissue_of(case, state, boils=True)
    seen = sensors(case, grid)
    keys = {structure.name: HOT_LIMIT_OF_ROLE.get(structure.role) for structure in case.structures}
    limited = tuple(Place(limit(key).value, *at) for name, *at in seen if (key := keys[name]))
    return _Scene(tissue, state, seen, limited)


def _forecast(case: Case, step: Step, scene: _Scene) -> HeatForecast:
    solver, sources = _played(case, step, scene)
    grid, dose = scene.tissue.grid, _dose(solver)
    fields = dose_fields(dose, grid)
    turned(solver, scene.limited, heats=True)
    hottest, burnt = dose.maximum_degC.reshape(-1), dose.omega_skin.reshape(-1)
    skin = {item.name for item in case.with_role(Role.SKIN)}
    burns = [_most(burnt, cells, weights) for name, cells, weights in scene.sensors if name in skin]
    logs = [source.trace(step.id) for source in sources]
    working = [t for log in logs for t, phase in zip(log.time_s, log.phase, strict=True) if phase != "done"]
    return HeatForecast(
        maximum_degC=Volume(grid=grid, values=fields["maximum_degC"], unit="degC"),
        omega=Volume(grid=grid, values=fields["omega"], unit="1"),
        cem43_min=Volume(grid=grid, values=fields["cem43_min"], unit="min"),
        exposures={name: _most(hottest, cells, weights) for name, cells, weights in scene.sensors},
        peaks={log.name: max(log.temperature_degC, default=float(hottest.min())) for log in logs},
        skin_omega=max(burns, default=None),
        heated_s=max(working, default=0.0),
    )


def _most(flat: Array, cells: Array, weights: Array) -> float:
    return float(np.einsum("nc,nc->n", flat[cells], weights).max())


def _played(case: Case, step: Step, scene: _Scene) -> tuple[HeatSolver, tuple[Channel, ...]]:
    require_heating(step)
    sources = channels(case, scene.tissue, step, scene.state)
    solver = heated_solver(scene.state, scene.tissue, sources)
    for phase in step.protocol:
        play_phase(solver, sources, step, phase, None)
    return solver, sources


def _dose(solver: HeatSolver) -> HeatDose:
    assert solver.dose is not None
    return solver.dose


# --- how far a coarser lattice moves the zones


def with_refinement(case: Case, step: Step, played: Played, *, embolized: AfterEmbolization) -> Played:
    """The step with how far a lattice twice as coarse moves its zones of heat: above the error, as a rule."""
    grid = played.state.grid
    spacing_mm = float(grid.spacing_mm[0])
    fine = coolness(played.state.heat_dose)
    try:
        coarse, coarse_grid = forecast_heat(case, step, spacing_mm=2 * spacing_mm, embolized=embolized)
    except (CaseError, SolverError):
        return replace(played, checks=(*played.checks, _unrefined(step, spacing_mm)))
    shifts = {
        name: round(surface_shift_mm(_volume(values, grid), _volume(coarse[name], coarse_grid), 0.0), 3)
        for name, values in fine.items()
    }
    checks = refinement_checks(step, shifts, spacing_mm=spacing_mm)
    return replace(played, checks=(*played.checks, *checks), states=refined(played.states, shifts))


def forecast_heat(
    case: Case, step: Step, *, spacing_mm: float, embolized: AfterEmbolization
) -> tuple[dict[str, Array], Grid]:
    """The fields whose negative part is each zone of heat, [i, j, k], after a step in tissue at rest."""
    grid = shared_grid(case, (step,), spacing_mm)
    solver, _ = _played(case, step, _scene(case, grid, step.lesion, embolized, ()))
    return coolness(dose_fields(_dose(solver), grid)), grid


def _volume(values: Array, grid: Grid) -> Volume:
    return Volume(grid=grid, values=values, unit="1")


def _unrefined(step: Step, spacing_mm: float) -> Check:
    return Check(
        name="grid_refinement", subject=step.id, value=None, limit=LIMIT_MM, unit="mm", verdict=Verdict.UNKNOWN,
        source="software default", message=f"{2 * spacing_mm:g} mm is too coarse for its instruments to compare with",
    )  # fmt: skip
