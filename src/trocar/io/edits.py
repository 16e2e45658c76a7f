"""Edits of a plan from a file: JSON as `trocar schema edits` describes it, or lines drawn in 3D Slicer."""

import json
from pathlib import Path

from trocar.errors import CaseError, ReadError
from trocar.io.codec import adapter, schema_id
from trocar.io.slicer import read_lines
from trocar.model.edits import Edits, MovedPath
from trocar.model.space import as_vector

DELETED_WORD = "delete"
SCHEMA = schema_id("edits")


def read_edits(path: Path) -> Edits:
    """The edits of a file. A Slicer line named like a placement is its new path, from the skin to the tip.

    A line whose description says `delete` takes its placement out. Raises `ReadError` for a file that is neither,
    `CaseError` for a markup of another kind.
    """
    if path.name.endswith(".mrk.json"):
        return _from_markups(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse)
    except FileNotFoundError as error:
        raise ReadError(f"there is no file {path.name}", hint="check the path given with --edits") from error
    except (ValueError, OSError, RecursionError) as error:
        raise ReadError(f"{path.name} is not JSON", hint="see trocar schema edits, or give a .mrk.json") from error
    if not isinstance(content, dict):
        raise ReadError(f"{path.name} holds no JSON object", hint="see trocar schema edits")
    if (stated := content.get("schema", SCHEMA)) != SCHEMA:
        raise ReadError(f"{path.name} is {stated!r}, not {SCHEMA!r}", hint="see trocar schema edits")
    body = {key: value for key, value in content.items() if key != "schema"}
    try:
        edits: Edits = adapter("edits").validate_json(json.dumps(body))
    except CaseError as error:
        raise ReadError(f"{path.name} does not describe edits: {error}", hint=error.hint) from error
    except ValueError as error:
        why = f"{path.name} does not describe edits: {_first(error)}"
        raise ReadError(why, hint="see trocar schema edits") from error
    return edits


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _from_markups(path: Path) -> Edits:
    moved, deleted = [], []
    for name, description, points in read_lines(path):
        if DELETED_WORD in description.lower():
            deleted.append(name)
        elif len(points) != 2:
            raise CaseError(f"markup {name!r} has {len(points)} points", hint="draw a line from the skin to the tip")
        else:
            skin, tip = as_vector(points[0]), as_vector(points[1])
            moved.append(MovedPath(name=name, target_lps_mm=tip, skin_lps_mm=skin))
    return Edits(moved=tuple(moved), deleted=tuple(deleted))


def _first(error: ValueError) -> str:
    found = getattr(error, "errors", None)
    if found is None:
        return str(error)
    first = found()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
