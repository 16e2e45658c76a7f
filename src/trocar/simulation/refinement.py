"""How far the lattice's spacing moves the isotherms: the same step on a lattice twice as coarse."""

from dataclasses import replace

import numpy as np

from trocar.model.case import Case
from trocar.model.finding import Check, State, Verdict
from trocar.model.forecast import TissueChange
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Volume
from trocar.model.treatment import Step
from trocar.simulation.preview import predict
from trocar.simulation.zones import TEMPERATURES_DEGC, ice_mesh, zone_name

LIMIT_MM = 0.5


def refinement_mm(
    case: Case, step: Step, fine: Volume, *, perfusion_scale: float, shield: Shield = UNSHIELDED
) -> dict[str, float]:
    """Per zone, the change of its mean radius between this spacing and twice it: above the error, as a rule."""
    spacing = float(fine.grid.spacing_mm[0])
    change = TissueChange(shield=shield)
    (forecast,) = predict(case, (step,), spacing_mm=2 * spacing, perfusion_scale=perfusion_scale, changes=(change,))
    coarse = forecast.minimum_degC
    return {
        zone_name(level): round(abs(_radius_mm(fine, level) - _radius_mm(coarse, level)), 3)
        for level in TEMPERATURES_DEGC
    }


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
            message=f"mean radius at {spacing_mm:g} mm against {2 * spacing_mm:g} mm",
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


def _radius_mm(minimum: Volume, level_degC: float) -> float:
    """Of the sphere that holds as much as the zone."""
    mesh = ice_mesh(minimum.values, minimum.grid, level_degC)
    volume_ml = mesh.volume_ml if mesh.faces.size else 0.0
    return float(np.cbrt(3000.0 * volume_ml / (4 * np.pi)))
