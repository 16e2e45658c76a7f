"""Zones of heat lie where the doses say, each with a line of its own; traces hold every instrument and both ends."""

import re

import numpy as np
import pytest

from trocar.model.finding import HeatingTrace
from trocar.model.space import Grid, Volume
from trocar.reporting import planes
from trocar.reporting.heatlines import heat_lines
from trocar.reporting.language import Language
from trocar.reporting.marks import SIZE, Places
from trocar.reporting.staging import HeatFields
from trocar.reporting.tracing import trace_figure

RADII_MM = {"h-omega": 14.0, "h-cem": 11.0, "h-degC": 8.0}
WIDE_MM = 80.0


def ball() -> HeatFields:
    """Doses that fall by half in each millimeter, and a temperature by 2 K, from their radii on."""
    grid = Grid.aligned(origin_lps_mm=(-40, -40, -40), spacing_mm=(2, 2, 2), shape=(41, 41, 41))
    away = np.linalg.norm(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)), axis=-1)

    def volume(values: np.ndarray, unit: str) -> Volume:
        return Volume(grid=grid, values=values.astype(np.float32), unit=unit)

    return HeatFields(
        step="radiofrequency-1",
        omega=volume(2.0 ** (RADII_MM["h-omega"] - away), "1"),
        cem43_min=volume(240 * 2.0 ** (RADII_MM["h-cem"] - away), "min"),
        maximum_degC=volume(60 + 2 * (RADII_MM["h-degC"] - away), "degC"),
    )


@pytest.mark.parametrize("kind", RADII_MM)
def test_each_zone_has_its_line_where_its_dose_is_lethal(kind):
    drawn = heat_lines(ball(), planes.axial([0.0, 0.0, 0.0], WIDE_MM), Places())
    (found,) = re.findall(rf'<path d="M([^"]*)" class="{kind}"', drawn)
    points = np.array([pair.split(" ") for pair in found.split("L")], float)
    radius_mm = np.linalg.norm(points - SIZE / 2, axis=1) * WIDE_MM / SIZE
    assert radius_mm == pytest.approx(RADII_MM[kind], abs=0.4)
    assert all(label in drawn for label in ("Ω 1", "CEM43 240", "60 °C"))


def trace(name: str, *, ohm: bool) -> HeatingTrace:
    return HeatingTrace(
        step="radiofrequency-1", name=name, time_s=(100.0, 160.0, 220.0), power_W=(20.0, 12.0, 7.5),
        resistance_ohm=(180.0, 140.0, 260.0) if ohm else (), temperature_degC=(37.0, 88.0, 96.0),
        phase=("ramp", "ramp", "pause"), energy_J=1920.0,
    )  # fmt: skip


@pytest.mark.parametrize("code", ["en", "fr"])
def test_a_trace_shows_every_instrument_from_its_own_start(code):
    drawn = trace_figure((trace("applicator-1", ohm=True), trace("applicator-2", ohm=True)), Language(code))
    lines = re.findall(r'<path d="M([^"]*)" class="curve c(\d)"', drawn)
    assert len(lines) == 2 * 3 + 2  # two instruments in three strips, and the legend
    first = np.array([pair.split(" ") for pair in lines[0][0].split("L")], float)
    assert first[0, 0] == 70.0 and first[-1, 0] == 660.0  # from the step's start to its end
    assert (np.diff(first[:, 1]) > 0).all()  # the power falls
    assert {"applicator-1", "applicator-2"} <= set(re.findall(r">(applicator-\d)<", drawn))
    shown = ("resistance (Ω)", "résistance (Ω)")[code == "fr"]
    assert shown in drawn
    assert shown not in trace_figure((trace("antenna", ohm=False),), Language(code))  # which measures none
