"""Readable names of ids in either language; an id that is not in the vocabulary is shown as it is written."""

import re
from collections.abc import Mapping

from trocar import catalog
from trocar.reporting import vocabulary
from trocar.reporting.language import Language

_SIDED = re.compile(r"^(?P<stem>.+?)_(?P<side>left|right)(?:_(?P<number>\d+))?$")
_ORDER = re.compile(r"^order_(?P<rule>e\d+)$")
_LEVEL = re.compile(r"^(?P<kind>nerve_root|canal_vertebrae|vertebrae|vertebra|rib)_(?P<level>[A-Za-z]?\d+)$")
_DISC = re.compile(r"^disc_(?P<above>[a-z]\d+)_(?P<below>[a-z]\d+)$")


def word(table: Mapping[str, str], key: str, language: Language) -> str:
    """The vocabulary's word for an id in this language; the id without underscores where there is none."""
    return language(table[key]) if key in table else key.replace("_", " ")


def structure_name(name: str, language: Language) -> str:
    """`sciatic nerve (left)`, `S1 root (left)`, `L5 vertebra`, `lesion 1`."""
    sided = _SIDED.match(name)
    stem = "_".join(filter(None, (sided["stem"], sided["number"]))) if sided else name
    said = _stem_name(stem, language)
    if sided is None:
        return said
    return f"{said} ({language(vocabulary.SIDES[sided['side']])})"


def subject_name(name: str, language: Language) -> str:
    """What a check or a refusal is about: a device of the catalog, else a structure."""
    return device_name(name) if name in catalog.devices() else structure_name(name, language)


def _stem_name(stem: str, language: Language) -> str:
    disc = _DISC.match(stem)
    if disc:
        return language("{above}-{below} disc", above=disc["above"].upper(), below=disc["below"].upper())
    level = _LEVEL.match(stem)
    if level:
        match level["kind"]:
            case "nerve_root":
                return language("{level} root", level=level["level"].upper())
            case "canal_vertebrae":
                return language("canal at {level}", level=level["level"].upper())
            case "rib":
                return language("rib {level}", level=level["level"])
            case _:
                return language("{level} vertebra", level=level["level"].upper())
    numbered = re.match(r"^(lesion)_(\d+)$", stem)
    if numbered:
        return f"{word(vocabulary.STRUCTURES, numbered[1], language)} {numbered[2]}"
    return word(vocabulary.STRUCTURES, stem, language)


def device_name(device_id: str) -> str:
    """The catalog's name of a device; its id when the catalog does not know it."""
    known = catalog.devices().get(device_id)
    return known.name if known else device_id


def step_name(step_id: str, action: str, language: Language) -> str:
    """`cryoablation-1` as `ablation 1`."""
    number = step_id.rsplit("-", 1)[-1] if "-" in step_id else ""
    return f"{word(vocabulary.STEPS, action, language)} {number}".strip()


def check_name(name: str, language: Language) -> str:
    """What a check compares, as a sentence without its number."""
    if name in vocabulary.CHECKS:
        return language(vocabulary.CHECKS[name])
    order = _ORDER.match(name)
    if order:
        return language("Order rule {rule} kept", rule=order["rule"].upper())
    return name.replace("_", " ").capitalize()
