"""Draws one panel: the CT in its plane, tumor and ice outlines, what lies in the body, letters and scale.

Nothing on a picture depends on the language, so both languages share it. Lines are told apart by their dashes and
labels, not only by color: tumor dotted; cold and heat as in `isolines`; arrows point at cement, arrowheads at screw
ends and nerves.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.model.case import Structure
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement
from trocar.reporting import svg
from trocar.reporting.cuts import PIXELS, SIZE, cut
from trocar.reporting.gathered import Gathered
from trocar.reporting.isolines import contours, heat_lines, ice_lines
from trocar.reporting.panels import Panel
from trocar.reporting.planes import Plane

IN_PLANE_MM = 4.0
TREATED_TOPICS = ("probe", "applicator", "ice", "heat", "nerve", "hot_nerve")  # later steps find the ice thawed
AIR_HU = -1000.0
NERVE_LABELS = {
    "sciatic_nerve": "Sci", "femoral_nerve": "Fem", "obturator_nerve": "Obt", "lumbosacral_trunk": "LST",
    "thecal_sac": "TS", "spinal_cord": "SC",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A drawn panel: `body` is the inside of an SVG of `SIZE` x `SIZE`; `nerves` the structures it points at."""

    panel: Panel
    body: str
    nerves: tuple[str, ...]


def draw(gathered: Gathered, panel: Panel) -> Figure:
    """The panel as SVG."""
    plane, grid = panel.plane, gathered.case.grid
    nerves = _nerves_in_plane(gathered, plane)
    parts = [
        svg.tag("image", href=svg.gray_png(ct_picture(gathered, panel)), width=SIZE, height=SIZE),
        _treated(panel),
        _outline(gathered.lesion.inside, grid, plane, "tumor"),
        *_nerves(gathered, nerves, plane),
        *(_instrument(placement, plane) for placement in panel.stage.instruments),
        *(_cement(panel, n) for n in range(len(panel.stage.deposits))),
        _frame(panel),
    ]
    return Figure(panel=panel, body="".join(parts), nerves=tuple(nerve.name for nerve in nerves))


def ct_picture(gathered: Gathered, panel: Panel) -> Array:
    """(PIXELS, PIXELS) gray levels 0..255 of the CT in the panel's plane and window, trilinear."""
    ct = gathered.case.ct
    values = cut(ct.values, ct.grid, panel.plane, PIXELS, outside=AIR_HU)
    center, width = panel.window_HU
    return np.rint(np.clip((values - center) / width + 0.5, 0.0, 1.0) * 255.0)


def nerve_label(name: str) -> str:
    """What marks a nerve on a picture: `S1 L` for `nerve_root_s1_left`, as both sides may be in one picture."""
    stem = name.removesuffix("_left").removesuffix("_right")
    side = {"_left": " L", "_right": " R"}.get(name.removeprefix(stem), "")
    if stem.startswith("nerve_root_"):
        return stem.removeprefix("nerve_root_").upper() + side
    return NERVE_LABELS.get(stem, stem[:3].capitalize()) + side


# --- outlines


def _scaled(plane: Plane, points_mm: Array) -> Array:
    return points_mm * (SIZE / plane.size_mm)


