"""Ontologies to ask: the real one, and any graph that a test writes down."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import duckdb
import pytest

from ontology.build import build_ontology
from ontology.database import open_ontology

Graph: TypeAlias = Mapping[str, Sequence[str]]
OpenGraph: TypeAlias = Callable[[Graph], AbstractContextManager[duckdb.DuckDBPyConnection]]


@pytest.fixture(scope="session")
def open_graph(tmp_path_factory: pytest.TempPathFactory) -> OpenGraph:
    """Build and open the ontology {mid: child mids}, in this order; each node's name is its mid."""
    folder = tmp_path_factory.mktemp("graphs")

    @contextmanager
    def opened(graph: Graph) -> Iterator[duckdb.DuckDBPyConnection]:
        nodes = [{"id": mid, "name": mid, "child_ids": list(graph[mid])} for mid in graph]
        (folder / "graph.json").write_text(json.dumps(nodes), encoding="utf-8")
        build_ontology(folder / "graph.json", folder / "graph.duckdb")
        with open_ontology(folder / "graph.duckdb") as connection:
            yield connection

    return opened


@pytest.fixture(scope="session")
def audioset_json(shared: Path) -> Path:
    return shared / "data" / "audioset" / "ontology.json"


@pytest.fixture(scope="session")
def audioset(
    audioset_json: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """AudioSet's ontology, open."""
    database = tmp_path_factory.mktemp("audioset") / "ontology.duckdb"
    build_ontology(audioset_json, database)
    with open_ontology(database) as connection:
        yield connection


@pytest.fixture(scope="session")
def audioset_labels(shared: Path) -> list[str]:
    """Ids of AudioSet's 527 labels, in label order."""
    with (shared / "data" / "audioset" / "class_labels_indices.csv").open(newline="") as file:
        return [row["mid"] for row in csv.DictReader(file)]
