"""Check one shard of the audio folder against what clips.parquet says of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from stages.artifacts import open_parquet, verify_schema
from stages.audio.clip_codec import ClipError, decode_clip
from stages.check.findings import in_a_line
from stages.errors import ArtifactError

_MAGIC = (b"fLaC", b"RIFF")  # of FLAC, of WAV


class ExpectedClip(NamedTuple):
    """A clip as clips.parquet has it."""

    row: int
    clip_id: str
    audio_sha256: str
    duration_seconds: float


@dataclass
class ShardReport:
    """(place, what) of each problem, the first clip of each sample rate in Hz, and the clips' size."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    sample_rates: dict[int, str] = field(default_factory=dict)
    audio_bytes: int = 0
    seconds: float = 0.0


def check_shard(folder: Path, name: str, clips: Iterable[ExpectedClip]) -> ShardReport:
    """Check that the file `name` holds these clips and no other, as they were stored, and decodes.

    One row group at a time is in memory.
    """
    check = _ShardCheck(f"audio/{name}", clips)
    path = folder / name
    if path.name != name or not path.is_file():
        check.fail("does not exist")
        return check.report
    try:
        with open_parquet(path) as file:
            verify_schema(path, file.schema_arrow, "audio")
            check.groups(file)
    except ArtifactError as error:
        check.fail(in_a_line(error, path))
    return check.report


class _ShardCheck:
    """What was found, and the clips that are still to be found, by their rows."""

    def __init__(self, place: str, clips: Iterable[ExpectedClip]) -> None:
        self.place = place
        self.report = ShardReport()
        self.waiting: dict[int, ExpectedClip] = {}
        for clip in clips:
            other = self.waiting.setdefault(clip.row, clip)
            if other is not clip:
                what = f"two clips are said to be here: {other.clip_id!r} and {clip.clip_id!r}"
                self._add(clip.row, what)

    def fail(self, what: str) -> None:
        """Nothing can be read of the shard."""
        self.report.problems.append((self.place, f"{what} ({len(self.waiting)} clips)"))

    def groups(self, file: pq.ParquetFile) -> None:
        """Check all row groups. One that cannot be read costs the clips in it only."""
        first = 0
        for group in range(file.num_row_groups):
            behind = first + file.metadata.row_group(group).num_rows
            try:
                table = file.read_row_group(group, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                for row in [row for row in self.waiting if first <= row < behind]:
                    what = in_a_line(error, Path(self.place))
                    self._add(row, f"the clip {self.waiting.pop(row).clip_id!r} {what}")
            else:
                self._check_rows(table, first)
            first = behind
        for clip in self.waiting.values():
            what = f"the clip {clip.clip_id!r} is not there: the shard has {first} rows"
            self._add(clip.row, what)

    def _add(self, row: int, what: str) -> None:
        self.report.problems.append((f"{self.place} row {row}", what))

    def _check_rows(self, table: pa.Table, first: int) -> None:
        clip_ids, audio = (table.column(name).combine_chunks() for name in ("clip_id", "audio"))
        for row, (clip_id, stored) in enumerate(zip(clip_ids, audio, strict=True), first):
            clip = self.waiting.pop(row, None)
            found = clip_id.as_py()
            if clip is None:
                self._add(row, f"holds {found!r}, of which clips.parquet does not know")
            elif found != clip.clip_id:
                self._add(row, f"holds {found!r}, not {clip.clip_id!r}")
            else:
                self._check_clip(clip, stored["bytes"].as_buffer())

    def _check_clip(self, clip: ExpectedClip, encoded: pa.Buffer | None) -> None:
        named = f"the clip {clip.clip_id!r}"
        if encoded is None:
            self._add(clip.row, f"{named} has no bytes")
            return
        self.report.audio_bytes += len(encoded)
        if hashlib.sha256(encoded).hexdigest() != clip.audio_sha256:
            self._add(clip.row, f"the bytes of {named} are not those of its audio_sha256")
            return
        try:
            samples, rate = _measure(encoded)
        except ClipError as error:
            self._add(clip.row, f"{named} cannot be decoded: {error}")
            return
        self.report.seconds += samples / rate
        self.report.sample_rates.setdefault(rate, f"{self.place} row {clip.row}")
        if not abs(samples / rate - clip.duration_seconds) < 0.5 / rate:  # also when that is NaN
            seconds = f"{samples / rate:.6g} s, not {clip.duration_seconds:.6g} s"
            self._add(clip.row, f"{named} holds {seconds}")


def _measure(encoded: pa.Buffer) -> tuple[int, int]:
    """Decode as whoever trains does: the number of samples, and their rate in Hz.

    Raises:
        ClipError: it is no clip as `spa prepare` stores them.
    """
    view = memoryview(encoded)
    if bytes(view[:4]) not in _MAGIC:
        raise ClipError("neither FLAC nor WAV")
    waveform, sample_rate = decode_clip(view)
    return len(waveform), sample_rate
