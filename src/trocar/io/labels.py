"""Structures from label maps and binary masks: which number is which structure, on any grid."""

import json
import re
import reprlib
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from trocar.errors import CaseError, ReadError
from trocar.io.anatomy import named, required_role, role_of
from trocar.io.geometry import said
from trocar.io.nifti import is_nifti, read_label_values
from trocar.io.region import Region, onto_grid, regions_of
from trocar.model.case import GeometryFinding, Role
from trocar.model.space import Array, Grid

LONGEST_KEY = 20  # digits of a label's number, leading zeros included
_HINT = 'give --labels FILE with {"1": {"name": "hip_left", "role": "bone"}, ...}'
Names = dict[int, tuple[str, Role]]
Labels = tuple[Array, Grid, tuple[GeometryFinding, ...], list[bytes]]  # as `read_label_values` returns them


def read_label_map(
    path: Path, grid: Grid, *, labels: Path | None = None, subject: str = "structures"
) -> tuple[list[Region], tuple[GeometryFinding, ...]]:
    """The structures of a NIfTI label map on the CT's grid.

    Names come from `labels`, else from the file's own header (as TotalSegmentator writes it), else from a sidecar: the
    file of the same name ending in .json, or `labels.json` beside a map whose name begins with `labels`.

    Raises `CaseError` for a label without name, a name without role and a name given twice, `GeometryError` for a map
    on another frame of reference.
    """
    values, source, findings, extensions = read_label_values(path, subject=subject)
    names, said_of_names = _names(path, labels, extensions, subject)
    counts = np.bincount(values.ravel())
    present = {int(value) for value in np.flatnonzero(counts) if value > 0}
    if not present:
        raise CaseError(f"{subject}: the label map is empty", hint="check that it is the right file")
    unnamed = sorted(present - names.keys())
    if unnamed:
        raise CaseError(f"{subject}: no name is given for label {', '.join(map(str, unnamed))}", hint=_HINT)
    moved, low, resampled = onto_grid(values, source, grid, subject)
    wanted = {value: names[value] for value in sorted(present)}
    regions = regions_of(moved, low, wanted, "label map" + (" (resampled)" if resampled else ""))
    gone = sorted(wanted[value][0] for value in present if wanted[value][0] not in {region.name for region in regions})
    vanished = _vanished(gone, [role for name, role in wanted.values() if name in gone], subject)
    return regions, (*findings, *said_of_names, *resampled, *vanished)


def read_mask(path: Path, name: str, grid: Grid, *, subject: str) -> tuple[Region, tuple[GeometryFinding, ...]]:
    """One structure from a binary NIfTI mask. A lesion may carry several values (compartments): all are the lesion.

    Raises `CaseError` when the mask is empty, or when it holds several labels and is not a lesion.
    """
    return _from_mask(read_label_values(path, subject=subject), name, grid, subject)


def _from_mask(found: Labels, name: str, grid: Grid, subject: str) -> tuple[Region, tuple[GeometryFinding, ...]]:
    role = required_role(name, labeled=False)
    values, source, findings, _ = found
    labels = np.unique(values[values > 0])
    if len(labels) == 0:
        raise CaseError(f"{subject}: the mask is empty", hint="draw the structure, or leave it out")
    if len(labels) > 1:
        if role is not Role.LESION:
            raise CaseError(
                f"{subject}: the mask holds {len(labels)} labels, not one", hint="give a label map with --structures"
            )
        message = f"the mask holds {len(labels)} labels; every voxel that is not zero is taken as the lesion"
        findings = (*findings, said(subject, "lesion_labels", len(labels), limit=1, unit="1", message=message))
    return region_from_mask(values > 0, source, grid, name=name, role=role, subject=subject, findings=findings)


def read_mask_folder(folder: Path, grid: Grid) -> tuple[list[Region], tuple[GeometryFinding, ...]]:
    """One structure per NIfTI mask of a folder, named by its file (TotalSegmentator writes such); empty ones left out.

    Raises `CaseError` for a name without role, for an empty lesion, and when no mask holds anything.
    """
    regions, findings, absent = [], list[GeometryFinding](), list[str]()
    for path in sorted(path for path in folder.iterdir() if is_nifti(path)):
        name = named(re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE))
        subject = f"structure {name}"
        found = read_label_values(path, subject=subject)
        if not found[0].any() and role_of(name) is not Role.LESION:
            absent.append(name)
            continue
        region, seen = _from_mask(found, name, grid, subject)
        regions.append(region)
        findings += seen
    if not regions:
        raise CaseError("the folder of structures holds no mask with anything in it", hint="give NIfTI masks in it")
    if absent:
        message = f"{len(absent)} masks without any voxel were left out: {', '.join(absent)}"
        findings.append(said("structures", "empty_mask", len(absent), limit=0, unit="1", message=message))
    return regions, tuple(findings)


def region_from_mask(
    inside: Array,
    source: Grid,
    grid: Grid,
    *,
    name: str,
    role: Role,
    subject: str,
    findings: tuple[GeometryFinding, ...] = (),
) -> tuple[Region, tuple[GeometryFinding, ...]]:
    """A boolean mask on its own grid as a region of the CT's. Raises `CaseError` when nothing of it is left."""
    moved, low, resampled = onto_grid(inside.astype(np.uint8), source, grid, subject)
    regions = regions_of(moved, low, {1: (name, role)}, "mask" + (" (resampled)" if resampled else ""))
    if not regions:
        raise CaseError(
            f"{subject}: the mask is empty on the CT's grid",
            hint="it is thinner than a voxel, lies outside the CT, or was never drawn",
        )
    return regions[0], (*findings, *resampled)


