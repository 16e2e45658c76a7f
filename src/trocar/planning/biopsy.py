"""The biopsy's path: into the compartment that the question needs, around necrosis, before anything is ablated."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog import device
from trocar.model.device import BiopsyNeedle
from trocar.model.space import Array
from trocar.model.treatment import Placement, Rejection
from trocar.planning.access import first_clear, instrument, needle, rejections, trace
from trocar.planning.directions import sphere, tie_break
from trocar.planning.surroundings import Surroundings

NECROSIS_HU = 15.0  # without contrast, smoothed; fluid rather than viable tumor, design
SOFT_TISSUE_PURPOSES = ("molecular", "diagnosis", "histology")
TARGETS_TRIED = 16
DIRECTIONS = 1000
DEPTH_MM = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """A biopsy that can be done (or None), in which compartment, and what was refused."""

    placement: Placement | None
    compartment: str
    rejected: tuple[Rejection, ...] = ()


def biopsy(around: Surroundings, up: Array) -> Sampling:
    """A biopsy of the lesion: soft tissue where there is enough of it, else bone."""
    preferred = compartments(around)
    refused: tuple[Rejection, ...] = ()
    for compartment in preferred:
        device_id = "needle-soft-tissue-18g" if compartment == "soft_tissue" else "needle-bone-11g"
        tool = instrument(device_id, "biopsy", what=f"biopsy needle ({compartment})")
        targets = _targets(around, compartment)
        if not len(targets):
            continue
        ways = sphere(DIRECTIONS)
        paths = trace(around, np.repeat(targets, len(ways), axis=0), np.tile(ways, (len(targets), 1)), tool, up)
        refused += tuple(rejections(around, paths, tool, up, what=tool.what))
        best = first_clear(around, paths, tool)
        if best is not None:
            return Sampling(needle(tool, paths.segment(best), "biopsy-1"), compartment, refused)
    return Sampling(None, preferred[0] if preferred else "", refused)


def compartments(around: Surroundings) -> tuple[str, ...]:
    """The compartments that can be sampled, the one that answers the question first.

    Soft tissue spares the decalcification that spoils molecular tests; a lesion within bone leaves only bone.
    """
    soft = around.in_lesion & ~around.in_bone
    share = float(np.count_nonzero(soft)) / max(1.0, float(np.count_nonzero(around.in_lesion)))
    if share < 0.15:
        return ("bone",)
    return ("soft_tissue", "bone")


def _targets(around: Surroundings, compartment: str) -> Array:
    """(n, 3) points well inside the compartment and out of necrosis, spread, the deepest first."""
    soft = around.in_lesion & ~around.in_bone
    region = soft if compartment == "soft_tissue" else around.in_lesion & ~soft
    smooth = ndimage.uniform_filter(around.values_HU, 3)
    viable = region & (smooth >= NECROSIS_HU)
    if not viable.any():
        viable = region
    if not viable.any():
        return np.zeros((0, 3))
    depth = ndimage.distance_transform_edt(viable, sampling=around.grid.spacing_mm)
    ijk = np.argwhere(depth >= min(DEPTH_MM, float(depth.max())))
    points = around.grid.to_lps(ijk)
    deepest = -np.round(depth[tuple(ijk.T)], 3)
    points = points[np.lexsort((tie_break(points, around.side_x), deepest))]
    taken: list[Array] = []
    for point in points:
        if all(np.linalg.norm(point - other) >= 8.0 for other in taken):
            taken.append(point)
        if len(taken) == TARGETS_TRIED:
            break
    return np.asarray(taken)


def throw_mm(placement: Placement) -> float | None:
    """How far the needle shoots beyond its tip, where the catalog says so."""
    known = device(placement.device)
    return known.throw_mm if isinstance(known, BiopsyNeedle) else None
