"""The minimum data set: every field of the clinical file, how it is named to a reader, and why it matters."""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.ruleset import ruleset
from trocar.model.record import Record
from trocar.model.treatment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Record):
    """One field of the minimum data set."""

    label: Text
    why: Text


@cache
def minimum_data() -> dict[str, Wanted]:
    """Every field as `group.field`, those that rules ask for first. Raises `CatalogError` when a file is malformed."""
    asked = {
        label.field: Wanted(label=label.label, why=label.why)
        for label in ruleset().inputs.values()
        if "." in label.field and not label.derived
    }
    return {**asked, **_beyond()}


def asked_by_rules() -> frozenset[str]:
    """The fields that at least one rule reads."""
    return frozenset(label.field for label in ruleset().inputs.values() if label.field)


def _beyond() -> dict[str, Wanted]:
    return read_toml(CATALOG / "minimum.toml", TypeAdapter(dict[str, Wanted]))
