"""Training on audio at another rate than the encoder hears."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.audio.store import AudioStore, encode_audio
from stages.models.checkpoint import ModelHeader
from stages.models.tagger import Tagger
from stages.reporter import QuietReporter
from stages.schemas import AUDIO
from stages.train.audio_rate import warn_of_other_rate


def header() -> ModelHeader:
    tagger = Tagger("small", 1)
    return ModelHeader(
        encoder="small",
        front_end=tagger.encoder.front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=("/m/a",),
        display_names=("A",),
        clip_seconds=1.0,
        text_space=None,
        ontology_sha256="",
        training={},
        metrics={},
        lineage="{}",
    )


@pytest.mark.parametrize(("rate", "warnings"), [(32000, 0), (16000, 1), (44100, 1)])
def test_another_rate_is_said_once(tmp_path: Path, rate: int, warnings: int) -> None:
    clip = {"bytes": encode_audio(np.zeros(rate, np.float32), rate, "flac"), "path": "a.flac"}
    audio = pa.Table.from_pydict({"clip_id": ["a"] * 3, "audio": [clip] * 3}, schema=AUDIO)
    pq.write_table(audio, tmp_path / "a.parquet")
    clips = pa.table({"shard": ["a.parquet"] * 3, "row": [0, 1, 2]})
    reporter = QuietReporter()
    warn_of_other_rate(clips, AudioStore(tmp_path, 32000), header(), reporter)
    assert len(reporter.warnings) == warnings
    assert all(f"{rate} Hz, encoder 'small' hears 32000 Hz" in said for said in reporter.warnings)
