"""Where fluid or gas goes that is put around a structure, and where the structure then lies."""

from typing import Protocol

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.distance import distance_field
from trocar.materials.placing import onto
from trocar.model.case import Case
from trocar.model.shield import Layer
from trocar.model.space import Array, Grid, Segment
from trocar.physics.lines import CUT_SIGMAS

LAYER_FLUIDS = ("water", "gas")
NEEDLE_CELLS = CUT_SIGMAS + 1.0  # what a needle exchanges heat with stays tissue


class Masks(Protocol):
    """[i, j, k] cells of an untreated grid: what no fluid displaces."""

    @property
    def held(self) -> Array: ...
    @property
    def outside(self) -> Array: ...
    @property
    def lesion(self) -> Array: ...
    @property
    def bone(self) -> Array: ...


def layer_cells(case: Case, grid: Grid, masks: Masks, layer: Layer) -> Array:
    """[i, j, k] the cells of soft tissue within the layer's thickness of its structure.

    Raises `CaseError` for an unknown structure or fluid, or a thickness or temperature that makes no sense.
    """
    _require_sense(layer)
    inside = np.zeros(grid.shape, dtype=bool)
    placed = onto(case.structure(layer.structure), case.grid, grid)
    if placed is None:
        return inside
    inside[placed[0]] |= placed[1]
    soft = ~(masks.bone | masks.lesion | masks.held | masks.outside | inside)
    near = np.argwhere(soft & (distance_field(inside, grid) <= layer.thickness_mm))
    centers = grid.to_lps(near).reshape(-1, 3)
    reach_mm = NEEDLE_CELLS * float(grid.spacing_mm.max())
    for line in layer.clear_of:
        kept = line.distance_mm(centers) > reach_mm
        near, centers = near[kept], centers[kept]
    found = np.zeros(grid.shape, dtype=bool)
    found[tuple(near.T)] = True
    return found


def pushed(points_lps_mm: Array, grid: Grid, masks: Masks, layer: Layer) -> Array:
    """(n, 3) a structure's points on the grid, each away from the nearest needle, where neither bone nor air is."""
    if not layer.clear_of:
        return points_lps_mm
    feet = np.stack([_foot(line, points_lps_mm) for line in layer.clear_of])
    nearest = np.linalg.norm(points_lps_mm - feet, axis=2).argmin(axis=0)
    away = points_lps_mm - np.take_along_axis(feet, nearest[None, :, None], 0)[0]
    moved = points_lps_mm + layer.thickness_mm * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    cell = np.clip(np.rint(grid.to_ijk(moved)).astype(int), 0, np.asarray(grid.shape) - 1)
    free = grid.contains(moved) & ~(masks.bone | masks.outside)[tuple(cell.T)]
    found: Array = np.where(free[:, None], moved, points_lps_mm)
    return found


def _foot(line: Segment, points_lps_mm: Array) -> Array:
    along = np.clip((points_lps_mm - line.start_lps_mm) @ line.direction, 0.0, line.length_mm)
    return line.at(along)


def _require_sense(layer: Layer) -> None:
    if layer.fluid not in LAYER_FLUIDS:
        raise CaseError(f"{layer.fluid!r} is no fluid for a layer", hint=f"there are: {', '.join(LAYER_FLUIDS)}")
    if not 0 < layer.thickness_mm <= 50:
        raise CaseError(f"a layer of {layer.thickness_mm:g} mm makes no sense", hint="above 0, at most 50 mm")
    if not 4 <= layer.temperature_degC <= 45:
        raise CaseError(
            f"a layer at {layer.temperature_degC:g} degC makes no sense", hint="4 to 45 degC: about 37 beside ice"
        )
