"""A coarse synthetic case, in memory and as files, and the command line as its users call it."""

import subprocess
import sys
from pathlib import Path

import pytest

from trocar import phantoms

from . import files

COARSE_MM = 3.0


@pytest.fixture(scope="session")
def ilium():
    return phantoms.ilium(spacing_mm=(COARSE_MM, COARSE_MM, COARSE_MM))


@pytest.fixture(scope="session")
def sacrum():
    return phantoms.sacrum(spacing_mm=(COARSE_MM, COARSE_MM, COARSE_MM))


@pytest.fixture(scope="session")
def given(ilium, tmp_path_factory) -> dict[str, Path]:
    """The case's files by what they are."""
    return files.write_case(tmp_path_factory.mktemp("given"), ilium)


@pytest.fixture(scope="session")
def trocar_command():
    """Runs `trocar` in a process of its own, as a user does."""

    def call(*arguments, check=None, cwd=None):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "trocar"), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if check is not None:
            assert done.returncode == check, done.stderr
        return done

    return call
