"""Computed fields on disk: one zarr v3 store per finding, one array per field. The same fields give the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from trocar.errors import DossierError
from trocar.model.space import Array, Grid, Volume

CHUNK_VOXELS = 128
UNKNOWN_CENTIDEGREE = -32768
LARGEST_DEGC = 327.0  # what hundredths of a degree can hold in 16 bits


def write_fields(folder: Path, fields: Mapping[str, Volume]) -> None:
    """Write fields with `unit` and `lps_from_ijk` as attributes of each array.

    Temperatures are stored as hundredths of a degree (int16), fractions in half precision; unknown voxels stay unknown.
    """
    root = zarr.create_group(store=folder, zarr_format=3, overwrite=True)
    for name in sorted(fields):
        volume = fields[name]
        stored, packing = _packed(volume)
        array = root.create_array(
            name,
            shape=stored.shape,
            dtype=stored.dtype,
            chunks=tuple(min(size, CHUNK_VOXELS) for size in stored.shape),
            fill_value=0,
            compressors=BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
            attributes={"unit": volume.unit, "lps_from_ijk": volume.grid.lps_from_ijk, **packing},
        )
        array[...] = stored


def read_fields(folder: Path) -> dict[str, Volume]:
    """The fields of a store: masks and counts as they were, all others in single precision.

    Raises `DossierError` when the store cannot be read.
    """
    try:
        root = zarr.open_group(store=folder, mode="r", zarr_format=3)
        arrays = {name: item for name, item in root.members(max_depth=None) if isinstance(item, zarr.Array)}
        return {name: _unpacked(arrays[name]) for name in sorted(arrays)}
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise DossierError(f"{folder.name} cannot be read: {error}", hint="the folder is damaged") from error


def _packed(volume: Volume) -> tuple[Array, dict[str, Any]]:
    """The values as stored, and what must be known to undo it."""
    values = volume.values
    if values.dtype == bool or np.issubdtype(values.dtype, np.integer):
        return values, {}
    if volume.unit == "degC" and np.nanmax(np.abs(values), initial=0.0) < LARGEST_DEGC:
        hundredths = np.where(np.isnan(values), UNKNOWN_CENTIDEGREE, np.rint(np.nan_to_num(values) * 100.0))
        return hundredths.astype(np.int16), {"scale": 0.01, "unknown": UNKNOWN_CENTIDEGREE}
    if volume.unit in ("1", "frac"):
        return values.astype(np.float16), {}
    return values.astype(np.float32), {}


def _unpacked(array: Any) -> Volume:
    attributes = array.attrs.asdict()
    values = np.asarray(array[...])
    if "scale" in attributes:
        values = np.where(values == attributes["unknown"], np.nan, values * attributes["scale"])
    if np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32)
    matrix = tuple(tuple(float(value) for value in row) for row in attributes["lps_from_ijk"])
    grid = Grid(shape=values.shape[:3], lps_from_ijk=matrix)  # type: ignore[arg-type]
    return Volume(grid=grid, values=values, unit=attributes["unit"])
