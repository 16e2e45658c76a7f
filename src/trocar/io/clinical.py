"""The clinical context from its TOML file: every field may be absent (unknown), none may be misspelt or impossible."""

import datetime
import json
import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trocar.errors import CaseError, ReadError
from trocar.io.anatomy import named
from trocar.io.identity import YEARS, plausible, shifted
from trocar.io.vocabulary import require_word
from trocar.model.case import Clinical, LesionContext
from trocar.model.record import Record

LONGEST_MM = 600.0  # of a lesion's diameters: no bone is longer
_FORMAT_HINT = "see `trocar schema clinical` for every field and its type"


def read_clinical(path: Path | str) -> Clinical:
    """The clinical context of a TOML file, dates as written, lesions named as `named` names their structures.

    Raises `ReadError` when it is not TOML, `CaseError` naming the key that is unknown, of another type, outside its
    range, not a word of its vocabulary or in contradiction to another.
    """
    path = Path(path)
    content = _content(path)
    try:
        clinical = TypeAdapter(Clinical).validate_json(json.dumps(content, default=_iso), strict=True)
    except ValidationError as error:
        raise CaseError(f"{path.name}: {_first_error(error)}", hint=_FORMAT_HINT) from error
    except CaseError as error:
        raise CaseError(f"{path.name}: {_in_its_words(str(error))}", hint=error.hint) from error
    _require_vocabulary(content, path.name)
    _require_sense(clinical, path.name)
    _require_no_contradiction(clinical, path.name)
    return with_named_lesions(clinical, path.name)


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ReadError(f"there is no file {path.name}", hint="check the path given with --clinical") from error
    except UnicodeDecodeError as error:
        raise ReadError(f"{path.name} is not a TOML file: it is not in UTF-8", hint="save it again as UTF-8") from error
    except (ValueError, OSError, RecursionError) as error:
        raise ReadError(f"{path.name} is not a TOML file: {error}", hint="check quotes, brackets and dates") from error


def with_named_lesions(clinical: Clinical, where: str = "the clinical context") -> Clinical:
    """The same context with its lesions named as their structures are: `lesion` is `lesion_1`.

    Raises `CaseError` when two have one name, or one that no structure can have.
    """
    try:
        lesions = tuple(replace(lesion, name=named(lesion.name)) for lesion in clinical.lesion)
    except CaseError as error:
        raise CaseError(f"{where}: lesion.name: {error}", hint=error.hint) from error
    names = [lesion.name for lesion in lesions]
    if len(set(names)) != len(names):
        raise CaseError(f"{where}: two [[lesion]] entries have one name", hint="name them lesion_1, lesion_2 ...")
    return replace(clinical, lesion=lesions)


def with_shifted_dates(clinical: Clinical, shift_d: int) -> Clinical:
    """The same context with every date moved as the patient's images were, so that intervals to them are kept."""
    moved: dict[str, Any] = {}
    for group in fields(clinical):
        record = getattr(clinical, group.name)
        if isinstance(record, Record):
            known = {item.name: getattr(record, item.name) for item in fields(record)}
            dates = {key: value for key, value in known.items() if isinstance(value, datetime.date)}
            moved[group.name] = replace(record, **{key: shifted(value, shift_d) for key, value in dates.items()})
    return replace(clinical, **moved)


def _iso(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise CaseError(f"{value!r} cannot stand in a clinical file", hint=_FORMAT_HINT)


def _in_its_words(text: str) -> str:
    """A record's message with its field as the file names it: `Patient.age_years` is `patient.age_years`."""
    groups = {type(getattr(Clinical(), group.name)).__name__: group.name for group in fields(Clinical)}
    groups[LesionContext.__name__] = "lesion"
    return re.sub(r"^(\w+)(?=\.)", lambda found: groups.get(found[1], found[1]), text)


def _first_error(error: ValidationError) -> str:
    found = error.errors()[0]
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key {key!r}"
    return f"{key}: {found['msg']} (found {found['input']!r})"


def _require_vocabulary(content: dict[str, Any], where: str) -> None:
    for group, entries in content.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            for key, given in entry.items():
                for word in given if isinstance(given, list) else [given]:
                    require_word(f"{group}.{key}", word, where)


def _require_sense(clinical: Clinical, where: str) -> None:
    """What single ranges cannot see: figures that contradict each other, lengths and dates that cannot be."""
    oncology, patient, pain = clinical.oncology, clinical.patient, clinical.pain
    total, painful, bony = oncology.metastases_total, oncology.metastases_painful, oncology.metastases_bone
    if _exceeds(painful, total):
        raise CaseError(f"{where}: {painful} painful metastases of {total}", hint="painful ones are part of the total")
    if _exceeds(bony, total):
        raise CaseError(f"{where}: {bony} bone metastases of {total}", hint="those in bone are part of the total")
    if _exceeds(pain.average_nrs, pain.worst_nrs):
        raise CaseError(
            f"{where}: pain.average_nrs {pain.average_nrs:g} above pain.worst_nrs {pain.worst_nrs:g}",
            hint="the average is at most the worst",
        )
    if patient.sex == "male" and patient.pregnant:
        raise CaseError(f"{where}: patient.sex is male and patient.pregnant is true", hint="correct one of the two")
    for lesion in clinical.lesion:
        _require_possible_size(lesion, where)
    for group in fields(clinical):
        _require_possible_dates(group.name, getattr(clinical, group.name), where)


def _exceeds(part: float | None, whole: float | None) -> bool:
    return part is not None and whole is not None and part > whole


def _require_possible_size(lesion: LesionContext, where: str) -> None:
    stated = lesion.diameters_mm
    if stated is not None and len(stated) != 3:
        raise CaseError(f"{where}: {lesion.name}.diameters_mm are not three numbers", hint="longest first")
    if stated is not None and not all(0 < length <= LONGEST_MM for length in stated):
        raise CaseError(
            f"{where}: {lesion.name}.diameters_mm = {list(stated)} are not above 0 and up to {LONGEST_MM:g}",
            hint="give millimeters; leave the field out when they are unknown",
        )
    if _exceeds(lesion.soft_tissue_ml, lesion.volume_ml):
        raise CaseError(
            f"{where}: {lesion.name}.soft_tissue_ml {lesion.soft_tissue_ml:g} above volume_ml {lesion.volume_ml:g}",
            hint="the part outside bone is part of the volume",
        )


def _require_possible_dates(group: str, record: Any, where: str) -> None:
    if not isinstance(record, Record):
        return
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, datetime.date) and not plausible(value):
            raise CaseError(
                f"{where}: {group}.{item.name} = {value.isoformat()} is outside the years {YEARS[0]} to {YEARS[1]}",
                hint="leave the field out when the date is unknown",
            )


def _require_no_contradiction(clinical: Clinical, where: str) -> None:
    """What is declared to be without a meaning cannot have a value."""
    groups: list[tuple[str, Any]] = [(item.name, getattr(clinical, item.name)) for item in fields(clinical)]
    for group, held in groups:
        for record in held if isinstance(held, tuple) else (held,):
            for name in record.not_applicable:
                if getattr(record, name) not in (None, "", ()):
                    raise CaseError(
                        f"{where}: {group}.{name} is not applicable and has a value", hint="keep one of the two"
                    )
