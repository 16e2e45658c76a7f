"""How far the lattice's spacing moves the isotherms: the same step on a lattice twice as coarse."""

from dataclasses import replace

import numpy as np

from trocar.imaging.resample import sample
from trocar.imaging.surface import grown_bounds, slices
from trocar.model.case import Case
from trocar.model.finding import Check, State, Verdict
from trocar.model.forecast import AfterEmbolization, TissueChange
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Volume
from trocar.model.treatment import Step
from trocar.simulation.preview import predict
from trocar.simulation.zones import TEMPERATURES_DEGC, ice_mesh, zone_name

LIMIT_MM = 0.5
LEAST_STEEPNESS_PER_MM = 1e-3  # of a field where it is flat


def refinement_mm(
    case: Case, step: Step, fine: Volume, *, embolized: AfterEmbolization, shield: Shield = UNSHIELDED
) -> dict[str, float]:
    """Per zone, how far its surface moves between this spacing and twice it: above the error, as a rule."""
    spacing = float(fine.grid.spacing_mm[0])
    change = TissueChange(shield=shield)
    (forecast,) = predict(case, (step,), spacing_mm=2 * spacing, embolized=embolized, changes=(change,))
    coarse = forecast.minimum_degC
    return {zone_name(level): round(surface_shift_mm(fine, coarse, level), 3) for level in TEMPERATURES_DEGC}


def refinement_checks(step: Step, shifts_mm: dict[str, float], *, spacing_mm: float) -> tuple[Check, ...]:
    """A check for each zone's shift."""
    return tuple(
        Check(
            name="grid_refinement",
            subject=f"{step.id} {zone}",
            value=shift,
            limit=LIMIT_MM,
            unit="mm",
            verdict=Verdict.PASS if shift <= LIMIT_MM else Verdict.WARN,
            source="software default",
            message=f"how far 95 % of its surface moves at most from {2 * spacing_mm:g} mm to {spacing_mm:g} mm",
        )
        for zone, shift in shifts_mm.items()
    )


def refined(states: tuple[State, ...], shifts_mm: dict[str, float]) -> tuple[State, ...]:
    """The states with the estimate beside each zone; the last freeze's stands for all."""
    return tuple(
        replace(
            state,
            zones={name: replace(zone, refinement_mm=shifts_mm.get(name)) for name, zone in state.zones.items()},
        )
        for state in states
    )


def surface_shift_mm(fine: Volume, coarse: Volume, level: float) -> float:
    """How far 95 % of the surface where a field has this level moves at most from a coarse lattice to a fine one.

    To first order: what the coarse field lacks there, over the fine one's slope. Where only one of them reaches the
    level, its surface is looked at; 0 where neither does.
    """
    at, other = (fine, coarse) if (fine.values < level).any() else (coarse, fine)
    points = ice_mesh(at.values, at.grid, level).vertices_lps_mm
    points = points[other.grid.contains(points)] if len(points) else points
    if not len(points):
        return 0.0
    low, high = grown_bounds(at.values < level, 2)
    near, grid = at.values[slices(low, high)].astype(np.float32), at.grid.cropped(low, high)
    slopes: list[Array] = list(np.gradient(near, *(float(h) for h in at.grid.spacing_mm)))
    steepness = np.linalg.norm([sample(slope, grid, points, outside=0.0) for slope in slopes], axis=0)
    lacking = np.abs(sample(other.values, other.grid, points, outside=level) - level)
    return float(np.percentile(lacking / np.maximum(steepness, LEAST_STEEPNESS_PER_MM), 95))
