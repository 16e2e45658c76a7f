"""The last stage: everything that was found, on one page that a team can read, print and mail."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trocar.model.case import Case
from trocar.reporting.gathered import Findings, gather
from trocar.reporting.language import Code
from trocar.reporting.pages import page


@dataclass(frozen=True, slots=True)
class Report:
    """One self-contained HTML page in English and French; it needs neither network nor server."""

    html: str

    def save(self, path: str | Path) -> Path:
        """Writes the page; a crash leaves the old file or the new one, never a part."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(self.html)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return target


def report(
    case: Case,
    *findings: Findings,
    language: Code | None = None,
    source_digests: Mapping[str, str] | None = None,
) -> Report:
    """The report of a case and whichever findings exist: assessment, proposals, plan, simulation, verification.

    `language` is shown first (None: the reader's browser decides); both are always there. `source_digests` maps a
    dossier entry to its SHA-256. Same input, same bytes. Raises `CaseError` when two plans are given or there is no
    lesion, `ReadError` when the viewer is not built.
    """
    return Report(page(gather(case, findings, source_digests), language=language))
