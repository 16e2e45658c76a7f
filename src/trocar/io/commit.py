"""Files that appear whole or not at all, digests of files and folders, and the lock that keeps writers apart.

New files are written into `.staging/` and synced; the manifest that lists their digests then replaces the old one (the
commit point); then they move into place. `recover` completes or discards whatever a killed writer left.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trocar.errors import DossierError
from trocar.io.manifest import digest_of

STAGING = ".staging"
LOCK = ".lock"


def sha256(path: Path) -> str:
    """The digest of a file, or of a folder as a tree of files."""
    if path.is_dir():
        files = (item for item in path.rglob("*") if item.is_file())
        return digest_of({item.relative_to(path).as_posix(): sha256(item) for item in files})
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Ask the disk to hold a file, or a folder with all that is in it, before going on."""
    if path.is_dir():
        for item in path.iterdir():
            sync(item)
        sync_names(path)
    else:
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step: temporary file beside it, sync, rename, sync of the folder."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_names(path.parent)


def sync_names(folder: Path) -> None:
    """Ask the disk to hold a folder's list of names (Windows does so by itself)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def recover(folder: Path, committed: Mapping[str, str]) -> None:
    """Move every staged file whose digest the manifest lists into place; discard the rest."""
    staging = folder / STAGING
    for name, digest in committed.items():
        staged = staging / name
        if staged.exists() and sha256(staged) == digest:
            move_into_place(staged, folder / name)
    shutil.rmtree(staging, ignore_errors=True)
    for temporary in folder.glob(".*.new"):
        temporary.unlink()


def move_into_place(staged: Path, final: Path) -> None:
    """Replace a file or folder; a folder's old content is removed first, its new content stays staged until then."""
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.is_dir():
        shutil.rmtree(final)
    staged.replace(final)


def discard(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Be the only writer of a dossier; the system releases the lock when the process ends, however it ends.

    Raises `DossierError` when another process is writing.
    """
    with (folder / LOCK).open("a") as stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            raise DossierError(f"another trocar is writing {folder}", hint="wait until it is done") from error
        yield


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
