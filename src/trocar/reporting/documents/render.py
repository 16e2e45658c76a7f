"""The two renderings of a sheet: a self-contained HTML page, and a tagged PDF/A-2a that also keeps PDF/UA-1."""

import datetime
import json
import re
from base64 import b64encode
from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trocar.errors import ReadError
from trocar.reporting.documents.sheet import Sheet
from trocar.reporting.language import Language

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS: list[Any] = ["a-2a", "ua-1"]
SIZES_pt = (9.4, 8.8, 8.4, 8.0)  # the largest that keeps the sheet on one page; below 8 pt nobody reads it in a room
_PAGES = re.compile(rb"<xmpTPg:NPages>(\d+)</xmpTPg:NPages>")


def html(sheet: Sheet) -> str:
    """The sheet as one HTML page without scripts."""
    sheet = _spaced(sheet)
    style = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    digest = "sha256-" + b64encode(sha256(style.encode()).digest()).decode()
    template = _environment().get_template("sheet.html.j2")
    return template.render(sheet=sheet, style=Markup(style), style_digest=digest)


def pdf(sheet: Sheet, made: datetime.date) -> bytes:
    """The sheet as a PDF, on one page where a readable size of letters allows it. Same sheet and date, same bytes."""
    tried = b""
    for size_pt in SIZES_pt:
        tried = _compiled(sheet, made, size_pt)
        if pages(tried) == 1:
            return tried
    return _compiled(sheet, made, SIZES_pt[0])


def pages(content: bytes) -> int:
    """How many pages a PDF says it has. Raises `ReadError` when it does not say."""
    found = _PAGES.search(content)
    if found is None:
        raise ReadError("the PDF does not tell its number of pages")
    return int(found[1])


def _compiled(sheet: Sheet, made: datetime.date, size_pt: float) -> bytes:
    sheet = _spaced(sheet)
    noon = datetime.datetime.combine(made, datetime.time(12), tzinfo=datetime.UTC)
    rows = [[[asdict(section) for section in column] for column in row] for row in sheet.rows]
    content = json.dumps(asdict(sheet) | {"rows": rows}, ensure_ascii=False)
    made_pdf = _compiler().compile(
        format="pdf",
        sys_inputs={"sheet": content, "size": str(size_pt)},
        pdf_standards=STANDARDS,
        timestamp=noon,
    )
    assert isinstance(made_pdf, bytes)
    return made_pdf


def _spaced(value: Any) -> Any:
    """A sheet, or a part of one, with all its texts as `Language.spaced` sets them."""
    if isinstance(value, str):
        return Language.spaced(value)
    if isinstance(value, tuple):
        return tuple(_spaced(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: _spaced(getattr(value, item.name)) for item in fields(value)})
    return value


@cache
def _compiler() -> typst.Compiler:
    """The compiler with the sans font that matplotlib brings; no font of the system is looked for."""
    home = find_spec("matplotlib")
    if home is None or home.origin is None:
        raise ReadError("the documents' font is missing", hint="install matplotlib")
    folder = Path(home.origin).parent / "mpl-data/fonts/ttf"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
    return typst.Compiler(TEMPLATES / "sheet.typ", root=TEMPLATES, font_paths=fonts)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
