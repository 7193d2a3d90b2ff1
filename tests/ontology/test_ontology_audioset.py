"""AudioSet's own ontology: its published numbers, and networkx on all of it."""

import json

import networkx as nx
import numpy as np
import pytest

from ontology.ancestry import ancestors, least_common_ancestors, parents
from ontology.distances import distance_matrix
from ontology.nodes import Node, nodes
from ontology.paths import depths, paths


@pytest.fixture(scope="module")
def oracle(audioset_json):
    entries = json.loads(audioset_json.read_text("utf-8"))
    graph = nx.DiGraph()
    graph.add_nodes_from(entry["id"] for entry in entries)
    graph.add_edges_from((entry["id"], child) for entry in entries for child in entry["child_ids"])
    return graph


def test_its_632_nodes_come_in_file_order_with_their_texts(audioset, audioset_json):
    entries = json.loads(audioset_json.read_text("utf-8"))
    found = nodes(audioset)
    assert len(found) == 632
    assert found == [
        Node(entry["id"], entry["name"], entry["description"], tuple(entry["restrictions"]))
        for entry in entries
    ]


def test_38_nodes_have_several_parents(audioset, oracle):
    mids = list(oracle)
    found = dict(zip(mids, parents(audioset, mids), strict=True))
    assert sum(len(above) > 1 for above in found.values()) == 38
    assert {mid: set(above) for mid, above in found.items()} == {
        mid: set(oracle.predecessors(mid)) for mid in mids
    }


def test_distances_of_the_527_labels(audioset, audioset_labels, oracle):
    values, disconnected_pairs = distance_matrix(audioset, audioset_labels)
    assert values.shape == (527, 527)
    assert values.max() == 21
    assert round(values.sum() / (527 * 526), 3) == 7.893
    assert disconnected_pairs == 0
    np.testing.assert_array_equal(values, values.T)
    np.testing.assert_array_equal(values == 0, np.eye(527, dtype=bool))
    length = dict(nx.all_pairs_shortest_path_length(oracle.to_undirected()))
    expected = [[length[a][b] for b in audioset_labels] for a in audioset_labels]
    np.testing.assert_array_equal(values, expected)


def test_rows_follow_the_order_asked_for(audioset, audioset_labels):
    asked = audioset_labels[40:20:-3]
    whole = distance_matrix(audioset, audioset_labels).values
    places = [audioset_labels.index(mid) for mid in asked]
    part = distance_matrix(audioset, asked).values
    np.testing.assert_array_equal(part, whole[np.ix_(places, places)])


def test_the_same_label_asked_twice_is_at_distance_zero(audioset):
    asked = ["/m/0342h", "/m/09x0r", "/m/0342h"]
    values = distance_matrix(audioset, asked).values
    apart = values[0, 1]
    assert apart > 0
    np.testing.assert_array_equal(values, [[0, apart, 0], [apart, 0, apart], [0, apart, 0]])


def test_guitar_is_below_music(audioset):
    path = ("Music", "Musical instrument", "Plucked string instrument", "Guitar")
    assert paths(audioset, ["/m/0342h"]) == [path]
    assert ancestors(audioset, "/m/0342h") == ("/m/04rlf", "/m/04szw", "/m/0fx80y")
    assert depths(audioset)["/m/0342h"] == 3


def test_a_path_has_as_many_steps_as_the_depth_says(audioset, oracle):
    depth = depths(audioset)
    assert list(depth) == list(oracle)
    for mid, path in zip(oracle, paths(audioset, list(oracle)), strict=True):
        assert len(path) == depth[mid] + 1


def test_two_lowest_common_ancestors(open_graph):
    diamond = {"root": ["a", "b"], "a": ["x", "y"], "b": ["x", "y"], "x": [], "y": []}
    with open_graph(diamond) as connection:
        assert least_common_ancestors(connection, "x", "y") == ("a", "b")
        assert least_common_ancestors(connection, "x", "b") == ("b",)
        assert least_common_ancestors(connection, "x", "x") == ("x",)


def test_no_common_ancestor_without_a_common_root(open_graph):
    with open_graph({"a": [], "b": []}) as connection:
        assert least_common_ancestors(connection, "a", "b") == ()
