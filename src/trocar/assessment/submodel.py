"""The lesion again on a finer lattice, driven by the displacements of the coarse one on the faces where it is cut."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, sparse

from trocar.assessment.solving import TOLERANCE, Solved, Tally, modulus_of, solve
from trocar.assessment.specimen import Specimen
from trocar.assessment.supports import Bench, corners_of, voxels_at
from trocar.assessment.yielding import AWAY_MM, Treated, Worst, worst_of
from trocar.catalog.mechanics import LoadCase, mechanics
from trocar.errors import CaseError
from trocar.imaging.resample import box_grid, resample
from trocar.materials.density import DensityScale
from trocar.materials.stiffness import Overlay
from trocar.model.case import Structure
from trocar.model.space import Array, Grid, Volume
from trocar.model.strength import LesionModel, LesionRow
from trocar.physics.elastic import Deformation, ElasticSystem

MARGIN_MM = 12.0  # around the lesion: 6 mm beside the cuts are not looked at
NEAR_MM = MARGIN_MM - AWAY_MM


def lesion_model(
    specimen: Specimen, states: Sequence[Treated], scale: DensityScale, *, spacing_mm: float
) -> LesionModel:
    """Every state and load near the lesion on a finer lattice, by the law in the middle of the ensemble.

    Raises `CaseError` for voxels that are not finer than the specimen's.
    """
    if spacing_mm >= float(specimen.grid.spacing_mm[0]):
        raise CaseError(
            f"{spacing_mm:g} mm are no finer than {specimen.grid.spacing_mm[0]:g} mm", hint="lower --lesion-spacing-mm"
        )
    tally = Tally()
    law, native = specimen.middle(scale, tally)
    bench, part = specimen.bench(native), lesion_specimen(specimen, spacing_mm=spacing_mm)
    close = part.native(law, scale, tally)
    fine, loads = part.bench(close), mechanics().loads_of(specimen.site)
    weight_kg, _ = specimen.taken(loads)
    lesion = specimen.lesion
    rows: list[LesionRow] = []
    before: dict[str, float] = {}
    for state in states:
        onto = _placed(state, specimen.grid, part.grid)
        stiff, metal = modulus_of(fine, close, lesion, onto)

        def look(
            load: LoadCase, solved: Solved, state: Treated = state, onto: Treated = onto,
            stiff: Array = stiff, metal: Array = metal,
        ) -> None:  # fmt: skip
            coarse = worst_of(
                bench, native[2], lesion, state, solved.metal, solved.held, solved.force_N, solved.deformation,
                near_mm=NEAR_MM,
            )  # fmt: skip
            found = refined(solved, fine, close[2], stiff, metal, lesion, onto)
            if state.name == "before":
                before[load.id] = round(found.bone, 4)
            rows.append(_row(state.name, load.id, coarse.bone, found))

        solve(bench, native, lesion, state, loads, weight_kg, tally, also=look)
    return LesionModel(
        spacing_mm=spacing_mm,
        law=law.id,
        rows=tuple(replace(row, against_before_frac=round(row.fine_frac / before[row.load], 4)) for row in rows),
    )


def _row(state: str, load: str, coarse: float, found: Worst) -> LesionRow:
    return LesionRow(
        state=state, load=load, coarse_frac=round(coarse, 4), fine_frac=round(found.bone, 4), against_before_frac=1.0,
        fails_first=found.worst, where_lps_mm=found.where,
    )  # fmt: skip


def _placed(state: Treated, grid: Grid, onto: Grid) -> Treated:
    """The state with its cement on another lattice."""
    if state.cement_frac is None:
        return state
    cement = resample(Volume(grid=grid, values=state.cement_frac, unit="1"), onto, outside=0.0).values
    return replace(state, cement_frac=np.clip(cement, 0, 1))


def lesion_specimen(coarse: Specimen, *, spacing_mm: float) -> Specimen:
    """The part of a specimen around its lesion, on a lattice of its own."""
    corners = coarse.case.grid.to_lps(np.argwhere(coarse.lesion.inside & coarse.whole))
    grid = box_grid(corners, margin_mm=MARGIN_MM, spacing_mm=spacing_mm, like=coarse.case.grid)
    return replace(coarse, grid=grid, overlay=Overlay.of(coarse.whole, coarse.case.grid, grid), cut=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive:
    """What a coarse solution tells the nodes of a finer lattice: displacements, what is held, forces."""

    displacement_m: Array
    held: Array
    force_N: Array


def drive(coarse: Solved, onto: Grid, stored: Array) -> Drive:
    """A coarse solution on the nodes of a finer lattice with the same axes.

    `stored` [i, j, k] are the finer lattice's nodes with stiffness. Displacements are continued into the void by the
    gradient of the nearest voxel, so that a linear field is kept wherever the surface lies. Each coarse force goes to
    the finer nodes around it, all of it. Held are nodes whose nearest coarse node is held, and those on the cuts.
    """
    at = coarse.grid.to_ijk(_nodes(onto)) + 0.5
    found = coarse.deformation
    whole = _continued(found.displacement_m(), coarse.modulus > 0, found.system.spacing_m)
    held = coarse.held
    where = np.moveaxis(at, -1, 0)
    moved = np.stack(
        [ndimage.map_coordinates(whole[..., c], where, order=1, mode="nearest") for c in range(3)], axis=-1
    )
    near = np.clip(np.rint(where).astype(int), 0, np.array(held.shape[:3])[:, None, None, None] - 1)
    kept = held[tuple(near)]
    for axis in range(3):
        for end in (0, -1):
            side = np.moveaxis(kept, axis, 0)
            side[end] = True
    kept &= stored[..., None]
    return Drive(displacement_m=moved, held=kept, force_N=_spread(coarse.force_N, at, stored))


def _nodes(grid: Grid) -> Array:
    """[i, j, k, 3] LPS of a lattice's nodes, half a voxel before its voxels' centers."""
    return grid.to_lps(np.moveaxis(np.indices([n + 1 for n in grid.shape]), 0, -1) - 0.5)


def _continued(u_m: Array, stiff: Array, spacing_m: float) -> Array:
    """Displacements of all nodes: in the void as the nearest stiff voxel would move there."""
    mean, gradient = _gradient(u_m, spacing_m)
    nearest = ndimage.distance_transform_edt(~stiff, return_distances=False, return_indices=True)
    shape = np.array(u_m.shape[:3])
    node = np.indices(tuple(shape))
    cell = np.minimum(node, (shape - 2)[:, None, None, None])
    source = nearest[:, cell[0], cell[1], cell[2]]
    away = np.moveaxis(node - 0.5 - source, 0, -1) * spacing_m
    at = tuple(source)
    guessed = mean[at] + (gradient[at] @ away[..., None])[..., 0]
    return np.where(corners_of(stiff)[..., None], u_m, guessed)


def _gradient(u_m: Array, spacing_m: float) -> tuple[Array, Array]:
    """[i, j, k, component] means and [i, j, k, component, axis] gradients of displacements at the voxels' centers."""
    mean = u_m
    for axis in range(3):
        mean = _pair(mean, axis, 0.5, 0.5)
    parts = []
    for axis in range(3):
        part = u_m
        for other in range(3):
            part = _pair(part, other, -1 / spacing_m, 1 / spacing_m) if other == axis else _pair(part, other, 0.5, 0.5)
        parts.append(part)
    return mean, np.stack(parts, axis=-1)


