"""A predictor of heat for tests: what heats kills to a radius that grows with its setting, and warms beyond it."""

import numpy as np

from trocar.catalog.applicators import heating_segments
from trocar.model.forecast import HeatForecast
from trocar.model.space import Grid, Volume

EVERY = 2  # voxels of the case
LETHAL_DEGC, WARMS_MM = 60.0, 5.0


def strength(step):
    """Minutes at a power of 50 W, or at 30 degC above 60, or of a program."""
    phase = step.protocol[0]
    level = {"W": (phase.setting or 0.0) / 50.0, "degC": ((phase.setting or 0.0) - 60.0) / 30.0, "": 1.0}[phase.unit]
    return level * phase.duration_s / 60.0


def hot_line(case, *, radius_mm=8.0):
    """`radius_mm` is reached at a strength of 8; it grows with the cube root."""
    whole = case.grid
    spacing = tuple(float(n) * EVERY for n in whole.spacing_mm)
    origin = tuple(float(x) for x in whole.to_lps([0, 0, 0]))
    grid = Grid.aligned(origin_lps_mm=origin, spacing_mm=spacing, shape=tuple(-(-n // EVERY) for n in whole.shape))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    masks = {item.name: item.inside[::EVERY, ::EVERY, ::EVERY] for item in case.structures}

    def one(step):
        pieces = [piece for placement in step.placements for piece in heating_segments(placement)]
        distance = np.min([piece.distance_mm(points) for piece in pieces], axis=0)
        within_mm = radius_mm * (strength(step) / 8.0) ** (1 / 3) - distance
        degC = 37.0 + (LETHAL_DEGC - 37.0) * np.exp(np.minimum(within_mm, 10.0) / WARMS_MM)
        dose = np.exp(np.clip(within_mm, -20, 20))
        return HeatForecast(
            maximum_degC=Volume(grid=grid, values=degC, unit="degC"),
            omega=Volume(grid=grid, values=dose, unit="1"),
            cem43_min=Volume(grid=grid, values=240.0 * dose, unit="min"),
            exposures={name: float(degC[mask].max()) for name, mask in masks.items() if mask.any()},
            peaks={placement.name: float(degC.max()) for placement in step.placements},
            heated_s=step.protocol[0].duration_s,
        )

    def predict(case, steps, *, spacing_mm, embolized, implants=()):
        return tuple(one(step) for step in steps)

    return predict
