"""A case reflected left to right: what was left is right, in the image, in every name and in the clinical file."""

from dataclasses import replace

import numpy as np

from trocar.model.case import Case, Clinical, Side, Structure
from trocar.model.space import Grid, Volume, as_matrix4

_REFLECT = np.diag([-1.0, 1.0, 1.0, 1.0])


def mirrored(case: Case) -> Case:
    """The case reflected in the plane x = 0; reflected twice it is itself."""
    return replace(
        case,
        case_id=_named(case.case_id),
        ct=_volume(case.ct),
        structures=tuple(_structure(structure) for structure in case.structures),
        clinical=_clinical(case.clinical),
        phases={name: _volume(phase) for name, phase in case.phases.items()},
    )


def _grid(grid: Grid) -> Grid:
    """The reflected grid, its first axis turned around so that it stays right-handed."""
    turn = np.eye(4)
    turn[0, 0], turn[0, 3] = -1.0, grid.shape[0] - 1
    return Grid(shape=grid.shape, lps_from_ijk=as_matrix4(_REFLECT @ grid.matrix @ turn))


def _volume(volume: Volume) -> Volume:
    return Volume(grid=_grid(volume.grid), values=np.ascontiguousarray(volume.values[::-1]), unit=volume.unit)


def _structure(structure: Structure) -> Structure:
    return replace(
        structure,
        name=_named(structure.name),
        side=_side(structure.side),
        inside=np.ascontiguousarray(structure.inside[::-1]),
        centerline_lps_mm=tuple((-x, y, z) for x, y, z in structure.centerline_lps_mm),
    )


def _clinical(clinical: Clinical) -> Clinical:
    return replace(
        clinical,
        decision=replace(clinical.decision, side=_side(clinical.decision.side)),
        lesion=tuple(replace(lesion, name=_named(lesion.name), side=_side(lesion.side)) for lesion in clinical.lesion),
    )


def _side(side: Side | None) -> Side | None:
    return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(side, side) if side is not None else None


def _named(name: str) -> str:
    """The name with left and right exchanged."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(part, part) for part in name.split("_"))
