"""What is drawn on a picture of the CT: outlines, isotherms, named structures, instruments, cement, letters, scale.

Places are columns and rows of a drawing of `SIZE` x `SIZE`, whatever the picture's millimeters. Lines are told apart by
their dashes and labels, not only by color: tumor dotted; 0 degC solid, -20 dashed, -40 dotted and labeled; arrows point
at cement, arrowheads at screw ends and nerves.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage import measure

from trocar.model.case import Role, Structure
from trocar.model.finding import CementDeposit
from trocar.model.record import Vector
from trocar.model.space import Array, Grid, Volume
from trocar.model.treatment import Placement
from trocar.reporting import svg
from trocar.reporting.cuts import cut
from trocar.reporting.planes import Plane

SIZE = 680  # of the drawing, in its own units
PIXELS = 170  # of masks and temperatures
EDGE = 20.0  # of the letters from the border
LETTER = 12.0  # about the width of a label's letter
TALL = 24.0  # of a label
HEAD = 18.0  # the length of an arrowhead
SHIFTS = [np.array([x, y]) for y in range(-60, 61, 10) for x in range(-40, 41, 10)]  # of a label that gives way
IN_PLANE_MM = 4.0
ISOTHERMS = (("0 °C", 0.0, "i0", (0, -1)), ("\u221220", -20.0, "i20", (1, 0)), ("\u221240", -40.0, "i40", (0, 1)))
GUARDED_NERVES = (Role.NERVE, Role.CORD)
LABELS = {
    "sciatic_nerve": "Sci", "femoral_nerve": "Fem", "obturator_nerve": "Obt", "lumbosacral_trunk": "LST",
    "thecal_sac": "TS", "spinal_cord": "SC",
}  # fmt: skip


def label(name: str) -> str:
    """What marks a structure on a picture: `S1 L` for `nerve_root_s1_left`, as both sides may be in one picture.

    `L3-L4` for `disc_l3_l4` and `Can L4` for `canal_vertebrae_L4`, as several levels may be.
    """
    stem = name.removesuffix("_left").removesuffix("_right")
    side = {"_left": " L", "_right": " R"}.get(name.removeprefix(stem), "")
    if stem.startswith("nerve_root_"):
        return stem.removeprefix("nerve_root_").upper() + side
    if stem.startswith("disc_"):
        return stem.removeprefix("disc_").upper().replace("_", "-")
    if stem.startswith("canal_vertebrae_"):
        return f"Can {stem.removeprefix('canal_vertebrae_')}"
    parts = stem.split("_")
    short = "".join(part[0] for part in parts).upper() if len(parts) > 1 else stem[:3].capitalize()
    return LABELS.get(stem, short) + side


# --- outlines


def scaled(plane: Plane, points_mm: Array) -> Array:
    """Places in the drawing of (..., 2) columns and rows in the picture's millimeters."""
    return points_mm * (SIZE / plane.size_mm)


def contours(values: Array, level: float) -> list[Array]:
    """(n, 2) columns and rows in the drawing's units of the level's lines in a sampled plane."""
    scale = SIZE / values.shape[0]
    return [(line[:, ::-1] + 0.5) * scale for line in measure.find_contours(values, level) if len(line) > 5]


def outline(inside: Array, grid: Grid, plane: Plane, kind: str) -> str:
    """A mask's outline in a picture, on a dark line."""
    return _on_dark(_border(inside, grid, plane), kind)


def _border(inside: Array, grid: Grid, plane: Plane) -> list[Array]:
    occupancy = cut(inside, grid, plane, PIXELS, outside=0.0)
    return contours(ndimage.gaussian_filter(occupancy, 1.0), 0.5)


def _on_dark(lines: list[Array], kind: str) -> str:
    return "".join(svg.path(line, class_=name) for line in lines for name in ("under", kind))


def ice(coldest: Volume, plane: Plane, places: "Places") -> str:
    """The isotherms of a temperature, each with a label at its reach to one side."""
    values = cut(coldest.values, coldest.grid, plane, PIXELS, outside=37.0)
    return levels([Level(said, values, level, (kind,), towards) for said, level, kind, towards in ISOTHERMS], places)


class Level(NamedTuple):
    """A level of a field sampled in a plane: its label, its styles from below, and where the label stands."""

    label: str
    values: Array
    level: float
    kinds: tuple[str, ...]
    towards: tuple[int, int]


def levels(shown: Iterable[Level], places: "Places") -> str:
    """The lines of levels, each with a label at its reach to one side, the labels on top."""
    drawn, wanted = [], []
    for said, values, level, kinds, towards in shown:
        lines = contours(values, level)
        places.avoid(lines)
        drawn += [svg.path(line, class_=kind) for line in lines for kind in kinds]
        if lines:
            reach = np.concatenate(lines)
            aside = 22 + 4 * max(len(said) - 4, 0)  # half of a long label's width
            wanted.append((said, reach[np.argmax(reach @ towards)] + np.multiply(towards, (aside, 12))))
    return "".join(drawn + [places.written(said, place) for said, place in wanted])


