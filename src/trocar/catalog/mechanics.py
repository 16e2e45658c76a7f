"""Stiffness, strength and loads, each with its source and how sure it is."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.record import Record, bounded
from trocar.model.space import Array
from trocar.model.treatment import Text

Confidence = Literal["high", "medium", "low"]
Density = Literal["qct", "ash", "apparent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law(Record):
    """Modulus, and strength where it is known, as powers of one kind of density (g/cm3)."""

    id: str
    sites: tuple[str, ...]
    density: Density
    modulus_factor_MPa: float = bounded(1, 1e6, default=0.0)
    modulus_exponent: float = bounded(0.5, 4, default=0.0)
    highest_modulus_GPa: float = bounded(1, 30, default=0.0)
    strength_factor_MPa: float | None = bounded(1, 1e4)
    strength_exponent: float | None = bounded(0.5, 4)
    source: str
    confidence: Confidence

    def modulus_MPa(self, qct_g_per_cm3: Array) -> Array:
        """The modulus of bone whose calibrated density (QCT) is given; 0 where there is no mineral."""
        density = as_density(qct_g_per_cm3, self.density)
        return np.minimum(self.modulus_factor_MPa * density**self.modulus_exponent, 1000 * self.highest_modulus_GPa)

    def strength_MPa(self, qct_g_per_cm3: Array) -> Array | None:
        """Compressive strength; `None` where the law has none."""
        if self.strength_factor_MPa is None or self.strength_exponent is None:
            return None
        return self.strength_factor_MPa * as_density(qct_g_per_cm3, self.density) ** self.strength_exponent


@dataclass(frozen=True, slots=True, kw_only=True)
class Material(Record):
    id: str
    modulus_GPa: float = bounded(1e-5, 500, default=0.0)
    yield_MPa: float | None = bounded(1, 5000)
    tension_MPa: float | None = bounded(0.1, 5000)
    compression_MPa: float | None = bounded(0.1, 5000)
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Record):
    """Mineral densities that air, fat and muscle are taken to have when there is no phantom."""

    air_mg_per_cm3: float
    fat_mg_per_cm3: float
    muscle_mg_per_cm3: float
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(Record):
    ash_per_qct: float
    ash_offset_g_per_cm3: float
    ash_per_apparent: float
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldStrain(Record):
    tension_frac: float = bounded(1e-4, 0.1, default=0.0)
    compression_frac: float = bounded(1e-4, 0.1, default=0.0)
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingWay(Record):
    """Limits of a material (none: the yield strains of bone), and the elongations after which it carries nothing."""

    material: str
    tension_MPa: float | None = bounded(0.1, 5000)
    compression_MPa: float | None = bounded(0.1, 5000)
    parting_mm: float | None = bounded(1e-3, 10)
    crushing_mm: float | None = bounded(1e-3, 10)
    floor_frac: float = bounded(1e-4, 0.5, default=0.01)
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CementBond(Record):
    """The strength of the interface of cement and bone, its friction once it has parted, and the opening of that."""

    tension_MPa: float = bounded(0.01, 100, default=1.0)
    shear_per_tension_frac: float = bounded(0.1, 100, default=1.0)
    friction_frac: float = bounded(0, 3, default=0.0)
    parting_mm: float = bounded(1e-3, 10, default=0.1)
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread(Record):
    """A screw's thread: the modulus it leaves in bone as deep as itself, and how it holds bone in shear."""

    pitch_mm: float = bounded(0.1, 10)
    depth_mm: float = bounded(0, 5)
    modulus_frac: float = bounded(0.01, 1)
    cannulated_frac: float = bounded(0.1, 1)
    shear_per_compression_frac: float = bounded(0.05, 2)
    parting_mm: float = bounded(1e-3, 10)
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCase(Record):
    """What a person does: a force in shares of body weight (medial, anterior, cranial) or a torque on a landmark.

    A torque's `axis` is LPS for a left bone or lesion, and mirrored for a right one.
    """

    id: str
    sites: tuple[str, ...]
    on: str  # hip_joint, seat, endplate, top, top_anterior
    force_frac: tuple[float, float, float] | None = None
    muscle: str | None = None
    muscle_frac: tuple[float, float, float] | None = None
    torque_Nm: float | None = None
    axis: tuple[float, float, float] | None = None
    one_side: bool = False
    both_sides: bool = False  # on either hip, where the model holds both
    on_trochanter: bool = False  # the femur lies on its trochanter, which is held too
    compares: bool = False  # constructs only
    source: str
    confidence: Confidence
    text: Text

    @property
    def is_activity(self) -> bool:
        """Whether a person does it day by day, so that a verdict may rest on it: neither a fall nor a comparison."""
        return not (self.compares or self.on_trochanter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanics(Record):
    """The whole file; `version` names its laws and loads wherever they are used."""

    version: str
    law: tuple[Law, ...]
    material: tuple[Material, ...]
    calibration: Calibration
    conversion: Conversion
    yield_strain: YieldStrain
    giving_way: tuple[GivingWay, ...]
    bond: CementBond
    thread: Thread
    load: tuple[LoadCase, ...]

    def laws_of(self, site: str) -> tuple[Law, ...]:
        """The ensemble of a site: pelvis, ring, sacrum, vertebra, femur. Raises `CatalogError` where there is none."""
        found = tuple(law for law in self.law if site in law.sites)
        if not found:
            raise CatalogError(f"no density law is known for {site!r}", hint="mechanics.toml lists the sites")
        return found

    def loads_of(self, site: str) -> tuple[LoadCase, ...]:
        return tuple(load for load in self.load if site in load.sites)

    def giving_way_of(self, material: str) -> GivingWay:
        return next(found for found in self.giving_way if found.material == material)

    def material_of(self, material: str) -> Material:
        return next(found for found in self.material if found.id == material)


@cache
def mechanics() -> Mechanics:
    """The catalog's mechanics. Raises `CatalogError` when the file is malformed or a source has no reference."""
    path = CATALOG / "mechanics.toml"
    found = read_toml(path, TypeAdapter(Mechanics))
    sources = {law.id: law.source for law in found.law}
    sources |= {material.id: material.source for material in found.material}
    sources |= {f"giving_way {item.material}": item.source for item in found.giving_way}
    sources |= {f"{load.id} {load.sites[0]}": load.source for load in found.load}
    sources |= {
        "calibration": found.calibration.source,
        "conversion": found.conversion.source,
        "yield_strain": found.yield_strain.source,
        "bond": found.bond.source,
        "thread": found.thread.source,
    }
    for where, source in sources.items():
        require_resolved(source, path=path, where=where)
    return found


def as_density(qct_g_per_cm3: Array, kind: Density) -> Array:
    """Calibrated density (QCT) as another kind, at least 0: ash = 0.877 QCT + 0.079, apparent = ash / 0.6 (Schileo)."""
    qct = np.maximum(qct_g_per_cm3, 0.0)
    if kind == "qct":
        return qct
    conversion = mechanics().conversion
    ash = np.where(qct > 0, conversion.ash_per_qct * qct + conversion.ash_offset_g_per_cm3, 0.0)
    return ash if kind == "ash" else ash / conversion.ash_per_apparent
