"""What the viewer shows: the CT around the treatment, temperatures, outlines and surfaces, packed and small."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from trocar.imaging.distance import distance_field
from trocar.imaging.resample import resample
from trocar.imaging.surface import EMPTY, Mesh, bounds, level_surface
from trocar.model.case import Role, Structure
from trocar.model.space import Array, Grid, Volume, as_matrix4
from trocar.model.treatment import Placement
from trocar.reporting.captions import stage_name
from trocar.reporting.gathered import Gathered
from trocar.reporting.language import CODES, Language
from trocar.reporting.packing import Packer
from trocar.reporting.staging import Stage, stages

MOST_CT_VOXELS = 2_000_000
MOST_FIELD_VOXELS = 600_000
MOST_MESH_VOXELS = 250_000
BODY_TEMPERATURE_DEGC = 37.0
REACH_MM = 12.0  # of the outlines' distance fields
ICE_LEVELS_DEGC = (0.0, -20.0, -40.0)

VIEWER_TEXT = {
    "step": "Step",
    "window": "Window",
    "window_bone": "bone",
    "window_soft": "soft tissue",
    "overlays": "lines on slices",
    "show_bone": "bone",
    "show_lesion": "tumor",
    "show_ice": "ice",
    "show_nerve": "nerves",
    "show_instrument": "instruments",
    "next_instrument": "next instrument",
    "axial": "axial, seen from the feet",
    "coronal": "coronal",
    "sagittal": "sagittal, seen from the left",
    "oblique": "along",
    "oblique_none": "sagittal (this step has no instrument)",
    "three_d": "3-D: drag or use the arrow keys to turn",
    "slider_axial": "axial slice, millimeters towards the head",
    "slider_coronal": "coronal slice, millimeters towards the back",
    "slider_sagittal": "sagittal slice, millimeters towards the left",
    "coldest": "coldest so far",
}


def scene(gathered: Gathered, packer: Packer) -> dict[str, Any]:
    """The viewer's description of the case; its arrays go to `packer`."""
    case, shown = gathered.case.grid, stages(gathered)
    box = region(gathered, shown)
    temperatures = {stage.coldest_key: stage.coldest for stage in shown if stage.coldest_key and stage.coldest}
    focus = lesion_center(gathered)
    ct = cropped(gathered.case.ct.values, case, box)
    return {
        "ct": packer.volume("ct", *_thinned_values(ct, box, MOST_CT_VOXELS), kind="int16", scale=1.0),
        "temperatures": {key: _temperature(packer, n, volume) for n, (key, volume) in enumerate(temperatures.items())},
        "lesion": _outline(packer, "lesion", (gathered.lesion,), box, case),
        "nerves": _outline(packer, "nerves", gathered.nerves, box, case),
        "surfaces": _surfaces(gathered, packer, box, temperatures),
        "steps": [_step(stage, focus) for stage in shown],
        "first_step": next((stage.id for stage in shown if stage.coldest is not None), shown[0].id),
        "focus_lps_mm": _rounded(focus),
        "look_from": _rounded(_look_from(shown, focus), digits=4),
        "text": {key: _in_both(said) for key, said in VIEWER_TEXT.items()},
    }


def region(gathered: Gathered, shown: tuple[Stage, ...], *, margin_mm: float = 38.0) -> Grid:
    """The part of the CT's grid that holds the lesion and what is placed inside the body near it."""
    grid = gathered.case.grid
    (low_i, high_i), (low_j, high_j), (low_k, high_k) = bounds(gathered.lesion.inside)
    corners = [grid.to_lps([low_i, low_j, low_k]), grid.to_lps([high_i - 1, high_j - 1, high_k - 1])]
    for stage in shown:
        for placement in stage.instruments:
            corners += [np.asarray(placement.entry_lps_mm), np.asarray(placement.target_lps_mm)]
        corners += [np.asarray(deposit.center_lps_mm) for deposit in stage.deposits]
    ijk = grid.to_ijk(corners)
    reach = margin_mm / grid.spacing_mm
    return grid.cropped(np.floor(ijk.min(axis=0) - reach), np.ceil(ijk.max(axis=0) + reach) + 1)


def thinned(grid: Grid, most_voxels: int) -> Grid:
    """The grid itself when it is small enough, else one of wider voxels with the same outer faces."""
    factor = (np.prod(grid.shape) / most_voxels) ** (1.0 / 3.0)
    if factor <= 1.0:
        return grid
    shape = np.maximum(np.floor(np.asarray(grid.shape) / factor), 1).astype(int)
    ratio = np.asarray(grid.shape) / shape
    matrix = grid.matrix.copy()
    matrix[:3, :3] *= ratio
    matrix[:3, 3] = grid.to_lps((ratio - 1.0) / 2.0)
    return Grid(shape=tuple(int(n) for n in shape), lps_from_ijk=as_matrix4(matrix))  # type: ignore[arg-type]


def cropped(values: Array, grid: Grid, box: Grid) -> Array:
    """The values on a sub-grid of their grid."""
    low = np.rint(grid.to_ijk(box.to_lps([0, 0, 0]))).astype(int)
    return values[tuple(slice(int(start), int(start) + n) for start, n in zip(low, box.shape, strict=True))]


def _thinned_values(values: Array, grid: Grid, most_voxels: int) -> tuple[Array, Grid]:
    """Values and their grid, on wider voxels where there are too many."""
    onto = thinned(grid, most_voxels)
    if onto is grid:
        return values, grid
    volume = Volume(grid=grid, values=values.astype(np.float32), unit="")
    return resample(volume, onto, outside=float(values.min())).values, onto


