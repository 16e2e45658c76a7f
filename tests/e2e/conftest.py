"""A coarse synthetic case, in memory and as files, and the command line as its users call it."""

import contextlib
import io
import operator
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from trocar import phantoms
from trocar.cli.commands import run_command
from trocar.model.finding import Verdict
from trocar.reporting.directions import sign

from . import files

COARSE_MM = 3.0
DEMO_MM = 2.0  # a CT's voxel; coarser, a needle of 1.5 mm is not found on the control
ENTRIES = ("case", "assessment", "proposals", "plan", "simulation", "control", "verification", "as_done", "report")
TUTORIALS = Path(__file__).resolve().parents[2] / "docs/tutorials"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)


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


@dataclass(frozen=True)
class Tutorial:
    """What a tutorial left behind: the folder that it ran in and its number of assertions."""

    folder: Path
    assertions: int


@pytest.fixture(scope="module")
def tutorial(request, tmp_path_factory):
    """The module's `TUTORIAL` as printed: Python blocks in one session, `trocar` lines, in a folder of their own."""
    blocks = BLOCK.findall((TUTORIALS / f"{request.module.TUTORIAL}.md").read_text())
    folder = tmp_path_factory.mktemp(request.module.TUTORIAL)
    session: dict[str, object] = {}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for language, code in blocks:
            if language == "python":
                exec(compile(code, f"{request.module.TUTORIAL}.md", "exec"), session)
            else:
                for line in code.splitlines():
                    program, *arguments = shlex.split(line)
                    assert program == "trocar"
                    assert run_command(arguments) == 0, line
    return Tutorial(folder=folder, assertions=sum(code.count("assert ") for _, code in blocks))


def assert_all_the_way(dossier):
    """Every entry is made, none is stale, and what the manifest says is what is there."""
    assert [status.name for status in dossier.status() if dossier.is_fresh(status.name)] == list(ENTRIES)
    dossier.verify()
    assert (dossier.folder / "report.html").stat().st_size > 100_000
    assert_limits_count_as_they_are_said(dossier)


def assert_limits_count_as_they_are_said(dossier):
    """What passed lies on the side of its limit that the tables call good."""
    found = [dossier.read(name) for name in ("assessment", "plan", "simulation", "verification", "as_done")]
    held = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}
    passed = [
        check
        for finding in found
        for check in finding.all_checks()
        if check.verdict is Verdict.PASS and None not in (check.value, check.limit) and sign(check.name)
    ]
    assert len(passed) > 40
    assert [c for c in passed if not held[sign(c.name)](round(c.value, 2), round(c.limit, 2))] == []
