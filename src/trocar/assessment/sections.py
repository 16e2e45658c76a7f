"""Structural rigidity of a long bone's sections (CTRA): axial, bending and torsional, against what the bone had.

A cheap cross-check of the voxels: no loads, no deformation. A section that keeps less than 65 % of any rigidity is
flagged. It says nothing for the pelvis, the sacrum or a vertebra, which are no beams.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from trocar.model.case import Structure
from trocar.model.space import Array, Grid, as_vector
from trocar.model.strength import SectionCheck

SLAB_MM = 4.0
FLAG_BELOW_FRAC = 0.65
POISSON = 0.3
SOURCE = "R-m (Snyder, Hong: flag below 65 %), design (slabs of 4 mm)"


def rigidities(modulus_MPa: Array, points_mm: Array, axis: Array, voxel_mm3: float, edges_mm: Array) -> Array:
    """(slabs, 3) EA (N), least EI and GJ (N mm2) of slabs across `axis` between edges along it, 0 where empty.

    `modulus_MPa` (n,) at `points_mm` (n, 3). Bending is about the modulus-weighted centroid's weakest axis.
    """
    across = np.linalg.svd(axis[None, :])[2][1:]
    along, flat = points_mm @ axis, points_mm @ across.T
    found = np.zeros((len(edges_mm) - 1, 3))
    for number, (low, high) in enumerate(pairwise(edges_mm)):
        within = (along >= low) & (along < high)
        weight = modulus_MPa[within] * voxel_mm3 / (high - low)
        if not weight.any():
            continue
        away = flat[within] - np.average(flat[within], axis=0, weights=weight)
        second = (weight[:, None] * away).T @ away
        torsional = float(np.trace(second)) / (2 * (1 + POISSON))
        found[number] = weight.sum(), np.linalg.eigvalsh(second)[0], torsional
    return found


def section_check(
    before_MPa: Array, reference_MPa: Array, grid: Grid, bone: Structure, lesion: Array, *, against: str
) -> SectionCheck:
    """The weakest section beside the lesion, both fields [i, j, k] on one lattice; `lesion` its voxels there."""
    points = grid.to_lps(np.argwhere(reference_MPa > 0))
    middle = points.mean(axis=0)
    axis = np.linalg.eigh((points - middle).T @ (points - middle))[1][:, -1]
    axis = axis if axis[2] >= 0 else -axis
    reach = grid.to_lps(np.argwhere(np.asarray(ndimage.binary_dilation(lesion)))) @ axis
    edges = np.arange(reach.min(), reach.max() + SLAB_MM, SLAB_MM)
    volume = 1000.0 * grid.voxel_ml
    parts = [
        rigidities(field[field > 0], grid.to_lps(np.argwhere(field > 0)), axis, volume, edges)
        for field in (before_MPa, reference_MPa)
    ]
    whole: Array = np.asarray((parts[1] > 0).all(axis=1))
    kept = np.where(whole[:, None], parts[0] / np.where(parts[1] > 0, parts[1], 1.0), 1.0)
    worst = int(kept.min(axis=1).argmin())
    height = (edges[worst] + edges[worst + 1]) / 2
    lowest = kept.min(axis=0)
    return SectionCheck(
        against=against,
        axial_frac=round(float(lowest[0]), 3),
        bending_frac=round(float(lowest[1]), 3),
        torsion_frac=round(float(lowest[2]), 3),
        where_lps_mm=as_vector(middle + axis * (height - middle @ axis)),
        flagged=bool(lowest.min() < FLAG_BELOW_FRAC),
        source=SOURCE,
    )
