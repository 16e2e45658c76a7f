"""The tutorials run as they are printed: Python blocks in one session, `trocar` lines in a folder of their own."""

import re
import shlex
from pathlib import Path

import pytest

from trocar.cli.commands import run_command

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "docs/tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)


def test_there_is_one_per_case():
    assert [path.stem for path in TUTORIALS] == ["ilium", "sacrum"]


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_its_numbers_hold(tutorial, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(tutorial.read_text())
    assert sum("assert " in code for _, code in blocks) >= 3
    session: dict[str, object] = {}
    for language, code in blocks:
        if language == "python":
            exec(compile(code, tutorial.name, "exec"), session)
        else:
            for line in code.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "trocar"
                assert run_command(arguments) == 0, (line, capsys.readouterr().err)
