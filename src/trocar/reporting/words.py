"""Readable names of ids in either language; an id that is not in the vocabulary is shown as it is written."""

import re
from collections.abc import Mapping

from trocar import catalog
from trocar.catalog import devicenames, structures
from trocar.reporting import vocabulary
from trocar.reporting.language import Language

_BEFORE = re.compile(r"(.+) before (.+)")
_ORDER = re.compile(r"^order_(?P<rule>e\d+)$")


def word(table: Mapping[str, str], key: str, language: Language) -> str:
    """The vocabulary's word for an id in this language; the id without underscores where there is none."""
    return language(table[key]) if key in table else key.replace("_", " ")


def structure_name(name: str, language: Language) -> str:
    """`sciatic nerve (left)`, `S1 root (left)`, `L5 vertebra`, `lesion 1`."""
    return language.of(structures.structure_name(name).label)


def device_name(device_id: str, language: Language) -> str:
    """The catalog's name of a device; its id when the catalog does not know it."""
    return language.of(devicenames.device_name(device_id))


def subject_name(name: str, language: Language) -> str:
    """What a check or a refusal is about: a device of the catalog, a word for what was looked for, else structures."""
    if name in catalog.devices():
        return device_name(name, language)
    if name in vocabulary.SUBJECTS:
        return language(vocabulary.SUBJECTS[name])
    order = _BEFORE.fullmatch(name)
    if order:
        first, second = (_step_kind(part, language) for part in order.groups())
        return language("{first} before {second}", first=first, second=second)
    return language.units(", ".join(structure_name(part, language) for part in name.split(", ")))


def _step_kind(kind: str, language: Language) -> str:
    return word(vocabulary.STEPS, kind, language) if kind in vocabulary.STEPS else subject_name(kind, language)


def moment_name(moment: str, language: Language) -> str:
    """`freeze_2` as `freeze 2`: the end of a phase of a step, with its number."""
    phase, _, number = moment.rpartition("_") if moment[-1:].isdecimal() else (moment, "", "")
    return f"{word(vocabulary.MOMENTS, phase, language)} {number}".strip()


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
