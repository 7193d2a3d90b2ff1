"""Who stands above a node. A node may have several parents: the ontology is no tree."""

from collections.abc import Sequence

import duckdb

from ontology.database import check_known, fetch_rows


def parents(connection: duckdb.DuckDBPyConnection, mids: Sequence[str]) -> list[tuple[str, ...]]:
    """For each of `mids`, the ids of its parents, in file order; none for a root.

    Raises:
        OntologyError: the ontology lacks one of `mids`.
    """
    check_known(connection, mids)
    return [tuple(found) for (found,) in fetch_rows(connection, "parents.sql", mids=list(mids))]


def ancestors(connection: duckdb.DuckDBPyConnection, mid: str) -> tuple[str, ...]:
    """Ids of all nodes above `mid`, itself not among them, in file order.

    Raises:
        OntologyError: the ontology has no node `mid`.
    """
    check_known(connection, [mid])
    return tuple(found for (found,) in fetch_rows(connection, "ancestors.sql", mid=mid))


def least_common_ancestors(
    connection: duckdb.DuckDBPyConnection, first: str, second: str
) -> tuple[str, ...]:
    """Ids of the lowest nodes that stand above both, or are one of them, in file order.

    Of the nodes that are `first` or above it, and `second` or above it, those with no other of
    them below. There may be several, and none where the two have no common root.

    Raises:
        OntologyError: the ontology has no node `first` or `second`.
    """
    check_known(connection, [first, second])
    rows = fetch_rows(connection, "least_common_ancestors.sql", first=first, second=second)
    return tuple(found for (found,) in rows)
