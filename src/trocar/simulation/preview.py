"""Many alternatives of a freezing step on one coarse lattice: the `Predictor` that planning is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from trocar.catalog.tissues import tissues
from trocar.errors import CaseError
from trocar.imaging.distance import distance_field, surface_points
from trocar.materials import TissueMap, tissue_map
from trocar.materials.mapping import PROPERTIES
from trocar.materials.placing import onto
from trocar.model.case import Case
from trocar.model.forecast import AS_SEEN, Forecast, Layer, TissueChange
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement, ProtocolPhase, Step
from trocar.physics.batch import Job, play_many
from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.medium import Medium
from trocar.physics.source import Ramp
from trocar.simulation.domain import line, probes, shared_grid
from trocar.simulation.exposure import WATCHED, trilinear
from trocar.simulation.thermal import ramps

STEP_S = 20.0  # -20 and -40 degC within 0.1 mm of shorter steps (thermal reference 9.1)
SENSOR_STEP_MM = 1.0
LAYER_FLUIDS = ("water", "gas")


def predict(
    case: Case,
    steps: Sequence[Step],
    *,
    spacing_mm: float,
    perfusion_scale: float = 1.0,
    changes: Sequence[TissueChange] = (),
    implants: Sequence[Placement] = (),
) -> tuple[Forecast, ...]:
    """What each of several alternative steps does to tissue at rest, the whole protocol with its thaws.

    Raises `CaseError` for changes that are neither none nor one for each step, or for a layer that cannot be.
    """
    if changes and len(changes) != len(steps):
        raise CaseError(f"{len(changes)} changes of the tissue for {len(steps)} steps")
    if not steps:
        return ()
    grid = shared_grid(case, steps, spacing_mm)
    scene = _scene(case, grid, perfusion_scale, tuple(implants))
    asked = list(zip(steps, changes or [AS_SEEN] * len(steps), strict=True))
    found = play_many(
        scene.prepared, (_job(case, scene, *each) for each in asked), partial(_read, scene), longest_s=STEP_S
    )
    return tuple(
        replace(forecast, volumes_ml=_volumes_ml(case, scene, change))
        for forecast, (_, change) in zip(found, asked, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A box of tissue and the points of its structures."""

    tissue: TissueMap
    prepared: Prepared
    sensors: tuple[tuple[str, Array, Array], ...]  # name, (n, 8) flat cells and weights


@lru_cache(maxsize=4)
def _scene(case: Case, grid: Grid, perfusion_scale: float, implants: tuple[Placement, ...]) -> _Scene:
    tissue = tissue_map(case, grid, implants=implants)
    medium = tissue.medium
    if perfusion_scale != 1.0:
        left = np.where(tissue.lesion, np.float32(perfusion_scale), np.float32(1.0))
        medium = replace(medium, perfusion_W_per_m3K=medium.perfusion_W_per_m3K * left)
    return _Scene(replace(tissue, medium=medium), Prepared.of(medium), _sensors(case, grid))


@lru_cache(maxsize=64)
def _surface(case: Case, name: str) -> Array:
    return surface_points(case.structure(name), case.grid, step_mm=SENSOR_STEP_MM)


def _sensors(case: Case, grid: Grid) -> tuple[tuple[str, Array, Array], ...]:
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
        medium=None if change == AS_SEEN else _changed(case, scene.tissue, change),
    )


def _drives(
    phase: ProtocolPhase, needles: tuple[Placement, ...], grid: Grid, solver: HeatSolver
) -> tuple[Ramp | None, ...]:
    return ramps(phase, needles, solver, grid)


def _read(scene: _Scene, solver: HeatSolver) -> Forecast:
    grid = scene.tissue.grid
    flat = solver.damage.minimum_degC.reshape(-1).copy()
    exposures = {
        name: float(np.einsum("nc,nc->n", flat[cells], weights).min()) for name, cells, weights in scene.sensors
    }
    return Forecast(minimum_degC=Volume(grid=grid, values=flat.reshape(grid.shape), unit="degC"), exposures=exposures)


# --- changes of the tissue


def _changed(case: Case, tissue: TissueMap, change: TissueChange) -> Medium:
    medium = tissue.medium
    stiff = np.where(tissue.bone, np.float32(change.bone_conductivity_scale), np.float32(1.0))
    values = {name: getattr(medium, name) for name in PROPERTIES if getattr(medium, name, None) is not None}
    values["unfrozen_W_per_mK"] = medium.unfrozen_W_per_mK * stiff
    values["frozen_W_per_mK"] = medium.frozen_W_per_mK * stiff
    values["perfusion_W_per_m3K"] = medium.perfusion_W_per_m3K * np.float32(change.blood_scale)
    for layer in change.layers:
        inside = _layer_cells(case, tissue, layer)
        fluid = tissues()[layer.fluid]
        values = {name: np.where(inside, np.float32(PROPERTIES[name](fluid)), field) for name, field in values.items()}
    skin = medium.exchange_W_per_m2K if change.skin_W_per_m2K is None else change.skin_W_per_m2K
    return replace(medium, exchange_W_per_m2K=skin, **values)


def _layer_cells(case: Case, tissue: TissueMap, layer: Layer) -> Array:
    """[i, j, k] the cells of soft tissue within the layer's thickness of the structure: not bone, not the lesion."""
    if layer.fluid not in LAYER_FLUIDS:
        raise CaseError(f"{layer.fluid!r} is no fluid for a layer", hint=f"there are: {', '.join(LAYER_FLUIDS)}")
    inside = np.zeros(tissue.grid.shape, dtype=bool)
    placed = onto(case.structure(layer.structure), case.grid, tissue.grid)
    if placed is None:
        return inside
    inside[placed[0]] |= placed[1]
    distance = distance_field(inside, tissue.grid)
    soft = ~(tissue.bone | tissue.lesion | tissue.medium.held | inside)
    if tissue.medium.outside is not None:
        soft &= ~tissue.medium.outside
    found: Array = soft & (distance <= layer.thickness_mm)
    return found


def _volumes_ml(case: Case, scene: _Scene, change: TissueChange) -> dict[str, float]:
    voxel_ml = scene.tissue.grid.voxel_ml
    return {layer.structure: float(_layer_cells(case, scene.tissue, layer).sum()) * voxel_ml for layer in change.layers}
