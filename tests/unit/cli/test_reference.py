"""The reference documents every command, option and entry of the dossier, and nothing that does not exist."""

import re
from pathlib import Path

import pytest
import typer

from trocar.cli.commands import app
from trocar.io.entries import NEEDS, USES

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference"
TOPICS = {"dossier", "clinical", "geometry", "requirements"}
COMMANDS = typer.main.get_command(app).commands


def test_every_command_has_a_page_and_every_page_a_command():
    pages = {path.stem for path in REFERENCE.glob("*.md")} - {"index"} - TOPICS
    assert pages == set(COMMANDS)
    index = (REFERENCE / "index.md").read_text()
    assert set(re.findall(r"\]\((\w+)\.md\)", index)) == pages | TOPICS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_lists_exactly_the_options_with_their_meaning(name):
    page = (REFERENCE / f"{name}.md").read_text()
    command = COMMANDS[name]
    assert " ".join(command.help.split()) in " ".join(page.split())
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.M))
    options = {option for cell in rows for option in re.findall(r"--[\w-]+", cell)}
    declared = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    assert options == {option for option in declared if option.startswith("--")} - {"--help"}
    for param in command.params:
        if param.name != "help":
            assert any(meaning.startswith(param.help) for meaning in rows.values()), param.name


def test_every_exit_code_is_told():
    index = (REFERENCE / "index.md").read_text()
    assert re.findall(r"^\| (\d+) \|", index, re.M) == ["0", "1", "2", "3", "4", "5", "130"]


def test_the_dossier_page_tells_what_each_entry_is_made_from():
    page = (REFERENCE / "dossier.md").read_text()
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|$", page, re.M)}
    assert list(rows) == list(NEEDS)
    for entry, (needs, uses) in rows.items():
        assert tuple(re.findall(r"`(\w+)`", needs)) == NEEDS[entry]
        assert tuple(re.findall(r"`(\w+)`", uses)) == USES.get(entry, ())
