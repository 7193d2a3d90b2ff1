"""A small prepared workspace, made by hand, and ways to damage it."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile as sf

from ontology.build import build_ontology
from stages.artifacts import file_metadata, read_parquet, write_parquet
from stages.check.run import run
from stages.check.settings import CheckSettings, CheckSummary
from stages.lineage import Lineage
from stages.records import FinishedRun, record_path, write_record
from stages.reporter import QuietReporter
from stages.schemas import AUDIO

RATE = 8000
LINEAGE = Lineage("prepare", {}, {}, {})
NAMES = ("clips.parquet", "labels.parquet", "rejects.parquet", "ontology.duckdb", "audio")
ONTOLOGY = [("/t/sound", ["/t/low", "/t/high"]), ("/t/low", []), ("/t/high", [])]
# clip_id, split, label_indices, shard, row
CLIPS = [
    ("a", "train", [0, 1], "part-00000.parquet", 0),
    ("b", "train", [1], "part-00000.parquet", 1),
    ("c", "valid", [0], "part-00000.parquet", 2),
    ("d", "eval", [1], "part-00001.parquet", 0),
    ("e", "eval", [0], "part-00001.parquet", 1),
]
MIDS = ("/t/low", "/t/high")

Columns = dict[str, list[Any]]
Rows = list[tuple[str, bytes]]


def seconds_of(clip_id: str) -> float:
    """Length of a clip: each has another."""
    return 0.1 + 0.01 * (ord(clip_id) - ord("a"))


def encoded_clip(
    clip_id: str, sample_rate: int = RATE, channels: int = 1, encoding: str = "FLAC"
) -> bytes:
    """What a clip sounds like: a tone of its own, of 16 bits."""
    seconds = np.arange(round(seconds_of(clip_id) * sample_rate)) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * 5 * ord(clip_id) * seconds)
    file = io.BytesIO()
    sf.write(file, np.stack([tone] * channels, axis=1), sample_rate, "PCM_16", format=encoding)
    return file.getvalue()


@dataclass(frozen=True)
class Workspace:
    """A workspace that can be damaged and recorded again, as if `spa prepare` had left it so."""

    path: Path

    def edit(self, kind: str, change: Callable[[Columns], None]) -> None:
        """Change the columns of a table, and record it."""
        path = self.path / f"{kind}.parquet"
        columns = read_parquet(path, kind).to_pydict()
        change(columns)
        write_parquet(path, kind, columns, LINEAGE)
        self.record()

    def write_shard(self, name: str, rows: Rows) -> None:
        """Write (clip_id, bytes) rows, each a row group, and record it."""
        path = self.path / "audio" / name
        path.parent.mkdir(exist_ok=True)
        schema = AUDIO.with_metadata(file_metadata("audio", LINEAGE))
        options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
        with pq.ParquetWriter(path, schema, **options) as writer:
            for clip_id, encoded in rows:
                audio = {"bytes": encoded, "path": f"{clip_id}.flac"}
                columns = {"clip_id": [clip_id], "audio": [audio]}
                writer.write_table(pa.Table.from_pydict(columns, schema))
        self.record()

    def store(self, name: str, row: int, encoded: bytes) -> None:
        """Put other audio into a row of a shard, and its hash into clips.parquet."""
        rows = self.shard(name)
        rows[row] = (rows[row][0], encoded)
        self.write_shard(name, rows)
        place = [(clip[3], clip[4]) for clip in CLIPS].index((name, row))
        digest = hashlib.sha256(encoded).hexdigest()
        self.edit("clips", lambda clips: clips["audio_sha256"].__setitem__(place, digest))

    def shard(self, name: str) -> Rows:
        """The rows of a shard."""
        rows = pq.read_table(self.path / "audio" / name).to_pylist()
        return [(row["clip_id"], row["audio"]["bytes"]) for row in rows]

    def record(self) -> None:
        """Write the record of the artifacts as they are."""
        if all((self.path / name).exists() for name in NAMES):
            finished = FinishedRun(LINEAGE, NAMES, {})
            write_record(record_path(self.path, "prepare"), self.path, finished)

    def check(self, workers: int = 2) -> CheckSummary:
        """Check it, which writes nothing."""
        before = tree(self.path)
        summary = run(CheckSettings(workers=workers), self.path, QuietReporter())
        assert tree(self.path) == before
        return summary

    def problems(self) -> list[str]:
        """What the check finds, a line a problem, without the next steps."""
        summary = self.check()
        assert summary.problem_count == len(summary.problems)
        assert summary.whole == (summary.problem_count == 0)
        assert all(problem.next_step for problem in summary.problems)
        return [f"{problem.where}: {problem.what}" for problem in summary.problems]


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder below `folder`: mode, time and bytes."""
    paths = [folder, *folder.rglob("*")]
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in paths
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Five clips in two shards, two labels, one reject."""
    made = Workspace(tmp_path / "it's a [w]orkspace")
    made.path.mkdir()
    encoded = {clip_id: encoded_clip(clip_id) for clip_id, *_ in CLIPS}
    for shard in sorted({clip[3] for clip in CLIPS}):
        made.write_shard(shard, [(clip[0], encoded[clip[0]]) for clip in CLIPS if clip[3] == shard])
    write_tables(made.path, encoded)
    keys = ("id", "name", "description", "child_ids")
    nodes = [dict(zip(keys, (mid, mid, "", below), strict=True)) for mid, below in ONTOLOGY]
    (tmp_path / "ontology.json").write_text(json.dumps(nodes), encoding="utf-8")
    build_ontology(tmp_path / "ontology.json", made.path / "ontology.duckdb")
    made.record()
    return made


def write_tables(folder: Path, encoded: dict[str, bytes]) -> None:
    """Write clips, labels and rejects."""
    clip_ids, splits, indices, shards, rows = (list(column) for column in zip(*CLIPS, strict=True))
    count = len(CLIPS)
    clips = {
        "clip_id": clip_ids,
        "split": splits,
        "fold": [None] * count,
        "recording_id": clip_ids,
        "mids": [[MIDS[index] for index in its] for its in indices],
        "label_indices": indices,
        "duration_seconds": [seconds_of(clip_id) for clip_id in clip_ids],
        "source_path": [f"{clip_id}.wav" for clip_id in clip_ids],
        "start_seconds": [None] * count,
        "end_seconds": [None] * count,
        "source_sha256": [64 * "0"] * count,
        "source_sample_rate": [RATE] * count,
        "peak_dbfs": [-6.0] * count,
        "rms_dbfs": [-9.0] * count,
        "dc_offset": [0.0] * count,
        "clipped_share": [0.0] * count,
        "shard": shards,
        "row": rows,
        "audio_sha256": [hashlib.sha256(encoded[clip_id]).hexdigest() for clip_id in clip_ids],
    }
    labels = {
        "label_index": [0, 1],
        "mid": list(MIDS),
        "display_name": list(MIDS),
        "description": ["", ""],
        "path": [["/t/sound", mid] for mid in MIDS],
        "parents": [["/t/sound"]] * 2,
        "depth": [1, 1],
        "clips_train": [1, 2],
        "clips_valid": [1, 0],
        "clips_eval": [1, 1],
    }
    rejects = {
        "source_path": ["readme.txt"],
        "clip_id": [None],
        "reason": ["not_audio"],
        "detail": ["a text"],
    }
    for kind, columns in (("clips", clips), ("labels", labels), ("rejects", rejects)):
        write_parquet(folder / f"{kind}.parquet", kind, columns, LINEAGE)


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode a clip, as other than mono FLAC at 8 kHz if wanted."""
    return encoded_clip
