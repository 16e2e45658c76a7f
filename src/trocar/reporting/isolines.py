"""Lines of cold and of heat on a picture, told apart by dashes and labels, not only by color.

Cold: 0 degC solid, -20 dashed, -40 dotted. Heat: Omega of 1 solid, 240 equivalent minutes dashed, 60 degC dotted.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from skimage import measure

from trocar.catalog import limit
from trocar.model.space import Array, Volume
from trocar.reporting import svg
from trocar.reporting.cuts import PIXELS, SIZE, cut
from trocar.reporting.planes import Plane
from trocar.reporting.staging import HeatFields

ISOTHERMS = (("0 °C", 0.0, "i0", (0, -1)), ("\u221220", -20.0, "i20", (1, 0)), ("\u221240", -40.0, "i40", (0, 1)))
LEAST = 1e-4  # of a lethal dose: below it a cell is far outside, however far
REST_DEGC = 37.0


class _Line(NamedTuple):
    """A level of a field sampled in a plane, its label, its style and where the label stands."""

    label: str
    values: Array
    level: float
    kind: str
    towards: tuple[int, int]


def contours(values: Array, level: float) -> list[Array]:
    """(n, 2) columns and rows in the drawing's units of the level's lines in a sampled plane."""
    scale = SIZE / values.shape[0]
    return [(line[:, ::-1] + 0.5) * scale for line in measure.find_contours(values, level) if len(line) > 5]


def ice_lines(coldest: Volume | None, plane: Plane) -> str:
    """The isotherms of the coldest so far."""
    if coldest is None:
        return ""
    values = cut(coldest.values, coldest.grid, plane, PIXELS // 2, outside=REST_DEGC)
    return _drawn([_Line(label, values, level, kind, towards) for label, level, kind, towards in ISOTHERMS])


def heat_lines(heat: HeatFields | None, plane: Plane) -> str:
    """Where a heating step kills, by each of the models that are kept."""
    return "" if heat is None else _drawn(list(_of_heat(heat, plane)), cased=True)


def _of_heat(heat: HeatFields, plane: Plane) -> Iterator[_Line]:
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
    return cut(values, volume.grid, plane, PIXELS // 2, outside=outside)


def _drawn(wanted: Sequence[_Line], *, cased: bool = False) -> str:
    """The lines and their labels; `cased` on a dark ground, for colors that bone would drown."""
    parts, labels = [], []
    for label, values, level, kind, towards in wanted:
        lines = contours(values, level)
        kinds = ("under", kind) if cased else (kind,)
        parts += [svg.path(line, class_=name) for line in lines for name in kinds]
        if lines:
            reach = np.concatenate(lines)
            column, row = np.clip(reach[np.argmax(reach @ towards)] + 12 * np.asarray(towards), 30, SIZE - 30)
            aside = 10 + 4 * max(len(label) - 4, 0)  # half of a long label's width
            labels.append(svg.text(label, column + aside * towards[0], row + 5, class_="label"))
    return "".join(parts + labels)
