"""Open the DuckDB file of an ontology, and run the queries of sql/ on it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ontology.errors import OntologyError

# The file may come from anywhere: whatever it holds can reach no other file, no network and no
# extension, and can take only so much memory.
_READ_CONFIG = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "2GB",
    "temp_directory": "",
    "lock_configuration": "true",
}
_COLUMNS = [
    ("edge", "parent", "INTEGER"),
    ("edge", "child", "INTEGER"),
    ("node", "position", "INTEGER"),
    ("node", "mid", "VARCHAR"),
    ("node", "name", "VARCHAR"),
    ("node", "description", "VARCHAR"),
    ("node", "restrictions", "VARCHAR[]"),
]
_NEXT_STEP = "build it again from its ontology.json"


@contextmanager
def open_ontology(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file that `build_ontology` wrote, for reading only, with no access to anything else.

    Raises:
        OntologyError: no such file, not DuckDB's, or with other tables than an ontology's.
    """
    if not database.is_file():
        raise OntologyError(f"ontology database {database} was not found", _NEXT_STEP)
    with _openable(database) as path, _connect(path, database) as connection:
        if fetch_rows(connection, "columns.sql") != _COLUMNS:
            raise OntologyError(f"{database} is no ontology database: other tables", _NEXT_STEP)
        yield connection


def is_openable(path: Path) -> bool:
    """Whether DuckDB can open a file there.

    It follows links, takes what comes after a `?` for parameters, and names in UTF-8 only.
    """
    name = bytes(path.resolve())
    return b"?" not in name and name.decode(errors="replace").encode() == name


@contextmanager
def _openable(database: Path) -> Iterator[Path]:
    """`database`, absolute (DuckDB takes `md:x` for no file), or a copy where it cannot be opened."""
    if is_openable(database):
        yield database.absolute()
        return
    with TemporaryDirectory(prefix="ontology-") as folder:
        copy = Path(folder, "ontology.duckdb")
        try:
            shutil.copyfile(database, copy)
        except OSError as error:
            raise OntologyError(
                f"ontology database {database} cannot be copied to {folder}: {error.strerror}",
                "give a path that is UTF-8 text without a '?', or free space there",
            ) from error
        yield copy


def _connect(path: Path, database: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(path, read_only=True, config=_READ_CONFIG)
    except duckdb.Error as error:
        raise OntologyError(
            f"ontology database {database} cannot be opened: {_first_line(error)}", _NEXT_STEP
        ) from error


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, sql_file: str, **parameters: object
) -> list[tuple[Any, ...]]:
    """Run a file of sql/ with `parameters` bound by name; the rows of its result.

    Raises:
        OntologyError: DuckDB could not run it (damaged file, memory limit).
    """
    try:
        rows: list[tuple[Any, ...]] = connection.execute(read_sql(sql_file), parameters).fetchall()
    except duckdb.Error as error:
        raise _failed(sql_file, error) from error
    return rows


def fetch_columns(
    connection: duckdb.DuckDBPyConnection, sql_file: str, **parameters: object
) -> dict[str, NDArray[np.int64]]:
    """Run a file of sql/ whose columns are all BIGINT and never NULL; one array a column.

    Raises:
        OntologyError: DuckDB could not run it (damaged file, memory limit).
    """
    try:
        columns: dict[str, NDArray[np.int64]] = connection.execute(
            read_sql(sql_file), parameters
        ).fetchnumpy()
    except duckdb.Error as error:
        raise _failed(sql_file, error) from error
    return columns


def check_known(connection: duckdb.DuckDBPyConnection, mids: Sequence[str]) -> None:
    """Check that the ontology has a node for each of `mids`.

    Raises:
        OntologyError: naming the first that it lacks.
    """
    unknown = fetch_rows(connection, "unknown_mids.sql", mids=list(mids))
    if unknown:
        raise OntologyError(
            f"the ontology has no node {unknown[0][0]!r} ({len(unknown)} of {len(mids)} unknown)",
            "use the ontology that the labels belong to, or correct the ids",
        )


def read_sql(sql_file: str) -> str:
    """Text of a file of sql/."""
    return files("ontology").joinpath("sql", sql_file).read_text(encoding="utf-8")


def _failed(sql_file: str, error: duckdb.Error) -> OntologyError:
    return OntologyError(
        f"the ontology database could not answer {sql_file}: {_first_line(error)}",
        f"{_NEXT_STEP}; where memory ran out, ask for fewer labels",
    )


def _first_line(error: duckdb.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
