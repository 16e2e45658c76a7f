"""Cortex thinner than the CT resolves: the share of pure cortex in each voxel, by mineral mass (theory/strength.md).

Blur spreads a thin cortex's mineral and keeps its amount. A density law of power above 1 makes less stiffness out of
the same mineral spread thin; shares of a cortex of one density keep the mineral and the stiffness along the shell.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import Law
from trocar.imaging.surface import grown_bounds, slices
from trocar.materials.density import DensityScale
from trocar.model.case import Case, Role
from trocar.model.space import Array, Grid

PEAK_PERCENTILE, METAL_HU = 99.5, 2500.0  # of all bone: what the thickest cortex of this CT reaches (K9)
DEPTH_MM, TAIL_MM = 4.0, 1.0  # of what counts as cortex; of its blur around it, at least a voxel
LEAST_FRAC, OF_PEAK_FRAC = 0.15, 0.5  # above spongy bone; of the densest voxel beside
AROUND_MM = 12.0  # edge of the boxes over which spongy bone and soft tissue are averaged
SPONGY_FRAC = 0.5  # of the cortex's HU: denser voxels do not count as spongy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cortex:
    """The cortical shares of a CT's voxels.

    `share` [i, j, k] is the part of a voxel that pure cortex would fill, NaN where the density law stays; it may exceed
    1 where a voxel takes the blur beyond the bone's mask. `spongy_HU` [i, j, k] is what fills the rest.
    """

    share: Array
    spongy_HU: Array
    peak_HU: float

    def modulus_MPa(self, law: Law, scale: DensityScale, under: Array, law_MPa: Array) -> Array:
        """Moduli of the voxels with flat numbers `under`: by shares in the cortex, elsewhere `law_MPa`."""
        share = self.share.ravel()[under]
        rest = law.modulus_MPa(scale(self.spongy_HU.ravel()[under]))
        pure = float(law.modulus_MPa(scale(np.array([self.peak_HU])))[0])
        return np.where(np.isnan(share), law_MPa, rest + np.nan_to_num(share) * (pure - rest))


def peak_HU(case: Case) -> float:
    """HU of cortex without partial volume: a high percentile over all bones of the CT, metal left out."""
    bone = np.zeros(case.grid.shape, bool)
    for structure in case.with_role(Role.BONE):
        bone |= structure.inside
    values = case.ct.values[bone]
    return float(np.percentile(values[values < METAL_HU], PEAK_PERCENTILE)) if values.size else METAL_HU


def cortex_of(hu: Array, grid: Grid, bone: Array, other: Array, lesion: Array, *, peak_HU: float) -> Cortex:
    """The cortex of a bone, from HU and masks [i, j, k]: the bone with its lesion, all other bone, the lesion.

    Nothing is corrected within the lesion. What neither the mask nor the 4 mm beneath its surface holds is not seen.
    """
    spacing = grid.spacing_mm
    box = slices(*grown_bounds(bone, np.ceil((AROUND_MM / 2 + TAIL_MM) / spacing).astype(int)))
    share = np.full(hu.shape, np.nan, np.float32)
    spongy = np.zeros(hu.shape, np.float32)
    share[box], spongy[box] = _shares(
        np.asarray(hu[box], np.float32), spacing, bone[box], other[box], lesion[box], peak_HU
    )
    return Cortex(share=share, spongy_HU=spongy, peak_HU=peak_HU)


def _shares(hu: Array, spacing_mm: Array, bone: Array, other: Array, lesion: Array, peak: float) -> tuple[Array, Array]:
    depth = ndimage.distance_transform_edt(bone, sampling=spacing_mm)
    own = bone & ~lesion
    spongy = _mean_around(hu, own & (hu < SPONGY_FRAC * peak) & (depth > DEPTH_MM / 2), spacing_mm)
    share = (hu - spongy) / np.maximum(peak - spongy, 1.0)
    beside = np.where(own, share, 0.0)
    for axis, step in enumerate(spacing_mm):
        beside = ndimage.maximum_filter1d(beside, 2 * max(1, round(2.0 / step)) + 1, axis=axis, mode="nearest")
    core = own & (depth <= DEPTH_MM) & (share >= LEAST_FRAC) & (share >= OF_PEAK_FRAC * beside)
    found = np.full(hu.shape, np.nan, np.float32)
    if not core.any():
        return found, spongy
    away, nearest = ndimage.distance_transform_edt(~core, sampling=spacing_mm, return_indices=True)
    tail = away <= np.maximum(TAIL_MM, float(spacing_mm.max())) * 1.01
    inner = own & tail
    found[inner] = share[inner]
    soft = ~bone & ~other
    outer = soft & tail
    level = _mean_around(hu, soft & ~ndimage.binary_dilation(~soft, iterations=2), spacing_mm)
    beyond = np.clip((hu - level) / np.maximum(peak - spongy, 1.0), 0.0, 1.0)[outer]
    np.add.at(found, tuple(nearest[axis][outer] for axis in range(3)), beyond)
    return found, spongy


def _mean_around(values: Array, of: Array, spacing_mm: Array) -> Array:
    """Means of the chosen voxels over a box around each voxel; where it holds none, the median of all of them."""
    size = [2 * max(1, round(AROUND_MM / 2 / step)) + 1 for step in spacing_mm]
    weight = ndimage.uniform_filter(of.astype(np.float32), size, mode="constant")
    total = ndimage.uniform_filter(np.where(of, values, np.float32(0)), size, mode="constant")
    whole = float(np.median(values[of])) if of.any() else 0.0
    some = weight > 1e-3
    return np.where(some, total / np.where(some, weight, 1), whole).astype(np.float32)
