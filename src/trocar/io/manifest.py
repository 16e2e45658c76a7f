"""The dossier's table of contents: what each entry is, what it was made from, and who approved the plan."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from trocar.model.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Record):
    """One finished result. `files` maps each file or folder, relative to the dossier, to its SHA-256."""

    files: dict[str, str]
    made_from: dict[str, str] = field(default_factory=dict)  # entry -> digest it had then
    made_when: str  # ISO 8601, UTC
    made_by: str  # trocar and its version
    settings: dict[str, int | float | str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One digest over all files of the entry."""
        return digest_of(self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Record):
    """Someone's approval of the plan with exactly these digests; it is void as soon as one of them changes."""

    approved_by: str
    approved_when: str
    digests: dict[str, str]
    ruleset: str = ""  # version and digest of the rules that the plan was made under


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Record):
    """`trocar.json`, the commit point: an entry exists when it is listed here."""

    entries: dict[str, Entry] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()


def digest_of(parts: Mapping[str, str]) -> str:
    """SHA-256 over named digests, independent of their order."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(parts.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
