"""An isotherm table as transcribed from a manufacturer's document: one line per isotherm and time.

Columns and their meaning are documented in docs/how-to/calibrate-a-needle.md.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trocar.catalog.media import table_medium
from trocar.errors import CatalogError
from trocar.model.device import Cryoprobe
from trocar.model.record import Record

REQUIRED = ("medium", "bath_degC", "time_min", "isotherm_degC", "source")
SIZES = ("width", "length", "tip")
SIZE_COLUMNS = tuple(f"{size}_{kind}" for size in SIZES for kind in ("mm", "sd_mm", "n"))
OTHER = ("needle", "diameter_mm", "active_length_mm", "tip_offset_mm", "freeze_protocol", "page")
ONE_FREEZE = ("", "single", "continuous")
_PLACE_MM = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Record):
    """One measured size: `what` is width, length, or tip (how far the isotherm reaches beyond the needle's tip)."""

    what: str
    mean_mm: float
    sd_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow(Record):
    """One line of the table."""

    medium: str
    bath_degC: float
    time_s: float
    isotherm_degC: float
    sizes: tuple[Size, ...]
    source: str
    page: str = ""

    def size(self, what: str) -> Size | None:
        """The size of this kind, if it was measured."""
        return next((size for size in self.sizes if size.what == what), None)


def read_isotherm_table(path: Path, probe: Cryoprobe) -> tuple[TableRow, ...]:
    """The rows of a CSV file that belong to a probe. Raises `CatalogError` naming the file, the line and the reason."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogError(f"{path.name}: {error}", hint="an isotherm table is a CSV file in UTF-8") from error
    if not lines:
        raise CatalogError(f"{path.name} holds no isotherm", hint=f"columns: {', '.join(REQUIRED)}, width_mm ...")
    _require_columns(path, [name for name in lines[0] if name is not None])
    return tuple(_row(line, probe, f"{path.name}, isotherm {number}") for number, line in enumerate(lines, start=1))


def _require_columns(path: Path, columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if "bath_degC" in missing:
        raise CatalogError(
            f"{path.name} does not say the bath's temperature",
            hint="add the column bath_degC: the same ice in a bath at 22 or at 37 degC is another needle",
        )
    unknown = sorted({str(name) for name in columns} - {*REQUIRED, *SIZE_COLUMNS, *OTHER})
    if missing or unknown:
        raise CatalogError(
            f"{path.name}: missing columns {missing or 'none'}, unknown columns {unknown or 'none'}",
            hint=f"columns: {', '.join((*REQUIRED, *SIZE_COLUMNS, *OTHER))}",
        )


def _row(line: dict[str, str], probe: Cryoprobe, where: str) -> TableRow:
    if None in line or None in line.values():
        raise CatalogError(f"{where}: not as many cells as columns", hint="quote cells that hold a comma")
    if not line["bath_degC"].strip():
        raise CatalogError(
            f"{where}: the bath's temperature is missing",
            hint="bath_degC must be known: the same ice in a bath at 22 or at 37 degC is another needle",
        )
    _require_same_needle(line, probe, where)
    bath_degC, isotherm_degC = _number(line, "bath_degC", where), _number(line, "isotherm_degC", where)
    if not -20 <= isotherm_degC * -1 <= 190 or not 0 < bath_degC <= 60 or not isotherm_degC < bath_degC:
        raise CatalogError(f"{where}: {isotherm_degC:g} degC in a bath at {bath_degC:g} degC", hint="check both")
    sizes = tuple(_sizes(line, where))
    if not sizes:
        raise CatalogError(f"{where}: no size", hint="give width_mm, length_mm or tip_mm, each with its sd_mm")
    if not line["source"].strip():
        raise CatalogError(f"{where}: no source", hint="name the document the figures are from")
    return TableRow(
        medium=table_medium(line["medium"]).name, bath_degC=bath_degC, time_s=60 * _number(line, "time_min", where),
        isotherm_degC=isotherm_degC, sizes=sizes, source=line["source"].strip(), page=line.get("page", "").strip(),
    )  # fmt: skip


def _sizes(line: dict[str, str], where: str) -> Iterator[Size]:
    for what in SIZES:
        if not line.get(f"{what}_mm", "").strip():
            continue
        mean_mm = _number(line, f"{what}_mm", where)
        if not line.get(f"{what}_sd_mm", "").strip():
            raise CatalogError(
                f"{where}: {what}_mm without {what}_sd_mm",
                hint="give the spread that the document states, or half of its last digit and of its figure's line",
            )
        sd_mm = _number(line, f"{what}_sd_mm", where)
        if not (0 < mean_mm < 200 and 0 < sd_mm < 50):
            raise CatalogError(f"{where}: {what} of {mean_mm:g} +/- {sd_mm:g} mm makes no sense", hint="both above 0")
        yield Size(what=what, mean_mm=mean_mm, sd_mm=sd_mm)


def _require_same_needle(line: dict[str, str], probe: Cryoprobe, where: str) -> None:
    if line.get("needle", "").strip() not in ("", probe.id, probe.name):
        raise CatalogError(f"{where} is of {line['needle']!r}, not of {probe.id}", hint="one table per needle")
    for column, known in (
        ("diameter_mm", probe.diameter_mm), ("active_length_mm", probe.active_length_mm),
        ("tip_offset_mm", probe.tip_offset_mm),
    ):  # fmt: skip
        if not line.get(column, "").strip() or known is None:
            continue
        if abs(_number(line, column, where) - known) > _PLACE_MM:
            raise CatalogError(
                f"{where}: {column} {line[column]} is not the catalog's {known:g}", hint=f"check {probe.id} first"
            )
    if line.get("freeze_protocol", "").strip().lower() not in ONE_FREEZE:
        raise CatalogError(
            f"{where}: freeze_protocol {line['freeze_protocol']!r} is not modeled here",
            hint="calibrate on sizes of one continuous freeze at full flow",
        )


def _number(line: dict[str, str], column: str, where: str) -> float:
    try:
        found = float(line[column])
    except ValueError:
        raise CatalogError(f"{where}: {column} {line[column]!r} is not a number", hint="write 12.5, not 12,5") from None
    if not math.isfinite(found):
        raise CatalogError(f"{where}: {column} is not finite", hint="leave the cell empty when it is not known")
    if column == "time_min" and not 0 < found <= 60:
        raise CatalogError(f"{where}: {found:g} minutes of freezing", hint="time_min is above 0 and at most 60")
    return found
