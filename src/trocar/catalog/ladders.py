"""What a console may be set to for an applicator, the gentlest setting first; facts in heating.toml."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from trocar.catalog.facts import device, limit
from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import cited_keys, require_resolved
from trocar.errors import CatalogError
from trocar.model.device import MicrowaveAntenna
from trocar.model.record import Record
from trocar.model.treatment import HeatingProgram

UNSURE = ("R-l", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder(Record):
    """The settings of one console for some applicators: constant ones, or how long its program of power runs."""

    id: str
    devices: tuple[str, ...]
    generator: str | None = None
    unit: Literal["W", "degC", ""] = ""
    settings: tuple[float, ...] = ()  # in the unit, one for each of `minutes`
    minutes: tuple[float, ...]
    start_W: float | None = None
    step_W: float | None = None
    step_every_s: float | None = None
    ceiling_W: float | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One setting. `sure`: it stands in the applicator's own zone table, or nothing of it is a guess."""

    setting: float | None
    unit: str
    duration_s: float
    program: HeatingProgram | None
    source: str
    sure: bool


@cache
def ladders() -> tuple[Ladder, ...]:
    """Every ladder. Raises `CatalogError` when the file is malformed."""
    return read_ladders(CATALOG / "heating.toml")


def read_ladders(path: Path) -> tuple[Ladder, ...]:
    """The ladders of one file. Raises `CatalogError` naming file, ladder and reason."""
    rows = read_toml(path, TypeAdapter(tuple[Ladder, ...]), key="ladder")
    for row in rows:
        require_resolved(row.source, path=path, where=row.id)
        if not row.minutes or (row.settings and len(row.settings) != len(row.minutes)):
            raise CatalogError(f"{path.name}: {row.id}: a setting for each of its minutes, or none")
        if bool(row.settings) != bool(row.unit) or (not row.settings and not row.generator):
            raise CatalogError(f"{path.name}: {row.id}: settings go with a unit, a program with a generator")
        for name in (*row.devices, *((row.generator,) if row.generator else ())):
            device(name)
    return rows


def rungs(device_id: str) -> tuple[Rung, ...]:
    """What may be set for an applicator, the gentlest first; empty for one that no ladder names."""
    for row in ladders():
        if device_id in row.devices:
            return tuple(_rung(row, number, device_id) for number in range(len(row.minutes)))
    return ()


def console(device_id: str) -> str | None:
    """The generator that an applicator's settings belong to; None where the catalog knows none."""
    return next((row.generator for row in ladders() if device_id in row.devices), None)


def _rung(row: Ladder, number: int, device_id: str) -> Rung:
    seconds = 60.0 * row.minutes[number]
    setting = row.settings[number] if row.settings else None
    return Rung(
        setting=setting,
        unit=row.unit,
        duration_s=seconds,
        program=None if row.settings else _program(row, seconds),
        source=row.source,
        sure=_in_table(device_id, setting, seconds) or not set(cited_keys(row.source)) & set(UNSURE),
    )


def _program(row: Ladder, seconds: float) -> HeatingProgram:
    """The ladder's powers, and the signs of a roll-off from the limits."""
    assert row.generator is not None
    return HeatingProgram(
        generator=row.generator,
        start_W=row.start_W,
        step_W=row.step_W,
        step_every_s=row.step_every_s,
        ceiling_W=row.ceiling_W,
        rise_factor=limit("roll_off_rise_factor").value,
        collapse_frac=limit("roll_off_collapse_frac").value,
        longest_s=seconds,
    )


def _in_table(device_id: str, power_W: float | None, seconds: float) -> bool:
    known = device(device_id)
    rows = known.zones if isinstance(known, MicrowaveAntenna) else ()
    return any((row.power_W, row.time_s) == (power_W, seconds) for row in rows)
