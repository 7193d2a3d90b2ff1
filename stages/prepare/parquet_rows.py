"""Audio in the rows of somebody's Parquet files, as Hugging Face `datasets` stores it."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.errors import AudioError

_BUFFER_BYTES = 1 << 20
_COLUMNS = ["audio.bytes", "audio.path"]


class AudioRows:
    """Reads the column `audio`, a struct of bytes and path, a row at a time.

    Rows asked for in ascending order are streamed: what is held is a page and a row, never a row
    group, which may be gigabytes. Row groups in which no row is asked for are not read.
    """

    def __init__(self) -> None:
        """Open nothing yet."""
        self._opened: _OpenFile | None = None

    def read(self, path: Path, row: int) -> bytes:
        """Read the bytes in `row`, from 0, of the Parquet file `path`.

        Raises:
            AudioError: with code "missing" (the row holds no bytes, or there is no such file) or
                "unreadable". It does not matter which rows were read before.
        """
        try:
            if self._opened is None or self._opened.path != path:
                self._opened = None  # closes the last one
                self._opened = _OpenFile(path)
            return self._opened.read(row)
        except FileNotFoundError as error:
            raise AudioError("missing", "no such file") from error
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _unreadable(_first_line(error)) from error


class _OpenFile:
    """A Parquet file, and where in it we are: `_next` is the row that `_values` yields next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        if min(sizes, default=0) < 0:
            raise _unreadable(f"a row group of {min(sizes)} rows")
        self._ends = list(accumulate(sizes))
        self._group: int | None = None
        self._next = 0
        self._values: Iterator[pa.StructScalar] = iter(())
        self._broken: str | None = None

    def read(self, row: int) -> bytes:
        self._go_to(row)
        try:
            for value in self._values:
                self._next += 1
                if self._next > row:
                    return _bytes_of(value)
        except MemoryError:  # one of Arrow's is an ArrowException too
            self._group = None
            raise
        except (pa.ArrowException, OSError) as error:
            self._broken = _first_line(error)
        # So it is for all later rows of the group: what they would need cannot be read.
        raise _unreadable(self._broken or f"row group {self._group} ends before row {self._next}")

    def _go_to(self, row: int) -> None:
        """Begin the row group of `row` from its start, unless we are in it and before the row."""
        group = bisect_right(self._ends, row)
        if group == len(self._ends):
            raise _unreadable(f"no row {row}: there are {self._ends[-1] if self._ends else 0}")
        if group != self._group or row < self._next:
            self._group, self._next = group, self._ends[group - 1] if group else 0
            self._values, self._broken = self._stream(group), None

    def _stream(self, group: int) -> Iterator[pa.StructScalar]:
        # A row a batch costs no more than many, and what breaks at one row leaves those before it.
        for batch in self._file.iter_batches(
            batch_size=1, row_groups=[group], columns=_COLUMNS, use_threads=False
        ):
            # By name: there may be columns literally called `audio.bytes` beside it.
            audio = batch.schema.get_field_index("audio")
            if audio < 0 or not pa.types.is_struct(batch.schema.field(audio).type):
                raise _unreadable("no column `audio` of bytes and path")
            yield batch.column(audio)[0]


def _bytes_of(value: pa.StructScalar) -> bytes:
    audio = value.as_py() or {}
    encoded = audio.get("bytes")
    if encoded is None:
        raise AudioError("missing", f"the row holds no bytes, only the path {audio.get('path')!r}")
    if not isinstance(encoded, bytes):
        raise _unreadable(f"the column `audio.bytes` holds {value.type.field('bytes').type}")
    return encoded


def _unreadable(why: str) -> AudioError:
    return AudioError("unreadable", f"the Parquet file cannot be read: {why}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
