"""The text on each page of a PDF as typst writes it: what a person can search and copy, read without a PDF library."""

import re
import zlib
from itertools import chain

_OBJECT = re.compile(rb"(?m)^(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"/(f\d+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\)|<([0-9A-Fa-f]+)>|\b(BT|ET)\b", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def page_texts(pdf: bytes) -> list[str]:
    """The text of every page in order, one line for each run of text."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    root = next(body for body in objects.values() if re.search(rb"/Type\s*/Pages\b", body))
    kids = re.search(rb"/Kids\s*\[(.*?)\]", root, re.DOTALL)
    assert kids, "the PDF has no pages"
    return [_page(objects, objects[int(number)]) for number in re.findall(rb"(\d+) 0 R", kids[1])]


def _page(objects: dict[int, bytes], page: bytes) -> str:
    fonts = {name: _unicode(objects, int(number)) for name, number in _fonts(objects, page)}
    content = _content(objects[_reference(page, b"Contents")])
    said, font, inside = [], {}, False
    for found in _SHOWN.finditer(content):
        name, literal, hexadecimal, bracket = found.groups()
        if name:
            font = fonts[name]
        elif bracket:
            inside = bracket == b"BT"
            said += [] if inside else ["\n"]
        elif inside:
            codes = bytes.fromhex(hexadecimal.decode()) if hexadecimal else _unescaped(literal)
            said += [font.get(high << 8 | low, "\ufffd") for high, low in zip(codes[::2], codes[1::2], strict=True)]
    return "".join(said)


def _fonts(objects: dict[int, bytes], page: bytes) -> list[tuple[bytes, bytes]]:
    resources = page
    if re.search(rb"/Resources \d+ 0 R", page):
        resources = objects[_reference(page, b"Resources")]
    return re.findall(rb"/(f\d+) (\d+) 0 R", resources)


def _unicode(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """Code of a glyph -> what it stands for."""
    table = _content(objects[_reference(objects[font], b"ToUnicode")]).decode()
    singles = chain.from_iterable(
        re.findall(r"<(\w+)> <(\w+)>", block) for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL)
    )
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in singles}


def _reference(body: bytes, key: bytes) -> int:
    found = re.search(rb"/" + key + rb" (\d+) 0 R", body)
    assert found, key
    return int(found[1])


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]


def _unescaped(literal: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8)]) if code[:1].isdigit() else _LETTERS.get(code, code)

    return _ESCAPE.sub(one, literal)
