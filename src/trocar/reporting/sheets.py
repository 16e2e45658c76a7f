"""Each instrument on a sheet of its own: a slice along it, the view down it at its tip, and a screw's corridor."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trocar.model.space import Array
from trocar.model.treatment import Placement
from trocar.reporting import marks, planes, svg
from trocar.reporting.cuts import cut
from trocar.reporting.figures import AIR_HU, gray
from trocar.reporting.gathered import Gathered
from trocar.reporting.heatlines import heat_lines
from trocar.reporting.marks import SIZE
from trocar.reporting.panels import BONE, SOFT
from trocar.reporting.passage import Beside, Stretch, beside, stretches
from trocar.reporting.planes import Plane
from trocar.reporting.sections import Sections, sections
from trocar.reporting.staging import Stage, stages

PIXELS = 250
BEYOND_MM = 15.0  # of the slice beyond both ends of the instrument
SMALLEST_MM, WIDEST_DOWN_MM = 80.0, 110.0
IN_BONE = ("screw", "trocar")
HIDDEN = ("cement", "wire")  # a deposit has its trocar's sheet, a wire its screw's


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One drawn slice: `body` is the inside of an SVG of `SIZE` x `SIZE`; `named` the structures it points at."""

    plane: Plane
    body: str
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """What is shown of one instrument: `along` holds its axis, `down` is seen along it at its end.

    `zone` is of what its own step does to the tissue, as its lines show it.
    """

    step: str
    placement: Placement
    along: Picture
    down: Picture
    stretches: tuple[Stretch, ...]
    beside: tuple[Beside, ...]
    zone: Literal["ice", "heat"] | None = None
    sections: Sections | None = None

    @property
    def bodies(self) -> tuple[str, ...]:
        """The pictures in the order in which they are shown."""
        return (self.along.body, self.down.body, *([self.sections.body] if self.sections else []))


def sheets(gathered: Gathered) -> tuple[Sheet, ...]:
    """One sheet for each instrument and implant of the plan, in order."""
    return tuple(
        _sheet(gathered, stage, placement)
        for stage in stages(gathered)
        for placement in (stage.step.placements if stage.step else ())
        if placement.role not in HIDDEN
    )


def _sheet(gathered: Gathered, stage: Stage, placement: Placement) -> Sheet:
    window = BONE if placement.role in IN_BONE else SOFT
    down = down_plane(gathered, placement)
    near = beside(gathered, placement, down)
    return Sheet(
        step=stage.id,
        placement=placement,
        along=_along(gathered, stage, placement, window),
        down=_down(gathered, stage, placement, down, near, window),
        stretches=stretches(gathered, placement),
        beside=near,
        zone=_zone(stage),
        sections=sections(gathered, placement) if placement.role == "screw" else None,
    )


def along_plane(placement: Placement) -> Plane:
    """The slice that holds an instrument from the skin to its end, as wide as it is long."""
    skin, target = np.asarray(placement.skin_lps_mm), np.asarray(placement.target_lps_mm)
    wide = max(SMALLEST_MM, float(np.linalg.norm(target - skin)) + 2 * BEYOND_MM)
    return planes.along(skin, target, wide).centered((skin + target) / 2)


def down_plane(gathered: Gathered, placement: Placement) -> Plane:
    """The slice across an instrument at its end, seen from the skin, wide enough for the lesion."""
    lesion = gathered.lesion_points_lps_mm
    extent = float(np.ptp(lesion, axis=0).max()) if len(lesion) else 0.0
    wide = float(np.clip(extent + 30.0, SMALLEST_MM, WIDEST_DOWN_MM))
    return planes.down(placement.skin_lps_mm, placement.target_lps_mm, placement.target_lps_mm, wide)


def ct_slice(gathered: Gathered, plane: Plane, window_HU: tuple[float, float]) -> Array:
    """(PIXELS, PIXELS) gray levels of the CT in a plane."""
    ct = gathered.case.ct
    return gray(cut(ct.values, ct.grid, plane, PIXELS, outside=AIR_HU), window_HU)


def _along(gathered: Gathered, stage: Stage, placement: Placement, window_HU: tuple[float, float]) -> Picture:
    plane, grid = along_plane(placement), gathered.case.grid
    shown, places = marks.in_plane(gathered.critical, grid, plane, at_most=6), marks.Places()
    parts = [
        *_ground(gathered, stage, plane, window_HU, places),
        *marks.named(shown, grid, plane, places),
        *(marks.instrument(other, plane) for other in stage.instruments if other.name != placement.name),
        marks.instrument(placement, plane),
        *(marks.cement(deposit, plane) for deposit in stage.deposits),
        marks.entry(placement, plane),
        marks.frame(plane, letter="", window_HU=window_HU),
    ]
    return Picture(plane=plane, body="".join(parts), named=tuple(item.name for item in shown))


def _down(
    gathered: Gathered,
    stage: Stage,
    placement: Placement,
    plane: Plane,
    near: tuple[Beside, ...],
    window_HU: tuple[float, float],
) -> Picture:
    others = (other for other in stage.instruments if other.name != placement.name)
    places = marks.Places()
    parts = [
        *_ground(gathered, stage, plane, window_HU, places),
        *marks.shadows([(each.structure, each.shadow) for each in near], places),
        *(marks.crossing(other, plane) for other in others),
        marks.crossing(placement, plane),
        marks.sight(placement, plane),
        marks.frame(plane, letter="", window_HU=window_HU),
    ]
    return Picture(plane=plane, body="".join(parts), named=tuple(each.structure.name for each in near))


def _ground(
    gathered: Gathered, stage: Stage, plane: Plane, window_HU: tuple[float, float], places: marks.Places
) -> tuple[str, str, str]:
    """The CT, the cold or heat of the instrument's own step, the tumor."""
    return (
        svg.tag("image", href=svg.gray_png(ct_slice(gathered, plane, window_HU)), width=SIZE, height=SIZE),
        _lines(stage, plane, places),
        marks.outline(gathered.lesion.inside, gathered.case.grid, plane, "tumor"),
    )


def _zone(stage: Stage) -> Literal["ice", "heat"] | None:
    """What the stage's own step was simulated to do; None for one that only finds what earlier steps left."""
    if stage.heat is not None and stage.heat.step == stage.id:
        return "heat"
    return "ice" if stage.coldest_key == f"{stage.id}/minimum_degC" else None


def _lines(stage: Stage, plane: Plane, places: marks.Places) -> str:
    zone = _zone(stage)
    if zone == "heat" and stage.heat is not None:
        return heat_lines(stage.heat, plane, places)
    return marks.ice(stage.coldest, plane, places) if zone == "ice" and stage.coldest is not None else ""
