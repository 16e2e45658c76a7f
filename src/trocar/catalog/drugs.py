"""The bleeding-drug table: switched off until a clinician has signed a copy of it."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record
from trocar.model.treatment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Record):
    """Who checked the table against the local protocol, as what, and when."""

    name: str = ""
    role: str = ""
    date: datetime.date | None = None

    @property
    def given(self) -> bool:
        """Whether all three are there."""
        return bool(self.name.strip() and self.role.strip() and self.date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug(Record):
    """One drug: how long before a session at high bleeding risk it is held, and when it is taken again."""

    name: str
    group: Literal["anticoagulant", "antiplatelet"]
    hold: Text
    restart: Text | None = None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugTable(Record):
    """The table and its signature; `drugs` may be shown as advice only when `active`."""

    signature: Signature
    drug: tuple[Drug, ...]

    @property
    def active(self) -> bool:
        """Whether a clinician has signed it."""
        return self.signature.given

    def advice(self, name: str) -> Drug | None:
        """What the signed table says of a drug; nothing while nobody has signed it, or it does not know the drug."""
        return next((drug for drug in self.drug if self.active and drug.name == name), None)


def drug_table(path: Path | None = None) -> DrugTable:
    """The table of a file, or the one that ships, which nobody has signed.

    Raises `CatalogError` for a malformed file or half a signature.
    """
    path = path or CATALOG / "bleeding_drugs.toml"
    table = read_toml(path, TypeAdapter(DrugTable))
    for drug in table.drug:
        require_resolved(drug.source, path=path, where=drug.name)
    signed = table.signature
    if not signed.given and (signed.name.strip() or signed.role.strip() or signed.date):
        raise CatalogError(f"{path.name}: half a signature", hint="name, role and date, or none of them")
    return table
