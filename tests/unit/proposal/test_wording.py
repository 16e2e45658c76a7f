"""Numbers in the reasons: no finer than they are measured, a comma in French, nothing to mistake for thousands."""

import pytest

from trocar.proposal import wording


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (9.9991, "mm", "10 mm", "10 mm"),
        (7.25, "mm", "7.2 mm", "7,2 mm"),
        (5154.4, "mm²", "5154 mm²", "5154 mm²"),
        (0.6123, "", "0.61", "0,61"),
        (1.5, "", "1.5", "1,5"),
        (12345.0, "", "12345", "12345"),
        (0, "mm", "0 mm", "0 mm"),
        (21, "d", "21 days", "21 j"),
    ],
)
def test_a_number_in_both_languages(value, unit, english, french):
    said = wording.number(value, unit)
    assert (said.en, said.fr) == (english, french)
