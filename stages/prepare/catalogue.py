"""The catalogue: what was found in a source folder, in DuckDB, which spills to disk.

A data set may name millions of clips; they are never all in memory. Tables are those of
sql/schema.sql; every query is a file of sql/, with its parameters bound by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

_CONFIG = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "512MB",
    "preserve_insertion_order": "false",  # every query that needs an order says so
}
_ROWS_AT_ONCE = 20_000

_TEXTS = pa.list_(pa.string())
_COLUMNS: Mapping[str, Mapping[str, pa.DataType]] = {
    "files": {"path": pa.string(), "never_audio": pa.bool_()},
    "listed": {
        "seq": pa.int64(),
        "clip_id": pa.string(),
        "path": pa.string(),
        "place": pa.string(),
        "labels": _TEXTS,
        "recording_id": pa.string(),
        "fold": pa.int32(),
        "split": pa.string(),
        "start_seconds": pa.float64(),
        "end_seconds": pa.float64(),
        "source_row": pa.int64(),
    },
    "rejects": {
        "source_path": pa.string(),
        "clip_id": pa.string(),
        "reason": pa.string(),
        "detail": pa.string(),
    },
    "file_names": {
        "path": pa.string(),
        "recording_id": pa.string(),
        "start": pa.float64(),
        "end_": pa.float64(),
        "rank": pa.int32(),
    },
    "lists": {"path": pa.string()},
    "label_mids": {"label": pa.string(), "mids": _TEXTS},
    "held_out": {"recording_id": pa.string()},
    "label_order": {"label_index": pa.int32(), "mid": pa.string()},
}


class Catalogue:
    """A connection to the catalogue's tables."""

    def __init__(self, spill: Path | None = None) -> None:
        """Make empty tables; what does not fit in memory goes into files in the folder `spill`.

        (Not a database file: its log is put away now and then, which other queries, that stream
        from it at the time, do not always survive.)
        """
        where = {"temp_directory": str(spill or "")}
        self._connection = duckdb.connect(":memory:", config=_CONFIG | where)
        self.do("schema.sql")

    def close(self) -> None:
        """Forget the tables, and remove the files."""
        self._connection.close()

    def add(self, table: str, rows: Iterable[tuple[object, ...]]) -> int:
        """Append `rows`, each in the order of the table's columns; how many there were."""
        columns = _COLUMNS[table]
        remaining, count = iter(rows), 0
        while batch := list(islice(remaining, _ROWS_AT_ONCE)):
            arrays = [
                pa.array(values, kind)
                for values, kind in zip(zip(*batch, strict=True), columns.values(), strict=True)
            ]
            self.add_table(table, pa.Table.from_arrays(arrays, list(columns)))
            count += len(batch)
        return count

    def add_table(self, table: str, rows: pa.Table) -> None:
        """Append `rows`, whose columns are in the order of the table's."""
        self._connection.from_arrow(rows).insert_into(table)

    def do(self, sql_file: str, **parameters: object) -> None:
        """Run a file of sql/ for what it does to the tables."""
        self._connection.execute(_read(sql_file), parameters or None)

    def rows(self, sql_file: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run a file of sql/; all rows of its result, for results that are short."""
        found: list[tuple[Any, ...]] = self._connection.execute(
            _read(sql_file), parameters or None
        ).fetchall()
        return found

    def stream(self, sql_file: str, **parameters: object) -> Iterator[tuple[Any, ...]]:
        """Run a file of sql/; its rows one by one. Other queries may run meanwhile."""
        for batch in self.batches(sql_file, **parameters):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def batches(self, sql_file: str, **parameters: object) -> Iterator[pa.RecordBatch]:
        """Run a file of sql/; its rows in Arrow batches of about one size."""
        with self._connection.cursor() as cursor:
            yield from cursor.sql(_read(sql_file), params=parameters).to_arrow_reader(_ROWS_AT_ONCE)


def _read(sql_file: str) -> str:
    return files("stages.prepare").joinpath("sql", sql_file).read_text(encoding="utf-8")
