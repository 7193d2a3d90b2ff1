"""The database file: the same bytes each time, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import ontology.build
from ontology.build import build_ontology
from ontology.database import open_ontology, read_sql
from ontology.errors import OntologyError
from ontology.nodes import nodes

BUILD = """
import sys
from pathlib import Path
from ontology.build import build_ontology
build_ontology(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_two_processes_write_the_same_bytes(audioset_json, tmp_path):
    for name in ("first.duckdb", "elsewhere/second.duckdb"):
        command = [sys.executable, "-c", BUILD, str(audioset_json), str(tmp_path / name)]
        subprocess.run(command, check=True)
    first = (tmp_path / "first.duckdb").read_bytes()
    assert first == (tmp_path / "elsewhere" / "second.duckdb").read_bytes()
    assert len(first) < 1_000_000


def test_a_bad_ontology_leaves_the_old_database(audioset_json, tmp_path):
    database, bad = tmp_path / "out" / "ontology.duckdb", tmp_path / "bad.json"
    build_ontology(audioset_json, database)
    before = database.read_bytes()
    bad.write_text('[{"id": "a", "name": "A", "child_ids": ["a"]}]')
    with pytest.raises(OntologyError, match="cycle"):
        build_ontology(bad, database)
    assert database.read_bytes() == before
    assert list(database.parent.iterdir()) == [database]


def test_an_interrupt_leaves_the_old_database_and_nothing_else(
    audioset_json, tmp_path, monkeypatch
):
    database = tmp_path / "ontology.duckdb"
    build_ontology(audioset_json, database)
    before = database.read_bytes()

    def interrupted(sql_file: str) -> str:
        if sql_file == "insert_edges.sql":
            raise KeyboardInterrupt
        return read_sql(sql_file)

    monkeypatch.setattr(ontology.build, "read_sql", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_ontology(audioset_json, database)
    assert database.read_bytes() == before
    assert list(tmp_path.iterdir()) == [database]


def test_a_place_that_cannot_be_written_is_named(audioset_json, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(OntologyError, match="taken cannot be written"):
        build_ontology(audioset_json, taken)
    assert list(tmp_path.iterdir()) == [taken]
    assert list(taken.iterdir()) == []


def test_a_rebuilt_database_replaces_the_old_one(tmp_path):
    source, database = tmp_path / "small.json", tmp_path / "ontology.duckdb"
    for name in ("first", "second"):
        source.write_text(f'[{{"id": "a", "name": "{name}"}}]')
        build_ontology(source, database)
        with open_ontology(database) as connection:
            assert [node.name for node in nodes(connection)] == [name]


def test_every_table_and_column_is_documented_in_the_file(audioset):
    tables = "SELECT comment FROM duckdb_tables()"
    columns = "SELECT comment FROM duckdb_columns() WHERE NOT internal"
    for query, count in ((tables, 2), (columns, 7)):
        comments = [comment for (comment,) in audioset.execute(query).fetchall()]
        assert len(comments) == count
        assert all(comments)


def test_the_file_itself_refuses_an_edge_to_nowhere(audioset_json, tmp_path):
    database = tmp_path / "ontology.duckdb"
    build_ontology(audioset_json, database)
    with (
        duckdb.connect(database) as connection,
        pytest.raises(duckdb.ConstraintException, match="foreign key"),
    ):
        connection.execute("INSERT INTO edge VALUES (0, 632)")


@pytest.mark.parametrize(
    "name", ["w?x", "w?x/in?r", "md:x", ":memory:", "~x", "http://x", "a#b%41*[c]", "new\nline"]
)
def test_any_name_of_a_folder_and_a_file_will_do(audioset_json, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    build_ontology(audioset_json, Path("plain.duckdb"))
    for database in (Path(name), Path(name + " folder", "ontology.duckdb")):
        build_ontology(audioset_json, database)
        assert database.read_bytes() == Path("plain.duckdb").read_bytes()
        with open_ontology(database) as connection:
            assert len(nodes(connection)) == 632
        assert [path for path in database.parent.iterdir() if path.name.startswith(".")] == []


def test_a_name_that_is_no_utf_8(audioset_json, tmp_path):
    database = tmp_path / os.fsdecode(b"w\xe9") / "ontology.duckdb"
    build_ontology(audioset_json, database)
    with open_ontology(database) as connection:
        assert len(nodes(connection)) == 632


def test_a_link_to_a_folder_whose_name_duckdb_does_not_take(audioset_json, tmp_path):
    (tmp_path / "w?x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "w?x")
    database = tmp_path / "link" / "ontology.duckdb"
    build_ontology(audioset_json, database)
    with open_ontology(database) as connection:
        assert len(nodes(connection)) == 632
    assert list((tmp_path / "w?x").iterdir()) == [tmp_path / "w?x" / "ontology.duckdb"]


LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from ontology.build import build_ontology
from ontology.errors import OntologyError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    build_ontology(Path(sys.argv[1]), Path(sys.argv[2]))
except OntologyError as error:
    print(error)
"""


@pytest.mark.parametrize("largest_file_bytes", [20_000, 150_000, 280_000])
@pytest.mark.parametrize("folder", ["w", "w?x"])
def test_a_write_that_fails_is_an_error_and_leaves_nothing(
    audioset_json, tmp_path, largest_file_bytes, folder
):
    """The first fails in the write-ahead log; the others in the checkpoint, as on a full disk."""
    database = tmp_path / folder / "ontology.duckdb"
    arguments = (audioset_json, database, largest_file_bytes)
    command = [sys.executable, "-c", LITTLE_ROOM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{database} cannot be written: " in done.stdout
    assert "File too large" in done.stdout
    assert list(database.parent.iterdir()) == []
