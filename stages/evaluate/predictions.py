"""Scores of clips and what is true of them, from any Parquet file that has both."""

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
from stages.metrics.inputs import MetricInputError, multi_hot

_CLIPS_AT_ONCE = 4096
_FORM = "give the columns clip_id (string), scores (list of float) and targets (list of integers)"


@dataclass(frozen=True)
class Predictions:
    """What was predicted for each clip, and what is true.

    Attributes:
        source: where the scores are from, for messages.
        clip_ids: the clips, each once.
        scores: (clips, labels) floating point.
        targets: (clips, labels) boolean.
    """

    source: str
    clip_ids: list[str]
    scores: NDArray[Any]
    targets: NDArray[np.bool_]


@dataclass
class _Read:
    """What has been read so far: one array a batch."""

    clip_ids: list[str] = field(default_factory=list)
    scores: list[NDArray[Any]] = field(default_factory=list)
    lengths: list[NDArray[np.int64]] = field(default_factory=list)
    indices: list[NDArray[Any]] = field(default_factory=list)


def read_predictions(path: Path, labels: int) -> Predictions:
    """Read a Parquet file with the columns clip_id, scores and targets.

    Any list type, list child name and width of number will do. Scores keep their precision: a
    cast could make ties.

    Raises:
        ArtifactError: a column is missing or of another kind, a null, a clip whose number of scores
            is not `labels`, a target that is no label index or is there twice, a clip_id that is
            there twice, or no clip at all.
    """
    read = _Read()
    with open_parquet(path) as file:
        _check_columns(path, file.schema_arrow)
        for batch in _batches(path, file):
            _take(path, batch, labels, read)
    if not read.clip_ids:
        raise ArtifactError(f"{path} has no clips", _FORM)
    _check_unique(path, read.clip_ids)
    try:
        targets = multi_hot(np.concatenate(read.lengths), np.concatenate(read.indices), labels)
    except MetricInputError as error:
        named = f" (clip_id {read.clip_ids[error.clip]!r})" if error.clip is not None else ""
        raise ArtifactError(f"{path}: {error.message}{named}", _FORM) from error
    return Predictions(str(path), read.clip_ids, np.concatenate(read.scores), targets)


def _batches(path: Path, file: pq.ParquetFile) -> Any:
    columns = ["clip_id", "scores", "targets"]
    try:
        yield from file.iter_batches(_CLIPS_AT_ONCE, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{path} cannot be read as Parquet: {error}") from error


def _check_columns(path: Path, schema: pa.Schema) -> None:
    kinds = (
        ("clip_id", _is_text),
        ("scores", lambda kind: _is_list(kind) and pa.types.is_floating(kind.value_type)),
        ("targets", lambda kind: _is_list(kind) and pa.types.is_integer(kind.value_type)),
    )
    for name, fits in kinds:
        if schema.names.count(name) != 1:
            raise ArtifactError(f"{path} has the columns {schema.names}, not one '{name}'", _FORM)
        if not fits(schema.field(name).type):
            raise ArtifactError(f"{path}: column '{name}' is {schema.field(name).type}", _FORM)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _take(path: Path, batch: pa.RecordBatch, labels: int, read: _Read) -> None:
    """Check one batch and add it to what was read."""
    clip_ids = batch["clip_id"].to_pylist()
    first = len(read.clip_ids)
    if None in clip_ids:
        raise ArtifactError(f"{path}: row {first + clip_ids.index(None)} has no clip_id", _FORM)
    flat = {}
    for name in ("scores", "targets"):
        column = batch[name]
        values = column.flatten()
        if column.null_count or values.null_count:
            clip = clip_ids[_first_null(column, values)]
            raise ArtifactError(f"{path}: clip {clip!r} has a null in '{name}'", _FORM)
        flat[name] = values.to_numpy(zero_copy_only=False)
    widths = _lengths(batch["scores"])
    if (widths != labels).any():
        row = int(np.argmax(widths != labels))
        raise ArtifactError(
            f"{path}: clip {clip_ids[row]!r} has {widths[row]} scores for {labels} labels",
            "give one score a label, in the order of the labels",
        )
    read.clip_ids.extend(clip_ids)
    read.scores.append(flat["scores"].reshape(-1, labels))
    read.lengths.append(_lengths(batch["targets"]))
    read.indices.append(flat["targets"])


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.list_value_length(column).to_numpy(zero_copy_only=False), dtype=np.int64)


def _first_null(column: pa.Array, values: pa.Array) -> int:
    if column.null_count:
        return int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
    position = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
    return int(np.searchsorted(np.cumsum(_lengths(column)), position, side="right"))


def _check_unique(path: Path, clip_ids: list[str]) -> None:
    seen: set[str] = set()
    for clip_id in clip_ids:
        if clip_id in seen:
            raise ArtifactError(
                f"{path}: clip_id {clip_id!r} is there twice", "keep each clip once"
            )
        seen.add(clip_id)
