"""What a CT makes of a scene: texture, blur of the scanner, noise."""

import numpy as np
from scipy import ndimage

from trocar.model.space import Array, Grid

BLUR_MM = (0.55, 0.55, 0.45)  # standard deviations: in plane about 1.3 mm FWHM
NOISE_HU = 12.0


def texture(grid: Grid, rng: np.random.Generator, *, grain_mm: float) -> Array:
    """[i, j, k] correlated field of mean 0 and standard deviation 1, its grain about `grain_mm`."""
    coarse = np.maximum(np.round(grain_mm / grid.spacing_mm / 1.5), 1).astype(int)
    shape = tuple(int(np.ceil(n / c)) + 3 for n, c in zip(grid.shape, coarse, strict=True))
    field = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 0.75)
    scale = 1.0 / coarse
    full = ndimage.affine_transform(field, scale, offset=1.0, output_shape=grid.shape, order=1, prefilter=False)
    return (full / full.std()).astype(np.float32)


def scanned(values_HU: Array, grid: Grid, rng: np.random.Generator, *, noise_HU: float = NOISE_HU) -> Array:
    """[i, j, k] int16 HU: blurred by the scanner's point spread, with correlated noise, clipped as scanners clip."""
    blurred = ndimage.gaussian_filter(values_HU, np.asarray(BLUR_MM) / grid.spacing_mm, mode="nearest")
    noise = correlated_noise(grid, rng, noise_HU)
    return np.clip(np.round(blurred + noise), -1024, 3071).astype(np.int16)


def correlated_noise(grid: Grid, rng: np.random.Generator, sd_HU: float) -> Array:
    """[i, j, k] noise of this standard deviation, correlated between neighbors as reconstruction leaves it."""
    noise: Array = ndimage.gaussian_filter(rng.standard_normal(grid.shape, dtype=np.float32), 0.6)
    noise *= np.float32(sd_HU / noise.std())
    return noise
