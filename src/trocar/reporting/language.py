"""English and French from one source: messages, numbers, units and dates. English text is the message id."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from trocar.errors import CatalogError
from trocar.model.treatment import Text

Code = Literal["en", "fr"]
CODES: tuple[Code, ...] = ("en", "fr")
LOCALES = Path(__file__).parent / "locales"
_BABEL_LOCALE = {"en": "en_US", "fr": "fr_FR"}
_UNITS = {
    "mm2": "mm²", "mm3": "mm³", "degC": "°C", "deg": "°", "frac": "%", "1": "%", "count": "", "um": "µm",
    "giga_per_l": "G/l", "mg_per_l": "mg/l", "ml_per_min": "ml/min", "min": "min", "d": "d", "bool": "",
}  # fmt: skip
_DEGREES = re.compile(r"(\d) (degC|deg)\b")
_SYMBOLS = (
    "mm[²³]?|cm[²³]?|ml|µm|°C|°|%|min|s|h|d|j|ms|G/l|mg/l|mg|kg|g|l|L|kN|N|MPa|GPa|HU|UH|kW|W|J|K|V|kHz|Hz|Gy|G|ans|mois|"
    "jours?|heures?|minutes?|secondes?|years?|months?|days?|hours?|seconds?"
)
_HELD = (
    (re.compile(rf"(?<=\d) (?=(?:{_SYMBOLS})(?![\w/]))"), "\u00a0"),
    (re.compile(r"(?<=\d) (?=[×/] ?)"), "\u00a0"),
    (re.compile(r"(?<=[×/]) (?=(?:\d|mm\b|ml\b|min\b))"), "\u00a0"),
    (re.compile(r" (?=[:;!?»](?:\s|$|<))"), "\u00a0"),
    (re.compile(r"(?<=«) "), "\u00a0"),
)
_TAG = re.compile(r"(<[^>]*>)")
_BELOW_ZERO = re.compile(r"(?<=\s)-(?=\d+(?:[.,]\d+)? deg)")
FRACTIONS = ("frac", "1")
ENTERED_DIGITS = 3  # nobody enters more
MOST_DIGITS = 3
_FRENCH_UNITS = {"HU": "UH", "d": "j", "months": "mois", "years": "ans"}
_DIGITS = {"mm": 1, "ml": 1, "degC": 1, "frac": 0, "mm2": 0, "min": 0, "s": 0, "deg": 1, "HU": 0, "count": 0, "d": 0}


@cache
def messages(code: Code) -> dict[str, str]:
    """English message -> translation; empty for English itself."""
    if code == "en":
        return {}
    with (LOCALES / f"{code}.po").open("rb") as stream:
        return {str(message.id): str(message.string) for message in read_po(stream, locale=code) if message.id}


def _side(value: float, limit: float) -> int:
    """On which side of a limit a value lies."""
    return (value > limit) - (value < limit)


@dataclass(frozen=True, slots=True)
class Language:
    """Says things in one language."""

    code: Code

    def __call__(self, message: str, **values: object) -> str:
        """The message in this language with `{name}` filled in. Raises `CatalogError` for one without translation."""
        if self.code == "en":
            said = message
        else:
            said = messages(self.code).get(message, "")
            if not said:
                raise CatalogError(f"no translation ({self.code}) of {message!r}", hint="add it to reporting/locales")
        return said.format(**values) if values else said

    def number(self, value: float, unit: str, *, digits: int | None = None) -> str:
        """A number with its unit: `5.2 mm`, `5,2 mm`; a fraction as a percentage."""
        places = _DIGITS.get(unit, 1) if digits is None else digits
        scaled = value * 100 if unit in FRACTIONS else value
        whole = "0" if places == 0 else "0." + "0" * places
        pattern = "#,##" + whole
        rounded = round(scaled, places) + 0.0  # no minus sign on zero
        text = format_decimal(rounded, pattern, locale=_BABEL_LOCALE[self.code]).replace("-", "\u2212")
        return self._with_unit(text, unit)

    def entered(self, value: float, unit: str, *, least: int = 0) -> str:
        """A number that a person entered, with the decimals that it was entered with: `49.6 G/l`, `0.5 months`."""
        _, _, decimals = f"{value:.{ENTERED_DIGITS}f}".rstrip("0").partition(".")
        return self.number(value, unit, digits=max(least, len(decimals)))

    def compared(self, value: float, limit: float | None, unit: str, *, digits: int | None = None) -> str:
        """A number with as many decimals as it takes to tell it from the limit that it is held against."""
        places = _DIGITS.get(unit, 1) if digits is None else digits
        scale = 100 if unit in FRACTIONS else 1
        while limit is not None and value != limit and places < MOST_DIGITS:
            if _side(round(value * scale, places), limit * scale) == _side(value, limit):
                break
            places += 1
        return self.number(value, unit, digits=places)

    def limit(self, value: float, unit: str) -> str:
        """A limit; a share with the decimal that it has: `99.5%`."""
        if unit in FRACTIONS and round(value * 100, 1) % 1:
            return self.number(value, unit, digits=1)
        return self.number(value, unit)

    def _with_unit(self, text: str, unit: str) -> str:
        symbol = self.unit(unit)
        if not symbol:
            return text
        tight = symbol == "°" or (symbol == "%" and self.code == "en")
        return f"{text}{symbol}" if tight else f"{text}\u00a0{symbol}"

    def unit(self, unit: str) -> str:
        """The symbol of a unit."""
        if self.code == "fr" and unit in _FRENCH_UNITS:
            return _FRENCH_UNITS[unit]
        return _UNITS.get(unit, unit)

    @staticmethod
    def spaced(text: str) -> str:
        """A text with its numbers held to their units, and French punctuation to the word before it."""
        for pattern, held in _HELD:
            text = pattern.sub(held, text)
        return text

    def spaced_html(self, html: str) -> str:
        """As `spaced`, for all that stands between tags."""
        return "".join(part if part.startswith("<") else self.spaced(part) for part in _TAG.split(html))

    def units(self, sentence: str) -> str:
        """A sentence that a stage wrote, its degrees with the signs that they are printed with."""
        signed = _BELOW_ZERO.sub("\u2212", sentence)
        return _DEGREES.sub(lambda found: self._with_unit(found[1], found[2]), signed)

    def of(self, text: Text) -> str:
        """The text of both languages, in this one."""
        said: str = getattr(text, self.code)
        return said

    @property
    def colon(self) -> str:
        """A colon as it is set after a word."""
        return "\u00a0:" if self.code == "fr" else ":"

    def listed(self, parts: Iterable[str]) -> str:
        """Parts with semicolons between them."""
        return ("\u00a0; " if self.code == "fr" else "; ").join(parts)

    def date(self, date: datetime.date) -> str:
        """A date in full: `November 12, 2026`, `12 novembre 2026`."""
        return str(format_date(date, format="long", locale=_BABEL_LOCALE[self.code]))
