"""The spinal canal where nobody segmented it: the hole that the vertebrae enclose, slice by slice."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from trocar.imaging.surface import bounds
from trocar.model.case import Case, Role, Structure
from trocar.model.space import Array, Grid

ORIGIN = "derived: the hole of the bone's mask"
NARROWEST_MM2, WIDEST_MM2 = 60.0, 900.0
CLOSED_MM = 3.0


def with_canal(case: Case) -> Case:
    """The case, with a canal derived from each vertebra's mask when it has no structure of that role.

    Only slices in which the arch is closed give a hole: what lies between two arches is bridged from the nearest.
    """
    if case.with_role(Role.CORD):
        return case
    vertebrae = [item for item in case.with_role(Role.BONE) if item.name.startswith("vertebrae_")]
    found = [canal for bone in vertebrae if (canal := canal_of(bone, case.grid)) is not None]
    return replace(case, structures=(*case.structures, *found)) if found else case


def canal_of(bone: Structure, grid: Grid) -> Structure | None:
    """The canal that a vertebra's mask encloses; None where no slice does."""
    if not bone.inside.any():
        return None
    axis = int(np.argmax(np.abs(grid.directions[2])))  # the slices across the body
    cut = tuple(slice(low, high) for low, high in bounds(bone.inside))
    stack = np.moveaxis(bone.inside[cut], axis, 2)
    area_mm2 = float(np.prod(np.delete(grid.spacing_mm, axis)))
    reach = max(1, round(CLOSED_MM / float(np.delete(grid.spacing_mm, axis).mean())))
    holes = [_hole(stack[:, :, k], area_mm2, reach) for k in range(stack.shape[2])]
    known = [k for k, hole in enumerate(holes) if hole is not None]
    if not known:
        return None
    filled = [holes[min(known, key=lambda other: (abs(other - k), other))] for k in range(len(holes))]
    inside = np.zeros(grid.shape, dtype=bool)
    inside[cut] = np.moveaxis(np.stack(filled, axis=2), 2, axis) & ~bone.inside[cut]  # type: ignore[arg-type]
    return Structure(name=f"canal_{bone.name}", role=Role.CORD, inside=inside, origin=ORIGIN)


def _hole(section: Array, area_mm2: float, reach: int) -> Array | None:
    """The largest enclosed hole of a section that is as large as a canal."""
    padded = np.pad(section, 2 * reach)
    closed = ndimage.binary_closing(padded, iterations=reach)
    labels, count = ndimage.label(ndimage.binary_fill_holes(closed) & ~padded)
    if not count:
        return None
    sizes = np.bincount(labels.ravel())[1:] * area_mm2
    largest = int(np.argmax(sizes))
    if not NARROWEST_MM2 <= sizes[largest] <= WIDEST_MM2:
        return None
    return np.asarray(labels[2 * reach : -2 * reach, 2 * reach : -2 * reach] == largest + 1)
