"""The published JSON schemas of the documents, with the ranges that records enforce."""

import dataclasses
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from trocar.errors import InputError
from trocar.io.codec import ARRAY_FIELDS, DOCUMENTS, adapter, schema_id
from trocar.io.vocabulary import closed_words
from trocar.model.record import Record, json_name


class _WithoutArrays(GenerateJsonSchema):
    """Arrays are stored beside the JSON: they get an empty schema, and the fields that hold them are dropped."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> dict[str, Any]:
        return {}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON schema (2020-12) of a kind of document.

    Raises `InputError` for an unknown kind.
    """
    if kind not in DOCUMENTS:
        raise InputError(f"there is no schema {kind!r}", hint=f"there are: {', '.join(DOCUMENTS)}")
    schema = adapter(kind).json_schema(by_alias=True, schema_generator=_WithoutArrays)
    for name in ARRAY_FIELDS.get(kind, ()):
        del schema["properties"][name]
        for unused in ("Volume", "Grid"):
            schema["$defs"].pop(unused, None)
    for definition in [schema, *schema.get("$defs", {}).values()]:
        _add_ranges(definition)
    if kind == "clinical":
        _add_words(schema)
    properties = schema.pop("properties")
    if kind != "clinical":  # the clinical context is written by hand, as TOML without a schema line
        properties = {"schema": {"const": schema_id(kind)}, **properties}
        schema["required"] = ["schema", *schema.get("required", ())]
    schema["title"] = schema_id(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "properties": properties}


def _add_ranges(definition: dict[str, Any]) -> None:
    """Write each bounded field's range into its property, in place."""
    record = _records().get(definition.get("title", ""))
    if record is None:
        return
    for item in dataclasses.fields(record):
        if "range" not in item.metadata:
            continue
        low, high = item.metadata["range"]
        definition["properties"][json_name(item.name)] |= {"minimum": low, "maximum": high}


def _add_words(schema: dict[str, Any]) -> None:
    """Write the words that a field of the clinical file may take into its property, in place."""
    for field, words in closed_words().items():
        group, name = field.split(".")
        entry = schema["properties"][group]
        reference = entry.get("$ref") or entry["items"]["$ref"]
        place = schema["$defs"][reference.rsplit("/", 1)[-1]]["properties"][name]
        for kind in place.get("anyOf", (place,)):
            if kind.get("type") == "array":
                kind["items"]["enum"] = sorted(words)
            elif kind.get("type") == "string":
                kind["enum"] = sorted(words)


def _records() -> dict[str, type[Record]]:
    """Every record by its name."""
    found: dict[str, type[Record]] = {}
    waiting: list[type[Record]] = [Record]
    while waiting:
        record = waiting.pop()
        found[record.__name__] = record
        waiting += record.__subclasses__()
    return found
