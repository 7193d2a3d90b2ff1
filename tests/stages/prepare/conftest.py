"""Small data sets made on the spot, and how they are prepared."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.prepare.source import SourceFolder, walk_source
from stages.reporter import QuietReporter
from stages.runner import run_stage

NODES = [
    ("/m/animal", "Animal", ["/m/dog", "/m/cat"]),
    ("/m/dog", "Dog", ["/m/bark"]),
    ("/m/bark", "Bark", []),
    ("/m/cat", "Cat", []),
    ("/m/rain", "Rain", []),
    ("/m/siren", "Siren", []),
]


@pytest.fixture
def ontology(tmp_path: Path) -> Path:
    """An ontology of six nodes, two of them roots with nothing below."""
    path = tmp_path / "ontology.json"
    keys = ("id", "name", "child_ids")
    nodes = [{**dict(zip(keys, node, strict=True)), "description": node[1]} for node in NODES]
    path.write_text(json.dumps(nodes))
    return path


@pytest.fixture
def write_tone() -> Callable[[Path], None]:
    """Write a tenth of a second of sound, other for every name, at 8 kHz."""

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        hertz = 200 + 17 * (sum(path.name.encode()) % 100)
        sf.write(path, 0.5 * np.sin(2 * np.pi * hertz * np.arange(800) / 8000), 8000)

    return write


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., SourceFolder]:
    """Make files in tmp_path, given as path=content, and walk them."""

    def make(**files: str) -> SourceFolder:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return walk_source(tmp_path, ())

    return make


Prepare = Callable[..., PrepareSummary]


@pytest.fixture
def prepare(tmp_path: Path, ontology: Path) -> Prepare:
    """Run the stage with one worker at 8 kHz into tmp_path/workspace."""

    def run(source: Path, workspace: Path | None = None, **settings: Any) -> PrepareSummary:
        given = {"ontology": ontology, "sample_rate": 8000, "workers": 1, **settings}
        outcome = run_stage(
            PREPARE,
            PrepareSettings(source=source, **given),
            workspace or tmp_path / "workspace",
            QuietReporter(),
        )
        return outcome.summary

    return run
