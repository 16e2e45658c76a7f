"""What goes through what: wires, needles and probes against lumens, and lengths against paths."""

import datetime
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from trocar.catalog.facts import limit
from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.device import AnyDevice
from trocar.model.finding import Check, Verdict
from trocar.model.record import Record
from trocar.model.treatment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Compatibility(Record):
    """One rule: `size` of an inner device, with a clearance, within `lumen` of an outer one; K4 speaks of lengths."""

    id: str
    name: str
    inner: tuple[str, ...]
    outer: tuple[str, ...]
    size: str
    lumen: str
    clearance_mm: float
    strength: Literal["STOP", "WARN"]
    grade: Literal["A", "B", "C", "D"]
    source: str
    last_reviewed: datetime.date
    text: Text


@cache
def compatibilities() -> dict[str, Compatibility]:
    """Every rule by name. Raises `CatalogError` when the file is malformed."""
    return read_compatibilities(CATALOG / "compatibility.toml")


def read_compatibilities(path: Path) -> dict[str, Compatibility]:
    """The rules of one file. Raises `CatalogError` naming file, rule and reason."""
    rows = read_toml(path, TypeAdapter(tuple[Compatibility, ...]), key="rule")
    for row in rows:
        require_resolved(row.source, path=path, where=row.id)
    return {row.name: row for row in rows}


def passes(name: str, inner: AnyDevice, outer: AnyDevice, subject: str) -> Check:
    """Whether the inner device passes the outer one; UNKNOWN where the catalog does not know one of the two.

    Raises `CatalogError` when no rule of that name speaks of these kinds.
    """
    rule = compatibilities()[name]
    if inner.kind not in rule.inner or outer.kind not in rule.outer:
        raise CatalogError(f"{rule.id} does not speak of a {inner.kind} in a {outer.kind}")
    return fits(name, getattr(inner, rule.size), getattr(outer, rule.lumen), subject)


def fits(name: str, size_mm: float | None, lumen_mm: float | None, subject: str) -> Check:
    """Whether a size goes into a lumen by the rule of that name."""
    rule = compatibilities()[name]
    if size_mm is None or lumen_mm is None:
        verdict, message = Verdict.UNKNOWN, "the lumen is not in the catalog: measure it before use"
    else:
        verdict = Verdict.PASS if size_mm + rule.clearance_mm <= lumen_mm else Verdict.FAIL
        message = ""
    return Check(
        name=name,
        subject=subject,
        value=size_mm,
        limit=lumen_mm,
        unit="mm",
        verdict=verdict,
        source=rule.source,
        message=message,
    )


def long_enough(device: AnyDevice, path_mm: float) -> Check:
    """K4: whether the longest of a device reaches the end of a path with its hub outside; UNKNOWN without lengths."""
    rule = compatibilities()["instrument_length"]
    lengths = getattr(device, "shaft_lengths_mm", ()) or getattr(device, "lengths_mm", ())
    longest = max(lengths, default=None)
    needed = path_mm + limit(rule.lumen).value
    enough = longest is not None and longest >= needed
    return Check(
        name=rule.name,
        subject=device.id,
        value=longest,
        limit=needed,
        unit="mm",
        verdict=Verdict.UNKNOWN if longest is None else Verdict.PASS if enough else Verdict.FAIL,
        source=rule.source,
        message="its lengths are not in the catalog" if longest is None else "",
    )
