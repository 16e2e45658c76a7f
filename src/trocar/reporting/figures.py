"""Draws one panel: the CT in its plane, tumor and ice outlines, what lies in the body, letters and scale.

Nothing on a picture depends on the language, so both languages share it.
"""

from dataclasses import dataclass

import numpy as np

from trocar.model.space import Array
from trocar.reporting import marks, svg
from trocar.reporting.cuts import cut
from trocar.reporting.gathered import Gathered
from trocar.reporting.heatlines import heat_lines
from trocar.reporting.marks import SIZE
from trocar.reporting.panels import Panel

PIXELS = 340
TREATED_TOPICS = ("probe", "applicator", "ice", "heat", "nerve", "hot_nerve")  # later steps find the ice thawed
AIR_HU = -1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A drawn panel: `body` is the inside of an SVG of `SIZE` x `SIZE`; `named` the structures it points at."""

    panel: Panel
    body: str
    named: tuple[str, ...]


def draw(gathered: Gathered, panel: Panel) -> Figure:
    """The panel as SVG."""
    plane, grid, stage = panel.plane, gathered.case.grid, panel.stage
    nerves, places = marks.in_plane(gathered.nerves, grid, plane), marks.Places()
    parts = [
        svg.tag("image", href=svg.gray_png(ct_picture(gathered, panel)), width=SIZE, height=SIZE),
        _treated(panel, places) if panel.topic in TREATED_TOPICS else "",
        marks.outline(gathered.lesion.inside, grid, plane, "tumor"),
        *marks.named(nerves, grid, plane, places),
        *(marks.instrument(placement, plane) for placement in stage.instruments),
        *(marks.cement(deposit, plane) for deposit in stage.deposits),
        svg.tag("circle", cx=SIZE / 2, cy=SIZE / 2, r=22, class_="weakest") if panel.topic == "weakest" else "",
        marks.frame(plane, letter=panel.letter, window_HU=panel.window_HU),
    ]
    return Figure(panel=panel, body="".join(parts), named=tuple(nerve.name for nerve in nerves))


def _treated(panel: Panel, places: marks.Places) -> str:
    """What the treatment has done so far, ice and heat."""
    stage, plane = panel.stage, panel.plane
    cold = "" if stage.coldest is None else marks.ice(stage.coldest, plane, places)
    return cold if stage.heat is None else cold + heat_lines(stage.heat, plane, places)


def ct_picture(gathered: Gathered, panel: Panel) -> Array:
    """(PIXELS, PIXELS) gray levels 0..255 of the CT in the panel's plane and window, trilinear."""
    ct = gathered.case.ct
    return gray(cut(ct.values, ct.grid, panel.plane, PIXELS, outside=AIR_HU), panel.window_HU)


def gray(values_HU: Array, window_HU: tuple[float, float]) -> Array:
    """Gray levels 0..255 of HU in a window of a center and a width."""
    center, width = window_HU
    return np.rint(np.clip((values_HU - center) / width + 0.5, 0.0, 1.0) * 255.0)
