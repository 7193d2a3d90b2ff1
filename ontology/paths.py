"""How far below the roots a node is, and by which way."""

from collections.abc import Sequence

import duckdb

from ontology.database import check_known, fetch_rows


def depths(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Depth of every node, by id, in file order: edges from the nearest root; a root has 0.

    Raises:
        OntologyError: the database cannot be read.
    """
    return dict(fetch_rows(connection, "depths.sql"))


def paths(connection: duckdb.DuckDBPyConnection, mids: Sequence[str]) -> list[tuple[str, ...]]:
    """For each of `mids`, the names from a root down to it, such as ("Music", ..., "Guitar").

    A shortest path. Where a node has several parents on shortest paths, the one that comes first
    in the ontology's file is taken.

    Raises:
        OntologyError: the ontology lacks one of `mids`.
    """
    check_known(connection, mids)
    return [tuple(names) for (names,) in fetch_rows(connection, "paths.sql", mids=list(mids))]
