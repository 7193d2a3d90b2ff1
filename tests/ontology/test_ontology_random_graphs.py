"""Every question, against networkx, on random graphs: several roots and parents, several parts."""

from collections.abc import Mapping

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology.ancestry import ancestors, least_common_ancestors, parents
from ontology.distances import distance_matrix
from ontology.nodes import nodes
from ontology.paths import depths, paths

on_random_graphs = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """{mid: child mids} in a file order that has nothing to do with who stands above whom."""
    mids = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=9, unique=True))
    pairs = [(above, below) for i, above in enumerate(mids) for below in mids[i + 1 :]]
    edges = draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    children = {mid: [below for above, below in sorted(edges) if above == mid] for mid in mids}
    return {mid: children[mid] for mid in draw(st.permutations(mids))}


def digraph(graph: Mapping[str, list[str]]) -> nx.DiGraph:
    oracle = nx.DiGraph()
    oracle.add_nodes_from(graph)
    oracle.add_edges_from((above, below) for above in graph for below in graph[above])
    return oracle


def oracle_depths(oracle: nx.DiGraph) -> dict[str, int]:
    roots = [mid for mid in oracle if oracle.in_degree(mid) == 0]
    found = nx.multi_source_dijkstra_path_length(oracle, set(roots))
    return {mid: found[mid] for mid in oracle}


@given(acyclic_graphs())
@on_random_graphs
def test_nodes_parents_and_ancestors(open_graph, graph):
    oracle, order = digraph(graph), list(graph)
    with open_graph(graph) as connection:
        assert [node.mid for node in nodes(connection)] == order
        assert parents(connection, order) == [
            tuple(sorted(oracle.predecessors(mid), key=order.index)) for mid in order
        ]
        for mid in order:
            above = tuple(sorted(nx.ancestors(oracle, mid), key=order.index))
            assert ancestors(connection, mid) == above


@given(acyclic_graphs(), st.data())
@on_random_graphs
def test_least_common_ancestors(open_graph, graph, data):
    oracle, order = digraph(graph), list(graph)
    with open_graph(graph) as connection:
        for _ in range(4):
            first, second = (data.draw(st.sampled_from(order)) for _ in range(2))
            common = (nx.ancestors(oracle, first) | {first}) & (
                nx.ancestors(oracle, second) | {second}
            )
            lowest = [mid for mid in order if mid in common - _all_above(oracle, common)]
            assert least_common_ancestors(connection, first, second) == tuple(lowest)


def _all_above(oracle: nx.DiGraph, mids: set[str]) -> set[str]:
    return set().union(*(nx.ancestors(oracle, mid) for mid in mids))


@given(acyclic_graphs())
@on_random_graphs
def test_depths_and_paths(open_graph, graph):
    oracle, order = digraph(graph), list(graph)
    depth = oracle_depths(oracle)

    def path(mid: str) -> tuple[str, ...]:
        nearer = [above for above in oracle.predecessors(mid) if depth[above] == depth[mid] - 1]
        return (*path(min(nearer, key=order.index)), mid) if nearer else (mid,)

    with open_graph(graph) as connection:
        assert list(depths(connection).items()) == list(depth.items())
        asked = [*reversed(order), order[0]]
        assert paths(connection, asked) == [path(mid) for mid in asked]


@given(acyclic_graphs(), st.data())
@on_random_graphs
def test_distance_matrix_of_a_subset(open_graph, graph, data):
    length = dict(nx.all_pairs_shortest_path_length(digraph(graph).to_undirected()))
    asked = data.draw(st.lists(st.sampled_from(list(graph)), unique=True))
    with open_graph(graph) as connection:
        values, disconnected_pairs = distance_matrix(connection, asked)
    found = [length[a][b] for a in asked for b in asked if b in length[a]]
    beyond = max(found, default=0) + 1
    expected = [[length[a].get(b, beyond) for b in asked] for a in asked]
    np.testing.assert_array_equal(values, np.array(expected, int).reshape(len(asked), len(asked)))
    assert values.dtype == np.int64
    assert disconnected_pairs == (len(asked) ** 2 - len(found)) // 2
