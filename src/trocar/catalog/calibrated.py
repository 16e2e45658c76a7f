"""A cryoprobe of the catalog calibrated on its isotherm table, and the catalog entry that results."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from trocar.catalog.isotherm_table import TableRow, read_isotherm_table
from trocar.catalog.media import prior_fact, table_medium
from trocar.errors import CatalogError
from trocar.model.device import Cryoprobe, Isotherm
from trocar.physics.calibration import Calibration, Known, NeedleProblem, Prior, Reading, Unknown, calibrate

MM = 1000.0
SOURCE = "calibrated"
SUFFIX = "-calibrated"  # an id of its own: the catalog's entry stays
IN_MM = {Unknown.LENGTH: "active_length_mm", Unknown.SHIFT: "tip_shift_mm"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibratedProbe:
    """The fit, and the device as it should stand in the catalog; it keeps `model_prior` where its cold is not known."""

    probe: Cryoprobe
    rows: tuple[TableRow, ...]
    calibration: Calibration


def calibrate_probe(
    path: Path, probe: Cryoprobe, *, by_fluid: bool = False, spacing_mm: float = 0.5
) -> CalibratedProbe:
    """Fit a probe to a table. Raises `CatalogError` for a table or a probe that does not allow it."""
    rows = read_isotherm_table(path, probe)
    found = calibrate(_problem(probe, rows, by_fluid=by_fluid, spacing_mm=spacing_mm))
    return CalibratedProbe(probe=_entry(probe, rows, found), rows=rows, calibration=found)


def field_name(unknown: Unknown) -> str:
    """The name of an unknown where lengths are in millimeters."""
    return IN_MM.get(unknown, unknown.value)


def in_field_unit(unknown: Unknown, value: float) -> float:
    """A value of the physics in the unit of `field_name`."""
    return float(value * MM if unknown in IN_MM else value)


def toml_block(probe: Cryoprobe) -> str:
    """A device as an entry of a catalog file."""
    scalars, tables = [], []
    for item in fields(probe):
        value = getattr(probe, item.name)
        if value in (None, "", (), {}) or item.name in ("isotherms", "sources"):
            continue
        if isinstance(value, dict):
            tables += [f"[device.{item.name}]", *(f"{key} = {_toml(entry)}" for key, entry in value.items())]
        else:
            scalars.append(f"{item.name} = {_toml(value)}")
    rows = []
    for isotherm in probe.isotherms:
        rows.append("[[device.isotherms]]")
        rows += [
            f"{item.name} = {_toml(getattr(isotherm, item.name))}"
            for item in fields(isotherm)
            if getattr(isotherm, item.name) is not None
        ]
    sources = ["[device.sources]", *(f"{key} = {_toml(source)}" for key, source in probe.sources.items())]
    return "\n".join(["[[device]]", *scalars, *rows, *tables, *sources]) + "\n"


def _problem(probe: Cryoprobe, rows: tuple[TableRow, ...], *, by_fluid: bool, spacing_mm: float) -> NeedleProblem:
    if probe.active_length_mm is None:
        raise CatalogError(f"{probe.id}: active_length_mm is unknown", hint="give the nominal length in the catalog")
    unknowns = (Unknown.FLUID, Unknown.EXCHANGE) if by_fluid else (Unknown.SURFACE,)
    own = {Unknown.SURFACE: probe.surface_degC, Unknown.LENGTH: probe.active_length_mm}
    priors = {unknown: _prior(unknown, own.get(unknown)) for unknown in (
        *unknowns, Unknown.LENGTH, Unknown.SHIFT, Unknown.FROZEN)}  # fmt: skip
    return NeedleProblem(
        radius_m=probe.diameter_mm / 2 / MM,
        ramp_s=probe.ramp_s or 0.0,
        tip_m=((probe.tip_offset_mm or 0.0) + probe.active_length_mm / 2) / MM,
        media={row.medium: table_medium(row.medium).substance for row in rows},
        priors=priors,
        readings=tuple(
            Reading(
                what=size.what, level_degC=row.isotherm_degC, time_s=row.time_s, bath_degC=row.bath_degC,
                medium=row.medium, size_m=size.mean_mm / MM, spread_m=size.sd_mm / MM,
            )
            for row in rows for size in row.sizes
        ),
        spacing_m=spacing_mm / MM,
    )  # fmt: skip


def _prior(unknown: Unknown, own: float | None) -> Prior:
    fact = prior_fact(field_name(unknown))
    value = fact.value if own is None else own
    if value is None:
        raise CatalogError(f"no prior for {fact.unknown}", hint="give it in the device's entry")
    scale = MM if unknown in IN_MM else 1.0
    spread = fact.spread if fact.logarithmic else fact.spread / scale
    return Prior(
        value=value / scale, spread=spread, low=fact.low / scale, high=fact.high / scale, logarithmic=fact.logarithmic
    )


def _entry(probe: Cryoprobe, rows: tuple[TableRow, ...], found: Calibration) -> Cryoprobe:
    """The device with what its table identified in place of its priors."""
    documents = ", ".join(dict.fromkeys(row.source for row in rows))
    source = f"{SOURCE} ({_plain(documents)})"
    driving = [e for e in found.estimates if e.unknown in (Unknown.SURFACE, Unknown.FLUID, Unknown.EXCHANGE)]
    kept = [e for e in found.estimates if e.known is not Known.NOT_IDENTIFIED]
    changed: dict[str, Any] = {
        field_name(e.unknown): round(in_field_unit(e.unknown, e.value), 2)
        for e in (*driving, *kept) if e.unknown not in (Unknown.SHIFT, Unknown.FROZEN)
    }  # fmt: skip
    if Unknown.SURFACE not in [e.unknown for e in driving]:
        changed["surface_degC"] = None
    if found.of(Unknown.SHIFT) in kept:
        middle_mm = (probe.tip_offset_mm or 0.0) + float(probe.active_length_mm or 0.0) / 2
        end_mm = MM * (found.of(Unknown.LENGTH).value / 2 + found.of(Unknown.SHIFT).value)
        changed["tip_offset_mm"] = round(max(0.0, middle_mm - end_mm), 2)
    priors = {field_name(e.unknown) for e in driving if e not in kept}
    told = {name: f"design (prior, {_plain(documents)})" if name in priors else source for name in changed}
    sources = {name: text for name, text in {**probe.sources, **told}.items() if changed.get(name, 0) is not None}
    errors = {
        field_name(e.unknown): round(in_field_unit(e.unknown, e.standard_error), 3)
        for e in kept if e.unknown is not Unknown.FROZEN
    }  # fmt: skip
    return replace(
        probe, id=f"{probe.id.removesuffix(SUFFIX)}{SUFFIX}", **changed,
        isotherms=_isotherms(rows), standard_errors=errors, sources=sources,
        model_prior=not _cold_is_known([e.known for e in driving]),
        notes="Calibrated on its isotherm table. " + " ".join(found.statements(field_name)),
    )  # fmt: skip


def _cold_is_known(driving: list[Known]) -> bool:
    """A surface must be identified; of a fluid and its exchange, which trade against one another, at least one."""
    return Known.IDENTIFIED in driving and Known.NOT_IDENTIFIED not in driving


def _isotherms(rows: tuple[TableRow, ...]) -> tuple[Isotherm, ...]:
    """Rows with both axes, as the catalog keeps them."""
    found = []
    for row in rows:
        width, length = row.size("width"), row.size("length")
        if width is None or length is None:
            continue
        spread = f"+/- {width.sd_mm:g} mm (width) and +/- {length.sd_mm:g} mm (length)"
        page = f", page {row.page}" if row.page else ""
        found.append(
            Isotherm(
                temperature_degC=row.isotherm_degC, time_s=row.time_s, width_mm=width.mean_mm,
                length_mm=length.mean_mm, bath=f"{row.medium}; {spread}", bath_degC=row.bath_degC,
                source=f"{SOURCE} ({_plain(row.source + page)})",
            )
        )  # fmt: skip
    return tuple(found)


def _plain(text: str) -> str:
    """A document's name without what has a meaning in a source string."""
    return text.replace("(", "[").replace(")", "]")


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, float):
        return repr(round(value, 6))
    return json.dumps(value, ensure_ascii=False)
