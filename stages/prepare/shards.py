"""One shard: decode its clips, write what can be decoded, and take clips out of it again."""

import hashlib
from collections.abc import Callable, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from stages.artifacts import open_parquet
from stages.atomic import replacing
from stages.audio.clip_codec import Codec, encode_audio
from stages.audio.decode import Cut, DecodedAudio, decode_audio
from stages.audio.levels import Levels
from stages.errors import AudioError
from stages.prepare.parquet_rows import AudioRows
from stages.prepare.shard_file import PARQUET_OPTIONS, clip_row, shard_schema
from stages.schemas import AUDIO

_REPORT_SECONDS = 0.25
_MOST_BYTES = (1 << 31) - 1


class ClipTask(NamedTuple):
    """A clip to decode: a file, or `row` of a Parquet file with a column `audio`, and which part of it.

    `path` is relative to the root, with forward slashes.
    """

    clip_id: str
    path: str
    row: int | None = None
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard: its file name, and its clips in order."""

    name: str
    clips: tuple[ClipTask, ...]


@dataclass(frozen=True, slots=True)
class Encoding:
    """What all shards share: where files come from and go to, and what is made of them.

    `sample_rate` is in Hz. A clip shorter than `min_seconds` is rejected, and one longer than
    `max_seconds`. `metadata` is that of the file.
    """

    root: Path
    folder: Path
    sample_rate: int
    codec: Codec
    min_seconds: float
    max_seconds: float
    metadata: dict[bytes, bytes]


class StoredClip(NamedTuple):
    """A clip that is in its shard. Hashes are SHA-256 in hex; `audio_sha256` is of the encoded bytes."""

    row: int
    duration_seconds: float
    source_sha256: str
    source_sample_rate: int
    levels: Levels
    audio_sha256: str
    encoded_bytes: int


class FailedClip(NamedTuple):
    """A clip that is in no shard. `code` is AudioError's, or "too_short", or "decoder_died"."""

    code: str
    detail: str


Result = StoredClip | FailedClip


def write_shard(  # noqa: PLR0913 - one call says all that a shard is made of
    task: ShardTask,
    encoding: Encoding,
    rows: AudioRows,
    known: Mapping[int, FailedClip],
    report: Callable[[list[Result]], None],
    *,
    one_by_one: bool = False,
) -> None:
    """Write one shard, a row group a clip, and report the results of the clips, in order.

    They are reported some at a time when they are written, or `one_by_one`. A clip whose place in
    the task is in `known` is not decoded again. A shard of which no clip can be decoded is not
    written. The bytes depend on the sources and the encoding alone. The file is written in place,
    over what a killed attempt left: not its name but its part marks it as done.

    Raises:
        MemoryError: `one_by_one`, of the clip that would be reported next.
        OSError: the shard cannot be written.
    """
    schema = shard_schema(encoding.metadata, encoding.sample_rate)
    path = encoding.folder / task.name
    with _Writer(path, schema, report, 0 if one_by_one else _REPORT_SECONDS) as writer:
        for place, clip in enumerate(task.clips):
            taken = known.get(place) or _take(clip, encoding, rows)
            if isinstance(taken, FailedClip):
                writer.add(taken)
            else:
                decoded, encoded = taken
                row = clip_row(clip.clip_id, encoded, encoding.codec, schema)
                writer.add(_stored(writer.rows, decoded, encoded), row)
        writer.flush()
    if not writer.rows:
        path.unlink(missing_ok=True)  # left by an attempt at which a clip could still be decoded


def drop_rows(shard: Path, clip_ids: Set[str]) -> None:
    """Take clips out of a shard: the bytes are those of a shard that never had them.

    A shard of which no clip is left is removed. Clips, or a shard, that are not there are no error:
    doing it again changes nothing.

    Raises:
        ArtifactError: the shard cannot be read.
    """
    if not shard.exists():
        return
    with open_parquet(shard) as file:
        ids: list[str] = file.read(["clip_id"])["clip_id"].to_pylist()
        kept = [group for group, clip_id in enumerate(ids) if clip_id not in clip_ids]
        if len(kept) == len(ids):
            return
        if kept:
            schema = AUDIO.with_metadata(file.schema_arrow.metadata)
            with (
                replacing(shard) as temporary,
                pq.ParquetWriter(temporary, schema, **PARQUET_OPTIONS) as writer,
            ):
                for group in kept:  # a row group a clip
                    writer.write_table(file.read_row_group(group))
    if not kept:
        shard.unlink()


class _Writer(ExitStack):
    """Writes and reports clips some at a time: between two clips' decoding either is several times
    slower, since the decoders leave nothing of its code in the CPU's caches.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, report: Callable[[list[Result]], None], seconds: float
    ) -> None:
        super().__init__()
        self._path, self._schema, self._report, self._seconds = path, schema, report, seconds
        self._writer: pq.ParquetWriter | None = None
        self._results: list[Result] = []
        self._waiting: list[pa.RecordBatch] = []
        self._flushed = monotonic()
        self.rows = 0

    def add(self, result: Result, row: pa.RecordBatch | None = None) -> None:
        """Take the next clip's result, and its row if it has one."""
        self._results.append(result)
        if row is not None:
            self._waiting.append(row)
            self.rows += 1
        if monotonic() - self._flushed >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write and report all that waits."""
        for row in self._waiting:
            if self._writer is None:
                opened = pq.ParquetWriter(self._path, self._schema, **PARQUET_OPTIONS)
                self._writer = self.enter_context(opened)
            self._writer.write_batch(row)
        if self._results:
            self._report(self._results)
        self._waiting, self._results, self._flushed = [], [], monotonic()


def _take(
    clip: ClipTask, encoding: Encoding, rows: AudioRows
) -> tuple[DecodedAudio, bytes] | FailedClip:
    """Decode and encode one clip."""
    path = encoding.root / clip.path
    if not path.resolve().is_relative_to(encoding.root):  # it was inside when the folder was walked
        return FailedClip("escapes_folder", "a link out of the source folder")
    try:
        source = path if clip.row is None else rows.read(path, clip.row)
        decoded = decode_audio(source, encoding.sample_rate, encoding.max_seconds, clip.cut)
        encoded = encode_audio(decoded.waveform, decoded.sample_rate, encoding.codec)
    except AudioError as error:
        return FailedClip(error.code, error.message)
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # a decoder's own, on a file made to break it: costs the file, not the run
        return FailedClip("unreadable", f"the decoder failed: {type(error).__name__}: {error}")
    seconds = _seconds(decoded)
    if seconds < encoding.min_seconds:
        return FailedClip("too_short", f"{seconds:.3f} s: less than {encoding.min_seconds:g} s")
    if len(encoded) > _MOST_BYTES:
        return FailedClip("too_long", f"{len(encoded):,} bytes: a Parquet value holds 2^31 - 1")
    return decoded, encoded


def _seconds(decoded: DecodedAudio) -> float:
    return len(decoded.waveform) / decoded.sample_rate


def _stored(row: int, decoded: DecodedAudio, encoded: bytes) -> StoredClip:
    return StoredClip(
        row=row,
        duration_seconds=_seconds(decoded),
        source_sha256=decoded.source_sha256,
        source_sample_rate=decoded.source_sample_rate,
        levels=decoded.levels,
        audio_sha256=hashlib.sha256(encoded).hexdigest(),
        encoded_bytes=len(encoded),
    )
