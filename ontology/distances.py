"""How far apart labels are in the ontology."""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from ontology.database import check_known, fetch_columns


class DistanceMatrix(NamedTuple):
    """Distances between labels.

    values: int64 (labels, labels), in edges, symmetric, 0 on the diagonal.
    disconnected_pairs: how many unordered pairs of labels have no path between them.
    """

    values: NDArray[np.int64]
    disconnected_pairs: int

    @property
    def is_flat(self) -> bool:
        """Whether every label is as far from every other: distances then say nothing."""
        between = self.values[~np.eye(len(self.values), dtype=bool)]
        return bool(between.size and between.min() == between.max())


def distance_matrix(connection: duckdb.DuckDBPyConnection, mids: Sequence[str]) -> DistanceMatrix:
    """Shortest paths between the nodes `mids`, in their order.

    Edges are taken in both directions and count 1 each; a path may lead over any node of the
    ontology, abstract ones too. No root is added above the roots: two labels with no path between
    them get the largest distance found between labels, plus 1, and are counted. This is the
    distance D of the ontology-aware loss and metric of arXiv 2211.12195.

    Raises:
        OntologyError: the ontology lacks one of `mids`.
    """
    check_known(connection, mids)
    found = fetch_columns(connection, "distances.sql", mids=list(mids))
    values = np.full((len(mids), len(mids)), -1, dtype=np.int64)
    values[found["from_label"], found["to_label"]] = found["distance"]
    apart = values < 0
    values[apart] = values.max(initial=0) + 1
    return DistanceMatrix(values, disconnected_pairs=int(apart.sum()) // 2)
