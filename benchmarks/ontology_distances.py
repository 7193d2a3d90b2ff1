"""How long from ontology.json to the distances between all labels: ours, networkx and SciPy.

    python benchmarks/ontology_distances.py FOLDER

FOLDER holds AudioSet's ontology.json and class_labels_indices.csv. Each way starts at the JSON file
and ends at the same matrix, which is checked. Ours writes and opens the DuckDB file in between.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import distance_matrix

RUNS = 7


def with_ours(ontology_json: Path, mids: list[str]) -> NDArray[np.int64]:
    """Validate, build the DuckDB file, open it, ask."""
    with TemporaryDirectory() as folder:
        database = Path(folder, "ontology.duckdb")
        build_ontology(ontology_json, database)
        with open_ontology(database) as connection:
            return distance_matrix(connection, mids).values


def with_networkx(ontology_json: Path, mids: list[str]) -> NDArray[np.int64]:
    """Breadth first from every node, in Python."""
    graph = nx.Graph()
    for node in json.loads(ontology_json.read_bytes()):
        graph.add_node(node["id"])
        graph.add_edges_from((node["id"], child) for child in node["child_ids"])
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    return np.array([[lengths[a][b] for b in mids] for a in mids])


def with_scipy(ontology_json: Path, mids: list[str]) -> NDArray[np.int64]:
    """Breadth first from every node, in C, on a sparse matrix."""
    nodes = json.loads(ontology_json.read_bytes())
    place = {node["id"]: index for index, node in enumerate(nodes)}
    edges = [(place[node["id"]], place[child]) for node in nodes for child in node["child_ids"]]
    rows, columns = np.array(edges).T
    links = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(nodes), len(nodes)))
    labels = [place[mid] for mid in mids]
    lengths = shortest_path(links.tocsr(), directed=False, unweighted=True, indices=labels)
    return lengths[:, labels].astype(np.int64)


def best_seconds(work: Callable[[], object]) -> float:
    """Least time of RUNS runs: what the machine's other work adds is left out."""
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    ontology_json = folder / "ontology.json"
    with (folder / "class_labels_indices.csv").open(newline="") as file:
        mids = [row["mid"] for row in csv.DictReader(file)]
    ways = {"networkx": with_networkx, "scipy": with_scipy, "ours (DuckDB)": with_ours}
    expected = with_networkx(ontology_json, mids)
    seconds = {}
    for name, way in ways.items():
        assert np.array_equal(way(ontology_json, mids), expected), name
        seconds[name] = best_seconds(lambda way=way: way(ontology_json, mids))
    print(f"ontology.json to {len(mids)} x {len(mids)} distances, best of {RUNS}:")
    for name, taken in seconds.items():
        ratios = ", ".join(f"{taken / seconds[base]:.2f} of {base}" for base in list(ways)[:2])
        print(f"{name:14} {taken:.3f} s = {ratios}")


if __name__ == "__main__":
    main()
