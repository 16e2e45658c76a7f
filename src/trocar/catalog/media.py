"""The media of isotherm tables and the priors of a calibration, each with its source."""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record, bounded
from trocar.physics.medium import Array
from trocar.physics.substance import Substance, constant

FILE = CATALOG / "calibration.toml"
KELVIN = 273.15


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMedium(Record):
    """A medium that freezes like water: unfrozen constants, and laws of ice of the absolute temperature."""

    name: str
    also: tuple[str, ...] = ()
    conductivity_W_per_mK: float = bounded(0.05, 5, default=0.0)
    capacity_J_per_m3K: float = bounded(1e5, 1e7, default=0.0)
    latent_J_per_m3: float = bounded(0, 4e8, default=0.0)
    solidus_degC: float
    liquidus_degC: float
    frozen_kg_per_m3: float = bounded(100, 5000, default=0.0)
    frozen_W_per_m: float = bounded(1, 5000, default=0.0)
    frozen_J_per_kgK2: float = bounded(0, 100, default=0.0)
    frozen_J_per_kgK: float = bounded(0, 5000, default=0.0)
    source: str
    notes: str = ""

    def substance(self, frozen_scale: float) -> Substance:
        """The tables of the physics, with the frozen conductivity multiplied."""

        def conductivity(degC: Array) -> Array:
            return frozen_scale * self.frozen_W_per_m / (degC + KELVIN)

        def capacity(degC: Array) -> Array:
            return self.frozen_kg_per_m3 * (self.frozen_J_per_kgK2 * (degC + KELVIN) + self.frozen_J_per_kgK)

        return Substance.of(
            conductivity_W_per_mK=(conductivity, constant(self.conductivity_W_per_mK)),
            capacity_J_per_m3K=(capacity, constant(self.capacity_J_per_m3K)),
            latent_J_per_m3=self.latent_J_per_m3, solidus_degC=self.solidus_degC, liquidus_degC=self.liquidus_degC,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorFact(Record):
    """What is believed of one unknown, in the unit of its name; `value` None: the device's own."""

    unknown: str
    value: float | None = None
    spread: float
    low: float
    high: float
    logarithmic: bool = False
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(Record):
    medium: tuple[TableMedium, ...]
    prior: tuple[PriorFact, ...]


@cache
def _content() -> _File:
    content = read_toml(FILE, TypeAdapter(_File))
    for where, source in [(item.name, item.source) for item in content.medium] + [
        (item.unknown, item.source) for item in content.prior
    ]:
        require_resolved(source, path=FILE, where=where)
    return content


def table_medium(name: str) -> TableMedium:
    """The medium of this name or of one of its other names. Raises `CatalogError` when its laws are not known."""
    for medium in _content().medium:
        if name.strip().lower() in (medium.name, *medium.also):
            return medium
    known = ", ".join(other for medium in _content().medium for other in (medium.name, *medium.also))
    raise CatalogError(f"no laws are known of the medium {name!r}", hint=f"known: {known}; see {FILE.name}")


def prior_fact(unknown: str) -> PriorFact:
    """What is believed of an unknown."""
    return next(prior for prior in _content().prior if prior.unknown == unknown)
