"""Records to JSON documents and back: one pydantic adapter per document, extra keys forbidden, same record same bytes.

Every document opens with its schema, `"schema": "trocar/plan/1"`. Arrays are stored beside the JSON.
"""

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trocar.errors import CaseError, DossierError, SolverError
from trocar.io.manifest import Manifest
from trocar.io.stored import Proposals, StoredCase
from trocar.model.case import Clinical
from trocar.model.edits import Edits
from trocar.model.finding import Assessment, Simulation
from trocar.model.record import Record
from trocar.model.strength import Strength
from trocar.model.treatment import Plan
from trocar.model.verification import Verification

DOCUMENTS: dict[str, type[Record]] = {
    "dossier": Manifest,
    "case": StoredCase,
    "clinical": Clinical,
    "assessment": Assessment,
    "proposals": Proposals,
    "plan": Plan,
    "edits": Edits,
    "simulation": Simulation,
    "verification": Verification,
    "strength": Strength,
}
VERSIONS = dict.fromkeys(DOCUMENTS, 1)
ARRAY_FIELDS = {"simulation": {"fields"}, "verification": {"fields"}}


@cache
def adapter(kind: str) -> TypeAdapter[Any]:
    """The pydantic adapter of a kind of document."""
    return TypeAdapter(DOCUMENTS[kind])


def schema_id(kind: str) -> str:
    """What the documents of this kind open with."""
    return f"trocar/{kind}/{VERSIONS[kind]}"


def document(kind: str, record: Record) -> dict[str, Any]:
    """The record as JSON values, schema first, fields in their order; arrays are left out.

    Raises `SolverError` when a number is not finite: an unknown is `None`, and a report must not show anything else.
    """
    body = adapter(kind).dump_python(
        record, mode="json", by_alias=True, exclude=ARRAY_FIELDS.get(kind), warnings="error"
    )
    for path in _not_finite(body, kind):
        raise SolverError(f"{path} is not a finite number", hint="please report this; an unknown value should be null")
    return {"schema": schema_id(kind), **body}


def encode(kind: str, record: Record) -> bytes:
    """The record as a JSON file: UTF-8, indented, rows of numbers on one line."""
    return to_bytes(document(kind, record))


def to_bytes(values: dict[str, Any]) -> bytes:
    """JSON values as the text of a file, the same bytes for the same values."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1)
    # A line break inside a string is escaped, so this only meets real lists of plain values.
    rows = re.sub(r'\[\n\s*([^\[\]{}"]*?)\n\s*\]', lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text)
    return (rows + "\n").encode()


def decode(kind: str, content: bytes, *, source: str) -> Any:
    """The record that a JSON file holds; `source` names the file in errors.

    Raises `DossierError` when it is no JSON, of another kind, of a newer version, or malformed (naming where).
    """
    try:
        values = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DossierError(f"{source} is not JSON: {error}", hint="the file was damaged or edited") from error
    if not isinstance(values, dict):
        raise DossierError(f"{source} holds no JSON object", hint=f"expected {schema_id(kind)}")
    _require_schema(kind, values.pop("schema", None), source)
    try:
        return adapter(kind).validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DossierError(
            f"{source}: {where}: {first['msg']}", hint="the file was edited by hand or by another program"
        ) from error
    except CaseError as error:
        raise DossierError(f"{source}: {error}", hint=error.hint) from error


def _require_schema(kind: str, found: object, source: str) -> None:
    match = re.fullmatch(r"trocar/(\w+)/(\d+)", found) if isinstance(found, str) else None
    if match is None or match[1] != kind:
        raise DossierError(f"{source} is {found!r}, not {schema_id(kind)!r}", hint="it is another kind of file")
    if int(match[2]) > VERSIONS[kind]:
        raise DossierError(f"{source} is {found}, newer than this trocar understands", hint="update trocar")


def _not_finite(values: object, path: str) -> Iterator[str]:
    """The paths of all numbers that are infinite or not a number."""
    if isinstance(values, float) and not math.isfinite(values):
        yield path
    elif isinstance(values, dict):
        for key, value in values.items():
            yield from _not_finite(value, f"{path}.{key}")
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from _not_finite(value, f"{path}[{index}]")
