"""What all tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("the real images (../shared/data) are not here")
    return folder
