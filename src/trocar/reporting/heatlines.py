"""Lines of heat on a picture, told apart by dashes: Omega of 1 solid, 240 equivalent minutes dashed, 60 degC dotted.

Each lies on a dark line, for bone would drown its color.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trocar.catalog import limit
from trocar.model.space import Array, Volume
from trocar.reporting import svg
from trocar.reporting.cuts import cut
from trocar.reporting.marks import PIXELS, SIZE, contours
from trocar.reporting.planes import Plane
from trocar.reporting.staging import HeatFields

LEAST = 1e-4  # of a lethal dose: below it a cell is far outside, however far
REST_DEGC = 37.0


class _Line(NamedTuple):
    """A level of a field sampled in a plane, its label, its style and where the label stands."""

    label: str
    values: Array
    level: float
    kind: str
    towards: tuple[int, int]


def heat_lines(heat: HeatFields, plane: Plane) -> str:
    """Where a heating step kills, by each of the models that are kept."""
    parts, labels = [], []
    for label, values, level, kind, towards in _lines(heat, plane):
        lines = contours(values, level)
        parts += [svg.path(line, class_=name) for line in lines for name in ("under", kind)]
        if lines:
            reach = np.concatenate(lines)
            column, row = np.clip(reach[np.argmax(reach @ towards)] + 12 * np.asarray(towards), 30, SIZE - 30)
            aside = 10 + 4 * max(len(label) - 4, 0)  # half of a long label's width
            labels.append(svg.text(label, column + aside * towards[0], row + 5, class_="label"))
    return "".join(parts + labels)


def _lines(heat: HeatFields, plane: Plane) -> Iterator[_Line]:
    for label, volume, lethal, kind, towards in (
        ("Ω 1", heat.omega, limit("lethal_omega").value, "h-omega", (0, -1)),
        ("CEM43 240", heat.cem43_min, limit("lethal_cem43_min").value, "h-cem", (1, 0)),
    ):
        dose = np.log(np.maximum(volume.values / lethal, LEAST)).astype(np.float32)
        yield _Line(label, _sampled(dose, volume, plane, float(np.log(LEAST))), 0.0, kind, towards)
    degC = limit("lethal_heat_degC").value
    hottest = _sampled(heat.maximum_degC.values, heat.maximum_degC, plane, REST_DEGC)
    yield _Line(f"{degC:.0f} °C", hottest, degC, "h-degC", (0, 1))


def _sampled(values: Array, volume: Volume, plane: Plane, outside: float) -> Array:
    return cut(values, volume.grid, plane, PIXELS, outside=outside)
