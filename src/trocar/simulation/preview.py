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
from trocar.model.space import Array, Grid, Segment, Volume
from trocar.model.treatment import Placement, ProtocolPhase, Step
from trocar.physics.batch import Job, play_many
from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.lines import CUT_SIGMAS
from trocar.physics.medium import Medium
from trocar.physics.source import Ramp
from trocar.simulation.domain import active_segment, line, probes, shared_grid
from trocar.simulation.exposure import WATCHED, trilinear
from trocar.simulation.thermal import ramps

STEP_S = 20.0  # -20 and -40 degC within 0.1 mm of shorter steps (thermal reference 9.1)
SENSOR_STEP_MM = 1.0
NEEDLE_CELLS = CUT_SIGMAS + 1.0
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
    found = play_many(scene.prepared, (_job(case, scene, *each) for each in asked), _coldest, longest_s=STEP_S)
    return tuple(_forecast(case, scene, *each, flat) for each, flat in zip(asked, found, strict=True))


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
    return _Scene(replace(tissue, medium=medium), Prepared.of(medium), sensors(case, grid))


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
        medium=None if change == AS_SEEN else _changed(case, scene.tissue, step, change),
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
    for layer in change.layers:
        if layer.structure in exposures:
            points = _pushed(case, scene.tissue, step, layer)
            exposures[layer.structure] = _least(flat, *trilinear(points, grid))
    return Forecast(
        minimum_degC=Volume(grid=grid, values=flat.reshape(grid.shape), unit="degC"),
        exposures=exposures,
        volumes_ml={
            layer.structure: float(_layer_cells(case, scene.tissue, step, layer).sum()) * grid.voxel_ml
            for layer in change.layers
        },
    )


def _least(flat_degC: Array, cells: Array, weights: Array) -> float:
    return float(np.einsum("nc,nc->n", flat_degC[cells], weights).min())


# --- changes of the tissue


def _changed(case: Case, tissue: TissueMap, step: Step, change: TissueChange) -> Medium:
    medium = tissue.medium
    stiff = np.where(tissue.bone, np.float32(change.bone_conductivity_scale), np.float32(1.0))
    values = {name: getattr(medium, name) for name in PROPERTIES if getattr(medium, name, None) is not None}
    values["unfrozen_W_per_mK"] = medium.unfrozen_W_per_mK * stiff
    values["frozen_W_per_mK"] = medium.frozen_W_per_mK * stiff
    values["perfusion_W_per_m3K"] = medium.perfusion_W_per_m3K * np.float32(change.blood_scale)
    for layer in change.layers:
        inside = _layer_cells(case, tissue, step, layer)
        fluid = tissues()[layer.fluid]
        values = {name: np.where(inside, np.float32(PROPERTIES[name](fluid)), field) for name, field in values.items()}
    skin = medium.exchange_W_per_m2K if change.skin_W_per_m2K is None else change.skin_W_per_m2K
    return replace(medium, exchange_W_per_m2K=skin, **values)


def _layer_cells(case: Case, tissue: TissueMap, step: Step, layer: Layer) -> Array:
    """[i, j, k] the cells of soft tissue within the layer's thickness of the structure: not bone, not the lesion.

    Nor those a needle exchanges heat with: it lies in tissue.
    """
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
    near = np.argwhere(soft & (distance <= layer.thickness_mm))
    centers = tissue.grid.to_lps(near).reshape(-1, 3)
    reach_mm = NEEDLE_CELLS * float(tissue.grid.spacing_mm.max())
    for needle in probes(step):
        kept = active_segment(needle).distance_mm(centers) > reach_mm
        near, centers = near[kept], centers[kept]
    found = np.zeros(tissue.grid.shape, dtype=bool)
    found[tuple(near.T)] = True
    return found


def _pushed(case: Case, tissue: TissueMap, step: Step, layer: Layer) -> Array:
    """(n, 3) the structure's points, each away from the nearest probe by the layer, where neither bone nor air is."""
    points = _surface(case, layer.structure)
    points = points[tissue.grid.contains(points)]
    feet = np.stack([_foot(active_segment(needle), points) for needle in probes(step)])
    offset = (
        points - np.take_along_axis(feet, np.linalg.norm(points - feet, axis=2).argmin(axis=0)[None, :, None], 0)[0]
    )
    moved = points + layer.thickness_mm * offset / np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-6)
    free = tissue.grid.contains(moved)
    cell = np.clip(np.rint(tissue.grid.to_ijk(moved)).astype(int), 0, np.asarray(tissue.grid.shape) - 1)
    free &= ~tissue.bone[tuple(cell.T)]
    if tissue.medium.outside is not None:
        free &= ~tissue.medium.outside[tuple(cell.T)]
    found: Array = np.where(free[:, None], moved, points)
    return found


def _foot(segment: Segment, points_lps_mm: Array) -> Array:
    along = np.clip((points_lps_mm - segment.start_lps_mm) @ segment.direction, 0.0, segment.length_mm)
    return segment.at(along)
