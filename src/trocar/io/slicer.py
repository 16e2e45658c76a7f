"""Curves and lines of 3D Slicer (`.mrk.json`): nerves as tubes of a stated diameter, and planned paths."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from trocar.errors import CaseError, GeometryError, ReadError
from trocar.io.anatomy import named, required_role
from trocar.io.geometry import LPS_FROM_RAS, judged
from trocar.io.region import CUT_OFF_REFUSED_FRAC, CUT_OFF_SILENT_FRAC, Region
from trocar.model.case import GeometryFinding, Role
from trocar.model.space import Array, Grid, Segment, as_vector

TUBE_ROLES = (Role.NERVE, Role.CORD, Role.VESSEL, Role.URETER)
DIAMETER_RANGE_MM = (0.5, 40.0)
FARTHEST_MM = 10_000.0  # from the scanner's center: no patient reaches there
_STATED_DIAMETER = re.compile(r"diameter_mm\s*[=:]\s*([^\s;]+)")
_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_PER_SPAN = 8  # points of the curve between two control points


def read_markups(
    path: Path, grid: Grid, *, subject: str = "markups"
) -> tuple[list[Region], tuple[GeometryFinding, ...]]:
    """The tubes of a markups file on the CT's grid, each with its centerline and diameter.

    The markup's name is the structure's. Its diameter is stated in the description of the markup or of a control point,
    as `diameter_mm=5`. A curve passes through its control points (Catmull-Rom), a line is straight.

    Raises `ReadError` for another kind of file, `CaseError` for a missing or odd diameter or a name without role,
    `GeometryError` for a tube outside the CT.
    """
    regions: list[Region] = []
    findings: tuple[GeometryFinding, ...] = ()
    for markup in _markups(path):
        name = named(str(markup.get("name") or re.sub(r"(\.mrk)?\.json$", "", path.name)))
        role = required_role(name, labeled=False)
        if role not in TUBE_ROLES:
            raise CaseError(
                f"markup {name!r} is a {role}; only nerves, cords, vessels and ureters are read as tubes",
                hint="planned paths are made by trocar plan; give other structures as masks",
            )
        region, seen = _tube(
            name, role, _centerline(markup, name), _diameter_mm(markup, name), grid, f"{subject}: {name}"
        )
        regions.append(region)
        findings = (*findings, *seen)
    return regions, findings


def read_lines(path: Path) -> list[tuple[str, str, Array]]:
    """(name, description, (n, 3) points in LPS mm) of every line or curve of a markups file.

    Raises `ReadError` for another kind of file, `CaseError` for a markup of another kind.
    """
    return [
        (str(markup.get("name") or ""), str(markup.get("description") or ""), _control(markup, str(markup.get("name"))))
        for markup in _markups(path)
    ]


def _markups(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        markups = content["markups"]
    except FileNotFoundError as error:
        raise ReadError(f"there is no file {path.name}", hint="check the path given with --markups") from error
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise ReadError(f"{path.name} is not a Slicer markups file", hint="save the curve as .mrk.json") from error
    if not isinstance(markups, list) or not markups or not all(isinstance(markup, dict) for markup in markups):
        raise ReadError(f"{path.name} holds no markup", hint="save the curve as .mrk.json")
    return markups


def _points(markup: dict[str, Any], name: str) -> list[dict[str, Any]]:
    points = markup.get("controlPoints") or []
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise ReadError(f"markup {name!r} has damaged control points", hint="save the curve again as .mrk.json")
    return points


def _centerline(markup: dict[str, Any], name: str) -> Array:
    """(n, 3) points of the curve in LPS mm."""
    control = _control(markup, name)
    return control if markup.get("type") == "Line" or len(control) == 2 else _through(control)


def _control(markup: dict[str, Any], name: str) -> Array:
    """(n, 3) control points in LPS mm, at least two distinct ones."""
    kind, system = markup.get("type"), markup.get("coordinateSystem")
    if kind not in ("Curve", "Line"):
        raise CaseError(f"markup {name!r} is a {kind}, not a curve or a line", hint="draw the nerve as an open curve")
    if system not in ("LPS", "RAS"):
        raise ReadError(f"markup {name!r} states no coordinate system (LPS or RAS)", hint="save it with a newer Slicer")
    if markup.get("coordinateUnits") not in ("mm", ["mm", "UCUM", "millimeter"], None):
        raise ReadError(f"markup {name!r} is not in mm", hint="save it in millimeters")
    points = [
        point.get("position") for point in _points(markup, name) if point.get("positionStatus", "defined") == "defined"
    ]
    try:
        control = np.array(points, dtype=float).reshape(len(points), 3)
    except (TypeError, ValueError) as error:
        raise ReadError(f"markup {name!r} has a damaged control point", hint="draw the curve again") from error
    if len(control) < 2 or not np.all(np.isfinite(control)) or np.ptp(control, axis=0).max() == 0:
        raise CaseError(
            f"markup {name!r} has fewer than two distinct points", hint="draw the nerve with two or more points"
        )
    if np.abs(control).max() > FARTHEST_MM:
        raise CaseError(f"markup {name!r} lies {np.abs(control).max():.3g} mm away", hint="draw the curve on this CT")
    return control @ LPS_FROM_RAS[:3, :3] if system == "RAS" else control


def _through(control: Array) -> Array:
    """The Catmull-Rom curve through (n, 3) control points."""
    before, after = 2 * control[0] - control[1], 2 * control[-1] - control[-2]
    padded = np.vstack([before, control, after])
    t = np.linspace(0.0, 1.0, _PER_SPAN, endpoint=False)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.vstack([*spans, control[-1]])


def _diameter_mm(markup: dict[str, Any], name: str) -> float:
    texts = [str(markup.get("description") or "")]
    texts += [str(point.get("description") or "") for point in _points(markup, name)]
    words = [found.rstrip(".,)") for text in texts for found in _STATED_DIAMETER.findall(text)]
    odd = [word for word in words if not _PLAIN_NUMBER.fullmatch(word)]
    if odd:
        raise CaseError(
            f"markup {name!r}: the diameter {odd[0]!r} is not a plain number",
            hint="write diameter_mm=5 or diameter_mm=5.5, in millimeters",
        )
    stated = {float(word) for word in words}
    if len(stated) != 1:
        raise CaseError(
            f"markup {name!r} states {'no' if not stated else 'several'} diameter",
            hint="write diameter_mm=5 into the description of the markup or of its first control point",
        )
    diameter_mm = stated.pop()
    if not DIAMETER_RANGE_MM[0] <= diameter_mm <= DIAMETER_RANGE_MM[1]:
        raise CaseError(f"markup {name!r}: a diameter of {diameter_mm:g} mm is impossible", hint="state it in mm")
    return diameter_mm


def _tube(
    name: str, role: Role, centerline: Array, diameter_mm: float, grid: Grid, subject: str
) -> tuple[Region, tuple[GeometryFinding, ...]]:
    outside = float(np.mean(~grid.contains(centerline)))
    hint = "the markup belongs to another image, or its coordinate system (LPS, RAS) is wrong"
    if outside > CUT_OFF_REFUSED_FRAC:
        raise GeometryError(f"{subject} lies mostly outside the CT", hint=hint)
    findings = judged(
        subject,
        "cut_off",
        outside,
        say_above=CUT_OFF_SILENT_FRAC,
        refuse_above=CUT_OFF_REFUSED_FRAC,
        unit="fraction",
        message="part of the curve lies outside the CT",
        hint=hint,
    )
    part, low = _solid(centerline, diameter_mm / 2, grid)
    region = Region(
        name=name,
        role=role,
        part=part,
        low=low,
        origin=f"Slicer markup, tube of {diameter_mm:g} mm",
        centerline_lps_mm=tuple(as_vector(point) for point in centerline),
        diameter_mm=diameter_mm,
    )
    return region, findings


def _solid(centerline: Array, radius_mm: float, grid: Grid) -> tuple[Array, tuple[int, int, int]]:
    """The voxels within the radius of a polyline, or on it, in the box that they touch, and the box's first index."""
    first, size = _box_around(centerline, radius_mm, grid)
    part = np.zeros(size, dtype=bool)
    for start, end in pairwise(centerline):
        if np.all(start == end):
            continue
        low, shape = _box_around(np.array([start, end]), radius_mm, grid)
        centers = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1) + low)
        span = Segment(start_lps_mm=as_vector(start), end_lps_mm=as_vector(end))
        window = tuple(slice(a - b, a - b + n) for a, b, n in zip(low, first, shape, strict=True))
        part[window] |= span.distance_mm(centers) <= radius_mm
    _mark_line(part, grid.cropped(first, np.add(first, size)), centerline)
    return part, first


def _box_around(points: Array, radius_mm: float, grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """(first index, size) of the box of the grid that holds everything within a radius of some points."""
    index = grid.to_ijk(points)
    reach = radius_mm / grid.spacing_mm + 1  # the axes are perpendicular
    low = np.clip(np.floor(index.min(axis=0) - reach).astype(int), 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(index.max(axis=0) + reach).astype(int) + 1, low + 1, grid.shape)
    size = high - low
    return (int(low[0]), int(low[1]), int(low[2])), (int(size[0]), int(size[1]), int(size[2]))


def _mark_line(part: Array, box: Grid, centerline: Array) -> None:
    """The voxels on the line itself belong to the tube, so that one thinner than a voxel leaves no gap."""
    step = box.spacing_mm.min() / 2
    for start, end in pairwise(centerline):
        count = max(2, int(np.ceil(np.linalg.norm(end - start) / step)) + 1)
        index = np.rint(box.to_ijk(start + np.linspace(0, 1, count)[:, None] * (end - start))).astype(int)
        inside = np.all((index >= 0) & (index < part.shape), axis=1)
        part[tuple(index[inside].T)] = True
