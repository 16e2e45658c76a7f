"""The faces of a front of full cells, the flow through them, and cells that pass on what they cannot hold."""

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array

SIDES = 6
FULL_FRAC = 1.0 - 1e-9


def front_flows(potential: Array, behind: Array, conductance: Array) -> Array:
    """(faces,) the flow from full cells to the front, which is at no pressure."""
    return np.maximum(potential[behind].astype(float) * conductance, 0.0)


@njit(**COMPILED)
def _beside(cell, side, shape):  # type: ignore[no-untyped-def]
    """The cell on one of the six sides of another, -1 beyond the lattice."""
    ny, nz = shape[1], shape[2]
    stride, count, place = 1, nz, cell % nz
    if side // 2 == 1:
        stride, count, place = nz, ny, (cell // nz) % ny
    elif side // 2 == 2:
        stride, count, place = ny * nz, shape[0], cell // (ny * nz)
    way = 2 * (side % 2) - 1
    return cell + way * stride if 0 <= place + way < count else -1


@njit(**COMPILED)
def faces(full, permeability, capacity, content, outlet, shape):  # type: ignore[no-untyped-def]
    """(n,) cells behind and ahead of each face of the front, and its conductance.

    Half a cell behind the face, then as much of the cell ahead as is filled; nothing more before an outlet.
    """
    most = SIDES * np.count_nonzero(full)
    behind, ahead, conductance = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    count = 0
    for cell in range(full.size):
        if not full[cell]:
            continue
        half = 0.5 / permeability[cell]
        for side in range(SIDES):
            other = _beside(cell, side, shape)
            if other < 0:
                continue
            if outlet[other] > 0:
                wetted = 0.0
            elif capacity[other] > 0.0 and not full[other]:
                wetted = content[other] / capacity[other] / permeability[other]
            else:
                continue
            behind[count], ahead[count], conductance[count] = cell, other, 1.0 / (half + wetted)
            count += 1
    return behind[:count], ahead[:count], conductance[:count]


@njit(**COMPILED)
def _share(cell, other, full, permeability, capacity, outlet):  # type: ignore[no-untyped-def]
    """How readily a neighbor takes the excess of a full cell: 0 when it cannot."""
    if other < 0:
        return np.float32(0)
    if outlet[other] > 0:
        return permeability[cell]
    return permeability[other] if capacity[other] > 0.0 and not full[other] else np.float32(0)


@njit(**COMPILED)
def _spill(cell, content, full, permeability, capacity, outlet, shape):  # type: ignore[no-untyped-def]
    """Share a full cell's excess among its neighbors by permeability; what none of them takes is returned."""
    excess = content[cell] - capacity[cell]
    content[cell] = capacity[cell]
    total = 0.0
    for side in range(SIDES):
        total += _share(cell, _beside(cell, side, shape), full, permeability, capacity, outlet)
    if total == 0.0:
        return excess
    for side in range(SIDES):
        other = _beside(cell, side, shape)
        share = _share(cell, other, full, permeability, capacity, outlet)
        if share > 0.0:
            content[other] += excess * share / total
    return 0.0


@njit(**COMPILED)
def pass_on(content, full, permeability, capacity, outlet, shape, reached):  # type: ignore[no-untyped-def]
    """No cell holds more than it can: its excess goes on, and on; how much found no room.

    `reached` are the cells that have been given something. All that are full are marked before any spills, so that
    the order of cells does not matter.
    """
    refused = 0.0
    while reached.size > 0:
        spilling = np.empty(reached.size, np.int64)
        count = 0
        for cell in reached:
            if outlet[cell] == 0 and not full[cell] and content[cell] >= capacity[cell] * FULL_FRAC:
                full[cell] = True
                spilling[count] = cell
                count += 1
        beside = np.empty(SIDES * count, np.int64)
        for n in range(count):
            if content[spilling[n]] > capacity[spilling[n]]:
                refused += _spill(spilling[n], content, full, permeability, capacity, outlet, shape)
            for side in range(SIDES):
                other = _beside(spilling[n], side, shape)
                beside[SIDES * n + side] = other if other >= 0 else spilling[n]
        reached = np.unique(beside)
    return refused
