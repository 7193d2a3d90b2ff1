"""Decode the files of one shard and write what can be decoded. Runs in a worker process."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.artifacts import replacing
from stages.audio.decode import DecodedAudio, decode_file
from stages.audio.store import encode_flac
from stages.errors import AudioError
from stages.schemas import AUDIO


@dataclass(frozen=True)
class Encoding:
    """What all shards share: where files come from and go to, the rate in Hz, the file metadata."""

    root: Path
    folder: Path
    sample_rate: int
    max_seconds: float
    metadata: dict[bytes, bytes]


@dataclass(frozen=True)
class ShardTask:
    """One shard: its file name, and the (clip_id, path relative to the root) of each clip."""

    name: str
    clips: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StoredClip:
    """A clip that is in its shard. Levels are in dB of full scale; None is digital silence."""

    row: int
    duration_seconds: float
    source_sha256: str
    source_sample_rate: int
    peak_dbfs: float | None
    rms_dbfs: float | None
    encoded_bytes: int


@dataclass(frozen=True)
class FailedClip:
    """A clip that could not be decoded. `code` is one of AudioError's."""

    code: str
    detail: str


Result = StoredClip | FailedClip


def write_shard(task: ShardTask, encoding: Encoding, report: Callable[[Result], None]) -> None:
    """Write one shard, a row group a clip, and report the result of every clip in order.

    A shard of which no clip can be decoded is not written.
    """
    encoded = _encoded(task, encoding, report)
    first = next(encoded, None)
    if first is None:
        return
    schema = AUDIO.with_metadata(encoding.metadata)
    # FLAC does not compress further, and statistics of it would only swell the footer.
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    with (
        replacing(encoding.folder / task.name) as path,
        pq.ParquetWriter(path, schema, **options) as writer,
    ):
        for clip_id, flac in chain([first], encoded):
            audio = {"bytes": flac, "path": f"{clip_id}.flac"}
            writer.write_table(
                pa.Table.from_pydict({"clip_id": [clip_id], "audio": [audio]}, schema)
            )


def _encoded(
    task: ShardTask, encoding: Encoding, report: Callable[[Result], None]
) -> Iterator[tuple[str, bytes]]:
    """Yield (clip_id, FLAC bytes) of each clip that can be decoded, after reporting it."""
    row = 0
    for clip_id, path in task.clips:
        try:
            decoded = decode_file(encoding.root / path, encoding.sample_rate, encoding.max_seconds)
        except AudioError as error:
            report(FailedClip(error.code, error.message))
            continue
        flac = encode_flac(decoded.waveform, decoded.sample_rate)
        report(_stored(row, decoded, len(flac)))
        yield clip_id, flac
        row += 1


def _stored(row: int, decoded: DecodedAudio, encoded_bytes: int) -> StoredClip:
    waveform = decoded.waveform
    return StoredClip(
        row=row,
        duration_seconds=len(waveform) / decoded.sample_rate,
        source_sha256=decoded.source_sha256,
        source_sample_rate=decoded.source_sample_rate,
        peak_dbfs=_dbfs(_peak(waveform)),
        rms_dbfs=_dbfs(_rms(waveform)),
        encoded_bytes=encoded_bytes,
    )


def _peak(waveform: NDArray[np.float32]) -> float:
    return float(max(waveform.max(), -waveform.min()))


def _rms(waveform: NDArray[np.float32]) -> float:
    """Root mean square, in double precision: a float file may hold squares beyond single."""
    return math.sqrt(float(np.mean(np.square(waveform, dtype=np.float64))))


def _dbfs(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None
