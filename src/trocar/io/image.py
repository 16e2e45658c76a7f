"""What the image readers return: a CT on its grid with what was said about it, already without identity."""

import datetime
from dataclasses import dataclass

from trocar.model.case import GeometryFinding
from trocar.model.record import Record
from trocar.model.space import Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image(Record):
    """One CT. `acquired` is shifted by `date_shift_d`; `pseudonym` derives from hashes only.

    `frame_of_reference_uid` lives while a case is read, to refuse structures drawn elsewhere; it never enters the case.
    """

    volume: Volume
    pseudonym: str
    findings: tuple[GeometryFinding, ...] = ()
    frame_of_reference_uid: str | None = None
    acquired: datetime.date | None = None
    date_shift_d: int = 0
    contrast_enhanced: bool | None = None
