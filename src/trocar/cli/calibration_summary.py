"""A calibration as lines for a person, and as values for `--json`."""

from collections.abc import Iterator
from typing import Any

from trocar.catalog.calibrated import MM, CalibratedProbe, field_name, in_field_unit, toml_block
from trocar.cli.summary import device_values


def calibration_lines(found: CalibratedProbe) -> Iterator[str]:
    """What was fitted, what the table says of it, how the sizes come out, and the catalog entry."""
    fit = found.calibration
    yield f"{found.probe.id}: fitted to {len(fit.readings)} sizes"
    for estimate in fit.estimates:
        value, error = (in_field_unit(estimate.unknown, v) for v in (estimate.value, estimate.standard_error))
        yield f"  {field_name(estimate.unknown)} = {value:.4g} +/- {error:.2g}  ({estimate.known.value})"
    yield from (f"  {sentence}" for sentence in fit.statements(field_name))
    yield "  singular values, per spread of the prior: " + ", ".join(f"{value:.2g}" for value in fit.singular_values)
    yield "  isotherm, time, size: in the table, in the model, mm"
    for reading, fitted_m in zip(fit.readings, fit.fitted_m, strict=True):
        yield (
            f"  {reading.level_degC:g} degC, {reading.time_s / 60:g} min, {reading.what}: "
            f"{reading.size_m * MM:.1f} +/- {reading.spread_m * MM:.1f}, {fitted_m * MM:.1f}"
        )
    if found.probe.model_prior:
        yield "  The cold of this probe stays a prior: results keep saying model_prior."
    yield ""
    yield toml_block(found.probe)


def calibration_values(found: CalibratedProbe) -> dict[str, Any]:
    """The same as one JSON object."""
    fit = found.calibration
    names = [field_name(estimate.unknown) for estimate in fit.estimates]
    rows = [dict(zip(names, row, strict=True)) for row in fit.correlation.tolist()]
    return {
        "schema": "trocar/calibration/1",
        "device": device_values(found.probe),
        "estimates": [
            {
                "name": field_name(e.unknown),
                "value": in_field_unit(e.unknown, e.value),
                "standard_error": in_field_unit(e.unknown, e.standard_error),
                "prior": in_field_unit(e.unknown, e.prior.value),
                "identifiability": e.known.value,
            }
            for e in fit.estimates
        ],
        "statements": list(fit.statements(field_name)),
        "correlation": dict(zip(names, rows, strict=True)),
        "singular_values": fit.singular_values.tolist(),
        "directions": [dict(zip(names, row, strict=True)) for row in fit.directions.tolist()],
        "chi_squared": fit.chi_squared,
        "degrees_of_freedom": fit.degrees,
        "sizes": [
            {
                "isotherm_degC": reading.level_degC,
                "time_s": reading.time_s,
                "bath_degC": reading.bath_degC,
                "medium": reading.medium,
                "what": reading.what,
                "measured_mm": reading.size_m * MM,
                "sd_mm": reading.spread_m * MM,
                "fitted_mm": fitted_m * MM,
            }
            for reading, fitted_m in zip(fit.readings, fit.fitted_m.tolist(), strict=True)
        ],
        "toml": toml_block(found.probe),
    }
