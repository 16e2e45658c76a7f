"""Lines of heat on a picture, told apart by dashes: Omega of 1 solid, 240 equivalent minutes dashed, 60 degC dotted.

Each lies on a dark line, for bone would drown its color.
"""

from collections.abc import Iterator

import numpy as np

from trocar.catalog import limit
from trocar.model.space import Array, Volume
from trocar.reporting.cuts import cut
from trocar.reporting.marks import PIXELS, Level, Places, levels
from trocar.reporting.planes import Plane
from trocar.reporting.staging import HeatFields

LEAST = 1e-4  # of a lethal dose: below it a cell is far outside, however far
REST_DEGC = 37.0


def heat_lines(heat: HeatFields, plane: Plane, places: Places) -> str:
    """Where a heating step kills, by each of the models that are kept."""
    return levels(_levels(heat, plane), places)


def _levels(heat: HeatFields, plane: Plane) -> Iterator[Level]:
    for label, volume, lethal, kind, towards in (
        ("Ω 1", heat.omega, limit("lethal_omega").value, "h-omega", (0, -1)),
        ("CEM43 240", heat.cem43_min, limit("lethal_cem43_min").value, "h-cem", (1, 0)),
    ):
        dose = np.log(np.maximum(volume.values / lethal, LEAST)).astype(np.float32)
        yield Level(label, _sampled(dose, volume, plane, float(np.log(LEAST))), 0.0, ("under", kind), towards)
    degC = limit("lethal_heat_degC").value
    hottest = _sampled(heat.maximum_degC.values, heat.maximum_degC, plane, REST_DEGC)
    yield Level(f"{degC:.0f} °C", hottest, degC, ("under", "h-degC"), (0, 1))


def _sampled(values: Array, volume: Volume, plane: Plane, outside: float) -> Array:
    return cut(values, volume.grid, plane, PIXELS, outside=outside)
