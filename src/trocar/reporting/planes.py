"""Where a picture lies in patient space. LPS: +x is the patient's left, +y posterior, +z the head.

Radiological convention: in axial and coronal pictures the patient's left is on the right; axial ones are seen from
the feet; sagittal ones are seen from the patient's left.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from trocar.model.space import Array

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A square picture of `size_mm`; `right` and `up` are its directions in patient space, `name` what it is called."""

    name: str
    center_lps_mm: Array
    right: Array
    up: Array
    size_mm: float

    @property
    def normal(self) -> Array:
        """(3,) unit vector towards the viewer."""
        return np.cross(self.right, self.up)

    def points(self, pixels: int) -> Array:
        """(rows, columns, 3) pixel centers, the first row on top."""
        offsets = ((np.arange(pixels) + 0.5) / pixels - 0.5) * self.size_mm
        return self.center_lps_mm + offsets[None, :, None] * self.right - offsets[:, None, None] * self.up

    def to_picture(self, points_lps_mm: ArrayLike) -> tuple[Array, Array]:
        """(..., 2) column and row of points in millimeters from the top left, and their (...) heights above it."""
        offset = np.asarray(points_lps_mm, dtype=float) - self.center_lps_mm
        column, row = offset @ self.right + self.size_mm / 2, self.size_mm / 2 - offset @ self.up
        return np.stack([column, row], axis=-1), offset @ self.normal

    @property
    def edge_letters(self) -> dict[str, str]:
        """The orientation letters of the four edges."""
        return {
            "right": letters(self.right),
            "left": letters(-self.right),
            "top": letters(self.up),
            "bottom": letters(-self.up),
        }

    def centered(self, center_lps_mm: ArrayLike) -> "Plane":
        """The same plane through another point."""
        return replace(self, center_lps_mm=np.asarray(center_lps_mm, dtype=float))


def letters(direction: Array) -> str:
    """The one or two letters (R L A P H F) of a direction, the stronger first."""
    order = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    named = [_LETTERS[axis][0 if direction[axis] > 0 else 1] for axis in order if abs(direction[axis]) > 0.3]
    return "".join(named[:2])


def axial(center_lps_mm: ArrayLike, size_mm: float) -> Plane:
    """Seen from the feet."""
    return _plane("axial", center_lps_mm, [1, 0, 0], [0, -1, 0], size_mm)


def coronal(center_lps_mm: ArrayLike, size_mm: float) -> Plane:
    """Seen from the front."""
    return _plane("coronal", center_lps_mm, [1, 0, 0], [0, 0, 1], size_mm)


def sagittal(center_lps_mm: ArrayLike, size_mm: float) -> Plane:
    """Seen from the patient's left: the front is on the left."""
    return _plane("sagittal", center_lps_mm, [0, 1, 0], [0, 0, 1], size_mm)


def along(entry_lps_mm: ArrayLike, target_lps_mm: ArrayLike, size_mm: float) -> Plane:
    """The plane that holds an instrument and is nearest to an axial one, or to a coronal one for one along the body.

    It is turned so that the patient's left stays on the right.
    """
    entry, target = np.asarray(entry_lps_mm, dtype=float), np.asarray(target_lps_mm, dtype=float)
    axis = (target - entry) / np.linalg.norm(target - entry)
    across = np.array([1.0, 0.0, 0.0])
    upward = np.array([0.0, -1.0, 0.0]) if abs(axis[2]) < 0.7 else np.array([0.0, 0.0, 1.0])
    other = across if abs(axis @ across) <= abs(axis @ upward) else upward
    normal = np.cross(axis, other)
    normal /= np.linalg.norm(normal)
    up = upward - (upward @ normal) * normal
    if np.linalg.norm(up) < 0.05:
        up = axis
    up = up / np.linalg.norm(up)
    right = np.cross(up, normal)
    if right @ across < 0:
        right = -right
    return _plane("oblique", entry + 0.6 * (target - entry), right, up, size_mm)


def down(entry_lps_mm: ArrayLike, target_lps_mm: ArrayLike, at_lps_mm: ArrayLike, size_mm: float) -> Plane:
    """The plane across an instrument at a point, as seen along it from its entry; the head, else the front, on top.

    Nothing keeps the patient's left on one side here: an instrument from the back is seen from the back.
    """
    entry, target = np.asarray(entry_lps_mm, dtype=float), np.asarray(target_lps_mm, dtype=float)
    towards_viewer = (entry - target) / np.linalg.norm(entry - target)
    upward = np.array([0.0, 0.0, 1.0]) if abs(towards_viewer[2]) < 0.7 else np.array([0.0, -1.0, 0.0])
    up = upward - (upward @ towards_viewer) * towards_viewer
    up /= np.linalg.norm(up)
    return _plane("down", at_lps_mm, np.cross(up, towards_viewer), up, size_mm)


def _plane(name: str, center_lps_mm: ArrayLike, right: ArrayLike, up: ArrayLike, size_mm: float) -> Plane:
    center, across, upward = (np.asarray(v, dtype=float) for v in (center_lps_mm, right, up))
    return Plane(name, center, across, upward, size_mm)