# --- named structures


def in_plane(structures: Iterable[Structure], grid: Grid, plane: Plane, *, at_most: int = 4) -> list[Structure]:
    """The structures that the picture cuts, the nearest to its middle first."""
    found = []
    for item in structures:
        center = _center_in_plane(item, grid, plane)
        if center is not None:
            found.append((float(np.linalg.norm(center - SIZE / 2)), item.name, item))
    return [item for _, _, item in sorted(found, key=lambda each: each[:2])[:at_most]]


def _center_in_plane(item: Structure, grid: Grid, plane: Plane) -> Array | None:
    return middle_of(cut(item.inside, grid, plane, PIXELS, outside=0.0) >= 0.5)


def middle_of(shown: Array) -> Array | None:
    """Column and row of the pixel of a shape that is nearest to its center; None for no pixel."""
    where = np.argwhere(shown)
    if not len(where):
        return None
    middle = where[np.argmin(np.linalg.norm(where - where.mean(axis=0), axis=1))]
    return (middle[::-1] + 0.5) * (SIZE / shown.shape[0])


def named(structures: Iterable[Structure], grid: Grid, plane: Plane, places: "Places") -> list[str]:
    """Each structure's outline with an arrowhead and a label."""
    drawn, marked = [], []
    for item in structures:
        center = _center_in_plane(item, grid, plane)
        assert center is not None
        kind, lines = kind_of(item), _border(item.inside, grid, plane)
        places.avoid(lines)
        drawn.append(_on_dark(lines, kind))
        radius = (item.diameter_mm or 5.0) / 2 * SIZE / plane.size_mm
        marked.append((label(item.name), center, radius if kind == "nerve" else 0.0, f"{kind}-mark"))
    return drawn + [part for mark in marked for part in places.pointed(*mark)]


def shadows(seen: Iterable[tuple[Structure, Array]], places: "Places") -> list[str]:
    """The dashed outline of each structure as it is seen along a path, whatever its depth, with its label."""
    drawn, marked = [], []
    for item, shadow in seen:
        kind, lines = kind_of(item), contours(ndimage.gaussian_filter(shadow.astype(float), 1.0), 0.5)
        places.avoid(lines)
        drawn += [svg.path(line, class_=f"{kind} shadow") for line in lines]
        center = middle_of(shadow)
        if center is not None:
            marked.append((label(item.name), center, 0.0, f"{kind}-mark"))
    return drawn + [part for mark in marked for part in places.pointed(*mark)]


def kind_of(item: Structure) -> str:
    """The class of a structure's lines."""
    return "nerve" if item.role in GUARDED_NERVES else "critical"


class Places:
    """Where the labels of one picture stand: inside it, off each other, its letters, the scale and the window.

    Where there is room beside them, also off the lines drawn before.
    """

    def __init__(self) -> None:
        middle, edge, low = SIZE / 2, EDGE, SIZE - 30.0
        letters = [(edge, middle), (SIZE - edge, middle), (middle, edge), (middle, SIZE - edge)]
        words = [(column, low) for column in (45.0, SIZE - 110.0, SIZE - 40.0)]
        self._taken = [(column, row, LETTER) for column, row in letters]  # and half of the width
        self._taken += [(column, row, 3 * LETTER) for column, row in words]
        self._taken.append((26.0, 28.0, 1.5 * LETTER))  # the picture's own letter, in its corner
        self._lines = np.zeros((0, 2))

    def avoid(self, lines: Iterable[Array]) -> None:
        """Columns and rows of lines that a later label had better not cover."""
        self._lines = np.concatenate([self._lines, *lines])

    def pointed(self, said: str, center: Array, radius: float, kind: str) -> list[str]:
        """An arrowhead at a place, from outside, and its label beyond."""
        away = center - SIZE / 2
        away = away / max(float(np.linalg.norm(away)), 1e-6)
        tip = center + (radius + 6) * away
        column, row = tip + HEAD / 2 * away
        self._taken.append((column, row, HEAD / 2))
        return [arrowhead(tip, -away, kind), self.written(said, tip + 30 * away)]

    def written(self, said: str, wanted: Array) -> str:
        """A label at a place or near it."""
        aside = LETTER * len(said) / 2 + 4
        low, high = (aside, 24.0), (SIZE - aside, SIZE - 24.0)
        within = np.clip(wanted, low, high)
        near = (np.clip(within + shift, low, high) for shift in SHIFTS)
        column, row = min(near, key=lambda place: self._cost(place, within, aside))
        self._taken.append((column, row, aside))
        return svg.text(said, column, row + 5.0, class_="label")

    def _cost(self, place: Array, wanted: Array, aside: float) -> float:
        """What is wrong with a label at a place: labels covered, then lines and the way from where it belongs."""
        covered = sum(
            abs(column - place[0]) < half + aside and abs(row - place[1]) < TALL for column, row, half in self._taken
        )
        crossed = np.count_nonzero((np.abs(self._lines - place) < (aside, TALL / 2)).all(axis=1))
        return 1e3 * covered + 0.3 * crossed + 0.1 * float(np.linalg.norm(place - wanted))


