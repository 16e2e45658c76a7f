"""One bone, and a lesion of it, from label maps alone: no CT is needed to look for corridors in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trocar.errors import CaseError
from trocar.io.labels import named_labels
from trocar.io.nifti import read_label_values
from trocar.io.region import onto_grid
from trocar.model.case import GeometryFinding
from trocar.model.record import Record
from trocar.model.space import Array, Grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneMask(Record):
    """Masks [i, j, k] of a bone and of a lesion (None where none was given) on one grid, and what was said of them."""

    name: str
    grid: Grid
    inside: Array
    lesion: Array | None
    geometry: tuple[GeometryFinding, ...] = ()


def read_bone(path: Path | str, *, bone: str | None = None, lesion: str | None = None) -> BoneMask:
    """A bone from a NIfTI mask or label map: `bone` is its number or name, and may be left out for a single label.

    `lesion` is a NIfTI mask, on any grid that overlaps, or another label of the same map. Names are those of the map's
    header or sidecar. Raises `CaseError` for a label that is not there, `ReadError` and `GeometryError` as for cases.
    """
    file = Path(path)
    values, grid, findings, extensions = read_label_values(file, subject="bone")
    present = [int(value) for value in np.unique(values) if value]
    if not present:
        raise CaseError("bone: the mask is empty", hint="check that it is the right file")
    names = named_labels(file, extensions)
    if bone is None and len(present) > 1:
        shown = ", ".join(f"{value} {names.get(value, '')}".strip() for value in present[:12])
        raise CaseError(f"the map holds {len(present)} labels ({shown})", hint="say which is the bone: --bone")
    number = present[0] if bone is None else _number(bone, names, present)
    tumor, said = None, findings
    if lesion is not None:
        tumor, more = _lesion(lesion, values, names, present, grid)
        said = (*findings, *more)
    return BoneMask(
        name=names.get(number, file.name.split(".")[0]),
        grid=grid,
        inside=values == number,
        lesion=tumor,
        geometry=said,
    )


def _number(given: str, names: dict[int, str], present: list[int]) -> int:
    if given.isdecimal() and int(given) in present:
        return int(given)
    found = [number for number in present if names.get(number) == given]
    if not found:
        known = ", ".join(f"{number} {names.get(number, '')}".strip() for number in present[:12])
        raise CaseError(f"the map holds no label {given!r}", hint=f"there are: {known}")
    return found[0]


def _lesion(
    given: str, values: Array, names: dict[int, str], present: list[int], grid: Grid
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
