"""The base of every noun: a frozen record of named fields, with the ranges that its numbers must keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from trocar.errors import CaseError

Vector = tuple[float, float, float]
Matrix4 = tuple[
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
]


def bounded(low: float, high: float, *, default: Any = None) -> Any:
    """A field whose value, when known, must lie in [low, high]; outside it the record refuses to exist."""
    return field(default=default, metadata={"range": (low, high)})


def json_name(name: str) -> str:
    """The key of a field in JSON: its own name, but for the two that Python reserves or the contract shortens."""
    return {"reasons_for": "for", "reasons_against": "against"}.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """A frozen noun. Unknown keys are refused when it is read from a file; out-of-range numbers always.

    Raises `CaseError` from the constructor when a `bounded` field lies outside its range.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "extra": "forbid",
        "alias_generator": json_name,
        "arbitrary_types_allowed": True,
        "ser_json_inf_nan": "constants",
    }

    def __post_init__(self) -> None:
        for item in fields(self):
            if "range" not in item.metadata:
                continue
            value = getattr(self, item.name)
            low, high = item.metadata["range"]
            if value is not None and not low <= value <= high:
                raise CaseError(
                    f"{type(self).__name__}.{item.name} = {value!r} is outside {low:g} to {high:g}",
                    hint="check the unit in the field's name; leave the field out when the value is unknown",
                )
