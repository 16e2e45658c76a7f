"""The devices and the limits of the catalog."""

from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.device import AnyDevice, Cryoprobe, MicrowaveAntenna
from trocar.model.record import Record
from trocar.model.treatment import Text

_NOT_FACTS = {"id", "kind", "sources", "notes", "isotherms", "zones", "model_prior", "standard_errors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Record):
    """A number that checks compare with, its source, and what it limits."""

    key: str = ""
    value: float
    unit: str
    source: str
    text: Text


@cache
def limits() -> dict[str, Limit]:
    """Every limit by key. Raises `CatalogError` when the file is malformed."""
    return read_limits(CATALOG / "limits.toml")


def limit(key: str) -> Limit:
    """The limit of this key. Raises `CatalogError` when there is none."""
    try:
        return limits()[key]
    except KeyError:
        raise CatalogError(f"no limit is called {key!r}", hint=f"there are: {', '.join(limits())}") from None


@cache
def devices() -> dict[str, AnyDevice]:
    """Every device by id, in the order of the files, a hospital's own last.

    Raises `CatalogError` when a file is malformed.
    """
    found: dict[str, AnyDevice] = {}
    for path in (*sorted((CATALOG / "devices").glob("*.toml")), *own_lists()):
        _add_devices(found, path)
    return found


def devices_with(path: Path) -> dict[str, AnyDevice]:
    """The catalog with the devices of one more file. Raises `CatalogError` like `devices`."""
    found = dict(devices())
    _add_devices(found, path)
    return found


def own_lists() -> tuple[Path, ...]:
    """The files of a hospital's own devices: what installed packages name as entry points of `trocar.devices`.

    Each is a path to a TOML file of [[device]] tables, or a function that returns one.
    """
    named = [point.load() for point in entry_points(group="trocar.devices")]
    return tuple(Path(item() if callable(item) else item) for item in named)


def _add_devices(found: dict[str, AnyDevice], path: Path) -> None:
    for item in read_devices(path):
        if item.id in found:
            raise CatalogError(f"{path.name}: device {item.id!r} is defined twice", hint="give it an id of its own")
        found[item.id] = item


def device(device_id: str) -> AnyDevice:
    """The device of this id. Raises `CatalogError` when there is none."""
    try:
        return devices()[device_id]
    except KeyError:
        raise CatalogError(f"no device is called {device_id!r}", hint=f"there are: {', '.join(devices())}") from None


def read_limits(path: Path) -> dict[str, Limit]:
    """The limits of one file. Raises `CatalogError` naming file, key and reason."""
    rows = read_toml(path, TypeAdapter(dict[str, Limit]))
    for key, row in rows.items():
        require_resolved(row.source, path=path, where=key)
    return {
        key: Limit(key=key, value=row.value, unit=row.unit, source=row.source, text=row.text)
        for key, row in rows.items()
    }


def read_devices(path: Path) -> tuple[AnyDevice, ...]:
    """The devices of one file. Raises `CatalogError` when a known field has no source, or a source no field."""
    rows = read_toml(path, TypeAdapter(tuple[Annotated[AnyDevice, Field(discriminator="kind")], ...]), key="device")
    for row in rows:
        _require_sources(row, path)
    return rows


def _require_sources(row: AnyDevice, path: Path) -> None:
    known = {
        item.name for item in fields(row) if item.name not in _NOT_FACTS and getattr(row, item.name) not in (None, ())
    }
    for problem, names in (
        ("no source for", known - row.sources.keys()),
        ("source of no field:", row.sources.keys() - known),
    ):
        if names:
            raise CatalogError(f"{path.name}: {row.id}: {problem} {', '.join(sorted(names))}")
    for name, source in row.sources.items():
        require_resolved(source, path=path, where=f"{row.id}.{name}")
    if isinstance(row, Cryoprobe):
        for isotherm in row.isotherms:
            require_resolved(isotherm.source, path=path, where=f"{row.id}.isotherms")
    if isinstance(row, MicrowaveAntenna):
        for zone in row.zones:
            require_resolved(zone.source, path=path, where=f"{row.id}.zones")
