"""Pseudonyms and date shifts: one patient has one shift, and nothing leads back without the hospital's key."""

import datetime
import hashlib

from trocar.errors import CaseError

YEARS = (1900, 2200)  # of a patient's dates; placeholders lie outside
SHIFTS_WEEKS = 208  # four years; a whole number of weeks keeps the day of the week


def digest(*parts: str | bytes) -> str:
    """Hexadecimal SHA-256 of the parts, each length-prefixed so that no two lists of parts collide."""
    found = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        found.update(len(content).to_bytes(8, "big"))
        found.update(content)
    return found.hexdigest()


def pseudonym(salt: str, series_key: str | bytes) -> str:
    """The case id of a series. It hashes the series, not the patient: a patient number could be found by trial."""
    return f"case-{digest('trocar-case', salt, series_key)[:12]}"


def date_shift_d(salt: str, patient_key: str) -> int:
    """Days added to every date of a patient: minus 1 to 208 whole weeks, the same for all his images and documents."""
    return -7 * (1 + int(digest("trocar-date", salt, patient_key), 16) % SHIFTS_WEEKS)


def plausible(date: datetime.date) -> bool:
    """Whether a date can be one of a patient: 0001-01-01 stands for none."""
    return YEARS[0] <= date.year <= YEARS[1]


def shifted(date: datetime.date | None, shift_d: int) -> datetime.date | None:
    """The date moved by a whole number of days; unknown stays unknown. Raises `CaseError` for one that cannot be."""
    if date is None:
        return None
    try:
        return date + datetime.timedelta(days=shift_d)
    except OverflowError as error:
        raise CaseError(
            f"the date {date.isoformat()} cannot be a patient's", hint="leave it out where it is unknown"
        ) from error
