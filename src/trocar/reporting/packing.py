"""Arrays for the viewer: gzip and base64 in `<script>` elements that hold data, not programs."""

import gzip
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trocar.imaging.surface import Mesh
from trocar.model.space import Array, Grid

_TYPES: dict[str, type[np.signedinteger | np.unsignedinteger]] = {
    "int8": np.int8,
    "int16": np.int16,
    "uint32": np.uint32,
}


@dataclass(slots=True)
class Packer:
    """Collects packed arrays; `elements` maps an element's id to its text."""

    elements: dict[str, str] = field(default_factory=dict)

    def array(self, name: str, values: Array, kind: str) -> dict[str, Any]:
        """The description of an array, packed under `name`; same values, same bytes."""
        stored = np.ascontiguousarray(values, dtype=_TYPES[kind]).tobytes()
        self.elements[name] = b64encode(gzip.compress(stored, compresslevel=9, mtime=0)).decode()
        return {"element": name, "type": kind}

    def volume(self, name: str, values: Array, grid: Grid, *, kind: str, scale: float) -> dict[str, Any]:
        """A volume stored as `value / scale`, the first index fastest; values beyond the type's range are clipped."""
        limits = np.iinfo(_TYPES[kind])
        stored = np.clip(np.rint(values / scale), limits.min, limits.max)
        return {
            **self.array(name, stored.transpose(2, 1, 0), kind),
            "dims": list(grid.shape),
            "lps_from_ijk": [round(float(x), 9) for x in grid.matrix.ravel()],
            "scale": scale,
        }

    def surface(self, name: str, mesh: Mesh) -> dict[str, Any]:
        """A mesh in hundredths of a millimeter from its middle."""
        origin = np.round((mesh.vertices_lps_mm.min(axis=0) + mesh.vertices_lps_mm.max(axis=0)) / 2, 2)
        offsets = np.rint((mesh.vertices_lps_mm - origin) * 100.0)
        return {
            "vertices": self.array(f"{name}-vertices", offsets, "int16"),
            "origin_lps_mm": [float(x) for x in origin],
            "faces": self.array(f"{name}-faces", mesh.faces, "uint32"),
        }
