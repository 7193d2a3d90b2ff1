"""Ids are only ever values, and a database file from anywhere can reach nothing."""

from contextlib import suppress

import duckdb
import numpy as np
import pytest

from ontology.ancestry import ancestors, least_common_ancestors, parents
from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import distance_matrix
from ontology.errors import OntologyError
from ontology.nodes import nodes
from ontology.paths import depths, paths

NASTY = {
    "'; DROP TABLE node; --": ['"', "$mids"],
    '"': ["{mid}"],
    "$mids": ["?", "{mid}"],
    "?": [],
    "{mid}": ["%s\\", "a\x00b", "\N{SPEAKER} \u202e"],
    "%s\\": [],
    "a\x00b": [],
    "\N{SPEAKER} \u202e": [],
    "a": [],
}


def test_ids_that_look_like_sql_are_ids(open_graph):
    mids = list(NASTY)
    with open_graph(NASTY) as connection:
        assert [node.mid for node in nodes(connection)] == mids
        assert parents(connection, ["{mid}", mids[0]]) == [('"', "$mids"), ()]
        assert ancestors(connection, "a\x00b") == (mids[0], '"', "$mids", "{mid}")
        assert least_common_ancestors(connection, "?", "a\x00b") == ("$mids",)
        assert depths(connection)["%s\\"] == 3
        assert paths(connection, ["%s\\"]) == [(mids[0], '"', "{mid}", "%s\\")]
        values, disconnected_pairs = distance_matrix(connection, [mids[0], "?", "a\x00b", "a"])
    np.testing.assert_array_equal(values, [[0, 2, 3, 4], [2, 0, 3, 4], [3, 3, 0, 4], [4, 4, 4, 0]])
    assert disconnected_pairs == 3


@pytest.mark.parametrize("unknown", ["/m/none", "' OR '1'='1", ""])
def test_an_unknown_id_is_named(open_graph, unknown):
    with open_graph({"a": ["b"], "b": []}) as connection:
        for ask in (
            lambda: parents(connection, ["a", unknown]),
            lambda: ancestors(connection, unknown),
            lambda: least_common_ancestors(connection, "a", unknown),
            lambda: least_common_ancestors(connection, unknown, "a"),
            lambda: paths(connection, ["a", unknown, "b"]),
            lambda: distance_matrix(connection, ["b", unknown]),
        ):
            with pytest.raises(OntologyError) as caught:
                ask()
            assert f"no node {unknown!r}" in str(caught.value)
            assert caught.value.next_step


def test_an_opened_database_reaches_nothing_else(open_graph, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with open_graph({"a": []}) as connection:
        for query in (
            "SELECT * FROM read_csv($path)",
            "SELECT * FROM read_text($path)",
            "SELECT * FROM glob($path)",
        ):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(query, {"path": str(secret)})
        for statement in (
            "CREATE TABLE more (a INTEGER)",
            "DELETE FROM node",
            "SET enable_external_access = true",
            "SET memory_limit = '64GB'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
        assert len(nodes(connection)) == 1


def _database(path, *statements):
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.duckdb"
    _database(path, "CREATE TABLE clips (a INTEGER)")
    with pytest.raises(OntologyError, match=r"other\.duckdb is no ontology"), open_ontology(path):
        pass


def test_a_view_in_a_table_s_place_is_refused(tmp_path):
    path = tmp_path / "views.duckdb"
    _database(
        path,
        "CREATE TABLE edge (parent INTEGER, child INTEGER)",
        "CREATE VIEW node AS SELECT 0 AS position, '' AS mid, '' AS name, '' AS description, "
        "['']::VARCHAR[] AS restrictions FROM range(1000000000)",
    )
    with pytest.raises(OntologyError, match=r"views\.duckdb is no ontology"), open_ontology(path):
        pass


def test_no_database_and_no_duckdb_file_are_named(tmp_path):
    missing, text = tmp_path / "none.duckdb", tmp_path / "text.duckdb"
    text.write_text("no database at all\n" * 1000)
    for path, message in ((missing, "was not found"), (text, "cannot be opened")):
        with pytest.raises(OntologyError, match=message) as caught, open_ontology(path):
            pass
        assert str(path) in str(caught.value)
        assert caught.value.next_step


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_database_cut_short_answers_rightly_or_says_so(audioset, audioset_json, tmp_path, kept):
    path = tmp_path / "cut.duckdb"
    build_ontology(audioset_json, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with suppress(OntologyError), open_ontology(path) as connection:
        assert nodes(connection) == nodes(audioset)


def test_a_cycle_smuggled_into_a_database_does_not_hang(tmp_path):
    path = tmp_path / "cycle.duckdb"
    _database(
        path,
        "CREATE TABLE node (position INTEGER, mid VARCHAR, name VARCHAR, description VARCHAR, "
        "restrictions VARCHAR[])",
        "CREATE TABLE edge (parent INTEGER, child INTEGER)",
        "INSERT INTO node SELECT range, 'n' || range, 'n' || range, '', [] FROM range(4)",
        "INSERT INTO edge VALUES (0, 1), (1, 2), (2, 3), (3, 1)",
    )
    with open_ontology(path) as connection:
        assert ancestors(connection, "n1") == ("n0", "n1", "n2", "n3")
        assert depths(connection) == {"n0": 0, "n1": 1, "n2": 2, "n3": 3}
        assert paths(connection, ["n3"]) == [("n0", "n1", "n2", "n3")]
        values = distance_matrix(connection, ["n0", "n3"]).values
    np.testing.assert_array_equal(values, [[0, 2], [2, 0]])
