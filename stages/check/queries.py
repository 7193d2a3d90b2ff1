"""Ask the tables of a workspace, which may be longer than memory: DuckDB reads the Parquet files."""

import glob
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from stages.errors import ArtifactError, SpaError

_CONFIG = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "256MB",
    "preserve_insertion_order": "false",  # every query that needs an order says so
}
_ROWS_AT_ONCE = 10_000


@contextmanager
def open_queries() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to the system's folder of temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        config = {**_CONFIG, "temp_directory": folder}
        with duckdb.connect(":memory:", config=config) as connection:
            yield connection


def rows(
    connection: duckdb.DuckDBPyConnection, sql_file: str, table: Path, **parameters: object
) -> Iterator[tuple[Any, ...]]:
    """Run a file of sql/ over the Parquet file `table`, and yield the rows of its result.

    Only one result can be read at a time.

    Raises:
        ArtifactError: the table cannot be read.
        SpaError: there is no space for temporary files.
    """
    sql = files("stages.check").joinpath("sql", sql_file).read_text(encoding="utf-8")
    bound = {"parquet_file": glob.escape(str(table)), **parameters}
    try:
        result = connection.execute(sql, bound)
        while found := result.fetchmany(_ROWS_AT_ONCE):
            yield from found
    except duckdb.OutOfMemoryException as error:
        step = "free space on the disk of temporary files, or name another with TMPDIR"
        raise SpaError(f"no space for temporary files to sort {table} in", step) from error
    except duckdb.Error as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArtifactError(f"{table} cannot be read: {first_line}") from error
