"""What a check says in passing, in either language: stages write English, the report recognizes its sentences."""

import re
from functools import cache

from trocar.reporting import vocabulary
from trocar.reporting.language import Language
from trocar.reporting.words import structure_name

_PLACE = re.compile(r"\\\{(\w+)\\\}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?")


def remark(message: str, language: Language) -> str | None:
    """A check's message in this language; `None` when its sentence is not in the vocabulary."""
    for pattern, template in _patterns():
        found = pattern.fullmatch(message)
        if found:
            return language(template).format(
                **{name: _said(part, language) for name, part in found.groupdict().items()}
            )
    return message if re.fullmatch(r"[\w, -]+", message) and " " not in message else None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence as a pattern, the ones with the most fixed text first."""
    templates = sorted(vocabulary.REMARKS.values(), key=lambda text: (-len(re.sub(r"\{\w+\}", "", text)), text))
    return tuple((re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(template))), template) for template in templates)


def _said(part: str, language: Language) -> str:
    if _NUMBER.fullmatch(part):
        text = part.replace("-", "\u2212")
        return text.replace(".", ",").replace("%", "\u00a0%") if language.code == "fr" else text
    if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", part, flags=re.IGNORECASE):
        return structure_name(part, language)
    return part
