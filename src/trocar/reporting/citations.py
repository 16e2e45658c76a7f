"""Where numbers come from: a hover title and a key on every number, and the list that the keys point to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from trocar import catalog
from trocar.model.finding import Check
from trocar.reporting.directions import sign
from trocar.reporting.language import Language

DEFAULT = "D"
ORIGINS = {
    "M": "measured on the planning CT",
    "E": "entered in the clinical file",
    "P": "geometry of the plan, computed by this software",
    "S": "computed by the simulation, a prediction",
    "F": "computed by linear finite elements, not validated for this site",
    "V": "measured on the control CT",
    "C": "device catalog",
    DEFAULT: "software default, not published evidence",
}
RECALLED = {
    "R-h": "Recalled from the literature, not read again; confidence high.",
    "R-m": "Recalled from the literature, not read again; confidence medium.",
    "R-l": "Recalled from the literature, not read again; confidence low: not for use without a reader's check.",
}  # what the catalog says of these keys, which are no work
READ = {
    name: name
    for name in (
        "abstract", "abstract and introduction", "abstract and opening", "abstract or opening", "computed",
        "dictionary", "figure", "file", "full text", "introduction", "page", "quotation in a public repository",
        "recalled", "repository", "software default", "source file", "source list", "summary", "table",
    )
}  # fmt: skip
_KEY = re.compile(r"\[?(R-[hml]|[A-Z]\d+[a-z]?|article|design)\b")


def source_keys(source: str) -> tuple[str, ...]:
    """The keys that a source string cites: origins (M, P, S ...), literature keys, or `D` where it cites none."""
    if source in ORIGINS:
        return (source,)
    found = tuple(dict.fromkeys(key for key in _KEY.findall(source) if key in catalog.references() and key != "design"))
    return found or (DEFAULT,)


def limit_said(check: Check, language: Language) -> str:
    """A check's limit and which way it counts: `≥ 20.0 °C`; empty without a limit."""
    if check.limit is None:
        return ""
    return f"{sign(check.name)}\u00a0{language.limit(check.limit, check.unit)}".removeprefix("\u00a0")


@dataclass(frozen=True, slots=True)
class Citations:
    """Writes numbers with their sources in one language and remembers which sources were used."""

    language: Language
    used: dict[str, None] = field(default_factory=dict)

    def number(self, value: float | None, unit: str, source: str, *, digits: int | None = None) -> Markup:
        """The number with its unit, its source as a title and its key; `unknown` for `None`."""
        if value is None:
            return Markup('<span class="unknown">{}</span>').format(self.language("unknown"))
        return self.sourced(self.language.number(value, unit, digits=digits), source)

    def entered(self, value: float | None, unit: str) -> Markup:
        """A number of the clinical file as it was entered."""
        return self.number(value, unit, "E") if value is None else self.sourced(self.language.entered(value, unit), "E")

    def compared(self, check: Check, source: str) -> Markup:
        """A check's value, told apart from its limit."""
        if check.value is None:
            return self.number(None, check.unit, source)
        return self.sourced(self.language.compared(check.value, check.limit, check.unit), source)

    def limit(self, check: Check) -> Markup:
        """A check's limit and which way it counts: `≥ 20.0 °C`."""
        return self.sourced(limit_said(check, self.language), check.source)

    def sourced(self, said: str, source: str) -> Markup:
        """Text that holds numbers, with their source."""
        keys = source_keys(source)
        title = self.language("Source: {source}", source="; ".join(self.explain(key) for key in keys))
        if source not in ORIGINS and source not in keys:
            title += f" ({source})"
        return Markup('<span class="number" title="{}">{}{}</span>').format(title, said, self.marks(source))

    def marks(self, source: str) -> Markup:
        """The keys of a source as links to the list of sources."""
        links = Markup("\u2009").join(
            Markup('<a href="#source-{0}-{1}">{1}</a>').format(self.language.code, key) for key in self._use(source)
        )
        return Markup('<sup class="source">{}</sup>').format(links)

    def explain(self, key: str) -> str:
        """What a key stands for."""
        if key in ORIGINS:
            return self.language(ORIGINS[key])
        if key in RECALLED:
            return self.language(RECALLED[key])
        return catalog.references()[key].text

    def listed(self) -> Iterator[tuple[str, str, str]]:
        """(key, text, how much of it was read) of every source used so far, origins first."""
        for key in [key for key in ORIGINS if key in self.used]:
            yield key, self.explain(key), ""
        for key in sorted((key for key in self.used if key not in ORIGINS), key=_natural):
            yield key, self.explain(key), self.language(READ[catalog.references()[key].read])

    @staticmethod
    def is_work(key: str) -> bool:
        """Whether a key stands for a work, which is cited in the words of its catalog."""
        return key not in ORIGINS and key not in RECALLED

    def _use(self, source: str) -> tuple[str, ...]:
        keys = source_keys(source)
        self.used.update(dict.fromkeys(keys))
        return keys


def _natural(key: str) -> tuple[str, int]:
    digits = re.sub(r"\D", "", key)
    return re.sub(r"\d.*", "", key), int(digits or 0)
