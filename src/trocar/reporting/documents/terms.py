"""Words of sheets that neither the rules nor the report have: sex, positions, phrases of generic devices' names."""

import re

from trocar import catalog
from trocar.catalog.ruleset import ruleset
from trocar.reporting.language import Language

SEXES = {"male": "man", "female": "woman"}
# Phrases of the catalog's generic names; brand names stay as they are.
DEVICE_PHRASES = {
    "Thermal sensor": "Thermal sensor",
    "Spinal needle": "Spinal needle",
    "for hydrodissection": "for hydrodissection",
    "Arterial introducer sheath": "Arterial introducer sheath",
    "Calibrated microspheres": "Calibrated microspheres",
    "Coil": "Coil",
    "generic": "generic",
    "Guidewire": "Guidewire",
    "Cannulated screw": "Cannulated screw",
    "Bone cement": "Bone cement",
    "Soft-tissue core needle": "Soft-tissue core needle",
    "semi-automatic": "semi-automatic",
    "Bone trephine": "Bone trephine",
    "Bone trocar": "Bone trocar",
    "Cryoprobe": "Cryoprobe",
}
_PHRASE = re.compile("|".join(sorted((re.escape(phrase) for phrase in DEVICE_PHRASES), key=len, reverse=True)))

_DETAIL = re.compile(r"\s*\([^()]*\)")


def device_said(device_id: str, language: Language) -> str:
    """The catalog's name of a device in this language; its id when the catalog does not know it."""
    known = catalog.devices().get(device_id)
    if known is None:
        return device_id
    name = known.name.replace(" um", "\u00a0µm")
    if known.manufacturer is not None:
        return name
    name = _PHRASE.sub(lambda found: language(DEVICE_PHRASES[found[0]]), name)
    return re.sub(r"(\d)\.(\d)", r"\1,\2", name) if language.code == "fr" else name


def chosen(name: str, value: str, language: Language) -> str:
    """A value of a clinical input in words, as the rules name it; the value itself where they do not."""
    known = ruleset().inputs.get(name)
    text = (known.values or {}).get(value) if known else None
    said: str = getattr(text, language.code) if text else value.replace("_", " ")
    return said


def keys(source: str) -> str:
    """The literature keys of a source, without its details: `V46, R-h`."""
    return _DETAIL.sub("", source).replace("software default", "design")
