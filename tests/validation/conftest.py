"""Measured against known: every comparison is asserted, and written to a table when asked for.

TROCAR_VALIDATION_TABLE=docs/theory/measured.md python -m pytest tests/validation
"""

import os
from pathlib import Path

import pytest

ROWS: list[tuple[str, str, float, float, str, float]] = []


@pytest.fixture
def agree():
    """Assert that a found value lies within a tolerance of the known one, and keep both for the table."""

    def compare(problem, what, *, known, found, tolerance, unit):
        ROWS.append((problem, what, known, found, unit, tolerance))
        assert abs(found - known) <= tolerance, f"{problem}, {what}: {found:.4g} {unit}, known {known:.4g} {unit}"

    return compare


def pytest_sessionfinish(session):
    """Write the table."""
    path = os.environ.get("TROCAR_VALIDATION_TABLE")
    if not path or not ROWS:
        return
    lines = ["| problem | quantity | known | found | allowed difference |", "|---|---|---|---|---|"]
    lines += [f"| {p} | {w} | {k:.4g} {u} | {f:.4g} {u} | {t:.3g} {u} |" for p, w, k, f, u, t in ROWS]
    Path(path).write_text("\n".join(lines) + "\n")
