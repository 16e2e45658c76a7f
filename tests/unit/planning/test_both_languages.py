"""Every sentence of a plan is said whole in French: no id, no English name, no English number."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache

import pytest
from coldline import cold_line
from hotline import hot_line

from trocar.catalog.devicenames import device_words
from trocar.catalog.facts import devices
from trocar.catalog.structures import structure_names
from trocar.model.treatment import Technique, Text
from trocar.planning.plan import plan

BRANDS = [item.name for item in devices().values() if item.manufacturer is not None]


def texts(found: object) -> Iterator[Text]:
    """Every text within a record, however deep."""
    if isinstance(found, Text):
        yield found
    elif isinstance(found, tuple | list):
        for item in found:
            yield from texts(item)
    elif is_dataclass(found):
        for part in fields(found):
            yield from texts(getattr(found, part.name))


def only(proposal, *steps, technique=None):
    """The proposal with these of its steps, its ablation by this technique."""
    kept = tuple(item for item in proposal.sequence if item.step in steps)
    return replace(
        proposal,
        sequence=tuple(
            replace(item, technique=technique, id=f"{technique}-1") if technique and item.step == "ABLATE" else item
            for item in kept
        ),
    )


@pytest.fixture(scope="module")
def too_cold(case, proposal):
    """Ice reaches a nerve wherever the probes go: remedies are told."""
    return plan(case, only(proposal, "ABLATE"), predictor=cold_line(case, degC_per_mm=0.01))


@pytest.fixture(scope="module")
def by_microwave(case, proposal):
    hot = hot_line(case, radius_mm=15.0)
    return plan(case, only(proposal, "ABLATE", technique=Technique.MICROWAVE), heat_predictor=hot)


@pytest.fixture(scope="module")
def by_radiofrequency(case, protected_proposal):
    steps = only(protected_proposal, "PROTECT", "ABLATE", technique=Technique.RADIOFREQUENCY)
    return plan(case, steps, heat_predictor=hot_line(case))


@cache
def english_words() -> re.Pattern[str]:
    """Names of structures and phrases of devices, where the French is another."""
    named = {name.en: name.fr for name in structure_names().values() if "{" not in name.en}
    words = [en for en, fr in (named | device_words().phrases).items() if en not in fr]
    return re.compile(rf"\b({'|'.join(map(re.escape, (*words, 'left', 'right', 'root', 'vertebra', 'unknown')))})\b")


def flaws(text: Text, ids: list[str]) -> list[str]:
    """What of the French is no French."""
    french = text.fr
    for brand in BRANDS:
        french = french.replace(brand, "")
    found = [name for name in ids if name in french or ("_" in name and name.replace("_", " ") in french)]
    for pattern in (english_words(), re.compile(r"\w+_\w+"), re.compile(r"\d\.\d"), re.compile("degC")):
        found += [match[0] for match in pattern.finditer(french)]
    return found


@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("planned", "autre trajet, par l"),
        ("spared", "proche du nerf sciatique gauche"),
        ("too_cold", " autour d"),
        ("by_microwave", "Antenne micro-ondes"),
        ("by_radiofrequency", "non connu : longueur active"),
    ],
)
def test_no_french_sentence_of_a_plan_holds_english(which, says, case, request):
    said = list(texts(request.getfixturevalue(which)))
    ids = [item.name for item in case.structures]
    assert not {text.fr: found for text in said if (found := flaws(text, ids))}
    assert not [text.en for text in said if re.search(r"[a-z]_[a-z]|degC", text.en)]
    assert any(says in text.fr for text in said), [text.fr for text in said]
