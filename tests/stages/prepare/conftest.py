"""Small data sets made on the spot, and how they are prepared."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from stages.pipeline import PREPARE
from stages.prepare.catalogue import Catalogue
from stages.prepare.finding import find_clips
from stages.prepare.listing import ListedClip, Listing, Reason
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
        hertz = 200 + zlib.crc32(path.name.encode()) / 2**21
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
        return walk_source(tmp_path, (), Catalogue())

    return make


Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]


@pytest.fixture
def find() -> Find:
    """Find a listing's clips on disk: those that are there, in order, and the reasons by source."""

    def run(source: SourceFolder, listing: Listing) -> tuple[list[ListedClip], dict[str, Reason]]:
        find_clips(listing, source)
        catalogue = source.catalogue
        labels = [label for label, _ in catalogue.rows("distinct_labels.sql")]
        known = [label.mid for label in listing.label_list or ()] or labels
        catalogue.add("label_mids", ((label, [label]) for label in labels if label in known))
        catalogue.do("label_clips.sql")
        catalogue.do("unique_clips.sql")
        connection = catalogue._connection
        clips = connection.execute(
            "SELECT clip_id, path, place, mids, recording_id, fold, split, start_seconds,"
            " end_seconds, source_row FROM clips ORDER BY seq"
        ).fetchall()
        rejects = connection.execute("SELECT source_path, reason FROM rejects").fetchall()
        assert len({path for path, _ in rejects}) == len(rejects)
        return (
            [ListedClip(*clip[:3], tuple(clip[3]), *clip[4:]) for clip in clips],
            {path: Reason(reason) for path, reason in rejects},
        )

    return run


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
