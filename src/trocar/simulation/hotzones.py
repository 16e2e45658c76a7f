"""Zones of heat against the lesion: where the dose kills, by each of the models that are kept."""

import numpy as np

from trocar.catalog import limit
from trocar.model.finding import Zone
from trocar.model.space import Array, Grid
from trocar.simulation.zones import Target, ice_mesh, zone, zone_name

OMEGA_1, CEM43_240 = "omega_1", "cem43_240"
LEAST = 1e-4  # of a lethal dose: below it a cell is far outside the zone, however far


def hot_zone_names() -> tuple[str, ...]:
    """The keys of the zones of heat in results."""
    return OMEGA_1, CEM43_240, zone_name(round(limit("lethal_heat_degC").value))


def coolness(dose: dict[str, Array]) -> dict[str, Array]:
    """Per zone, a field [i, j, k] that is negative within: doses as logarithms, so that surfaces lie between cells."""
    omega, cem43, degC = hot_zone_names()
    return {
        omega: -_log(dose["omega"] / limit("lethal_omega").value),
        cem43: -_log(dose["cem43_min"] / limit("lethal_cem43_min").value),
        degC: limit("lethal_heat_degC").value - dose["maximum_degC"],
    }


def hot_zones(dose: dict[str, Array], grid: Grid, lesion: Target) -> dict[str, Zone]:
    """Every zone of heat by name."""
    return {name: zone(field, grid, 0.0, lesion, ice_mesh(field, grid, 0.0)) for name, field in coolness(dose).items()}


def _log(share: Array) -> Array:
    return np.log(np.maximum(share, np.float32(LEAST))).astype(np.float32)
