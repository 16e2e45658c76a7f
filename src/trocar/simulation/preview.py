"""Many alternatives of a freezing step on one coarse lattice: the `Predictor` that planning is given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from trocar.catalog import limit
from trocar.catalog.tolerances import COLD_LIMIT_OF_ROLE
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
from trocar.simulation.afterwards import Place, turned
from trocar.simulation.domain import active_segment, line, probes, shared_grid
from trocar.simulation.exposure import WATCHED, trilinear
from trocar.simulation.thermal import ramps

STEP_S_PER_MM, MOST_STEP_S = 30.0, 60.0  # of spacing: nerves within 0.7 K at 3 mm, less than what the lattice is off
SENSOR_STEP_MM = 1.0
TURNED_S = 300.0  # after a freeze a nerve at 20 degC loses 0.2 K more, one at 33 degC 0.7; following them costs a tenth


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

    Where a protocol ends with less than five minutes of thaw, structures that cool towards their limit are followed on.
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
    found = {
        follows: iter(
            play_many(
                scene.prepared,
                (_job(case, scene, *each) for each in asked if _ends_cold(each[0]) is follows),
                scene.followed if follows else _coldest,
                longest_s=step_s,
            )
        )
        for follows in (False, True)
    }
    return tuple(_forecast(case, scene, *each, next(found[_ends_cold(each[0])])) for each in asked)


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
    limited: tuple[Place, ...]  # those of them with a limit of cold
    before: _Before

    def followed(self, solver: HeatSolver) -> tuple[Array, Array]:
        """Each cell's coldest moment, flat: up to now, and once what cools towards its limit has turned."""
        now, _ = _coldest(solver)
        turned(solver, self.limited)
        return now, _coldest(solver)[0]

    def shielded(self, case: Case, shield: Shield) -> TissueMap:
        """The tissue behind a shield."""
        return self.tissue if shield == UNSHIELDED else _tissue(case, self.tissue.grid, self.before, shield)


@lru_cache(maxsize=4)
def _scene(case: Case, grid: Grid, before: _Before) -> _Scene:
    tissue = _tissue(case, grid, before)
    seen = sensors(case, grid)
    keys = {structure.name: COLD_LIMIT_OF_ROLE.get(structure.role) for structure in case.structures}
    limited = tuple(Place(limit(key).value, *at) for name, *at in seen if (key := keys[name]))
    return _Scene(tissue, Prepared.of(tissue.medium), seen, limited, before)


def _tissue(case: Case, grid: Grid, before: _Before, shield: Shield = UNSHIELDED) -> TissueMap:
    lesion, embolized = before.lesion, before.embolized
    return tissue_map(
        case, grid, implants=before.implants, shield=shield, oil_frac=embolized.oil_of(lesion),
        perfusion_left_frac=embolized.perfusion_of(lesion),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _surfaces(case: Case) -> dict[str, Array]:
    """Surface points by structure, of those asked for so far."""
    return {}


def _surface(case: Case, name: str) -> Array:
    known = _surfaces(case)
    if name not in known:
        known[name] = surface_points(case.structure(name), case.grid, step_mm=SENSOR_STEP_MM)
    return known[name]


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


def _ends_cold(step: Step) -> bool:
    """Whether a protocol stops so soon after its last freeze that nerves near their limit still cool."""
    thaw_s = 0.0
    for phase in step.protocol:
        thaw_s = 0.0 if phase.phase == "freeze" else thaw_s + phase.duration_s
    return thaw_s < TURNED_S


def _coldest(solver: HeatSolver) -> tuple[Array, Array]:
    now = solver.damage.minimum_degC.reshape(-1).copy()
    return now, now


def _forecast(case: Case, scene: _Scene, step: Step, change: TissueChange, found: tuple[Array, Array]) -> Forecast:
    grid, (at_end, flat) = scene.tissue.grid, found
    exposures = {name: _least(flat, cells, weights) for name, cells, weights in scene.sensors}
    layers = _shield(step, change).layers
    native = native_tissue(case, grid)
    for layer in layers:
        if layer.structure in exposures:
            points = _surface(case, layer.structure)
            points = pushed(points[grid.contains(points)], grid, native, layer)
            exposures[layer.structure] = _least(flat, *trilinear(points, grid))
    return Forecast(
        minimum_degC=Volume(grid=grid, values=at_end.reshape(grid.shape), unit="degC"),
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
