"""Read one clip at random from the shards that hold them."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.audio.clip_codec import ClipError, decode_clip, encode_audio
from stages.audio.resample import resample
from stages.errors import ArtifactError

__all__ = ["AudioStore", "encode_audio"]

_OPEN_SHARDS = 256  # the footers of this many shards of 256 clips take about 180 MB
_AGAIN = "run `spa prepare --force` again"


@dataclass
class _Shard:
    """An open shard. `first_rows` is (row groups + 1,): where each begins, then the row count."""

    file: pq.ParquetFile
    first_rows: NDArray[np.int64]
    lock: threading.Lock = field(default_factory=threading.Lock)


class AudioStore:
    """The audio folder of a workspace; several threads may read from one store.

    A read fetches one row group only, and `spa prepare` makes every clip one. The shards used last
    stay open, up to a bound.
    """

    def __init__(self, folder: Path, sample_rate: int | None = None) -> None:
        """Open nothing yet.

        Args:
            folder: holds the shards.
            sample_rate: in Hz, that clips are wanted at: one stored at another is resampled when it
                is read. None: each as it is stored.
        """
        self._folder, self._wanted_rate = folder, sample_rate
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, shard: str, row: int) -> NDArray[np.float32]:
        """Read the clip in `row` of the file `shard`: waveform (samples,) float32.

        It is in [-1, 1) as it is stored; resampled, peaks can go beyond.

        Raises:
            ArtifactError: no such shard or row, or what is there is no mono audio.
        """
        waveform, stored_rate = self._decode(shard, row)
        return resample(waveform, stored_rate, self._wanted_rate or stored_rate)

    def sample_rate(self, shard: str, row: int) -> int:
        """Sample rate in Hz at which the clip in `row` of the file `shard` is stored.

        Raises as `read` does.
        """
        return self._decode(shard, row)[1]

    def _decode(self, shard: str, row: int) -> tuple[NDArray[np.float32], int]:
        try:
            return decode_clip(memoryview(self._bytes(shard, row)))
        except ClipError as error:
            path = self._folder / shard
            raise ArtifactError(f"{path} row {row} holds no mono audio: {error}", _AGAIN) from error

    def _bytes(self, shard: str, row: int) -> pa.Buffer:
        opened = self._open(shard)
        path = self._folder / shard
        if not 0 <= row < opened.first_rows[-1]:
            raise ArtifactError(
                f"{path} has {opened.first_rows[-1]} rows, and no row {row}", _AGAIN
            )
        group = int(np.searchsorted(opened.first_rows, row, side="right")) - 1
        try:
            with opened.lock:
                table = opened.file.read_row_group(group, ["audio.bytes"], use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ArtifactError(f"{path} row {row} cannot be read: {error}", _AGAIN) from error
        column = table.column("audio").combine_chunks().field("bytes")
        return column[row - int(opened.first_rows[group])].as_buffer()

    def _open(self, shard: str) -> _Shard:
        with self._lock:
            opened = self._shards.pop(shard, None) or _open_shard(self._folder, shard)
            self._shards[shard] = opened
            if len(self._shards) > _OPEN_SHARDS:
                self._shards.popitem(last=False)  # closed when the last thread has read from it
            return opened


def _open_shard(folder: Path, shard: str) -> _Shard:
    path = folder / shard
    if Path(shard).name != shard:
        raise ArtifactError(f"the shard {shard!r} is no file name", _AGAIN)
    try:
        file = pq.ParquetFile(path, pre_buffer=False)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist", _AGAIN) from error
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{path} cannot be read as Parquet: {error}", _AGAIN) from error
    if "audio.bytes" not in (column.path for column in file.schema):
        raise ArtifactError(f"{path} has no column 'audio.bytes'", _AGAIN)
    groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    return _Shard(file, np.cumsum([0, *groups], dtype=np.int64))
