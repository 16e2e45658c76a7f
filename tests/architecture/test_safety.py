"""Every hazard of SAFETY.md points to a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAFETY = (ROOT / "SAFETY.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", SAFETY, flags=re.MULTILINE)
POINTER = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_all_hazards_are_listed():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 25))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"hazard-{row[0]}")
def test_each_control_is_held_by_a_test_or_declared_open(row):
    number, _, control, held_by = row
    pointers = POINTER.findall(held_by)
    assert pointers or held_by.startswith("open:"), f"hazard {number} names no test"
    for path, name in pointers:
        tree = ast.parse((ROOT / path).read_text())
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in names, f"hazard {number}: {path} has no {name}"
    assert control
