"""Bones, a lesion of them and what lies around, from label maps alone: corridors need no CT."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.surface import grown_bounds, slices
from trocar.io.labels import named_labels
from trocar.io.nifti import read_label_values
from trocar.io.region import onto_grid
from trocar.model.case import GeometryFinding, Role, Structure
from trocar.model.record import Record
from trocar.model.space import Array, Grid

AROUND_MM = 30.0  # of the bones, in which other labels are kept
ORIGIN = "label map"
Names = dict[int, tuple[str, Role]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneMask(Record):
    """Bones (by name) and what lies around them, a lesion (None where none was given), on the grid of their box.

    Labels without a name are not among the structures, unless they are a bone that was asked for.
    """

    bones: tuple[str, ...]
    structures: tuple[Structure, ...]
    grid: Grid
    lesion: Array | None
    geometry: tuple[GeometryFinding, ...] = ()


def read_bone(path: Path | str, *, bones: tuple[str, ...] | None = None, lesion: str | None = None) -> BoneMask:
    """Bones from a NIfTI mask or label map: their numbers or names, which may be left out for a single label.

    `lesion` is a NIfTI mask, on any grid that overlaps, or another label of the same map. Names and roles are those of
    the map's header or sidecar. Raises `CaseError` for a label that is not there, `ReadError` and `GeometryError` as
    for cases.
    """
    file = Path(path)
    values, grid, findings, extensions = read_label_values(file, subject="bone")
    present = [int(value) for value in np.unique(values) if value]
    if not present:
        raise CaseError("bone: the mask is empty", hint="check that it is the right file")
    names = named_labels(file, extensions)
    if not bones and len(present) > 1:
        shown = ", ".join(_shown(value, names) for value in present[:12])
        raise CaseError(f"the map holds {len(present)} labels ({shown})", hint="say which is the bone: --bone")
    numbers = [_number(each, names, present) for each in bones] if bones else present
    tumor, said, taken = None, findings, set(numbers)
    if lesion is not None:
        tumor, more = _lesion(lesion, values, names, present, grid)
        said = (*findings, *more)
        taken |= set() if Path(lesion).is_file() else {_number(lesion, names, present)}
    low, high = _box(np.isin(values, numbers), tumor, grid)
    part = slices(low, high)
    called = {number: names[number][0] if number in names else _stem(file, number, numbers) for number in numbers}
    near = [number for number in np.unique(values[part]).tolist() if number in names and number not in taken]
    return BoneMask(
        bones=tuple(called.values()),
        structures=(
            *(_structure(values[part] == number, called[number], Role.BONE) for number in numbers),
            *(_structure(values[part] == number, *names[number]) for number in near),
        ),
        grid=grid.cropped(low, high),
        lesion=None if tumor is None else tumor[part],
        geometry=said,
    )


def _structure(inside: Array, name: str, role: Role) -> Structure:
    return Structure(name=name, role=role, inside=inside, origin=ORIGIN)


def _stem(file: Path, number: int, numbers: list[int]) -> str:
    """A mask is called by its file; of several labels each by its number too."""
    stem = file.name.split(".")[0]
    return stem if len(numbers) == 1 else f"{stem}_{number}"


def _box(inside: Array, tumor: Array | None, grid: Grid) -> tuple[Array, Array]:
    whole = inside if tumor is None else inside | tumor
    return grown_bounds(whole, np.ceil(AROUND_MM / grid.spacing_mm).astype(int))


def _shown(number: int, names: Names) -> str:
    return f"{number} {names[number][0]}" if number in names else str(number)


def _number(given: str, names: Names, present: list[int]) -> int:
    if given.isdecimal() and int(given) in present:
        return int(given)
    found = [number for number in present if number in names and names[number][0] == given]
    if not found:
        known = ", ".join(_shown(number, names) for number in present[:12])
        raise CaseError(f"the map holds no label {given!r}", hint=f"there are: {known}")
    return found[0]


def _lesion(
    given: str, values: Array, names: Names, present: list[int], grid: Grid
) -> tuple[Array, tuple[GeometryFinding, ...]]:
    if not Path(given).is_file():
        return values == _number(given, names, present), ()
    labels, source, findings, _ = read_label_values(Path(given), subject="lesion")
    part, low, said = onto_grid((labels > 0).astype(np.uint8), source, grid, "lesion")
    inside = np.zeros(grid.shape, dtype=bool)
    box = tuple(slice(start, start + size) for start, size in zip(low, part.shape, strict=True))
    inside[box] = part > 0
    if not inside.any():
        raise CaseError("lesion: the mask is empty on the bone's grid", hint="check that both belong together")
    return inside, (*findings, *said)
