"""A small writer of SVG and gray PNG: text out, no numbers of more digits than a picture needs."""

import io
from base64 import b64encode
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image

from trocar.model.space import Array


def tag(name: str, content: str = "", /, **attributes: object) -> str:
    """One element; `class_` and `stroke_width` become `class` and `stroke-width`."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(plain(value))}" for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(content: str, column: float, row: float, **attributes: object) -> str:
    """Escaped text at a place."""
    return tag("text", escape(content), **{"x": column, "y": row, **attributes})


def path(points: Iterable[Iterable[float]], **attributes: object) -> str:
    """A polyline through (column, row) points."""
    return _path(points, "", attributes)


def polygon(points: Iterable[Iterable[float]], **attributes: object) -> str:
    """A closed polyline through (column, row) points."""
    return _path(points, "Z", attributes)


def _path(points: Iterable[Iterable[float]], end: str, attributes: dict[str, object]) -> str:
    steps = "L".join(f"{plain(column)} {plain(row)}" for column, row in points)
    return tag("path", **{"d": f"M{steps}{end}", **attributes})


def plain(value: object) -> str:
    """A number with one digit after the point at most, anything else as it is written."""
    if isinstance(value, float | np.floating):
        return f"{value:.1f}".rstrip("0").rstrip(".")
    return str(value)


def gray_png(values: Array) -> str:
    """A data address of an 8-bit gray PNG of (rows, columns) values 0..255."""
    stream = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(stream, format="PNG", compress_level=6)
    return "data:image/png;base64," + b64encode(stream.getvalue()).decode()
