"""What a lesion's site implies: the loads on it, what to watch there, how it is usually fixed."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.model.case import Role
from trocar.model.record import Record
from trocar.model.treatment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Record):
    """One anatomical site. `screws` is how many a sequence is drafted with; the plan decides."""

    label: Text
    mechanical_class: Literal["compression", "torsion_shear", "bending", "none"]
    weight_bearing: bool
    spinal: bool = False
    long_bone: bool = False
    chest_wall: bool = False
    pelvic: bool = False
    watch: tuple[Role, ...]
    screws: int
    variant: Literal["screw_then_cement", "screw_mounted_on_cement"]
    source: str


@cache
def sites() -> dict[str, Site]:
    """Every site by name. Raises `CatalogError` when the file is malformed."""
    path = CATALOG / "sites.toml"
    found = read_toml(path, TypeAdapter(dict[str, Site]))
    for name, site in found.items():
        require_resolved(site.source, path=path, where=name)
    return found
