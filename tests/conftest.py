"""What every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real audio, metadata and golden numbers that lies outside the project.

    Its place is in SPA_SHARED. A test that needs it fails where it is missing: a test that is
    skipped on the machine that matters proves nothing.
    """
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("SPA_SHARED", root.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.fail(f"{folder} has no data/: set SPA_SHARED to the folder of shared test data")
    return folder
