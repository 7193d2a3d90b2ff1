"""What a Parquet file of scores must say of itself before its values are read."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.columns import MOST_NAME_CHARS, check_size
from stages.evaluate.scores_file.label_order import check_label_order
from stages.evaluate.scores_file.wording import counted, group_step, listed, quoted

LABELS_KEY = b"spa.labels"
"""Where the file's metadata may have the mids of its labels in order, as a list in JSON."""

FORM = (
    "give the columns clip_id (string), scores (list of float) and targets (list of integers: the"
    " indices of the clip's labels)"
)
_VALUES_AT_ONCE = 1 << 16
_MOST_IN_VAIN = 1 << 24  # values that are read only to say which clip has too many


def check_scores_file(
    path: Path, file: pq.ParquetFile, labels: Labels, group_by: str | None
) -> list[str]:
    """Check columns, labels and sizes; the names of the columns to read.

    Raises:
        ArtifactError: a column is missing or of another kind; the labels that the file states are
            others; a column says that it has more values than memory can be expected to hold.
        pyarrow.ArrowException, OSError, UnicodeDecodeError: the file is broken.
    """
    columns = _check_columns(path, file.schema_arrow, group_by)
    _check_labels(path, file.schema_arrow, labels)
    kind = file.schema_arrow.field("scores").type.value_type
    check_size(path, file.metadata.num_rows, len(labels), max(1, kind.bit_width // 8))
    for name, chunk, rows in _chunks(file, columns):
        values = chunk.num_values
        if name in {"scores", "targets"} and values > max(_MOST_IN_VAIN, rows * len(labels)):
            raise ArtifactError(
                f"{path} has {values} {name} for {counted(rows, 'clip')} of"
                f" {counted(len(labels), 'label')}",
                "give one score a label, and each target once",
            )
        if name in {"clip_id", group_by}:
            _check_text_size(path, name, chunk, rows)
    return columns


def check_clip_list(path: Path, file: pq.ParquetFile) -> None:
    """Check that there is a column of text, clip_id, that can be read.

    Raises:
        ArtifactError: there is none.
        pyarrow.ArrowException, OSError, UnicodeDecodeError: the file is broken.
    """
    _check_column(path, file.schema_arrow, "clip_id", is_text)
    for name, chunk, rows in _chunks(file, ["clip_id"]):
        _check_text_size(path, name, chunk, rows)


def _chunks(
    file: pq.ParquetFile, columns: list[str]
) -> Iterator[tuple[str, pq.ColumnChunkMetaData, int]]:
    """The column, and the number of rows, of each chunk of `columns`."""
    # To look at a chunk whose metadata is broken ends the process. Scanning raises an exception.
    file.scan_contents(columns, _VALUES_AT_ONCE)
    names = [file.schema.column(place).path.split(".")[0] for place in range(len(file.schema))]
    for group in range(file.metadata.num_row_groups):
        row_group = file.metadata.row_group(group)
        for place, name in enumerate(names):
            if name in columns:
                yield name, row_group.column(place), row_group.num_rows


def _check_text_size(path: Path, name: str, chunk: pq.ColumnChunkMetaData, rows: int) -> None:
    if chunk.total_uncompressed_size > (rows + 256) * MOST_NAME_CHARS:
        raise ArtifactError(
            f"{path}: column {name!r} takes {chunk.total_uncompressed_size} bytes for"
            f" {counted(rows, 'clip')}",
            f"name them in at most {MOST_NAME_CHARS}",
        )


def _check_columns(path: Path, schema: pa.Schema, group_by: str | None) -> list[str]:
    """Check that the columns that are read are there, and of the right kind; their names."""
    types = pa.types
    kinds: dict[str, Callable[[pa.DataType], bool]] = {
        "clip_id": is_text,
        "scores": lambda kind: _is_list(
            kind, types.is_floating, types.is_integer, types.is_boolean
        ),
        "targets": lambda kind: _is_list(kind, types.is_integer),
    }
    for name, fits in kinds.items():
        _check_column(path, schema, name, fits)
    if group_by is None or group_by in kinds:
        return list(kinds)
    possible = [
        field.name
        for field in schema
        if _is_group(field.type) and field.name not in kinds and schema.names.count(field.name) == 1
    ]
    _check_column(path, schema, group_by, _is_group, group_step(possible))
    return [*kinds, group_by]


def _is_group(kind: pa.DataType) -> bool:
    return is_text(kind) or bool(pa.types.is_integer(kind))


def _check_column(
    path: Path,
    schema: pa.Schema,
    name: str,
    fits: Callable[[pa.DataType], bool],
    next_step: str = FORM,
) -> None:
    if schema.names.count(name) != 1:
        columns = listed(schema.names)
        raise ArtifactError(f"{path} has the columns {columns}, not one {name!r}", next_step)
    if not fits(schema.field(name).type):
        kind = quoted(str(schema.field(name).type))[1:-1]
        raise ArtifactError(f"{path}: column {name!r} is {kind}", next_step)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, plain or by its distinct values."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType, *of: Callable[[pa.DataType], bool]) -> bool:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return any(fits(kind.value_type) for fits in of)
    return False


def _check_labels(path: Path, schema: pa.Schema, labels: Labels) -> None:
    stated = (schema.metadata or {}).get(LABELS_KEY)
    if stated is None:
        return
    try:
        mids = json.loads(stated)
    except (ValueError, RecursionError):
        mids = None
    if not isinstance(mids, list) or not all(isinstance(mid, str) for mid in mids):
        raise ArtifactError(
            f"{path}: its metadata {LABELS_KEY.decode()!r} is no JSON list of mids",
            "write the mids of the labels in order, or leave it out",
        )
    check_label_order(path, mids, labels)
