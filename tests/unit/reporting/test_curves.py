"""Temperature over time: where the protocol ends, and what is only followed on after it."""

import re

import pytest

from trocar.model.finding import History
from trocar.reporting.curves import curves
from trocar.reporting.language import Language

MINUTES = range(0, 46, 5)


@pytest.fixture
def history():
    times = tuple(60.0 * minute for minute in MINUTES)
    return History(
        step="cryoablation-1", name="femoral_nerve_left", time_s=times,
        minimum_degC=tuple(37.0 - 0.4 * minute for minute in MINUTES), maximum_degC=(37.0,) * len(times),
    )  # fmt: skip


@pytest.mark.parametrize(("code", "words"), [("en", "end of the protocol"), ("fr", "fin du protocole")])
def test_the_end_of_the_protocol_is_marked_where_tissue_was_followed_on(history, code, words):
    drawn = curves((history,), (), Language(code), ends_s=33 * 60.0)
    assert words in drawn
    line = re.search(r'd="M([\d.]+) 350L\1 20" class="grid"', drawn)
    assert line is not None
    assert float(line[1]) == pytest.approx(70 + (660 - 70) * 33 / 45, abs=0.1)


def test_an_end_that_is_the_last_moment_is_not_marked(history):
    assert "end of the protocol" not in curves((history,), (), Language("en"), ends_s=45 * 60.0)
    assert "end of the protocol" not in curves((history,), (), Language("en"))
