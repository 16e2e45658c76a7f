"""The part of a case around a lattice: what strength needs of a whole pelvis is a tenth of it."""

from dataclasses import replace

import numpy as np

from trocar.model.case import Case
from trocar.model.space import Grid, Volume

MARGIN_MM = 30.0  # joints, discs and neighboring bones are looked for within 8 mm; a screw's tip beyond is kept too


def nearby(case: Case, grid: Grid, *, margin_mm: float = MARGIN_MM) -> Case:
    """The case cropped to a lattice with a margin; structures that lie wholly outside are left out."""
    corners = np.array([[i, j, k] for i in (0, grid.shape[0]) for j in (0, grid.shape[1]) for k in (0, grid.shape[2])])
    reach = case.grid.to_ijk(grid.to_lps(corners))
    margin = margin_mm / case.grid.spacing_mm
    low = np.clip(np.floor(reach.min(axis=0) - margin), 0, np.array(case.grid.shape) - 1).astype(int)
    high = np.clip(np.ceil(reach.max(axis=0) + margin) + 1, low + 1, case.grid.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    kept = []
    for structure in case.structures:
        inside = structure.inside[box]
        if inside.any():
            kept.append(replace(structure, inside=inside.copy()))
    ct = Volume(grid=case.grid.cropped(low, high), values=case.ct.values[box].copy(), unit=case.ct.unit)
    return replace(case, ct=ct, structures=tuple(kept), phases={}, geometry=())
