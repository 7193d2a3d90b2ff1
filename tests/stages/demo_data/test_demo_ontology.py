"""The demonstration's ontology: AudioSet's facts, the same distances, its own words."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from stages.demo_data.labels import all_labels, ontology_json

Nodes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def ours() -> Nodes:
    return {node["id"]: node for node in json.loads(ontology_json())}


@pytest.fixture(scope="module")
def audioset(shared: Path) -> Nodes:
    text = (shared / "data/audioset/ontology.json").read_text(encoding="utf-8")
    return {node["id"]: node for node in json.loads(text)}


def graph(nodes: Nodes) -> nx.DiGraph:
    edges = [(mid, child) for mid, node in nodes.items() for child in node["child_ids"]]
    found = nx.DiGraph(edges)
    found.add_nodes_from(nodes)
    return found


def test_nodes_are_audiosets(ours: Nodes, audioset: Nodes) -> None:
    for mid, node in ours.items():
        theirs = audioset[mid]
        assert node.keys() == theirs.keys()
        assert (node["name"], node["restrictions"]) == (theirs["name"], theirs["restrictions"])
        assert node["child_ids"] == [child for child in theirs["child_ids"] if child in ours]


def test_every_ancestor_is_kept(ours: Nodes, audioset: Nodes) -> None:
    full, part = graph(audioset), graph(ours)
    for mid in ours:
        assert nx.ancestors(part, mid) == nx.ancestors(full, mid)


def test_distances_between_labels_are_audiosets(ours: Nodes, audioset: Nodes) -> None:
    full, part = graph(audioset).to_undirected(), graph(ours).to_undirected()
    mids = [label.mid for label in all_labels().values()]
    distances = []
    for mid in mids:
        expected = nx.single_source_shortest_path_length(full, mid)
        found = nx.single_source_shortest_path_length(part, mid)
        assert {other: found[other] for other in mids} == {other: expected[other] for other in mids}
        distances += [found[other] for other in mids if other != mid]
    # Near and far: OmAP has something to weigh.
    assert (min(distances), max(distances)) == (1, 16)


def test_label_names_are_unique(ours: Nodes) -> None:
    names = [node["name"] for node in ours.values()]
    assert len(set(names)) == len(names)


def test_descriptions_are_our_own(ours: Nodes, audioset: Nodes) -> None:
    def runs(text: str, words: int = 5) -> set[tuple[str, ...]]:
        found = re.findall(r"[a-z]+", text.lower())
        return set(zip(*(found[start:] for start in range(words)), strict=False))

    theirs = set(
        itertools.chain.from_iterable(runs(node["description"]) for node in audioset.values())
    )
    for node in ours.values():
        assert 20 < len(node["description"]) < 160
        assert not runs(node["description"]) & theirs, node["description"]
