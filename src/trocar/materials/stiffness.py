"""Moduli of voxels: bone by a density law, tumor, cement by volume, screws by volume with their bending kept right.

Bone's law is applied on the CT's own voxels and its moduli are averaged: a thin cortex keeps its stiffness along
itself on a coarser lattice, which the law of an averaged density would lose.
"""

from dataclasses import dataclass

import numpy as np

from trocar.catalog.mechanics import Law, mechanics
from trocar.imaging.resample import sample
from trocar.materials.density import DensityScale
from trocar.materials.placing import around
from trocar.model.case import Case
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Placement

LYTIC_BELOW_HU = 150.0  # tumor, as in the assessment; above it remaining or sclerotic bone
SUBPOINTS = 4  # along each edge of a voxel, for shares of its volume
SAMPLES = 2  # along each edge of a voxel, for the mean of the CT's moduli


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stiffness:
    """Moduli [i, j, k] in MPa on a lattice, and what each voxel is mostly made of."""

    grid: Grid
    modulus_MPa: Array
    bone: Array
    cement_frac: Array
    metal_frac: Array


def native_modulus(
    case: Case, region: Array, lesion: Array, law: Law, scale: DensityScale, grid: Grid, *, filled_MPa: float | None
) -> tuple[Array, Array]:
    """[i, j, k] MPa of the untreated bone on `grid`, 0 outside, and the voxels that are bone and not tumor.

    `region` and `lesion` are masks of the CT. With `filled_MPa` the tumor has that modulus, as the bone may have had.
    """
    tumor = mechanics().material_of("tumor").modulus_GPa * 1000.0
    cap = mechanics().material_of("sclerotic_tumor").modulus_GPa * 1000.0
    modulus = law.modulus_MPa(scale(case.ct.values))
    floor = tumor if filled_MPa is None else filled_MPa
    replaced = lesion & (case.ct.values < LYTIC_BELOW_HU)
    modulus = np.where(lesion, np.minimum(modulus, cap), modulus)
    modulus = np.where(replaced, floor, np.maximum(modulus, tumor))
    modulus = np.where(region, modulus, 0.0).astype(np.float32)
    solid = (region & ~replaced).astype(np.float32)
    offset = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    mean, bone = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    share = np.zeros(grid.shape, np.float32)
    for a in offset:
        for b in offset:
            for c in offset:
                at = grid.to_lps(indices + np.array([a, b, c]))
                mean += sample(modulus, case.grid, at, outside=0.0, order=0)
                bone += sample(solid, case.grid, at, outside=0.0, order=0)
                share += sample(region.astype(np.float32), case.grid, at, outside=0.0, order=0)
    count = SAMPLES**3
    inside = share >= 0.5 * count
    return np.where(inside, mean / count, 0.0), inside & (bone >= 0.5 * count)


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
