"""The fixed lines of the documents: stop criteria, checks to tick, visits, and every sentence said to a patient."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.model.record import Record
from trocar.model.treatment import Technique, Text

Part: TypeAlias = Literal[
    "stop", "sign_in", "time_out", "sign_out", "visit", "measure", "response",
    "proposal", "partial", "goal", "benefit", "alternative", "risk", "near", "no_nerve", "after",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine(Record):
    """One line in both languages; with a `technique` it is for sessions that use it."""

    part: Part
    technique: Technique | None = None
    source: str
    text: Text


@cache
def sheet_lines() -> tuple[SheetLine, ...]:
    """Every line in its order. Raises `CatalogError` when the file is malformed or a source is unknown."""
    path = CATALOG / "sheets.toml"
    rows = read_toml(path, TypeAdapter(tuple[SheetLine, ...]), key="line")
    for row in rows:
        require_resolved(row.source, path=path, where=row.text.en)
    return rows
