"""The soft channels of the sacrum where nobody segmented them: its canal, and the foramina that roots leave by."""

import numpy as np
from scipy import ndimage

from trocar.imaging.surface import grown_bounds, slices
from trocar.model.case import Role, Side, Structure
from trocar.model.space import Array, Grid

ORIGIN = "derived: the channels of the bone's mask"
TILTS_DEG = (0.0, 30.0, 60.0, 90.0, -30.0)  # planes across the body, turned about the left-right axis
SMALLEST_MM2, LARGEST_MM2 = 8.0, 900.0  # of a hole; a nutrient channel or a gap in the mask is smaller
STEP_MM = 1.5  # a lattice of planes; a finer mask has no more to tell
BONE_SHARE = 0.49  # of a lattice point's surroundings; a tie is bone
HALF_CANAL_MM = 10.0  # from the midline; the foramina lie farther out, recalled, R-m
LEAST_ML = 0.02


def is_sacral(name: str) -> bool:
    """Whether a bone of this name is the sacrum or one of its segments."""
    return name == "sacrum" or name.startswith("vertebrae_S")


def sacral_channels(inside: Array, grid: Grid) -> tuple[Structure, ...]:
    """`sacral_canal`, `sacral_foramina_left` and `_right` as far as a sacrum's mask [i, j, k] encloses them.

    A voxel outside the mask belongs to a channel where, in one of a fan of planes, bone encloses it and the hole is as
    large as a nerve's; and where the channel opens to the outside, so that a cavity in the bone is none.
    """
    if not inside.any():
        return ()
    low, high = grown_bounds(inside, 1)
    cut = slices(low, high)
    part, near = inside[cut], grid.cropped(low, high)
    channels = _open(_enclosed(part, near), part)
    where = np.argwhere(channels)
    if not len(where):
        return ()
    sideways = near.to_lps(where)[:, 0] - _middle_x_mm(part, near)
    found = []
    for name, role, side, rows in (
        ("sacral_canal", Role.CORD, Side.MIDLINE, np.abs(sideways) <= HALF_CANAL_MM),
        ("sacral_foramina_left", Role.NERVE, Side.LEFT, sideways > HALF_CANAL_MM),
        ("sacral_foramina_right", Role.NERVE, Side.RIGHT, sideways < -HALF_CANAL_MM),
    ):
        if np.count_nonzero(rows) * grid.voxel_ml >= LEAST_ML:
            held = np.zeros(grid.shape, dtype=bool)
            held[tuple((where[rows] + low).T)] = True
            found.append(Structure(name=name, role=role, side=side, inside=held, origin=ORIGIN))
    return tuple(found)


def _middle_x_mm(part: Array, grid: Grid) -> float:
    x = grid.to_lps(np.argwhere(part))[:, 0]
    return float(x.min() + x.max()) / 2


def _open(channels: Array, part: Array) -> Array:
    """The channels that touch what is neither bone nor channel."""
    labels, count = ndimage.label(channels, structure=np.ones((3, 3, 3)))
    if not count:
        return channels
    outside = ndimage.binary_dilation(np.pad(~part & ~channels, 1, constant_values=True))[1:-1, 1:-1, 1:-1]
    opening = np.bincount(labels[outside & channels], minlength=count + 1) > 0
    return np.asarray((opening & (np.arange(count + 1) > 0))[labels])


def _enclosed(part: Array, grid: Grid) -> Array:
    """[i, j, k] what bone encloses within one of the planes."""
    step = max(STEP_MM, float(grid.spacing_mm.min()))
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.asarray(part.shape) - 1)
    spread = np.abs(grid.to_lps(corners) - grid.center_lps_mm).max(axis=0)
    across, along = int(np.ceil(spread[0] / step)) + 1, int(np.ceil(np.hypot(*spread[1:]) / step)) + 1
    shape = (2 * across + 1, 2 * along + 1, 2 * along + 1)
    solid = part.astype(np.float32)
    found = np.zeros(part.shape, dtype=bool)
    for tilt in np.radians(TILTS_DEG):
        frame = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]) * step
        onto = grid.ijk_from_lps[:3, :3] @ frame
        start = (np.asarray(part.shape) - 1) / 2 - onto @ ((np.asarray(shape) - 1) / 2)
        turned = ndimage.affine_transform(solid, onto, start, output_shape=shape, order=1) > BONE_SHARE
        index = np.argwhere(_holes(turned, step)) @ onto.T + start
        for nudge in (-1e-6, 1e-6):  # a tie between voxels counts as both, so that a mirror image has the same
            found[tuple(np.clip(np.rint(index + nudge).astype(int), 0, np.asarray(part.shape) - 1).T)] = True
    reach = int(np.ceil(step / float(grid.spacing_mm.min())))
    return np.asarray(ndimage.binary_dilation(found & ~part, iterations=reach, mask=~part))


def _holes(turned: Array, step_mm: float) -> Array:
    """Slice by slice across the last axis: what bone encloses, of a channel's size."""
    within = np.zeros((3, 3, 3))
    within[1, :, 1] = within[:, 1, 1] = 1
    labels, count = ndimage.label(~turned, structure=within)
    areas = np.bincount(labels.ravel(), minlength=count + 1) * step_mm**2
    hole = (areas >= SMALLEST_MM2) & (areas <= LARGEST_MM2)
    hole[0] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        hole[np.unique(edge)] = False
    return np.asarray(hole[labels])
