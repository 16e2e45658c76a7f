"""What edits by hand must be so that they can be carried out: refused with a hint before anything is changed."""

import numpy as np

from trocar.catalog import device
from trocar.errors import CaseError
from trocar.imaging.resample import sample
from trocar.model.edits import Edits, MovedPath
from trocar.model.space import Array
from trocar.model.treatment import Placement, Plan
from trocar.planning.surroundings import Surroundings

SHORTEST_MM, LONGEST_MM = 5.0, 400.0  # of a path from the skin: instruments end at 300
SKIN_MM = 15.0  # how far from the skin a path may be said to begin there
LENGTH_MM = 5.0  # step of a ladder of screws: how far a screw may be from any length that there is
TROCAR = "trocar"  # how a trocar's name begins; that of its cement goes on alike
ENTERS = "skin_lps_mm is where the instrument enters"
FRAME = "positions are LPS, in mm, in the frame of the planning CT"


def require_sense(around: Surroundings, plan: Plan, edits: Edits) -> None:
    """Raises `CaseError` for edits of what the plan does not have, and for paths that no instrument can take."""
    _require_known(plan, edits)
    _require_ways_in(plan, edits)
    placements = {item.name: item for step in plan.steps for item in step.placements}
    for path in edits.moved:
        _require_within(around, path)
        _require_skin(around, path)
        if placements[path.name].role == "screw":
            _require_screw(placements[path.name], path)


def _require_known(plan: Plan, edits: Edits) -> None:
    known = [item.name for step in plan.steps for item in step.placements]
    for name in sorted(edits.names):
        if known.count(name) != 1:
            how = "no placement" if name not in known else "several placements"
            raise CaseError(f"the plan has {how} called {name!r}", hint=f"there are: {', '.join(dict.fromkeys(known))}")
    twice = edits.kept & frozenset(edits.deleted)
    if twice:
        raise CaseError(f"{sorted(twice)[0]!r} is both kept and deleted", hint="name each placement once")


def _require_ways_in(plan: Plan, edits: Edits) -> None:
    """Cement needs the trocar that it is injected through."""
    for step in plan.steps:
        left = {item.name: item for item in step.placements if item.name not in edits.deleted}
        for name in (name for name, item in left.items() if item.role == "cement"):
            trocar = TROCAR + name.removeprefix("cement")
            if trocar in edits.deleted:
                raise CaseError(f"{name!r} is injected through {trocar!r}, which is deleted", hint="delete both")


def _require_within(around: Surroundings, path: MovedPath) -> None:
    stated = [path.target_lps_mm, path.skin_lps_mm, path.entry_lps_mm or path.skin_lps_mm]
    if not np.isfinite(stated).all():
        raise CaseError(f"{path.name!r} is moved to a position that is no number", hint=FRAME)
    if not around.case.grid.contains(path.target_lps_mm):
        raise CaseError(f"{path.name!r} is moved to a target outside of the CT", hint=FRAME)
    if not _in_body(around, np.array([path.target_lps_mm])).all():
        raise CaseError(f"{path.name!r} is moved to a target outside of the patient", hint=FRAME)
    length_mm = float(np.linalg.norm(np.subtract(path.target_lps_mm, path.skin_lps_mm)))
    if not SHORTEST_MM <= length_mm <= LONGEST_MM:
        raise CaseError(f"{path.name!r} is moved to a path of {length_mm:.1f} mm from the skin", hint=FRAME)


def _require_skin(around: Surroundings, path: MovedPath) -> None:
    """A path begins near where its line passes the skin; where the image ends before the body does, nobody knows."""
    skin, target = np.asarray(path.skin_lps_mm), np.asarray(path.target_lps_mm)
    length_mm = float(np.linalg.norm(target - skin))
    deep_mm = np.arange(-SKIN_MM, length_mm, 1.0)
    points = skin + deep_mm[:, None] * (target - skin) / length_mm
    known = around.case.grid.contains(points)
    inside = _in_body(around, points)
    near = np.abs(deep_mm) <= SKIN_MM
    if (known & inside)[near].all():
        raise CaseError(f"{path.name!r} begins more than {SKIN_MM:g} mm under the skin", hint=ENTERS)
    first = int(known.argmax())
    if known[first] and not inside[first] and deep_mm[first + int(inside[first:].argmax())] > SKIN_MM:
        raise CaseError(f"{path.name!r} begins more than {SKIN_MM:g} mm outside of the skin", hint=ENTERS)


def _require_screw(item: Placement, path: MovedPath) -> None:
    if path.entry_lps_mm is None:
        raise CaseError(f"{item.name!r} is a screw: its path lacks entry_lps_mm", hint="that is where its head lies")
    length_mm = float(np.linalg.norm(np.subtract(path.target_lps_mm, path.entry_lps_mm)))
    lengths = getattr(device(item.device), "lengths_mm", ())
    if lengths and not min(lengths) - LENGTH_MM < length_mm < max(lengths) + LENGTH_MM:
        raise CaseError(
            f"{item.name!r} would be {length_mm:.0f} mm long",
            hint=f"made in {min(lengths):g} to {max(lengths):g} mm",
        )


def _in_body(around: Surroundings, points_lps_mm: Array) -> Array:
    """(n,) beyond what was sampled around the lesion everything counts as inside: nothing is refused for it."""
    return np.asarray(sample(around.body, around.grid, points_lps_mm, outside=1.0, order=0) > 0)
