"""Every public name says what it is; no file names a machine."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src/trocar").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_every_module_and_public_function_has_a_docstring(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path.name} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


def test_tracked_files_name_no_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    needles = [f"/{place}/{word}" for place, word in (("work", "main"), ("work", "shared"), ("root", "."))]
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in {".png", ".gz", ".dcm", ".ico", ".woff2"} or not path.is_file():
            continue
        text = path.read_text(errors="ignore")
        assert not [needle for needle in needles if needle in text], name


def test_tracked_files_hold_no_image():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    images = (".dcm", ".nii", ".nii.gz", ".nrrd", ".mha", ".ima", ".stl")
    assert not [name for name in listed.stdout.split() if name.lower().endswith(images)]


def test_pins_carry_hashes_and_no_host():
    for pins in (ROOT / "requirements").glob("*.txt"):
        text = pins.read_text()
        assert "http" not in text and "index-url" not in text
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert packages and all("==" in line for line in packages)
        assert text.count("--hash=sha256:") >= len(packages)
