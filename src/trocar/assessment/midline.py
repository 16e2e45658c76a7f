"""Which side a lesion lies on, from the anatomy and not from a label."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trocar.catalog.structures import is_left, other_side
from trocar.imaging.surface import bounds
from trocar.model.case import Case, Role, Side, Structure
from trocar.model.space import Array, Grid

LEFT_LPS = np.array([1.0, 0.0, 0.0])  # +x is the patient's left, however the patient lies in the scanner
MIDLINE_BONES = ("sacrum", "vertebrae_", "thecal_sac", "spinal_cord")
STRADDLING_FRAC = 0.25  # software default: a lesion with this much on its lesser side lies in the midline


@dataclass(frozen=True, slots=True, eq=False)
class Midplane:
    """The plane between the patient's left and right; `left` is the unit normal to the left, `origin` says of what."""

    point_lps_mm: Array
    left: Array
    origin: str

    def left_of_mm(self, points_lps_mm: Array) -> Array:
        """(...) signed distances of (..., 3) points to the plane, positive on the patient's left."""
        return np.asarray((points_lps_mm - self.point_lps_mm) @ self.left)


def midplane(case: Case) -> Midplane | None:
    """The midplane: between paired bones, else through midline bones, else through the body; None without any.

    Only the position comes from structures whose name says a side; which side is left is the axis' own. What the image
    cuts on the left or right tells no middle.
    """
    seen = [s for s in case.with_role(Role.BONE, Role.CORD, Role.BODY) if s.inside.any()]
    centers = {s.name: _center(s, case.grid) for s in seen if not _cut_sideways(s, case.grid)}
    pairs = _pairs(centers)
    if pairs:
        middle = np.mean([(centers[a] + centers[b]) / 2 for a, b in pairs], axis=0)
        across = np.sum([centers[a] - centers[b] for a, b in pairs], axis=0)
        return Midplane(middle, _leftward(across), "paired bones")
    middles = [center for name, center in centers.items() if name.startswith(MIDLINE_BONES)]
    if middles:
        return Midplane(np.mean(middles, axis=0), LEFT_LPS, "midline bones")
    bodies = [centers[body.name] for body in case.with_role(Role.BODY) if body.name in centers]
    return Midplane(bodies[0], LEFT_LPS, "body outline") if bodies else None


def lesion_side(lesion: Structure, grid: Grid, plane: Midplane) -> Side:
    """Left, right, or midline when at least a quarter of the lesion lies on either side."""
    left_frac = float(np.mean(plane.left_of_mm(grid.to_lps(np.argwhere(lesion.inside))) > 0))
    if STRADDLING_FRAC <= left_frac <= 1 - STRADDLING_FRAC:
        return Side.MIDLINE
    return Side.LEFT if left_frac > 0.5 else Side.RIGHT


def swapped_pairs(case: Case) -> tuple[str, ...]:
    """Names of paired structures whose left one lies to the patient's right of the right one."""
    centers = {s.name: _center(s, case.grid) for s in case.structures if other_side(s.name) and s.inside.any()}
    return tuple(left for left, right in _pairs(centers) if float((centers[left] - centers[right]) @ LEFT_LPS) < 0)


def _pairs(centers: Mapping[str, Array]) -> list[tuple[str, str]]:
    """The left and the right one of all structures that are there on both sides."""
    return [(name, other) for name in centers if is_left(name) and (other := other_side(name)) in centers and other]


def _cut_sideways(structure: Structure, grid: Grid) -> bool:
    """Whether a structure goes on beyond the image's left or right border."""
    axis = int(np.abs(grid.directions[0]).argmax())
    low, high = bounds(structure.inside)[axis]
    return low == 0 or high == grid.shape[axis]


def _leftward(across: Array) -> Array:
    """The direction between paired bones, pointed to the patient's left whatever the labels say."""
    unit = across / max(float(np.linalg.norm(across)), 1e-9)
    return np.asarray(unit if unit @ LEFT_LPS > 0 else -unit)


def _center(structure: Structure, grid: Grid) -> Array:
    """(3,) the center of mass, from the sums along each axis."""
    limits = bounds(structure.inside)
    box = structure.inside[tuple(slice(low, high) for low, high in limits)]
    across = box.sum(axis=2)
    counts = (across.sum(axis=1), across.sum(axis=0), box.sum(axis=(0, 1)))
    ijk = [low + np.average(np.arange(len(n)), weights=n) for (low, _), n in zip(limits, counts, strict=True)]
    return grid.to_lps(ijk)
