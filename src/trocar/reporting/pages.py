"""Fills the templates, once per language around shared figures, and puts the page together."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import trocar
from trocar import catalog
from trocar.errors import ReadError
from trocar.reporting import captions, scores, strengths, vocabulary, words
from trocar.reporting.citations import Citations
from trocar.reporting.contents import Contents
from trocar.reporting.directions import sign
from trocar.reporting.figures import Figure, draw
from trocar.reporting.gathered import Gathered
from trocar.reporting.language import CODES, Code, Language
from trocar.reporting.marks import SIZE
from trocar.reporting.packing import Packer
from trocar.reporting.panels import panels
from trocar.reporting.remarks import remark, said
from trocar.reporting.scene import scene
from trocar.reporting.sheets import Sheet, sheets

HERE = Path(__file__).parent
VIEWER = HERE / "static/viewer.js"
BEFORE_VIEWER = (
    "identity", "verdicts", "sequence", "reasons", "lesion", "placements",
    "kit", "panels", "instruments", "coverage", "nerves", "anchors", "strength",
)  # fmt: skip
AFTER_VIEWER = ("verification", "unknowns", "sources", "versions")


@dataclass(frozen=True, slots=True)
class Tree:
    """The page's text in one language, before and after the interactive view."""

    language: Language
    before: Markup
    after: Markup


def page(gathered: Gathered, *, language: Code | None) -> str:
    """The whole page. Raises `ReadError` when the viewer has not been built."""
    packer = Packer()
    description = scene(gathered, packer)
    figures = tuple(draw(gathered, panel) for panel in panels(gathered))
    each = sheets(gathered)
    environment = _environment()
    style, switch = (_asset(name) for name in ("style.css", "switch.js"))
    viewer = _viewer()
    return environment.get_template("page.html.j2").render(
        gathered=gathered,
        default=language or "en",
        fixed=language is not None,
        trees=[_tree(environment, gathered, figures, each, Language(code)) for code in CODES],
        symbols=[*_symbols(figures), *_sheet_symbols(each)],
        size=SIZE,
        scene=Markup(json.dumps(description, ensure_ascii=True, sort_keys=True).replace("<", "\\u003c")),
        arrays=packer.elements,
        style=Markup(style),
        switch=Markup(switch),
        viewer=Markup(viewer),
        style_digest=_digest(style),
        script_digests=[_digest(switch), _digest(viewer)],
    )


def _symbols(figures: tuple[Figure, ...]) -> list[tuple[str, Markup]]:
    return [(f"figure-{n}", Markup(figure.body)) for n, figure in enumerate(figures)]


def _sheet_symbols(each: tuple[Sheet, ...]) -> list[tuple[str, Markup]]:
    return [
        (f"sheet-{number}-{n}", Markup(body))
        for number, sheet in enumerate(each)
        for n, body in enumerate(sheet.bodies)
    ]


def _tree(
    environment: Environment,
    gathered: Gathered,
    figures: tuple[Figure, ...],
    each: tuple[Sheet, ...],
    language: Language,
) -> Tree:
    citations = Citations(language)
    shared: dict[str, Any] = {
        "g": gathered,
        "case": gathered.case,
        "_": language,
        "language": language,
        "colon": language.colon,
        "cite": citations,
        "contents": Contents(gathered, language),
        "figures": figures,
        "sheets": each,
        "size": SIZE,
        "words": words,
        "scores": scores,
        "sign": sign,
        "word": words.word,
        "remark": remark,
        "said": said,
        "vocabulary": vocabulary,
        "captions": captions,
        "strengths": strengths,
        "catalog": catalog,
        "version": trocar.__version__,
    }

    def filled(names: Iterable[str]) -> Markup:
        parts = (environment.get_template(f"{name}.html.j2").render(shared) for name in names)
        return Markup("").join(Markup(language.spaced_html(part)) for part in parts)

    before = filled(BEFORE_VIEWER)
    return Tree(language, before, filled(AFTER_VIEWER))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["spaced"] = Language.spaced
    return made


def _asset(name: str) -> str:
    return (HERE / "templates" / name).read_text(encoding="utf-8")


def _viewer() -> str:
    if not VIEWER.is_file():
        raise ReadError("the report's viewer has not been built", hint="run make setup in the source checkout")
    return VIEWER.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _digest(content: str) -> str:
    """The content-security-policy hash of an inline script or style."""
    return "sha256-" + b64encode(sha256(content.encode()).digest()).decode()
