"""The matrix of the article's requirements, from tests/requirements.toml and the `# shows: R17` lines of the tests.

`python scripts/requirements_matrix.py` writes docs/reference/requirements.md; `--check` says whether it is current.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/requirements.md"
TAG = re.compile(r"^# shows: (R\d+(?:, R\d+)*)$")
HEAD = """# The article's requirements, and what shows them

Made by `scripts/requirements_matrix.py` from the tests; do not edit by hand. R1 to R105 are the requirements read from
the article that trocar follows, in this project's words. *Open* says why nothing shows a requirement yet.

"""


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` exit 1 when it is not current."""
    made = page()
    if "--check" in arguments:
        return 0 if PAGE.read_text(encoding="utf-8") == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


def page() -> str:
    """The whole page. Raises `SystemExit` naming an unknown tag, or a requirement that is neither shown nor open."""
    known, shown = requirements(), tags()
    if wrong := problems(known, shown):
        raise SystemExit("\n".join(wrong))
    done = sum(not row.get("open") for row in known.values())
    rows = [f"{done} of {len(known)} are shown by a test, {len(known) - done} are open.", ""]
    rows += ["| | requirement | where | shown by |", "|---|---|---|---|"]
    for key, row in known.items():
        where = ", ".join(f"`{path}`" for path in row.get("where", ()))
        by = ", ".join(f"`{test}`" for test in shown.get(key, ())) or f"open: {row['open']}"
        rows.append(f"| {key} | {row['title']} | {where} | {by} |")
    return HEAD + "\n".join(rows) + "\n"


def requirements() -> dict[str, dict]:
    """Every requirement: title, where it is implemented, and why it is open when it is."""
    return tomllib.loads((ROOT / "tests/requirements.toml").read_text(encoding="utf-8"))


def tags() -> dict[str, list[str]]:
    """Requirement -> the tests that say they show it, as path::name."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, keys in _tagged(path):
            for key in keys:
                found.setdefault(key, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def problems(known: dict[str, dict], shown: dict[str, list[str]]) -> list[str]:
    """What keeps the matrix from being true."""
    wrong = [f"{key} is shown by {shown[key][0]} but is no requirement" for key in shown.keys() - known.keys()]
    for key, row in known.items():
        if bool(row.get("open")) == (key in shown):
            wrong.append(f"{key}: either a test shows it, or it is open with a reason")
        wrong += [
            f"{key}: there is no {path}" for path in row.get("where", ()) if not (ROOT / "src/trocar" / path).exists()
        ]
    return wrong


def _tagged(path: Path) -> Iterator[tuple[str, list[str]]]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first > 1 and (match := TAG.match(lines[first - 2])):
                yield node.name, match.group(1).split(", ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
