"""Arrays of a case on disk: volumes as NIfTI, structures as layers of labels. The same array gives the same bytes."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError

from trocar.errors import DossierError
from trocar.model.case import Structure
from trocar.model.space import Array, Grid, as_matrix4

COMPRESSION = 1  # CT noise does not compress: higher levels cost seconds and save a twentieth
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
HEADER_TOLERANCE_MM = 0.01  # a NIfTI header holds single precision


def write_nifti(path: Path, values: Array, grid: Grid) -> None:
    """Write an array [i, j, k(, layer)], gzipped without time stamp; `grid` is both qform and sform (RAS+, scanner)."""
    ras_from_ijk = RAS_FROM_LPS @ grid.matrix
    image = nibabel.Nifti1Image(values, ras_from_ijk)
    image.set_sform(ras_from_ijk, code=1)
    image.set_qform(ras_from_ijk, code=1)
    image.header.set_xyzt_units("mm")
    with path.open("wb") as stream, gzip.GzipFile("", "wb", COMPRESSION, stream, mtime=0) as packed:
        packed.write(image.to_bytes())


def read_nifti(path: Path, grid: Grid) -> Array:
    """The array of a file written by `write_nifti`, as stored.

    Raises `DossierError` when it cannot be read or its header does not lie on `grid`.
    """
    try:
        with gzip.open(path, "rb") as packed:
            image = nibabel.Nifti1Image.from_bytes(packed.read())
        values = np.asarray(image.dataobj)
    except (OSError, EOFError, ValueError, HeaderDataError) as error:
        raise DossierError(f"{path.name} cannot be read: {error}", hint="the file is damaged") from error
    found = Grid(shape=values.shape[:3], lps_from_ijk=as_matrix4(RAS_FROM_LPS @ image.affine))
    if not found.matches(grid, tolerance_mm=HEADER_TOLERANCE_MM):
        raise DossierError(f"the header of {path.name} is not on the grid that its JSON states", hint="restore it")
    return values


def compact(values: Array) -> Array:
    """HU as int16 when that loses nothing, else single precision."""
    if values.dtype == np.int16:
        return values
    low, high = values.min(), values.max()
    if low >= -32768 and high <= 32767 and np.array_equal(rounded := values.astype(np.int16), values):
        return rounded
    return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a structure is stored: its layer of the label map, and its label there."""

    layer: int
    label: int


def layered(structures: Sequence[Structure], grid: Grid) -> tuple[Array, dict[str, Place]]:
    """A label map uint8 [i, j, k, layer] and each structure's place; structures that overlap get different layers."""
    layers: list[Array] = []
    labels: list[int] = []
    places: dict[str, Place] = {}
    for structure in structures:
        box = bounding_box(structure.inside)
        inside = structure.inside[box]
        free = (n for n, layer in enumerate(layers) if labels[n] < 255 and not layer[box][inside].any())
        layer = next(free, len(layers))
        if layer == len(layers):
            layers.append(np.zeros(grid.shape, np.uint8))
            labels.append(0)
        labels[layer] += 1
        layers[layer][box][inside] = labels[layer]
        places[structure.name] = Place(layer, labels[layer])
    if not layers:
        layers.append(np.zeros(grid.shape, np.uint8))
    return np.stack(layers, axis=-1), places


def bounding_box(inside: Array) -> tuple[slice, slice, slice]:
    """The smallest box of slices that holds a mask; empty slices for an empty mask."""
    found = []
    for axis in range(3):
        line = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(line[0]), int(line[-1]) + 1) if line.size else slice(0, 0))
    return found[0], found[1], found[2]
