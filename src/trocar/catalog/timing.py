"""How long each step of a session takes, what it holds meanwhile, and when the session is looked at."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record
from trocar.model.treatment import Duration, Technique, Text

Resource: TypeAlias = Literal[
    "room", "operator", "scrub_nurse", "anesthesia", "neuromonitoring", "angiography", "ct", "recovery"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing(Record):
    """One step type: how many minutes, by which source, and the resources that it holds alone."""

    duration: Duration
    source: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Record):
    """One look: at the start or end of a step, at minutes into each freeze, or at the end of each thaw."""

    id: str
    step: str
    at: Literal["start", "end", "freeze", "thaw"]
    offsets_min: tuple[float, ...] = ()
    technique: Technique | None = None
    source: str
    text: Text


@cache
def timings() -> dict[str, Timing]:
    """The timing of every step type, and of steps that a technique, variant or compartment times otherwise."""
    return read_timings(CATALOG / "timing.toml")


def timing(step: str, *narrower: str) -> Timing:
    """The row of a step, or of the first of the narrower names that has one. Raises `CatalogError` for no row."""
    known = timings()
    for name in (*(f"{step}.{item}" for item in narrower), step):
        if name in known:
            return known[name]
    raise CatalogError(f"timing.toml has no step {step!r}", hint=f"there are: {', '.join(known)}")


@cache
def controls() -> tuple[Control, ...]:
    """Every look of a session. Raises `CatalogError` when the file is malformed."""
    path = CATALOG / "controls.toml"
    rows = read_toml(path, TypeAdapter(tuple[Control, ...]), key="control")
    for row in rows:
        require_resolved(row.source, path=path, where=row.id)
        if (row.at == "freeze") != bool(row.offsets_min):
            raise CatalogError(f"{path.name}: {row.id}: minutes go with a look into each freeze, and only with it")
    return rows


def read_timings(path: Path) -> dict[str, Timing]:
    """The timings of one file. Raises `CatalogError` naming file, step and reason."""
    rows = read_toml(path, TypeAdapter(dict[str, Timing]))
    for name, row in rows.items():
        require_resolved(row.source, path=path, where=name)
        if not 0 <= row.duration.low <= row.duration.typical <= row.duration.high:
            raise CatalogError(f"{path.name}: {name}: low, typical and high are not in order")
    return rows
