"""Read the rows of a manifest: CSV, TSV, JSON Lines or Parquet."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from stages.errors import ArtifactError
from stages.prepare.csv_file import read_lines
from stages.prepare.json_lines import read_json_lines
from stages.prepare.parquet_table import ParquetTable

EXTENSIONS = (".csv", ".tsv", ".jsonl", ".parquet")
"""The extensions of manifests, in the order in which they are looked for."""

Rows = Iterator[tuple[int, dict[str, object] | str]]
"""The number of each row, and its values by column, or why it has none."""

_REQUIRED = ("path", "labels")
_OPTIONAL = ("split", "fold", "start_seconds", "end_seconds", "clip_id", "recording_id")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_NEXT_STEP = f"it needs the columns {', '.join(_REQUIRED)}, and may have {', '.join(_OPTIONAL)}"


def holds_audio(path: Path) -> bool:
    """Whether a file is Parquet with the audio itself in it, which is no manifest."""
    if path.suffix.lower() != ".parquet":
        return False
    try:
        with ParquetTable(path) as table:
            return bool(table.fields_of("audio"))
    except ArtifactError:
        return False


def has_columns(path: Path) -> bool:
    """Whether a file can be read, and has the columns of a manifest."""
    try:
        return set(_REQUIRED) <= set(_columns(path)) and not holds_audio(path)
    except ArtifactError:
        return False


def _columns(path: Path) -> Sequence[str]:
    """Names of the columns; of JSON Lines those of the first line."""
    kind = path.suffix.lower()
    if kind in _DELIMITERS:
        _, header = next(_read_fields(path), (1, []))
        return header
    if kind == ".jsonl":
        _, first = next(read_json_lines(path), (1, "empty"))
        return () if isinstance(first, str) else tuple(first)
    with ParquetTable(path) as table:
        return sorted(table.columns)


def read_manifest(path: Path) -> Rows:
    """Read a manifest. Rows are lines, counted from 1; those of Parquet are counted from 0. Streams.

    Raises:
        ArtifactError: the file cannot be read, is of no such kind, or lacks a column.
    """
    kind = path.suffix.lower()
    if kind not in EXTENSIONS:
        raise ArtifactError(f"{path} is none of {', '.join(EXTENSIONS)}", _NEXT_STEP)
    columns = _columns(path)
    if kind == ".jsonl":
        return read_json_lines(path)
    lacking = [column for column in _REQUIRED if column not in columns]
    if lacking:
        raise ArtifactError(
            f"{path} has no column {lacking[0]!r}; it has {list(columns[:20])}", _NEXT_STEP
        )
    wanted = [column for column in (*_REQUIRED, *_OPTIONAL) if column in columns]
    return _read_parquet(path, wanted) if kind == ".parquet" else _read_csv(path, columns, wanted)


def _read_parquet(path: Path, wanted: Sequence[str]) -> Rows:
    with ParquetTable(path) as table:
        yield from table.rows(wanted)


def _read_csv(path: Path, columns: Sequence[str], wanted: Collection[str]) -> Rows:
    places = {column: columns.index(column) for column in wanted}
    for number, fields in islice(_read_fields(path), 1, None):
        if not fields:
            yield number, "no text, or a line or a field beyond all measure"
        elif len(fields) < len(columns) or any(fields[len(columns) :]):
            yield number, f"{len(fields)} fields, not {len(columns)}: quote what has a delimiter"
        else:
            yield number, {name: fields[at] for name, at in places.items()}


def _read_fields(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header, without spaces around its names, and the rows as they are."""
    delimiter = _DELIMITERS[path.suffix.lower()]
    lines = read_lines(path, delimiter=delimiter, keep_spaces=True)
    for number, header in islice(lines, 1):
        yield number, [name.strip() for name in header]
    yield from lines
