"""Reading a catalog file: TOML checked strictly against its records, refused with file, place and reason."""

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from trocar.errors import CatalogError, TrocarError

CATALOG = Path(__file__).parent

T = TypeVar("T")


def read_toml(path: Path, adapter: TypeAdapter[T], *, key: str | None = None) -> T:
    """The content of a TOML file as records; `key` names the only table that the file may hold.

    Raises `CatalogError` that names the file, the place in it and the reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content: Any = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"{path.name}: {error}", hint="catalog files are TOML in UTF-8") from error
    if key is not None:
        others = sorted(content.keys() - {key})
        if others or key not in content:
            raise CatalogError(f"{path.name}: expected only [[{key}]] tables, found {others or 'none'}")
        content = content[key]
    try:
        return adapter.validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        raise CatalogError(
            f"{path.name}: {_reasons(error, content, text)}", hint="no unknown or missing key"
        ) from error
    except TrocarError as error:
        raise CatalogError(f"{path.name}: {_refused_row(content, text, adapter)}{error}", hint=error.hint) from error


def _refused_row(content: Any, text: str, adapter: TypeAdapter[Any]) -> str:
    """`line 7: G8: ` of the first row that its own record refuses; empty when the file is no list of rows."""
    for number, row in enumerate(content if isinstance(content, list) else ()):
        try:
            adapter.validate_json(json.dumps([row], default=str), strict=True)
        except (TrocarError, ValidationError):
            return f"{_row_name(content, number, text)}: "
    return ""


def placed(path: Path, row_id: str, part: str = "") -> str:
    """`line 7: G8` of a row in a file, by its id and the part that follows it; the id alone when it is not found."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip() != f'id = "{row_id}"':
            continue
        following = lines[number].strip() if number < len(lines) else ""
        if (following if following.startswith("part = ") else "") == (f'part = "{part}"' if part else ""):
            return f"line {number}: {row_id}"
    return row_id


def _reasons(error: ValidationError, content: Any, text: str) -> str:
    """Every reason with its place; a row of a list is named by its id and the line of it."""
    reasons = []
    for detail in error.errors():
        place = [str(part) for part in detail["loc"]]
        if isinstance(content, list) and place and place[0].isdigit():
            place[0] = _row_name(content, int(place[0]), text)
        reasons.append(f"{'.'.join(place)}: {detail['msg']}")
    return "; ".join(reasons)


def _row_name(rows: list[dict[str, Any]], number: int, text: str) -> str:
    name = rows[number].get("id")
    if name is None:
        return f"row {number + 1}"
    earlier = sum(row.get("id") == name for row in rows[:number])  # the parts of a rule share its id
    lines = [count for count, line in enumerate(text.splitlines(), start=1) if line.strip() == f'id = "{name}"']
    return f"line {lines[earlier]}: {name}" if earlier < len(lines) else str(name)
