"""The nodes of an ontology."""

from dataclasses import dataclass

import duckdb

from ontology.database import fetch_rows


@dataclass(frozen=True)
class Node:
    """One class of sound. `restrictions` are AudioSet's, such as "abstract" and "blacklist"."""

    mid: str
    name: str
    description: str
    restrictions: tuple[str, ...]


def nodes(connection: duckdb.DuckDBPyConnection) -> list[Node]:
    """Every node, in the order of the ontology's file.

    Raises:
        OntologyError: the database cannot be read.
    """
    rows = fetch_rows(connection, "nodes.sql")
    return [Node(mid, name, text, tuple(limits)) for mid, name, text, limits in rows]
