"""Scores from a Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.artifacts import open_parquet
from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.columns import (
    Columns,
    check_clip_ids,
    check_width,
    targets_of,
)
from stages.evaluate.scores_file.parquet_check import (
    FORM,
    check_clip_list,
    check_scores_file,
    is_text,
)

_CLIPS_AT_ONCE = 4096


@dataclass
class _Read:
    """What has been read so far: one array a batch."""

    clip_ids: list[str] = field(default_factory=list)
    scores: list[NDArray[Any]] = field(default_factory=list)
    lengths: list[NDArray[np.int64]] = field(default_factory=list)
    indices: list[NDArray[Any]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def read_parquet_scores(path: Path, labels: Labels, group_by: str | None) -> Columns:
    """Read clip_id, scores and targets; any list type, list child name and width of number will do.

    Raises:
        ArtifactError: see `read_predictions`.
    """
    read = _Read()
    with _open(path) as file:
        columns = check_scores_file(path, file, labels, group_by)
        for batch in _batches(path, file, columns):
            _take(path, batch, labels, group_by, read)
    check_clip_ids(path, read.clip_ids)
    scores = np.concatenate(read.scores)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    lengths, indices = np.concatenate(read.lengths), np.concatenate(read.indices)
    targets = targets_of(path, read.clip_ids, lengths, indices, labels)
    return Columns(read.clip_ids, scores, targets, read.groups if group_by else None)


def read_parquet_clip_ids(path: Path) -> list[str]:
    """Read the column clip_id.

    Raises:
        ArtifactError: no Parquet file, no such column of text, or a null in it.
    """
    clip_ids: list[str] = []
    with _open(path) as file:
        check_clip_list(path, file)
        for batch in _batches(path, file, ["clip_id"]):
            clip_ids.extend(_texts(path, batch, "clip_id", len(clip_ids)))
    return clip_ids


@contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file, and say of whatever is wrong with its bytes which file that is."""
    try:
        with open_parquet(path) as file:
            yield file
    except UnicodeDecodeError as error:
        raise ArtifactError(
            f"{path} cannot be read as Parquet: it has text that is no UTF-8", "write it again"
        ) from error
    except (pa.ArrowException, OSError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArtifactError(
            f"{path} cannot be read as Parquet: {first_line}", "write it again"
        ) from error


def _batches(path: Path, file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read batch by batch, text by its distinct values: the same long text may be there very often."""
    texts = [name for name in columns if is_text(file.schema_arrow.field(name).type)]
    again = pq.ParquetFile(path, metadata=file.metadata, pre_buffer=False, read_dictionary=texts)
    with again:
        yield from again.iter_batches(_CLIPS_AT_ONCE, columns=columns)


def _take(
    path: Path, batch: pa.RecordBatch, labels: Labels, group_by: str | None, read: _Read
) -> None:
    """Check one batch and add it to what was read."""
    first = len(read.clip_ids)
    clip_ids = _texts(path, batch, "clip_id", first)
    flat = {name: _flat(path, batch[name], name, clip_ids) for name in ("scores", "targets")}
    widths = _lengths(batch["scores"])
    row = int(np.argmax(widths != len(labels)))
    check_width(path, clip_ids[row], widths[row], len(labels))
    read.clip_ids.extend(clip_ids)
    read.scores.append(flat["scores"].reshape(-1, len(labels)))
    read.lengths.append(_lengths(batch["targets"]))
    read.indices.append(flat["targets"])
    if group_by is not None:
        read.groups.extend(_texts(path, batch, group_by, first))


def _texts(path: Path, batch: pa.RecordBatch, name: str, first: int) -> list[str]:
    """A column of text or whole numbers, as text; `first` is the file's row that the batch begins at."""
    column = batch[name]
    if pa.types.is_dictionary(column.type):
        distinct = [*column.dictionary.to_pylist(), None]
        values = [distinct[place] for place in column.indices.fill_null(-1).to_pylist()]
    else:
        values = column.to_pylist()
    if None in values or "" in values:
        missing = next(row for row, value in enumerate(values) if value in {None, ""})
        raise ArtifactError(
            f"{path}: row {first + missing} has no {name}", f"give every clip a {name}"
        )
    return [str(value) for value in values]


def _flat(path: Path, column: pa.Array, name: str, clip_ids: list[str]) -> NDArray[Any]:
    """The values of all lists one after another; none may be missing."""
    values = column.flatten()
    if column.null_count or values.null_count:
        clip = clip_ids[_first_null(column, values)]
        raise ArtifactError(f"{path}: clip {clip!r} has a null in '{name}'", FORM)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.list_value_length(column).to_numpy(zero_copy_only=False), dtype=np.int64)


def _first_null(column: pa.Array, values: pa.Array) -> int:
    if column.null_count:
        return int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
    position = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
    return int(np.searchsorted(np.cumsum(_lengths(column)), position, side="right"))
