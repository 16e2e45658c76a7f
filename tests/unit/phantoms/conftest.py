"""Phantoms made once for all tests of the folder."""

import pytest

from trocar import phantoms
from trocar.model.case import Case


@pytest.fixture(scope="package")
def ilium() -> Case:
    return phantoms.ilium(spacing_mm=(1.5, 1.5, 1.5))


@pytest.fixture(scope="package")
def sacrum() -> Case:
    return phantoms.sacrum(spacing_mm=(1.5, 1.5, 1.5))


@pytest.fixture(scope="package")
def coarse() -> Case:
    return phantoms.ilium(spacing_mm=(3.0, 3.0, 3.0))