def _pair(values: Array, axis: int, first: float, second: float) -> Array:
    """Weighted sums of neighbors along an axis, which is shorter by one."""
    low, high = [slice(None)] * values.ndim, [slice(None)] * values.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return first * values[tuple(low)] + second * values[tuple(high)]


def _spread(force: Array, at: Array, stored: Array) -> Array:
    """Coarse forces on the finer nodes that are stored, by the coarse nodes' hats; beyond the lattice they are lost."""
    shape, found = force.shape[:3], np.zeros((*stored.shape, 3))
    pushed = np.argwhere((force != 0).any(axis=3))
    if not len(pushed):
        return found
    stored = stored & ((at > pushed.min(axis=0) - 1) & (at < pushed.max(axis=0) + 1)).all(axis=3)
    where = at[stored]
    low = np.floor(where).astype(int)
    part = where - low
    loaded = (force != 0).any(axis=3).ravel()
    rows, columns, weights = [], [], []
    for corner in np.ndindex(2, 2, 2):
        node = low + corner
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        within = np.flatnonzero(((node >= 0) & (node < shape)).all(axis=1))
        flat = np.ravel_multi_index(tuple(node[within].T), shape)
        some = loaded[flat] & (weight[within] > 0)
        rows.append(within[some])
        columns.append(flat[some])
        weights.append(weight[within][some])
    hats = sparse.csr_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(len(where), loaded.size)
    )
    total = np.asarray(hats.sum(axis=0)).ravel()
    each = force.reshape(-1, 3) / np.where(total > 0, total, 1.0)[:, None]
    found[stored] = hats @ each
    return found


def refined(
    coarse: Solved, fine: Bench, solid: Array, modulus: Array, metal: Array, lesion: Structure, state: Treated
) -> Worst:
    """The worst ratios of a state within 6 mm of the lesion, on a finer lattice driven by a coarse solution."""
    driven = drive(coarse, fine.grid, corners_of(modulus > 0))
    stiff = _attached(modulus, driven.held)
    stored = corners_of(stiff > 0)
    held = driven.held & stored[..., None]
    system = ElasticSystem(stiff * 1e6, held, spacing_m=float(fine.grid.spacing_mm[0]) / 1000.0)
    pushed = np.where(held | ~stored[..., None], 0.0, driven.force_N)
    found = _settled(system, driven.displacement_m, pushed)
    return worst_of(fine, solid, lesion, state, metal, held, pushed, found, near_mm=NEAR_MM)


def _settled(system: ElasticSystem, start_m: Array, force: Array) -> Deformation:
    """The deformation with the held nodes of a start, to a residual relative to that of the start.

    The start is close: relative to what held displacements alone would put in, it is a solution already.
    """
    u, given = system.flat(start_m), system.flat(force) / system.unit_N
    size = system.residual(u, given)
    if size == 0:
        return Deformation(system, u, 0, 0.0)
    count, left = system.approach(u, given, TOLERANCE * size)
    return Deformation(system, u, count, left / size)


def _attached(modulus: Array, held: Array) -> Array:
    """The moduli without parts that no held node touches."""
    label, count = ndimage.label(modulus > 0)
    kept = np.zeros(count + 1, bool)
    kept[label[voxels_at(np.asarray(held.any(axis=3)))]] = True
    kept[0] = False
    return np.where(kept[label], modulus, 0.0)
