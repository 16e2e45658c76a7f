"""What several tests of the readers start from."""

import pytest
from asymmetric import saved, series


@pytest.fixture
def ct(tmp_path):
    """The asymmetric phantom as a folder of DICOM slices."""
    return saved(tmp_path / "ct", series())
