"""A screw's corridor cut across in nine places, head to tip: bone, tumor, the screw and what it keeps free."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.imaging.resample import sample
from trocar.imaging.surface import closed
from trocar.model.case import Role
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Placement
from trocar.reporting import marks, planes, svg
from trocar.reporting.cuts import around, cut
from trocar.reporting.figures import AIR_HU, gray
from trocar.reporting.gathered import Gathered
from trocar.reporting.marks import SIZE
from trocar.reporting.panels import BONE
from trocar.reporting.planes import Plane

ROWS = 3
SIZE_MM = 56.0
PIXELS = 120
END_MM = 3.0  # the first and the last cut lie this far from the screw's ends
TURNS, REACH_MM, STEP_MM = 90, 26.0, 0.1
BRIDGE_MM = 5.0  # a gap between two bones that the screw passes, as a joint's


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One place across a screw: its depth below the head, and from the screw's surface to the cortex in this plane.

    `clearance_mm` is negative where the surface leaves the bone; `towards` points from the axis to the nearest cortex.
    """

    plane: Plane
    depth_mm: float
    clearance_mm: float
    towards: Array


@dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """The drawn cuts, `body` as the inside of an SVG of `SIZE` x `SIZE`, rows from the head to the tip."""

    cuts: tuple[Cut, ...]
    body: str


def sections(gathered: Gathered, screw: Placement) -> Sections | None:
    """The cuts across a screw; None where its axis runs in no bone that is segmented."""
    axis = screw.axis
    solid = _solid(gathered, axis)
    if solid is None:
        return None
    depths = np.linspace(END_MM, axis.length_mm - END_MM, ROWS * ROWS)
    cuts = tuple(_cut(solid, axis, float(depth), screw.diameter_mm / 2) for depth in depths)
    tiles = [_tile(gathered, solid, screw, each, number) for number, each in enumerate(cuts)]
    return Sections(cuts, "".join(tiles))


def _solid(gathered: Gathered, axis: Segment) -> tuple[Array, Grid] | None:
    """The bones and sacroiliac joints that the axis runs through, as one mask around it."""
    grid = gathered.case.grid
    box = around(grid, np.array([axis.start_lps_mm, axis.end_lps_mm]), margin_mm=SIZE_MM)
    if box is None:
        return None
    part, cropped = box
    points = axis.at(np.arange(0.0, axis.length_mm, 0.5))
    passed = [
        inside
        for item in gathered.case.with_role(Role.BONE, Role.JOINT)
        if item.role is Role.BONE or item.name.startswith("sacroiliac_joint")
        if (inside := item.inside[part]).any()
        and (sample(inside.astype(np.float32), cropped, points, outside=0.0) >= 0.5).any()
    ]
    if not passed:
        return None
    whole = np.any(passed, axis=0)
    return (closed(whole, cropped, gap_mm=BRIDGE_MM) if len(passed) > 1 else whole), cropped


def _cut(solid: tuple[Array, Grid], axis: Segment, depth_mm: float, radius_mm: float) -> Cut:
    plane = planes.down(axis.start_lps_mm, axis.end_lps_mm, axis.at(depth_mm), SIZE_MM)
    turn = np.linspace(0.0, 2 * np.pi, TURNS, endpoint=False)
    ways = np.cos(turn)[:, None] * plane.right + np.sin(turn)[:, None] * plane.up
    away = np.arange(0.0, REACH_MM, STEP_MM)
    points = plane.center_lps_mm + away[None, :, None] * ways[:, None]
    inside = sample(solid[0].astype(np.float32), solid[1], points, outside=0.0) >= 0.5
    reach = np.where(inside.all(axis=1), REACH_MM, away[np.argmin(inside, axis=1)])
    nearest = int(np.argmin(reach))
    return Cut(plane, depth_mm, float(reach[nearest]) - radius_mm, ways[nearest])


def _tile(gathered: Gathered, solid: tuple[Array, Grid], screw: Placement, each: Cut, number: int) -> str:
    ct, plane = gathered.case.ct, each.plane
    size = SIZE / ROWS
    scale = SIZE / plane.size_mm
    middle = SIZE / 2
    kept_mm = limit("screw_cortex_clearance_mm").value
    radius = screw.diameter_mm / 2 * scale
    edge = np.array([middle + scale * each.towards @ plane.right, middle - scale * each.towards @ plane.up]) - middle
    way = edge / max(float(np.linalg.norm(edge)), 1e-6)
    picture = gray(cut(ct.values, ct.grid, plane, PIXELS, outside=AIR_HU), BONE)
    drawn = (
        svg.tag("image", href=svg.gray_png(picture), width=SIZE, height=SIZE),
        marks.outline(solid[0], solid[1], plane, "bone"),
        marks.outline(gathered.lesion.inside, gathered.case.grid, plane, "tumor"),
        svg.tag("circle", cx=middle, cy=middle, r=radius + kept_mm * scale,
                class_="safe" if each.clearance_mm >= kept_mm else "tight"),
        svg.tag("circle", cx=middle, cy=middle, r=radius, class_="bore screw"),
        svg.path([middle + way * radius, middle + way * (radius + max(each.clearance_mm, 0.0) * scale)], class_="gap"),
        svg.text(f"{each.depth_mm:.0f} mm", 24, 62, class_="depth"),
        marks.edges(plane, inset=46.0),
        svg.tag("rect", x=0, y=0, width=SIZE, height=SIZE, class_="border"),
    )  # fmt: skip
    place = f"translate({svg.plain(size * (number % ROWS))} {svg.plain(size * (number // ROWS))}) scale({1 / ROWS:.5f})"
    return svg.tag("g", "".join(drawn), class_="tile", transform=place)
