"""The clinical context from its TOML file: every field may be absent (unknown), none may be misspelt or impossible."""

import datetime
import json
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trocar.errors import CaseError, ReadError
from trocar.io.identity import shifted
from trocar.io.vocabulary import require_word
from trocar.model.case import Clinical
from trocar.model.record import Record

_FORMAT_HINT = "see `trocar schema clinical` for every field and its type"


def read_clinical(path: Path | str) -> Clinical:
    """The clinical context of a TOML file, dates as written.

    Raises `ReadError` when it is not TOML, `CaseError` naming the key that is unknown, of another type, outside its
    range or not a word of its vocabulary.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReadError(f"there is no file {path.name}", hint="check the path given with --clinical") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ReadError(f"{path.name} is not a TOML file: {error}", hint="check quotes, brackets and dates") from error
    try:
        clinical = TypeAdapter(Clinical).validate_json(json.dumps(content, default=_iso), strict=True)
    except ValidationError as error:
        raise CaseError(f"{path.name}: {_first_error(error)}", hint=_FORMAT_HINT) from error
    except CaseError as error:
        raise CaseError(f"{path.name}: {error}", hint=error.hint) from error
    _require_vocabulary(content, path.name)
    _require_sense(clinical, path.name)
    _require_no_contradiction(clinical, path.name)
    return clinical


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
    """What single ranges cannot see: counts and names that contradict each other."""
    oncology, names = clinical.oncology, [lesion.name for lesion in clinical.lesion]
    total, painful = oncology.metastases_total, oncology.metastases_painful
    if total is not None and painful is not None and painful > total:
        raise CaseError(f"{where}: {painful} painful metastases of {total}", hint="painful ones are part of the total")
    bony = oncology.metastases_bone
    if total is not None and bony is not None and bony > total:
        raise CaseError(f"{where}: {bony} bone metastases of {total}", hint="those in bone are part of the total")
    for lesion in clinical.lesion:
        if lesion.diameters_mm is not None and len(lesion.diameters_mm) != 3:
            raise CaseError(f"{where}: {lesion.name}.diameters_mm are not three numbers", hint="longest first")
    if len(set(names)) != len(names):
        raise CaseError(f"{where}: two [[lesion]] entries have one name", hint="name them lesion_1, lesion_2 ...")


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
