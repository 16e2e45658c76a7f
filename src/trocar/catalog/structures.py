"""What structures are called in both languages, alone and within a sentence; where a path comes from."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.model.record import Record
from trocar.model.treatment import Text

_SIDED = re.compile(r"(?P<stem>.+?)_(?P<side>left|right)(?P<number>_\d+)?")
_LEVEL = re.compile(r"(?P<kind>nerve_root|canal_vertebrae|vertebrae|vertebra|rib|disc)_(?P<level>\w+)")
_NUMBERED = re.compile(r"(?P<kind>lesion)_(?P<number>\d+)")
_ENDS_IN_NUMBER = re.compile(r" \d+$")
_SIDES = {"left": ("gauche", "gauche"), "right": ("droit", "droite")}

# Where a path comes from, part by part; the English is the key.
DIRECTIONS = {
    "posterior": "par l'arrière",
    "anterior": "par l'avant",
    "posterior left": "par l'arrière gauche",
    "posterior right": "par l'arrière droit",
    "anterior left": "par l'avant gauche",
    "anterior right": "par l'avant droit",
    "left": "par la gauche",
    "right": "par la droite",
    "cranial": "par le haut",
    "caudal": "par le bas",
    "all around": "de tous côtés",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureName(Record):
    """A structure's name. `gender` is of the French; empty for a name that the catalog does not know."""

    en: str
    fr: str
    gender: Literal["m", "f", ""]
    plural: bool = False  # of the French
    side: str = ""  # left, right or empty

    @property
    def label(self) -> Text:
        """As a table names it: `sciatic nerve (left)`, `nerf sciatique (gauche)`."""
        if not self.side:
            return Text(en=self.en, fr=self.fr)
        return Text(en=f"{self.en} ({self.side})", fr=f"{self.fr} ({_SIDES[self.side][1]})")

    @property
    def said(self) -> Text:
        """As a sentence names it: `the left sciatic nerve`, `le nerf sciatique gauche`; unknown to it, the label."""
        if not self.gender:
            return self.label
        sided = f"{self.side} {self.en}".strip()
        article = "" if _ENDS_IN_NUMBER.search(self.en) else "the "
        return Text(en=article + sided, fr=self._article + self._sided_fr)

    @property
    def of_fr(self) -> str:
        """The French after `de`: `du nerf sciatique gauche`, `de la vessie`."""
        said = self.said.fr
        for article, contracted in (("le ", "du "), ("les ", "des ")):
            if self.gender and said.startswith(article):
                return contracted + said.removeprefix(article)
        return f"de {said}"

    @property
    def _article(self) -> str:
        if self.plural:
            return "les "
        if self.fr[0].lower() in "aeéiouyhœ":
            return "l'"
        return "le " if self.gender == "m" else "la "

    @property
    def _sided_fr(self) -> str:
        if not self.side:
            return self.fr
        return f"{self.fr} {_SIDES[self.side][self.gender == 'f']}" + ("s" if self.plural else "")


@cache
def structure_names() -> dict[str, StructureName]:
    """Every name by the stem of its ids; `{level}` stands where a level goes. Raises `CatalogError`."""
    return read_toml(CATALOG / "structures.toml", TypeAdapter(dict[str, StructureName]))


@cache
def structure_name(structure: str) -> StructureName:
    """The name of a structure's id; one that the catalog does not know is its id without underscores."""
    sided = _SIDED.fullmatch(structure)
    if sided is None:
        return _unsided(structure)
    return replace(_unsided(sided["stem"] + (sided["number"] or "")), side=sided["side"])


def other_side(structure: str) -> str | None:
    """The id of the same structure on the patient's other side; none for one that has no side."""
    sided = _SIDED.fullmatch(structure)
    if sided is None:
        return None
    return f"{sided['stem']}_{'right' if sided['side'] == 'left' else 'left'}{sided['number'] or ''}"


def is_left(structure: str) -> bool:
    """Whether a structure's id says that it is the left one of two."""
    sided = _SIDED.fullmatch(structure)
    return sided is not None and sided["side"] == "left"


def _unsided(stem: str) -> StructureName:
    known = structure_names()
    level = _LEVEL.fullmatch(stem)
    if level:
        said = level["level"].upper().replace("_", "-")
        found = known[level["kind"]]
        return replace(found, en=found.en.format(level=said), fr=found.fr.format(level=said))
    numbered = _NUMBERED.fullmatch(stem)
    if numbered:
        found = known[numbered["kind"]]
        return replace(found, en=f"{found.en} {numbered['number']}", fr=f"{found.fr} {numbered['number']}")
    plain = stem.replace("_", " ")
    return known.get(stem) or StructureName(en=plain, fr=plain, gender="")


def from_fr(direction: str) -> str:
    """From `posterior left, cranial` in French: `par l'arrière gauche, par le haut`."""
    return ", ".join(DIRECTIONS.get(part, part) for part in direction.split(", "))
