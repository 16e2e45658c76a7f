"""Thermal properties of tissues and materials, each with its source; frozen ones follow from the water content."""

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record, bounded

BLOOD_J_PER_M3K = 1049.75 * 3617.0  # density x heat capacity of blood (S8)
FUSION_J_PER_KG = 334e3
VAPOR_J_PER_KG = 2260e3  # boiling tissue water (S10)
WATER_J_PER_KGK, ICE_J_PER_KGK = 4180.0, 1950.0  # ice at about -20 degC
WATER_W_PER_MK = 0.60
COLDEST_DEGC, SOLIDUS_DEGC = -140.0, -8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue(Record):
    """One tissue or material as it is at body temperature. `sources` holds the key of every field's source.

    `water_frac` is by mass; `freezable_frac` the share of it that freezes. Electrical properties may be unknown.
    """

    name: str
    density_kg_per_m3: float = bounded(1, 9000, default=0.0)
    heat_J_per_kgK: float = bounded(100, 5000, default=0.0)
    conductivity_W_per_mK: float = bounded(0.005, 50, default=0.0)
    perfusion_ml_per_min_kg: float = bounded(0, 20000, default=0.0)
    metabolic_W_per_kg: float = bounded(0, 100, default=0.0)
    water_frac: float = bounded(0, 1, default=0.0)
    freezable_frac: float = bounded(0, 1, default=0.9)
    radiofrequency_S_per_m: float | None = bounded(1e-9, 1e8)  # at 460 kHz and body temperature
    permittivity_915: float | None = bounded(1, 100)
    microwave_915_S_per_m: float | None = bounded(1e-9, 1e8)
    permittivity_2450: float | None = bounded(1, 100)
    microwave_2450_S_per_m: float | None = bounded(1e-9, 1e8)
    sources: dict[str, str] = field(default_factory=dict)
    notes: str = ""

    @property
    def water_kg_per_m3(self) -> float:
        return self.density_kg_per_m3 * self.water_frac

    @property
    def unfrozen_J_per_m3K(self) -> float:
        return self.density_kg_per_m3 * self.heat_J_per_kgK

    @property
    def frozen_J_per_m3K(self) -> float:
        """Water's share of the heat capacity replaced by that of ice."""
        return self.unfrozen_J_per_m3K - self.water_kg_per_m3 * (WATER_J_PER_KGK - ICE_J_PER_KGK)

    @property
    def latent_J_per_m3(self) -> float:
        return self.water_kg_per_m3 * self.freezable_frac * FUSION_J_PER_KG

    @property
    def vapor_J_per_m3(self) -> float:
        """Latent heat of all its water boiling off."""
        return self.water_kg_per_m3 * VAPOR_J_PER_KG

    @property
    def perfusion_W_per_m3K(self) -> float:
        """Pennes' coefficient: blood's heat capacity times its flow through a volume."""
        return self.perfusion_ml_per_min_kg * self.density_kg_per_m3 / 6e7 * BLOOD_J_PER_M3K

    def frozen_W_per_mK(self, temperature_degC: float) -> float:
        """k_u (k_ice(T) / k_water)^phi, phi the water's volume share; k_ice = 2.22 (273.15 / T) (S1's ice law)."""
        ratio = 2.22 * 273.15 / (temperature_degC + 273.15) / WATER_W_PER_MK
        return self.conductivity_W_per_mK * float(ratio ** (self.water_kg_per_m3 / 1000.0))

    def frozen_at_solidus_W_per_mK(self, ice_slope_per_K: float) -> float:
        """Conductivity at the solidus that gives the common freezing curve the integral of the tissue's own law.

        The integral runs from the solidus to the coldest needle: what a needle can draw through ice is kept.
        """
        own = float(np.mean([self.frozen_W_per_mK(t) for t in np.linspace(COLDEST_DEGC, SOLIDUS_DEGC, 133)]))
        curve = 1.0 + ice_slope_per_K * (SOLIDUS_DEGC - COLDEST_DEGC) / 2
        return self.conductivity_W_per_mK + (own - self.conductivity_W_per_mK) / curve


@dataclass(frozen=True, slots=True, kw_only=True)
class TumorPerfusion(Record):
    """Perfusion of a metastasis by its vascularity grade: a prior of low confidence, said wherever it is used."""

    grade: int
    perfusion_ml_per_min_kg: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curing(Record):
    """How bone cement cures: d(alpha)/dt = k(T) alpha (1 - alpha), k = frequency exp(-activation / RT). A prior.

    `heat_J_per_kg` is released from 0 to 1; `injected_frac` is cured when it is injected.
    """

    frequency_per_s: float = bounded(1, 1e30, default=0.0)
    activation_J_per_mol: float = bounded(1e3, 1e6, default=0.0)
    heat_J_per_kg: float = bounded(0, 1e6, default=0.0)
    injected_frac: float = bounded(1e-9, 0.5, default=0.0)
    sources: dict[str, str] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(Record):
    tissue: tuple[Tissue, ...]
    tumor_perfusion: tuple[TumorPerfusion, ...]
    curing: Curing


@cache
def tissues() -> dict[str, Tissue]:
    """Every tissue by name. Raises `CatalogError` when the file is malformed or a value has no source."""
    return {tissue.name: tissue for tissue in _read(CATALOG / "tissues.toml").tissue}


@cache
def tumor_perfusion(grade: int | None) -> TumorPerfusion:
    """The prior for a vascularity grade; of an unknown grade, that of a typical lytic metastasis (grade 1)."""
    rows = {row.grade: row for row in _read(CATALOG / "tissues.toml").tumor_perfusion}
    return rows[1 if grade is None else grade]


@cache
def curing() -> Curing:
    """How bone cement cures."""
    return _read(CATALOG / "tissues.toml").curing


@cache
def ice_slope_per_K() -> float:
    """How fast the common freezing curve rises below the solidus: soft tissue's own law between its two ends."""
    soft = tissues()["muscle"]
    low, high = (soft.frozen_W_per_mK(t) - soft.conductivity_W_per_mK for t in (SOLIDUS_DEGC, COLDEST_DEGC))
    return (high / low - 1) / (SOLIDUS_DEGC - COLDEST_DEGC)


def _read(path: Path) -> _File:
    content = read_toml(path, TypeAdapter(_File))
    for tissue in content.tissue:
        _require_sources(tissue, tissue.name, path)
    _require_sources(content.curing, "curing", path)
    for row in content.tumor_perfusion:
        require_resolved(row.source, path=path, where=f"tumor_perfusion {row.grade}")
    return content


def _require_sources(row: Tissue | Curing, where: str, path: Path) -> None:
    """Raises `CatalogError` unless every number of a row has a source that is known."""
    numbers = {item.name for item in fields(row) if getattr(row, item.name) is not None} - {"name", "sources", "notes"}
    if numbers != row.sources.keys():
        raise CatalogError(f"{path.name}: {where}: sources and fields differ: {numbers ^ set(row.sources)}")
    for name, source in row.sources.items():
        require_resolved(source, path=path, where=f"{where}.{name}")
