"""Fronts as surfaces: where a field passes 0 degC, and how far two such surfaces lie apart."""

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

Array = np.ndarray[Any, Any]


def surface(temperature_degC: Array, spacing_m: float, *, level_degC: float = 0.0) -> dict[str, Array]:
    """(n, 3) points in mm from the lattice's lower corner, and unit normals that point out of the cold."""
    points, _, normals, _ = marching_cubes(temperature_degC, level_degC)
    # scikit-image's normals point down the field, whatever its sides are called
    return {"points_mm": ((points + 0.5) * 1e3 * spacing_m).astype(np.float32), "normals": -normals.astype(np.float32)}


def apart_mm(found: Any, known: Any) -> Array:
    """Signed distances between two surfaces, both ways: positive where the found one lies outside the known one.

    Distances to the plane through the nearest point, or to the point where it is far.
    """
    return np.concatenate([_one_way(found, known), -_one_way(known, found)])


def _one_way(of: Any, to: Any) -> Array:
    distance, nearest = cKDTree(to["points_mm"]).query(of["points_mm"])
    aside = np.einsum("ij,ij->i", of["points_mm"] - to["points_mm"][nearest], to["normals"][nearest])
    return np.where(distance < 1.5, aside, np.copysign(distance, aside))


def summary(errors_mm: Array) -> dict[str, float]:
    """What the pages show of signed errors."""
    size = np.abs(errors_mm)
    return {
        "mean error mm": float(errors_mm.mean()),
        "mean abs mm": float(size.mean()),
        "p95 mm": float(np.percentile(size, 95)),
        "max mm": float(size.max()),
    }