def _vanished(names: list[str], roles: list[Role], subject: str) -> tuple[GeometryFinding, ...]:
    if not names:
        return ()
    if Role.LESION in roles:
        raise CaseError(f"{subject}: nothing of {', '.join(names)} lies in the CT", hint="check that mask and CT match")
    message = f"nothing of {', '.join(names)} lies on the CT's grid; left out"
    return (said(subject, "structure_lost", len(names), limit=0, unit="1", message=message),)


def _names(
    path: Path, labels: Path | None, extensions: list[bytes], subject: str
) -> tuple[Names, tuple[GeometryFinding, ...]]:
    if labels is not None:
        return read_names(labels), ()
    for content in extensions:
        if b"CaretExtension" in content:
            message = "names of labels taken from the file's own header"
            return _names_in_header(content, subject), (_said_names(subject, message),)
    stem = re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    sidecars = [path.with_name(f"{stem}.json")] + [path.with_name("labels.json")] * stem.startswith("labels")
    for sidecar in sidecars:
        if sidecar.is_file():
            kind = "labels.json beside the file" if sidecar.name == "labels.json" else "the .json of the same name"
            return read_names(sidecar), (_said_names(subject, f"names of labels taken from {kind}"),)
    raise CaseError(f"{subject}: the label map does not say what its labels are", hint=_HINT)


def named_labels(path: Path, extensions: list[bytes]) -> Names:
    """Names and roles that a map's header or sidecar gives its labels; none where it gives none that is understood."""
    try:
        names, _ = _names(path, None, extensions, path.name)
    except CaseError:
        return {}
    return names


def _said_names(subject: str, message: str) -> GeometryFinding:
    return said(subject, "label_names", 1, limit=0, unit="1", message=message)


def read_names(path: Path) -> Names:
    """Label numbers to (name, role) from JSON or TOML: `{"1": "hip_left"}` or `{"1": {"name": ..., "role": ...}}`.

    Raises `ReadError` when it is neither, `CaseError` for a key, name or role that cannot be or is given twice.
    """
    if not path.is_file():
        raise ReadError(f"there is no file {path.name}", hint="check the path given with --labels")
    try:
        text = path.read_text(encoding="utf-8-sig")
        is_toml = path.suffix.lower() == ".toml"
        content = tomllib.loads(text) if is_toml else json.loads(text, object_pairs_hook=_with_each_key_once)
    except UnicodeDecodeError as error:
        raise ReadError(f"{path.name} is not in UTF-8", hint="save it again as UTF-8") from error
    except (ValueError, OSError, RecursionError) as error:
        raise ReadError(f"{path.name} is neither JSON nor TOML: {error}", hint=_HINT) from error
    if not isinstance(content, dict) or not content:
        raise CaseError(f"{path.name} names no labels", hint=_HINT)
    return _numbered(list(content.items()), path.name)


def _with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise CaseError(f"the labels file gives {', '.join(map(repr, twice))} twice", hint="name each label once")
    return dict(pairs)


def _numbered(entries: list[tuple[str, Any]], where: str) -> Names:
    """Label numbers to (name, role); `1` and `01` are one number. Raises `CaseError`."""
    found: Names = {}
    for key, value in entries:
        number = _number(key, where)
        if number in found:
            raise CaseError(f"{where}: label {number} is named twice", hint="name each label once")
        found[number] = _named(value, key, where)
    return _distinct(found)


def _number(key: str, where: str) -> int:
    if not key.isdecimal() or len(key) > LONGEST_KEY or not 0 < int(key) <= 65535:
        raise CaseError(f"{where}: {key[:40]!r} is not a label from 1 to 65535", hint=_HINT)
    return int(key)


def _named(value: Any, key: str, where: str) -> tuple[str, Role]:
    entry = {"name": value} if isinstance(value, str) else value
    if not _is_entry(entry):
        shown = reprlib.repr(value)
        raise CaseError(f"{where}: label {key} must be a name, or a name and a role; found {shown}", hint=_HINT)
    name = named(entry["name"])
    return name, required_role(name, entry.get("role"))


def _is_entry(entry: Any) -> bool:
    known = isinstance(entry, dict) and entry.keys() <= {"name", "role"}
    return known and isinstance(entry.get("name"), str) and isinstance(entry.get("role"), str | None)


def _distinct(names: Names) -> Names:
    given = [name for name, _ in names.values()]
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        raise CaseError(f"two labels are named {', '.join(twice)}", hint="give each structure its own name")
    return names


def _names_in_header(content: bytes, subject: str) -> Names:
    """The label table that TotalSegmentator writes into the NIfTI header (a CaretExtension in XML)."""
    text = content.rstrip(b"\x00")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ReadError(f"{subject}: the header's XML declares entities", hint="give the names with --labels")
    try:
        table = ElementTree.fromstring(text.decode("utf-8"))
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ReadError(f"{subject}: the header's label table is damaged: {error}", hint=_HINT) from error
    found = [(label.get("Key", ""), (label.text or "").strip()) for label in table.iter("Label")]
    return _numbered([(key, name) for key, name in found if key != "0"], subject)
