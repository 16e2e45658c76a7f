"""Moduli of voxels: bone by a density law, tumor, cement by volume, screws by volume with their bending kept right.

Bone's law is applied on the CT's own voxels and its moduli are averaged: a thin cortex keeps its stiffness along
itself on a coarser lattice, which the law of an averaged density would lose. What the CT itself blurs is given back
by mass (`cortex`), and what a lattice voxel less than half in bone holds goes to its neighbor.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

from trocar.catalog.mechanics import Law, mechanics
from trocar.materials.cortex import Cortex
from trocar.materials.density import DensityScale
from trocar.materials.placing import around
from trocar.model.case import Case
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Placement

LYTIC_BELOW_HU = 150.0  # tumor, as in the assessment; above it remaining or sclerotic bone
SUBPOINTS = 4  # along each edge of a voxel, for shares of its volume
HALF = 0.5
CROSS = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Which CT voxels lie under each lattice voxel that touches a region: found once for every law.

    `inside` are the voxels at least half in the region, and those that no such voxel adjoins: a shell thinner than half
    a voxel stays. What the others hold counts for the nearest of these.
    """

    inside: Array  # [i, j, k] of the lattice
    under: Array  # (n,) flat numbers of CT voxels in the region
    weights: sparse.csr_array  # (lattice voxels, n) their parts of a lattice voxel's volume

    @classmethod
    def of(cls, region: Array, ct_grid: Grid, grid: Grid) -> "Overlay":
        """`region` is a mask of the CT; points in each lattice voxel, half a CT voxel apart, look which they hit."""
        per_edge = max(2, int(np.ceil(2 * float(grid.spacing_mm.max() / ct_grid.spacing_mm.min()) - 0.01)))
        offset = (np.arange(per_edge) + 0.5) / per_edge - 0.5
        cells = _touching(region, ct_grid, grid)
        ct_from_lattice = ct_grid.ijk_from_lps @ grid.matrix
        turn, start = ct_from_lattice[:3, :3], ct_from_lattice[:3, 3]
        centers = np.stack(np.unravel_index(cells, grid.shape)).T.astype(np.float32) @ turn.T.astype(np.float32) + start
        shape, flat = np.array(ct_grid.shape), region.ravel()
        step = np.array([shape[1] * shape[2], shape[2], 1])
        rows, columns = [], []
        for shift in np.stack(np.meshgrid(offset, offset, offset, indexing="ij"), axis=-1).reshape(-1, 3):
            at = np.rint(centers + turn @ shift)
            hit = (np.clip(at, 0, shape - 1) @ step).astype(np.int64)
            hits = np.flatnonzero(((at >= 0) & (at < shape)).all(axis=1) & flat[hit])
            rows.append(cells[hits])
            columns.append(hit[hits])
        row, column = np.concatenate(rows), np.concatenate(columns)
        part = np.bincount(row, minlength=int(np.prod(grid.shape))).reshape(grid.shape) / per_edge**3
        inside, into = _settled(part)
        under = np.flatnonzero(np.bincount(column, minlength=len(flat)))
        number = np.searchsorted(under, column)
        row = into.ravel()[row]
        some = row >= 0
        each = np.full(int(some.sum()), 1 / per_edge**3, np.float32)
        weights = sparse.csr_array((each, (row[some], number[some])), shape=(inside.size, len(under)))
        return cls(inside, under, weights)

    def mean(self, of_voxels: Array) -> Array:
        """[i, j, k] means over each lattice voxel of what its CT voxels (n,) have, 0 outside."""
        return (self.weights @ of_voxels.astype(np.float32)).reshape(self.inside.shape).astype(np.float32)


def _touching(region: Array, ct_grid: Grid, grid: Grid) -> Array:
    """Flat numbers of the lattice's voxels that may hold a part of the region."""
    hit = np.zeros(grid.shape, bool)
    at = np.rint(grid.to_ijk(ct_grid.to_lps(np.argwhere(region)))).astype(int)
    at = at[((at >= 0) & (at < grid.shape)).all(axis=1)]
    hit[tuple(at.T)] = True
    reach = int(np.ceil(float(ct_grid.spacing_mm.max() / grid.spacing_mm.min()) / 2 + 0.5))
    return np.flatnonzero(ndimage.binary_dilation(hit, np.ones((3, 3, 3), bool), iterations=reach))


def _settled(part: Array) -> tuple[Array, Array]:
    """The voxels that stay, and for each voxel [i, j, k] the flat number of the one it counts for, -1 for none."""
    inside = part >= HALF
    beside = ndimage.binary_dilation(inside, np.ones((3, 3, 3), bool))
    alone = (part > 0) & ~beside
    inside = inside | (alone & (part >= ndimage.maximum_filter(np.where(alone, part, 0), footprint=CROSS)))
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    into = np.ravel_multi_index(tuple(nearest), part.shape)
    close = ndimage.binary_dilation(inside, np.ones((3, 3, 3), bool))
    return inside, np.where((part > 0) & close, into, -1)


