"""The biopsy's path: into the compartment that the question needs, around necrosis, before anything is ablated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from trocar.catalog import device
from trocar.imaging.resample import sample
from trocar.imaging.surface import grown_bounds, slices
from trocar.model.device import BiopsyNeedle
from trocar.model.space import Array, Segment, as_vector
from trocar.model.treatment import Placement, Rejection
from trocar.planning.access import Instrument, Paths, clear, first_clear, instrument, needle, rejections, trace
from trocar.planning.directions import spaced, sphere, tie_break
from trocar.planning.front import Option, front
from trocar.planning.surroundings import Surroundings, look_up

NECROSIS_HU = 15.0  # without contrast, smoothed; fluid rather than viable tumor, design
ENHANCEMENT_HU = 10.0  # in a contrast phase, smoothed; less is taken for necrosis, design
DECALCIFICATION_SPOILS = ("molecular",)  # questions that soft tissue answers better than bone, R-h
SOFT_SHARE_FRAC = {True: 0.05, False: 0.15}  # of the lesion, from which soft tissue is sampled first; design
TARGETS_TRIED = 16
TARGETS_APART_MM = 8.0
DIRECTIONS = 1000
DEPTH_MM = 4.0
NAME = "biopsy-1"
BACK_MM = 20.0  # how far before its target a path is looked at that is too long for the needle
SPARE_MM = 0.5  # what the length of a path may differ by when it is followed from another point


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """A biopsy that can be done (or None), in which compartment, and what was refused."""

    placement: Placement | None
    compartment: str
    rejected: tuple[Rejection, ...] = ()
    options: tuple[Option, ...] = ()
    shared_with: str = ""


def biopsy(around: Surroundings, up: Array) -> Sampling:
    """A biopsy of the lesion: soft tissue where there is enough of it, else bone.

    Where the needle reaches none of the targets, it stops within its reach on the way to one, as deep in the
    compartment as a target has to lie.
    """
    preferred = compartments(around)
    refused: tuple[Rejection, ...] = ()
    for compartment in preferred:
        tool, depth = _tool(compartment), _depth_mm(around, compartment)
        targets = _targets(around, depth)
        if not len(targets):
            continue
        ways = sphere(DIRECTIONS)
        paths = trace(around, np.repeat(targets, len(ways), axis=0), np.tile(ways, (len(targets), 1)), tool, up)
        refused += tuple(rejections(around, paths, tool, up, what=tool.what))
        best = first_clear(around, paths, tool)
        if best is None:
            paths = _sooner(around, paths, tool, up, depth)
            best = first_clear(around, paths, tool)
        if best is not None:
            options = tuple(front(around, paths, tool, shown=4))
            return Sampling(needle(tool, paths.segment(best), NAME), compartment, refused, options)
    return Sampling(None, preferred[0] if preferred else "", refused)


def _sooner(around: Surroundings, paths: Paths, tool: Instrument, up: Array, depth_mm: Array) -> Paths:
    """The paths that are only too long for the needle, ended where they lie deepest within its reach."""
    rows = np.flatnonzero(paths.reason == paths.reasons.index("needle_length"))
    rows = rows[paths.length_mm[rows] <= tool.reach_mm + BACK_MM]
    back = paths.length_mm[rows, None] - tool.reach_mm + SPARE_MM + np.arange(0.0, BACK_MM, 1.0)
    points = paths.targets[rows, None] + back[..., None] * paths.outward[rows, None]
    depth = look_up(around, depth_mm, points, outside=0.0)
    deepest, each = depth.argmax(axis=1), np.arange(len(rows))
    kept = depth[each, deepest] >= _wanted_mm(depth_mm)
    return trace(around, points[each, deepest][kept], paths.outward[rows][kept], tool, up)


def shared(around: Surroundings, found: Sampling, others: Mapping[str, Segment]) -> Sampling:
    """The same sample taken on the path of another instrument, from the skin, where one crosses viable tumor.

    `others` are paths by name. The one that passes deepest within the compartment is taken; none that is too long or
    not clear enough for the needle. A sample that found no path of its own may find one so.
    """
    if not found.compartment or not others:
        return found
    tool, depth = _tool(found.compartment), _depth_mm(around, found.compartment)
    best: tuple[float, str, Segment] | None = None
    for name, path in others.items():
        along = np.arange(1.0, min(path.length_mm, tool.reach_mm), 1.0)
        inside = look_up(around, depth, path.at(along), outside=0.0) if len(along) else np.zeros(1)
        deepest = float(inside.max())
        if deepest < DEPTH_MM or (best is not None and deepest <= best[0] + 1e-6):
            continue
        end = path.at(along[int(np.argmax(inside))])
        own = Segment(start_lps_mm=path.start_lps_mm, end_lps_mm=as_vector(end))
        if clear(around.obstacles, own, tool):
            best = deepest, name, own
    if best is None:
        return found
    return replace(found, placement=needle(tool, best[2], NAME), shared_with=best[1])


def _tool(compartment: str) -> Instrument:
    device_id = "needle-soft-tissue-18g" if compartment == "soft_tissue" else "needle-bone-11g"
    return instrument(device_id, "biopsy", what=f"biopsy needle ({compartment.replace('_', ' ')})")


def compartments(around: Surroundings) -> tuple[str, ...]:
    """The compartments that can be sampled, the one that answers the question first.

    Soft tissue spares the decalcification that spoils molecular tests: where those are asked for, a small soft-tissue
    part is enough. A lesion within bone leaves only bone.
    """
    soft = around.in_lesion & ~around.in_bone
    share = float(np.count_nonzero(soft)) / max(1.0, float(np.count_nonzero(around.in_lesion)))
    oncology = around.case.clinical.oncology
    asked = set(oncology.biopsy_purpose or ()) | ({"molecular"} if oncology.molecular_need else set())
    if share < SOFT_SHARE_FRAC[bool(asked & set(DECALCIFICATION_SPOILS))]:
        return ("bone",)
    return ("soft_tissue", "bone")


def _viable(around: Surroundings, compartment: str) -> Array:
    """[i, j, k] the compartment without necrosis: what is too dark, or does not enhance where a phase shows it."""
    soft = around.in_lesion & ~around.in_bone
    region = soft if compartment == "soft_tissue" else around.in_lesion & ~soft
    viable = region & (ndimage.uniform_filter(around.values_HU, 3) >= NECROSIS_HU)
    for phase in around.case.phases.values():
        gain = np.zeros(around.grid.shape, dtype=np.float32)
        ijk = np.argwhere(ndimage.binary_dilation(around.in_lesion))
        after = sample(phase.values, phase.grid, around.grid.to_lps(ijk), outside=np.nan)
        gain[tuple(ijk.T)] = np.nan_to_num(after - around.values_HU[tuple(ijk.T)], nan=0.0)
        enhancing = viable & (ndimage.uniform_filter(gain, 3) >= ENHANCEMENT_HU)
        viable = enhancing if enhancing.any() else viable
    return viable if viable.any() else region


def _depth_mm(around: Surroundings, compartment: str) -> Array:
    """[i, j, k] how deep each voxel lies within the viable compartment, 0 outside."""
    viable = _viable(around, compartment)
    depth = np.zeros(around.grid.shape, dtype=np.float32)
    if viable.any():
        box = slices(*grown_bounds(viable, 1))
        depth[box] = ndimage.distance_transform_edt(viable[box], sampling=around.grid.spacing_mm)
    return depth


def _wanted_mm(depth_mm: Array) -> float:
    """How deep in the compartment a sample is taken."""
    return min(DEPTH_MM, float(depth_mm.max()))


def _targets(around: Surroundings, depth_mm: Array) -> Array:
    """(n, 3) points well inside the compartment and out of necrosis, spread, the deepest first."""
    if not depth_mm.any():
        return np.zeros((0, 3))
    ijk = np.argwhere(depth_mm >= _wanted_mm(depth_mm))
    points = around.grid.to_lps(ijk)
    deepest = -np.round(depth_mm[tuple(ijk.T)], 3)
    points = points[np.lexsort((tie_break(points, around.side_x), deepest))]
    return spaced(points, apart_mm=TARGETS_APART_MM, count=TARGETS_TRIED)


def throw_mm(placement: Placement) -> float | None:
    """How far the needle shoots beyond its tip, where the catalog says so."""
    known = device(placement.device)
    return known.throw_mm if isinstance(known, BiopsyNeedle) else None
