"""Facts with their sources: devices, tissues, limits, rules. What is named here is loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trocar.catalog.facts import Limit, device, devices, limit, limits
    from trocar.catalog.sources import Reference, references

__all__ = ["Limit", "Reference", "device", "devices", "limit", "limits", "references"]

_HOMES = {
    "Limit": "facts",
    "Reference": "sources",
    "device": "facts",
    "devices": "facts",
    "limit": "facts",
    "limits": "facts",
    "references": "sources",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