def native_modulus(
    case: Case, region: Array, lesion: Array, law: Law, scale: DensityScale, grid: Grid, *,
    filled_MPa: float | None, overlay: Overlay | None = None, cortex: Cortex | None = None,
    joints_MPa: Array | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """[i, j, k] MPa of the untreated bone on `grid`, 0 outside, and the voxels that are bone and not tumor.

    `region` and `lesion` are masks of the CT. With `filled_MPa` the tumor has that modulus, as the bone may have had.
    `overlay` spares finding the CT's voxels anew for every law. With `cortex` thin cortex has its stiffness by mass.
    `joints_MPa` [i, j, k] of the CT are moduli of what is joint, 0 elsewhere; joint is not bone.
    """
    overlay = overlay or Overlay.of(region, case.grid, grid)
    tumor = mechanics().material_of("tumor").modulus_GPa * 1000.0
    cap = mechanics().material_of("sclerotic_tumor").modulus_GPa * 1000.0
    hu = case.ct.values.ravel()[overlay.under].astype(float)
    in_lesion = lesion.ravel()[overlay.under]
    modulus = law.modulus_MPa(scale(hu))
    if cortex is not None:
        modulus = cortex.modulus_MPa(law, scale, overlay.under, modulus)
    floor = tumor if filled_MPa is None else filled_MPa
    replaced = in_lesion & (hu < LYTIC_BELOW_HU)
    modulus = np.where(in_lesion, np.minimum(modulus, cap), modulus)
    modulus = np.where(replaced, floor, np.maximum(modulus, tumor))
    if joints_MPa is not None:
        joint = joints_MPa.ravel()[overlay.under]
        modulus = np.where(joint > 0, joint, modulus)
        replaced |= joint > 0
    solid = overlay.mean(~replaced) >= HALF * overlay.mean(np.ones(len(hu)))
    return overlay.mean(modulus), overlay.inside & solid


def with_cement(modulus_MPa: Array, cement_frac: Array) -> Array:
    """Cement takes its share of each voxel's volume; it never makes a voxel softer."""
    cement = mechanics().material_of("pmma").modulus_GPa * 1000.0
    return np.where(modulus_MPa < cement, modulus_MPa + cement_frac * (cement - modulus_MPa), modulus_MPa)


def with_screw(modulus_MPa: Array, screw: Placement, grid: Grid, *, cannula_mm: float = 0.0) -> tuple[Array, Array]:
    """A titanium screw by its share of volume, and that share [i, j, k]; its void outside bone counts too."""
    share = rod_frac(screw.axis, screw.diameter_mm, grid, cannula_mm=cannula_mm)
    return modulus_MPa + share * (screw_modulus_MPa(screw.axis, screw.diameter_mm, grid) - modulus_MPa), share


def screw_modulus_MPa(axis: Segment, diameter_mm: float, grid: Grid) -> float:
    """Titanium's modulus, lowered so that a rod of voxels bends as stiffly as the rod (mechanics reference 7).

    The share of volume alone makes it stiffer by c (h / D)^2, c = 3.9 a - 0.35, a the sum of the fourth powers of the
    axis's cosines in the lattice. Its axial stiffness comes out low by the same factor.
    """
    cosines = grid.directions.T @ axis.direction
    stiffer = (3.9 * float((cosines**4).sum()) - 0.35) * (float(grid.spacing_mm.max()) / diameter_mm) ** 2
    return 1000.0 * mechanics().material_of("titanium").modulus_GPa / (1.0 + stiffer)


def rod_frac(axis: Segment, diameter_mm: float, grid: Grid, *, cannula_mm: float = 0.0) -> Array:
    """[i, j, k] share of each voxel within a (cannulated) cylinder with flat ends, by points within the voxel."""
    share = np.zeros(grid.shape, np.float32)
    box = around(np.array([axis.start_lps_mm, axis.end_lps_mm]), diameter_mm / 2 + float(grid.spacing_mm.max()), grid)
    if box is None:
        return share
    first = np.array([side.start for side in box])
    indices = np.moveaxis(np.indices(share[box].shape), 0, -1) + first
    reach = float(np.linalg.norm(grid.spacing_mm)) / 2
    near = np.argwhere(axis.distance_mm(grid.to_lps(indices)) <= diameter_mm / 2 + reach) + first
    offset = (np.arange(SUBPOINTS) + 0.5) / SUBPOINTS - 0.5
    start = np.asarray(axis.start_lps_mm)
    inside = np.zeros(len(near), np.float32)
    for shift in np.stack(np.meshgrid(offset, offset, offset, indexing="ij"), axis=-1).reshape(-1, 3):
        away = grid.to_lps(near + shift) - start
        along = away @ axis.direction
        square = np.maximum((away**2).sum(axis=-1) - along**2, 0.0)
        within = (along >= 0) & (along <= axis.length_mm)
        inside += within & (square <= (diameter_mm / 2) ** 2) & (square >= (cannula_mm / 2) ** 2)
    share[tuple(near.T)] = inside / SUBPOINTS**3
    return share