def _temperature(packer: Packer, n: int, volume: Volume) -> dict[str, Any]:
    cold = volume.values < BODY_TEMPERATURE_DEGC - 5.0
    box = volume.grid
    if cold.any():
        low, high = (np.asarray(edge) for edge in zip(*bounds(cold), strict=True))
        box = box.cropped(low - 2, high + 2)
    values, grid = _thinned_values(cropped(volume.values, volume.grid, box), box, MOST_FIELD_VOXELS)
    return packer.volume(f"temperature-{n}", values, grid, kind="int16", scale=0.1)


def _outline(
    packer: Packer, name: str, structures: tuple[Structure, ...], box: Grid, case: Grid
) -> dict[str, Any] | None:
    """The signed distance in mm to the structures' union, clipped where no outline is drawn."""
    inside = union(structures, box, case)
    if not inside.any():
        return None
    reach = np.ceil(REACH_MM / box.spacing_mm)
    low, high = (np.asarray(edge) for edge in zip(*bounds(inside), strict=True))
    near = box.cropped(low - reach, high + reach)
    distance_mm = np.clip(distance_field(cropped(inside, box, near), near), -REACH_MM, REACH_MM)
    values, grid = _thinned_values(distance_mm, near, MOST_FIELD_VOXELS)
    return packer.volume(name, values, grid, kind="int8", scale=0.1)


def union(structures: tuple[Structure, ...], box: Grid, case: Grid) -> Array:
    """(box) where any of the structures is; `box` is a sub-grid of the case's grid."""
    inside = np.zeros(box.shape, dtype=bool)
    for structure in structures:
        inside |= cropped(structure.inside, case, box)
    return inside


def _surfaces(gathered: Gathered, packer: Packer, box: Grid, temperatures: dict[str, Volume]) -> list[dict[str, Any]]:
    made = []
    kinds = {
        "bone": gathered.case.with_role(Role.BONE),
        "lesion": (gathered.lesion,),
        "nerve": gathered.nerves,
        "vessel": gathered.case.with_role(Role.VESSEL),
    }
    for kind, structures in kinds.items():
        mesh = _structure_mesh(union(structures, box, gathered.case.grid), box, fine=kind in ("nerve", "lesion"))
        if len(mesh.faces):
            made.append(_surface(packer, kind, mesh, kind=kind))
    for n, (key, volume) in enumerate(temperatures.items()):
        values, grid = _thinned_values(volume.values, volume.grid, MOST_MESH_VOXELS)
        for level in ICE_LEVELS_DEGC:
            mesh = level_surface(-values, grid, -level)
            if len(mesh.faces):
                made.append(_surface(packer, f"ice-{n}{level:.0f}", mesh, kind="ice", temperature=key, level=level))
    return made


def _structure_mesh(inside: Array, box: Grid, *, fine: bool) -> Mesh:
    if not inside.any():
        return EMPTY
    most_voxels = MOST_FIELD_VOXELS if fine else MOST_MESH_VOXELS
    smoothing_mm = 0.5 if fine else 0.6 * float(thinned(box, most_voxels).spacing_mm.max())
    smooth = ndimage.gaussian_filter(inside.astype(np.float32), smoothing_mm / box.spacing_mm)
    values, grid = _thinned_values(smooth, box, most_voxels)
    return level_surface(values, grid, 0.4 if fine else 0.5)


def _surface(
    packer: Packer, name: str, mesh: Mesh, *, kind: str, temperature: str | None = None, level: float | None = None
) -> dict[str, Any]:
    return {"kind": kind, "temperature": temperature, "level_degC": level, **packer.surface(name, mesh)}


def _step(stage: Stage, focus: Array) -> dict[str, Any]:
    return {
        "id": stage.id,
        "label": {code: stage_name(stage, Language(code)) for code in CODES},
        "temperature": stage.coldest_key,
        "instruments": [_instrument(placement) for placement in stage.instruments],
        "deposits": [
            {"center_lps_mm": _rounded(deposit.center_lps_mm), "radius_mm": round(deposit.radius_mm, 2)}
            for deposit in stage.deposits
        ],
        "focus_lps_mm": _rounded(stage.focus_lps_mm(focus)),
    }


def _instrument(placement: Placement) -> dict[str, Any]:
    start = placement.entry_lps_mm if placement.role == "screw" else placement.skin_lps_mm
    return {
        "name": placement.name,
        "role": placement.role,
        "entry_lps_mm": _rounded(start),
        "target_lps_mm": _rounded(placement.target_lps_mm),
        "radius_mm": round(placement.diameter_mm / 2, 2),
    }


def _in_both(message: str) -> dict[str, str]:
    return {code: Language.spaced(Language(code)(message)) for code in CODES}


def _rounded(vector: ArrayLike, *, digits: int = 2) -> list[float]:
    return [round(float(x), digits) for x in np.asarray(vector)]


def lesion_center(gathered: Gathered) -> Array:
    """(3,) the middle of the reported lesion."""
    return gathered.case.grid.to_lps(np.argwhere(gathered.lesion.inside)).mean(axis=0)


def _look_from(shown: tuple[Stage, ...], focus: Array) -> Array:
    """Unit vector from the lesion towards the side the instruments come from, a little from above."""
    starts = [placement.skin_lps_mm for stage in shown for placement in stage.instruments]
    towards = np.mean(starts, axis=0) - focus if starts else np.array([0.3, -1.0, 0.2])
    towards = towards / max(float(np.linalg.norm(towards)), 1e-6) + np.array(
        [0.0, -0.35 if towards[1] < 0 else 0.35, 0.35]
    )
    return towards / max(float(np.linalg.norm(towards)), 1e-6)
