"""Where the golden numbers of the public encoders are, and the formulas for their weights and waveforms."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def encoders(shared: Path) -> Path:
    return shared / "golden" / "encoders"


@pytest.fixture(scope="session")
def formula(encoders: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("formula", encoders / "check_formula.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
