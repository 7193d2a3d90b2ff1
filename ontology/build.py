"""Build the DuckDB file of an ontology."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ontology.database import is_openable, read_sql
from ontology.errors import OntologyError
from ontology.json_file import Entry, read_ontology_json

# One version of DuckDB writes the same bytes for the same ontology, given these: two threads may
# place blocks in either order, compressed text ends in stale memory, and storage versions after
# 1.3 hold a random id. The storage version is also what lets every DuckDB that we admit read the
# file; the small blocks make it six times smaller. No extension is ever fetched or loaded.
_WRITE_CONFIG = {
    "threads": "1",
    "force_compression": "uncompressed",
    "storage_compatibility_version": "v1.3.0",
    "default_block_size": "16384",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
}
_FILE_NAME = "ontology.duckdb"  # the file holds the name under which it was made


def build_ontology(json_path: Path, database: Path) -> None:
    """Write the ontology at `json_path` into a DuckDB file at `database`, replacing an older one.

    The tables are those of sql/schema.sql. The file appears whole or not at all, and its bytes
    depend on nothing but the ontology and the version of DuckDB.

    Raises:
        OntologyError: `json_path` is no ontology (see `read_ontology_json`), or `database` cannot
            be written.
    """
    entries = read_ontology_json(json_path)
    database = database.absolute()  # DuckDB takes `:memory:` and `md:x` for no files
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ontology-", dir=database.parent) as folder:
            built = Path(folder, _FILE_NAME)
            if is_openable(built):
                _write(built, entries)
            else:
                _write_elsewhere(built, entries)
            with built.open("rb+") as file:
                os.fsync(file.fileno())
            built.replace(database)
    except (OSError, duckdb.Error) as error:
        raise OntologyError(
            f"ontology database {database} cannot be written: {error}",
            "check the folder's permissions and free space",
        ) from error


def _write_elsewhere(path: Path, entries: list[Entry]) -> None:
    """Write in the system's temporary folder, then copy: DuckDB cannot open `path`."""
    with TemporaryDirectory(prefix="ontology-") as folder:
        built = Path(folder, _FILE_NAME)
        _write(built, entries)
        shutil.copyfile(built, path)


def _write(path: Path, entries: list[Entry]) -> None:
    position = {entry.mid: index for index, entry in enumerate(entries)}
    links = [(position[entry.mid], position[mid]) for entry in entries for mid in entry.child_mids]
    with duckdb.connect(path, config=_WRITE_CONFIG) as connection:
        connection.begin()
        connection.execute(read_sql("schema.sql"))
        connection.execute(
            read_sql("insert_nodes.sql"),
            {
                "mids": [entry.mid for entry in entries],
                "names": [entry.name for entry in entries],
                "descriptions": [entry.description for entry in entries],
                "restrictions": [list(entry.restrictions) for entry in entries],
            },
        )
        connection.execute(
            read_sql("insert_edges.sql"),
            {
                "parents": [parent for parent, _ in links],
                "children": [child for _, child in links],
            },
        )
        connection.commit()
        # The one on closing fails in silence, on a full disk for one, and leaves half in the WAL.
        connection.execute("CHECKPOINT")
