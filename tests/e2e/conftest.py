"""A coarse synthetic case, in memory and as files, and the command line as its users call it."""

import contextlib
import functools
import io
import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from trocar import phantoms
from trocar.cli.commands import run_command

from . import carved, files

COARSE_MM = 3.0
DEMO_MM = 2.0  # a CT's voxel; coarser, a needle of 1.5 mm is not found on the control
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


@pytest.fixture(scope="session")
def run_tutorial(tmp_path_factory):
    """Runs a tutorial as it is printed, once: Python blocks in one session, `trocar` lines, both in its own folder."""

    @functools.cache
    def ran(name: str) -> Tutorial:
        blocks = BLOCK.findall((TUTORIALS / f"{name}.md").read_text())
        folder = tmp_path_factory.mktemp(name)
        session: dict[str, object] = {}
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            for language, code in blocks:
                if language == "python":
                    exec(compile(code, f"{name}.md", "exec"), session)
                else:
                    for line in code.splitlines():
                        program, *arguments = shlex.split(line)
                        assert program == "trocar"
                        assert run_command(arguments) == 0, line
        return Tutorial(folder=folder, assertions=sum(code.count("assert ") for _, code in blocks))

    return ran


@pytest.fixture(scope="session")
def tutorial(request, run_tutorial):
    """The tutorial of the test's parameter."""
    return run_tutorial(request.param)


@pytest.fixture(scope="session")
def sacrum_demo(trocar_command, tmp_path_factory):
    """The folder of `trocar demo sacrum` and what the command printed as JSON."""
    place = tmp_path_factory.mktemp("demo")
    options = ("--voxel-mm", DEMO_MM, "--spacing-mm", COARSE_MM, "--no-open", "--json")
    done = trocar_command("demo", "sacrum", *options, check=0, cwd=place)
    assert done.stderr == ""
    return place / "demo/sacrum", json.loads(done.stdout)


@pytest.fixture(scope="session")
def dossier_of(request, run_tutorial, trocar_command, tmp_path_factory):
    """The folder of a planned case by its name, made once: `ilium`, `sacrum`, or one carved into real CT."""

    @functools.cache
    def made(name: str) -> Path:
        if name == "ilium":
            return run_tutorial("ilium").folder / "demo/ilium"
        if name == "sacrum":
            return request.getfixturevalue("sacrum_demo")[0]
        return carved.run(name, request.getfixturevalue("shared_data"), trocar_command, tmp_path_factory.mktemp(name))

    return made
