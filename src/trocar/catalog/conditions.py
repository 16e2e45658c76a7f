"""The condition language of the rules: tests over named inputs, with three truth values.

    { all = [ { input = "primary", op = "in", value = ["kidney"] }, { any = [ ... ] }, { none = [ ... ] } ] }

True, False, or None: unknown. Unknown spreads as in Kleene's logic, so that a condition that holds with an input
unknown holds whatever the input is. A test of an input that does not apply is False. `recorded` and `recorded_in`
take what is not recorded as absent; only gates may use them, and only to block.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias, assert_never

from trocar.catalog.facts import limit
from trocar.errors import CatalogError
from trocar.model.record import Record


class Applicability(Enum):
    """Marks an input that has no meaning for this lesion: a spine score of an iliac wing."""

    NOT_APPLICABLE = "not_applicable"


NOT_APPLICABLE = Applicability.NOT_APPLICABLE

Scalar: TypeAlias = bool | float | str
Value: TypeAlias = Scalar | tuple[str, ...] | Applicability | None
Inputs: TypeAlias = Mapping[str, Value]

Operator: TypeAlias = Literal[
    "is", "in", "not_in", "has", "has_any", "below", "at_most", "at_least", "above", "recorded", "recorded_in"
]
_CLOSED = ("recorded", "recorded_in")
_LISTS = ("in", "not_in", "has_any", "recorded_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Record):
    """One input against a value, or against a limit of the catalog."""

    input: str
    op: Operator
    value: bool | float | str | tuple[str, ...] | None = None
    limit: str | None = None

    def __post_init__(self) -> None:
        super(Comparison, self).__post_init__()
        given = (self.value is not None) + (self.limit is not None)
        if given != (self.op != "recorded"):
            raise CatalogError(f"test of {self.input!r}: {self.op!r} needs one of value and limit")
        if (self.op in _LISTS) != isinstance(self.value, tuple):
            raise CatalogError(f"test of {self.input!r}: {self.op!r} does not go with {self.value!r}")

    @property
    def operand(self) -> Any:
        """What the input is compared with."""
        return limit(self.limit).value if self.limit is not None else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(Record):
    all: tuple["Condition", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(Record):
    any: tuple["Condition", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoneOf(Record):
    none: tuple["Condition", ...]


Condition: TypeAlias = AllOf | AnyOf | NoneOf | Comparison


def holds(condition: Condition | None, inputs: Inputs) -> bool | None:
    """Whether a condition holds: True, False, or None when it cannot be known. No condition always holds.

    Raises `KeyError` when it names an input that does not exist.
    """
    match condition:
        case None:
            return True
        case AllOf():
            return _conjunction(holds(part, inputs) for part in condition.all)
        case AnyOf():
            return _negation(_conjunction(_negation(holds(part, inputs)) for part in condition.any))
        case NoneOf():
            return _conjunction(_negation(holds(part, inputs)) for part in condition.none)
        case Comparison():
            return _passes(condition, inputs[condition.input])
        case _:
            assert_never(condition)


def comparisons(condition: Condition | None) -> Iterator[Comparison]:
    """Every test inside a condition, from left to right."""
    match condition:
        case None:
            return
        case AllOf():
            parts = condition.all
        case AnyOf():
            parts = condition.any
        case NoneOf():
            parts = condition.none
        case Comparison():
            yield condition
            return
        case _:
            assert_never(condition)
    for part in parts:
        yield from comparisons(part)


def deciding(condition: Condition | None, inputs: Inputs) -> Iterator[Comparison]:
    """The tests that make a condition true, false or unknown; those that would not change it are left out."""
    match condition:
        case None:
            return
        case Comparison():
            yield condition
        case AllOf():
            truth = holds(condition, inputs)
            for part in condition.all:
                if holds(part, inputs) is truth:
                    yield from deciding(part, inputs)
        case AnyOf() | NoneOf():
            parts = condition.any if isinstance(condition, AnyOf) else condition.none
            truth = holds(AnyOf(any=parts), inputs)
            for part in parts:
                if holds(part, inputs) is truth:
                    yield from deciding(part, inputs)
        case _:
            assert_never(condition)


def closed_world(condition: Condition | None) -> bool:
    """Whether a condition takes what is not recorded as absent."""
    return any(test.op in _CLOSED for test in comparisons(condition))


def _conjunction(truths: Iterable[bool | None]) -> bool | None:
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown = unknown or truth is None
    return None if unknown else True


def _negation(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _passes(test: Comparison, value: Any) -> bool | None:
    if value is NOT_APPLICABLE:
        return False
    if test.op == "recorded":
        return value is not None
    if test.op == "recorded_in":
        return value in test.operand
    if value is None:
        return None
    return _compared(test.op, value, test.operand)


def _compared(op: Operator, value: Any, operand: Any) -> bool:
    match op:
        case "is":
            return bool(value == operand)
        case "in":
            return value in operand
        case "not_in":
            return value not in operand
        case "has":
            return operand in value
        case "has_any":
            return not set(value).isdisjoint(operand)
        case "below":
            return bool(value < operand)
        case "at_most":
            return bool(value <= operand)
        case "at_least":
            return bool(value >= operand)
        case "above":
            return bool(value > operand)
        case _:
            raise CatalogError(f"{op!r} does not compare values")
