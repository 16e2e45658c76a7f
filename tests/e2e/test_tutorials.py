"""The tutorials run as they are printed."""

import pytest

from .conftest import TUTORIALS


def test_there_is_one_per_case():
    assert sorted(path.stem for path in TUTORIALS.glob("*.md")) == ["ilium", "sacrum"]


@pytest.mark.parametrize(
    "tutorial",
    [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("ilium", "sacrum")],
    indirect=True,
)
def test_a_tutorial_runs_and_its_numbers_hold(tutorial):
    assert tutorial.assertions >= 3
