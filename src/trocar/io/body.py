"""The patient's outline and skin, found on the CT where nobody has drawn them."""

import numpy as np
from scipy import ndimage

from trocar.io.region import Region
from trocar.model.case import Role
from trocar.model.space import Array, Grid, Volume

TISSUE_HU = -300  # between fat (-120) and lung or clothing
TABLE_MM = 4.0  # shells thinner than twice this are the table's, not the patient's
SKIN_MM = 2.0
ORIGIN = "derived from HU"


def derived_body(ct: Volume) -> Region | None:
    """The patient: denser than -300 HU, freed of the table, the largest part, its cavities filled slice by slice.

    None when nothing on the image is that dense.
    """
    dense = ct.values > TISSUE_HU
    reach = np.maximum(1, np.rint(TABLE_MM / ct.grid.spacing_mm)).astype(int)
    core = _grown(_shrunk(dense, reach, axes=(0, 1)), reach, axes=(0, 1))
    parts, count = ndimage.label(core)
    if count == 0:
        return None
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    patient = _grown(parts == int(np.argmax(sizes)), reach, axes=(0, 1)) & dense
    for k in range(patient.shape[2]):
        patient[:, :, k] = ndimage.binary_fill_holes(patient[:, :, k])
    return Region(name="body", role=Role.BODY, part=patient, low=(0, 0, 0), origin=ORIGIN)


def derived_skin(body: Region, grid: Grid) -> Region:
    """The outermost 2 mm of the body (at least a voxel) along each axis; where the image cuts the body is no skin."""
    inside = np.zeros(grid.shape, dtype=bool)
    inside[body.box] = body.part
    reach = np.maximum(1, np.rint(SKIN_MM / grid.spacing_mm)).astype(int)
    deep = inside.copy()
    for axis in range(3):
        deep &= _shrunk(inside, reach, axes=(axis,))
    return Region(name="skin", role=Role.SKIN, part=inside & ~deep, low=(0, 0, 0), origin=ORIGIN)


def _shrunk(inside: Array, reach: Array, *, axes: tuple[int, ...]) -> Array:
    """Eroded by a box; beyond the image the body goes on."""
    found = inside.view(np.uint8)
    for axis in axes:
        found = ndimage.minimum_filter1d(found, 2 * int(reach[axis]) + 1, axis=axis, mode="nearest")
    return found.view(bool)


def _grown(inside: Array, reach: Array, *, axes: tuple[int, ...]) -> Array:
    """Dilated by a box."""
    found = inside.view(np.uint8)
    for axis in axes:
        found = ndimage.maximum_filter1d(found, 2 * int(reach[axis]) + 1, axis=axis, mode="nearest")
    return found.view(bool)