# --- instruments and implants


def shaft_start(placement: Placement) -> Vector:
    """Where a shaft begins: a needle's at the skin, a screw's at its head."""
    return placement.entry_lps_mm if placement.role == "screw" else placement.skin_lps_mm


def instrument(placement: Placement, plane: Plane) -> str:
    """A shaft: solid where it lies within some millimeters of the picture, dashed beyond; its end marked."""
    line = np.linspace(shaft_start(placement), placement.target_lps_mm, 80)
    picture, height = plane.to_picture(line)
    drawn = scaled(plane, picture)
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
    return "".join(arrowhead(end + beside, -across, "screw-mark") for end in (drawn[0], drawn[-1]))


def crossing(placement: Placement, plane: Plane) -> str:
    """A circle of the instrument's width where it goes through the picture; nothing when it does not."""
    ends, height = plane.to_picture([shaft_start(placement), placement.target_lps_mm])
    if height[0] * height[1] > 0 and np.abs(height).min() > IN_PLANE_MM:
        return ""
    part = float(np.clip(height[0] / (height[0] - height[1]), 0.0, 1.0)) if height[0] != height[1] else 1.0
    column, row = scaled(plane, ends[0] + part * (ends[1] - ends[0]))
    radius = max(placement.diameter_mm / 2 * SIZE / plane.size_mm, 3.0)
    return svg.tag("circle", cx=column, cy=row, r=radius, class_=f"bore {placement.role}")


def sight(placement: Placement, plane: Plane) -> str:
    """Four strokes that point at the instrument, so that a thin one is found."""
    (column, row), _ = plane.to_picture(placement.target_lps_mm)
    center = np.array([column, row]) * SIZE / plane.size_mm
    ways = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
    inner = max(placement.diameter_mm / 2 * SIZE / plane.size_mm, 3.0) + 6
    return "".join(svg.path([center + inner * way, center + (inner + 16) * way], class_="sight") for way in ways)


def entry(placement: Placement, plane: Plane) -> str:
    """An open ring at the puncture of the skin, and from there a dashed line to a screw's head."""
    ends, _ = plane.to_picture([placement.skin_lps_mm, shaft_start(placement)])
    skin, start = scaled(plane, ends)
    ring = svg.tag("circle", cx=skin[0], cy=skin[1], r=9, class_="puncture")
    return ring + (svg.path([skin, start], class_="beyond") if placement.role == "screw" else "")


def cement(deposit: CementDeposit, plane: Plane) -> str:
    """The circle in which a ball of cement is cut, with an arrow; nothing when it is not."""
    picture, height = plane.to_picture(np.asarray(deposit.center_lps_mm))
    if abs(float(height)) >= deposit.radius_mm:
        return ""
    radius = np.sqrt(deposit.radius_mm**2 - float(height) ** 2) * SIZE / plane.size_mm
    center = scaled(plane, picture)
    outwards = np.array([0.6, -0.8]) if center[0] < SIZE / 2 else np.array([-0.6, -0.8])
    tip, tail = center + outwards * (radius + 3), center + outwards * (radius + 60)
    return (
        svg.tag("circle", cx=center[0], cy=center[1], r=radius, class_="cement")
        + svg.path([tail, tip], class_="arrow")
        + arrowhead(tip, -outwards, "cement-mark")
    )


def arrowhead(tip: Array, direction: Array, kind: str) -> str:
    """A filled triangle whose point is at `tip`."""
    across = np.array([-direction[1], direction[0]])
    back = tip - HEAD * direction
    return svg.polygon([tip, back + 8 * across, back - 8 * across], class_=kind)


# --- frame


def frame(plane: Plane, *, letter: str, window_HU: tuple[float, float]) -> str:
    """The letters of the four edges, a scale of 20 mm, the window, and the picture's own letter."""
    bar = 20.0 * SIZE / plane.size_mm
    center, width = window_HU
    return "".join(
        (
            svg.text(letter, 14, 40, class_="panel-letter") if letter else "",
            edges(plane, inset=EDGE),
            svg.tag("rect", x=20, y=SIZE - 22, width=bar, height=5, class_="scale"),
            svg.text("20 mm", 20, SIZE - 30, class_="small"),
            svg.text(f"W {width:.0f}  L {center:.0f}", SIZE - 14, SIZE - 16, class_="small end"),
        )
    )


def edges(plane: Plane, *, inset: float, kind: str = "edge") -> str:
    """The orientation letters of the four edges."""
    said, middle = plane.edge_letters, SIZE / 2
    return "".join(
        (
            svg.text(said["right"], SIZE - inset, middle, class_=kind),
            svg.text(said["left"], inset, middle, class_=kind),
            svg.text(said["top"], middle, inset + 6, class_=kind),
            svg.text(said["bottom"], middle, SIZE - inset + 8, class_=kind),
        )
    )
