"""Literature keys: what a source string cites and what each key stands for.

A source is a list of keys with optional details: `V31 (42 degC there), R-h`.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.errors import CatalogError
from trocar.model.record import Record

_CITATION = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)(?:\s*\([^()]*\))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Record):
    """What a key stands for; `read` is how much of it was read when it was cited."""

    text: str
    read: str


@cache
def references() -> dict[str, Reference]:
    """Every literature key with its reference."""
    return read_toml(CATALOG / "references.toml", TypeAdapter(dict[str, Reference]))


def cited_keys(source: str) -> tuple[str, ...]:
    """The keys of a source string. Raises `CatalogError` when it cites nothing or cannot be read."""
    keys, position = [], 0
    while match := _CITATION.match(source, position):
        keys.append(match.group(1))
        position = match.end()
        if position == len(source):
            return tuple(keys)
        if source[position] != ",":
            break
        position += 1
    raise CatalogError(f"source {source!r} is not a list of literature keys", hint="write e.g. 'V31 (detail), R-h'")


def require_resolved(source: str, *, path: Path, where: str) -> None:
    """Raises `CatalogError` when a source cites a key that has no reference."""
    unresolved = [key for key in cited_keys(source) if key not in references()]
    if unresolved:
        raise CatalogError(f"{path.name}: {where}: no reference for {', '.join(unresolved)}", hint="references.toml")