def _outline(inside: Array, grid: Grid, plane: Plane, kind: str) -> str:
    occupancy = cut(inside, grid, plane, PIXELS // 2, outside=0.0)
    smooth = ndimage.gaussian_filter(occupancy, 1.0)
    return "".join(svg.path(line, class_=name) for line in contours(smooth, 0.5) for name in ("under", kind))


def _treated(panel: Panel) -> str:
    if panel.topic not in TREATED_TOPICS:
        return ""
    return ice_lines(panel.stage.coldest, panel.plane) + heat_lines(panel.stage.heat, panel.plane)


# --- nerves


def _nerves_in_plane(gathered: Gathered, plane: Plane, *, at_most: int = 4) -> list[Structure]:
    """The nerves that the picture cuts near the lesion, the nearest to its middle first."""
    found = []
    for nerve in gathered.nerves:
        center = _center_in_plane(nerve, gathered.case.grid, plane)
        if center is not None:
            found.append((float(np.linalg.norm(center - SIZE / 2)), nerve.name, nerve))
    return [nerve for _, _, nerve in sorted(found, key=lambda item: item[:2])[:at_most]]


def _center_in_plane(nerve: Structure, grid: Grid, plane: Plane) -> Array | None:
    occupancy = cut(nerve.inside, grid, plane, PIXELS // 2, outside=0.0)
    where = np.argwhere(occupancy >= 0.5)
    if not len(where):
        return None
    middle = where[np.argmin(np.linalg.norm(where - where.mean(axis=0), axis=1))]
    return (middle[::-1] + 0.5) * (SIZE / occupancy.shape[0])


def _nerves(gathered: Gathered, nerves: list[Structure], plane: Plane) -> list[str]:
    """Each nerve's outline with an arrowhead and a label; labels give way to each other and to the edge letters."""
    middle, edge = SIZE / 2, 20.0
    taken = [(edge, middle), (SIZE - edge, middle), (middle, edge), (middle, SIZE - edge)]
    drawn = []
    for nerve in nerves:
        center = _center_in_plane(nerve, gathered.case.grid, plane)
        assert center is not None
        away = (center - middle) / max(float(np.linalg.norm(center - middle)), 1e-6)
        radius = (nerve.diameter_mm or 5.0) / 2 * SIZE / plane.size_mm
        tip = center + (radius + 6) * away
        place = _free_place(np.clip(tip + 30 * away, 24, SIZE - 24), taken)
        taken.append(place)
        drawn += [
            _outline(nerve.inside, gathered.case.grid, plane, "nerve"),
            _arrowhead(tip, -away, "nerve-mark"),
            svg.text(nerve_label(nerve.name), place[0], place[1] + 5.0, class_="label"),
        ]
    return drawn


def _free_place(wanted: Array, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The wanted place of a label, or the nearest above or below it that covers no other."""
    column, row = float(wanted[0]), float(wanted[1])
    for shift in (0, 20, -20, 40, -40, 60, -60):
        apart = [abs(x - column) > 40 or abs(y - row - shift) > 18 for x, y in taken]
        if all(apart) and 12 < row + shift < SIZE - 12:
            return column, row + shift
    return column, row


# --- instruments and implants


def _instrument(placement: Placement, plane: Plane) -> str:
    start = placement.entry_lps_mm if placement.role == "screw" else placement.skin_lps_mm
    line = np.linspace(start, placement.target_lps_mm, 80)
    picture, height = plane.to_picture(line)
    drawn = _scaled(plane, picture)
    near = np.abs(height) <= IN_PLANE_MM
    width = max(placement.diameter_mm * SIZE / plane.size_mm, 3.0)
    parts = [svg.path(drawn, class_="beyond")] if not near.all() else []
    for run in _runs(near):
        parts.append(svg.path(drawn[run], class_=f"rod {placement.role}", stroke_width=width))
    if near[-1]:
        parts.append(_end_mark(placement, drawn, width))
    return "".join(parts)


def _runs(near: Array) -> list[slice]:
    """The stretches of true values, two points at least."""
    labels, count = ndimage.label(near)
    found = [np.flatnonzero(labels == n + 1) for n in range(count)]
    return [slice(int(run[0]), int(run[-1]) + 1) for run in found if len(run) > 1]


def _end_mark(placement: Placement, drawn: Array, width: float) -> str:
    if placement.role != "screw":
        return svg.tag("circle", cx=drawn[-1][0], cy=drawn[-1][1], r=4, class_="tip")
    axis = (drawn[-1] - drawn[0]) / max(float(np.linalg.norm(drawn[-1] - drawn[0])), 1e-6)
    across = np.array([-axis[1], axis[0]])
    beside = (width / 2 + 5) * across
    return "".join(_arrowhead(end + beside, -across, "screw-mark") for end in (drawn[0], drawn[-1]))


def _cement(panel: Panel, n: int) -> str:
    deposit = panel.stage.deposits[n]
    picture, height = panel.plane.to_picture(np.asarray(deposit.center_lps_mm))
    if abs(float(height)) >= deposit.radius_mm:
        return ""
    radius = np.sqrt(deposit.radius_mm**2 - float(height) ** 2) * SIZE / panel.plane.size_mm
    center = _scaled(panel.plane, picture)
    outwards = np.array([0.6, -0.8]) if center[0] < SIZE / 2 else np.array([-0.6, -0.8])
    tip, tail = center + outwards * (radius + 3), center + outwards * (radius + 60)
    return (
        svg.tag("circle", cx=center[0], cy=center[1], r=radius, class_="cement")
        + svg.path([tail, tip], class_="arrow")
        + _arrowhead(tip, -outwards, "cement-mark")
    )


def _arrowhead(tip: Array, direction: Array, kind: str) -> str:
    """A filled triangle whose point is at `tip`."""
    across = np.array([-direction[1], direction[0]])
    back = tip - 18 * direction
    return svg.polygon([tip, back + 8 * across, back - 8 * across], class_=kind)


# --- frame


def _frame(panel: Panel) -> str:
    edges = panel.plane.edge_letters
    middle = SIZE / 2
    bar = 20.0 * SIZE / panel.plane.size_mm
    center, width = panel.window_HU
    return "".join(
        (
            svg.text(panel.letter, 14, 40, class_="panel-letter"),
            svg.text(edges["right"], SIZE - 20, middle, class_="edge"),
            svg.text(edges["left"], 20, middle, class_="edge"),
            svg.text(edges["top"], middle, 26, class_="edge"),
            svg.text(edges["bottom"], middle, SIZE - 12, class_="edge"),
            svg.tag("rect", x=20, y=SIZE - 22, width=bar, height=5, class_="scale"),
            svg.text("20 mm", 20, SIZE - 30, class_="small"),
            svg.text(f"W {width:.0f}  L {center:.0f}", SIZE - 14, SIZE - 16, class_="small end"),
        )
    )
