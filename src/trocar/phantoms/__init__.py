"""Synthetic cases made by code: a pelvis, a lumbar vertebra and a gel bath, with their control CT and its truth."""

from importlib import import_module
from typing import Any

_HOMES = {
    "Control": "control_ct",
    "control": "control_ct",
    "femur": "cases",
    "gel_bath": "bath",
    "ilium": "cases",
    "mirrored": "mirror",
    "sacrum": "cases",
    "vertebra": "lumbar",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)
