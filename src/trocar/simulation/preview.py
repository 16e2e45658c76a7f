"""Many alternatives of a freezing step on one coarse lattice: the `Predictor` that planning is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.distance import surface_points
from trocar.materials import TissueMap, tissue_map
from trocar.materials.layers import layer_cells, pushed
from trocar.materials.native import native_tissue
from trocar.model.case import Case
from trocar.model.forecast import AS_SEEN, NOT_EMBOLIZED, AfterEmbolization, Forecast, TissueChange
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement, ProtocolPhase, Step
from trocar.physics.batch import Job, play_many
from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.medium import Medium
from trocar.physics.source import Ramp
from trocar.simulation.domain import active_segment, line, probes, shared_grid
from trocar.simulation.exposure import WATCHED, trilinear
from trocar.simulation.thermal import ramps

STEP_S_PER_MM, MOST_STEP_S = 30.0, 60.0  # of spacing: nerves within 0.7 K at 3 mm, less than what the lattice is off
SENSOR_STEP_MM = 1.0


def predict(
    case: Case,
    steps: Sequence[Step],
    *,
    spacing_mm: float,
    embolized: AfterEmbolization = NOT_EMBOLIZED,
    changes: Sequence[TissueChange] = (),
    implants: Sequence[Placement] = (),
) -> tuple[Forecast, ...]:
    """What each of several alternative steps on one lesion does to tissue at rest, the whole protocol with its thaws.

    Raises `CaseError` for changes that are neither none nor one for each step, or for a layer that cannot be.
    """
    if changes and len(changes) != len(steps):
        raise CaseError(f"{len(changes)} changes of the tissue for {len(steps)} steps")
    if not steps:
        return ()
    grid = shared_grid(case, steps, spacing_mm)
    scene = _scene(case, grid, _Before(steps[0].lesion, embolized, tuple(implants)))
    asked = list(zip(steps, changes or [AS_SEEN] * len(steps), strict=True))
    step_s = min(STEP_S_PER_MM * spacing_mm, MOST_STEP_S)
    found = play_many(scene.prepared, (_job(case, scene, *each) for each in asked), _coldest, longest_s=step_s)
    return tuple(_forecast(case, scene, *each, flat) for each, flat in zip(asked, found, strict=True))


class _Before(NamedTuple):
    """What was done before the steps: to which lesion, and which screws are in."""

    lesion: str
    embolized: AfterEmbolization
    implants: tuple[Placement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A box of tissue and the points of its structures."""

    tissue: TissueMap
    prepared: Prepared
    sensors: tuple[tuple[str, Array, Array], ...]  # name, (n, 8) flat cells and weights
    before: _Before

    def shielded(self, case: Case, shield: Shield) -> TissueMap:
        """The tissue behind a shield."""
        return self.tissue if shield == UNSHIELDED else _tissue(case, self.tissue.grid, self.before, shield)


@lru_cache(maxsize=4)
def _scene(case: Case, grid: Grid, before: _Before) -> _Scene:
    tissue = _tissue(case, grid, before)
    return _Scene(tissue, Prepared.of(tissue.medium), sensors(case, grid), before)


def _tissue(case: Case, grid: Grid, before: _Before, shield: Shield = UNSHIELDED) -> TissueMap:
    lesion, embolized = before.lesion, before.embolized
    return tissue_map(
        case, grid, implants=before.implants, shield=shield, oil_frac=embolized.oil_of(lesion),
        perfusion_left_frac=embolized.perfusion_of(lesion),
    )  # fmt: skip


@lru_cache(maxsize=64)
def _surface(case: Case, name: str) -> Array:
    return surface_points(case.structure(name), case.grid, step_mm=SENSOR_STEP_MM)


def sensors(case: Case, grid: Grid) -> tuple[tuple[str, Array, Array], ...]:
    """Name, (n, 8) flat cells and weights of the surface points of every watched structure that the grid holds."""
    found = []
    for structure in case.with_role(*WATCHED):
        points = _surface(case, structure.name) if structure.inside.any() else np.zeros((0, 3))
        points = points[grid.contains(points)] if len(points) else points
        if len(points):
            found.append((structure.name, *trilinear(points, grid)))
    return tuple(found)


def _job(case: Case, scene: _Scene, step: Step, change: TissueChange) -> Job:
    grid, needles = scene.tissue.grid, probes(step)
    return Job(
        lines=tuple(line(needle, grid) for needle in needles),
        phases=tuple((phase.duration_s, partial(_drives, phase, needles, grid)) for phase in step.protocol),
        medium=None if change == AS_SEEN else _changed(case, scene, step, change),
    )


def _drives(
    phase: ProtocolPhase, needles: tuple[Placement, ...], grid: Grid, solver: HeatSolver
) -> tuple[Ramp | None, ...]:
    return ramps(phase, needles, solver, grid)


def _coldest(solver: HeatSolver) -> Array:
    return solver.damage.minimum_degC.reshape(-1).copy()


def _forecast(case: Case, scene: _Scene, step: Step, change: TissueChange, flat: Array) -> Forecast:
    grid = scene.tissue.grid
    exposures = {name: _least(flat, cells, weights) for name, cells, weights in scene.sensors}
    layers = _shield(step, change).layers
    native = native_tissue(case, grid)
    for layer in layers:
        if layer.structure in exposures:
            points = _surface(case, layer.structure)
            points = pushed(points[grid.contains(points)], grid, native, layer)
            exposures[layer.structure] = _least(flat, *trilinear(points, grid))
    return Forecast(
        minimum_degC=Volume(grid=grid, values=flat.reshape(grid.shape), unit="degC"),
        exposures=exposures,
        volumes_ml={
            layer.structure: float(layer_cells(case, grid, native, layer).sum()) * grid.voxel_ml for layer in layers
        },
    )


def _least(flat_degC: Array, cells: Array, weights: Array) -> float:
    return float(np.einsum("nc,nc->n", flat_degC[cells], weights).min())


# --- changes of the tissue


def _changed(case: Case, scene: _Scene, step: Step, change: TissueChange) -> Medium:
    shield = _shield(step, change)
    medium = scene.shielded(case, shield).medium
    stiff = np.where(scene.tissue.bone, np.float32(change.bone_conductivity_scale), np.float32(1.0))
    return replace(
        medium,
        unfrozen_W_per_mK=medium.unfrozen_W_per_mK * stiff,
        frozen_W_per_mK=medium.frozen_W_per_mK * stiff,
        perfusion_W_per_m3K=medium.perfusion_W_per_m3K * np.float32(change.blood_scale),
    )


def _shield(step: Step, change: TissueChange) -> Shield:
    """The change's, its layers clear of the step's own needles."""
    lines = tuple(active_segment(needle) for needle in probes(step))
    layers = tuple(layer if layer.clear_of else replace(layer, clear_of=lines) for layer in change.shield.layers)
    return replace(change.shield, layers=layers)
