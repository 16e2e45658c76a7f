"""What a sheet says, in one language and without any layout: the content that HTML and PDF are both made from."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

from trocar.reporting.language import Code

Kind = Literal["tumor-board", "consultation-letter", "checklist", "run-sheet", "procedure-report", "follow-up"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FieldState = Literal["known", "unknown", "blank"]


@dataclass(frozen=True, slots=True)
class Field:
    """A label with its value. `unknown`: trocar was not told; `blank`: for a person to write in."""

    label: str
    value: str = ""
    state: FieldState = "known"


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels with their values, in so many columns."""

    fields: tuple[Field, ...]
    columns: int = 2
    kind: Literal["fields"] = "fields"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first cell of a row is its head, an empty cell is to be written in.

    `widths` are the columns' shares of the line; rows that are `roomy` leave space for handwriting.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    roomy: bool = False
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Bullets:
    """Sentences; `sources` holds the literature keys of each, or nothing where none is a claim of its own."""

    items: tuple[str, ...]
    columns: int = 1
    sources: tuple[str, ...] = ()
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Boxes:
    """Things to tick by hand; software ticks none."""

    items: tuple[str, ...]
    columns: int = 2
    kind: Literal["boxes"] = "boxes"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence; `source` holds the literature keys of what it claims."""

    text: str
    source: str = ""
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Lines:
    """Empty lines to write on."""

    count: int
    kind: Literal["lines"] = "lines"


Block = Fields | Table | Bullets | Boxes | Paragraph | Lines


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a sheet; `key` names it in every language.

    Sections with a `column` that follow each other stand side by side, those on the left read first.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    column: Literal["", "left", "right"] = ""


@dataclass(frozen=True, slots=True)
class Side:
    """The side in capitals as every page shows it; `doubtful` when it is unknown or contradicted."""

    text: str
    doubtful: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page: banner, pseudonym, place for the label, versions and date."""

    banner: str
    pseudonym: str
    label_sticker: str
    page: str  # with {page} and {pages}
    footer: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One document in one language. `alarms` say what stops or is missing, before anything else is read."""

    document: Kind
    language: Code
    title: str
    side: Side
    frame: Frame
    alarms: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def rows(self) -> tuple[tuple[tuple[Section, ...], ...], ...]:
        """The sections from top to bottom: each row is one section alone, or a left and a right column of them."""
        found: list[tuple[tuple[Section, ...], ...]] = []
        for beside, group in groupby(self.sections, key=lambda section: bool(section.column)):
            parts = tuple(group)
            if beside:
                found.append(tuple(tuple(one for one in parts if one.column == side) for side in ("left", "right")))
            else:
                found += [((one,),) for one in parts]
        return tuple(found)
