"""Words of sheets that neither the rules nor the report have: sex, values of clinical inputs."""

import re

from trocar.catalog.ruleset import ruleset
from trocar.reporting.language import Language

SEXES = {"male": "man", "female": "woman"}
_DETAIL = re.compile(r"\s*\([^()]*\)")


def chosen(name: str, value: str, language: Language) -> str:
    """A value of a clinical input in words, as the rules name it; the value itself where they do not."""
    known = ruleset().inputs.get(name)
    text = (known.values or {}).get(value) if known else None
    said: str = getattr(text, language.code) if text else value.replace("_", " ")
    return said


def keys(source: str) -> str:
    """The literature keys of a source, without its details: `V46, R-h`."""
    return _DETAIL.sub("", source).replace("software default", "design")
