"""Where things are: grids, volumes and segments in patient space (LPS+, millimeters)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trocar.errors import GeometryError
from trocar.model.record import Matrix4, Record, Vector

Array = NDArray[Any]


def as_matrix4(matrix: ArrayLike) -> Matrix4:
    """A 4 x 4 array as the nested tuple that records hold."""
    rows = np.asarray(matrix, dtype=float)
    return tuple(tuple(float(value) for value in row) for row in rows)  # type: ignore[return-value]


def as_vector(point: ArrayLike) -> Vector:
    """Three numbers as the tuple that records hold."""
    x, y, z = np.asarray(point, dtype=float)
    return float(x), float(y), float(z)


@dataclass(frozen=True, kw_only=True)
class Grid(Record):
    """A regular lattice of voxel centers; `lps_from_ijk` maps an index to millimeters, columns are the voxel edges.

    Oblique and anisotropic grids are the normal case. Raises `GeometryError` when the axes are not
    orthogonal (shear) or a dimension is empty.
    """

    shape: tuple[int, int, int]
    lps_from_ijk: Matrix4

    def __post_init__(self) -> None:
        super(Grid, self).__post_init__()
        if min(self.shape) < 1:
            raise GeometryError(f"a grid of shape {self.shape} holds no voxel")
        axes = np.asarray(self.lps_from_ijk)[:3, :3]
        lengths = np.linalg.norm(axes, axis=0)
        if not np.all(np.isfinite(axes)) or lengths.min() <= 0:
            raise GeometryError("a voxel edge has no length", hint="check the image's spacing")
        cosines = np.abs((axes / lengths).T @ (axes / lengths) - np.eye(3))
        if cosines.max() > 1e-3:
            raise GeometryError("the voxel edges are not orthogonal (shear)", hint="resample the image first")

    @classmethod
    def aligned(cls, *, origin_lps_mm: Vector, spacing_mm: Vector, shape: tuple[int, int, int]) -> Self:
        """A grid whose i, j, k axes point to the patient's left, posterior and head; origin = center of voxel 0."""
        matrix = np.diag([*spacing_mm, 1.0])
        matrix[:3, 3] = origin_lps_mm
        return cls(shape=shape, lps_from_ijk=as_matrix4(matrix))

    @cached_property
    def matrix(self) -> Array:
        """`lps_from_ijk` as a 4 x 4 array."""
        return np.asarray(self.lps_from_ijk, dtype=float)

    @cached_property
    def ijk_from_lps(self) -> Array:
        return np.linalg.inv(self.matrix)

    @cached_property
    def spacing_mm(self) -> Array:
        """(3,) distances between voxel centers along i, j, k."""
        return np.linalg.norm(self.matrix[:3, :3], axis=0)

    @cached_property
    def directions(self) -> Array:
        """(3, 3) unit vectors of i, j, k as columns."""
        return self.matrix[:3, :3] / self.spacing_mm

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def center_lps_mm(self) -> Array:
        return self.to_lps((np.asarray(self.shape) - 1) / 2.0)

    def to_lps(self, ijk: ArrayLike) -> Array:
        """(..., 3) millimeters of (..., 3) indices (fractional ones too)."""
        return np.asarray(ijk, dtype=float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def to_ijk(self, lps_mm: ArrayLike) -> Array:
        """(..., 3) fractional indices of (..., 3) points."""
        return np.asarray(lps_mm, dtype=float) @ self.ijk_from_lps[:3, :3].T + self.ijk_from_lps[:3, 3]

    def contains(self, lps_mm: ArrayLike) -> Array:
        """(...) whether each point lies within the outermost voxel centers."""
        ijk = self.to_ijk(lps_mm)
        return np.all((ijk >= -1e-6) & (ijk <= np.asarray(self.shape) - 1 + 1e-6), axis=-1)

    def cropped(self, low: ArrayLike, high: ArrayLike) -> "Grid":
        """The sub-grid of indices low <= index < high (each clipped to the grid)."""
        lo = np.clip(np.asarray(low, dtype=int), 0, np.asarray(self.shape) - 1)
        hi = np.clip(np.asarray(high, dtype=int), lo + 1, self.shape)
        matrix = self.matrix.copy()
        matrix[:3, 3] = self.to_lps(lo)
        return Grid(shape=tuple(int(n) for n in hi - lo), lps_from_ijk=as_matrix4(matrix))  # type: ignore[arg-type]

    def matches(self, other: "Grid", *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same voxels in the same places (to `tolerance_mm` at every corner)."""
        corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.asarray(self.shape) - 1)
        return self.shape == other.shape and bool(
            np.abs(self.to_lps(corners) - other.to_lps(corners)).max() <= tolerance_mm
        )


def frozen_array(values: ArrayLike) -> Array:
    """The same values as an array that cannot be written."""
    array = np.asarray(values)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume(Record):
    """An array [i, j, k] on a grid; `unit` names what its values are (HU, degC, 1)."""

    grid: Grid
    values: Array
    unit: str

    def __post_init__(self) -> None:
        super(Volume, self).__post_init__()
        if self.values.shape[:3] != self.grid.shape:
            raise GeometryError(f"values of shape {self.values.shape} do not fit a grid of shape {self.grid.shape}")
        frozen_array(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Record):
    """A straight path from `start_lps_mm` to `end_lps_mm`."""

    start_lps_mm: Vector
    end_lps_mm: Vector

    @property
    def length_mm(self) -> float:
        return float(np.linalg.norm(np.subtract(self.end_lps_mm, self.start_lps_mm)))

    @property
    def direction(self) -> Array:
        """(3,) unit vector from start to end."""
        return np.subtract(self.end_lps_mm, self.start_lps_mm) / self.length_mm

    def at(self, distance_mm: ArrayLike) -> Array:
        """(..., 3) points at these distances from the start along the path."""
        return np.asarray(self.start_lps_mm) + np.asarray(distance_mm, dtype=float)[..., None] * self.direction

    def distance_mm(self, points_lps_mm: ArrayLike) -> Array:
        """(...) distances of (..., 3) points to the segment; one of no length is its start."""
        offset = np.asarray(points_lps_mm, dtype=float) - self.start_lps_mm
        length = self.length_mm
        if length > 0:
            direction = np.subtract(self.end_lps_mm, self.start_lps_mm) / length
            offset -= np.clip(offset @ direction, 0.0, length)[..., None] * direction
        return np.sqrt(np.einsum("...i,...i->...", offset, offset))
