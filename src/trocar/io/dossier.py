"""The dossier: one case as a folder that a person can read, zip and mail, and that a killed program cannot damage.

`trocar.json` lists every finished result with its digest and the digests of what it was made from. A result is stale
when one of those changed, is gone, or is stale itself. See docs/reference/dossier.md.
"""

import datetime
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import trocar
from trocar.catalog.ruleset import ruleset
from trocar.errors import DossierError, InputError, PlanningError
from trocar.io import commit, entries
from trocar.io.codec import decode, encode
from trocar.io.entries import NEEDS, USES
from trocar.io.manifest import Approval, Entry, Manifest
from trocar.model.case import Case
from trocar.model.record import Record
from trocar.model.treatment import Plan

MANIFEST = "trocar.json"
DOCUMENTS = "documents"  # what `trocar documents` writes; no entry, for it is made from several


class State(StrEnum):
    MISSING = "missing"
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStatus(Record):
    """Where one entry stands; `reasons` says what made it stale."""

    name: str
    state: State
    reasons: tuple[str, ...] = ()
    made_when: str | None = None
    settings: dict[str, int | float | str] | None = None


class Dossier:
    """A folder with a case and every result made for it."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest
        self._held = False
        self._read: dict[str, tuple[str, Any]] = {}

    def __repr__(self) -> str:
        return f"Dossier({str(self.folder)!r})"

    @classmethod
    def create(cls, folder: str | Path, case: Case, *, replace_existing: bool = False) -> Self:
        """A new dossier that holds a case.

        Raises `InputError` when the folder holds something else, or a dossier that is not to be replaced.
        """
        folder = Path(folder)
        cls.require_free(folder, replace_existing=replace_existing)
        folder.mkdir(parents=True, exist_ok=True)
        dossier = cls(folder, Manifest())
        with dossier.writing():
            dossier._manifest = replace(dossier._manifest, approvals=())
            for sheet in _sheets(folder):  # of the case that was there before
                commit.discard(sheet)
            dossier._stage("case", case)
            dossier._commit("case", made_from={}, settings={}, keep=())
        return dossier

    @staticmethod
    def require_free(folder: str | Path, *, replace_existing: bool = False) -> None:
        """Raises `InputError` unless a dossier may be created in this folder."""
        is_dossier = (Path(folder) / MANIFEST).exists()
        if is_dossier and not replace_existing:
            raise InputError(f"{folder} is a dossier already", hint="choose another name, or replace it with --force")
        if not is_dossier and _holds_something(Path(folder)):
            raise InputError(f"{folder} exists and is no dossier", hint="choose another name")

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The dossier in a folder; what a killed program left behind is completed or discarded first.

        Raises `DossierError` when there is none, or its manifest is damaged or too new.
        """
        folder = Path(folder)
        dossier = cls(folder, _read_manifest(folder))
        if (folder / commit.STAGING).exists():
            try:
                with dossier.writing():
                    pass
            except DossierError:
                pass  # a living writer owns what is staged
        return dossier

    def __contains__(self, name: str) -> bool:
        return name in self._manifest.entries

    def digest(self, name: str) -> str:
        """The digest of an entry. Raises `DossierError` when it is missing."""
        return self._entry(name).digest

    def settings(self, name: str) -> Mapping[str, int | float | str]:
        """The settings an entry was made with."""
        return self._entry(name).settings

    # --- reading

    def read(self, name: str, *, arrays: bool = True) -> Any:
        """The noun an entry holds: for `proposals` a tuple, for `report` its HTML. `arrays=False` leaves fields out.

        Raises `DossierError` when it is missing or its files are not those that were written.
        """
        entry = self._entry(name)
        kept = self._read.get(name)
        if kept and kept[0] == entry.digest:
            return kept[1]
        self._check_files(name)
        noun = entries.load(name, self.folder, arrays=arrays)
        if name in ("case", "control"):  # large, and read by every stage
            self._read[name] = (entry.digest, noun)
        return noun

    def document(self, name: str) -> dict[str, Any]:
        """The JSON of an entry as it is on disk; of the report, where it is. Raises `DossierError` like `read`."""
        self._check_files(name)
        if name == "report":
            path = self.folder / "report.html"
            return {"schema": "trocar/report/1", "path": str(path), "sha256": self._entry(name).files[path.name]}
        path = self.folder / ("control/case.json" if name == "control" else f"{name}.json")
        values: dict[str, Any] = json.loads(path.read_bytes())
        return values

    # --- writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the dossier as its only writer; may be nested. Raises `DossierError` when another process does."""
        if self._held:
            yield
            return
        with commit.exclusive(self.folder):
            self._held = True
            try:
                if (self.folder / MANIFEST).exists():
                    self._manifest = _read_manifest(self.folder)
                commit.recover(self.folder, self._committed_files())
                yield
            finally:
                self._held = False

    def write(
        self,
        name: str,
        noun: Any,
        *,
        made_from: Iterable[str] | None = None,
        settings: Mapping[str, int | float | str] | None = None,
    ) -> None:
        """Store a result. `made_from` names the entries it was made from; without it, all that it needs or uses."""
        sources = made_from if made_from is not None else (*NEEDS[name], *USES.get(name, ()))
        with self.writing():
            digests = {source: self.digest(source) for source in sources if source in self}
            self._stage(name, noun)
            self._commit(name, made_from=digests, settings=dict(settings or {}), keep=self._manifest.entries)

    def _stage(self, name: str, noun: Any) -> None:
        """Write an entry's files into the staging folder."""
        staging = self.folder / commit.STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        entries.store(name, noun, staging)

    def _commit(
        self, name: str, *, made_from: dict[str, str], settings: dict[str, int | float | str], keep: Iterable[str]
    ) -> None:
        """Make the staged files the entry `name`, and forget all other entries but those to keep."""
        staging = self.folder / commit.STAGING
        commit.sync(staging)
        entry = Entry(
            files={item.name: commit.sha256(item) for item in sorted(staging.iterdir())},
            made_from=made_from,
            made_when=_now(),
            made_by=f"trocar {trocar.__version__}",
            settings=settings,
        )
        before = self._committed_files()
        listed = {known: value for known, value in self._manifest.entries.items() if known in keep} | {name: entry}
        self._save(replace(self._manifest, entries={known: listed[known] for known in NEEDS if known in listed}))
        for file in entry.files:
            commit.move_into_place(staging / file, self.folder / file)
        staging.rmdir()
        for file in before.keys() - self._committed_files().keys():
            commit.discard(self.folder / file)

    def _save(self, manifest: Manifest) -> None:
        commit.write_atomically(self.folder / MANIFEST, encode("dossier", manifest))
        self._manifest = manifest

    # --- what is true of it

    def status(self) -> tuple[EntryStatus, ...]:
        """Where every entry stands, in the order of the workflow."""
        return tuple(self.state_of(name) for name in NEEDS)

    def state_of(self, name: str) -> EntryStatus:
        """Where one entry stands: missing, fresh, or stale and why."""
        if name not in self:
            return EntryStatus(name=name, state=State.MISSING)
        entry = self._entry(name)
        reasons = tuple(self._stale_reasons(name, entry))
        return EntryStatus(
            name=name,
            state=State.STALE if reasons else State.FRESH,
            reasons=reasons,
            made_when=entry.made_when,
            settings=entry.settings,
        )

    def is_fresh(self, name: str) -> bool:
        """Whether an entry is there and nothing it was made from has changed."""
        return self.state_of(name).state is State.FRESH

    def _stale_reasons(self, name: str, entry: Entry) -> Iterator[str]:
        for source, digest in entry.made_from.items():
            if source not in self:
                yield f"{source} is gone"
            elif self.digest(source) != digest:
                yield f"{source} changed"
            elif not self.is_fresh(source):
                yield f"{source} is stale"
        for source in USES.get(name, ()):
            if source not in entry.made_from and self.is_fresh(source):
                yield f"{source} is new"

    def verify(self) -> None:
        """Compare every file with its digest. Raises `DossierError` naming the first that differs or is missing."""
        for name in self._manifest.entries:
            self._check_files(name)

    def _check_files(self, name: str) -> None:
        for file, digest in self._entry(name).files.items():
            path = self.folder / file
            if not path.exists():
                raise DossierError(f"{path} is missing", hint="restore it, or make the dossier anew")
            if commit.sha256(path) != digest:
                raise DossierError(
                    f"{path} is not what trocar wrote", hint=f"restore it, or make it again: {entries.MADE_BY[name]}"
                )

    # --- approval

    def approve(self, approved_by: str) -> Approval:
        """Record that someone approves the plan as it is now.

        Raises `InputError` without a name; `PlanningError` when there is no plan, it is stale, it is a draft, it was
        made under other rules, or its simulation is fresh and fails a check.
        """
        if not approved_by.strip():
            raise InputError("an approval needs the name of who gives it", hint="--by NAME")
        with self.writing():
            if not self.is_fresh("plan"):
                raise PlanningError("there is no up-to-date plan to approve", hint="trocar run first")
            plan: Plan = self.read("plan")
            if not plan.approvable:
                reasons = [*plan.blocked_by, *(f"{check.name} {check.subject}".strip() for check in plan.failed)]
                raise PlanningError(f"the plan is a draft: {', '.join(reasons)}", hint="resolve these first")
            if plan.ruleset and plan.ruleset != ruleset().version:
                raise PlanningError(
                    "the plan was made under other rules than today's", hint="trocar propose, then trocar run"
                )
            names = [name for name in ("case", "proposals", "plan", "simulation") if self.is_fresh(name)]
            if "simulation" in names and (failed := self.read("simulation", arrays=False).failed):
                listed = ", ".join(dict.fromkeys(f"{check.name} {check.subject}".strip() for check in failed))
                raise PlanningError(f"the plan's simulation fails: {listed}", hint="change the plan, or its settings")
            approval = Approval(
                approved_by=approved_by.strip(),
                approved_when=_now(),
                digests={name: self.digest(name) for name in names},
                ruleset=plan.ruleset,
            )
            self._save(replace(self._manifest, approvals=(*self._manifest.approvals, approval)))
        return approval

    def approvals(self) -> tuple[tuple[Approval, bool], ...]:
        """Every approval, and whether it still stands: new rules or staleness of what it was given for revoke it."""
        return tuple(
            (
                approval,
                approval.ruleset in ("", ruleset().version)
                and all(
                    name in self and self.digest(name) == digest and self.is_fresh(name)
                    for name, digest in approval.digests.items()
                ),
            )
            for approval in self._manifest.approvals
        )

    # --- inside

    def _entry(self, name: str) -> Entry:
        if name not in self._manifest.entries:
            raise DossierError(f"{self.folder} holds no {name}", hint=f"make it first: {entries.MADE_BY[name]}")
        return self._manifest.entries[name]

    def _committed_files(self) -> dict[str, str]:
        return {file: digest for entry in self._manifest.entries.values() for file, digest in entry.files.items()}


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not folder.exists():
        raise DossierError(f"there is no {folder}", hint="trocar new makes a dossier")
    try:
        manifest: Manifest = decode("dossier", path.read_bytes(), source=path.name)
    except FileNotFoundError as error:
        raise DossierError(f"{folder} is no dossier: it has no {MANIFEST}", hint="trocar new makes one") from error
    except OSError as error:
        raise DossierError(f"{path} cannot be read: {error}", hint="check the path and its permissions") from error
    if unknown := manifest.entries.keys() - NEEDS.keys():
        raise DossierError(f"{path} lists an unknown entry: {', '.join(sorted(unknown))}", hint="update trocar")
    for name, entry in manifest.entries.items():
        if foreign := [file for file in entry.files if not entries.owns(name, file)]:
            said = f"{path} lists {foreign[0]!r}, which is no file of {name}"
            raise DossierError(said, hint="it was changed by hand: restore it, or make the dossier anew")
    return manifest


def _sheets(folder: Path) -> list[Path]:
    """What `trocar documents` has written into a dossier: a sheet is named for its kind and its language."""
    found = (folder / DOCUMENTS).glob("*") if (folder / DOCUMENTS).is_dir() else ()
    return [path for path in found if re.fullmatch(r"[a-z-]+[.-](en|fr)\.(html|pdf)", path.name)]


def _holds_something(folder: Path) -> bool:
    """Whether a path is taken by more than what a killed `create` left."""
    if not folder.is_dir():
        return folder.exists()
    return any(item.name not in (commit.STAGING, commit.LOCK) for item in folder.iterdir())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
