"""A predictor for tests: temperature grows linearly from each probe's freezing part; colder the longer it freezes."""

import numpy as np

from trocar.catalog import device
from trocar.model.forecast import Forecast
from trocar.model.space import Grid, Segment, Volume

EVERY = 2  # voxels of the case


def cold_line(case, *, cold_degC=-80.0, degC_per_mm=6.0):
    whole = case.grid
    spacing = tuple(float(n) * EVERY for n in whole.spacing_mm)
    origin = tuple(float(x) for x in whole.to_lps([0, 0, 0]))
    grid = Grid.aligned(origin_lps_mm=origin, spacing_mm=spacing, shape=tuple(-(-n // EVERY) for n in whole.shape))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    masks = {item.name: item.inside[::EVERY, ::EVERY, ::EVERY] for item in case.structures}

    def one(step):
        field = np.full(grid.shape, 37.0)
        for probe in step.placements:
            freezes = [phase for phase in step.protocol if phase.phase == "freeze"]
            strength = sum(phase.duration_s * phase.setting_of(probe.name) for phase in freezes) / 1200.0
            active = device(probe.device).active_length_mm
            start = probe.axis.at(probe.length_mm - active)
            zone = Segment(start_lps_mm=tuple(start), end_lps_mm=probe.target_lps_mm)
            field = np.minimum(field, cold_degC + degC_per_mm * zone.distance_mm(points) / max(strength, 0.05))
        exposures = {name: float(field[mask].min()) for name, mask in masks.items() if mask.any()}
        return Forecast(minimum_degC=Volume(grid=grid, values=field, unit="degC"), exposures=exposures)

    def predict(case, steps, *, spacing_mm, embolized, changes=(), implants=()):
        return tuple(one(step) for step in steps)

    return predict
