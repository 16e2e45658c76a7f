"""What devices are called in both languages: brand names as they are, generic names phrase by phrase."""

import re
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from trocar.catalog.facts import devices
from trocar.catalog.read import CATALOG, read_toml
from trocar.model.record import Record
from trocar.model.treatment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWords(Record):
    """English phrases of generic names with their French; words for the fields of devices that a sentence may name."""

    phrases: dict[str, str]
    fields: dict[str, Text]


@cache
def device_words() -> DeviceWords:
    """The words. Raises `CatalogError` when the file is malformed."""
    return read_toml(CATALOG / "device_words.toml", TypeAdapter(DeviceWords))


@cache
def device_name(device_id: str) -> Text:
    """The catalog's name of a device; its id when the catalog does not know it."""
    known = devices().get(device_id)
    if known is None:
        return Text(en=device_id, fr=device_id)
    name = known.name.replace(" um", "\u00a0µm")
    return Text(en=name, fr=name if known.manufacturer is not None else _in_french(name))


def _in_french(name: str) -> str:
    phrases = device_words().phrases
    longest_first = sorted((re.escape(phrase) for phrase in phrases), key=len, reverse=True)
    said = re.sub("|".join(longest_first), lambda found: phrases[found[0]], name)
    return re.sub(r"(\d)\.(\d)", r"\1,\2", said)
