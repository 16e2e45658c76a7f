"""Moduli of voxels: bone by a density law, tumor, cement by volume, screws by volume with their bending kept right.

Bone's law is applied on the CT's own voxels and its moduli are averaged: a thin cortex keeps its stiffness along
itself on a coarser lattice, which the law of an averaged density would lose.
"""

from dataclasses import dataclass

import numpy as np

from trocar.catalog.mechanics import Law, mechanics
from trocar.materials.density import DensityScale
from trocar.materials.placing import around
from trocar.model.case import Case
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Placement

LYTIC_BELOW_HU = 150.0  # tumor, as in the assessment; above it remaining or sclerotic bone
SUBPOINTS = 4  # along each edge of a voxel, for shares of its volume
SAMPLES = 2  # along each edge of a voxel, for the mean of the CT's moduli


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Which CT voxels lie under each lattice voxel that is at least half in a region: found once for every law."""

    inside: Array  # [i, j, k] of the lattice
    under: Array  # (points, inside) flat numbers of CT voxels, -1 beyond the CT or outside the region
    grid: Grid

    @classmethod
    def of(cls, region: Array, ct_grid: Grid, grid: Grid) -> "Overlay":
        """`region` is a mask of the CT; `SAMPLES` points along each edge of a lattice voxel look which one they hit."""
        offset = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
        shifts = [np.array([a, b, c]) for a in offset for b in offset for c in offset]
        indices = np.moveaxis(np.indices(grid.shape), 0, -1).reshape(-1, 3)
        shape = np.array(ct_grid.shape)
        under = np.empty((len(shifts), len(indices)), np.int32)
        for number, shift in enumerate(shifts):
            at = np.rint(ct_grid.to_ijk(grid.to_lps(indices + shift))).astype(np.int32)
            within = ((at >= 0) & (at < shape)).all(axis=1)
            flat = np.ravel_multi_index(tuple(np.clip(at, 0, shape - 1).T), ct_grid.shape)
            under[number] = np.where(within & region.ravel()[flat], flat, -1)
        some = (under >= 0).sum(axis=0) >= 0.5 * len(shifts)
        return cls(some.reshape(grid.shape), under[:, some], grid)

    def mean(self, of_points: Array) -> Array:
        """[i, j, k] means over each lattice voxel's points, 0 outside."""
        dense = np.zeros(self.inside.shape, np.float32)
        dense[self.inside] = of_points.mean(axis=0)
        return dense


def native_modulus(
    case: Case, region: Array, lesion: Array, law: Law, scale: DensityScale, grid: Grid, *,
    filled_MPa: float | None, overlay: Overlay | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """[i, j, k] MPa of the untreated bone on `grid`, 0 outside, and the voxels that are bone and not tumor.

    `region` and `lesion` are masks of the CT. With `filled_MPa` the tumor has that modulus, as the bone may have had.
    `overlay` spares finding the CT's voxels anew for every law.
    """
    overlay = overlay or Overlay.of(region, case.grid, grid)
    tumor = mechanics().material_of("tumor").modulus_GPa * 1000.0
    cap = mechanics().material_of("sclerotic_tumor").modulus_GPa * 1000.0
    hu = case.ct.values.ravel()[overlay.under]
    in_lesion = lesion.ravel()[overlay.under]
    modulus = law.modulus_MPa(scale(hu))
    floor = tumor if filled_MPa is None else filled_MPa
    replaced = in_lesion & (hu < LYTIC_BELOW_HU)
    modulus = np.where(in_lesion, np.minimum(modulus, cap), modulus)
    modulus = np.where(replaced, floor, np.maximum(modulus, tumor))
    here = overlay.under >= 0
    solid = overlay.mean(here & ~replaced) >= 0.5
    return overlay.mean(np.where(here, modulus, 0.0)), overlay.inside & solid


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
    offset = (np.arange(SUBPOINTS) + 0.5) / SUBPOINTS - 0.5
    start = np.asarray(axis.start_lps_mm)
    inside = np.zeros(indices.shape[:3], np.float32)
    for a in offset:
        for b in offset:
            for c in offset:
                away = grid.to_lps(indices + np.array([a, b, c])) - start
                along = away @ axis.direction
                square = np.maximum((away**2).sum(axis=-1) - along**2, 0.0)
                within = (along >= 0) & (along <= axis.length_mm)
                inside += within & (square <= (diameter_mm / 2) ** 2) & (square >= (cannula_mm / 2) ** 2)
    share[box] = inside / SUBPOINTS**3
    return share
