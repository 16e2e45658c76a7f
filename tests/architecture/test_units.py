"""A unit is part of a name: every number a record holds says what it is measured in."""

import dataclasses
import importlib
import pkgutil
import types
import typing

import pytest

import trocar.model
from trocar.model.record import Record

UNITS = (
    "mm mm2 mm3 ml s min months years degC W J N MPa GPa HU deg V ohm Hz kHz MHz frac um kg nrs "
    "giga_per_l mg_per_l g_per_l umol_per_l mmol_per_l mg_per_d ml_per_min h Gy J_per_m3 W_per_mK W_per_m2K frac_per_K"
).split()
# Numbers without a unit, or whose unit stands in a field beside them.
DIMENSIONLESS = {
    ("Check", "value"): "unit is a field of the check",
    ("Check", "limit"): "unit is a field of the check",
    ("GeometryFinding", "value"): "unit is a field of the finding",
    ("GeometryFinding", "limit"): "unit is a field of the finding",
    ("ProtocolPhase", "setting"): "unit is a field of the phase",
    ("ProtocolPhase", "settings"): "unit is a field of the phase",
    ("Laboratory", "inr"): "a ratio by definition",
    ("Duration", "low"): "held by fields named duration_min",
    ("Duration", "typical"): "held by fields named duration_min",
    ("Duration", "high"): "held by fields named duration_min",
    ("ScoreItem", "points"): "points of a score",
    ("Score", "total"): "points of a score",
    ("Score", "maximum"): "points of a score",
    ("Registration", "control_from_plan"): "a transform",
    ("Grid", "lps_from_ijk"): "a transform",
    ("ZoneCoverage", "lesion"): "held by fields named coverage_frac",
    ("ZoneCoverage", "bone"): "held by fields named coverage_frac",
    ("ZoneCoverage", "soft_tissue"): "held by fields named coverage_frac",
    ("LesionMeasure", "diameter_axes"): "unit vectors",
    ("SeenIce", "dice_with_prediction"): "a ratio by definition",
    ("Step", "perfusion_scale"): "a factor",
    ("RfGenerator", "rise_factor"): "a factor",
    ("HeatingProgram", "rise_factor"): "a factor",
    ("TissueChange", "bone_conductivity_scale"): "a factor",
    ("TissueChange", "blood_scale"): "a factor",
    ("Cryoprobe", "standard_errors"): "keys carry the unit",
    ("Forecast", "exposures"): "structure -> degC, said in the record",
    ("HeatForecast", "exposures"): "structure -> degC, said in the record",
    ("HeatForecast", "peaks"): "instrument -> degC, said in the record",
    ("HeatForecast", "skin_omega"): "Arrhenius damage, a ratio by definition",
    ("State", "strength"): "keys carry the unit",
    ("ModelUpdate", "parameters"): "keys carry the unit",
    ("ModelUpdate", "forecast"): "keys carry the unit",
}


def records() -> list[type[Record]]:
    found = []
    for module in pkgutil.iter_modules(trocar.model.__path__, "trocar.model."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Record) and thing.__module__ == module.name:
                found.append(thing)
    return found


def holds_float(annotation: object) -> bool:
    """Whether a type is float, or optional, tuple or dict of it, however deep."""
    origin = typing.get_origin(annotation)
    if origin in (types.UnionType, typing.Union, tuple, dict):
        return any(holds_float(part) for part in typing.get_args(annotation))
    return annotation is float


@pytest.mark.parametrize("record", records(), ids=lambda r: r.__name__)
def test_every_number_names_its_unit(record):
    hints = typing.get_type_hints(record)
    for item in dataclasses.fields(record):
        if not holds_float(hints[item.name]) or (record.__name__, item.name) in DIMENSIONLESS:
            continue
        assert any(item.name.endswith(f"_{unit}") for unit in UNITS), f"{record.__name__}.{item.name} names no unit"


def test_the_exceptions_exist():
    fields = {(record.__name__, item.name) for record in records() for item in dataclasses.fields(record)}
    assert set(DIMENSIONLESS) <= fields
