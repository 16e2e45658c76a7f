"""The minimum data set: every field of the clinical file, how it is named to a reader, and why it matters."""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sites import sites
from trocar.model.case import Clinical
from trocar.model.record import Record
from trocar.model.treatment import Text

_SPINAL = (
    "level",
    "epidural_grade",
    "posterior_wall",
    "alignment",
    "vertebral_collapse",
    "posterolateral_involvement",
)
_SACRAL = ("sacrum", "sacral_ala")  # the SINS is read there too
_LONG_BONE = ("cortex_destroyed_frac", "axial_cortical_mm")
_ACETABULAR = (
    "medial_wall",
    "lateral_cortex",
    "acetabular_roof",
    "anterior_column",
    "posterior_column",
    "solitary_for_cure",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Record):
    """One field of the minimum data set."""

    label: Text
    why: Text


@cache
def minimum_data() -> dict[str, Wanted]:
    """Every field as `group.field`, those that rules ask for first. Raises `CatalogError` when a file is malformed."""
    asked = {
        label.field: Wanted(label=label.label, why=label.why)
        for label in ruleset().inputs.values()
        if "." in label.field and not label.derived
    }
    return {**asked, **_beyond()}


def asked_by_rules() -> frozenset[str]:
    """The fields that at least one rule reads."""
    return frozenset(label.field for label in ruleset().inputs.values() if label.field)


def without_a_meaning(clinical: Clinical) -> frozenset[str]:
    """The fields that what is known makes pointless to ask for: a spinal level of an iliac wing, a man's pregnancy."""
    found: set[str] = {"patient.pregnant", "laboratory.pregnancy_test_positive"} if _is_male(clinical) else set()
    places = [sites().get(lesion.site or "") for lesion in clinical.lesion]
    if not places or None in places:
        return frozenset(found)
    known = [site for site in places if site is not None]
    if not any(site.spinal for site in known) and not any(lesion.site in _SACRAL for lesion in clinical.lesion):
        found |= {f"lesion.{name}" for name in _SPINAL}
    if not any(site.long_bone for site in known):
        found |= {f"lesion.{name}" for name in _LONG_BONE}
    if all(lesion.site != "acetabulum" for lesion in clinical.lesion):
        found |= {f"lesion.{name}" for name in _ACETABULAR}
    return frozenset(found)


def _is_male(clinical: Clinical) -> bool:
    return clinical.patient.sex == "male"


def _beyond() -> dict[str, Wanted]:
    return read_toml(CATALOG / "minimum.toml", TypeAdapter(dict[str, Wanted]))
